"""Restores ids that a program stored as decimal numbers: ``17850.0`` is customer 17850.

Spreadsheets and pandas do this to a numeric column with an empty cell; other exports of the same
shop, and the service, have the plain ids. In: a column. Out: whether all its values have this form.
Called by ``fields``; ``parquet`` converts the floats of Parquet files.
"""

from collections.abc import Mapping
from typing import Final, cast

import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.config import Column, Source
from recsys.query_engine import rows

#: Fields that hold ids, besides the identifiers.
_IDS: Final = ("order_id", "item_id", "location_id", "parent_id", "return_of", "id", "gtin")
_WHOLE: Final = r"^[0-9]+\.0$"
_FIRST_ROWS: Final = 1_000


def is_id(field: str) -> bool:
    """Return whether a field holds ids."""
    return field in _IDS or field.startswith("identifiers.")


def of_whole_numbers(
    con: Backend, table: ir.Table, specs: Mapping[str, str | Column], source: Source
) -> set[str]:
    """Return the id columns in which every value is a whole number with ``.0``.

    A column counts only as a whole: a single ``2.0`` may be a genuine product id, and then stays.

    Parameters
    ----------
    con : ibis backend
    table : ibis table
        Raw rows.
    specs : mapping of str to str or Column
        Field → its column; other fields are read from the column of the same name.
    source : Source
        Its ``identifiers`` list the columns that identify customers.
    """
    left = {name for name in _of_ids(specs, source, table) if table[name].type().is_string()}
    # The first rows nearly always suffice to rule a column out.
    for seen in (table.limit(_FIRST_ROWS), table):
        if not left:
            break
        names = sorted(left)
        conditions = [_conditions(cast(ir.StringValue, seen[name])) for name in names]
        counts = {
            f"{what}_{at}": condition.any()
            for at, each in enumerate(conditions)
            for what, condition in each.items()
        }
        (totals,) = rows(con, seen.aggregate(**counts))
        left = {name for at, name in enumerate(names) if not totals[f"other_{at}"]}
        whole_there = {name for at, name in enumerate(names) if totals[f"whole_{at}"]}
    return left & whole_there if left else set()


def _of_ids(specs: Mapping[str, str | Column], source: Source, table: ir.Table) -> set[str]:
    columns_of_ids = {name for name in table.columns if is_id(name)}
    ids = [spec for field, spec in specs.items() if is_id(field)]
    for spec in (*ids, *source.identifiers.values()):
        own = spec if isinstance(spec, Column) else Column(column=spec)
        columns_of_ids |= {own.column or "", *own.columns}
    return columns_of_ids & {*table.columns}


def _conditions(value: ir.StringValue) -> dict[str, ir.BooleanValue]:
    is_whole = value.re_search(_WHOLE)
    return {"whole": is_whole, "other": ~is_whole}


def whole(value: ir.Value) -> ir.Value:
    """Return ids without their ``.0``."""
    return cast(ir.Value, cast(ir.StringValue, value).re_replace(r"\.0$", ""))
