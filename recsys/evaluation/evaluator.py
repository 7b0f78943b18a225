"""Measures recommendation methods on a test window, customer by customer.

In: methods fitted before the test window, and the window's evaluation set. Out: the metrics of
every customer, and, once all windows are evaluated, their means with intervals for all customers,
for each channel and for each window. Training calls this, prints the results and stores them in
the artefact's manifest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recsys.datasets import (
    Floats,
    Histories,
    Lists,
    TrainingSet,
    pointers,
    rows_contain,
    rows_of,
    without_items,
)
from recsys.evaluation import choice_metrics, metrics
from recsys.evaluation.baselines import Baseline
from recsys.evaluation.evaluation_set import MIN_CUSTOMERS, EvaluationSet
from recsys.evaluation.metrics import bootstrap_all
from recsys.evaluation.reliability import PredictedChances
from recsys.evaluation.results import (
    ALL_CUSTOMERS,
    BEST_SINGLE,
    OURS,
    Difference,
    Evaluation,
    Figure,
    Sample,
)
from recsys.evaluation.single_model import SingleModel
from recsys.evaluation.splits import Window
from recsys.evaluation.top_lists import TopLists, cut_to_top, items_of, rank_in_batches
from recsys.ranking import Choices, Ranker
from recsys.schema import CHANNELS

__all__ = [
    "ALL_CUSTOMERS",
    "BEST_SINGLE",
    "OURS",
    "CustomerMetrics",
    "Difference",
    "Evaluation",
    "Evaluator",
    "Figure",
    "ItemPopularity",
    "Sample",
    "summarise",
]

#: Endings of the names of metrics where a higher value is better.
_MORE_IS_BETTER: Final = ("ndcg", "recall", "hr", "precision")

#: Maximum number of customers per channel.
IN_CHANNEL: Final = 1_000

#: Segment, method, metric.
Key = tuple[str, str, str]


@dataclass(frozen=True)
class ItemPopularity:
    """How many customers had bought each product before a window.

    Attributes
    ----------
    buyers : ndarray of shape (n_items,), float64
        Share of customers who had bought each product.
    n_customers : int
        Number of customers counted.
    """

    buyers: Floats
    n_customers: int

    @classmethod
    def of(cls, training: TrainingSet) -> "ItemPopularity":
        """Count the buyers of each product in a training set.

        Parameters
        ----------
        training : TrainingSet
            Its customers are counted; orders without a customer are not.
        """
        baskets = training.baskets
        n = max(1, len(baskets.customer_ids))
        bought = baskets.by_customer(np.ones(len(baskets.ts)))
        return cls(np.bincount(bought.indices, minlength=training.n_items) / n, n)


@dataclass(frozen=True, eq=False)
class CustomerMetrics:
    """Metrics of every customer of one window.

    Attributes
    ----------
    window : Window
    customer_ids : list of str, length n
    values : dict of (segment, method, metric) to ndarray of shape (n,)
        NaN for customers who do not count towards a metric.
    shares : dict of (segment, method, metric) to float
        Metrics with one value for all customers, such as coverage.
    predicted : PredictedChances or None
        Predicted chances of purchase, if the method predicts them.
    drawn : dict of segment to (int, float)
        Number of customers evaluated, and number of customers they were drawn from.
    """

    window: Window
    customer_ids: list[str]
    values: dict[Key, Floats]
    shares: dict[Key, float]
    predicted: PredictedChances | None = None
    drawn: dict[str, tuple[int, float]] = field(default_factory=dict)

    def __or__(self, other: "CustomerMetrics") -> "CustomerMetrics":
        """Add the metrics of other methods for the same customers."""
        return CustomerMetrics(
            self.window,
            self.customer_ids,
            self.values | other.values,
            self.shares | other.shares,
            self.predicted or other.predicted,
            self.drawn | other.drawn,
        )


class Evaluator:
    """Evaluates methods on the same customers, over all channels and for each channel.

    If there are several channels, each is also evaluated alone: the request names the channel,
    and only what was bought there is relevant. Channels with fewer than ``MIN_CUSTOMERS`` buyers
    are left out; of channels with many buyers a sample is drawn.

    Parameters
    ----------
    evaluation_set : EvaluationSet
        Customers who bought nothing in the window are left out.
    known : ItemPopularity
        As of the start of the window.
    k : int
        Cutoff: number of places evaluated.
    seed : int
        Seed of the samples of customers.
    in_channel : int
        Maximum number of customers per channel.
    choices : Choices, optional
        Products that a shopper cannot distinguish; by default no metric is computed by choice.
    threads : int
        Of ``rank_in_batches``.
    """

    def __init__(
        self,
        evaluation_set: EvaluationSet,
        known: ItemPopularity,
        k: int,
        seed: int = 0,
        in_channel: int = IN_CHANNEL,
        choices: Choices | None = None,
        threads: int = 1,
    ) -> None:
        self._evaluation_set, self._known, self._k = evaluation_set, known, k
        self._choices, self._threads = choices, threads
        came = np.flatnonzero(np.diff(evaluation_set.relevant().indptr))
        whole = evaluation_set.only(came)
        of = float(whole.sample_weight.sum())
        self._segments = [_Segment(ALL_CUSTOMERS, came, whole, whole.relevant(), of)]
        channels = [CHANNELS[number] for number in np.unique(evaluation_set.channel)]
        rng = np.random.default_rng(seed)
        for channel in channels if len(channels) > 1 else ():
            rows = np.flatnonzero(np.diff(evaluation_set.relevant(channel).indptr))
            if len(rows) >= MIN_CUSTOMERS:
                of = float(evaluation_set.sample_weight[rows].sum())
                rows = np.sort(rng.permutation(rows)[:in_channel])
                part = evaluation_set.only(rows)
                self._segments.append(_Segment(channel, rows, part, part.relevant(channel), of))

    def evaluate(self, name: str, method: Ranker | Baseline | SingleModel) -> CustomerMetrics:
        """Evaluate one method.

        Parameters
        ----------
        name : str
            Name of the method in tables.
        method : Ranker, Baseline or SingleModel
            Fitted on what happened before the window.

        Returns
        -------
        CustomerMetrics
        """
        values: dict[Key, Floats] = {}
        shares: dict[Key, float] = {}
        predicted: PredictedChances | None = None
        everywhere: TopLists | None = None
        for segment in self._segments:
            part, context = segment.evaluation_set, segment.evaluation_set.context(segment.channel)
            more = 1 if self._choices is None else choice_metrics.TIMES
            if isinstance(method, Ranker):
                parts = rank_in_batches(method, part.histories, context, threads=self._threads)
                shown = cut_to_top(items_of(parts), part.histories, more * self._k)
                predicted = predicted or PredictedChances.of(
                    parts, segment.relevant, part.sample_weight, self._k
                )  # the value for all customers
            elif everywhere is None or method.by_channel:
                shown = method.show(part.histories, context, more * self._k)
            else:
                shown = everywhere.only(np.searchsorted(self._segments[0].rows, segment.rows))
            everywhere = everywhere or shown
            figures = _values(shown, part, segment.relevant, self._known, self._k)
            if self._choices is not None:
                figures |= choice_metrics.choice_figures(
                    shown.mixed, segment.relevant, self._choices, self._k
                )
            for metric, each in figures.items():
                whole = np.full(len(self._evaluation_set), np.nan)
                whole[segment.rows] = each
                values[segment.name, name, f"{metric}@{self._k}"] = whole
            share = metrics.coverage(shown.mixed, self._k, len(self._evaluation_set.index))
            shares[segment.name, name, f"coverage@{self._k}"] = share
        drawn = {one.name: (len(one.rows), one.of) for one in self._segments}
        evaluation_set = self._evaluation_set
        return CustomerMetrics(
            evaluation_set.window, evaluation_set.customer_ids, values, shares, predicted, drawn
        )


@dataclass(frozen=True, eq=False)
class _Segment:
    """Customers of the evaluation set, and their purchases on one channel or on any."""

    name: str
    rows: NDArray[np.int64]
    evaluation_set: EvaluationSet
    relevant: Lists
    of: float

    @property
    def channel(self) -> str | None:
        return None if self.name == ALL_CUSTOMERS else self.name


def _values(
    shown: TopLists, evaluation_set: EvaluationSet, relevant: Lists, known: ItemPopularity, k: int
) -> dict[str, Floats]:
    """Compute the value of each metric for each customer."""
    histories = evaluation_set.histories
    new, again = without_items(relevant, histories), _bought_again(relevant, histories)
    return {
        "ndcg": metrics.ndcg_at(shown.mixed, relevant, k),
        "recall": metrics.recall_at(shown.mixed, relevant, k),
        "hr": metrics.hit_rate_at(shown.mixed, relevant, k),
        "precision": metrics.precision_at(shown.mixed, relevant, k),
        "new_ndcg": metrics.ndcg_at(shown.new, new, k),
        "new_recall": metrics.recall_at(shown.new, new, k),
        "new_hr": metrics.hit_rate_at(shown.new, new, k),
        "repeat_ndcg": metrics.ndcg_at(shown.own, again, k),
        "repeat_recall": metrics.recall_at(shown.own, again, k),
        "repeat_share": metrics.share_of(shown.mixed, histories, k),
        "popularity": metrics.popularity_at(shown.mixed, known.buyers, k),
        "novelty": metrics.novelty_at(shown.mixed, known.buyers, known.n_customers, k),
    }


def _bought_again(relevant: Lists, histories: Histories) -> Lists:
    """Return the relevant items that the customer had bought before."""
    rows = rows_of(relevant)
    held = rows_contain(histories, rows, relevant.item_ix)
    return Lists(pointers(rows[held], len(relevant.indptr) - 1), relevant.item_ix[held])


def summarise(windows: Sequence[CustomerMetrics], seed: int) -> Evaluation:
    """Average over customers, and compare Omnibasket with the best other method.

    Parameters
    ----------
    windows : sequence of CustomerMetrics
        One per window, all with the same methods; Omnibasket is ``OURS``.
    seed : int
        Seed of the bootstrap, which resamples customers. A customer who occurs in several
        windows counts once, with the mean over these windows.

    Returns
    -------
    Evaluation
        Its segments are ``all``, the channels, and, if there are several, the windows.
    """
    names = dict.fromkeys(name for one in windows for name in one.customer_ids)
    customers = {name: ix for ix, name in enumerate(names)}
    at = [np.array([customers[name] for name in one.customer_ids], int) for one in windows]
    figures: list[Figure] = []
    differences: list[Difference] = []
    over_single: list[Difference] = []
    for segment, keys in _segments(windows).items():
        columns = {
            key[1:]: _over_windows(
                [
                    (ix, one.values[key])
                    for ix, one in zip(at, windows, strict=True)
                    if key in one.values
                ],
                len(customers),
            )
            for key in keys
        }
        figures += _figures(segment, columns, seed)
        differences += _differences(segment, columns, seed)
        over_single += _differences(segment, columns, seed, single=True)
        for key in dict.fromkeys(key for one in windows for key in one.shares if key[0] == segment):
            share = float(np.mean([one.shares[key] for one in windows if key in one.shares]))
            n = next(figure.n for figure in figures if figure.segment == segment)
            figures.append(Figure(*key, share, None, None, n))
    if len(windows) > 1:
        for one in windows:
            columns = {key[1:]: each for key, each in one.values.items() if key[0] == ALL_CUSTOMERS}
            figures += _figures(str(one.window), columns, seed)
            differences += _differences(str(one.window), columns, seed)
            over_single += _differences(str(one.window), columns, seed, single=True)
    return Evaluation(figures, differences, over_single, _samples(windows))


def _samples(windows: Sequence[CustomerMetrics]) -> list[Sample]:
    """List the segments of which only a sample was evaluated."""
    samples = []
    for segment in dict.fromkeys(name for one in windows for name in one.drawn):
        counts = [one.drawn[segment] for one in windows if segment in one.drawn]
        drawn, of = sum(n for n, _ in counts), round(sum(of for _, of in counts))
        if of > drawn:
            samples.append(Sample(segment, drawn, of))
    return samples


def _segments(windows: Sequence[CustomerMetrics]) -> dict[str, list[Key]]:
    keys = dict.fromkeys(key for one in windows for key in one.values)
    by_segment: dict[str, list[Key]] = {}
    for key in keys:
        by_segment.setdefault(key[0], []).append(key)
    return by_segment


def _over_windows(parts: list[tuple[NDArray[np.int64], Floats]], n: int) -> Floats:
    """Average over each customer's windows; NaN if they count in none."""
    total, times = np.zeros(n), np.zeros(n)
    for ix, values in parts:
        counts = ~np.isnan(values)
        total[ix[counts]] += values[counts]
        times[ix[counts]] += 1
    out = np.full(n, np.nan)
    np.divide(total, times, out=out, where=times > 0)
    return out


