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
from .dayparts import Dayparts
from .discovery import never_bought
from .item_similarity import ItemSimilarity
from .just_bought import UntilDue
from .margins import UNKNOWN_MINOR, Costs, Margins
from .merchandising import ItemRule, Merchandised, Merchandising, RandomSlots, RuleEffect
from .product_attributes import Attribute
from .product_filter import FilterData, LabelColumn
from .rank_request import RankRequest, Weighted, factors_of
from .ranked_lists import RankedLists, ranked_row
from .ranker import CANDIDATES_PER_MODEL, Ranker
from .rule_kernels import CAPPED, NOT_INTERESTED
from .rules import RULES, Limits, Rules
from .sales import Sales
from .segment_blends import Kinds, SegmentBlends
from .steered_list import SteeredList, steer
from .stock_rows import Stock
from .suppressed import Suppressed
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
    "RULES",
    "UNKNOWN_MINOR",
    "Attribute",
    "Availability",
    "Blend",
    "BoostedTrees",
    "Candidates",
    "Choices",
    "Costs",
    "Dayparts",
    "Ensemble",
    "FilterData",
    "ItemRule",
    "ItemSimilarity",
    "Kinds",
    "LabelColumn",
    "Limits",
    "Margins",
    "Merchandised",
    "Merchandising",
    "RandomSlots",
    "RankRequest",
    "RankedLists",
    "Ranker",
    "RuleEffect",
    "Rules",
    "Sales",
    "SegmentBlends",
    "SteeredList",
    "Stock",
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
    "ranked_row",
    "score_given",
    "steer",
]
