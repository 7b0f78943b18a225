from .availability import Availability
from .blend import Blend
from .boosted_trees import FEATURE_NAMES, BoostedTrees, Ensemble, choose_for_trees
from .calibration import fit_isotonic
from .candidates import (
    CART_COLUMN,
    EVIDENCE_COLUMNS,
    MODEL_COLUMNS,
    MODEL_OF_COLUMN,
    Candidates,
    collect_candidates,
    score_given,
)
from .choices import Choices
from .discovery import never_bought
from .diversity import ItemSimilarity
from .just_bought import UntilDue
from .margins import UNKNOWN_MINOR, Costs, Margins
from .product_attributes import Attribute
from .product_filter import FilterData, LabelColumn
from .rank_request import RankRequest, Weighted, factors_of
from .ranked_lists import RankedLists
from .ranker import CANDIDATES_PER_MODEL, Ranker
from .rule_kernels import CAPPED, NOT_INTERESTED
from .rules import Limits, Rules, Suppressed
from .segment_blends import Kinds, SegmentBlends
from .trees import Trees
from .weight_refinement import ndcg_of

__all__ = [
    "CANDIDATES_PER_MODEL",
    "CAPPED",
    "CART_COLUMN",
    "EVIDENCE_COLUMNS",
    "FEATURE_NAMES",
    "MODEL_COLUMNS",
    "MODEL_OF_COLUMN",
    "NOT_INTERESTED",
    "UNKNOWN_MINOR",
    "Attribute",
    "Availability",
    "Blend",
    "BoostedTrees",
    "Candidates",
    "Choices",
    "Costs",
    "Ensemble",
    "FilterData",
    "ItemSimilarity",
    "Kinds",
    "LabelColumn",
    "Limits",
    "Margins",
    "RankRequest",
    "RankedLists",
    "Ranker",
    "Rules",
    "SegmentBlends",
    "Suppressed",
    "Trees",
    "UntilDue",
    "Weighted",
    "choose_for_trees",
    "collect_candidates",
    "factors_of",
    "fit_isotonic",
    "ndcg_of",
    "never_bought",
    "score_given",
]
