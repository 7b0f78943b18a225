"""Matches returns to the orders that they belong to.

Lines with their customers come in; out comes, for every return that does not already name an
order of the history, the latest earlier order of the same customer that sold the same item and
of which not everything has come back yet. Called by ``unify``.

Only the returns and the sales they could belong to are looked at, one customer and item after the
other, in a stream: memory does not grow with the history.
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
        How long after a sale a return may still belong to it. Days.

    Returns
    -------
    matches : ibis table
        ``order_id, line_no, found``: one row a return whose order was looked for; ``found`` is
        null where there is none.
    counts : dict
        ``returns``, ``returns_matched``, and ``return_of_unknown_order`` where a return names an
        order that the history does not have.
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
    """Take the last sale with enough left, else the last with anything left."""
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
