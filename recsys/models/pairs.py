"""Counts how often two products lie in one basket, or one is bought after the other.

Orders × products come in, or products in any sequence with the run of partners that each meets;
out come the pairs with enough support, a block of products at a time, so that memory follows the
block and neither the catalogue nor the number of pairs. Called by ``copurchase``.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recsys.matrices.ids import IxArray

#: Meetings of two products in a block. Their keys fit the processor's cache: larger blocks take
#: longer.
BLOCK: Final = 1 << 20

#: Entries that are put in the order of their products at once, and how many times at most all
#: entries are gone through for that.
_ENTRIES: Final = 1 << 21
_PASSES: Final = 16

#: Entries looked at in one step of such a pass.
_STEP: Final = 1 << 20

#: Keys are of 32 bits, which sort twice as fast as those of 64.
_KEYS: Final = 1 << 32

Integers = npt.NDArray[np.integer]

#: Entries from, to → the position of each entry's first partner, and how many follow it there.
Partners = Callable[[int, int], tuple[Integers, Integers]]


class Counts(NamedTuple):
    """Pairs of some products with others, sorted by ``a``, then ``b``.

    Attributes
    ----------
    a, b : ndarray, int32
        Two products.
    support : ndarray, int32
        How often they met.
    """

    a: IxArray
    b: IxArray
    support: IxArray


def count(
    items: sparse.csr_array, min_support: int, *, threads: int = 1, block: int = BLOCK
) -> Iterator[Counts]:
    """Count the pairs that lie together in at least ``min_support`` baskets.

    Parameters
    ----------
    items : csr_array of shape (n_orders, n_items)
        Nonzero where an order holds a product.
    min_support : int
        Baskets, at least 1.
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

    def behind(start: int, stop: int) -> tuple[Integers, Integers]:
        """What lies behind an entry in its basket: there products ascend."""
        rows = slice(*np.searchsorted(indptr, [start, stop - 1], side="right"))
        ends = indptr[rows.start : rows.stop + 1].astype(np.int64)
        last = np.minimum(ends, stop)
        first = np.arange(start + 1, stop + 1)
        return first, np.repeat(ends, np.diff(last, prepend=start)) - first

    yield from count_met(
        items.indices, items.shape[1], behind, min_support, threads=threads, block=block
    )


def count_met(
    item_ix: Integers,
    n_items: int,
    partners: Partners,
    min_support: int,
    *,
    threads: int = 1,
    block: int = BLOCK,
) -> Iterator[Counts]:
    """Count the pairs that meet at least ``min_support`` times.

    Parameters
    ----------
    item_ix : ndarray of shape (n_entries,), integer
        Products in a sequence such that each entry's partners stand in one run.
    n_items : int
    partners : callable
        Says for a range of entries where the run of each begins and how long it is.
    min_support, threads, block : int
        As in ``count``.

    Yields
    ------
    Counts
        All pairs of a range of products ``a`` with their partners ``b``; the ranges ascend.

    Notes
    -----
    Each meeting becomes one key, ``a n + b``; keys of a block are sorted, and a key that stands
    ``min_support - 1`` places further on once more has the support. Keys are made for all first
    partners at once, then for all second ones, so that nothing is done product by product.
    A product that fills a block by itself is counted densely, piece by piece.
    """
    often = np.bincount(item_ix, minlength=n_items) >= min_support
    items = item_ix.astype(np.int32, copy=False).view(np.uint32)
    tasks = _tasks(items, n_items, often, partners, min_support, block)
    for counts in _in_order(tasks, threads):
        if len(counts.a):
            yield counts


class _Block(NamedTuple):
    """Entries of the products from ``start`` on, in the order of their products."""

    start: int
    a: Integers
    first: Integers
    many: Integers


