"""Lays customers' stored rows out as the flat arrays of a batch.

Rows as the ledger stores them and a catalogue come in; columns over positions in the catalogue
come out, with what the catalogue does not hold and what came too late left out. Called by
``customer_history``.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.datasets.compilation import compiled, fixed
from recsys.datasets.item_index import IntArray, ItemIndex, place

Structured = npt.NDArray[np.void]
Columns = tuple[npt.NDArray[Any], ...]


def lay_out_lines(
    lines: Sequence[Structured],
    older: Sequence[Structured],
    index: ItemIndex,
    as_of_ts: IntArray,
    no_channel: int,
) -> Columns:
    """Lay purchase lines out, each row's summary before its lines.

    Parameters
    ----------
    lines : sequence of ndarray of LINES, length n
    older : sequence of ndarray of OLDER, length n
    index : ItemIndex
    as_of_ts : ndarray of shape (n,), int64
    no_channel : int
        The channel of a summary.

    Returns
    -------
    tuple of ndarray
        ``indptr, item_ix, ts, quantity, count, order, channel, location, amount_minor``.
    """
    columns: Columns = _lay_lines(
        no_channel, *_together(lines), *_together(older), *index.search, fixed(as_of_ts)
    )
    return columns


def lay_out_events(events: Sequence[Structured], index: ItemIndex, as_of_ts: IntArray) -> Columns:
    """Lay views and carts out.

    Parameters
    ----------
    events : sequence of ndarray of EVENTS, length n
        Each by ``ts``, ``kind``, ``item_key``.
    index, as_of_ts
        As of ``lay_out_lines``.

    Returns
    -------
    tuple of ndarray
        ``indptr, item_ix, ts, kind``; by ``ts``, ``kind``, ``item_ix`` within a row.
    """
    columns: Columns = _lay_events(*_together(events), *index.search, fixed(as_of_ts))
    return columns


def _together(rows: Sequence[Structured]) -> tuple[IntArray, Structured]:
    """Where each row ends, and all of them, one after the other."""
    ends = np.array([0, *accumulate(map(len, rows))], np.int64)
    if len(rows) == 1:
        return fixed(ends), fixed(rows[0])
    dtype = rows[0].dtype
    return fixed(ends), np.frombuffer(b"".join(row.data for row in rows), dtype)


@compiled
def _lay_lines(
    no_channel: Any,
    ends: Any,
    lines: Any,
    older_ends: Any,
    older: Any,
    shift: Any,
    depth: Any,
    start: Any,
    keys: Any,
    ix: Any,
    as_of_ts: Any,
) -> Any:
    """Copy each row's summary, then its lines, into columns; drop what is unknown or too late.

    Compiled, because numpy would make several passes over structured rows, one for each condition
    and column.
    """
    n, room = len(ends) - 1, len(lines) + len(older)
    indptr, item_ix = np.zeros(n + 1, np.int64), np.empty(room, np.int32)
    ts, quantity = np.empty(room, np.int64), np.empty(room, np.float32)
    count, order = np.empty(room, np.int32), np.empty(room, np.int64)
    channel, location = np.empty(room, np.uint8), np.empty(room, np.int64)
    amount_minor = np.empty(room, np.int32)
    k = 0
    for r in range(n):
        for at in range(older_ends[r], older_ends[r + 1]):
            one = older[at]
            if one.last_ts >= as_of_ts[r]:
                continue
            item = place(one.item_key, shift, depth, start, keys, ix)
            if item >= 0:
                item_ix[k], ts[k], quantity[k] = item, one.last_ts, one.quantity
                count[k], order[k], channel[k] = max(one.count, 1), 0, no_channel
                location[k], amount_minor[k] = 0, 0
                k += 1
        for at in range(ends[r], ends[r + 1]):
            line = lines[at]
            if line.ts >= as_of_ts[r]:
                continue
            item = place(line.item_key, shift, depth, start, keys, ix)
            if item >= 0:
                item_ix[k], ts[k], quantity[k] = item, line.ts, line.quantity
                count[k], order[k], channel[k] = 1, line.order, line.channel
                location[k], amount_minor[k] = line.location, line.amount_minor
                k += 1
        indptr[r + 1] = k
    return (
        indptr,
        item_ix[:k],
        ts[:k],
        quantity[:k],
        count[:k],
        order[:k],
        channel[:k],
        location[:k],
        amount_minor[:k],
    )


@compiled
def _lay_events(
    ends: Any, events: Any, shift: Any, depth: Any, start: Any, keys: Any, ix: Any, as_of_ts: Any
) -> Any:
    """Copy each row's events into columns, sorted by time, kind and position.

    Rows are sorted by time, kind and key, so an insertion sort has only to order equal times.
    Compiled for the same reason as ``_lay_lines``.
    """
    n, room = len(ends) - 1, len(events)
    indptr, item_ix = np.zeros(n + 1, np.int64), np.empty(room, np.int32)
    ts, kind = np.empty(room, np.int64), np.empty(room, np.uint8)
    k = 0
    for r in range(n):
        for at in range(ends[r], ends[r + 1]):
            event = events[at]
            if event.ts >= as_of_ts[r]:
                continue
            item = place(event.item_key, shift, depth, start, keys, ix)
            if item < 0:
                continue
            # They are sorted but for the order of products.
            to = k
            while (
                to > indptr[r]
                and ts[to - 1] == event.ts
                and kind[to - 1] == event.kind
                and item_ix[to - 1] > item
            ):
                item_ix[to], ts[to], kind[to] = item_ix[to - 1], ts[to - 1], kind[to - 1]
                to -= 1
            item_ix[to], ts[to], kind[to] = item, event.ts, event.kind
            k += 1
        indptr[r + 1] = k
    return indptr, item_ix[:k], ts[:k], kind[:k]
