"""Drops rows of a catalogue or a stock list that are empty or cannot be read.

In: typed rows with ``bad`` and ``left_out``. Out: the remaining rows, and how many rows each rule
left out. Called by ``staging``.
"""

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.ingest.files.export_files import ROW
from recsys.query_engine import rows

#: Columns kept of a product whose row cannot be read.
_KNOWN = (ROW, "item_id", "active")


def listed(con: Backend, table: ir.Table) -> tuple[ir.Table, dict[str, int]]:
    """Drop and count the rows that are left out.

    Parameters
    ----------
    con : ibis backend
    table : ibis table
        Typed rows with ``bad``, and with ``left_out``, the rule that leaves the row out or null.

    Returns
    -------
    table : ibis table
        Without both columns. A product whose row cannot be read stays if its id is known, marked
        ``refused``: it must not be shown just because an older export or an order also lists it.
    left_out : dict of str to int
        Rows by rule.
    """
    read, left_out = ~table.bad, table.left_out.notnull()
    counted = table.filter(read & left_out).group_by("left_out").aggregate(rows=ibis._.count())
    counts = {row["left_out"]: int(row["rows"]) for row in rows(con, counted)}
    good = table.filter(read & ~left_out).drop("bad", "left_out")
    if "active" not in table.columns:
        return good, counts
    refused = table.filter(table.bad & table.item_id.notnull()).drop("bad", "left_out")
    nulls = {name: ibis.null(kind) for name, kind in refused.schema().items() if name not in _KNOWN}
    refused = refused.mutate(**nulls, active=ibis.literal(value=False), refused=True)
    return ibis.union(good.mutate(refused=ibis.literal(value=False)), refused), counts
