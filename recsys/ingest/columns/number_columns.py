"""Reads columns of numbers in the engine, each in the format detected from its values.

In: a table and the texts of its fields. Out: the table with the number of each field, the reason if
it cannot be read, and the currency beside it. Only the distinct texts of a column are parsed, and
none if the column has plain machine-written numbers. Called by ``fields``.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import cast

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.config import Column
from recsys.ingest.columns.number_expressions import (
    evidence_counts,
    read_shapes,
    shapes,
    simple_evidence_counts,
)
from recsys.ingest.columns.number_formats import (
    DECIMAL,
    EITHER,
    UNITS,
    Evidence,
    Format,
    Sign,
    format_of,
)
from recsys.query_engine import keep, rows
from recsys.values import currencies_of_sign, currency_codes, currency_digits

_MONEY = """
    unit_price discount amount order_discount order_total order_shipping order_tax refunded_amount
    price sale_price cost subtotal total refunded tax shipping
"""
#: Fields that are money: the digits of their currency help to infer their format.
MONEY = frozenset(_MONEY.split())
_VALUE, _REASON, _CURRENCY, _TEXT = "number of ", "reason of ", "currency of ", "text of "


def value_name(name: str) -> str:
    """Return the name of the column with the numbers of a field."""
    return _VALUE + name


@dataclass
class NumberColumn:
    """One field read as numbers.

    Attributes
    ----------
    name : str
        The field.
    form : Format
        The format of its values.
    currencies : list of str
        Currency signs and codes beside its numbers, lower case.
    explained : bool
        Whether the table has a column with the reason why a number cannot be read.
    shows : {".", ","} or None
        The decimal sign, if unambiguous values show it.
    """

    name: str
    form: Format = field(default_factory=lambda: Format("."))
    currencies: list[str] = field(default_factory=list)
    explained: bool = False
    shows: Sign | None = None

    def value(self, table: ir.Table) -> ir.DecimalValue:
        """Return the numbers; null where missing or unreadable."""
        return cast(ir.DecimalValue, table[_VALUE + self.name])

    def reason(self, table: ir.Table) -> ir.StringValue:
        """Return why a number cannot be read; null where it can be read or is missing."""
        return cast(ir.StringValue, table[_REASON + self.name])

    def currency(self, table: ir.Table) -> ir.StringValue:
        """Return the currency sign or code beside the number; null where there is none."""
        return cast(ir.StringValue, table[_CURRENCY + self.name])


def read_columns(
    con: Backend,
    table: ir.Table,
    fields: Sequence[tuple[str, ir.StringValue, str | Column]],
    stated_of_all: Sign | None,
    minor_digits: int | None,
) -> tuple[ir.Table, dict[str, NumberColumn]]:
    """Add the numbers of several fields to a table.

    Where the values of one column are ambiguous, the decimal sign of the other columns decides.

    Parameters
    ----------
    con : ibis backend
        The engine.
    table : ibis table
    fields : sequence of (str, string column, str or Column)
        Each field, its texts and its mapping.
    stated_of_all : {".", ","} or None
        The decimal sign from the settings of the source.
    minor_digits : int or None
        Digits of the minor unit, if the same for all rows.

    Returns
    -------
    table : ibis table
        With a column of numbers for each field.
    columns : dict of str to NumberColumn
        Field → its column.
    """
    columns: dict[str, NumberColumn] = {}
    ambiguous = []
    texts, simple = _texts(con, table, fields)

    def read(
        name: str, text: ir.StringValue, spec: str | Column, beside: Sign | None = None
    ) -> tuple[ir.Table, NumberColumn]:
        own = spec if isinstance(spec, Column) else Column()
        of_column = texts.filter(texts.field == name).drop("field")
        return _read_column(
            con,
            table,
            name,
            text,
            of_column,
            dict(simple[name]),
            stated=own.decimal,
            stated_of_all=stated_of_all,
            minor_digits=minor_digits,
            times=own.times,
            beside=beside,
        )

    for name, text, spec in fields:
        with_numbers, column = read(name, text, spec)
        if column.form.problem == "ambiguous":
            ambiguous.append((name, text, spec))
        else:
            table, columns[name] = with_numbers, column
    shown = {column.shows for column in columns.values()} - {None}
    beside = shown.pop() if len(shown) == 1 else None
    for name, text, spec in ambiguous:
        table, columns[name] = read(name, text, spec, beside)
    return table, columns


def _texts(
    con: Backend, table: ir.Table, fields: Sequence[tuple[str, ir.StringValue, str | Column]]
) -> tuple[ir.Table, dict[str, dict[str, int]]]:
    """Collect the distinct texts of all fields and their evidence in one pass.

    Returns
    -------
    texts : ibis table
        ``field``, ``text`` and its number of rows, ``n``.
    simple : dict
        Field → result of ``simple_evidence_counts``.
    """
    if not fields:
        return table, {}
    each = []
    for name, text, _ in fields:
        of_column = table.select(text=text).filter(lambda t: t.text.notnull())
        counted = of_column.group_by("text").aggregate(n=lambda t: t.count())
        each.append(counted.select(field=ibis.literal(name), text=counted.text, n=counted.n))
    texts = keep(con, "texts", each[0] if len(each) == 1 else ibis.union(*each))
    nothing = {**dict.fromkeys(simple_evidence_counts(texts), 0)}
    simple = {name: dict(nothing) for name, _, _ in fields}
    for row in rows(con, texts.group_by("field").aggregate(**simple_evidence_counts(texts))):
        simple[row.pop("field")] = row
    return texts, simple


def _read_column(
    con: Backend,
    table: ir.Table,
    name: str,
    text: ir.StringValue,
    texts: ir.Table,
    counts: dict[str, int],
    *,
    stated: Sign | None,
    stated_of_all: Sign | None,
    minor_digits: int | None,
    times: float = 1.0,
    beside: Sign | None = None,
) -> tuple[ir.Table, NumberColumn]:
    """Add one field's numbers to a table.

    Parameters
    ----------
    con : ibis backend
        The engine.
    table : ibis table
    name : str
        The field.
    text : string column
        Its texts.
    texts : ibis table
        The distinct texts, ``text`` and ``n``.
    counts : dict
        Result of ``simple_evidence_counts``.
    stated : {".", ","} or None
        The decimal sign from the settings of the column.
    stated_of_all : {".", ","} or None
        The decimal sign from the settings of the source.
    minor_digits : int or None
        Digits of the currency of all rows, if the field is money in one currency.
    times : float
        Factor applied to all numbers.
    beside : {".", ","} or None
        The decimal sign of the export's other columns.
    """
    money = name in MONEY
    if not counts.pop("odd"):
        likely = _scaled_digits(minor_digits if money else None, times)
        form = _format(Evidence(**counts), stated, stated_of_all, likely, beside)
        if form.decimal == "." or not (counts["dot"] or counts["dot_or_group"]):
            column = NumberColumn(name, form, shows=_shown(Evidence(**counts)))
            return _read_simple(table, column, text, counts, times)
    taken = keep(con, "shapes", shapes(texts))
    bare = (taken.currency == "") & ~taken.kind.isin(["none", "bad"])
    (evidence,) = rows(con, taken.aggregate(**evidence_counts(taken), bare=bare.sum().fill_null(0)))
    all_say_theirs = not evidence.pop("bare")
    signs = taken.filter(~taken.currency.isin(["", *UNITS]), taken.kind != "bad")
    signs = signs.select("currency").distinct()
    currencies = sorted(row["currency"] for row in rows(con, signs)) if money else []
    units = {currency_digits(code) for sign in currencies for code in _single(sign)}
    if not (all_say_theirs and units) and minor_digits is not None:
        units.add(minor_digits)
    likely = _scaled_digits(units.pop() if money and len(units) == 1 else None, times)
    form = _format(Evidence(**evidence), stated, stated_of_all, likely, beside)
    read = read_shapes(taken, form, money=money)
    if times != 1.0:
        read = _multiplied(read, times)
    names = {
        _TEXT + name: "text",
        _VALUE + name: "value",
        _REASON + name: "reason",
        _CURRENCY + name: "currency",
    }
    read = keep(con, "numbers", read).rename(names)
    table = table.mutate(_text=text)
    table = table.left_join(read, table["_text"] == read[_TEXT + name]).drop("_text", _TEXT + name)
    shows = _shown(Evidence(**evidence))
    return table, NumberColumn(name, form, currencies, explained=True, shows=shows)


def digits_of_all(
    con: Backend, table: ir.Table, code: ir.StringValue | None, assumed: str
) -> int | None:
    """Return the digits of the minor unit of all rows; None if currencies differ in it.

    Parameters
    ----------
    con : ibis backend
        The engine.
    table : ibis table
    code : string column or None
        Currency code of each row; null where it has none.
    assumed : str
        The currency of rows without a code.
    """
    if code is None:
        return currency_digits(assumed)
    digits = rows(
        con, table.select(code=code.fill_null(assumed)).distinct().limit(len(currency_codes()))
    )
    units = {currency_digits(row["code"]) for row in digits if row["code"] in currency_codes()}
    return units.pop() if len(units) == 1 else None


def contradicts(column: NumberColumn, table: ir.Table, code: ir.StringValue) -> ir.BooleanValue:
    """Return where the currency beside a number contradicts that of its row."""
    beside = column.currency(table)
    differs = [
        (beside == sign) & ~code.isin(sorted(currencies_of_sign(sign)))
        for sign in column.currencies
    ]
    return cast(ir.BooleanValue, ibis.or_(*differs))


def stated_code(column: NumberColumn, table: ir.Table, assumed: str) -> ir.StringValue:
    """Return the currency code beside prices; null where missing or the assumed one."""
    found = column.currency(table)
    cases = [
        (found == sign, code)
        for sign in column.currencies
        for code in _single(sign)
        if code != assumed
    ]
    if not cases:
        return cast(ir.StringValue, ibis.null("string"))
    return cast(ir.StringValue, ibis.cases(*cases))


def _single(sign: str) -> Collection[str]:
    """Return the currency code of a sign; empty if it has several."""
    meant = currencies_of_sign(sign)
    return meant if len(meant) == 1 else ()


def _shown(evidence: Evidence) -> Sign | None:
    if bool(evidence.dot) == bool(evidence.comma):
        return None
    return "." if evidence.dot else ","


def _format(
    evidence: Evidence,
    stated: Sign | None,
    stated_of_all: Sign | None,
    minor_digits: int | None,
    beside: Sign | None,
) -> Format:
    """Return the stated format, else the detected one."""
    if stated is not None:
        return Format(stated)
    if stated_of_all is None:
        return format_of(evidence, minor_digits, beside)
    # The source's decimal sign may be wrong for this column: 24,800 yen are not 24.8.
    either = evidence.dot_or_group if stated_of_all == "." else evidence.comma_or_group
    return Format(stated_of_all, "mixed" if minor_digits == 0 and either else None)


def _read_simple(
    table: ir.Table,
    column: NumberColumn,
    text: ir.StringValue,
    counts: dict[str, int],
    times: float,
) -> tuple[ir.Table, NumberColumn]:
    """Read plain machine-written numbers without parsing their texts."""
    value: ir.Value = text.try_cast(DECIMAL)
    is_ambiguous = column.form.problem is not None and counts["dot_or_group"] > 0
    if is_ambiguous or column.form.decimal is None:
        either = text.re_search(EITHER) if column.form.decimal else text.contains(".")
        value = ibis.ifelse(either, ibis.null(DECIMAL), value)
    if times != 1.0:
        value = (value.cast("float64") * times).try_cast(DECIMAL)
    column.explained = is_ambiguous
    new: dict[str, ir.Value] = {_VALUE + column.name: value}
    if is_ambiguous:
        new[_REASON + column.name] = ibis.cases(
            (text.re_search(EITHER), "ambiguous_number"),
            (text.notnull() & value.isnull(), "bad_number"),
        )
    return table.mutate(**new), column


def _multiplied(read: ir.Table, times: float) -> ir.Table:
    value = (read.value.cast("float64") * times).try_cast(DECIMAL)
    too_large = read.value.notnull() & value.isnull()
    return read.mutate(value=value, reason=ibis.ifelse(too_large, "bad_number", read.reason))


def _scaled_digits(minor_digits: int | None, times: float) -> int | None:
    """Return the decimal digits of money before scaling: none for prices in cents."""
    if times == 1.0:
        return minor_digits
    shift = round(math.log10(times))
    if minor_digits is None or not math.isclose(times, 10.0**shift):
        return None
    return max(minor_digits + shift, 0)
