from .als import Als
from .item_neighbours import ItemKnn
from .own_frequency import OwnFrequency
from .popular import MostPopular
from .tuning import BASELINES, Baseline, TunedBaseline, tune_baseline

__all__ = [
    "BASELINES",
    "Als",
    "Baseline",
    "ItemKnn",
    "MostPopular",
    "OwnFrequency",
    "TunedBaseline",
    "tune_baseline",
]
