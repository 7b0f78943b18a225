"""Detects the number format of a column, mainly its decimal sign, from all of its values.

``1.234`` may be 1234 or 1.234; only the other values of the column can tell. ``detect_format``
returns the format of a column's texts; ``read_number`` reads one text in that format.
``number_expressions`` does the same in the engine, with the same patterns. Called by
``number_columns`` and by ``omnibasket init``.
"""

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, NamedTuple

from recsys.values import currencies_of_sign

Sign = Literal[".", ","]
Kind = Literal["whole", "own", ".", ",", ".?", ",?", "bad", "none"]
DECIMAL = "decimal(18, 6)"
LIMIT_DIGITS = 12

# Digits of other scripts, blanks and signs; characters that map to nothing are removed.
VARIANT_CHARACTERS = (
    "٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹０１２３４５６７８９"
    "\u00a0\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t"
    "’‘ʼ´`′＇٬−–—－＋，．（）＄￥￡"
    "\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
PLAIN_CHARACTERS = "0123456789" * 3 + " " * 9 + "'" * 8 + "----+,.()$¥£"
_TABLE: dict[int, str | None] = dict.fromkeys(map(ord, VARIANT_CHARACTERS))
_TABLE |= {ord(old): new for old, new in zip(VARIANT_CHARACTERS, PLAIN_CHARACTERS, strict=False)}

#: Placeholders that programs write for a missing value.
EMPTY = ("", "nan", "null", "none", "n/a", "na", "nat", "#n/a", "<na>", "(null)", "\\n")
#: ``12,-`` and ``12.--``: whole prices in German and Swiss notation.
DASHES = r"(\d)[.,]--?($|[^\d-])"
_UNITS = """
    x × ea each pc pcs pc. pcs. pce piece pieces unit units st st. stk stk. stck stück
    pièce pz pz. pezzo pezzi ud ud. uds uds. szt szt. adet ad. ks db шт шт. ცალი عدد
    قطعة 個 点 件 本 枚 kg kg. l ltr
"""
#: Units allowed beside a quantity, lower case: pieces, kilograms and litres. Grams are excluded,
#: because values in kilograms and grams would differ by a factor of 1000.
UNITS = frozenset(_UNITS.split())
_CURRENCY = r"([^\d.,'٫ ()+-][^\d,'٫ ()+-]{0,5})?"
NUMBER = (
    rf"^([-+(]?) ?{_CURRENCY} ?([-+(]?) ?(\d[\d.,' ٫]*|[.,٫]\d+)"
    rf" ?([-+)]?) ?{_CURRENCY} ?([-+)]?)$"
)
PARTS = ("_a", "_before", "_b", "body", "_c", "_after", "_d")
IS_NEGATIVE = {"": False, "+": False, "-": True, "()": True}

_SPACED = r"[1-9]\d{0,2}((?: \d{3})+|(?:'\d{3})+)"
_INDIAN = r"[1-9]\d?(?:,\d{2})+,\d{3}"


def _fraction(sign: str, other: str) -> str:
    """Match numbers in which ``sign`` must be decimal; ``other`` may group thousands."""
    return (
        rf"^(\d*[{sign}](\d{{1,2}}|\d{{4,}})|(\d{{4,}}|0\d*|)[{sign}]\d{{3}}|{_SPACED}[{sign}]\d+"
        rf"|[1-9]\d{{0,2}}([{other}]\d{{3}})+[{sign}]\d+|[1-9]\d{{0,2}}([{other}]\d{{3}}){{2,}}"
    )


#: Kinds of bodies, in order of precedence; "?" marks ambiguous ones.
KINDS: dict[Kind, str] = {
    "whole": rf"^(\d+|{_SPACED})$",
    ".?": r"^[1-9]\d{0,2}[.]\d{3}$",
    ",?": r"^[1-9]\d{0,2}[,]\d{3}$",
    ".": _fraction(".", ",") + rf"|{_INDIAN}([.]\d+)?)$",
    ",": _fraction(",", ".") + ")$",
    "own": rf"^(\d*|{_SPACED})٫\d+$",
}
#: Ambiguous numbers whose only sign is the dot, with or without a minus.
EITHER = r"^-?[1-9]\d{0,2}[.]\d{3}$"
SHORT, GROUPING_BLANKS = r"^0*[1-9]\d{0,2}$", r"[ '٫]"
#: Plain texts that the engine can read directly if the dot is the decimal sign.
SIMPLE = r"^-?\d{1,12}([.]\d+)?$"


@dataclass(frozen=True)
class Format:
    """The number format of a column.

    Attributes
    ----------
    decimal : {".", ","} or None
        The decimal sign; None if values with a sign cannot be read.
    problem : {"ambiguous", "mixed"} or None
        Why values such as ``1.234`` cannot be read: no value shows the decimal sign (ambiguous), or
        the values contradict each other (mixed).
    """

    decimal: Sign | None
    problem: Literal["ambiguous", "mixed"] | None = None


class Shape(NamedTuple):
    """The parts of a text."""

    kind: Kind
    body: str = ""
    negative: bool = False
    currency: str = ""
    """The currency sign, code or unit beside the number, lower case."""


class Evidence(NamedTuple):
    """Number of values of each shape in a column."""

    dot: int = 0
    comma: int = 0
    dot_or_group: int = 0
    comma_or_group: int = 0
    short: int = 0
    """Whole numbers from 1 to 999."""
    long: int = 0
    """Whole numbers of four or more digits, without grouping."""
    spaced: int = 0
    """Numbers grouped by a blank or an apostrophe."""


def detect_format(
    texts: Collection[str], minor_digits: int | None, beside: Sign | None = None
) -> Format:
    """Infer the number format of a column from its values.

    Parameters
    ----------
    texts : collection of str
        Values of one column, repeated as often as they occur.
    minor_digits : int or None
        Digits of the minor unit, if the column is money in one currency.
    beside : {".", ","} or None
        The decimal sign of the export's other columns, if they agree.

    Notes
    -----
    These values show the decimal sign of the whole column: a value with two signs, or with one sign
    that is not followed by exactly three digits, or that follows a zero or more than three digits.
    If values contradict each other, the majority decides.
    """
    counts: Counter[str] = Counter()
    for text, number in Counter(texts).items():
        shape = shape_of(text)
        counts[shape.kind] += number
        if shape.kind == "whole" and re.search(SHORT, shape.body):
            counts["short"] += number
        if re.search(GROUPING_BLANKS, shape.body):
            counts["spaced"] += number
        elif shape.kind == "whole" and len(shape.body) > len("999"):
            counts["long"] += number
    names = (".", ",", ".?", ",?", "short", "long", "spaced")
    return format_of(Evidence(*(counts[name] for name in names)), minor_digits, beside)


def format_of(evidence: Evidence, minor_digits: int | None, beside: Sign | None = None) -> Format:
    """Infer the format from counts of the shapes of a column's values.

    Parameters
    ----------
    evidence : Evidence
    minor_digits : int or None
        See ``detect_format``.
    beside : {".", ","} or None
        The decimal sign of the export's other columns, which applies to all its columns.
    """
    dots, commas = evidence.dot_or_group, evidence.comma_or_group
    if evidence.dot and evidence.comma:
        if evidence.dot == evidence.comma:
            return Format(None, "mixed")
        return Format("." if evidence.dot > evidence.comma else ",", "mixed")
    if evidence.dot or evidence.comma:
        sign: Sign = "." if evidence.dot else ","
        # 1.234 yen beside 2980.0 yen: yen prices have no such fraction.
        odd = minor_digits == 0 and (dots if evidence.dot else commas)
        return Format(sign, "mixed" if odd else None)
    if not dots and not commas:
        return Format(".")
    if dots and commas:
        return Format(None, "ambiguous")
    group = Format("," if dots else ".")
    if evidence.spaced:
        return Format("." if dots else ",")  # another sign groups the digits
    if minor_digits == 0:
        return group
    if minor_digits in (1, 2) and evidence.short and not evidence.long:
        return group  # 480 beside 2,980: 480 would have decimals as well
    if beside == ("." if dots else ","):
        return Format(beside)
    return Format(None, "ambiguous")


def shape_of(text: str) -> Shape:
    """Split a text into sign, currency and digits, and classify its digits."""
    plain = text.translate(_TABLE).strip().lower()
    if plain in EMPTY:
        return Shape("none")
    match = re.search(NUMBER, re.sub(DASHES, r"\1\2", plain, flags=re.ASCII), re.ASCII)
    if match is None:
        return Shape("bad")
    a, before, b, body, c, after, d = (part or "" for part in match.groups())
    body, sign, currency = body.rstrip(), a + b + c + d, before + after
    known = not currency or currency in UNITS or bool(currencies_of_sign(currency))
    if sign not in IS_NEGATIVE or not known or (before and after):
        return Shape("bad")
    for kind, pattern in KINDS.items():
        if re.search(pattern, body, re.ASCII):
            return Shape(kind, body, IS_NEGATIVE[sign], currency)
    return Shape("bad")


def read_number(text: str, form: Format, *, money: bool = True) -> Decimal | None:
    """Read one text in its column's format; None if it is empty or unreadable.

    Parameters
    ----------
    text : str
    form : Format
    money : bool
        Whether the text may hold a currency; otherwise it may hold a unit.
    """
    shape = shape_of(text)
    beside = not shape.currency or (shape.currency in UNITS) != money
    if shape.kind not in fitting(form) or not beside:
        return None
    digits = shape.body
    for old, new in replacements(form):
        digits = digits.replace(old, new)
    if len(digits.split(".")[0].lstrip("0")) > LIMIT_DIGITS:
        return None
    number = Decimal(digits).quantize(Decimal("0.000001"), ROUND_HALF_UP)
    if number >= 10**LIMIT_DIGITS:
        return None
    return -number if shape.negative else number


def fitting(form: Format) -> tuple[str, ...]:
    """Return the kinds of texts that a format can read."""
    certain = ("whole", "own", *((form.decimal,) if form.decimal else ()))
    return certain if form.problem else (*certain, ".?", ",?")


def replacements(form: Format) -> tuple[tuple[str, str], ...]:
    """Return the replacements that turn a number into plain machine notation."""
    group = "," if form.decimal == "." else "."
    return ((" ", ""), ("'", ""), (group, ""), (form.decimal or ".", "."), ("٫", "."))