def _tasks(
    item_ix: npt.NDArray[np.uint32],
    n_items: int,
    often: npt.NDArray[np.bool_],
    partners: Partners,
    min_support: int,
    block: int,
) -> Iterator[Callable[[], Counts]]:
    """Cut the products so that each task has about ``block`` pairs to count."""
    widest = max(1, _KEYS // max(1, n_items))
    for part in _parts(item_ix, n_items, often, partners):
        met = np.concatenate([[0], np.cumsum(part.many, dtype=np.int64)])
        ends = np.searchsorted(part.a, np.arange(part.start, int(part.a[-1]) + 2))
        cost, at, last = met[ends], 0, len(ends) - 1
        while at < last:
            stop = int(np.searchsorted(cost, cost[at] + block, side="right")) - 1
            stop = min(max(stop, at + 1), at + widest, last)
            own = slice(ends[at], ends[stop])
            piece = _Block(part.start + at, part.a[own], part.first[own], part.many[own])
            if stop == at + 1 and cost[stop] - cost[at] > block:
                yield partial(_dense, piece, item_ix, n_items, min_support, block)
            elif cost[stop] > cost[at]:
                yield partial(_sorted, piece, item_ix, n_items, min_support)
            at = stop


def _parts(
    item_ix: npt.NDArray[np.uint32],
    n_items: int,
    often: npt.NDArray[np.bool_],
    partners: Partners,
) -> Iterator[_Block]:
    """Put the entries in the order of their products, some of the products at a time."""
    per_item = np.bincount(item_ix, minlength=n_items) * often
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
        wanted[start:stop] = often[start:stop]
        found = []
        for step in range(0, len(item_ix), _STEP):
            until = min(step + _STEP, len(item_ix))
            first, many = partners(step, until)
            at = np.flatnonzero(wanted[item_ix[step:until]] & (many > 0))
            found.append(
                (item_ix[step:until][at].astype(np.int64), first[at], many[at].astype(np.int32))
            )
        a, first, many = (np.concatenate(column) for column in zip(*found, strict=True))
        if len(a):
            # A sparse row turned into columns is a counting sort.
            row = (np.arange(len(a)), a - start, [0, len(a)])
            order = sparse.csr_array(row, shape=(1, stop - start)).tocsc().data
            yield _Block(start, a[order], first[order], many[order])
        start = stop


def _falling(piece: _Block) -> tuple[_Block, Integers]:
    """Put entries with many partners first, and say how many have a first, a second, ..."""
    longest = int(piece.many.max())
    fewer = (longest - piece.many).astype(np.min_scalar_type(longest))
    order = np.argsort(fewer, kind="stable")  # by counting, where 16 bits are enough
    columns = (piece.a[order], piece.first[order], piece.many[order])
    return _Block(piece.start, *columns), np.searchsorted(fewer[order], np.arange(longest, 0, -1))


def _sorted(
    piece: _Block, item_ix: npt.NDArray[np.uint32], n_items: int, min_support: int
) -> Counts:
    """Count by sorting."""
    piece, reach = _falling(piece)
    base = (piece.a - piece.start).astype(np.uint32) * np.uint32(n_items)
    keys = np.empty(int(piece.many.sum(dtype=np.int64)), np.uint32)
    start = 0
    for place, stop in enumerate(reach.tolist()):
        own = keys[start : start + stop]
        np.take(item_ix, piece.first[:stop] + place, out=own, mode="clip")  # in one go
        own += base[:stop]
        start += stop
    keys.sort()
    again = max(0, len(keys) - min_support + 1)
    enough = keys[:again][keys[len(keys) - again :] == keys[:again]]
    new = np.flatnonzero(np.append(True, enough[1:] != enough[:-1])[: len(enough)])
    support = np.diff(new, append=len(enough)) + min_support - 1
    a, b = np.divmod(enough[new], np.uint32(n_items))
    return _counts(a.astype(np.int64) + piece.start, b, support)


def _dense(
    piece: _Block, item_ix: npt.NDArray[np.uint32], n_items: int, min_support: int, block: int
) -> Counts:
    """Count the partners of one product, as many entries at a time as make a block."""
    met = np.cumsum(piece.many, dtype=np.int64)
    total = np.zeros(n_items, np.int64)
    start = 0
    while start < len(met):
        before = met[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(met, before + block, side="right")))
        some, reach = _falling(_Block(piece.start, *(column[start:stop] for column in piece[1:])))
        partners = [item_ix[some.first[:end] + place] for place, end in enumerate(reach.tolist())]
        total += np.bincount(np.concatenate(partners), minlength=n_items)
        start = stop
    b = np.flatnonzero(total >= min_support)
    return _counts(np.full(len(b), piece.start), b, total[b])


def _counts(*columns: npt.NDArray[Any]) -> Counts:
    return Counts(*(column.astype(np.int32) for column in columns))


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
