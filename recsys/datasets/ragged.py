"""Lists of items, one a row, as two flat arrays.

Pairs of row and item come in, ragged lists and answers about them come out. Histories and
recommendations have the same shape, so what is said here of lists holds for them too. Called by
``ranking`` for what must not be shown, and by ``evaluation`` for what was wanted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recsys.datasets.buffers import zeroed
from recsys.datasets.compilation import compiled, fixed

Integers = NDArray[np.integer]


class Ragged(Protocol):
    """Anything that holds one list of items a row: recommendations, histories, ``Lists``."""

    @property
    def indptr(self) -> Integers:
        """Row ``i`` lies in ``item_ix[indptr[i]:indptr[i + 1]]``; shape (n + 1,)."""

    @property
    def item_ix(self) -> Integers:
        """Item indices of all rows, one after the other."""


@dataclass(frozen=True)
class Lists:
    """One list of items a row.

    Parameters
    ----------
    indptr : ndarray of shape (n + 1,), int64
        Row ``i`` lies in ``item_ix[indptr[i]:indptr[i + 1]]``.
    item_ix : ndarray, int32
        Item indices.
    """

    indptr: NDArray[np.int64]
    item_ix: NDArray[np.int32]

    @classmethod
    def of_pairs(cls, rows: Integers, item_ix: Integers, n: int) -> "Lists":
        """Gather pairs of row and item, in any order, each pair once, sorted by item.

        Parameters
        ----------
        rows, item_ix : ndarray of the same length
            Row numbers in ``[0, n)`` and item indices.
        n : int
            Number of rows, those without items included.
        """
        order = np.lexsort((item_ix, rows))
        rows, items = rows[order], item_ix[order].astype(np.int32)
        first = np.ones(len(rows), dtype=bool)
        first[1:] = (rows[1:] != rows[:-1]) | (items[1:] != items[:-1])
        return cls(pointers(rows[first], n), items[first])

    @classmethod
    def of_rows(cls, rows: Sequence[Integers]) -> "Lists":
        """Put one array a row behind one another, as they are.

        Parameters
        ----------
        rows : sequence of ndarray of integer, length n
            Item indices of each row; a row may be empty.

        Returns
        -------
        Lists
            Repeats and order stay.
        """
        indptr = np.array([0, *accumulate(map(len, rows))], np.int64)
        items = np.concatenate(rows) if len(rows) else np.empty(0, np.int32)
        return cls(indptr, items.astype(np.int32, copy=False))

    def row(self, r: int) -> "Lists":
        """Cut out one row.

        Parameters
        ----------
        r : int
            In ``[0, n)``.

        Returns
        -------
        Lists
            Of one row, a view of the same items.
        """
        start, end = self.indptr[r], self.indptr[r + 1]
        return Lists(np.array([0, end - start]), self.item_ix[start:end])


def pointers(rows: Integers, n: int) -> NDArray[np.int64]:
    """Say where each row begins and ends.

    Parameters
    ----------
    rows : ndarray of shape (m,), integer
        Row of every entry, ascending, in ``[0, n)``.
    n : int
        Number of rows, those without entries included.

    Returns
    -------
    ndarray of shape (n + 1,), int64
        As of ``Lists``.
    """
    if n == 1:
        return np.array([0, len(rows)], np.int64)
    indptr = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows, minlength=n), out=indptr[1:])
    return indptr


def rows_of(lists: Ragged) -> NDArray[np.int64]:
    """Row of every entry.

    Parameters
    ----------
    lists : Ragged
        With ``m`` entries in all rows.

    Returns
    -------
    ndarray of shape (m,), int64
        Ascending, from 0.
    """
    if len(lists.indptr) == 2:
        return np.zeros(len(lists.item_ix), np.int64)
    return np.repeat(np.arange(len(lists.indptr) - 1, dtype=np.int64), np.diff(lists.indptr))


def positions_of(lists: Ragged) -> NDArray[np.int64]:
    """Position of every entry in its own list, from 0.

    Parameters
    ----------
    lists : Ragged
        With ``m`` entries in all rows.

    Returns
    -------
    ndarray of shape (m,), int64
    """
    starts = np.repeat(lists.indptr[:-1], np.diff(lists.indptr))
    return np.arange(len(lists.item_ix), dtype=np.int64) - starts


def rows_contain(lists: Ragged, rows: Integers, item_ix: Integers) -> NDArray[np.bool_]:
    """Say whether row ``rows[j]`` of some lists holds item ``item_ix[j]``.

    Parameters
    ----------
    lists : Ragged
        Where to look.
    rows : ndarray of shape (m,), integer
        Row of each question, in any order; quickest where they ascend.
    item_ix : ndarray of shape (m,), integer
        Item that each question asks for, >= 0.

    Returns
    -------
    ndarray of shape (m,), bool
    """
    if not len(lists.item_ix) or not len(item_ix):
        return np.zeros(len(item_ix), dtype=bool)
    rows, asked = np.asarray(rows, np.int64), np.asarray(item_ix, np.int32)
    indptr, held = np.asarray(lists.indptr, np.int64), np.asarray(lists.item_ix, np.int32)
    with zeroed((int(max(asked.max(), held.max())) + 1, np.uint8)) as (mark,):
        if (rows[1:] >= rows[:-1]).all():
            return _contains(mark, *map(fixed, (indptr, held, rows, asked)))
        order = np.argsort(rows, kind="stable")
        found = np.empty(len(rows), bool)
        found[order] = _contains(mark, *map(fixed, (indptr, held, rows[order], asked[order])))
        return found


@compiled
def _contains(
    mark: NDArray[np.uint8],
    indptr: NDArray[np.int64],
    held: NDArray[np.int32],
    rows: NDArray[np.int64],
    asked: NDArray[np.int32],
) -> NDArray[np.bool_]:
    """Mark each row's items, look up what is asked of that row, clear the marks.

    Rows ascend, so each is marked once. Compiled, because numpy would search or sort pairs of row
    and item.
    """
    found = np.zeros(len(asked), np.bool_)
    start = 0
    while start < len(asked):
        row, stop = rows[start], start
        for item in held[indptr[row] : indptr[row + 1]]:
            mark[item] = 1
        while stop < len(asked) and rows[stop] == row:
            found[stop] = mark[asked[stop]] == 1
            stop += 1
        for item in held[indptr[row] : indptr[row + 1]]:
            mark[item] = 0
        start = stop
    return found


def without_items(lists: Ragged, taken: Ragged) -> Lists:
    """Drop from each row what the same row of ``taken`` holds; the order of the rest stays.

    With a history as ``taken`` this leaves what is new to the customer.

    Parameters
    ----------
    lists : Ragged
        ``n`` rows to drop items from.
    taken : Ragged
        ``n`` rows of items to drop, in any order.

    Returns
    -------
    Lists
        ``n`` rows, some of them shorter.
    """
    rows = rows_of(lists)
    keep = ~rows_contain(taken, rows, lists.item_ix)
    return Lists(pointers(rows[keep], len(lists.indptr) - 1), lists.item_ix[keep].astype(np.int32))
