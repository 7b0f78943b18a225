"""How good answers would have been, beside what one would otherwise use.

Methods that know nothing of a test window and a panel of it come in; out come figures of every
customer, and, once all windows are judged, their means with intervals for all customers, for each
channel and for each window. Called by training, which prints them and puts them into the
artefact's manifest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recsys.matrices.baskets import Training
from recsys.matrices.histories import Histories
from recsys.matrices.lists import Lists, contains, pointers, rows_of, without
from recsys.ranking.rank import Ranker
from recsys.schema import CHANNELS
from recsys.validation import metrics
from recsys.validation.metrics import Floats, bootstrap_all
from recsys.validation.panel import MIN_CUSTOMERS, Panel
from recsys.validation.peers import Peer
from recsys.validation.reliability import Told
from recsys.validation.showing import Shown, cut, items_of, ranked
from recsys.validation.splits import Window

OURS: Final = "omnibasket"
ALL: Final = "all"

#: Endings of metrics of which more is better.
_MORE_IS_BETTER: Final = ("ndcg", "recall", "hr", "precision")

#: Customers of each channel, at most.
IN_CHANNEL: Final = 1_000

#: Segment, method, metric.
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Figure:
    """One figure of one method.

    Attributes
    ----------
    segment : str
        ``all``, the channel that was bought on, or the window.
    method, metric : str
        For example ``omnibasket``, ``ndcg@10``.
    value, low, high : float
        Mean and its 95% bootstrap interval; of ``coverage`` only the value.
    n : int
        Customers.
    """

    segment: str
    method: str
    metric: str
    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Difference:
    """How far we are ahead of another method, customer by customer.

    Attributes
    ----------
    segment, metric : str
    other : str
        The best other method.
    value, low, high : float
        Mean difference and its 95% bootstrap interval.
    """

    segment: str
    metric: str
    other: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Evaluation:
    """Everything that was measured."""

    figures: list[Figure]
    differences: list[Difference]

    def value(self, method: str, metric: str, segment: str = ALL) -> float:
        """One figure's value."""
        return next(
            figure.value
            for figure in self.figures
            if (figure.segment, figure.method, figure.metric) == (segment, method, metric)
        )


@dataclass(frozen=True)
class Known:
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
    def of(cls, training: Training) -> "Known":
        """Count the customers of a training."""
        baskets = training.baskets
        n = max(1, len(baskets.customer_ids))
        bought = baskets.by_customer(np.ones(len(baskets.ts)))
        return cls(np.bincount(bought.indices, minlength=training.n_items) / n, n)


@dataclass(frozen=True, eq=False)
class Judged:
    """Figures of every customer of one window.

    Attributes
    ----------
    window : Window
    customer_ids : list of str, length n
    values : dict of (segment, method, metric) to ndarray of shape (n,)
        NaN for customers who do not count.
    shares : dict of (segment, method, metric) to float
        What is one figure for all, as coverage is.
    told : Told or None
        Chances that were told, where the method tells them.
    """

    window: Window
    customer_ids: list[str]
    values: dict[Key, Floats]
    shares: dict[Key, float]
    told: Told | None = None

    def __or__(self, other: "Judged") -> "Judged":
        """Put what other methods reached on the same customers beside."""
        return Judged(
            self.window,
            self.customer_ids,
            self.values | other.values,
            self.shares | other.shares,
            self.told or other.told,
        )


