"""Names the best products of each customer, for models that score more than are wanted.

Scores of products come in, one list a customer comes out, best first, equal ones by item. Called
by the models: products speak for others through a table, and lists are cut to their best.
"""

from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.datasets import IntArray, IxArray, compiled, fixed, zeroed

Scores = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Array = npt.NDArray[Any]

_LOW: Final = (1 << 32) - 1
_FLIP: Final = (1 << 31) - 1


class Recommendations(NamedTuple):
    """One list of products for each of ``n`` customers, best first, as long as there are any.

    Attributes
    ----------
    indptr : ndarray of shape (n + 1,), int64
        Row ``r`` is ``indptr[r]:indptr[r + 1]`` of the other arrays.
    item_ix : ndarray, int32
        Each product once a row.
    scores : ndarray, float32
        Falling within a row; equal ones by ``item_ix``. Comparable within a model only.
    """

    indptr: IntArray
    item_ix: IxArray
    scores: Scores

    def row(self, r: int) -> tuple[IxArray, Scores]:
        """Return the products and scores of one customer."""
        part = slice(self.indptr[r], self.indptr[r + 1])
        return self.item_ix[part], self.scores[part]


class ItemVotes(NamedTuple):
    """What products of each customer say of others.

    Attributes
    ----------
    indptr : ndarray of shape (n + 1,), int64
        Row ``r`` is ``indptr[r]:indptr[r + 1]`` of the next two.
    item_ix : ndarray, int32
        Rows of the table that speak.
    loud : ndarray, float64
        Weight of each; those at zero and below say nothing.
    starts : ndarray of shape (n_rows + 1,), int64
        The table: row ``i`` is ``starts[i]:starts[i + 1]`` of the next two.
    of : ndarray, int32
        Of whom it speaks, ascending.
    weight : ndarray, float32
        What it says of them.
    """

    indptr: IntArray
    item_ix: IxArray
    loud: Floats
    starts: IntArray
    of: IxArray
    weight: Scores


def item_votes(
    indptr: Array, item_ix: Array, loud: Array, table: tuple[Array, Array, Array]
) -> ItemVotes:
    """Gather what ``ItemVotes`` holds, as compiled functions want it."""
    return ItemVotes(*map(fixed, (indptr, item_ix, loud, *table)))


@lru_cache(maxsize=64)
def no_votes(n: int) -> ItemVotes:
    """Nothing, of ``n`` customers."""
    table = np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32)
    return item_votes(np.zeros(n + 1, np.int64), table[1], np.empty(0), table)


def sum_votes(one: ItemVotes, other: ItemVotes, n_items: int) -> tuple[IntArray, IxArray, Floats]:
    """Add up what is said of everything that anything is said of.

    Parameters
    ----------
    one, other : ItemVotes
        Of the same ``n`` customers, over the same products. The sum of both counts, in this order.
    n_items : int
        That are spoken of, at most.

    Returns
    -------
    indptr : ndarray of shape (n + 1,), int64
    item_ix : ndarray, int32
        Each once a row, in no order.
    total : ndarray, float64
        Above zero, in single precision too.
    """
    with zeroed((n_items, np.float64)) as (total,):
        found: tuple[IntArray, IxArray, Floats] = _spoken(tuple(one), tuple(other), total)
    return found


def top_voted(one: ItemVotes, other: ItemVotes, n_items: int, n: int) -> Recommendations:
    """Name those of whom most is said in all.

    Parameters
    ----------
    one, other, n_items
        As of ``spoken``.
    n : int
        Wanted for each customer.

    Returns
    -------
    Recommendations
        Of sums above zero, rounded to single precision.
    """
    indptr, item_ix, total = sum_votes(one, other, n_items)
    return top_of_lists(indptr, item_ix, total.astype(np.float32), n)


def votes_for(
    one: ItemVotes, other: ItemVotes, indptr: Array, item_ix: Array, n_items: int
) -> Scores:
    """Say how much is said of given products: what ``loudest`` gives them, or 0.

    Parameters
    ----------
    one, other, n_items
        As of ``spoken``.
    indptr, item_ix : ndarray
        The products of each row.
    """
    ends, items, total = sum_votes(one, other, n_items)
    return scores_in_lists(ends, items, total.astype(np.float32), (indptr, item_ix), n_items)


