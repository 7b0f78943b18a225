"""The history's lines and events become customers' rows.

Order lines, views and carts come in, as Arrow batches or straight from the history's Parquet; out
come ``CustomerHistory`` rows, one customer at a time. Memory does not grow with the history beyond
what the engine may use: a history that fits is read whole (``whole``), a larger one streamed.
Called when ingest renews the ledger, and by training and validation, which want the rows as they
were at an earlier time.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from heapq import merge
from itertools import groupby, pairwise
from operator import itemgetter

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from ibis.backends.duckdb import Backend

from recsys.datasets import bulk_rows
from recsys.datasets.arrow import (
    as_numpy,
    keys_of,
    map_distinct,
    register_table,
    row_batches,
    timestamp_of,
)
from recsys.datasets.customer_history import (
    EMPTY,
    EVENTS,
    LINES,
    CustomerHistory,
    Structured,
    add_events,
    add_lines,
)
from recsys.datasets.encoded_history import EncodedEvents, EncodedHistory, EncodedLines
from recsys.datasets.interactions import KIND_OF
from recsys.datasets.item_index import IntArray, location_key, order_key
from recsys.datasets.whole_history import lines_of_all
from recsys.history import History
from recsys.schema import CHANNELS, CORRECTION, UTC

#: Columns of ``schema.LINES`` that a row needs.
COLUMNS = (
    "customer_id",
    "occurred_at",
    "order_id",
    "return_of",
    "channel",
    "location_id",
    "item_id",
    "quantity",
    "amount_minor",
)

_INT32 = np.iinfo(np.int32)


def read_rows(
    history: History,
    *,
    until_ts: int | Mapping[str, int] | None = None,
    customer_ids: Iterable[str] | None = None,
) -> Iterator[tuple[str, CustomerHistory]]:
    """Read every customer's row from the history.

    Parameters
    ----------
    history : History
    until_ts : int or mapping of customer_id to int, optional
        Only lines and events before it, UTC epoch seconds: the rows as they were then. With a
        mapping each customer has a moment of their own, and only those that it names are read.
    customer_ids : iterable of str, optional
        Only these customers.

    Yields
    ------
    customer_id : str
        Ascending; lines without a customer are left out, and corrections, which are no product's.
    row : CustomerHistory
    """
    wanted_ids = None if customer_ids is None else [*customer_ids]
    with ExitStack() as opened:

        def engine() -> Backend:
            """Open one more: all are streamed side by side, each streams one answer at a time."""
            con = history.connect()
            opened.callback(con.disconnect)
            return con

        bought: Iterable[tuple[str, CustomerHistory]]
        everything = lines_of_all(history) if until_ts is None and wanted_ids is None else None
        if everything is not None:
            ids, found, bounds = everything
            bought = zip(ids, bulk_rows.of_lines(found, bounds), strict=True)
        else:
            con = engine()
            lines = con.table("lines")
            lines = _wanted(con, lines.filter(lines.kind != CORRECTION), until_ts, wanted_ids)
            lines = lines.order_by("customer_id", "occurred_at", "order_id", "line_no")
            bought = _gathered(
                row_batches(con, lines.select(*COLUMNS)), to_lines, add_lines, bulk_rows.of_lines
            )
        beside = engine()
        events = _events(_wanted(beside, beside.table("events"), until_ts, wanted_ids))
        events = events.order_by("customer_id", "item_id", "kind", "channel")
        looked = _gathered(row_batches(beside, events), to_events, add_events, bulk_rows.of_events)
        yield from _together(bought, looked)


def rows_until(
    numbers: EncodedHistory, customer_ids: Sequence[str], until_ts: int | npt.NDArray[np.int64]
) -> list[CustomerHistory]:
    """Take some customers' rows out of a history in numbers, many times as fast as ``read``.

    Parameters
    ----------
    numbers : EncodedHistory
    customer_ids : sequence of str, length n
        Sorted.
    until_ts : int, or ndarray of shape (n,), int64
        Only lines and events before it, UTC epoch seconds; one for all or each their own.

    Returns
    -------
    list of CustomerHistory, length n
        ``EMPTY`` for those of whom nothing is known then.
    """
    n = len(customer_ids)
    found = pc.index_in(numbers.customer_ids, value_set=pa.array(customer_ids, pa.string()))
    asked = np.append(as_numpy(pc.fill_null(found, -1)), -1).astype(np.int64)
    until = np.append(np.broadcast_to(np.asarray(until_ts, np.int64), (n,)), 0)
    bought, line_ends = _of_customers(numbers.lines, asked, until)
    looked, event_ends = _of_customers(numbers.events, asked, until)
    lines, events = _numbered_lines(numbers, bought), _numbered_events(numbers, looked)
    rows = []
    for of_lines, of_events in zip(pairwise(line_ends), pairwise(event_ends), strict=True):
        row = add_lines(EMPTY, lines[slice(*of_lines)]) if of_lines[0] < of_lines[1] else EMPTY
        if of_events[0] < of_events[1]:
            row = add_events(row, events[slice(*of_events)])
        rows.append(row)
    return rows


def _of_customers(
    columns: EncodedLines | EncodedEvents,
    asked: npt.NDArray[np.int64],
    until_ts: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], list[int]]:
    """Places of what the asked customers did, customer by customer, and where each one's end."""
    row = asked[columns.customer]
    at = np.flatnonzero((row >= 0) & (columns.ts < until_ts[row]))
    row = row[at]
    ends = np.cumsum(np.bincount(row, minlength=len(until_ts) - 1))
    return at[np.argsort(row, kind="stable")], [0, *ends.tolist()]


