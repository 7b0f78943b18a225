"""Which of two exports is the later one, whatever order they were read in.

Parts come in, in the order in which they were read; they go out with the latest last. Called by
``staged`` and ``staging``.

A copied file is as new as its copy, so the time at which a file was written says little. What
decides is the source's ``recency``:

- ``content``: files whose names differ in their numbers alone (dates are numbers) come in the order
  of these. Otherwise the export that reaches further counts: the one with the newest order in it;
  where that is equal, the one that was read later. Another content under an old name is held to
  the same, so an old copy that is put in its place does not win.
- ``name``: the date in the name; where that is equal or missing, as ``read``.
- ``read``: what was read later is later.

Lists without times (products, locations, stock) follow the numbers in their names, else the order
in which they were read.
"""

import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from recsys.settings import Source

if TYPE_CHECKING:
    from recsys.data.parts import Part

_DIGITS: Final = re.compile(r"\d+")
_YEAR_FIRST: Final = re.compile(
    r"(?<!\d)(?P<y>(?:19|20)\d\d)(?:(?P<sep>[-_.]?)(?P<m>0[1-9]|1[0-2])"
    r"(?:(?P=sep)(?P<d>0[1-9]|[12]\d|3[01]))?)(?!\d)"
)
_DAY_FIRST: Final = re.compile(
    r"(?<!\d)(?P<d>0[1-9]|[12]\d|3[01])(?P<sep>[-_.])(?P<m>0[1-9]|1[0-2])(?P=sep)"
    r"(?P<y>(?:19|20)\d\d)(?!\d)"
)


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
        series.setdefault((part.source, _DIGITS.sub("#", part.file)), []).append(part)
    keys: dict[int, tuple[int, int, int]] = {}
    for alike in series.values():
        recency = sources[alike[0].source].recency
        if recency == "content":
            alike.sort(key=lambda p: (_numbers(p.file), p.newest_ts, p.sequence))
        reached = read = 0
        for place, part in enumerate(alike):
            if recency != "content":
                dated = dated_ts(part.file) or 0 if recency == "name" else 0
                keys[part.sequence] = (dated, part.sequence, 0)
                continue
            # A later file of a series reaches at least as far as those before it.
            reached, read = max(reached, part.newest_ts), max(read, part.sequence)
            keys[part.sequence] = (reached, read, place)
    return sorted(parts, key=lambda part: keys[part.sequence])


def dated_ts(name: str) -> int | None:
    """Return the end of the day or month that a file's name says, UTC epoch seconds."""
    day = _date(name)
    if day is None:
        return None
    after = day + timedelta(days=1)
    return int(datetime(after.year, after.month, after.day, tzinfo=UTC).timestamp())


def _date(name: str) -> date | None:
    """Return the last day of the last date in a name; of a month alone, the month's last day."""
    found = [*_DAY_FIRST.finditer(name)] or [*_YEAR_FIRST.finditer(name)]
    if not found:
        return None
    year, month, day = (found[-1][part] for part in ("y", "m", "d"))
    last = monthrange(int(year), int(month))[1]
    return date(int(year), int(month), min(int(day or last), last))


def _numbers(name: str) -> tuple[int, ...]:
    """Return the numbers in a name, its date first and in the order of a calendar."""
    day = _date(name)
    dated = (day.year, day.month, day.day) if day else ()
    return (*dated, *(int(number) for number in _DIGITS.findall(name)))
