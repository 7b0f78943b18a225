"""Explains a learned ranker: feature importance, partial dependence, and gains by segment.

In: a ranker and the customers of a window. Out: the importance of features, the effect of changing
one feature, and figures by segment of customers and products. Called by training for its report,
and by ``analysis`` for notebooks.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recsys.config import unknown_name
from recsys.datasets import Floats, Lists, rows_contain, rows_of
from recsys.errors import DataError
from recsys.evaluation import EvaluationSet, TopLists, bootstrap, ndcg_at
from recsys.learning.boosting import RankingExamples
from recsys.learning.candidate_batches import plain_candidates
from recsys.learning.examples import TrainingWindow, ranking_examples
from recsys.ranking import EVIDENCE_COLUMNS, FEATURE_NAMES, BoostedTrees, Ensemble, Ranker
from recsys.ranking.features import item_statistics
from recsys.ranking.features import table as of

#: Groups of features, in the order of ``FEATURE_NAMES``.
GROUPS: Final[dict[str, int]] = {
    "own purchases of the product": len(of.OWN),
    "own purchases of what is like it": len(of.AFFINITY),
    "what goes with the last orders": len(of.RECENT),
    "how the product sells": len(item_statistics.COLUMNS),
    "place and day": len(of.HERE),
    "the customer": len(of.CUSTOMER),
    "the blend of the models": len(of.BLEND),
    "single models": 2 * len(EVIDENCE_COLUMNS),
}
#: Group of each feature, as a position in ``GROUPS``.
GROUP_OF: Final = np.repeat(np.arange(len(GROUPS)), list(GROUPS.values())).astype(np.int32)

#: Maximum number of candidates for feature importance.
LOOKED_AT: Final = 20_000
#: Maximum number of candidates for partial dependence.
MOVED: Final = 2_000
#: Quantiles that bound the values of the feature; values outside are rare.
ENDS: Final = (0.01, 0.99)


@dataclass(frozen=True)
class FeatureImportance:
    """How much one feature, or a group of features, separates candidates.

    Attributes
    ----------
    name, group : str
        Equal for a group.
    share : float
        Share of all importance; the features sum to 1.
    likely, order : float
        Mean absolute deviation of the feature's contribution, in the trees for chances and in the
        trees for the order. Log-odds.
    """

    name: str
    group: str
    share: float
    likely: float
    order: float


@dataclass(frozen=True)
class PartialDependence:
    """The trees' output when one feature is set to a value and the others stay.

    Attributes
    ----------
    value : float
    added : float
        Mean over the candidates, trees for chances and for the order together; log-odds.
    low, high : float
        Quartiles over the candidates, each relative to its own mean over all values, around
        ``added``. A wide range indicates interactions with other features.
    chance : float
        Mean chance of purchase.
    """

    value: float
    added: float
    low: float
    high: float
    chance: float


@dataclass(frozen=True)
class SegmentDifference:
    """The difference of two methods for one segment of customers or products.

    Attributes
    ----------
    by, segment : str
    n : int
        Number of evaluated customers.
    ours, theirs : float
        Mean NDCG.
    lead, low, high : float
        Mean difference and its 95% bootstrap interval.
    wins, losses : float
        Shares of customers for whom the first, or the second, method has the better list.
    """

    by: str
    segment: str
    n: int
    ours: float
    theirs: float
    lead: float
    low: float
    high: float
    wins: float
    losses: float


def trees_of(ranker: Ranker) -> BoostedTrees:
    """Return the ranker's trees.

    Raises
    ------
    DataError
        When it has none.
    """
    if ranker.boosted is None:
        raise DataError(
            "the ranker has no trees: too few customers bought candidates in the validation "
            "window, or the trees did not help. A longer [train] validation_days may help, "
            "or a smaller [ranker] min_customers."
        )
    return ranker.boosted


def tree_candidates(ranker: Ranker, evaluation_set: EvaluationSet) -> RankingExamples:
    """Return the candidates that the trees score without a cart, with purchase labels.

    Parameters
    ----------
    ranker : Ranker
    evaluation_set : EvaluationSet

    Raises
    ------
    DataError
        When the ranker has no trees.
    """
    trees = trees_of(ranker)
    made = TrainingWindow([], [], [], [], trees.statistics, trees.baskets)
    return ranking_examples(made, plain_candidates(ranker.models, evaluation_set), ranker.plain)


def feature_importance(
    ensemble: Ensemble, features: NDArray[np.float32]
) -> list[FeatureImportance]:
    """Compute the importance of each feature: how much it separates candidates.

    Parameters
    ----------
    ensemble : Ensemble
    features : ndarray of shape (m, n_features), float32
        Features of real candidates; an even sample if there are many.

    Returns
    -------
    list of FeatureImportance
        One per feature, most important first.

    Notes
    -----
    Based on the path of each candidate, see ``Trees.shares``: a feature on no path has importance
    zero, and splits that few candidates reach count little.
    """
    some = features[_spread(len(features), LOOKED_AT)]
    each = np.arange(len(FEATURE_NAMES), dtype=np.int32)
    likely, order = (
        _apart(trees.shares(some, each, len(each))) for trees in (ensemble.likely, ensemble.order)
    )
    both = likely + order
    share = both / max(float(both.sum()), 1e-12)
    groups = list(GROUPS)
    return [
        FeatureImportance(
            FEATURE_NAMES[at],
            groups[GROUP_OF[at]],
            float(share[at]),
            float(likely[at]),
            float(order[at]),
        )
        for at in np.argsort(-share, kind="stable").tolist()
    ]


def _apart(moves: Floats) -> Floats:
    """Return the mean absolute deviation of each column: a constant separates no candidates."""
    if not len(moves):
        return np.zeros(moves.shape[1])
    apart: Floats = np.abs(moves - moves.mean(axis=0)).mean(axis=0)
    return apart


def importance_by_group(weights: list[FeatureImportance]) -> list[FeatureImportance]:
    """Sum the importance of each group's features, most important first."""
    sums = [
        FeatureImportance(
            name,
            name,
            *(
                sum(getattr(one, part) for one in weights if one.group == name)
                for part in ("share", "likely", "order")
            ),
        )
        for name in GROUPS
    ]
    return sorted(sums, key=lambda one: -one.share)


