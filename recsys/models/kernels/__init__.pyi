from .lifts import LEAST_LIFT
from .pair_counts import PairCounts, PairEntries, count_meeting_pairs, count_pairs
from .top_k import scores_in_lists

__all__ = [
    "LEAST_LIFT",
    "PairCounts",
    "PairEntries",
    "count_meeting_pairs",
    "count_pairs",
    "scores_in_lists",
]
