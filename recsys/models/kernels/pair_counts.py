"""Counts how often two products lie in one basket, or one is bought after the other.

Orders × products come in, or purchases with the run of purchases that each meets; out come the
pairs with enough support, a block of products at a time, so that memory follows the block and
neither the catalogue nor the number of pairs. Called by ``copurchase``.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recsys.datasets import IntArray, IxArray, compiled

#: Meetings of two products in a block.
BLOCK: Final = 1 << 22

#: The largest weight.
MAX_WEIGHT: Final = 255

#: Bits for how often two products met; those above add up the weights.
_SHIFT: Final = np.uint64(28)
_TIMES: Final = np.uint64((1 << 28) - 1)

#: Entries that are put in the order of their products at once, and how many times at most all
#: entries are gone through for that.
_ENTRIES: Final = 1 << 20
_PASSES: Final = 16

#: Entries looked at in one step of such a pass.
_STEP: Final = 1 << 20

Integers = npt.NDArray[np.integer]
Weights = npt.NDArray[np.uint8]

#: Ascending entries → the position of each one's first partner, and how many there are from there.
Partners = Callable[[IntArray], tuple[Integers, Integers]]


class PairCounts(NamedTuple):
    """Pairs of some products with others, sorted by ``a``, then ``b``.

    Attributes
    ----------
    a, b : ndarray, int32
        Two products.
    support : ndarray, int32
        How often they met.
    weight : ndarray, int64
        Sum of the weights with which they met; ``support`` where nothing was weighed.
    """

    a: IxArray
    b: IxArray
    support: IxArray
    weight: IntArray


def count_pairs(
    items: sparse.csr_array,
    min_support: int,
    weights: Weights | None = None,
    *,
    threads: int = 1,
    block: int = BLOCK,
) -> Iterator[PairCounts]:
    """Count the pairs that lie together in at least ``min_support`` baskets.

    Parameters
    ----------
    items : csr_array of shape (n_orders, n_items)
        Nonzero where an order holds a product.
    min_support : int
        Baskets, at least 1.
    weights : ndarray of shape (n_orders,), uint8, optional
        What each order counts, at least 1; they count alike by default.
    threads : int
        Blocks counted at once, at least 1. The pairs are the same with any number.
    block : int
        Pairs met at a time, at least 1.

    Yields
    ------
    PairCounts
        All pairs of a range of products, ``a < b``; the ranges ascend.
    """
    if not items.has_canonical_format:
        items = items.copy()
        items.sum_duplicates()
    indptr = items.indptr

    def behind(at: IntArray) -> tuple[Integers, Integers]:
        """What lies behind an entry in its basket: there products ascend."""
        ends = indptr[np.searchsorted(indptr, at, side="right")]
        return at + 1, ends - at - 1

    each = None if weights is None else np.repeat(weights, np.diff(indptr))
    entries = PairEntries(items.indices, items.indices, behind, items.shape[1], each)
    yield from count_meeting_pairs(entries, min_support, threads=threads, block=block)


@dataclass(frozen=True, eq=False)
class PairEntries:
    """Purchases, each with the run of others that it meets.

    Attributes
    ----------
    item_ix : ndarray of shape (n_entries,), integer
        Products that meet others.
    other_ix : ndarray, integer
        Products that are met; ``item_ix`` itself where they are the same purchases.
    partners : callable
        Says of ascending entries where in ``other_ix`` the run of each begins, and its length.
    n_items : int
        Size of the catalogue.
    weights : ndarray of shape (n_entries,), uint8, optional
        What each entry's meetings count, at least 1.
    """

    item_ix: Integers
    other_ix: Integers
    partners: Partners
    n_items: int
    weights: Weights | None = None


def count_meeting_pairs(
    entries: PairEntries, min_support: int, *, threads: int = 1, block: int = BLOCK
) -> Iterator[PairCounts]:
    """Count the pairs that meet at least ``min_support`` times.

    Parameters
    ----------
    entries : PairEntries
    min_support, threads, block : int
        As in ``count``.

    Yields
    ------
    PairCounts
        All pairs of a range of products ``a`` with those they met, ``b``; the ranges ascend.

    Notes
    -----
    The meetings of one product at a time are added up in an array of the whole catalogue, which
    the next product uses again; what it meets is noted, so that the rest is not looked at.
    """
    for counts in _in_order(_tasks(entries, min_support, block), threads):
        if len(counts.a):
            yield counts


class _Block(NamedTuple):
    """Entries of the products from ``start`` on, in the order of their products."""

    start: int
    a: Integers
    first: Integers
    many: Integers
    weight: Weights

    def cut(self, rows: Any, start: int) -> "_Block":
        """Take some of the entries."""
        return _Block(start, *(column[rows] for column in self[1:]))


def _tasks(
    entries: PairEntries, min_support: int, block: int
) -> Iterator[Callable[[], PairCounts]]:
    """Cut the products so that each task has about ``block`` pairs to count."""
    for part in _parts(entries, min_support):
        met = np.concatenate([[0], np.cumsum(part.many, dtype=np.int64)])
        ends = np.searchsorted(part.a, np.arange(part.start, int(part.a[-1]) + 2))
        cost, at, last = met[ends], 0, len(ends) - 1
        while at < last:
            stop = int(np.searchsorted(cost, cost[at] + block, side="right")) - 1
            stop = min(max(stop, at + 1), last)
            if cost[stop] > cost[at]:
                piece = part.cut(slice(ends[at], ends[stop]), part.start + at)
                yield partial(_counted, piece, entries, min_support)
            at = stop


def _parts(entries: PairEntries, min_support: int) -> Iterator[_Block]:
    """Put the entries in the order of their products, some of the products at a time."""
    item_ix, n_items = entries.item_ix, entries.n_items
    per_item = np.bincount(item_ix, minlength=n_items)
    per_item[per_item < min_support] = 0  # no pair of theirs can have the support
    ends = np.concatenate([[0], np.cumsum(per_item)])
    room = max(_ENTRIES, len(item_ix) // _PASSES)
    start = 0
    while start < n_items:
        stop = int(np.searchsorted(ends, ends[start] + room, side="right")) - 1
        stop = min(max(stop, start + 1), n_items)
        if ends[start] == ends[stop]:
            start = stop
            continue
        wanted = np.zeros(n_items, np.bool_)
        wanted[start:stop] = per_item[start:stop] > 0
        found = []
        for step in range(0, len(item_ix), _STEP):
            until = min(step + _STEP, len(item_ix))
            at = step + np.flatnonzero(wanted[item_ix[step:until]])
            first, many = entries.partners(at)
            some = np.flatnonzero(many > 0)
            at = at[some]
            weight = np.zeros(0, np.uint8) if entries.weights is None else entries.weights[at]
            found.append((item_ix[at], first[some], many[some].astype(np.int32), weight))
        a, first, many, weight = (np.concatenate(column) for column in zip(*found, strict=True))
        del found  # one of three copies
        if len(a):
            # A sparse row turned into columns is a counting sort.
            row = (np.arange(len(a)), a - np.int32(start), [0, len(a)])
            order = sparse.csr_array(row, shape=(1, stop - start)).tocsc().data
            weight = weight[order] if len(weight) else np.ones(len(a), np.uint8)
            yield _Block(start, a[order], first[order], many[order], weight)
        start = stop


def _counted(piece: _Block, entries: PairEntries, min_support: int) -> PairCounts:
    """Count a block."""
    a, b, support, total = _met(
        piece.a.astype(np.int32, copy=False),
        piece.first.astype(np.int64, copy=False),
        piece.many.astype(np.int32, copy=False),
        piece.weight,
        entries.other_ix.astype(np.int32, copy=False),
        entries.n_items,
        min_support,
    )
    return PairCounts(a, b, support, support.astype(np.int64) if entries.weights is None else total)


@compiled
def _met(
    a: IxArray,
    first: IntArray,
    many: IxArray,
    weight: Weights,
    other_ix: IxArray,
    n_items: int,
    min_support: int,
) -> tuple[IxArray, IxArray, IxArray, IntArray]:
    """Count what the entries of each product meet, a product at a time.

    Entries come in the order of their products. Meetings add up in one array over the catalogue,
    of which only the entries in ``seen`` are read and cleared. Compiled, because numpy would hold
    every meeting.
    """
    # Times below, weights above, so that a meeting touches one place.
    both = np.zeros(n_items, np.uint64)
    seen = np.empty(n_items, np.int32)
    enough = np.uint64(min_support)
    size, room = 0, 1024
    out_a, out_b = np.empty(room, np.int32), np.empty(room, np.int32)
    support, total = np.empty(room, np.int32), np.empty(room, np.int64)
    start = 0
    while start < len(a):
        stop, n_seen = start, 0
        while stop < len(a) and a[stop] == a[start]:
            once = np.uint64(weight[stop]) << _SHIFT | np.uint64(1)
            for at in range(first[stop], first[stop] + many[stop]):
                b = other_ix[at]
                if both[b] == 0:
                    seen[n_seen] = b
                    n_seen += 1
                both[b] += once
            stop += 1
        n_kept = 0
        for at in range(n_seen):
            b = seen[at]
            if both[b] & _TIMES >= enough:
                seen[n_kept] = b
                n_kept += 1
            else:
                both[b] = 0
        if size + n_kept > room:
            room = 2 * (size + n_kept)
            out_a, out_b = _grown(out_a, size, room), _grown(out_b, size, room)
            support, total = _grown(support, size, room), _grown(total, size, room)
        kept = np.sort(seen[:n_kept])
        for b in kept:
            out_a[size], out_b[size] = a[start], b
            support[size], total[size] = both[b] & _TIMES, both[b] >> _SHIFT
            both[b] = 0
            size += 1
        start = stop
    return out_a[:size].copy(), out_b[:size].copy(), support[:size].copy(), total[:size].copy()


@compiled
def _grown(array: npt.NDArray[Any], size: int, room: int) -> npt.NDArray[Any]:
    """Copy an array into one with more room behind, for output whose length is not known."""
    larger = np.empty(room, array.dtype)
    larger[:size] = array[:size]
    return larger


def _in_order(tasks: Iterable[Callable[[], PairCounts]], threads: int) -> Iterator[PairCounts]:
    """Work tasks off on several threads; their results come in the order of the tasks."""
    if threads == 1:
        for task in tasks:
            yield task()
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[PairCounts]] = deque()
        for task in tasks:
            waiting.append(pool.submit(task))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
