"""Detects how an export writes its times.

Texts of a time column come in, the strptime formats that read them go out. Whether day or month
comes first is decided once for the whole column, from whatever value tells it. Called by
``mapping``.
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
#: Only where nobody puts the month first: with dots.
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
#: Formats that go together in one column, at most.
_MOST = 6
#: Times that show the order of a file, at least.
_ENOUGH = 5


@dataclass(frozen=True)
class Reading:
    """How a column's times are read.

    Attributes
    ----------
    patterns : list of str
        strptime formats; of several, the first that fits a text reads it. Empty: none is known.
    ambiguous : bool
        No value tells whether day or month comes first.
    contradictory : tuple of str or None
        One value that only day first reads, and one that only month first reads.
    unread : list of str
        A few of the texts that no pattern reads.
    """

    patterns: list[str]
    ambiguous: bool = False
    contradictory: tuple[str, str] | None = None
    unread: tuple[str, ...] = ()


def is_iso(texts: Collection[str]) -> bool:
    """Tell whether all texts are ISO 8601, which needs no format."""
    return bool(texts) and all(_ISO.fullmatch(text) for text in texts)


def reading(texts: Sequence[str], *, day_first: bool) -> Reading:
    """Find the formats of a column's times.

    Parameters
    ----------
    texts : sequence of str
        Values of the column in the order of its rows, empty ones left out.
    day_first : bool
        What to take where no value tells.
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
    # Exports are mostly written in the order of time; one of the two readings may not be.
    day_rises, month_rises = (_rises(texts, found) for found in (by_day, by_month))
    if day_rises != month_rises:
        day_first = day_rises
    return Reading(_chosen(by_day if day_first else by_month), ambiguous=True, unread=unread[:3])


def has_hours(texts: Iterable[str]) -> bool:
    """Tell whether times say more than a day."""
    return any(":" in text or re.search(r"[ T]\d{4}|\d[hH時]\d\d", text) for text in texts)


def day_ends_at_blank(texts: Collection[str]) -> bool:
    """Tell whether the day of each time is what stands before the first blank or ``T``."""
    return bool(texts) and all(re.fullmatch(r"[\d./-]{6,10}([ T].*)?", text) for text in texts)


def readable(text: str, patterns: str | Sequence[str] | None) -> str:
    """Write a time as ISO 8601, as it was understood; the text itself where it was not."""
    for pattern in [patterns] if isinstance(patterns, str) else patterns or ():
        time = _time(text, pattern)
        if time is not None:
            return time.isoformat(sep=" ")
    return text


def _cover(texts: Sequence[str], *, by_month: bool) -> dict[str, str]:
    """Read as many texts as possible with few patterns, day first or month first."""
    days = (*_NEUTRAL, *_DOTTED, *(_MONTH_FIRST if by_month else _DAY_FIRST))
    patterns = [day + hour for day in dict.fromkeys(days) for hour in _HOURS]
    found: dict[str, str] = {}
    left = list(texts)
    for _ in range(_MOST):
        # The first text that is left says which patterns are worth trying.
        first = next((t for t in left if any(_time(t, p) for p in patterns)), None)
        if first is None:
            break
        fitting = [p for p in patterns if _time(first, p)]
        best = max(fitting, key=lambda p: sum(_time(t, p) is not None for t in left))
        found.update((t, best) for t in left if _time(t, best) is not None)
        left = [t for t in left if t not in found]
    return found


def _chosen(found: dict[str, str]) -> list[str]:
    return list(dict.fromkeys(found.values()))


def _rises(texts: Sequence[str], found: dict[str, str]) -> bool:
    """Tell whether times never go back, or never forward, and move at all."""
    times = [time for t in texts if (time := _time(t, found.get(t, ""))) is not None]
    steps = [a <= b for a, b in pairwise(times)], [a >= b for a, b in pairwise(times)]
    return len(set(times)) >= _ENOUGH and any(all(step) for step in steps)


@cache
def _time(text: str, pattern: str) -> datetime | None:
    """Read a text by a pattern; None where it does not fit."""
    # Without separators strptime also takes a digit where two are meant.
    exact = "%H%M" in pattern or "%Y%m%d" in pattern
    try:
        time = datetime.strptime(text, pattern)
    except ValueError:
        return None
    return None if exact and time.strftime(pattern) != text else time
