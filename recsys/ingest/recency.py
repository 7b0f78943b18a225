"""Decides which of two exports is newer, in whatever order they are read.

Parts come in, in the order in which they were read; they go out with the latest last. Called by
``staged`` and ``staging``.

A copied file is as new as its copy, so the time at which a file was written says little. What
decides is the source's ``recency``:

- ``content``: files whose names differ in their numbers alone (dates are numbers, also with the
  month in words) come in the order of these; ``orders (1).csv`` is a browser's name for another
  ``orders.csv``. Otherwise the export that reaches further counts: the one with the newest order
  in it; where that is equal, the one that was read later. Another content under an old name is
  held to the same, so an old copy that is put in its place does not win.
- ``name``: the date in the name; where that is equal or missing, as ``read``.
- ``read``: what was read later is later.

Lists without times (products, locations, stock) follow the numbers in their names, else the order
in which they were read.
"""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Final

from babel.dates import get_month_names

from recsys.config import Source

if TYPE_CHECKING:
    from recsys.ingest.parts import Part

_DIGITS: Final = re.compile(r"\d+")
#: What a browser puts behind the name of a file that it has saved before.
_COPY: Final = re.compile(r" ?\((\d{1,3})\)(?=\.[^/]*$|$)")
_YEAR, _MONTH, _DAY = (
    r"(?P<y>(?:19|20)\d\d)",
    r"(?P<m>0[1-9]|1[0-2])",
    r"(?P<d>0[1-9]|[12]\d|3[01])",
)
_SEP: Final = r"(?P<sep>[-_. ])"


def _number(*parts: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\d){''.join(parts)}(?!\d)")


_YEAR_FIRST: Final = _number(_YEAR, rf"(?:(?P<sep>[-_. ]?){_MONTH}(?:(?P=sep){_DAY})?)")
_DAY_FIRST: Final = (
    _number(_DAY, _SEP, _MONTH, "(?P=sep)", _YEAR),
    _number(_DAY, _MONTH, _YEAR),
    _number(_DAY, r"(?P<sep>\.)", _MONTH, "(?P=sep)", r"(?P<y>\d\d)"),
)
_MONTH_FIRST: Final = (
    _number(_MONTH, _SEP, _DAY, "(?P=sep)", _YEAR),
    _number(_MONTH, _DAY, _YEAR),
)
_MONTH_YEAR: Final = (_number(_MONTH, r"(?P<sep>[-_. ]?)", _YEAR),)
#: Languages in which the names of months are understood.
_LANGUAGES: Final = ("en", "de", "fr", "es", "it", "pl", "tr", "nl", "pt")


def in_order(parts: Sequence["Part"], sources: Mapping[str, Source]) -> list["Part"]:
    """Sort the parts of a history so that later ones win.

    Parameters
    ----------
    parts : sequence of Part
        Of sources that are still named.
    sources : mapping
        Name → settings.
    """
    series: dict[tuple[str, str], list[Part]] = {}
    for part in parts:
        series.setdefault((part.source, _series(part.file)), []).append(part)
    keys: dict[int, tuple[int, int, int]] = {}
    for same_name in series.values():
        recency = sources[same_name[0].source].recency
        names = [_spelt(part.file) for part in same_name]
        months = _months_stand_first(names)
        if recency == "content":
            same_name.sort(
                key=lambda p: (_numbers(p.file, months), p.newest_ts, _copy(p.file), p.sequence)
            )
        reached = read = 0
        for place, part in enumerate(same_name):
            if recency != "content":
                dated = _end_ts(_date(_spelt(part.file), months)) if recency == "name" else None
                keys[part.sequence] = (dated or 0, part.sequence, 0)
                continue
            # A later file of a series reaches at least as far as those before it.
            reached, read = max(reached, part.newest_ts), max(read, part.sequence)
            keys[part.sequence] = (reached, read, place)
    return sorted(parts, key=lambda part: keys[part.sequence])


def dated_ts(name: str) -> int | None:
    """Return the end of the day or month that a file's name says, UTC epoch seconds."""
    name = _spelt(name)
    return _end_ts(_date(name, _months_stand_first([name])))


def _end_ts(day: date | None) -> int | None:
    if day is None:
        return None
    after = day + timedelta(days=1)
    return int(datetime(after.year, after.month, after.day, tzinfo=UTC).timestamp())


def _date(name: str, months_first: bool) -> date | None:
    """Return the last day of the last date in a name; of a month alone, the month's last day."""
    found: list[re.Match[str]] = []
    days = _MONTH_FIRST if months_first else _DAY_FIRST
    for pattern in (*days, _YEAR_FIRST, *_MONTH_YEAR):
        found = found or [*pattern.finditer(name)]
    if not found:
        return None
    parts = found[-1].groupdict()
    year, month = int(parts["y"]), int(parts["m"])
    year += 2000 if year < 100 else 0
    last = monthrange(year, month)[1]
    return date(year, month, min(int(parts.get("d") or last), last))


def _months_stand_first(names: Sequence[str]) -> bool:
    """Tell whether months stand before days: some name cannot be read in another way."""
    both = [(_any(_DAY_FIRST, name), _any(_MONTH_FIRST, name)) for name in names]
    return (False, True) in both and (True, False) not in both


def _any(patterns: Sequence[re.Pattern[str]], name: str) -> bool:
    return any(pattern.search(name) for pattern in patterns)


def _numbers(name: str, months_first: bool) -> tuple[int, ...]:
    """Return the numbers in a name, its date or year first and in the order of a calendar."""
    name = _spelt(_COPY.sub("", name))
    day = _date(name, months_first)
    numbers = [int(number) for number in _DIGITS.findall(name)]
    if day:
        return (day.year, day.month, day.day, *numbers)
    years = [number for number in numbers if 1990 <= number < 2050]
    return (*years[:1], *numbers)


def _copy(name: str) -> int:
    """Return the number of a browser's copy; 0 for the first."""
    found = _COPY.search(name)
    return int(found[1]) if found else 0


def _series(name: str) -> str:
    """Return a name without its numbers: files that share it are one export's."""
    return _DIGITS.sub("#", _spelt(_COPY.sub("", name)))


@cache
def _spelt(name: str) -> str:
    """Write months that stand in words as numbers, with the year in four digits behind them."""
    return _month_words()[0].sub(_in_numbers, unicodedata.normalize("NFC", name))


def _in_numbers(found: re.Match[str]) -> str:
    month = _month_words()[1][found["month"].casefold()]
    year = int(found["year"])
    day = f"{int(found['day']):02}." if found["day"] else ""
    return f"{day}{month:02}.{year + 2000 if year < 100 else year}"


@cache
def _month_words() -> tuple[re.Pattern[str], dict[str, int]]:
    names: dict[str, int] = {}
    for language in _LANGUAGES:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                words = get_month_names(width, context, language)
                for month, word in words.items():
                    names.setdefault(word.rstrip(".").casefold(), month)
    listed = "|".join(sorted((re.escape(n) for n in names if n.isalpha()), key=len, reverse=True))
    between = r"[-_. ]?"
    return re.compile(
        rf"(?:(?<!\d)(?P<day>[0-3]?\d){between})?(?<![^\W\d_])(?P<month>{listed}){between}"
        rf"(?P<year>(?:19|20)\d\d|\d\d)(?!\d)",
        re.IGNORECASE,
    ), names
