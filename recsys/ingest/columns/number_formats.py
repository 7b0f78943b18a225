"""Numbers as exports write them: which sign is the decimal one is told from a whole column.

``1.234`` may be one thousand or one and a bit, and no value says which by itself; the values beside
it do. ``decide`` takes a column's texts and says its format, ``read`` reads one text by it.
``shapes`` and ``values`` are their twins in the engine, made of the same patterns. Called by
``columns``, and by whoever maps the columns of an export.
"""

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, NamedTuple, cast

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from recsys.values import currencies, currencies_of_sign, currency_codes

Sign = Literal[".", ","]
Kind = Literal["whole", "own", ".", ",", ".?", ",?", "bad", "none"]
DECIMAL = "decimal(18, 6)"
LIMIT_DIGITS = 12

# Digits of other scripts, blanks and signs of many kinds; what maps to nothing is left out.
_FROM = (
    "٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹０１２３４５６７８９"
    "\u00a0\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t"
    "’‘ʼ´`′＇٬−–—－＋，．（）＄￥￡"
    "\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
_TO = "0123456789" * 3 + " " * 9 + "'" * 8 + "----+,.()$¥£"
_TABLE = {ord(old): (_TO[n] if n < len(_TO) else None) for n, old in enumerate(_FROM)}

#: What programs write for nothing.
EMPTY = ("", "nan", "null", "none", "n/a", "na", "nat", "#n/a", "<na>", "(null)", "\\n")
#: ``12,-`` and ``12.--``: a whole price, as German and Swiss shops write it.
_DASHES = r"(\d)[.,]--?($|[^\d-])"
#: What may stand beside a quantity, lower case: pieces, and the units in which weights are priced.
#: Grams are none: beside kilograms they would be thousands.
UNITS = frozenset(
    [
        "x",
        "×",
        "ea",
        "each",
        "pc",
        "pcs",
        "pc.",
        "pcs.",
        "pce",
        "piece",
        "pieces",
        "unit",
        "units",
        "st",
        "st.",
        "stk",
        "stk.",
        "stck",
        "stück",
        "pièce",
        "pz",
        "pz.",
        "pezzo",
        "pezzi",
        "ud",
        "ud.",
        "uds",
        "uds.",
        "szt",
        "szt.",
        "adet",
        "ad.",
        "ks",
        "db",
        "шт",
        "шт.",
        "ცალი",
        "عدد",
        "قطعة",
        "個",
        "点",
        "件",
        "本",
        "枚",
        "kg",
        "kg.",
        "l",
        "ltr",
    ]
)
_CURRENCY = r"([^\d.,'٫ ()+-][^\d,'٫ ()+-]{0,5})?"
_NUMBER = (
    rf"^([-+(]?) ?{_CURRENCY} ?([-+(]?) ?(\d[\d.,' ٫]*|[.,٫]\d+)"
    rf" ?([-+)]?) ?{_CURRENCY} ?([-+)]?)$"
)
_PARTS = ("_a", "_before", "_b", "body", "_c", "_after", "_d")
_SIGNS = {"": False, "+": False, "-": True, "()": True}

_SPACED = r"[1-9]\d{0,2}((?: \d{3})+|(?:'\d{3})+)"
_INDIAN = r"[1-9]\d?(?:,\d{2})+,\d{3}"


def _fraction(sign: str, other: str) -> str:
    """Match what only a decimal ``sign`` explains, with ``other`` between thousands or nothing."""
    return (
        rf"^(\d*[{sign}](\d{{1,2}}|\d{{4,}})|(\d{{4,}}|0\d*|)[{sign}]\d{{3}}|{_SPACED}[{sign}]\d+"
        rf"|[1-9]\d{{0,2}}([{other}]\d{{3}})+[{sign}]\d+|[1-9]\d{{0,2}}([{other}]\d{{3}}){{2,}}"
    )


#: Kinds of bodies, the first that matches; "?" marks those that may be read in two ways.
_KINDS: dict[Kind, str] = {
    "whole": rf"^(\d+|{_SPACED})$",
    ".?": r"^[1-9]\d{0,2}[.]\d{3}$",
    ",?": r"^[1-9]\d{0,2}[,]\d{3}$",
    ".": _fraction(".", ",") + rf"|{_INDIAN}([.]\d+)?)$",
    ",": _fraction(",", ".") + ")$",
    "own": rf"^(\d*|{_SPACED})٫\d+$",
}
#: What may be read in two ways where the dot is the only sign, with a minus before it or not.
EITHER = r"^-?[1-9]\d{0,2}[.]\d{3}$"
_SHORT, _SPACES = r"^0*[1-9]\d{0,2}$", r"[ '٫]"
#: Texts that need none of this: the engine reads them as they stand, where the dot is decimal.
SIMPLE = r"^-?\d{1,12}([.]\d+)?$"


@dataclass(frozen=True)
class Format:
    """How a column writes its numbers.

    Attributes
    ----------
    decimal : {".", ","} or None
        The decimal sign; None where values with one cannot be read at all.
    doubt : {"ambiguous", "mixed"} or None
        Why values such as ``1.234`` are not read: nothing in the column tells, or the column
        contradicts itself.
    """

    decimal: Sign | None
    doubt: Literal["ambiguous", "mixed"] | None = None


class Shape(NamedTuple):
    """What a text is made of."""

    kind: Kind
    body: str = ""
    negative: bool = False
    currency: str = ""
    """The sign, code or unit beside it, lower case."""


class Evidence(NamedTuple):
    """How many values of a column are of which shape."""

    dot: int = 0
    comma: int = 0
    dot_or_group: int = 0
    comma_or_group: int = 0
    short: int = 0
    """Whole numbers from 1 to 999."""
    long: int = 0
    """Whole numbers of four digits and more, with no grouping."""
    spaced: int = 0
    """Numbers whose grouping is a blank or an apostrophe."""


def decide(texts: Collection[str], minor_digits: int | None, beside: Sign | None = None) -> Format:
    """Tell a column's number format from its values.

    Parameters
    ----------
    texts : collection of str
        Values of one column; one that stands there twice counts twice.
    minor_digits : int or None
        Digits of the minor unit where the column is money of one currency.
    beside : {".", ","} or None
        The decimal sign of the export's other columns, where they agree on one.

    Notes
    -----
    Two signs in a value, a sign with other than three digits behind it, more than three digits or a
    zero before it: each tells the decimal sign for the whole column. Where values contradict each
    other, most of them decide.
    """
    counts: Counter[str] = Counter()
    for text, number in Counter(texts).items():
        found = shape_of(text)
        counts[found.kind] += number
        if found.kind == "whole" and re.search(_SHORT, found.body):
            counts["short"] += number
        if re.search(_SPACES, found.body):
            counts["spaced"] += number
        elif found.kind == "whole" and len(found.body) > len("999"):
            counts["long"] += number
    names = (".", ",", ".?", ",?", "short", "long", "spaced")
    return told(Evidence(*(counts[name] for name in names)), minor_digits, beside)


def told(seen: Evidence, minor_digits: int | None, beside: Sign | None = None) -> Format:
    """Tell the format that fits what was seen.

    Parameters
    ----------
    seen : Evidence
    minor_digits : int or None
        As ``decide`` takes them.
    beside : {".", ","} or None
        The decimal sign of the export's other columns: one sign is not both in one export.
    """
    dots, commas = seen.dot_or_group, seen.comma_or_group
    if seen.dot and seen.comma:
        if seen.dot == seen.comma:
            return Format(None, "mixed")
        return Format("." if seen.dot > seen.comma else ",", "mixed")
    if seen.dot or seen.comma:
        sign: Sign = "." if seen.dot else ","
        # 1.234 yen beside 2980.0 yen: no price has such a fraction.
        odd = minor_digits == 0 and (dots if seen.dot else commas)
        return Format(sign, "mixed" if odd else None)
    if not dots and not commas:
        return Format(".")
    if dots and commas:
        return Format(None, "ambiguous")
    group = Format("," if dots else ".")
    if seen.spaced:
        return Format("." if dots else ",")  # the grouping is another sign
    if minor_digits == 0:
        return group
    if minor_digits in (1, 2) and seen.short and not seen.long:
        return group  # 480 beside 2,980, where cents would be written too
    if beside == ("." if dots else ","):
        return Format(beside)
    return Format(None, "ambiguous")


def shape_of(text: str) -> Shape:
    """Take a text apart: sign, currency, and the kind of its digits."""
    plain = text.translate(_TABLE).strip().lower()
    if plain in EMPTY:
        return Shape("none")
    found = re.search(_NUMBER, re.sub(_DASHES, r"\1\2", plain, flags=re.ASCII), re.ASCII)
    if found is None:
        return Shape("bad")
    a, before, b, body, c, after, d = (part or "" for part in found.groups())
    body, sign, currency = body.rstrip(), a + b + c + d, before + after
    known = not currency or currency in UNITS or bool(currencies_of_sign(currency))
    if sign not in _SIGNS or not known or (before and after):
        return Shape("bad")
    for kind, pattern in _KINDS.items():
        if re.search(pattern, body, re.ASCII):
            return Shape(kind, body, _SIGNS[sign], currency)
    return Shape("bad")


def read(text: str, form: Format, *, money: bool = True) -> Decimal | None:
    """Read one text by its column's format; None where it is empty or cannot be read.

    Parameters
    ----------
    text : str
    form : Format
    money : bool
        Whether a currency may stand beside it; else a unit may.
    """
    found = shape_of(text)
    beside = not found.currency or (found.currency in UNITS) != money
    if found.kind not in fitting(form) or not beside:
        return None
    digits = found.body
    for old, new in _writing(form):
        digits = digits.replace(old, new)
    if len(digits.split(".")[0].lstrip("0")) > LIMIT_DIGITS:
        return None
    number = Decimal(digits).quantize(Decimal("0.000001"), ROUND_HALF_UP)
    if number >= 10**LIMIT_DIGITS:
        return None
    return -number if found.negative else number


def fitting(form: Format) -> tuple[str, ...]:
    """Kinds of texts that a format can read."""
    certain = ("whole", "own", *((form.decimal,) if form.decimal else ()))
    return certain if form.doubt else (*certain, ".?", ",?")


def _writing(form: Format) -> tuple[tuple[str, str], ...]:
    """Replacements that leave a number as programs write it."""
    group = "," if form.decimal == "." else "."
    return ((" ", ""), ("'", ""), (group, ""), (form.decimal or ".", "."), ("٫", "."))


def shapes(table: ir.Table) -> ir.Table:
    """Take the texts of a column apart, as ``shape_of`` does.

    Parameters
    ----------
    table : ibis table
        With a column ``text``; best its distinct values.

    Returns
    -------
    table : ibis table
        With ``kind``, ``body``, ``negative`` and ``currency`` beside what it had.
    """
    text = cast(ir.StringValue, table.text)
    # The engine drops what has no counterpart at the end of the second text. It is slow at it.
    common = ibis.ifelse(text.re_search("[^ -~]"), text.translate(_FROM, _TO), text)
    plain = cast(ir.StringValue, common).strip().lower()
    dashed = ibis.ifelse(plain.contains("-"), plain.re_replace(_DASHES, r"\1\2"), plain)
    table = table.mutate(_parts=_taken_apart(dashed, _NUMBER, [*_PARTS]), _none=plain.isin(EMPTY))
    parts = cast(ir.StructValue, table["_parts"])
    table = table.mutate(**{name: parts[name] for name in _PARTS})
    table = table.mutate(body=cast(ir.StringValue, table.body).rstrip())
    sign = table["_a"] + table["_b"] + table["_c"] + table["_d"]
    table = table.mutate(_sign=sign, currency=table["_before"] + table["_after"])
    known = table.currency.isin(
        ["", *UNITS, *currencies.SIGNS, *(code.lower() for code in currency_codes())]
    )
    fits = (
        known
        & table["_sign"].isin([*_SIGNS])
        & ((table["_before"] == "") | (table["_after"] == ""))
    )
    body = cast(ir.StringValue, table.body)
    kinds = [(fits & body.re_search(pattern), kind) for kind, pattern in _KINDS.items()]
    kind = ibis.cases((table["_none"], "none"), *kinds, else_="bad")
    table = table.mutate(
        kind=kind, negative=table["_sign"].isin([s for s, n in _SIGNS.items() if n])
    )
    return table.drop("_parts", "_none", "_sign", *(name for name in _PARTS if name != "body"))


@ibis.udf.scalar.builtin(
    name="regexp_extract",
    signature=(
        (dt.string, dt.string, dt.Array(dt.string)),
        dt.Struct(dict.fromkeys(_PARTS, dt.string)),
    ),
)
def _taken_apart(text, pattern, names):  # type: ignore[no-untyped-def]
    """Read the groups of a pattern at once."""


def seen(table: ir.Table) -> dict[str, ir.Value]:
    """Count the evidence of ``shapes``, each row ``n`` times; to aggregate by."""
    kind, body = table.kind, cast(ir.StringValue, table.body)
    whole, spaced = kind == "whole", body.re_search(_SPACES)
    conditions = {
        "dot": kind == ".",
        "comma": kind == ",",
        "dot_or_group": kind == ".?",
        "comma_or_group": kind == ",?",
        "short": whole & body.re_search(_SHORT),
        "long": whole & ~spaced & (body.length() > len("999")),
        "spaced": spaced & (kind != "bad"),
    }
    return {
        name: table.n.sum(where=condition).fill_null(0) for name, condition in conditions.items()
    }


def seen_simple(table: ir.Table) -> dict[str, ir.Value]:
    """Count the same evidence in texts as programs write them, and other texts as ``odd``."""
    text = cast(ir.StringValue, table.text)
    body = ibis.ifelse(text.left(1) == "-", text.substr(1), text)
    dotted, either = text.contains("."), text.re_search(EITHER)
    conditions = {
        "dot": dotted & ~either,
        "dot_or_group": either,
        "short": body.re_search(_SHORT),
        "long": ~dotted & (body.length() > len("999")),
        "odd": ~text.re_search(SIMPLE),
    }
    return {
        name: table.n.sum(where=condition).fill_null(0) for name, condition in conditions.items()
    }


def values(table: ir.Table, form: Format, *, money: bool) -> ir.Table:
    """Read ``shapes`` by a format, as ``read`` does.

    Returns
    -------
    table : ibis table
        ``text``, ``value`` (a decimal, null where it cannot be read), ``reason`` (why it cannot,
        else null) and ``currency``.
    """
    digits = cast(ir.StringValue, table.body)
    for old, new in _writing(form):
        digits = digits.replace(old, new)
    fits = table.kind.isin(fitting(form))
    of_pieces = table.currency.isin(sorted(UNITS))
    fits &= (table.currency == "") | (~of_pieces if money else of_pieces)
    number = ibis.ifelse(fits, ibis.ifelse(table.negative, "-", "") + digits, ibis.null("string"))
    table = table.mutate(value=number.try_cast(DECIMAL))
    reason = ibis.cases(
        (table.kind == "none", ibis.null("string")),
        (table.value.notnull(), ibis.null("string")),
        (table.kind.isin([".?", ",?"]) & (form.doubt is not None), "ambiguous_number"),
        else_="bad_number",
    )
    return table.select("text", "value", reason=reason, currency=table.currency.nullif(""))
