"""Phone numbers in the one form in which they are compared: E.164, such as ``+447700900001``.

A number as somebody typed it and the country it was typed in come in; out comes the number with
its country code, whatever blanks, signs, dialling prefixes and extensions it was typed with.
Called by ``hashing``.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final, NamedTuple

import phonenumbers
from babel.core import get_global
from phonenumbers import PhoneMetadata, ValidationResult

from recsys.config import Config, Source

#: Digits typed when nobody has a number at hand: one digit over and over, or counting up and down.
COUNTER_DIGITS: Final = (
    "|".join(f"{digit}{{6,}}" for digit in "123456789") + "|0?123456(7(8(9(0)?)?)?)?|9?87654321(0)?"
)
_NOBODY: Final = re.compile(rf"{COUNTER_DIGITS}|0*|[0-9]{{1,4}}")
_NOT_DIGITS: Final = re.compile("[^0-9+]")
#: What is read without the library's help: digits and the signs between them, nothing more.
_PLAIN: Final = re.compile(r"[' (]*\+?[0-9][0-9 ()./-]*")
_BETWEEN: Final = str.maketrans("", "", "' ()./-")
#: A number that a program took for one to calculate with: ``447700900001.0``.
_CALCULATED: Final = re.compile(r"\s*\+?[0-9]{6,}\.0\s*")
#: What stands between two numbers in one cell.
_SEVERAL: Final = re.compile(
    r"\s*[,;/|\n]\s*|\s+(?:or|oder|ou|o|lub|veya|and|und|et|y|e|&|[-–—])\s+"
)
_ABROAD: Final = "00"
#: Territory of a time zone that belongs to no country.
_NOWHERE: Final = "ZZ"


def country_of(config: Config, source: Source | None = None) -> str | None:
    """Return the country in which phone numbers were typed, ISO 3166; None where nothing says it.

    The source's, else the workspace's, else that of the workspace's time zone.

    Parameters
    ----------
    config : Config
        Settings of the workspace.
    source : Source, optional
        Whose export has the numbers; without it only the workspace counts.

    Returns
    -------
    str or None
        Two letters, such as ``GB``.
    """
    stated = (source.country if source else None) or config.workspace.country
    if stated:
        return stated
    zone = config.workspace.time_zone
    territories = get_global("zone_territories")
    found = territories.get(zone) or territories.get(get_global("zone_aliases").get(zone, ""))
    return None if found in (None, _NOWHERE) else str(found)


def normalise_phone(text: str, country: str | None) -> str:
    """Bring a phone number into the form that is compared; empty where no digit is left.

    Parameters
    ----------
    text : str
        As typed.
    country : str or None
        Where, ISO 3166; None where it is not known.

    Returns
    -------
    str
        In E.164 where that can be told; of several numbers in one cell, the first. Of numbers that
        nobody has (``111 1111``, ``112``) the digits within their country, of all others the
        digits and ``+`` as typed.
    """
    if _CALCULATED.fullmatch(text):
        text = text.partition(".")[0]
    found = _read(text, country) or _read_odd(text, country)
    if found is None:
        return _NOT_DIGITS.sub("", _in_ascii(text))
    code, national = found
    return national if _NOBODY.fullmatch(national) else f"+{code}{national}"


def with_code(pattern: str, country: str | None) -> str:
    """Put the country code before a pattern of numbers that begins as they are dialled there.

    Parameters
    ----------
    pattern : str
        Digits, ``+``, and the signs ``*`` and ``?`` for those that do not matter.
    country : str or None
        Where, ISO 3166; without it the pattern stays.
    """
    region = _region(country) if country else None
    if region is None or pattern[:1] in ("+", "*", "?", ""):
        return pattern
    abroad = region.abroad.match(pattern)
    if abroad is not None:
        return "+" + pattern[abroad.end() :]
    prefix = region.prefix.match(pattern) if region.prefix.groups == 0 else None
    return f"+{region.code}{pattern[prefix.end() if prefix else 0 :]}"


def _in_ascii(text: str) -> str:
    """Write digits of all scripts with 0 to 9."""
    if text.isascii():
        return text
    return "".join(
        sign if (digit := unicodedata.digit(sign, None)) is None else str(digit)
        for sign in unicodedata.normalize("NFKC", text)
    )


def _read(text: str, country: str | None) -> tuple[int, str] | None:
    """Return country code and national number; None where they cannot be told."""
    region = _region(country) if country else None
    if _PLAIN.fullmatch(text):
        found = _read_plain(text.translate(_BETWEEN), region)
        if found is not None:
            return found
    try:
        number = phonenumbers.parse(text, country if region else None)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    return number.country_code or 0, phonenumbers.national_significant_number(number)


def _read_odd(text: str, country: str | None) -> tuple[int, str] | None:
    """Read the first of several numbers, or one that begins with 00 where that is not dialled."""
    first, *others = _SEVERAL.split(text.strip(), maxsplit=1)
    if others and (found := _read(first, country) or _read_odd(first, country)) is not None:
        return found
    bare = _in_ascii(text).strip(" '(")
    return _read("+" + bare[len(_ABROAD) :], country) if bare.startswith(_ABROAD) else None


class _Region(NamedTuple):
    """What is known of a country's numbers."""

    code: int
    abroad: re.Pattern[str]
    """What is dialled before a country code."""
    prefix: re.Pattern[str]
    """What is dialled before a national number; with groups it may be more than a prefix."""
    national: re.Pattern[str]
    mobile: re.Pattern[str]
    lengths: frozenset[int]
    """Of national numbers that are possible here and, as the library asks besides, in the country
    that its code is known by: in the United States, of a Canadian number."""


