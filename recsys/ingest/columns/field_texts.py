"""Builds the text of a field from one column or several, as the settings say.

In: columns of any type. Out: texts. Called by ``fields``.
"""

import re
from collections.abc import Callable
from functools import reduce
from typing import cast

import ibis
import ibis.expr.types as ir

from recsys.config import Column
from recsys.ingest.columns.number_formats import DECIMAL, EMPTY

#: The part of a date-time that follows the date.
_AFTER_DAY = r"(\s.*|T\d.*)$"


def text_of(
    spec: str | Column, column: Callable[[str], ir.Value]
) -> tuple[ir.StringValue, ir.StringValue | None]:
    """Return a field's text, and its text before ``map`` if ``map`` must list all values.

    Parameters
    ----------
    spec : str or Column
        The field's mapping.
    column : callable
        Returns a column of the export by its name.
    """
    if isinstance(spec, str):
        return trimmed(column(spec)), None
    value: ir.Value
    unlisted = None
    if spec.value is not None:
        value = ibis.literal(spec.value or None, "string")  # an empty list
    else:
        parts = [_part(spec, name, column) for name in spec.columns or [cast(str, spec.column)]]
        value = reduce(lambda a, b: cast(ir.StringValue, a + spec.join + b), parts)
    if spec.map:
        mapped = ibis.cases(*((value == key, to) for key, to in spec.map.items()))
        if spec.otherwise is None:
            unlisted = cast(
                ir.StringValue, ibis.ifelse(mapped.isnull(), value, ibis.null("string"))
            )
        else:
            mapped = ibis.ifelse(value.notnull(), mapped.fill_null(spec.otherwise), mapped)
        value = mapped
    if spec.default is not None:
        value = value.fill_null(spec.default)
    if spec.pad:
        value = ibis.ifelse(value.length() < spec.pad, value.lpad(spec.pad, "0"), value)
    return cast(ir.StringValue, value), unlisted


def number_of(spec: str | Column, column: Callable[[str], ir.Value]) -> ir.DecimalValue | None:
    """Return a numeric column as decimals; None for a text column."""
    name = spec if isinstance(spec, str) else spec.column
    if name is None or (isinstance(spec, Column) and (spec.map or spec.value or spec.pad)):
        return None
    value = column(name)
    if not value.type().is_numeric():
        return None
    number = value.try_cast(DECIMAL)  # null for NaN
    if isinstance(spec, Column) and spec.default is not None:
        number = number.fill_null(ibis.literal(spec.default).try_cast(DECIMAL))
    return cast(ir.DecimalValue, number)


def trimmed(value: ir.Value) -> ir.StringValue:
    """Return a column as text; whole floats lose their ``.0`` and NaN becomes null."""
    kind = value.type()
    if kind.is_string():
        return cast(ir.StringValue, value)
    if kind.is_floating():
        near = value.try_cast("int64")  # null where too large; `floor` would fail
        whole = ibis.ifelse(near.cast("float64") == value, near, ibis.null("int64"))
        # The engine trusts Parquet statistics, which omit NaN, so `isnan` is not reliable.
        text = ibis.ifelse(value.cast("string").isin(["nan", "-nan"]), None, value.cast("string"))
        return cast(ir.StringValue, whole.cast("string").fill_null(text))
    return cast(ir.StringValue, value.cast("string"))


def says_nothing(text: ir.StringValue) -> ir.BooleanValue:
    """Return whether a text is missing or a placeholder for nothing.

    Uses a pattern: the engine turns ``isin`` into a join over all rows, even if few are needed.
    """
    words = "|".join(map(re.escape, EMPTY))
    return cast(ir.BooleanValue, text.isnull() | text.lower().re_search(f"^(?:{words})$"))


def without_emails(text: ir.Value) -> ir.StringValue:
    """Blank everything that looks like an e-mail address."""
    return cast(ir.StringValue, text).re_replace(r'[^\s"@]+@[^\s"@]+', "(e-mail)")


def _part(spec: Column, name: str, column: Callable[[str], ir.Value]) -> ir.StringValue:
    text = trimmed(column(name))
    return text.re_replace(_AFTER_DAY, "") if name in spec.days else text
