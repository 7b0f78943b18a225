"""Says how good lists of items were, one figure a customer.

Lists of shown and of relevant items come in; out comes one value a row, so that means,
differences and bootstrap intervals can all be taken from the same figures. Called by ``evaluate``
and by the benchmarks.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.matrices.lists import Ragged, contains, places_of, rows_of

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_DRAWS_AT_ONCE: Final = 4_000_000


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
    out = np.zeros((len(shown.indptr) - 1, k), dtype=bool)
    place = places_of(shown)
    taken = place < k
    rows = rows_of(shown)[taken]
    out[rows, place[taken]] = contains(relevant, rows, shown.item_ix[taken])
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
    seen = shown.item_ix[places_of(shown) < k]
    return len(np.unique(seen)) / n_items if n_items else 0.0


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


def _share(part: NDArray[np.generic], whole: NDArray[np.generic]) -> Floats:
    out = np.full(len(whole), np.nan)
    np.divide(part, whole, out=out, where=np.asarray(whole) > 0)
    return out
