"""Tells how an export writes its times.

Texts of a time column come in, the strptime format that fits all of them goes out. Called by
``mapping``.
"""

import re
from collections.abc import Collection
from datetime import datetime
from itertools import product

_ISO = re.compile(
    r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?\s?(Z|UTC|[+-]\d\d:?\d\d)?", re.ASCII
)
_DAYS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y",
    "%d/%m/%y", "%m/%d/%y", "%d-%m-%Y", "%m-%d-%Y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y",
    "%b %d, %Y", "%d %B %Y", "%B %d, %Y",
)  # fmt: skip
_HOURS = (
    "", " %H:%M:%S", " %H:%M", " %I:%M:%S %p", " %I:%M %p", "T%H:%M:%S", " %H:%M:%S.%f", " %H%M%S",
    " %H%M", " %H.%M",
)  # fmt: skip


def is_iso(texts: Collection[str]) -> bool:
    """Tell whether all texts are ISO 8601, which needs no format."""
    return bool(texts) and all(_ISO.fullmatch(text) for text in texts)


def formats(texts: Collection[str]) -> list[str]:
    """List the strptime formats that fit all texts.

    Parameters
    ----------
    texts : collection of str
        Distinct values of the column.

    Returns
    -------
    formats : list of str
        Empty: none is known. Two: day and month cannot be told apart, day first comes first.
    """
    if not texts:
        return []
    found: dict[tuple[datetime, ...], str] = {}
    for day, hour in product(_DAYS, _HOURS):
        times = _read(texts, day + hour)
        if times is not None:
            found.setdefault(times, day + hour)
    return list(found.values())


def readable(text: str, pattern: str | None) -> str:
    """Write a time as ISO 8601, as it was understood; the text itself where it was not."""
    if pattern is None:
        return text
    try:
        return datetime.strptime(text, pattern).isoformat(sep=" ")
    except ValueError:
        return text


def _read(texts: Collection[str], pattern: str) -> tuple[datetime, ...] | None:
    """Read all texts by a pattern; None when one does not fit."""
    # Without separators strptime also takes a digit where two are meant.
    exact = "%H%M" in pattern or "%Y%m%d" in pattern
    read = []
    try:
        for text in texts:
            time = datetime.strptime(text, pattern)
            if exact and time.strftime(pattern) != text:
                return None
            read.append(time)
    except ValueError:
        return None
    return tuple(read)