class Jury:
    """Looks at what methods show to the same customers, for all and by channel.

    By channel where there are several: what was bought there, asked for there. Channels on which
    fewer than ``MIN_CUSTOMERS`` bought are left out; of those with many, some are drawn.

    Parameters
    ----------
    panel : Panel
        Customers who bought in the window; others are left out.
    known : Known
        Of the time when the window begins.
    k : int
        Places that count.
    seed : int
        Of the draw.
    in_channel : int
        Customers of each channel, at most.
    """

    def __init__(
        self, panel: Panel, known: Known, k: int, seed: int = 0, in_channel: int = IN_CHANNEL
    ) -> None:
        self._panel, self._known, self._k = panel, known, k
        came = np.flatnonzero(np.diff(panel.wanted().indptr))
        self._segments = [_Segment(ALL, came, panel.only(came), panel.only(came).wanted())]
        channels = [CHANNELS[number] for number in np.unique(panel.channel)]
        rng = np.random.default_rng(seed)
        for channel in channels if len(channels) > 1 else ():
            rows = np.flatnonzero(np.diff(panel.wanted(channel).indptr))
            if len(rows) >= MIN_CUSTOMERS:
                rows = np.sort(rng.permutation(rows)[:in_channel])
                part = panel.only(rows)
                self._segments.append(_Segment(channel, rows, part, part.wanted(channel)))

    def judge(self, method: str, by: Ranker | Peer) -> Judged:
        """Look at one method.

        Parameters
        ----------
        method : str
            Its name in tables.
        by : Ranker or Peer
            Learned on what was before the panel's window.
        """
        values: dict[Key, Floats] = {}
        shares: dict[Key, float] = {}
        told: Told | None = None
        everywhere: Shown | None = None
        for segment in self._segments:
            part, context = segment.panel, segment.panel.context(segment.channel)
            if isinstance(by, Ranker):
                parts = ranked(by, part.histories, context)
                shown = cut(items_of(parts), part.histories, self._k)
                told = told or Told.of(parts, segment.wanted, part.mass, self._k)  # that of all
            elif everywhere is None or by.by_channel:
                shown = by.show(part.histories, context, self._k)
            else:
                shown = everywhere.only(np.searchsorted(self._segments[0].rows, segment.rows))
            everywhere = everywhere or shown
            found = _values(shown, part, segment.wanted, self._known, self._k)
            for metric, each in found.items():
                whole = np.full(len(self._panel), np.nan)
                whole[segment.rows] = each
                values[segment.name, method, f"{metric}@{self._k}"] = whole
            share = metrics.coverage(shown.mixed, self._k, len(self._panel.index))
            shares[segment.name, method, f"coverage@{self._k}"] = share
        return Judged(self._panel.window, self._panel.customer_ids, values, shares, told)


@dataclass(frozen=True, eq=False)
class _Segment:
    """Customers of a panel, and what they bought on one channel or on any."""

    name: str
    rows: NDArray[np.int64]
    panel: Panel
    wanted: Lists

    @property
    def channel(self) -> str | None:
        return None if self.name == ALL else self.name


def _values(shown: Shown, panel: Panel, wanted: Lists, known: Known, k: int) -> dict[str, Floats]:
    """Figures by metric, one a customer."""
    histories = panel.histories
    new, again = without(wanted, histories), _again(wanted, histories)
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
    held = contains(histories, rows, wanted.item_ix)
    return Lists(pointers(rows[held], len(wanted.indptr) - 1), wanted.item_ix[held])


def summarise(judged: Sequence[Judged], seed: int) -> Evaluation:
    """Average over customers, and compare with the best other method.

    Parameters
    ----------
    judged : sequence of Judged
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
    for segment, keys in _segments(judged).items():
        columns = {
            key[1:]: _over_windows(
                [(ix, one.values[key]) for ix, one in zip(at, judged, strict=True)
                 if key in one.values], len(customers)
            )
            for key in keys
        }  # fmt: skip
        figures += _figures(segment, columns, seed)
        differences += _differences(segment, columns, seed)
        for key in dict.fromkeys(key for one in judged for key in one.shares if key[0] == segment):
            share = float(np.mean([one.shares[key] for one in judged if key in one.shares]))
            n = next(figure.n for figure in figures if figure.segment == segment)
            figures.append(Figure(*key, share, None, None, n))
    if len(judged) > 1:
        for one in judged:
            columns = {key[1:]: each for key, each in one.values.items() if key[0] == ALL}
            figures += _figures(str(one.window), columns, seed)
            differences += _differences(str(one.window), columns, seed)
    return Evaluation(figures, differences)


def _segments(judged: Sequence[Judged]) -> dict[str, list[Key]]:
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
    segment: str, columns: Mapping[tuple[str, str], Floats], seed: int
) -> list[Difference]:
    """Ours beside the best other method, where more is better."""
    pairs: dict[str, tuple[str, Floats]] = {}
    for (method, metric), each in columns.items():
        ours = columns.get((OURS, metric))
        if method == OURS or ours is None or not metric.split("@")[0].endswith(_MORE_IS_BETTER):
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
