"""Reads numbers of exports in the engine by the rules of ``number_formats``.

In: a table of texts. Out: their shapes, the evidence for a number format, and their values. Uses
the patterns of ``number_formats``, so both read every text alike. Called by ``number_columns``.
"""

from typing import cast

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from recsys.ingest.columns.number_formats import (
    DASHES,
    DECIMAL,
    EITHER,
    EMPTY,
    GROUPING_BLANKS,
    IS_NEGATIVE,
    KINDS,
    NUMBER,
    PARTS,
    PLAIN_CHARACTERS,
    SHORT,
    SIMPLE,
    UNITS,
    VARIANT_CHARACTERS,
    Format,
    fitting,
    replacements,
)
from recsys.values import currencies, currency_codes


def shapes(table: ir.Table) -> ir.Table:
    """Split and classify the texts of a column as ``shape_of`` does.

    Parameters
    ----------
    table : ibis table
        Has a column ``text``, preferably with distinct values.

    Returns
    -------
    table : ibis table
        The input with the columns ``kind``, ``body``, ``negative`` and ``currency`` added.
    """
    text = cast(ir.StringValue, table.text)
    # `translate` drops characters without a counterpart in the second text. It is slow, so only
    # non-ASCII texts are translated.
    translated = text.translate(VARIANT_CHARACTERS, PLAIN_CHARACTERS)
    common = ibis.ifelse(text.re_search("[^ -~]"), translated, text)
    plain = cast(ir.StringValue, common).strip().lower()
    dashed = ibis.ifelse(plain.contains("-"), plain.re_replace(DASHES, r"\1\2"), plain)
    table = table.mutate(_parts=_taken_apart(dashed, NUMBER, [*PARTS]), _none=plain.isin(EMPTY))
    parts = cast(ir.StructValue, table["_parts"])
    table = table.mutate(**{name: parts[name] for name in PARTS})
    table = table.mutate(body=cast(ir.StringValue, table.body).rstrip())
    sign = table["_a"] + table["_b"] + table["_c"] + table["_d"]
    table = table.mutate(_sign=sign, currency=table["_before"] + table["_after"])
    known = table.currency.isin(
        ["", *UNITS, *currencies.SIGNS, *(code.lower() for code in currency_codes())]
    )
    fits = (
        known
        & table["_sign"].isin([*IS_NEGATIVE])
        & ((table["_before"] == "") | (table["_after"] == ""))
    )
    body = cast(ir.StringValue, table.body)
    kinds = [(fits & body.re_search(pattern), kind) for kind, pattern in KINDS.items()]
    kind = ibis.cases((table["_none"], "none"), *kinds, else_="bad")
    table = table.mutate(
        kind=kind, negative=table["_sign"].isin([s for s, n in IS_NEGATIVE.items() if n])
    )
    return table.drop("_parts", "_none", "_sign", *(name for name in PARTS if name != "body"))


@ibis.udf.scalar.builtin(
    name="regexp_extract",
    signature=(
        (dt.string, dt.string, dt.Array(dt.string)),
        dt.Struct(dict.fromkeys(PARTS, dt.string)),
    ),
)
def _taken_apart(text, pattern, names):  # type: ignore[no-untyped-def]
    """Extract all groups of a pattern at once."""


def evidence_counts(table: ir.Table) -> dict[str, ir.Value]:
    """Return aggregates that count ``Evidence`` in a table of ``shapes``, each row ``n`` times."""
    kind, body = table.kind, cast(ir.StringValue, table.body)
    whole, spaced = kind == "whole", body.re_search(GROUPING_BLANKS)
    conditions = {
        "dot": kind == ".",
        "comma": kind == ",",
        "dot_or_group": kind == ".?",
        "comma_or_group": kind == ",?",
        "short": whole & body.re_search(SHORT),
        "long": whole & ~spaced & (body.length() > len("999")),
        "spaced": spaced & (kind != "bad"),
    }
    return {
        name: table.n.sum(where=condition).fill_null(0) for name, condition in conditions.items()
    }


def simple_evidence_counts(table: ir.Table) -> dict[str, ir.Value]:
    """Return the same aggregates for plain machine-written texts; ``odd`` counts all others."""
    text = cast(ir.StringValue, table.text)
    body = ibis.ifelse(text.left(1) == "-", text.substr(1), text)
    dotted, either = text.contains("."), text.re_search(EITHER)
    conditions = {
        "dot": dotted & ~either,
        "dot_or_group": either,
        "short": body.re_search(SHORT),
        "long": ~dotted & (body.length() > len("999")),
        "odd": ~text.re_search(SIMPLE),
    }
    return {
        name: table.n.sum(where=condition).fill_null(0) for name, condition in conditions.items()
    }


def read_shapes(table: ir.Table, form: Format, *, money: bool) -> ir.Table:
    """Read ``shapes`` by a format, as ``read_number`` does.

    Parameters
    ----------
    table : ibis table
        Result of ``shapes``.
    form : Format
    money : bool
        Whether the texts may hold a currency; otherwise they may hold a unit.

    Returns
    -------
    table : ibis table
        ``text``, ``value`` (decimal; null where unreadable), ``reason`` (why it is unreadable, else
        null) and ``currency``.
    """
    digits = cast(ir.StringValue, table.body)
    for old, new in replacements(form):
        digits = digits.replace(old, new)
    fits = table.kind.isin(fitting(form))
    of_pieces = table.currency.isin(sorted(UNITS))
    fits &= (table.currency == "") | (~of_pieces if money else of_pieces)
    number = ibis.ifelse(fits, ibis.ifelse(table.negative, "-", "") + digits, ibis.null("string"))
    table = table.mutate(value=number.try_cast(DECIMAL))
    reason = ibis.cases(
        (table.kind == "none", ibis.null("string")),
        (table.value.notnull(), ibis.null("string")),
        (table.kind.isin([".?", ",?"]) & (form.problem is not None), "ambiguous_number"),
        else_="bad_number",
    )
    return table.select("text", "value", reason=reason, currency=table.currency.nullif(""))