def partial_dependence(
    ensemble: Ensemble, candidates: RankingExamples, feature: str, points: int = 25
) -> list[PartialDependence]:
    """Compute the trees' output while one feature varies over its range [1]_.

    Parameters
    ----------
    ensemble : Ensemble
    candidates : RankingExamples
        An even sample is used if there are many.
    feature : str
        One of ``FEATURE_NAMES``.
    points : int
        Maximum number of values: quantiles of the candidates' values, between ``ENDS``.

    Returns
    -------
    list of PartialDependence
        In ascending order of the value.

    Raises
    ------
    DataError
        When there is no such feature; the message names the nearest.

    References
    ----------
    .. [1] Friedman (2001), Greedy function approximation; Goldstein et al. (2015), Peeking inside
       the black box, for one candidate at a time.
    """
    if feature not in FEATURE_NAMES:
        raise DataError(unknown_name(feature, FEATURE_NAMES, "feature "))
    column = FEATURE_NAMES.index(feature)
    some = candidates.only(_spread(len(candidates.total), MOVED))
    if not len(some.total):
        return []
    values = candidates.features[:, column]
    grid = np.unique(np.quantile(values, np.linspace(*ENDS, points), method="nearest"))
    added = np.empty((len(grid), len(some.total)))
    chance = np.empty(len(grid))
    moved = some.features.copy()
    for at, value in enumerate(grid):
        moved[:, column] = value
        likely = ensemble.likely.add(moved)
        added[at] = likely + ensemble.order.add(moved)
        chance[at] = ensemble.chance(some.total + likely).mean()
    beside = added - added.mean(axis=0)
    low, high = np.quantile(beside, (0.25, 0.75), axis=1) + added.mean()
    return [
        PartialDependence(
            *(float(part[at]) for part in (grid, added.mean(axis=1), low, high, chance))
        )
        for at in range(len(grid))
    ]


