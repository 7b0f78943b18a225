from .all_models import MODELS, enabled, from_settings
from .als import Als
from .base import Model, Recommendations
from .bpr import Bpr
from .content import Content, SharedTraits
from .copurchase import CoPurchase
from .neighbours import Neighbours
from .popular import POPULAR_LEVELS, Popular
from .repeat import Repeat
from .transitions import Transitions
from .trending import Trending

__all__ = [
    "MODELS",
    "POPULAR_LEVELS",
    "Als",
    "Bpr",
    "CoPurchase",
    "Content",
    "Model",
    "Neighbours",
    "Popular",
    "Recommendations",
    "Repeat",
    "SharedTraits",
    "Transitions",
    "Trending",
    "enabled",
    "from_settings",
]
