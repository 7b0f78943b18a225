"""Placeholders that stand where an id should be: ``(not set)``, ``#N/A``, ``5.01235E+12``.

One text comes in, or a column of texts; out comes whether it can be the id of a product, of an
order, or whatever else the kind says. What is taken for an id by mistake makes one product or one
order of many. Called by the adapters, by ``blocking`` for what names customers, and by the service
for what events name. Needs no engine: both forms are one regular expression, written in what
Python's dialect and RE2's have in common.

Kinds
-----
``item``
    Products. Nearly any text may be one: ``0``, ``X``, ``NA`` and ``TEST`` are.
``order``
    Orders, tickets and transactions: number 0 and number -1 are none.
``account``
    Customer numbers: 0 and -1 are how shops write a guest.
"""

import re
from functools import cache, reduce
from operator import or_
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    import ibis.expr.types as ir

IdKind = Literal["item", "order", "account"]
_WORDS_TEXT = (
    "null, nil, none, nan, -nan, +nan, n/a, n.a., n/d, n.d., k.a., undefined, undef, unset, "
    "not set, not defined, not provided, not available, not applicable, not found, no value, "
    "data not available, data deleted, unavailable, unknown, unbekannt, inconnu, desconocido, "
    "sconosciuto, nieznany, bilinmiyor, nicht gesetzt, nicht verfügbar, object object, false, "
    "missing value"
)
#: What programs and people write where there is nothing; case, blanks and brackets do not matter.
_WORDS: Final = tuple(_WORDS_TEXT.split(", "))
_BRACKETED_TEXT = (
    "na, nat, empty, blank, missing, other, no id, leer, vide, vacío, vuoto, puste, boş"
)
#: Words that say so only between brackets; without, they may be somebody's id.
_BRACKETED: Final = tuple(_BRACKETED_TEXT.split(", "))
#: Errors of spreadsheets that do not end in a mark, in the languages that have their own.
_ERRORS: Final = ("#n/a", "#na", "#nv", "#n/d", "#n/b", "#yok", "#getting_data", "#i/t", "#н/д")

# Classes of signs are spelled out: `\s`, `\w`, `\u` and case folding differ between the dialects.
#: A blank of any script, or a mark that cannot be seen.
BLANK: Final = (
    "[\\x00-\\x20\\x7f-\\x9f\u00a0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]"
)
_SIGN: Final = (
    r"[\x00-/:-@\[-`{-\x9f"
    "\u00a0\u00a1\u00ab\u00b7\u00bb\u00bf\u1680\u2000-\u206f\u3000-\u3003\u3008-\u3020\u3030\u30fb"
    "\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\ufeff]"
)
_DIGIT: Final = "[0-9٠-٩۰-۹]"
#: A spreadsheet's rendering of a long number: the digits that told two of them apart are gone.
#: ``2E10`` and ``2E-10`` may be products; a fraction or a plus sign makes a number of them.
_SCIENTIFIC: Final = (
    rf"[+-]?{_DIGIT}{{1,3}}(?:[.,٫]{_DIGIT}*)?[eE]\+{_DIGIT}{{1,3}}|"
    rf"[+-]?{_DIGIT}{{1,3}}[.,٫]{_DIGIT}+[eE]-?{_DIGIT}{{1,3}}"
)
#: ``#REF!``, ``#NAME?``, ``#¡VALOR!``, ``Err:502``.
_ERROR: Final = r"#[¡¿]?[^\x00-\x20#!?]{1,16}[!?]|[eE][rR][rR]:[0-9]{3}"
#: Templates that nobody has filled in: ``{{order_id}}``, ``${sku}``, ``<%= id %>``, ``*|SKU|*``,
#: and a database's null.
_TEMPLATE: Final = (
    r"\{\{[^{}]*\}\}|\$\{[^{}]*\}|<%[^%]*%>|%%[^%]*%%|\*\|[^|]*\|\*|\\[nN]|"
    r"\[[oO]bject [A-Z][a-z]+\]"
)
_ZERO: Final = rf"[+-]?{_SIGN}*0(?:0|{_SIGN})*|-1(?:[.,]0+)?"