def by_segment(
    ours: TopLists, theirs: TopLists, evaluation_set: EvaluationSet, k: int, seed: int = 0
) -> list[SegmentDifference]:
    """Compare two methods customer by customer, for each segment of customers or products.

    Parameters
    ----------
    ours, theirs : TopLists
        Lists for the customers of ``evaluation_set``.
    evaluation_set : EvaluationSet
    k : int
        Cutoff: number of places evaluated.
    seed : int
        Of the bootstrap.

    Returns
    -------
    list of SegmentDifference
        All customers first. Light, medium and heavy customers are thirds by their number of orders
        before the window. Segments by channel exist only if there are several channels.
    """
    relevant, past = evaluation_set.relevant(), evaluation_set.histories
    rows = rows_of(relevant)
    before = rows_contain(past, rows, relevant.item_ix)
    whole = ndcg_at(ours.mixed, relevant, k), ndcg_at(theirs.mixed, relevant, k)
    segments = [_lead("everybody", "all", np.ones(len(evaluation_set), bool), *whole, seed)]
    orders = np.array([len(np.unique(row.lines["order"])) for row in evaluation_set.rows])
    third, two_thirds = np.quantile(orders, (1 / 3, 2 / 3)) if len(orders) else (0, 0)
    for name, who in (
        ("light", orders <= third),
        ("middling", (orders > third) & (orders <= two_thirds)),
        ("heavy", orders > two_thirds),
    ):
        segments.append(_lead("orders before", name, who, *whole, seed))
    channels = np.array([len(np.unique(row.lines["channel"])) for row in evaluation_set.rows])
    if (channels > 1).any():
        segments.append(_lead("channels before", "one", channels == 1, *whole, seed))
        segments.append(_lead("channels before", "several", channels > 1, *whole, seed))
    for name, is_kind in (("bought before", before), ("new to them", ~before)):
        kind = Lists.of_pairs(rows[is_kind], relevant.item_ix[is_kind], len(evaluation_set))
        own = name == "bought before"
        one, other = (ndcg_at(shown.own if own else shown.new, kind, k) for shown in (ours, theirs))
        segments.append(
            _lead("products", name, np.ones(len(evaluation_set), bool), one, other, seed)
        )
    n_new = np.bincount(rows[~before], minlength=len(evaluation_set))
    mostly = 2 * n_new > np.bincount(rows, minlength=len(evaluation_set))
    segments.append(_lead("bought then", "mostly the same", ~mostly, *whole, seed))
    segments.append(_lead("bought then", "mostly new", mostly, *whole, seed))
    return [one for one in segments if one.n]


def _lead(
    by: str, segment: str, who: NDArray[np.bool_], ours: Floats, theirs: Floats, seed: int
) -> SegmentDifference:
    counts = who & ~np.isnan(ours) & ~np.isnan(theirs)
    one, other = ours[counts], theirs[counts]
    if not len(one):
        nan = float("nan")
        return SegmentDifference(by, segment, 0, nan, nan, nan, nan, nan, nan, nan)
    mean, low, high, n = bootstrap(one - other, seed)
    return SegmentDifference(
        by,
        segment,
        n,
        float(one.mean()),
        float(other.mean()),
        mean,
        low,
        high,
        float((one > other).mean()),
        float((one < other).mean()),
    )


def _spread(n: int, most: int) -> NDArray[np.int64]:
    """Return at most ``most`` positions, evenly spread over ``n``."""
    return np.unique(np.linspace(0, max(n - 1, 0), min(n, most)).astype(np.int64))
