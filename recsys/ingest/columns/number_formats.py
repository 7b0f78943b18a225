"""Number formats of exports: which decimal sign a column uses, told from all of its values.

``1.234`` may be one thousand or one and a fraction, and the value alone does not say which; the
other values of its column do. ``detect_format`` takes the texts of a column and returns its format;
``read_number`` reads one text by it. ``number_expressions`` does the same in the engine, with the
same patterns. Called by ``number_columns`` and by ``omnibasket init``.
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

# Digits of other scripts, blanks and signs of many kinds; what maps to nothing is left out.
VARIANT_CHARACTERS = (
    "٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹０１２３４５６７８９"
    "\u00a0\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t"
    "’‘ʼ´`′＇٬−–—－＋，．（）＄￥￡"
    "\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
PLAIN_CHARACTERS = "0123456789" * 3 + " " * 9 + "'" * 8 + "----+,.()$¥£"
_TABLE: dict[int, str | None] = dict.fromkeys(map(ord, VARIANT_CHARACTERS))
_TABLE |= {ord(old): new for old, new in zip(VARIANT_CHARACTERS, PLAIN_CHARACTERS, strict=False)}

#: What programs write for nothing.
EMPTY = ("", "nan", "null", "none", "n/a", "na", "nat", "#n/a", "<na>", "(null)", "\\n")
#: ``12,-`` and ``12.--``: a whole price, as German and Swiss shops write it.
DASHES = r"(\d)[.,]--?($|[^\d-])"
_UNITS = """
    x × ea each pc pcs pc. pcs. pce piece pieces unit units st st. stk stk. stck stück
    pièce pz pz. pezzo pezzi ud ud. uds uds. szt szt. adet ad. ks db шт шт. ცალი عدد
    قطعة 個 点 件 本 枚 kg kg. l ltr
"""
#: What may stand beside a quantity, lower case: pieces, and the units in which weights are priced.
#: Grams are not among them: beside kilograms they would be thousands.
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
    """Match what only a decimal ``sign`` explains, with ``other`` between thousands or nothing."""
    return (
        rf"^(\d*[{sign}](\d{{1,2}}|\d{{4,}})|(\d{{4,}}|0\d*|)[{sign}]\d{{3}}|{_SPACED}[{sign}]\d+"
        rf"|[1-9]\d{{0,2}}([{other}]\d{{3}})+[{sign}]\d+|[1-9]\d{{0,2}}([{other}]\d{{3}}){{2,}}"
    )


#: Kinds of bodies, the first that matches; "?" marks those that may be read in two ways.
KINDS: dict[Kind, str] = {
    "whole": rf"^(\d+|{_SPACED})$",
    ".?": r"^[1-9]\d{0,2}[.]\d{3}$",
    ",?": r"^[1-9]\d{0,2}[,]\d{3}$",
    ".": _fraction(".", ",") + rf"|{_INDIAN}([.]\d+)?)$",
    ",": _fraction(",", ".") + ")$",
    "own": rf"^(\d*|{_SPACED})٫\d+$",
}
#: What may be read in two ways where the dot is the only sign, with a minus before it or not.
EITHER = r"^-?[1-9]\d{0,2}[.]\d{3}$"
SHORT, GROUPING_BLANKS = r"^0*[1-9]\d{0,2}$", r"[ '٫]"
#: Texts that need none of this: the engine reads them as they stand, where the dot is decimal.
SIMPLE = r"^-?\d{1,12}([.]\d+)?$"


@dataclass(frozen=True)
class Format:
    """How a column writes its numbers.

    Attributes
    ----------
    decimal : {".", ","} or None
        The decimal sign; None where values with one cannot be read at all.
    problem : {"ambiguous", "mixed"} or None
        Why values such as ``1.234`` are not read: the column does not show its decimal sign
        (ambiguous), or its values contradict each other (mixed).
    """

    decimal: Sign | None
    problem: Literal["ambiguous", "mixed"] | None = None


class Shape(NamedTuple):
    """What a text is made of."""

    kind: Kind
    body: str = ""
    negative: bool = False
    currency: str = ""
    """The sign, code or unit beside it, lower case."""


class Evidence(NamedTuple):
    """Number of values of each shape in a column."""

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


def detect_format(
    texts: Collection[str], minor_digits: int | None, beside: Sign | None = None
) -> Format:
    """Infer the number format of a column from its values.

    Parameters
    ----------
    texts : collection of str
        Values of one column, repeated as often as they occur.
    minor_digits : int or None
        Digits of the minor unit where the column is money of one currency.
    beside : {".", ","} or None
        The decimal sign of the export's other columns, where they agree on one.

    Notes
    -----
    Two signs in a value, a sign with other than three digits behind it, more than three digits or a
    zero before it: each tells the decimal sign for the whole column. Where values contradict each
    other, most of them detect_format.
    """
    counts: Counter[str] = Counter()
    for text, number in Counter(texts).items():
        found = shape_of(text)
        counts[found.kind] += number
        if found.kind == "whole" and re.search(SHORT, found.body):
            counts["short"] += number
        if re.search(GROUPING_BLANKS, found.body):
            counts["spaced"] += number
        elif found.kind == "whole" and len(found.body) > len("999"):
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
        The decimal sign of the export's other columns: one sign is not both in one export.
    """
    dots, commas = evidence.dot_or_group, evidence.comma_or_group
    if evidence.dot and evidence.comma:
        if evidence.dot == evidence.comma:
            return Format(None, "mixed")
        return Format("." if evidence.dot > evidence.comma else ",", "mixed")
    if evidence.dot or evidence.comma:
        sign: Sign = "." if evidence.dot else ","
        # 1.234 yen beside 2980.0 yen: no price has such a fraction.
        odd = minor_digits == 0 and (dots if evidence.dot else commas)
        return Format(sign, "mixed" if odd else None)
    if not dots and not commas:
        return Format(".")
    if dots and commas:
        return Format(None, "ambiguous")
    group = Format("," if dots else ".")
    if evidence.spaced:
        return Format("." if dots else ",")  # the grouping is another sign
    if minor_digits == 0:
        return group
    if minor_digits in (1, 2) and evidence.short and not evidence.long:
        return group  # 480 beside 2,980, where cents would be written too
    if beside == ("." if dots else ","):
        return Format(beside)
    return Format(None, "ambiguous")