def _numbered_lines(numbers: EncodedHistory, at: npt.NDArray[np.int64]) -> Structured:
    given, lines = numbers.lines, np.empty(len(at), LINES)
    lines["item_key"] = numbers.index.keys[given.item[at]]
    lines["ts"] = given.ts[at]
    lines["quantity"] = given.quantity[at]
    lines["order"] = _keys(numbers.order_ids, given.order[at], order_key)
    lines["channel"] = given.channel[at]
    lines["location"] = _keys(numbers.location_ids, given.location[at], location_key)
    lines["amount_minor"] = np.clip(given.amount_minor[at], _INT32.min, _INT32.max)
    return lines


def _numbered_events(numbers: EncodedHistory, at: npt.NDArray[np.int64]) -> Structured:
    given, events = numbers.events, np.empty(len(at), EVENTS)
    events["item_key"] = numbers.index.keys[given.item[at]]
    for name in ("ts", "kind", "channel"):
        events[name] = getattr(given, name)[at]
    return events


def _keys(
    texts: pa.StringArray, numbers: npt.NDArray[np.integer], key: Callable[[str], int]
) -> npt.NDArray[np.int64]:
    """Key of each text, by its number; 0 for none."""
    wanted = np.zeros(len(texts) + 1, bool)
    wanted[numbers] = True
    wanted[-1] = False
    keys = np.zeros(len(texts) + 1, np.int64)
    at = np.flatnonzero(wanted)
    keys[at] = [key(text) for text in texts.take(pa.array(at)).to_pylist()]
    found: npt.NDArray[np.int64] = keys[numbers]
    return found


def _wanted(
    con: Backend,
    table: ir.Table,
    until_ts: int | Mapping[str, int] | None,
    customer_ids: list[str] | None,
) -> ir.Table:
    """Rows that name one of the customers, before the moment."""
    table = table.filter(table.customer_id.notnull())
    if isinstance(until_ts, Mapping):
        moments = pa.array([ts * 1_000_000 for ts in until_ts.values()], pa.int64()).cast(UTC)
        ends = pa.table({"customer_id": pa.array(until_ts, pa.string()), "until": moments})
        table = table.join(register_table(con, "wanted_moments", ends), "customer_id")
        table = table.filter(table.occurred_at < table.until)
    elif until_ts is not None:
        table = table.filter(table.occurred_at < timestamp_of(until_ts))
    if customer_ids is not None:
        ids = pa.table({"customer_id": pa.array(customer_ids, pa.string())})
        table = table.semi_join(register_table(con, "wanted_customers", ids), "customer_id")
    return table


def _events(table: ir.Table) -> ir.Table:
    """Return the latest view and the latest cart of each product, by customer and channel."""
    table = table.filter(table.item_id.notnull() & table.event.isin([*KIND_OF]))
    kind = table.event.cases(*((name, ibis.literal(n, "int64")) for name, n in KIND_OF.items()))
    return table.group_by("customer_id", "item_id", "channel", kind=kind).agg(
        occurred_at=table.occurred_at.max()
    )


