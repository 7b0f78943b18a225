"""Selects the best candidates of each request.

In: keys of candidates. Out: positions of the best ones, best first; ties by item. Called by
``discovery`` and ``boosted_trees``.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.datasets import IntArray, IxArray, Ragged, compiled, fixed

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def best_candidates(
    candidates: Ragged, total: Floats, allowed: Bools, counts: IntArray, behind: Bools | None = None
) -> tuple[IntArray, IntArray]:
    """Find the best candidates of each request.

    Parameters
    ----------
    candidates : Ragged
        ``m`` candidates of ``n`` requests.
    total : ndarray of shape (m,), float64
        More is better.
    allowed : ndarray of shape (m,), bool
        Whether each candidate takes part.
    counts : ndarray of shape (n,), int64
        Number to select for each request.
    behind : ndarray of shape (m,), bool, optional
        Candidates to rank behind all others.

    Returns
    -------
    indptr : ndarray of shape (n + 1,), int64
    position : ndarray, int64
        In ``candidates``; the best of each request first.
    """
    last = np.zeros(len(total), bool) if behind is None else behind
    arrays = candidates.indptr, candidates.item_ix, total, allowed, last, counts
    return _best(*map(fixed, arrays))


def best_of_groups(
    candidates: Ragged,
    total: Floats,
    allowed: Bools,
    group: npt.NDArray[np.uint8],
    groups: Sequence[int],
    n: int,
    n_each: int,
) -> IntArray:
    """Find the best candidates of each request, and the best of each group of them.

    Parameters
    ----------
    found, total, allowed
        As in ``best_candidates``.
    group : ndarray of shape (m,), uint8
        Of each candidate.
    groups : sequence of int
        Groups that take part.
    n, n_each : int
        Number to select from all groups together, and from each.

    Returns
    -------
    ndarray, int64
        Positions in ``candidates``, each once, ascending.
    """
    arrays = (
        candidates.indptr,
        candidates.item_ix,
        total,
        allowed,
        group,
        np.array(groups, np.uint8),
    )
    chosen: IntArray = _best_of_groups(n, n_each, *map(fixed, arrays))
    return chosen


def count_left_out(
    candidates: Ragged,
    total: Floats,
    code: npt.NDArray[np.uint8],
    shown: tuple[IntArray, IntArray],
    counts: IntArray,
    n_rules: int,
) -> npt.NDArray[np.int64]:
    """Count the candidates that each rule keeps out of each list.

    Parameters
    ----------
    found, total, counts
        As in ``best_candidates``.
    code : ndarray of shape (m,), uint8
        As ``Rules.forbid`` returns it.
    shown : tuple of ndarray
        The best of the candidates that no rule forbids.
    n_rules : int

    Returns
    -------
    ndarray of shape (n, n_rules), int64
    """
    arrays = candidates.indptr, candidates.item_ix, total, code, *shown, counts
    return _left_out(n_rules, *map(fixed, arrays))


@compiled
def _before(a: Any, b: Any, behind: Bools, total: Floats, item_ix: IxArray) -> Any:
    """Return whether one position ranks before another."""
    if behind[a] != behind[b]:
        return behind[b]
    if total[a] != total[b]:
        return total[a] > total[b]
    return item_ix[a] < item_ix[b]


@compiled
def _best(
    indptr: IntArray,
    item_ix: IxArray,
    total: Floats,
    allowed: Bools,
    behind: Bools,
    counts: IntArray,
) -> tuple[IntArray, IntArray]:
    """Find the ``counts[r]`` best candidates of each row by a bounded heap, then sort them.

    Rows in order; ties by item. Compiled because numpy would sort all candidates to keep a few,
    and cannot sort by three keys per row without allocating them.
    """
    n = len(indptr) - 1
    ends = np.zeros(n + 1, np.int64)
    room = 0
    for r in range(n):
        room += min(counts[r], indptr[r + 1] - indptr[r])
    positions = np.empty(room, np.int64)
    for r in range(n):
        # A heap of the best so far, the last of them in front.
        heap = positions[ends[r] : ends[r] + min(counts[r], indptr[r + 1] - indptr[r])]
        size = 0
        for one in range(indptr[r], indptr[r + 1]):
            if not allowed[one]:
                continue
            if size < len(heap):
                at = size
                while at > 0 and _before(heap[(at - 1) >> 1], one, behind, total, item_ix):
                    heap[at] = heap[(at - 1) >> 1]
                    at = (at - 1) >> 1
                heap[at] = one
                size += 1
            elif size and _before(one, heap[0], behind, total, item_ix):
                at, child = 0, 1
                while child < size:
                    if child + 1 < size and _before(
                        heap[child], heap[child + 1], behind, total, item_ix
                    ):
                        child += 1
                    if not _before(one, heap[child], behind, total, item_ix):
                        break
                    heap[at] = heap[child]
                    at, child = child, 2 * child + 1
                heap[at] = one
        for last in range(size - 1, 0, -1):  # the last one to its place, time and again
            moved, heap[last] = heap[last], heap[0]
            at, child = 0, 1
            while child < last:
                if child + 1 < last and _before(
                    heap[child], heap[child + 1], behind, total, item_ix
                ):
                    child += 1
                if not _before(moved, heap[child], behind, total, item_ix):
                    break
                heap[at] = heap[child]
                at, child = child, 2 * child + 1
            heap[at] = moved
        ends[r + 1] = ends[r] + size
    return ends, positions[: ends[n]].copy()


@compiled
def _best_of_groups(
    n: int,
    n_each: int,
    indptr: IntArray,
    item_ix: IxArray,
    total: Floats,
    allowed: Bools,
    group: npt.NDArray[np.uint8],
    groups: npt.NDArray[np.uint8],
) -> IntArray:
    """Mark the best of each group, then the best of all groups; return the marked positions."""
    many, each = np.full(len(indptr) - 1, n), np.full(len(indptr) - 1, n_each)
    nobody, chosen = np.zeros(len(total), np.bool_), np.zeros(len(total), np.bool_)
    any_of, mine = np.zeros(len(total), np.bool_), np.empty(len(total), np.bool_)
    for one in groups:
        for at in range(len(total)):
            mine[at] = allowed[at] and group[at] == one
            any_of[at] |= mine[at]
        for at in _best(indptr, item_ix, total, mine, nobody, each)[1]:
            chosen[at] = True
    for at in _best(indptr, item_ix, total, any_of, nobody, many)[1]:
        chosen[at] = True
    return np.flatnonzero(chosen)


@compiled
def _left_out(
    n_rules: int,
    indptr: IntArray,
    item_ix: IxArray,
    total: Floats,
    code: npt.NDArray[np.uint8],
    ends: IntArray,
    shown: IntArray,
    counts: IntArray,
) -> npt.NDArray[np.int64]:
    """Count, row by row, the forbidden candidates that rank before the last one shown.

    Compiled to walk each row once; numpy would repeat the last shown key for every candidate.
    """
    n = len(indptr) - 1
    out = np.zeros((n, n_rules), np.int64)
    for r in range(n):
        full = ends[r + 1] - ends[r] == counts[r]
        last = shown[ends[r + 1] - 1] if full else 0
        for at in range(indptr[r], indptr[r + 1]):
            if code[at] == 0:
                continue
            if (
                not full
                or total[at] > total[last]
                or (total[at] == total[last] and item_ix[at] < item_ix[last])
            ):
                out[r, code[at] - 1] += 1
    return out
