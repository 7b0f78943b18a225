"""Baskets in which nothing sells together, and baskets in which it is known what does.

Orders × products come in; the same with other products in the same places come out: every basket
stays as large, every product is in as many. Called by ``benchmarks.bundles``.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recsys.datasets import compiled

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: Swaps of two entries for each entry, and tries for each of those before it is given up.
SWAPS, TRIES = 5, 20
#: What is planted: baskets with both products, and how many times as many as by chance.
SUPPORT: Final = (20, 200)
LIFT: Final = (2.0, 10.0)
#: Of its baskets, what a product may at most be given a partner in.
_ROOM: Final = 0.5
#: How far from the wanted count the partner's may be, products that are tried as the first, and
#: supports and lifts that are drawn for each pair where no products fit.
_NEAR, _FIRST, _DRAWS = 0.2, 60, 4


class Planted(NamedTuple):
    """Pairs that were planted, no product in two of them.

    Attributes
    ----------
    items : csr_array of shape (n_orders, n_items), float32
    a, b : ndarray of shape (n,), int64
    support : ndarray of shape (n,), int64
        Baskets that hold both now.
    """

    items: sparse.csr_array
    a: Ints
    b: Ints
    support: Ints


def shuffled(items: sparse.csr_array, seed: int, swaps: float = SWAPS) -> sparse.csr_array:
    """Deal the products anew by swapping two entries of two baskets, again and again.

    Parameters
    ----------
    items : csr_array of shape (n_orders, n_items)
        Each product of a basket once.
    seed : int
    swaps : float
        For each entry; each moves two.

    Returns
    -------
    csr_array of shape (n_orders, n_items), float32
        Rows and columns add up to the same; indices sorted.
    """
    indptr = items.indptr.astype(np.int64)
    indices = items.indices.astype(np.int32)
    row = np.repeat(np.arange(items.shape[0], dtype=np.int32), np.diff(indptr))
    wanted = round(swaps * len(indices))
    done = _swapped(indptr, indices, row, wanted, TRIES * wanted, np.random.default_rng(seed))
    if done < wanted:
        raise ValueError(
            f"only {done:,} of {wanted:,} swaps were possible: these baskets can hardly hold "
            "anything else."
        )
    return matrix(indices, indptr, items.shape)


@compiled
def _swapped(
    indptr: Ints,
    indices: npt.NDArray[np.int32],
    row: npt.NDArray[np.int32],
    wanted: int,
    tries: int,
    rng: np.random.Generator,
) -> int:
    n, done = len(indices), 0
    if n < 2:
        return done
    for _ in range(tries):
        if done == wanted:
            break
        first, second = int(rng.random() * n), int(rng.random() * n)
        x, y = row[first], row[second]
        a, b = indices[first], indices[second]
        if x == y or a == b:
            continue
        held = False
        for at in range(indptr[x], indptr[x + 1]):
            held |= indices[at] == b
        for at in range(indptr[y], indptr[y + 1]):
            held |= indices[at] == a
        if not held:
            indices[first], indices[second] = b, a
            done += 1
    return done


def plant(items: sparse.csr_array, n_pairs: int, seed: int) -> Planted:
    """Move products to where their partner lies, until both lie together often enough.

    Parameters
    ----------
    items : csr_array of shape (n_orders, n_items)
        Shuffled: nothing else sells together.
    n_pairs : int
        At most; fewer where the catalogue has no more that fit. Supports and lifts are spread
        evenly over the logarithms of ``SUPPORT`` and ``LIFT``.
    seed : int

    Returns
    -------
    Planted
        What leaves a basket for a product goes where that came from, so that every basket and
        every product keeps its count.
    """
    rng = np.random.default_rng(seed)
    counts = np.bincount(items.indices, minlength=items.shape[1])
    sizes = np.diff(items.indptr)
    meet = float((sizes * (sizes - 1.0)).sum()) / float(sizes.sum()) ** 2
    a, b, wanted = choose(counts, meet, n_pairs, rng)
    marked = np.zeros(items.shape[1], bool)
    marked[a], marked[b] = True, True
    indptr, indices = items.indptr.astype(np.int64), items.indices.astype(np.int32)
    columns = sparse.csc_array(items)
    support = np.zeros(len(a), np.int64)
    for pair, (one, other) in enumerate(zip(a.tolist(), b.tolist(), strict=True)):
        with_one, with_other = (
            columns.indices[columns.indptr[item] : columns.indptr[item + 1]]
            for item in (one, other)
        )
        support[pair] = len(np.intersect1d(with_one, with_other))
        takers = rng.permutation(np.setdiff1d(with_one, with_other)).tolist()
        givers = rng.permutation(np.setdiff1d(with_other, with_one)).tolist()
        while support[pair] < wanted[pair] and takers and givers:
            support[pair] += moved(indptr, indices, marked, other, takers.pop(), givers.pop(), rng)
    return Planted(matrix(indices, indptr, items.shape), a, b, support)


def choose(
    counts: Ints, meet: float, n_pairs: int, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """Draw pairs of products with the chance that their support and lift ask for.

    Parameters
    ----------
    counts : ndarray of shape (n_items,), int64
        Baskets with each product.
    meet : float
        By what two products' counts are multiplied to say how often they meet by chance.
    n_pairs : int
    rng : Generator

    Returns
    -------
    a, b, support : ndarray of shape (n,), int64
    """
    items = np.flatnonzero(counts >= SUPPORT[0] / _ROOM)
    items = items[np.argsort(counts[items], kind="stable")]
    ordered, free = counts[items], np.ones(len(items), bool)
    found: list[tuple[int, int, int]] = []
    for _ in range(_DRAWS * n_pairs if meet > 0 else 0):
        if len(found) == n_pairs:
            break
        support = int(np.exp(rng.uniform(*np.log(SUPPORT))))
        product = support / float(np.exp(rng.uniform(*np.log(LIFT)))) / meet
        least = int(np.searchsorted(ordered, support / _ROOM))
        firsts = least + np.flatnonzero(free[least:])
        for first in rng.permutation(firsts)[:_FIRST].tolist():
            partner = product / ordered[first]
            low, high = np.searchsorted(ordered, [partner * (1 - _NEAR), partner * (1 + _NEAR)])
            seconds = max(low, least) + np.flatnonzero(free[max(low, least) : high])
            seconds = seconds[seconds != first]
            if len(seconds):
                second = int(rng.choice(seconds))
                free[[first, second]] = False
                found.append((int(items[first]), int(items[second]), support))
                break
    drawn = np.array(found, np.int64).reshape(-1, 3)
    return drawn[:, 0], drawn[:, 1], drawn[:, 2]


def moved(
    indptr: Ints,
    indices: npt.NDArray[np.int32],
    marked: npt.NDArray[np.bool_],
    item: int,
    taker: int,
    giver: int,
    rng: np.random.Generator,
) -> bool:
    """Give a product to a basket for one of its own that takes part in no pair."""
    of_taker = indices[indptr[taker] : indptr[taker + 1]]  # views: what is written stays
    of_giver = indices[indptr[giver] : indptr[giver + 1]]
    spare = np.flatnonzero(~marked[of_taker] & ~np.isin(of_taker, of_giver))
    if not len(spare):
        return False
    at = int(rng.choice(spare))
    of_giver[of_giver == item] = of_taker[at]
    of_taker[at] = item
    return True


def matrix(
    indices: npt.NDArray[np.int32], indptr: Ints, shape: tuple[int, ...]
) -> sparse.csr_array:
    """Make orders × products of their rows' products, in any order."""
    pointers = indptr.astype(np.int32 if len(indices) <= np.iinfo(np.int32).max else np.int64)
    made = sparse.csr_array((np.ones(len(indices), np.float32), indices, pointers), shape=shape)
    made.sort_indices()
    return made