def strongest_voters(
    one: ItemVotes, other: ItemVotes, wanted: tuple[Array, Array], n_items: int
) -> IxArray:
    """Say which product speaks loudest for each given one; the lowest of equals.

    Parameters
    ----------
    one, other, n_items
        As of ``loudest``.
    wanted : tuple of ndarray
        ``indptr`` and ``item_ix`` of the products of each row.

    Returns
    -------
    ndarray of the length of ``wanted[1]``, int32
        -1 where nothing speaks for a product.
    """
    with zeroed((n_items, np.int32)) as (place,):
        return _speakers(place, tuple(one), tuple(other), *map(fixed, wanted))


def top_of_lists(indptr: Array, item_ix: Array, scores: Array, n: int) -> Recommendations:
    """Cut scored lists to their best.

    Parameters
    ----------
    indptr : ndarray of shape (n_rows + 1,), int64
    item_ix : ndarray, int32
        Each product once a row, in any order.
    scores : ndarray, float32
        Of any sign.
    n : int
        Wanted in each row.
    """
    n = min(n, int((indptr[1:] - indptr[:-1]).max(initial=0)))
    return Recommendations(*_first(fixed(indptr), fixed(item_ix), fixed(scores), n))


def top_of_new(
    found: Recommendations, had: tuple[Array, Array], n_items: int, n: int
) -> Recommendations:
    """Take out what customers had, ``indptr`` and ``item_ix``, and keep ``n`` of the rest."""
    with zeroed((n_items, np.uint8)) as (mark,):
        return Recommendations(*_new(n, mark, *map(fixed, (*found, *had))))


def scores_in_lists(
    indptr: Array, items: Array, scores: Array, wanted: tuple[Array, Array], n_items: int
) -> Scores:
    """Read given products' scores from lists, 0 where they do not hold them.

    Parameters
    ----------
    indptr, items, scores : ndarray
        One list a row, in any order.
    wanted : tuple of ndarray
        ``indptr`` and ``item_ix`` of the products of each row.
    n_items : int
        Size of the catalogue.
    """
    with zeroed((n_items, np.int32)) as (place,):
        return _look_up(place, *map(fixed, (indptr, items, scores, *wanted)))


@compiled
def _key(score_bits: Any, item: Any) -> Any:
    """One number of a score and an item: larger for a higher score, then for a lower item."""
    if score_bits < 0:
        score_bits ^= _FLIP
    return (score_bits << 32) | (_LOW - item)


@compiled
def _push(heap: IntArray, size: Any, n: int, key: Any) -> Any:
    """Keep the ``n`` largest keys, the smallest of them in front; return how many there are."""
    if size == n:
        if n == 0 or key <= heap[0]:
            return size
        at, child = 0, 1
        while child < n:
            if child + 1 < n and heap[child + 1] < heap[child]:
                child += 1
            if heap[child] >= key:
                break
            heap[at] = heap[child]
            at, child = child, 2 * child + 1
        heap[at] = key
        return size
    at = size
    while at > 0 and heap[(at - 1) >> 1] > key:
        heap[at] = heap[(at - 1) >> 1]
        at = (at - 1) >> 1
    heap[at] = key
    return size + 1


@compiled
def _unpack(heap: IntArray, size: Any, items: IxArray, bits: IxArray, start: Any) -> None:
    """Write a heap's keys as items and scores, largest first; the heap is used up."""
    for last in range(size - 1, -1, -1):
        key = heap[0]
        high = key >> 32
        items[start + last] = _LOW - (key & _LOW)
        bits[start + last] = high ^ _FLIP if high < 0 else high
        moved = heap[last]
        at, child = 0, 1
        while child < last:
            if child + 1 < last and heap[child + 1] < heap[child]:
                child += 1
            if heap[child] >= moved:
                break
            heap[at] = heap[child]
            at, child = child, 2 * child + 1
        heap[at] = moved


@compiled
def _much(one: Any, r: int) -> int:
    """How much is said in one row."""
    indptr, item_ix, loud, starts, _, _ = one
    size = 0
    for at in range(indptr[r], indptr[r + 1]):
        if loud[at] > 0:
            size += starts[item_ix[at] + 1] - starts[item_ix[at]]
    return size


@compiled
def _add(one: Any, r: int, total: Floats, touched: IxArray, size: int) -> int:
    """Add what is said in one row to ``total``; return how many are spoken of so far.

    Who is at zero is noted down, perhaps not for the first time.
    """
    indptr, item_ix, loud, starts, of, weight = one
    for at in range(indptr[r], indptr[r + 1]):
        item = item_ix[at]
        if loud[at] <= 0:
            continue
        for to in range(starts[item], starts[item + 1]):
            other = of[to]
            before = total[other]
            if before == 0.0:
                touched[size] = other
                size += 1
            total[other] = before + loud[at] * weight[to]
    return size


