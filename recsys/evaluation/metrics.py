"""Says how good lists of items were, one figure a customer.

Lists of shown and of relevant items come in; out comes one value a row, so that means,
differences and bootstrap intervals can all be taken from the same figures. Called by ``evaluator``
and by the benchmarks. docs/evaluation.md has the formulas.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.datasets import Ragged, positions_of, rows_contain, rows_of

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
    place = positions_of(shown)
    taken = place < k
    rows = rows_of(shown)[taken]
    out[rows, place[taken]] = rows_contain(relevant, rows, shown.item_ix[taken])
    return out


def recall_at(shown: Ragged, relevant: Ragged, k: int) -> Floats:
    """Share of each row's relevant items among the first ``k``; NaN where nothing is relevant.

    Parameters
    ----------
    shown : Ragged
        n rows of items, best first; lists may be short.
    relevant : Ragged
        n rows of items that were wanted, each once a row.
    k : int
        Places that count.

    Returns
    -------
    ndarray of shape (n,), float64
        In [0, 1], or NaN.
    """
    return _share(hits(shown, relevant, k).sum(axis=1), np.diff(relevant.indptr))


def hit_rate_at(shown: Ragged, relevant: Ragged, k: int) -> Floats:
    """1 where any of the first ``k`` is relevant, else 0; NaN where nothing is relevant.

    Parameters
    ----------
    shown : Ragged
        n rows of items, best first; lists may be short.
    relevant : Ragged
        n rows of items that were wanted, each once a row.
    k : int
        Places that count.

    Returns
    -------
    ndarray of shape (n,), float64
        0, 1 or NaN.
    """
    hit = hits(shown, relevant, k).max(axis=1, initial=False)
    return _share(hit, np.minimum(np.diff(relevant.indptr), 1))


def precision_at(shown: Ragged, relevant: Ragged, k: int) -> Floats:
    """Share of ``k`` places with a relevant item; NaN where nothing is relevant.

    An empty place of a short list is a place without a hit.
    """
    each = hits(shown, relevant, k).sum(axis=1) / k
    return np.where(np.diff(relevant.indptr) > 0, each, np.nan)


def ndcg_at(shown: Ragged, relevant: Ragged, k: int) -> Floats:
    """Discounted gain of the first ``k`` places over the best that was possible in ``k``.

    Parameters
    ----------
    shown : Ragged
        n rows of items, best first; lists may be short.
    relevant : Ragged
        n rows of items that were wanted, each once a row.
    k : int
        Places that count.

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
    """Share of the catalogue that stands in somebody's first ``k``.

    Parameters
    ----------
    shown : Ragged
        One list of items a customer, best first.
    k : int
        Places that count.
    n_items : int
        Size of the catalogue.

    Returns
    -------
    float
        In [0, 1]; 0 where the catalogue is empty.
    """
    seen = shown.item_ix[positions_of(shown) < k]
    return len(np.unique(seen)) / n_items if n_items else 0.0


def share_of(shown: Ragged, owned: Ragged, k: int) -> Floats:
    """Share of the first ``k`` shown items that ``owned`` holds; NaN where nothing is shown.

    With histories as ``owned``: how much of what is shown was bought before.
    """
    filled = np.minimum(np.diff(shown.indptr), k)
    return _share(hits(shown, owned, k).sum(axis=1), filled)


def popularity_at(shown: Ragged, buyers: Floats, k: int) -> Floats:
    """Mean share of customers who bought what stands in the first ``k`` places.

    Parameters
    ----------
    shown : Ragged
    buyers : ndarray of shape (n_items,), float64
        Share of customers who had bought each item before it is shown.
    k : int

    Returns
    -------
    ndarray of shape (n,), float64
        NaN where nothing is shown.
    """
    return _mean_of(shown, buyers, k)


def novelty_at(shown: Ragged, buyers: Floats, n_customers: int, k: int) -> Floats:
    """Mean ``-log2`` of the share of customers who bought what stands in the first ``k``.

    Parameters
    ----------
    shown, buyers, k
        As in ``popularity_at``.
    n_customers : int
        Who was counted; what nobody bought counts as bought by one of them.

    Returns
    -------
    ndarray of shape (n,), float64
        Bits: 0 where everybody bought everything that is shown, 1 more whenever half as many
        did. NaN where nothing is shown.

    References
    ----------
    .. [1] Zhou et al. (2010), Solving the apparent diversity-accuracy dilemma of recommender
       systems, PNAS.
    """
    return _mean_of(shown, -np.log2(np.maximum(buyers, 1.0 / max(1, n_customers))), k)


def bootstrap_all(values: Floats, seed: int, draws: int = 1000) -> list[Interval]:
    """Estimate the means of many figures of the same customers.

    Parameters
    ----------
    values : ndarray of shape (n, m), float64
        ``m`` figures, or differences of two, of ``n`` customers; NaN where one does not count.
    seed : int
        Same seed, same intervals.
    draws : int
        Resamples; every figure sees the same ones.

    Returns
    -------
    list of Interval, length m
        As of ``bootstrap``; the mean is that of the customers who count.
    """
    n, m = values.shape
    counts = ~np.isnan(values)
    filled = np.where(counts, values, 0.0)
    rng = np.random.default_rng(seed)
    step = max(1, _DRAWS_AT_ONCE // max(1, n))
    means = np.full((draws, m), np.nan)
    for start in range(0, draws if n else 0, step):
        size = min(step, draws - start)
        drawn = rng.integers(0, n, size=(size, n)) + n * np.arange(size)[:, None]
        times = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(float)
        whole = times @ counts
        np.divide(times @ filled, whole, out=means[start : start + size], where=whole > 0)
    found = []
    for column in range(m):
        drawn_means = means[~np.isnan(means[:, column]), column]
        number = int(counts[:, column].sum())
        if not number:
            found.append(Interval(float("nan"), float("nan"), float("nan"), 0))
            continue
        low, high = np.quantile(drawn_means, (0.025, 0.975))
        mean = float(filled[:, column].sum() / number)
        found.append(Interval(mean, float(low), float(high), number))
    return found


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


def _mean_of(shown: Ragged, figure: Floats, k: int) -> Floats:
    """Mean figure of each row's first ``k`` items."""
    first = positions_of(shown) < k
    rows, n = rows_of(shown)[first], len(shown.indptr) - 1
    total = np.bincount(rows, weights=figure[shown.item_ix[first]], minlength=n)
    return _share(total, np.bincount(rows, minlength=n))


def _share(part: NDArray[np.generic], whole: NDArray[np.generic]) -> Floats:
    out = np.full(len(whole), np.nan)
    np.divide(part, whole, out=out, where=np.asarray(whole) > 0)
    return out