_NEVER: Final = "(?!)"


@lru_cache(maxsize=512)
def _region(name: str, code: int = 0) -> _Region | None:
    found = (
        PhoneMetadata.metadata_for_region_or_calling_code(code, name)
        if code
        else PhoneMetadata.metadata_for_region(name, None)
    )
    if found is None or found.general_desc is None or found.country_code is None:
        return None
    return _Region(
        found.country_code,
        re.compile(found.international_prefix or _NEVER),
        re.compile(found.national_prefix_for_parsing or _NEVER),
        re.compile(found.general_desc.national_number_pattern or _NEVER),
        re.compile((found.mobile and found.mobile.national_number_pattern) or _NEVER),
        frozenset(found.general_desc.possible_length) & _lengths(found.country_code),
    )


def _lengths(code: int) -> frozenset[int]:
    main = phonenumbers.region_code_for_country_code(code)
    found = PhoneMetadata.metadata_for_region_or_calling_code(code, main)
    if found is None or found.general_desc is None:
        return frozenset()
    return frozenset(found.general_desc.possible_length)


def _read_plain(digits: str, region: _Region | None) -> tuple[int, str] | None:
    """Do what the library does to a number without surprises, in a tenth of its time.

    None where it may have one: a number that is short, too long, not of its country's form, or
    that can be read in two ways. A test holds this against the library for every country.
    """
    if digits[0] == "+":
        return _after_code(digits[1:])
    if region is None:
        return None
    dialled = region.abroad.match(digits)
    if dialled is not None and digits[dialled.end() : dialled.end() + 1] not in ("", "0"):
        return _after_code(digits[dialled.end() :])
    code = str(region.code)
    valid = region.national.fullmatch(digits) is not None
    if digits.startswith(code):
        rest = digits[len(code) :]
        fits = region.national.fullmatch(rest) is not None and len(rest) in region.lengths
        if fits and valid and _lost_plus(digits, rest, region):
            return region.code, rest
        return (region.code, rest) if fits and not valid and not region.prefix.match(rest) else None
    if region.prefix.match(digits) is None:
        return (region.code, digits) if valid and len(digits) in region.lengths else None
    return _after_prefix(digits, region)


def _lost_plus(digits: str, rest: str, region: _Region) -> bool:
    """Tell whether digits are a mobile number whose ``+`` a spreadsheet has taken.

    ``491701234567`` may also be a number of the town whose code is 0491, its zero lost, and the
    library reads it so; but mobile numbers are what shops are told.
    """
    mobile = region.mobile.fullmatch(rest) is not None
    return mobile and region.mobile.fullmatch(digits) is None


def _after_prefix(digits: str, region: _Region) -> tuple[int, str] | None:
    """Read a number that begins with what is dialled before a national one."""
    prefix = region.prefix.match(digits)
    if prefix is None or region.prefix.groups:
        return None
    rest = digits[prefix.end() :]
    fits = region.national.fullmatch(rest) is not None and len(rest) in region.lengths
    return (region.code, rest) if fits else None


def _after_code(digits: str) -> tuple[int, str] | None:
    """Read a number that begins with a country code."""
    for length in (1, 2, 3):
        code = int(digits[:length] or 0)
        name = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code, ("",))[0]
        if name and digits[0] != "0":
            region = _region(name, code)
            rest = digits[length:]
            if region is None:
                return None
            if region.prefix.match(rest):  # typed all the same: +44 (0)7700 900001
                return _after_prefix(rest, region)
            return (code, rest) if len(rest) in region.lengths else None
    return None