def _figures(segment: str, columns: Mapping[tuple[str, str], Floats], seed: int) -> list[Figure]:
    intervals = bootstrap_all(np.stack(list(columns.values()), axis=1), seed)
    return [
        Figure(segment, method, metric, *interval)
        for (method, metric), interval in zip(columns, intervals, strict=True)
        if interval.n
    ]


def _differences(
    segment: str, columns: Mapping[tuple[str, str], Floats], seed: int, *, single: bool = False
) -> list[Difference]:
    """Compare Omnibasket with the best other method, or with the best single model.

    Metrics where a higher value is not better are left out.
    """
    pairs: dict[str, tuple[str, Floats]] = {}
    for (method, metric), each in columns.items():
        ours = columns.get((OURS, metric))
        if method == OURS or single != (method == BEST_SINGLE) or ours is None:
            continue
        if not metric.split("@")[0].endswith(_MORE_IS_BETTER):
            continue
        if np.isnan(each).all() or np.isnan(ours).all():
            continue
        if metric not in pairs or np.nanmean(each) > np.nanmean(columns[pairs[metric][0], metric]):
            pairs[metric] = (method, ours - each)
    if not pairs:
        return []
    stacked = np.stack([each for _, each in pairs.values()], axis=1)
    return [
        Difference(segment, metric, other, interval.mean, interval.low, interval.high)
        for (metric, (other, _)), interval in zip(
            pairs.items(), bootstrap_all(stacked, seed), strict=True
        )
    ]
