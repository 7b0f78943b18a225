"""Says how good lists of items were, one figure a customer.

Ragged lists of shown and of relevant items come in; out comes one value a row, so that means,
differences and bootstrap intervals can all be taken from the same figures. Called by ``evaluate``
and by the benchmarks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.integer]

_DRAWS_AT_ONCE: Final = 4_000_000


class Ragged(Protocol):
    """Anything that holds one list of items a row: recommendations, histories, ``Lists``."""

    @property
    def indptr(self) -> Integers:
        """Row ``i`` lies in ``item_ix[indptr[i]:indptr[i + 1]]``; shape (n + 1,)."""

    @property
    def item_ix(self) -> Integers:
        """Item indices of all rows, one after the other."""


@dataclass(frozen=True)
class Lists:
    """One list of items a row.

    Parameters
    ----------
    indptr : ndarray of shape (n + 1,), int64
        Row ``i`` lies in ``item_ix[indptr[i]:indptr[i + 1]]``.
    item_ix : ndarray, int32
        Item indices.
    """

    indptr: NDArray[np.int64]
    item_ix: NDArray[np.int32]

    @classmethod
    def of(cls, rows: Integers, item_ix: Integers, n: int) -> "Lists":
        """Gather pairs of row and item, in any order, each pair once, sorted by item.

        Parameters
        ----------
        rows, item_ix : ndarray of the same length
            Row numbers in ``[0, n)`` and item indices.
        n : int
            Number of rows, those without items included.
        """
        order = np.lexsort((item_ix, rows))
        rows, items = rows[order], item_ix[order].astype(np.int32)
        first = np.ones(len(rows), dtype=bool)
        first[1:] = (rows[1:] != rows[:-1]) | (items[1:] != items[:-1])
        indptr = np.zeros(n + 1, dtype=np.int64)
        np.cumsum(np.bincount(rows[first], minlength=n), out=indptr[1:])
        return cls(indptr, items[first])


class Interval(NamedTuple):
    """A mean with its 95% bootstrap interval."""

    mean: float
    low: float
    high: float
    n: int


def hits(shown: Ragged, relevant: Ragged, k: int) -> Bools:
    """Mark which of the first ``k`` shown items were relevant.

    Parameters
    ----------
    shown : Ragged
        Items in order, best first; lists may be short.
    relevant : Ragged
        Items that were wanted, each once a row.
    k : int
        Places that count.

    Returns
    -------
    ndarray of shape (n, k), bool
        False where a list is shorter than ``k``.
    """
    sizes = np.diff(shown.indptr)
    out = np.zeros((len(sizes), k), dtype=bool)
    place = _places(shown)
    taken = place < k
    rows = np.repeat(np.arange(len(sizes)), sizes)[taken]
    out[rows, place[taken]] = _contains(relevant, rows, shown.item_ix[taken])
    return out


def recall_at(shown: Ragged, relevant: Ragged, k: int) -> Floats:
    """Share of each row's relevant items among the first ``k``; NaN where nothing is relevant."""
    return _share(hits(shown, relevant, k).sum(axis=1), np.diff(relevant.indptr))


def hit_rate_at(shown: Ragged, relevant: Ragged, k: int) -> Floats:
    """1 where any of the first ``k`` is relevant, else 0; NaN where nothing is relevant."""
    hit = hits(shown, relevant, k).max(axis=1, initial=False)
    return _share(hit, np.minimum(np.diff(relevant.indptr), 1))


def ndcg_at(shown: Ragged, relevant: Ragged, k: int) -> Floats:
    """Discounted gain of the first ``k`` places over the best that was possible in ``k``.

    Returns
    -------
    ndarray of shape (n,), float64
        In [0, 1]; NaN where nothing is relevant.

    Notes
    -----
    Binary relevance, discount ``1 / log2(place + 1)``, ideal cut at ``k``.
    """
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate([[0.0], np.cumsum(discount)])
    best = ideal[np.minimum(np.diff(relevant.indptr), k)]
    gain = np.where(hits(shown, relevant, k), discount, 0.0).sum(axis=1)
    return _share(gain, best)


def coverage(shown: Ragged, k: int, n_items: int) -> float:
    """Share of the catalogue that stands in somebody's first ``k``."""
    seen = shown.item_ix[_places(shown) < k]
    return len(np.unique(seen)) / n_items if n_items else 0.0


def without(lists: Ragged, taken: Ragged) -> Lists:
    """Drop from each row what the same row of ``taken`` holds; the order of the rest stays.

    With a history as ``taken`` this leaves what is new to the customer.
    """
    n = len(lists.indptr) - 1
    rows = np.repeat(np.arange(n), np.diff(lists.indptr))
    keep = ~_contains(taken, rows, lists.item_ix)
    indptr = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows[keep], minlength=n), out=indptr[1:])
    return Lists(indptr, lists.item_ix[keep].astype(np.int32))


def bootstrap(
    values: Floats,
    seed: int,
    draws: int = 1000,
    statistic: Callable[[Floats], Floats] | None = None,
) -> Interval:
    """Estimate a mean and how far it may be off.

    Parameters
    ----------
    values : ndarray of shape (n,), float64
        One figure a customer, or one difference of two; NaN are customers who do not count.
    seed : int
        Same seed, same interval.
    draws : int
        Resamples.
    statistic : callable, optional
        From resamples of shape (m, n) to figures of shape (m,); the mean by default.

    Returns
    -------
    Interval
        The figure of ``values`` itself with the 2.5% and 97.5% points of the resamples; all NaN
        when no customer counts.
    """
    values = values[~np.isnan(values)]
    n = len(values)
    if n == 0:
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    statistic = statistic or _row_means
    rng = np.random.default_rng(seed)
    step = max(1, _DRAWS_AT_ONCE // n)
    figures = np.concatenate(
        [
            statistic(values[rng.integers(0, n, size=(min(step, draws - start), n))])
            for start in range(0, draws, step)
        ]
    )
    low, high = np.quantile(figures, (0.025, 0.975))
    return Interval(float(statistic(values[None])[0]), float(low), float(high), n)


def _row_means(samples: Floats) -> Floats:
    means: Floats = samples.mean(axis=1)
    return means


def _places(lists: Ragged) -> NDArray[np.int64]:
    """Position of every entry in its own list, from 0."""
    starts = np.repeat(lists.indptr[:-1], np.diff(lists.indptr))
    return np.arange(len(lists.item_ix), dtype=np.int64) - starts


def _contains(lists: Ragged, rows: Integers, item_ix: Integers) -> Bools:
    """Whether row ``rows[j]`` of ``lists`` holds ``item_ix[j]``."""
    held_rows = np.repeat(np.arange(len(lists.indptr) - 1), np.diff(lists.indptr))
    span = int(max(item_ix.max(initial=0), lists.item_ix.max(initial=0))) + 1
    held = held_rows.astype(np.int64) * span + lists.item_ix
    return np.isin(rows.astype(np.int64) * span + item_ix, held)


def _share(part: NDArray[np.generic], whole: NDArray[np.generic]) -> Floats:
    out = np.full(len(whole), np.nan)
    np.divide(part, whole, out=out, where=np.asarray(whole) > 0)
    return out
