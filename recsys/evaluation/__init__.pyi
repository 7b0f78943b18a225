from .cart_sets import CartSet
from .choice_metrics import lists_of_choices
from .data_checks import Finding, check_data
from .discovery_cost import DiscoveryCost
from .evaluation_set import EvaluationSet
from .evaluator import CustomerMetrics, Evaluator, ItemPopularity, summarise
from .identity_quality import IdentityQuality, by_any_link, by_email, measure_identity, read_truth
from .merchandising_cost import Comparison, MerchandisingCost, RuleUse, merchandising_cost
from .metrics import Interval, bootstrap, bootstrap_all, coverage, hit_rate_at, ndcg_at, recall_at
from .offer_recipients import find_recipients
from .recall_by_source import SourceRecall, candidate_recall
from .reliability import PredictedChances, Reliability, reliability_of
from .results import ALL_CUSTOMERS, BEST_SINGLE, OURS, Evaluation
from .single_model import BestSingleModel, SingleModel, best_single
from .splits import Split, Window, rolling
from .top_lists import TopLists, rank_in_batches, show_ranked

__all__ = [
    "ALL_CUSTOMERS",
    "BEST_SINGLE",
    "OURS",
    "BestSingleModel",
    "CartSet",
    "Comparison",
    "CustomerMetrics",
    "DiscoveryCost",
    "Evaluation",
    "EvaluationSet",
    "Evaluator",
    "Finding",
    "IdentityQuality",
    "Interval",
    "ItemPopularity",
    "MerchandisingCost",
    "PredictedChances",
    "Reliability",
    "RuleUse",
    "SingleModel",
    "SourceRecall",
    "Split",
    "TopLists",
    "Window",
    "best_single",
    "bootstrap",
    "bootstrap_all",
    "by_any_link",
    "by_email",
    "candidate_recall",
    "check_data",
    "coverage",
    "find_recipients",
    "hit_rate_at",
    "lists_of_choices",
    "measure_identity",
    "merchandising_cost",
    "ndcg_at",
    "rank_in_batches",
    "read_truth",
    "recall_at",
    "reliability_of",
    "rolling",
    "show_ranked",
    "summarise",
]
