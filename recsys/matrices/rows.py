"""The history's lines become customers' rows.

Order lines come in, as Arrow batches or straight from the history's Parquet; out come
``CustomerHistory`` rows, one customer at a time, so that memory does not grow with the history.
Called when ingest renews the ledger, and by training and validation, which want the rows as they
were at an earlier time.
"""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ibis.backends.duckdb import Backend

from recsys.data.history import History
from recsys.matrices.arrow import batches, column, given, mapped, moment
from recsys.matrices.histories import EMPTY, LINES, CustomerHistory, Structured, append
from recsys.matrices.ids import item_key, location_key, order_key
from recsys.schema import CHANNELS, UTC

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


def read(
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
        Only lines before it, UTC epoch seconds: the rows as they were then. With a mapping each
        customer has a moment of their own, and only those that it names are read.
    customer_ids : iterable of str, optional
        Only these customers.

    Yields
    ------
    customer_id : str
        Ascending; lines without a customer are left out.
    row : CustomerHistory
    """
    con = history.connect()
    try:
        yield from by_customer(_ordered(con, until_ts, customer_ids))
    finally:
        con.disconnect()


def _ordered(
    con: Backend,
    until_ts: int | Mapping[str, int] | None,
    customer_ids: Iterable[str] | None,
) -> Iterator[pa.RecordBatch]:
    lines = con.table("lines").filter(lambda t: t.customer_id.notnull())
    if isinstance(until_ts, Mapping):
        moments = pa.array([ts * 1_000_000 for ts in until_ts.values()], pa.int64()).cast(UTC)
        ends = pa.table({"customer_id": pa.array(until_ts, pa.string()), "until": moments})
        lines = lines.join(given(con, "wanted_moments", ends), "customer_id")
        lines = lines.filter(lines.occurred_at < lines.until)
    elif until_ts is not None:
        lines = lines.filter(lambda t: t.occurred_at < moment(until_ts))
    if customer_ids is not None:
        ids = pa.table({"customer_id": pa.array(customer_ids, pa.string())})
        lines = lines.semi_join(given(con, "wanted_customers", ids), "customer_id")
    ordered = lines.order_by("customer_id", "occurred_at", "order_id", "line_no")
    return batches(con, ordered.select(*COLUMNS))


def by_customer(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, CustomerHistory]]:
    """Gather lines into one row a customer.

    Parameters
    ----------
    batches : iterable of RecordBatch
        With ``COLUMNS``; sorted by ``customer_id``, and in time order within a customer. A
        customer's lines may span batches.

    Yields
    ------
    customer_id : str
    row : CustomerHistory
    """
    current, row = None, EMPTY
    for batch in batches:
        if not len(batch):
            continue
        lines = to_lines(batch)
        runs = pc.run_end_encode(batch["customer_id"])
        start = 0
        for customer_id, end in zip(
            runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True
        ):
            if customer_id != current:
                if current is not None:
                    yield current, row
                current, row = customer_id, EMPTY
            row = append(row, lines[start:end])
            start = end
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
    ndarray of histories.LINES
        In the same order. A return has the key of the order it belongs to, where that is known.
        Amounts beyond 32 bits are held at the bound.
    """
    lines = np.empty(len(batch), LINES)
    lines["item_key"] = mapped(batch["item_id"], item_key)
    lines["ts"] = column(batch["occurred_at"].cast(pa.int64())) // 1_000_000
    lines["quantity"] = column(batch["quantity"])
    lines["order"] = mapped(pc.coalesce(batch["return_of"], batch["order_id"]), order_key)
    lines["channel"] = mapped(batch["channel"], CHANNELS.index)
    lines["location"] = mapped(batch["location_id"], location_key)
    paid = pc.fill_null(batch["amount_minor"], 0)  # null: nothing said the price
    lines["amount_minor"] = np.clip(column(paid), _INT32.min, _INT32.max)
    return lines