#: A letter or digit, then plain signs with a digit other than 0 among them: an id, told at once.
_ORDINARY: Final = re.compile("[0-9A-Za-z][0-9A-Za-z_-]*[1-9][0-9A-Za-z_-]*|[1-9][0-9A-Za-z_-]*")


def is_no_id(text: str, kind: IdKind = "item") -> bool:
    """Tell whether a text cannot be an id.

    Parameters
    ----------
    text : str
        As an export or a request gives it.
    kind : {"item", "order", "account"}
        Of what; products by default, of which most is allowed.

    Examples
    --------
    >>> [is_no_id(text) for text in ("(not set)", "5.01235E+12", " ", "0", "NA")]
    [True, True, True, False, False]
    >>> is_no_id("0", "order")
    True
    """
    return not _ORDINARY.fullmatch(text) and _compiled(kind).fullmatch(text) is not None


def no_id_expression(column: "ir.StringValue", kind: IdKind = "item") -> "ir.BooleanValue":
    """Do the same as ``is_no_id`` to a column; null stays null.

    Parameters
    ----------
    column : string column
        As an export gives it.
    kind : {"item", "order", "account"}
        Of what; products by default, of which most is allowed.

    Returns
    -------
    boolean column
        True where a text cannot be an id.
    """
    # What begins with a digit is an id, a number with an exponent or a zero; the pattern is costly.
    digit = (column >= "0") & (column < ":")
    plain = digit & ~column.contains("e") & ~column.contains("E")
    if kind != "item":
        plain = plain & reduce(or_, map(column.contains, "123456789"), column >= "1")
    return plain.ifelse(False, column.re_search(f"^(?:{placeholder_pattern(kind)})$"))


def part_is_no_id_expression(column: "ir.StringValue", join: str) -> "ir.BooleanValue":
    """Tell of ids that are joined from several columns whether one of the columns is no id.

    A column of signs or of zeros may well be one, such as till 0.

    Parameters
    ----------
    column : ibis column
        Joined texts.
    join : str
        What stands between them.
    """
    between = re.escape(join)
    return column.re_search(f"(?:^|{between})(?:{_said()})(?:{between}|$)")


@cache
def placeholder_pattern(kind: IdKind) -> str:
    """Return a regular expression of whole texts that are no id, for both dialects.

    Parameters
    ----------
    kind : {"item", "order", "account"}
        Of what; 0 and -1 are no orders and no accounts, but may be products.

    Returns
    -------
    str
        To be matched against the whole text, by Python's ``re`` or by RE2.
    """
    several = rf"(?:{_said()})(?:{_SIGN}+(?:{_said()}))*"
    zero = "" if kind == "item" else f"|{_ZERO}"
    return rf"{BLANK}*(?:{several}{zero}){BLANK}*|{_SIGN}*"


@cache
def _compiled(kind: IdKind) -> re.Pattern[str]:
    return re.compile(placeholder_pattern(kind))


@cache
def _said() -> str:
    """Return a regular expression of texts that say that there is nothing."""
    free = "|".join(map(_word, (*_WORDS, *_ERRORS)))
    bracketed = "|".join(map(_word, _BRACKETED))
    words = rf"""["'(<\[{{]*(?:{free})["')>\]}}]*|["'(<\[{{]+(?:{bracketed})["')>\]}}]+"""
    return f"{_SCIENTIFIC}|{_ERROR}|{_TEMPLATE}|{words}"


def _word(text: str) -> str:
    """Return a regular expression of a text in any case, its blanks written in any way."""
    return "".join(
        f"(?:{BLANK}|[_-])*" if sign == " " else _sign_in_any_case(sign) for sign in text
    )


def _sign_in_any_case(sign: str) -> str:
    return f"[{sign.lower()}{sign.upper()}]" if sign.isalpha() else re.escape(sign)
