"""Rows of many customers at once.

In: lines or events, customer by customer. Out: one ``CustomerHistory`` each, the same that
``add_lines`` and ``add_events`` make of an empty row. Most customers' lines fit in a row and are in
order already, which is checked for all of them together. Called by ``history_rows``.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from recsys.datasets import customer_history
from recsys.datasets.customer_history import EMPTY, CustomerHistory, Structured
from recsys.datasets.interactions import MAX_EVENTS
from recsys.datasets.item_index import IntArray


def of_lines(lines: Structured, bounds: IntArray) -> Iterator[CustomerHistory]:
    """Make a row of each customer's lines.

    Parameters
    ----------
    lines : ndarray of customer_history.LINES
        In order of arrival within a customer.
    bounds : ndarray of shape (n + 1,), int64
        Customer ``r`` has ``lines[bounds[r]:bounds[r + 1]]``, at least one.

    Yields
    ------
    CustomerHistory
        Holds no more than its own lines: the array they came in may go.
    """
    alone = (np.diff(bounds) > customer_history.MAX_LINES) | _out_of_order(lines["ts"], bounds)
    ends = bounds.tolist()
    for start, end, is_alone in zip(ends[:-1], ends[1:], alone.tolist(), strict=True):
        part = lines[start:end]
        yield (
            customer_history.add_lines(EMPTY, part)
            if is_alone
            else CustomerHistory(part.copy(), EMPTY.older, EMPTY.events)
        )


def of_events(events: Structured, bounds: IntArray) -> Iterator[CustomerHistory]:
    """Make a row of each customer's views and carts, without lines.

    Parameters
    ----------
    events : ndarray of histories.EVENTS
        In any order within a customer.
    bounds : ndarray of shape (n + 1,), int64
        As for ``of_lines``.

    Yields
    ------
    CustomerHistory
    """
    events = events[bounds[0] : bounds[-1]]
    row = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    key, kind = events["item_key"], events["kind"]
    order = np.lexsort((events["channel"], events["ts"], kind, key, row))
    row, key, kind = row[order], key[order], kind[order]
    last = np.ones(len(order), bool)
    last[:-1] = (row[1:] != row[:-1]) | (key[1:] != key[:-1]) | (kind[1:] != kind[:-1])
    order, row, key, kind = order[last], row[last], key[last], kind[last]
    by_time = np.lexsort((key, kind, events["ts"][order], row))
    events = events[order[by_time]]
    ends = np.cumsum(np.bincount(row, minlength=len(bounds) - 1))
    start = 0
    for end in ends.tolist():
        part = events[max(start, end - MAX_EVENTS) : end]
        yield CustomerHistory(EMPTY.lines, EMPTY.older, part.copy())
        start = end


def _out_of_order(ts: npt.NDArray[np.int64], bounds: IntArray) -> npt.NDArray[np.bool_]:
    """Whether some line of each customer is earlier than the one before it."""
    late = np.flatnonzero(ts[1:] < ts[:-1]) + 1
    late = late[(late > bounds[0]) & (late < bounds[-1])]
    row = np.searchsorted(bounds, late, side="right") - 1
    found = np.zeros(len(bounds) - 1, bool)
    found[row[bounds[row] < late]] = True
    return found