@compiled
def _spoken(one: Any, other: Any, total: Floats) -> tuple[IntArray, IxArray, Floats]:
    n_rows = len(one[0]) - 1
    indptr = np.zeros(n_rows + 1, np.int64)
    room = 0
    for r in range(n_rows):
        room += _much(one, r) + _much(other, r)
    items, totals = np.empty(room, np.int32), np.empty(room, np.float64)
    end = 0
    for r in range(n_rows):
        count = _add(one, r, total, items[end:], 0)
        count = _add(other, r, total, items[end:], count)
        last = end + count
        for at in range(end, last):  # what is kept is written over what was read
            item = items[at]
            if np.float32(total[item]) > 0:
                items[end], totals[end] = item, total[item]
                end += 1
            total[item] = 0.0
        indptr[r + 1] = end
    return indptr, items[:end].copy(), totals[:end].copy()


@compiled
def _speakers(place: IxArray, one: Any, other: Any, indptr: IntArray, wanted: IxArray) -> IxArray:
    speaker = np.full(len(wanted), -1, np.int32)
    voice = np.zeros(len(wanted), np.float64)
    for r in range(len(indptr) - 1):
        for at in range(indptr[r], indptr[r + 1]):
            place[wanted[at]] = at - indptr[r] + 1
        if indptr[r] < indptr[r + 1]:
            for ends, item_ix, loud, starts, of, weight in (one, other):
                for at in range(ends[r], ends[r + 1]):
                    item = item_ix[at]
                    if loud[at] <= 0:
                        continue
                    for one_of in range(starts[item], starts[item + 1]):
                        if place[of[one_of]] == 0:
                            continue
                        to = indptr[r] + place[of[one_of]] - 1
                        amount = loud[at] * weight[one_of]
                        if amount > voice[to] or (amount == voice[to] and item < speaker[to]):
                            speaker[to], voice[to] = item, amount
        for at in range(indptr[r], indptr[r + 1]):
            speaker[at] = speaker[indptr[r] + place[wanted[at]] - 1]
        for at in range(indptr[r], indptr[r + 1]):
            place[wanted[at]] = 0
    return speaker


@compiled
def _first(
    indptr: IntArray, item_ix: IxArray, given: Scores, n: int
) -> tuple[IntArray, IxArray, Scores]:
    n_rows = len(indptr) - 1
    ends = np.zeros(n_rows + 1, np.int64)
    items, scores = np.empty(n_rows * n, np.int32), np.empty(n_rows * n, np.float32)
    bits, given_bits = scores.view(np.int32), given.view(np.int32)
    heap = np.empty(n, np.int64)
    for r in range(n_rows):
        size = 0
        for at in range(indptr[r], indptr[r + 1]):
            size = _push(heap, size, n, _key(np.int64(given_bits[at]), np.int64(item_ix[at])))
        _unpack(heap, size, items, bits, ends[r])
        ends[r + 1] = ends[r] + size
    return ends, items[: ends[-1]].copy(), scores[: ends[-1]].copy()


@compiled
def _new(
    n: int,
    mark: Array,
    indptr: IntArray,
    item_ix: IxArray,
    given: Scores,
    had_indptr: IntArray,
    had: IxArray,
) -> tuple[IntArray, IxArray, Scores]:
    n_rows = len(indptr) - 1
    ends = np.zeros(n_rows + 1, np.int64)
    items, scores = np.empty(len(item_ix), np.int32), np.empty(len(item_ix), np.float32)
    for r in range(n_rows):
        own = had[had_indptr[r] : had_indptr[r + 1]]
        for item in own:
            mark[item] = 1
        end = ends[r]
        for at in range(indptr[r], indptr[r + 1]):
            if mark[item_ix[at]] == 0 and end < ends[r] + n:
                items[end], scores[end] = item_ix[at], given[at]
                end += 1
        for item in own:
            mark[item] = 0
        ends[r + 1] = end
    return ends, items[: ends[-1]].copy(), scores[: ends[-1]].copy()


@compiled
def _look_up(
    place: IxArray,
    indptr: IntArray,
    items: IxArray,
    given: Scores,
    wanted_indptr: IntArray,
    wanted: IxArray,
) -> Scores:
    scores = np.zeros(len(wanted), np.float32)
    for r in range(len(indptr) - 1):
        for at in range(indptr[r], indptr[r + 1]):
            place[items[at]] = at - indptr[r] + 1
        for at in range(wanted_indptr[r], wanted_indptr[r + 1]):
            found = place[wanted[at]]
            if found:
                scores[at] = given[indptr[r] + found - 1]
        for at in range(indptr[r], indptr[r + 1]):
            place[items[at]] = 0
    return scores
