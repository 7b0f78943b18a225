"""Selects the ``n`` products with the highest scores of each customer.

In: lists of scored products, one a customer. Out: lists that are cut to their best, best first,
equal scores by item, or the scores of given products. Called by the models and their kernels.
"""

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
        """Return the list of one customer.

        Parameters
        ----------
        r : int
            In ``[0, n)``.

        Returns
        -------
        item_ix : ndarray of shape (length,), int32
            Products, best first.
        scores : ndarray of shape (length,), float32
            Of each.
        """
        part = slice(self.indptr[r], self.indptr[r + 1])
        return self.item_ix[part], self.scores[part]


def top_of_lists(indptr: Array, item_ix: Array, scores: Array, n: int) -> Recommendations:
    """Cut scored lists to the ``n`` highest scores.

    Parameters
    ----------
    indptr : ndarray of shape (n_rows + 1,), int64
    item_ix : ndarray, int32
        Each product once a row, in any order.
    scores : ndarray, float32
        Of any sign.
    n : int
        Products to keep in each row, at most.

    Returns
    -------
    Recommendations
    """
    return Recommendations(*_first(fixed(indptr), fixed(item_ix), fixed(scores), n))


def top_of_new(
    lists: Recommendations, bought: tuple[Array, Array], n_items: int, n: int
) -> Recommendations:
    """Drop what customers bought before, and keep the first ``n`` of the rest.

    Parameters
    ----------
    lists : Recommendations
    bought : tuple of ndarray
        ``indptr`` and ``item_ix`` of what each customer bought.
    n_items : int
        Size of the catalogue.
    n : int
        Products to keep in each row, at most.
    """
    with zeroed((n_items, np.uint8)) as (mark,):
        return Recommendations(*_new(n, mark, *map(fixed, (*lists, *bought))))


def scores_in_lists(
    indptr: Array, items: Array, scores: Array, candidates: tuple[Array, Array], n_items: int
) -> Scores:
    """Look up the scores of given products in lists; 0 for a product that its list lacks.

    Parameters
    ----------
    indptr, items, scores : ndarray
        One list a row, in any order.
    candidates : tuple of ndarray
        ``indptr`` and ``item_ix`` of the products of each row.
    n_items : int
        Size of the catalogue.

    Returns
    -------
    ndarray of the length of ``candidates[1]``, float32
    """
    with zeroed((n_items, np.int32)) as (position,):
        return _look_up(position, *map(fixed, (indptr, items, scores, *candidates)))


@compiled
def _key(score_bits: Any, item: Any) -> Any:
    """Pack a score's bits and an item into one number, larger for a higher score, then lower item.

    Bits of floats compare like integers, once the bits of negative ones are flipped.
    """
    if score_bits < 0:
        score_bits ^= _FLIP
    return (score_bits << 32) | (_LOW - item)


@compiled
def _push(heap: IntArray, size: Any, n: int, key: Any) -> Any:
    """Push a key onto a heap of the ``n`` largest, smallest first; return the heap's size.

    A binary heap in place: ``heapq`` holds Python objects, and numpy has none.
    """
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
    """Pop a heap's keys, smallest first, and write their items and score bits from the end.

    The heap is used up. In place, for the same reason as ``_push``.
    """
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
def _first(
    indptr: IntArray, item_ix: IxArray, given: Scores, n: int
) -> tuple[IntArray, IxArray, Scores]:
    """Push each row's entries onto a heap of ``n``, row by row, and unpack it.

    Compiled: numpy sorts or partitions one row at a time, which costs most where rows are short.
    """
    n_rows, longest = len(indptr) - 1, 0
    for r in range(n_rows):
        longest = max(longest, indptr[r + 1] - indptr[r])
    n = min(n, longest)
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
    bought_indptr: IntArray,
    bought: IxArray,
) -> tuple[IntArray, IxArray, Scores]:
    """Mark what each row bought, copy the first ``n`` entries without a mark, clear the marks.

    Compiled: numpy would need a search for every entry, or a mark for every customer and product.
    """
    n_rows = len(indptr) - 1
    ends = np.zeros(n_rows + 1, np.int64)
    items, scores = np.empty(len(item_ix), np.int32), np.empty(len(item_ix), np.float32)
    for r in range(n_rows):
        own = bought[bought_indptr[r] : bought_indptr[r + 1]]
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
    position: IxArray,
    indptr: IntArray,
    items: IxArray,
    given: Scores,
    candidates_indptr: IntArray,
    candidates: IxArray,
) -> Scores:
    """Note each row's products in ``position``, from 1, look the candidates up, clear the notes.

    Compiled for the same reason as ``_new``.
    """
    scores = np.zeros(len(candidates), np.float32)
    for r in range(len(indptr) - 1):
        for at in range(indptr[r], indptr[r + 1]):
            position[items[at]] = at - indptr[r] + 1
        for at in range(candidates_indptr[r], candidates_indptr[r + 1]):
            if position[candidates[at]] > 0:
                scores[at] = given[indptr[r] + position[candidates[at]] - 1]
        for at in range(indptr[r], indptr[r + 1]):
            position[items[at]] = 0
    return scores
