"""Prices that carry their currency in their text, as product feeds have them: ``15.00 USD``.

An opened product export comes in; the same export comes out with amounts and currencies apart.
Called by ``catalogue`` before numbers are read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Final, cast

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.config import Source
from recsys.data.engine import rows
from recsys.data.files import RawTable

CURRENCY: Final = "currency"
_CODED: Final = (
    r"^(?:([A-Za-z]{3})\s*([^A-Za-z]*[0-9][^A-Za-z]*)|"
    r"([^A-Za-z]*[0-9][^A-Za-z]*?)\s*([A-Za-z]{3}))$"
)
_SAID: Final = "said in "
_CODE: Final = "currency of "


@dataclass(frozen=True)
class Priced:
    """An export whose price columns hold amounts only.

    Attributes
    ----------
    raw : RawTable
        Where a price names a currency and no column does, with a column ``currency``.
    columns : tuple of str
        The price columns that named currencies.
    """

    raw: RawTable
    columns: tuple[str, ...] = field(default=())

    def shown(self, table: ir.Table) -> dict[str, ir.StringValue]:
        """Return the price columns as the export has them."""
        return {name: table[_SAID + name] for name in self.columns}

    def others(self, table: ir.Table, currency: ir.StringValue) -> ir.BooleanValue:
        """Tell of which rows a price names another currency than the row's."""
        each = [(table[_CODE + name] != currency).fill_null(False) for name in self.columns]
        return cast(ir.BooleanValue, reduce(lambda a, b: a | b, each))


def column_of(source: Source, columns: Sequence[str], name: str) -> str | None:
    """Return the one column that a field is read from; None where there is none, or several."""
    spec = source.columns.get(name, name)
    column = spec if isinstance(spec, str) else spec.column
    return column if column in columns else None


def priced(con: Backend, raw: RawTable, source: Source, names: Sequence[str]) -> Priced:
    """Take currencies out of the texts of prices.

    Parameters
    ----------
    con : ibis backend
    raw : RawTable
    source : Source
    names : sequence of str
        Fields that are prices.
    """
    found = (column_of(source, raw.columns, name) for name in names)
    texts = [c for c in dict.fromkeys(found) if c is not None and raw.table[c].type().is_string()]
    codes = {name: _code(raw.table[name]) for name in texts}
    if not codes:
        return Priced(raw)
    (told,) = rows(
        con, raw.table.aggregate(**{name: code.notnull().any() for name, code in codes.items()})
    )
    codes = {name: code for name, code in codes.items() if told[name]}
    if not codes:
        return Priced(raw)
    table = raw.table.mutate(
        **{name: _amount(raw.table[name]) for name in codes},
        **{_SAID + name: raw.table[name] for name in codes},
        **{_CODE + name: code for name, code in codes.items()},
    )
    columns = list(raw.columns)
    named = ibis.coalesce(*(table[_CODE + name] for name in codes))
    column = column_of(source, columns, CURRENCY)
    if column is not None:
        table = table.mutate(**{column: ibis.coalesce(table[column].cast("string"), named)})
    elif CURRENCY not in source.columns:
        columns.append(CURRENCY)
        table = table.mutate(**{CURRENCY: named})
    return Priced(replace(raw, table=table, columns=columns), tuple(codes))


def _code(text: ir.Value) -> ir.StringValue:
    said = cast(ir.StringValue, text)
    code = said.re_extract(_CODED, 1) + said.re_extract(_CODED, 4)
    return cast(ir.StringValue, code.upper().nullif(""))


def _amount(text: ir.Value) -> ir.StringValue:
    said = cast(ir.StringValue, text)
    amount = said.re_extract(_CODED, 2) + said.re_extract(_CODED, 3)
    return cast(ir.StringValue, ibis.coalesce(amount.nullif(""), said))
