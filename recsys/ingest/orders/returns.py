"""Matches returns to the orders that they belong to.

In: lines with their customers. Out: for every return that does not already refer to an order of
the history, the latest earlier order in which the same customer bought the item and has not yet
returned all of it. Called by ``unify``.

The returns and their possible sales are streamed by customer and item, so memory does not grow with
the history.
"""

from collections.abc import Iterator
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend

from recsys.query_engine import batches, keep, value

_BATCH = 20_000
_SCHEMA = pa.schema([("order_id", pa.string()), ("line_no", pa.int32()), ("found", pa.string())])


def match(con: Backend, lines: ir.Table, window_days: float) -> tuple[ir.Table, dict[str, int]]:
    """Find the orders of returns.

    Parameters
    ----------
    con : ibis backend
        The engine.
    lines : ibis table
        ``order_id, line_no, occurred_at, customer_id, item_id, quantity, kind, return_of``.
    window_days : float
        Longest time from a sale to its return. Days.

    Returns
    -------
    matches : ibis table
        ``order_id, line_no, found``: one row per return without an order; ``found`` is the matched
        order or null.
    counts : dict
        ``returns``, ``returns_matched``, and ``return_of_unknown_order``, returns that refer to an
        order missing from the history.
    """
    returns = lines.filter(lines.kind == "return")
    returns = keep(con, "returns", returns)
    total = int(value(con, returns.count()))
    counts = {"returns": total, "returns_matched": 0}
    if not total:
        return keep(con, "matches", _SCHEMA.empty_table()), counts
    sold = lines.filter(lines.kind == "sale")
    naming = returns.filter(returns.return_of.notnull())
    orders = sold.semi_join(naming, sold.order_id == naming.return_of)
    orders = orders.select("order_id").distinct()
    stated = returns.semi_join(orders, returns.return_of == orders.order_id)
    stated = keep(con, "returns_stated", stated.select("order_id", "line_no"))
    open_ = returns.anti_join(stated, ["order_id", "line_no"])
    unknown = int(value(con, open_.return_of.notnull().sum().fill_null(0)))
    of_customers = open_.filter(open_.customer_id.notnull())
    keys = of_customers.select("customer_id", "item_id").distinct()
    sales = sold.semi_join(keys, ["customer_id", "item_id"])
    columns = ["customer_id", "item_id", "occurred_at", "order_id", "line_no", "quantity", "kind"]
    stream = ibis.union(of_customers.select(*columns), sales.select(*columns))
    stream = stream.order_by(
        "customer_id", "item_id", "occurred_at", ibis.desc("kind"), "order_id", "line_no"
    )
    found = pa.Table.from_batches(_pair(batches(con, stream, _BATCH), window_days), _SCHEMA)
    matched = found.num_rows - found.column("found").null_count
    counts["returns_matched"] = total - int(value(con, open_.count())) + matched
    if unknown:
        counts["return_of_unknown_order"] = unknown
    everyone = open_.select("order_id", "line_no")
    matches = everyone.left_join(ibis.memtable(found), ["order_id", "line_no"])
    return (
        keep(con, "matches", matches.select("order_id", "line_no", "found")),
        counts,
    )


def _pair(stream: Iterator[pa.RecordBatch], window_days: float) -> Iterator[pa.RecordBatch]:
    """Match each return to the last sale with enough units left, else with any left."""
    key: tuple[str, str] | None = None
    open_sales: list[list[Any]] = []
    for batch in stream:
        out: dict[str, list[Any]] = {"order_id": [], "line_no": [], "found": []}
        for row in batch.to_pylist():
            if key != (row["customer_id"], row["item_id"]):
                key, open_sales = (row["customer_id"], row["item_id"]), []
            if row["kind"] == "sale":
                open_sales.append([row["order_id"], row["quantity"], row["occurred_at"]])
                continue
            sale = _choose(open_sales, -row["quantity"], row["occurred_at"], window_days)
            out["order_id"].append(row["order_id"])
            out["line_no"].append(row["line_no"])
            out["found"].append(sale)
        yield pa.record_batch(out, schema=_SCHEMA)


def _choose(sales: list[list[Any]], quantity: float, at: Any, window_days: float) -> str | None:
    recent = [s for s in sales if s[1] > 0 and (at - s[2]).total_seconds() <= window_days * 86400]
    enough = [sale for sale in recent if sale[1] >= quantity]
    chosen = enough[-1] if enough else recent[-1] if recent else None
    if chosen is None:
        return None
    chosen[1] -= quantity
    return str(chosen[0])
