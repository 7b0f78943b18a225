"""Detects the time formats of an export.

In: texts of a time column. Out: the strptime formats that read them. Any unambiguous value decides
for the whole column whether day or month comes first. Called by ``formats``.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import pairwise

_ISO = re.compile(
    r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?\s?(Z|UTC|[+-]\d\d:?\d\d)?", re.ASCII
)
_NEUTRAL = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d %b %Y",
    "%b %d, %Y",
    "%b %d %Y",
    "%d %B %Y",
    "%B %d, %Y",
    "%Y年%m月%d日",
)
_DAY_FIRST = (
    "%d.%m.%Y",
    "%d.%m.%y",
    "%d/%m/%Y",
    "%d/%m/%y",
    "%d-%m-%Y",
    "%d-%m-%y",
    "%d. %m. %Y",
)
_MONTH_FIRST = ("%m/%d/%Y", "%m/%d/%y", "%m-%d-%Y", "%m-%d-%y")
#: Formats with dots, which always have the day first.
_DOTTED = ("%d.%m.%Y", "%d.%m.%y", "%d. %m. %Y")
_HOURS = (
    "",
    " %H:%M:%S",
    " %H:%M",
    " %I:%M:%S %p",
    " %I:%M %p",
    " %I:%M:%S%p",
    " %I:%M%p",
    "T%H:%M:%S",
    "T%H:%M",
    " %H:%M:%S.%f",
    "T%H:%M:%S.%f",
    " %H%M%S",
    " %H%M",
    " %H.%M",
    " %Hh%M",
    " %H時%M分",
    ", %H:%M:%S",
    ", %H:%M",
    ", %I:%M:%S %p",
    ", %I:%M %p",
    " - %H:%M",
)
#: Maximum number of formats in one column.
_MOST = 6
#: Minimum number of times to detect the order of a file.
_ENOUGH = 5


@dataclass(frozen=True)
class Reading:
    """The detected formats of a column's times.

    Attributes
    ----------
    patterns : list of str
        strptime formats in order of precedence. Empty if none is known.
    ambiguous : bool
        No value shows whether day or month comes first.
    contradictory : tuple of str or None
        A value with the day first, and one with the month first.
    unread : list of str
        Examples of texts that no pattern reads.
    """

    patterns: list[str]
    ambiguous: bool = False
    contradictory: tuple[str, str] | None = None
    unread: tuple[str, ...] = ()


def is_iso(texts: Collection[str]) -> bool:
    """Return whether all texts are ISO 8601, which needs no format."""
    return bool(texts) and all(_ISO.fullmatch(text) for text in texts)


def reading(texts: Sequence[str], *, day_first: bool) -> Reading:
    """Find the formats of a column's times.

    Parameters
    ----------
    texts : sequence of str
        Non-empty values of the column in row order.
    day_first : bool
        What to assume if no value shows the order.
    """
    distinct = list(dict.fromkeys(texts))
    by_day, by_month = _cover(distinct, by_month=False), _cover(distinct, by_month=True)
    only_day = next((t for t in distinct if t in by_day and t not in by_month), None)
    only_month = next((t for t in distinct if t in by_month and t not in by_day), None)
    unread = tuple(t for t in distinct if t not in by_day and t not in by_month)
    if len(unread) == len(distinct):
        return Reading([], unread=unread[:3])
    if only_day is not None and only_month is not None:
        fuller = by_day if len(by_day) >= len(by_month) else by_month
        return Reading(_chosen(fuller), contradictory=(only_day, only_month), unread=unread[:3])
    differ = any(_time(t, by_day[t]) != _time(t, by_month[t]) for t in by_day if t in by_month)
    if only_day is not None or only_month is not None or not differ:
        found = by_month if only_month is not None else by_day
        return Reading(_chosen(found), unread=unread[:3])
    # Exports are mostly sorted by time; one of the two readings may not be.
    day_rises, month_rises = (_rises(texts, found) for found in (by_day, by_month))
    if day_rises != month_rises:
        day_first = day_rises
    return Reading(_chosen(by_day if day_first else by_month), ambiguous=True, unread=unread[:3])


def has_hours(texts: Iterable[str]) -> bool:
    """Return whether any time has more than a date."""
    return any(":" in text or re.search(r"[ T]\d{4}|\d[hH時]\d\d", text) for text in texts)


def day_ends_at_blank(texts: Collection[str]) -> bool:
    """Return whether the date of each time ends at the first blank or ``T``."""
    return bool(texts) and all(re.fullmatch(r"[\d./-]{6,10}([ T].*)?", text) for text in texts)


def readable(text: str, patterns: str | Sequence[str] | None) -> str:
    """Return a time as ISO 8601, or the text itself if it cannot be read."""
    for pattern in [patterns] if isinstance(patterns, str) else patterns or ():
        time = _time(text, pattern)
        if time is not None:
            return time.isoformat(sep=" ")
    return text


def _cover(texts: Sequence[str], *, by_month: bool) -> dict[str, str]:
    """Read as many texts as possible with few patterns, day first or month first."""
    days = (*_NEUTRAL, *_DOTTED, *(_MONTH_FIRST if by_month else _DAY_FIRST))
    patterns = [day + hour for day in dict.fromkeys(days) for hour in _HOURS]
    pattern_of: dict[str, str] = {}
    left = list(texts)
    for _ in range(_MOST):
        # The first remaining text limits the patterns to try.
        first = next((t for t in left if any(_time(t, p) for p in patterns)), None)
        if first is None:
            break
        fitting = [p for p in patterns if _time(first, p)]
        best = max(fitting, key=lambda p: sum(_time(t, p) is not None for t in left))
        pattern_of.update((t, best) for t in left if _time(t, best) is not None)
        left = [t for t in left if t not in pattern_of]
    return pattern_of


def _chosen(pattern_of: dict[str, str]) -> list[str]:
    return list(dict.fromkeys(pattern_of.values()))


def _rises(texts: Sequence[str], pattern_of: dict[str, str]) -> bool:
    """Return whether times are sorted, ascending or descending, and not all equal."""
    times = [time for t in texts if (time := _time(t, pattern_of.get(t, ""))) is not None]
    steps = [a <= b for a, b in pairwise(times)], [a >= b for a, b in pairwise(times)]
    return len(set(times)) >= _ENOUGH and any(all(step) for step in steps)


@cache
def _time(text: str, pattern: str) -> datetime | None:
    """Read a text by a pattern; None where it does not fit."""
    # Without separators, strptime also accepts one digit where two are required.
    exact = "%H%M" in pattern or "%Y%m%d" in pattern
    try:
        time = datetime.strptime(text, pattern)
    except ValueError:
        return None
    return None if exact and time.strftime(pattern) != text else time
