"""Counted pairs become each product's nearest neighbours.

Pairs come in, a block at a time; the best neighbours of each product come out. Called by
``copurchase`` while it learns.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.datasets import IntArray, IxArray, compiled
from recsys.models.base import Floats, Scores
from recsys.models.kernels.pair_counts import PairCounts

#: Candidates for neighbours that wait until they are sorted in.
_WAITING: Final = 1 << 21


class DirectedPairs(NamedTuple):
    """Products, their neighbours, and what speaks for each."""

    a: IxArray
    b: IxArray
    score: Scores
    support: IxArray

    def take(self, at: npt.NDArray[np.int64]) -> "DirectedPairs":
        """Return some of them."""
        return DirectedPairs(self.a[at], self.b[at], self.score[at], self.support[at])


def directed_pairs(
    counts: PairCounts, own: Floats, others: Floats, shrinkage: float
) -> DirectedPairs:
    """Give counted pairs both directions and their similarities.

    Parameters
    ----------
    counts : Counts
        Each pair once.
    own, others : ndarray of shape (n_items,), float64
        What the weight of a pair is divided by, for the product and for its neighbour.
    shrinkage : float
        Meetings of doubt, >= 0.

    Returns
    -------
    DirectedPairs
        With the similarity ``weight / (own others) * support / (support + shrinkage)``.
    """
    one, other, support, weight = counts
    a, b = np.concatenate([one, other]), np.concatenate([other, one])
    support, weight = np.tile(support, 2), np.tile(weight, 2)
    similarity = weight / (own[a] * others[b]) * (support / (support + shrinkage))
    return DirectedPairs(a, b, similarity.astype(np.float32), support)


def nearest_items(parts: Iterator[DirectedPairs], n_items: int, n: int) -> DirectedPairs:
    """Keep the best neighbours of each product.

    Parameters
    ----------
    parts : iterator of DirectedPairs
        Each pair once.
    n_items : int
    n : int
        Neighbours of a product, at most.

    Returns
    -------
    DirectedPairs
        Sorted by product, then neighbour; of equal ones the first neighbours are kept.

    Notes
    -----
    Memory is bounded by what is kept in the end, not by the pairs that come by.
    """
    none, score = np.empty(0, np.int32), np.empty(0, np.float32)
    kept = DirectedPairs(none, none, score, none)
    bar = np.zeros(n_items, np.float32)
    waiting, n_waiting = [kept], 0
    for part in parts:
        worth = np.flatnonzero(part.score >= bar[part.a])
        waiting.append(part.take(worth))
        n_waiting += len(worth)
        if n_waiting > max(_WAITING, len(kept.a)):
            kept = _cut(waiting, n)
            full = np.bincount(kept.a, minlength=n_items) >= n
            lowest = np.full(n_items, np.inf, np.float32)
            np.minimum.at(lowest, kept.a, kept.score)
            bar = np.where(full, lowest, np.float32(0))
            waiting, n_waiting = [kept], 0
    return _cut(waiting, n)


def _cut(parts: list[DirectedPairs], n: int) -> DirectedPairs:
    a, b, score, support = (
        np.concatenate([part.a for part in parts]),
        np.concatenate([part.b for part in parts]),
        np.concatenate([part.score for part in parts]),
        np.concatenate([part.support for part in parts]),
    )
    return DirectedPairs(a, b, score, support).take(
        _top(a, b, score, int(a.max(initial=-1)) + 1, n)
    )


@compiled
def _top(a: IxArray, b: IxArray, score: Scores, n_items: int, n: int) -> IntArray:
    """Positions of the best ``n`` pairs of each product, by product, then neighbour.

    A counting sort by product, then a partition of each product's scores; of equal ones the first
    neighbours stay. Compiled, because numpy would sort all pairs by three keys.
    """
    starts = np.zeros(n_items + 1, np.int64)
    for at in range(len(a)):
        starts[a[at] + 1] += 1
    n_kept = 0
    for item in range(n_items):
        n_kept += min(starts[item + 1], n)
        starts[item + 1] += starts[item]
    of = np.empty(len(a), np.int64)
    free = starts[:-1].copy()
    for at in range(len(a)):
        of[free[a[at]]] = at
        free[a[at]] += 1
    kept = np.empty(n_kept, np.int64)
    size = 0
    for item in range(n_items):
        mine = of[starts[item] : starts[item + 1]]
        if len(mine) > n:
            own = score[mine]
            bar = np.partition(own, len(own) - n)[len(own) - n]
            level = np.sort(b[mine[own == bar]])
            last = level[n - np.count_nonzero(own > bar) - 1]  # of equal ones the first stay
            mine = mine[(own > bar) | ((own == bar) & (b[mine] <= last))]
        order = np.argsort(b[mine])
        for place in range(len(order)):
            kept[size + place] = mine[order[place]]
        size += len(order)
    return kept


def neighbour_table(near: DirectedPairs, n_items: int) -> tuple[IntArray, IxArray, Scores]:
    """Lay neighbours out: where each product's begin, the neighbours, and their scores."""
    indptr = np.zeros(n_items + 1, np.int64)
    np.cumsum(np.bincount(near.a, minlength=n_items), out=indptr[1:])
    return indptr, near.b, near.score
