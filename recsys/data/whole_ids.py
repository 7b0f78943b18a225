"""Ids that a program took for numbers to calculate with: ``17850.0`` is customer 17850.

Spreadsheets and pandas write the numbers of a column so as soon as one of its cells is empty, and
another export of the same shop, or the service, has them without. A column comes in, out comes
whether all of it is written so. Called by ``columns``; Parquet's floating numbers are made whole by
``parquet``.
"""

from typing import Final, cast

import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.data.engine import rows
from recsys.data.opened import ROW

#: Fields that hold ids; identifiers do as well.
_IDS: Final = ("order_id", "item_id", "location_id", "parent_id", "return_of", "id", "gtin")
_WHOLE: Final = r"^[0-9]+\.0$"


def is_id(field: str) -> bool:
    """Tell whether a field holds ids."""
    return field in _IDS or field.startswith("identifiers.")


def has_whole_numbers(con: Backend, table: ir.Table, column: str) -> bool:
    """Tell whether all that stands in a column of text are whole numbers with a ``.0``.

    Asked of the whole column: ``2.0`` may be somebody's product among others, and then it stays.

    Parameters
    ----------
    con : ibis backend
    table : ibis table
        Raw rows with ``_row``.
    column : str
    """
    value = table[column]
    if not value.type().is_string():
        return False
    # The first row that says otherwise ends the search: nearly always the very first.
    other = table.filter(value.notnull() & ~value.re_search(_WHOLE))
    return not _any(con, other) and _any(con, table.filter(value.notnull()))


def whole(value: ir.Value) -> ir.Value:
    """Return ids without their ``.0``."""
    return cast(ir.Value, cast(ir.StringValue, value).re_replace(r"\.0$", ""))


def _any(con: Backend, table: ir.Table) -> bool:
    return bool(rows(con, table.select(ROW).limit(1)))
