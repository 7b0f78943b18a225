"""Computes metrics of lists of items, one value per customer.

In: lists of shown and of relevant items. Out: one value per row, from which means, differences and
bootstrap intervals follow. Called by ``evaluator`` and by the benchmarks. docs/evaluation.md has
the formulas.
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
        Relevant items, each once per row.
    k : int
        Cutoff: number of places evaluated.

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
    """Return the share of relevant items among the first ``k``; NaN where nothing is relevant.

    Parameters
    ----------
    shown : Ragged
        n rows of items, best first; lists may be short.
    relevant : Ragged
        n rows of relevant items, each once per row.
    k : int
        Cutoff: number of places evaluated.

    Returns
    -------
    ndarray of shape (n,), float64
        In [0, 1], or NaN.
    """
    return _share(hits(shown, relevant, k).sum(axis=1), np.diff(relevant.indptr))


def hit_rate_at(shown: Ragged, relevant: Ragged, k: int) -> Floats:
    """Return 1 where any of the first ``k`` items is relevant, else 0; NaN if none is relevant.

    Parameters
    ----------
    shown : Ragged
        n rows of items, best first; lists may be short.
    relevant : Ragged
        n rows of relevant items, each once per row.
    k : int
        Cutoff: number of places evaluated.

    Returns
    -------
    ndarray of shape (n,), float64
        0, 1 or NaN.
    """
    hit = hits(shown, relevant, k).max(axis=1, initial=False)
    return _share(hit, np.minimum(np.diff(relevant.indptr), 1))


def precision_at(shown: Ragged, relevant: Ragged, k: int) -> Floats:
    """Return the share of ``k`` places with a relevant item; NaN where nothing is relevant.

    Empty places of a short list count as misses.
    """
    each = hits(shown, relevant, k).sum(axis=1) / k
    return np.where(np.diff(relevant.indptr) > 0, each, np.nan)


def ndcg_at(shown: Ragged, relevant: Ragged, k: int) -> Floats:
    """Return the discounted gain of the first ``k`` places, relative to the ideal list.

    Parameters
    ----------
    shown : Ragged
        n rows of items, best first; lists may be short.
    relevant : Ragged
        n rows of relevant items, each once per row.
    k : int
        Cutoff: number of places evaluated.

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
    """Return the share of the catalogue shown in the first ``k`` places of any list.

    Parameters
    ----------
    shown : Ragged
        One list of items per customer, best first.
    k : int
        Cutoff: number of places evaluated.
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
    """Return the share of the first ``k`` shown items in ``owned``; NaN where nothing is shown.

    With histories as ``owned``, it is the share of shown items that were bought before.
    """
    filled = np.minimum(np.diff(shown.indptr), k)
    return _share(hits(shown, owned, k).sum(axis=1), filled)


def popularity_at(shown: Ragged, buyers: Floats, k: int) -> Floats:
    """Return the mean share of customers who bought the first ``k`` shown items.

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
    """Return the mean ``-log2`` of the share of customers who bought the first ``k`` items.

    Parameters
    ----------
    shown, buyers, k
        As in ``popularity_at``.
    n_customers : int
        Number of customers counted; items that nobody bought count as bought by one.

    Returns
    -------
    ndarray of shape (n,), float64
        Bits: 0 if everybody bought all shown items, 1 more for each halving of the buyers. NaN
        where nothing is shown.

    References
    ----------
    .. [1] Zhou et al. (2010), Solving the apparent diversity-accuracy dilemma of recommender
       systems, PNAS.
    """
    return _mean_of(shown, -np.log2(np.maximum(buyers, 1.0 / max(1, n_customers))), k)


def bootstrap_all(values: Floats, seed: int, draws: int = 1000) -> list[Interval]:
    """Estimate the means of several metrics of the same customers.

    Parameters
    ----------
    values : ndarray of shape (n, m), float64
        ``m`` metrics, or differences of two, of ``n`` customers; NaN for customers who do not
        count.
    seed : int
        Same seed, same intervals.
    draws : int
        Number of resamples, which all metrics share.

    Returns
    -------
    list of Interval, length m
        As in ``bootstrap``, over the customers who count.
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
    intervals = []
    for column in range(m):
        drawn_means = means[~np.isnan(means[:, column]), column]
        number = int(counts[:, column].sum())
        if not number:
            intervals.append(Interval(float("nan"), float("nan"), float("nan"), 0))
            continue
        low, high = np.quantile(drawn_means, (0.025, 0.975))
        mean = float(filled[:, column].sum() / number)
        intervals.append(Interval(mean, float(low), float(high), number))
    return intervals


def bootstrap(
    values: Floats,
    seed: int,
    draws: int = 1000,
    statistic: Callable[[Floats], Floats] | None = None,
) -> Interval:
    """Estimate a mean and its bootstrap interval.

    Parameters
    ----------
    values : ndarray of shape (n,), float64
        One value, or difference of two, per customer; NaN for customers who do not count.
    seed : int
        Same seed, same interval.
    draws : int
        Number of resamples.
    statistic : callable, optional
        Maps resamples of shape (m, n) to values of shape (m,); the mean by default.

    Returns
    -------
    Interval
        The statistic of ``values``, with the 2.5% and 97.5% quantiles of the resamples; all NaN if
        no customer counts.
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
    """Return the mean value of each row's first ``k`` items."""
    first = positions_of(shown) < k
    rows, n = rows_of(shown)[first], len(shown.indptr) - 1
    total = np.bincount(rows, weights=figure[shown.item_ix[first]], minlength=n)
    return _share(total, np.bincount(rows, minlength=n))


def _share(part: NDArray[np.generic], total: NDArray[np.generic]) -> Floats:
    out = np.full(len(total), np.nan)
    np.divide(part, total, out=out, where=np.asarray(total) > 0)
    return out