def shape_of(text: str) -> Shape:
    """Split a text into sign, currency and digits, and classify its digits."""
    plain = text.translate(_TABLE).strip().lower()
    if plain in EMPTY:
        return Shape("none")
    found = re.search(NUMBER, re.sub(DASHES, r"\1\2", plain, flags=re.ASCII), re.ASCII)
    if found is None:
        return Shape("bad")
    a, before, b, body, c, after, d = (part or "" for part in found.groups())
    body, sign, currency = body.rstrip(), a + b + c + d, before + after
    known = not currency or currency in UNITS or bool(currencies_of_sign(currency))
    if sign not in IS_NEGATIVE or not known or (before and after):
        return Shape("bad")
    for kind, pattern in KINDS.items():
        if re.search(pattern, body, re.ASCII):
            return Shape(kind, body, IS_NEGATIVE[sign], currency)
    return Shape("bad")


def read_number(text: str, form: Format, *, money: bool = True) -> Decimal | None:
    """Read one text by its column's format; None where it is empty or cannot be read.

    Parameters
    ----------
    text : str
    form : Format
    money : bool
        Whether the text may hold a currency; otherwise it may hold a unit.
    """
    found = shape_of(text)
    beside = not found.currency or (found.currency in UNITS) != money
    if found.kind not in fitting(form) or not beside:
        return None
    digits = found.body
    for old, new in replacements(form):
        digits = digits.replace(old, new)
    if len(digits.split(".")[0].lstrip("0")) > LIMIT_DIGITS:
        return None
    number = Decimal(digits).quantize(Decimal("0.000001"), ROUND_HALF_UP)
    if number >= 10**LIMIT_DIGITS:
        return None
    return -number if found.negative else number


def fitting(form: Format) -> tuple[str, ...]:
    """Return the kinds of texts that a format can read."""
    certain = ("whole", "own", *((form.decimal,) if form.decimal else ()))
    return certain if form.problem else (*certain, ".?", ",?")


def replacements(form: Format) -> tuple[tuple[str, str], ...]:
    """Return the replacements that turn a number into the form that programs write."""
    group = "," if form.decimal == "." else "."
    return ((" ", ""), ("'", ""), (group, ""), (form.decimal or ".", "."), ("٫", "."))