def by_customer(
    lines: Iterable[pa.RecordBatch], events: Iterable[pa.RecordBatch] = ()
) -> Iterator[tuple[str, CustomerHistory]]:
    """Gather lines and events into one row a customer.

    Parameters
    ----------
    lines : iterable of RecordBatch
        With ``COLUMNS``; sorted by ``customer_id``, and in time order within a customer. A
        customer's lines may span batches.
    events : iterable of RecordBatch
        With ``customer_id``, ``item_id``, ``kind``, ``channel`` and ``occurred_at``; sorted by
        ``customer_id``.

    Yields
    ------
    customer_id : str
    row : CustomerHistory
    """
    bought = _gathered(lines, to_lines, add_lines, bulk_rows.of_lines)
    looked = _gathered(events, to_events, add_events, bulk_rows.of_events)
    yield from _together(bought, looked)


def _together(
    bought: Iterable[tuple[str, CustomerHistory]], looked: Iterable[tuple[str, CustomerHistory]]
) -> Iterator[tuple[str, CustomerHistory]]:
    """Merge rows of lines and rows of events into one a customer."""
    both = groupby(merge(bought, looked, key=itemgetter(0)), key=itemgetter(0))
    for customer_id, found in both:
        row, *more = (part for _, part in found)
        for part in more:
            row = replace(row, events=part.events)
        yield customer_id, row


def _gathered(
    batches: Iterable[pa.RecordBatch],
    read: Callable[[pa.RecordBatch], Structured],
    add: Callable[[CustomerHistory, Structured], CustomerHistory],
    whole: Callable[[Structured, IntArray], Iterator[CustomerHistory]],
) -> Iterator[tuple[str, CustomerHistory]]:
    """Rows of one kind of thing only.

    The last customer of a batch may have more in the next one, and is added up piece by piece;
    all others are made together.
    """
    current, row = None, EMPTY
    for batch in batches:
        if not len(batch):
            continue
        found = read(batch)
        runs = pc.run_end_encode(batch["customer_id"])
        ids = runs.values.to_pylist()
        bounds = np.append(0, as_numpy(runs.run_ends)).astype(np.int64)
        first = int(ids[0] == current)
        if first:
            row = add(row, found[: bounds[1]])
        if first == len(ids):
            continue
        if current is not None:
            yield current, row
        if first < len(ids) - 1:
            yield from zip(ids[first:-1], whole(found, bounds[first:-1]), strict=True)
        current, row = ids[-1], add(EMPTY, found[bounds[-2] :])
    if current is not None:
        yield current, row


def to_lines(batch: pa.RecordBatch) -> Structured:
    """Turn order lines into the lines that a row stores.

    Parameters
    ----------
    batch : RecordBatch or Table
        With ``COLUMNS``.

    Returns
    -------
    ndarray of customer_history.LINES
        In the same order. A return has the key of the order it belongs to, where that is known.
        Amounts beyond 32 bits are held at the bound.
    """
    lines = np.empty(len(batch), LINES)
    lines["item_key"] = keys_of(batch["item_id"], again=True)
    lines["ts"] = as_numpy(batch["occurred_at"].cast(pa.int64())) // 1_000_000
    lines["quantity"] = as_numpy(batch["quantity"])
    lines["order"] = keys_of(pc.coalesce(batch["return_of"], batch["order_id"]))
    lines["channel"] = map_distinct(batch["channel"], CHANNELS.index)
    lines["location"] = map_distinct(batch["location_id"], location_key)
    paid = batch["amount_minor"]
    if paid.null_count:  # nothing said the price
        paid = pc.fill_null(paid, 0)
    lines["amount_minor"] = np.clip(as_numpy(paid), _INT32.min, _INT32.max)
    return lines


def to_events(batch: pa.RecordBatch) -> Structured:
    """Turn views and carts into the events that a row stores, in the same order."""
    events = np.empty(len(batch), EVENTS)
    events["item_key"] = keys_of(batch["item_id"], again=True)
    events["ts"] = as_numpy(batch["occurred_at"].cast(pa.int64())) // 1_000_000
    events["kind"] = as_numpy(batch["kind"])
    events["channel"] = map_distinct(batch["channel"], CHANNELS.index)
    return events
