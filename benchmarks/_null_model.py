"""Null model of co-purchase: how often two products would share a basket by chance.

Written for the benchmarks alone, so that a miner is not evaluated by its own formulas. In: orders ×
products, and pairs. Out: expected counts and significance tests. Called by ``benchmarks.bundles``.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse, stats

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

WEEK: Final = 7 * 86_400
#: Significance level: p-value below which a pair holds.
SURE: Final = 0.05
#: Minimum number of baskets with a product for it to count as sold.
SOLD: Final = 10
_ROUNDS: Final = 60
_PAIRS: Final = 2_000


class PairTests(NamedTuple):
    """Results of the tests of ``n`` pairs, each of shape (n,).

    Attributes
    ----------
    plain : ndarray of bool
        More often than if both were independent, one-sided p < .05 by Fisher's test.
    strict : ndarray of bool
        More often than the sizes of the baskets of each week explain, one-sided p < .05.
    sold : ndarray of bool
        Both products are in at least ``SOLD`` baskets, enough to test the pair.
    """

    plain: Bools
    strict: Bools
    sold: Bools


def together(items: sparse.csr_array, a: Ints, b: Ints) -> Ints:
    """Count the baskets that hold both products of each pair."""
    if not len(a):
        return np.zeros(0, np.int64)
    used, of = np.unique(np.concatenate([a, b]), return_inverse=True)
    some = sparse.csr_array(sparse.csc_array(items)[:, used])
    met = sparse.csr_array(some.T @ some)
    return np.asarray(met[of[: len(a)], of[len(a) :]], np.float64).ravel().round().astype(np.int64)


def expected(items: sparse.csr_array, a: Ints, b: Ints, period: Ints | None = None) -> Floats:
    """Return the expected number of baskets with both products of each pair.

    Parameters
    ----------
    items : csr_array of shape (n_orders, n_items)
    a, b : ndarray of shape (n,), int64
    period : ndarray of shape (n_orders,), int64, optional
        Number of each order's week; chance is then asked within weeks. By default all orders are
        alike but for their size.

    Notes
    -----
    Products are in as many baskets as they were, and baskets as large; all else is as uneven as
    it can be: ``p = x y / (1 + x y)``, as for any random graph with given degrees.
    """
    period = np.zeros(items.shape[0], np.int64) if period is None else period
    used, of = np.unique(np.concatenate([a, b]), return_inverse=True)
    sizes, size_of = np.unique(np.diff(items.indptr), return_inverse=True)
    n_periods = int(period.max(initial=0)) + 1
    baskets = np.zeros((n_periods, len(sizes)))
    np.add.at(baskets, (period, size_of), 1)
    chance, pairs_of_size = chances(items, sizes, baskets.sum(axis=0), used)
    groups = sparse.csr_array(
        (np.ones(len(period)), (period, np.arange(len(period)))), shape=(n_periods, len(period))
    )
    bought = sparse.csc_array(groups @ items)[:, used].toarray().T
    usual = chance @ baskets.T
    more = np.divide(bought, usual, out=np.zeros_like(usual), where=usual > 0)
    found = np.empty(len(a))
    for start in range(0, len(a), _PAIRS):
        pairs = slice(start, start + _PAIRS)
        one, other = of[: len(a)][pairs], of[len(a) :][pairs]
        both = (chance[one] * chance[other] * pairs_of_size) @ baskets.T
        found[pairs] = (both * more[one] * more[other]).sum(axis=1)
    return found


def at_least(seen: Ints, chance: Floats) -> Floats:
    """Return the p-value of each count: the chance of so many baskets or more."""
    return np.asarray(stats.poisson.sf(seen - 1, np.maximum(chance, 1e-12)), np.float64)


def test_pairs(items: sparse.csr_array, ts: Ints, a: Ints, b: Ints) -> PairTests:
    """Test which pairs hold in baskets that no method has seen.

    Parameters
    ----------
    items : csr_array of shape (n_orders, n_items)
    ts : ndarray of shape (n_orders,), int64
        UTC epoch seconds.
    a, b : ndarray of shape (n,), int64
        -1 where a product was not known any more: the pair does not hold.
    """
    there = np.flatnonzero((a >= 0) & (b >= 0))
    a, b, n = a[there], b[there], len(a)
    counts = np.bincount(items.indices, minlength=items.shape[1])
    seen, n_orders = together(items, a, b), items.shape[0]
    by_chance = stats.hypergeom.sf(seen - 1, n_orders, counts[a], counts[b])
    more = seen * float(n_orders) > counts[a].astype(np.float64) * counts[b]
    chance = expected(items, a, b, (ts - ts.min(initial=0)) // WEEK)
    plain, strict, sold = (np.zeros(n, bool) for _ in range(3))
    plain[there] = more & (by_chance < SURE)
    strict[there] = (seen > chance) & (at_least(seen, chance) < SURE)
    sold[there] = np.minimum(counts[a], counts[b]) >= SOLD
    return PairTests(plain, strict, sold)


def found_by_oracle(chance: Floats, n_tests: int, rate: float) -> Bools:
    """Say what Benjamini and Hochberg would report whose tests knew the exact chance.

    Parameters
    ----------
    chance : ndarray of shape (n,), float64
        p-values of what is there; the other tests find nothing.
    n_tests : int
    rate : float
        Of false discoveries.
    """
    order = np.argsort(chance, kind="stable")
    below = np.flatnonzero(chance[order] <= rate * np.arange(1, len(order) + 1) / n_tests)
    found = np.zeros(len(chance), bool)
    found[order[: below.max(initial=-1) + 1]] = True
    return found


def chances(
    items: sparse.csr_array, sizes: Ints, n_of_size: Floats, used: Ints
) -> tuple[Floats, Floats]:
    """Chance of some products to lie in a basket of each size, shape (n_used, n_sizes).

    And by what the product of two chances is multiplied at each size: a basket of ``s`` products
    has ``s (s - 1)`` pairs, while one that is only expected to be as large has more.
    """
    counts = np.bincount(items.indices, minlength=items.shape[1])
    levels, n_of_level = np.unique(counts, return_counts=True)
    root = max(float((sizes * n_of_size).sum()) ** 0.5, 1.0)
    x, y = levels / root, sizes / root
    for _ in range(_ROUNDS):
        x = levels / np.maximum((y / (1 + np.outer(x, y))) @ n_of_size, 1e-300)
        y = sizes / np.maximum(n_of_level @ (x[:, None] / (1 + np.outer(x, y))), 1e-300)
    drawn = np.outer(x, y)
    chance = drawn / (1 + drawn)
    room = sizes.astype(np.float64) ** 2 - n_of_level @ chance**2
    pairs = np.divide(sizes * (sizes - 1.0), room, out=np.zeros(len(sizes)), where=room > 0)
    return chance[np.searchsorted(levels, counts[used])], pairs
