from .boosting import RankingExamples
from .choices import choices_of
from .examples import LearnedRanking, TrainingWindow
from .fit import (
    READING_STEP,
    STEPS,
    FittedModels,
    find_bundles,
    fit_models,
    fit_ranking,
    learn,
    observe_window,
)
from .insight import FeatureImportance, feature_importance, tree_candidates

__all__ = [
    "READING_STEP",
    "STEPS",
    "FeatureImportance",
    "FittedModels",
    "LearnedRanking",
    "RankingExamples",
    "TrainingWindow",
    "choices_of",
    "feature_importance",
    "find_bundles",
    "fit_models",
    "fit_ranking",
    "learn",
    "observe_window",
    "tree_candidates",
]
