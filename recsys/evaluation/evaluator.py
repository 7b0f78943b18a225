"""How good answers would have been, beside what one would otherwise use.

Methods that know nothing of a test window and a panel of it come in; out come figures of every
customer, and, once all windows are judged, their means with intervals for all customers, for each
channel and for each window. Called by training, which prints them and puts them into the
artefact's manifest.
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

#: Endings of metrics of which more is better.
_MORE_IS_BETTER: Final = ("ndcg", "recall", "hr", "precision")

#: Customers of each channel, at most.
IN_CHANNEL: Final = 1_000

#: Segment, method, metric.
Key = tuple[str, str, str]


@dataclass(frozen=True)
class ItemPopularity:
    """What is known of the catalogue before a window, to say how popular something is.

    Attributes
    ----------
    buyers : ndarray of shape (n_items,), float64
        Share of customers who had bought each product.
    n_customers : int
    """

    buyers: Floats
    n_customers: int

    @classmethod
    def of(cls, training: TrainingSet) -> "ItemPopularity":
        """Count the customers of a training."""
        baskets = training.baskets
        n = max(1, len(baskets.customer_ids))
        bought = baskets.by_customer(np.ones(len(baskets.ts)))
        return cls(np.bincount(bought.indices, minlength=training.n_items) / n, n)


@dataclass(frozen=True, eq=False)
class CustomerMetrics:
    """Figures of every customer of one window.

    Attributes
    ----------
    window : Window
    customer_ids : list of str, length n
    values : dict of (segment, method, metric) to ndarray of shape (n,)
        NaN for customers who do not count.
    shares : dict of (segment, method, metric) to float
        What is one figure for all, as coverage is.
    told : PredictedChances or None
        Chances that were told, where the method tells them.
    drawn : dict of segment to (int, float)
        How many customers were judged, and how many they were drawn from.
    """

    window: Window
    customer_ids: list[str]
    values: dict[Key, Floats]
    shares: dict[Key, float]
    told: PredictedChances | None = None
    drawn: dict[str, tuple[int, float]] = field(default_factory=dict)

    def __or__(self, other: "CustomerMetrics") -> "CustomerMetrics":
        """Put what other methods reached on the same customers beside."""
        return CustomerMetrics(
            self.window,
            self.customer_ids,
            self.values | other.values,
            self.shares | other.shares,
            self.told or other.told,
            self.drawn | other.drawn,
        )


class Evaluator:
    """Looks at what methods show to the same customers, for all and by channel.

    By channel where there are several: what was bought there, asked for there. Channels on which
    fewer than ``MIN_CUSTOMERS`` bought are left out; of those with many, some are drawn.

    Parameters
    ----------
    panel : EvaluationSet
        Customers who bought in the window; others are left out.
    known : ItemPopularity
        Of the time when the window begins.
    k : int
        Places that count.
    seed : int
        Of the draw.
    in_channel : int
        Customers of each channel, at most.
    choices : Choices, optional
        What a shopper cannot tell apart; by default nothing is measured by choice.
    """

    def __init__(
        self,
        panel: EvaluationSet,
        known: ItemPopularity,
        k: int,
        seed: int = 0,
        in_channel: int = IN_CHANNEL,
        choices: Choices | None = None,
    ) -> None:
        self._panel, self._known, self._k = panel, known, k
        self._choices = choices
        came = np.flatnonzero(np.diff(panel.wanted().indptr))
        whole = panel.only(came)
        of = float(whole.mass.sum())
        self._segments = [_Segment(ALL_CUSTOMERS, came, whole, whole.wanted(), of)]
        channels = [CHANNELS[number] for number in np.unique(panel.channel)]
        rng = np.random.default_rng(seed)
        for channel in channels if len(channels) > 1 else ():
            rows = np.flatnonzero(np.diff(panel.wanted(channel).indptr))
            if len(rows) >= MIN_CUSTOMERS:
                of = float(panel.mass[rows].sum())
                rows = np.sort(rng.permutation(rows)[:in_channel])
                part = panel.only(rows)
                self._segments.append(_Segment(channel, rows, part, part.wanted(channel), of))

    def judge(self, method: str, by: Ranker | Baseline | SingleModel) -> CustomerMetrics:
        """Look at one method.

        Parameters
        ----------
        method : str
            Its name in tables.
        by : Ranker, Peer or Alone
            Learned on what was before the panel's window.
        """
        values: dict[Key, Floats] = {}
        shares: dict[Key, float] = {}
        told: PredictedChances | None = None
        everywhere: TopLists | None = None
        for segment in self._segments:
            part, context = segment.panel, segment.panel.context(segment.channel)
            more = 1 if self._choices is None else choice_metrics.TIMES
            if isinstance(by, Ranker):
                parts = rank_in_batches(by, part.histories, context)
                shown = cut_to_top(items_of(parts), part.histories, more * self._k)
                told = told or PredictedChances.of(
                    parts, segment.wanted, part.mass, self._k
                )  # that of all
            elif everywhere is None or by.by_channel:
                shown = by.show(part.histories, context, more * self._k)
            else:
                shown = everywhere.only(np.searchsorted(self._segments[0].rows, segment.rows))
            everywhere = everywhere or shown
            found = _values(shown, part, segment.wanted, self._known, self._k)
            if self._choices is not None:
                found |= choice_metrics.choice_figures(
                    shown.mixed, segment.wanted, self._choices, self._k
                )
            for metric, each in found.items():
                whole = np.full(len(self._panel), np.nan)
                whole[segment.rows] = each
                values[segment.name, method, f"{metric}@{self._k}"] = whole
            share = metrics.coverage(shown.mixed, self._k, len(self._panel.index))
            shares[segment.name, method, f"coverage@{self._k}"] = share
        drawn = {one.name: (len(one.rows), one.of) for one in self._segments}
        panel = self._panel
        return CustomerMetrics(panel.window, panel.customer_ids, values, shares, told, drawn)


@dataclass(frozen=True, eq=False)
class _Segment:
    """Customers of a panel, and what they bought on one channel or on any."""

    name: str
    rows: NDArray[np.int64]
    panel: EvaluationSet
    wanted: Lists
    of: float

    @property
    def channel(self) -> str | None:
        return None if self.name == ALL_CUSTOMERS else self.name


def _values(
    shown: TopLists, panel: EvaluationSet, wanted: Lists, known: ItemPopularity, k: int
) -> dict[str, Floats]:
    """Figures by metric, one a customer."""
    histories = panel.histories
    new, again = without_items(wanted, histories), _again(wanted, histories)
    return {
        "ndcg": metrics.ndcg_at(shown.mixed, wanted, k),
        "recall": metrics.recall_at(shown.mixed, wanted, k),
        "hr": metrics.hit_rate_at(shown.mixed, wanted, k),
        "precision": metrics.precision_at(shown.mixed, wanted, k),
        "new_ndcg": metrics.ndcg_at(shown.new, new, k),
        "new_recall": metrics.recall_at(shown.new, new, k),
        "new_hr": metrics.hit_rate_at(shown.new, new, k),
        "repeat_ndcg": metrics.ndcg_at(shown.own, again, k),
        "repeat_recall": metrics.recall_at(shown.own, again, k),
        "repeat_share": metrics.share_of(shown.mixed, histories, k),
        "popularity": metrics.popularity_at(shown.mixed, known.buyers, k),
        "novelty": metrics.novelty_at(shown.mixed, known.buyers, known.n_customers, k),
    }


def _again(wanted: Lists, histories: Histories) -> Lists:
    """What of the wanted had been bought before."""
    rows = rows_of(wanted)
    held = rows_contain(histories, rows, wanted.item_ix)
    return Lists(pointers(rows[held], len(wanted.indptr) - 1), wanted.item_ix[held])


def summarise(judged: Sequence[CustomerMetrics], seed: int) -> Evaluation:
    """Average over customers, and compare with the best other method.

    Parameters
    ----------
    judged : sequence of CustomerMetrics
        One a window, with the same methods; ours is ``OURS``.
    seed : int
        Of the bootstrap, which draws customers: one who counts in several windows counts with
        the mean of them.

    Returns
    -------
    Evaluation
        Segments are ``all``, the channels, and, where there are several, the windows.
    """
    names = dict.fromkeys(name for one in judged for name in one.customer_ids)
    customers = {name: ix for ix, name in enumerate(names)}
    at = [np.array([customers[name] for name in one.customer_ids], int) for one in judged]
    figures: list[Figure] = []
    differences: list[Difference] = []
    over_single: list[Difference] = []
    for segment, keys in _segments(judged).items():
        columns = {
            key[1:]: _over_windows(
                [
                    (ix, one.values[key])
                    for ix, one in zip(at, judged, strict=True)
                    if key in one.values
                ],
                len(customers),
            )
            for key in keys
        }
        figures += _figures(segment, columns, seed)
        differences += _differences(segment, columns, seed)
        over_single += _differences(segment, columns, seed, single=True)
        for key in dict.fromkeys(key for one in judged for key in one.shares if key[0] == segment):
            share = float(np.mean([one.shares[key] for one in judged if key in one.shares]))
            n = next(figure.n for figure in figures if figure.segment == segment)
            figures.append(Figure(*key, share, None, None, n))
    if len(judged) > 1:
        for one in judged:
            columns = {key[1:]: each for key, each in one.values.items() if key[0] == ALL_CUSTOMERS}
            figures += _figures(str(one.window), columns, seed)
            differences += _differences(str(one.window), columns, seed)
            over_single += _differences(str(one.window), columns, seed, single=True)
    return Evaluation(figures, differences, over_single, _samples(judged))


def _samples(judged: Sequence[CustomerMetrics]) -> list[Sample]:
    """Segments of which not everybody was judged."""
    found = []
    for segment in dict.fromkeys(name for one in judged for name in one.drawn):
        counts = [one.drawn[segment] for one in judged if segment in one.drawn]
        drawn, of = sum(n for n, _ in counts), round(sum(of for _, of in counts))
        if of > drawn:
            found.append(Sample(segment, drawn, of))
    return found


def _segments(judged: Sequence[CustomerMetrics]) -> dict[str, list[Key]]:
    keys = dict.fromkeys(key for one in judged for key in one.values)
    found: dict[str, list[Key]] = {}
    for key in keys:
        found.setdefault(key[0], []).append(key)
    return found


def _over_windows(parts: list[tuple[NDArray[np.int64], Floats]], n: int) -> Floats:
    """Mean of each customer's windows; NaN where they count in none."""
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
    """Ours beside the best other method, or our best model alone, where more is better."""
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
