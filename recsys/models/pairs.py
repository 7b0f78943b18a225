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

from recsys.matrices.ids import IntArray, IxArray

#: Meetings of two products in a block. Their keys fit the processor's cache: larger blocks take
#: longer.
BLOCK: Final = 1 << 20

#: The largest weight.
MAX_WEIGHT: Final = 255

#: Entries that are put in the order of their products at once, and how many times at most all
#: entries are gone through for that.
_ENTRIES: Final = 1 << 20
_PASSES: Final = 16

#: Entries looked at in one step of such a pass.
_STEP: Final = 1 << 20

#: Keys are of 32 bits, which sort twice as fast as those of 64.
_KEYS: Final = 1 << 32

Integers = npt.NDArray[np.integer]
Weights = npt.NDArray[np.uint8]

#: Ascending entries → the position of each one's first partner, and how many there are from there.
Partners = Callable[[IntArray], tuple[Integers, Integers]]


class Counts(NamedTuple):
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


def count(
    items: sparse.csr_array,
    min_support: int,
    weights: Weights | None = None,
    *,
    threads: int = 1,
    block: int = BLOCK,
) -> Iterator[Counts]:
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
    Counts
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
    entries = Entries(items.indices, items.indices, behind, items.shape[1], each)
    yield from count_met(entries, min_support, threads=threads, block=block)


@dataclass(frozen=True, eq=False)
class Entries:
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


def count_met(
    entries: Entries, min_support: int, *, threads: int = 1, block: int = BLOCK
) -> Iterator[Counts]:
    """Count the pairs that meet at least ``min_support`` times.

    Parameters
    ----------
    entries : Entries
    min_support, threads, block : int
        As in ``count``.

    Yields
    ------
    Counts
        All pairs of a range of products ``a`` with those they met, ``b``; the ranges ascend.

    Notes
    -----
    Each meeting becomes one key, ``a n + b``; keys of a block are sorted, and a key that stands
    ``min_support - 1`` places further on once more has the support. Keys are made for all first
    partners at once, then for all second ones, so that nothing is done product by product.
    A product that fills a block by itself is counted densely, piece by piece.
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


def _tasks(entries: Entries, min_support: int, block: int) -> Iterator[Callable[[], Counts]]:
    """Cut the products so that each task has about ``block`` pairs to count."""
    widest = max(1, _KEYS // max(1, entries.n_items))
    for part in _parts(entries, min_support):
        met = np.concatenate([[0], np.cumsum(part.many, dtype=np.int64)])
        ends = np.searchsorted(part.a, np.arange(part.start, int(part.a[-1]) + 2))
        cost, at, last = met[ends], 0, len(ends) - 1
        while at < last:
            stop = int(np.searchsorted(cost, cost[at] + block, side="right")) - 1
            stop = min(max(stop, at + 1), at + widest, last)
            if cost[stop] > cost[at]:
                piece = part.cut(slice(ends[at], ends[stop]), part.start + at)
                alone = stop == at + 1 and cost[stop] - cost[at] > block
                yield partial(_dense if alone else _sorted, piece, entries, min_support, block)
            at = stop


def _parts(entries: Entries, min_support: int) -> Iterator[_Block]:
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


def _falling(piece: _Block) -> tuple[_Block, list[int]]:
    """Put entries with many partners first, and say how many have a first, a second, ..."""
    longest = int(piece.many.max())
    fewer = (longest - piece.many).astype(np.min_scalar_type(longest))
    order = np.argsort(fewer, kind="stable")  # by counting, where 16 bits are enough
    reach = np.searchsorted(fewer[order], np.arange(longest, 0, -1))
    return piece.cut(order, piece.start), reach.tolist()


def _sorted(piece: _Block, entries: Entries, min_support: int, _: int) -> Counts:
    """Count by sorting."""
    piece, reach = _falling(piece)
    n, weighed = np.uint32(entries.n_items), entries.weights is not None
    base = (piece.a - piece.start).astype(np.uint32) * n
    keys = np.empty(int(piece.many.sum(dtype=np.int64)), np.uint32)
    weight = np.empty(len(keys) if weighed else 0, np.uint8)
    other_ix = entries.other_ix.astype(np.int32, copy=False).view(np.uint32)
    start = 0
    for place, stop in enumerate(reach):
        own = slice(start, start + stop)
        np.take(other_ix, piece.first[:stop] + place, out=keys[own], mode="clip")  # in one go
        keys[own] += base[:stop]
        if weighed:
            weight[own] = piece.weight[:stop]
        start += stop
    if weighed:
        both = keys.astype(np.uint64) << np.uint64(8) | weight
        both.sort()
        keys, weight = (both >> np.uint64(8)).astype(np.uint32), both.astype(np.uint8)
    else:
        keys.sort()
    again = max(0, len(keys) - min_support + 1)
    same = np.flatnonzero(keys[:again] == keys[len(keys) - again :])
    enough = keys[same]
    new = np.flatnonzero(np.append(True, enough[1:] != enough[:-1])[: len(enough)])
    support = np.diff(new, append=len(enough)) + min_support - 1
    total = support
    if weighed:
        sums = np.concatenate([[0], np.cumsum(weight, dtype=np.int64)])
        total = sums[same[new] + support] - sums[same[new]]
    a, b = np.divmod(enough[new], n)
    return _counts(a.astype(np.int64) + piece.start, b, support, total)


def _dense(piece: _Block, entries: Entries, min_support: int, block: int) -> Counts:
    """Count the partners of one product, as many entries at a time as make a block."""
    met, n = np.cumsum(piece.many, dtype=np.int64), entries.n_items
    support, total = np.zeros(n, np.int64), np.zeros(n, np.int64)
    start = 0
    while start < len(met):
        before = met[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(met, before + block, side="right")))
        some, reach = _falling(piece.cut(slice(start, stop), piece.start))
        others = [entries.other_ix[some.first[:end] + place] for place, end in enumerate(reach)]
        b = np.concatenate(others)
        support += np.bincount(b, minlength=n)
        if entries.weights is not None:
            weight = np.concatenate([some.weight[:end] for end in reach])
            total += np.bincount(b, weight, n).astype(np.int64)  # whole numbers, exact
        start = stop
    b = np.flatnonzero(support >= min_support)
    a = np.full(len(b), piece.start)
    return _counts(a, b, support[b], (support if entries.weights is None else total)[b])


def _counts(a: Integers, b: Integers, support: Integers, weight: Integers) -> Counts:
    a, b, support = (column.astype(np.int32) for column in (a, b, support))
    return Counts(a, b, support, weight.astype(np.int64))


def _in_order(tasks: Iterable[Callable[[], Counts]], threads: int) -> Iterator[Counts]:
    """Work tasks off on several threads; their results come in the order of the tasks."""
    if threads == 1:
        for task in tasks:
            yield task()
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Counts]] = deque()
        for task in tasks:
            waiting.append(pool.submit(task))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
