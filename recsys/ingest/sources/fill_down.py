"""Fills values down that stand on the first row of an order only.

One opened file comes in; out comes the same file with ``fill_down``'s columns on every row. Called
by ``staging``. Shopify's export, which fills its order numbers itself, has ``shopify_copies``.
"""

from dataclasses import replace

import ibis
from ibis.backends.duckdb import Backend

from recsys.config import Source
from recsys.errors import DataError
from recsys.ingest.files.export_files import ROW, RawTable
from recsys.query_engine import keep


def fill_down(con: Backend, raw: RawTable, source: Source) -> RawTable:
    """Fill columns down from the row on which an order begins.

    An order begins where the first of the columns is filled. The others are taken from that row
    alone: a guest who follows a customer stays a guest.

    Parameters
    ----------
    con : ibis backend
        The engine; keeps the rows.
    raw : RawTable
    source : Source

    Raises
    ------
    DataError
        When the file has no such column.
    """
    columns = source.fill_down
    if not columns:
        return raw
    unknown = [column for column in columns if column not in raw.columns]
    if unknown:
        raise DataError(
            f"{raw.file.name}: there is no column `{unknown[0]}`, which `fill_down` names. The "
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
