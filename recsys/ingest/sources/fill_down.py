"""Fills values down from the first row of an order to its other rows.

In: one opened file. Out: the same file with the columns of ``fill_down`` filled on every row.
Called by ``staging``. Shopify exports repeat the order number on every row; ``shopify_copies``
fills those.
"""

from dataclasses import replace

import ibis
from ibis.backends.duckdb import Backend

from recsys.config import Source
from recsys.errors import DataError
from recsys.ingest.files.export_files import ROW, RawTable
from recsys.query_engine import keep


def fill_down(con: Backend, raw: RawTable, source: Source) -> RawTable:
    """Fill columns down from the first row of each order.

    An order begins where the first of the columns is filled. The other columns are filled from
    that row only, so a guest's order below a customer's stays a guest's order.

    Parameters
    ----------
    con : ibis backend
        The engine; keeps the rows.
    raw : RawTable
    source : Source

    Raises
    ------
    DataError
        If the file lacks one of the columns.
    """
    columns = source.fill_down
    if not columns:
        return raw
    unknown = [column for column in columns if column not in raw.columns]
    if unknown:
        raise DataError(
            f"{raw.file.name}: `fill_down` names the column `{unknown[0]}`, which is missing. The "
            f"columns are: {', '.join(raw.columns)}."
        )
    table = keep(con, "filling", raw.table)
    head = ibis.ifelse(table[columns[0]].notnull(), table[ROW], ibis.null("int64"))
    upto = ibis.window(order_by=ROW, preceding=None, following=0)
    table = table.mutate(_head=head).mutate(_begin=lambda t: t._head.max().over(upto))
    heads = table.filter(table._head.notnull())
    heads = heads.select(_first=heads[ROW], **{f"above {c}": heads[c] for c in columns})
    joined = table.left_join(heads, table._begin == heads._first)
    filled = {c: ibis.coalesce(joined[c], joined[f"above {c}"]) for c in columns}
    kept = [c for c in raw.table.columns if c not in columns]
    return replace(raw, table=joined.select(*kept, **filled))
