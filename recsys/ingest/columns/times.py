"""Parses times of exports into a local time and an offset from UTC.

``read_time`` reads ISO 8601 in the variants of databases and shops: a blank for the ``T``, no
seconds, ``+02``, ``+0200``, ``Z``, ``UTC``. ``read_formats`` reads a column with other formats.
``fitting`` lists the formats that texts may have. Called by ``fields``, ``events`` and ``shopify``.
"""

import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from functools import reduce
from itertools import product
from typing import cast

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.ingest.columns.time_zones import FIRST_YEAR, LAST_YEAR
from recsys.query_engine import parse_time, rows

#: The offset that follows the time: ``12:30:00.5 +02:00`` gives ``+02:00``.
_BEHIND = r":\d\d[\d.,:]*\s*([^\d.,:\s].*)$"
_OFFSET = r"^[+-]\d\d(:?\d\d)?$"
_UTC = ("Z", "UTC", "GMT")
_AGE = tuple(datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (FIRST_YEAR, LAST_YEAR))
_DAYS = (
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y.%m.%d",
    "%Y%m%d",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d.%m.%y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d %b %Y",
    "%b %d, %Y",
    "%d %B %Y",
    "%B %d, %Y",
)
_HOURS = (
    "",
    " %H:%M:%S",
    " %H:%M",
    " %I:%M:%S %p",
    " %I:%M %p",
    "T%H:%M:%S",
    " %H:%M:%S.%f",
    " %H.%M",
)
_MOST_FORMATS = 3
#: Names of numeric time formats → unit in seconds, and origin in seconds since 1970.
COUNTED = {"unix": (1.0, 0), "unix_ms": (1e-3, 0), "unix_us": (1e-6, 0), "excel": (86400.0, -25569)}
#: Patterns of such numbers for 1990 to 2050; Unix times from 2001.
_NUMBERED = {
    "unix": r"1\d{9}([.]\d+)?|2[0-4]\d{8}([.]\d+)?",
    "unix_ms": r"1\d{12}|2[0-4]\d{11}",
    "unix_us": r"1\d{15}|2[0-4]\d{14}",
    "excel": r"(3[3-9]|4\d|5[0-4])\d{3}([.,]\d+)?",
}
#: Year, month, day and hour without separators look like Unix seconds.
_HOURLY = r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])"


def read_time(text: ir.StringValue) -> tuple[ir.TimestampValue, ir.IntegerValue]:
    """Read ISO 8601 times.

    Parameters
    ----------
    text : string column

    Returns
    -------
    local : timestamp column
        Local time; null where unreadable, including times with zone names other than UTC and with
        a.m. or p.m.
    offset : int64 column
        Seconds ahead of UTC; null where not stated.
    """
    plain = (text.length() == len("2026-01-31 12:30:00")) & (text.substr(16, 1) == ":")
    behind = ibis.ifelse(plain, "", text.re_extract(_BEHIND, 1))  # most are, and patterns are slow
    signed = behind.re_search(_OFFSET)
    sign = ibis.ifelse(behind.left(1) == "-", -1, 1)
    hours = behind.substr(1, 2).try_cast("int64")
    minutes = ibis.ifelse(behind.length() > 3, behind.right(2).try_cast("int64"), 0)
    offset = ibis.cases(
        (behind == "", ibis.null("int64")),
        (signed, sign * (hours * 3600 + minutes * 60)),
        (behind.upper().isin(_UTC), 0),
    )
    clock = ibis.cases(
        (behind == "", text),
        (signed | behind.upper().isin(_UTC), text.left(text.length() - behind.length()).strip()),
    )
    return cast(ir.TimestampValue, clock.try_cast("timestamp(6)")), cast(ir.IntegerValue, offset)


def read_as(text: ir.StringValue, written: str) -> tuple[ir.TimestampValue, ir.IntegerValue]:
    """Read times of one format: a strptime format or a name from ``COUNTED``.

    Returns
    -------
    local : timestamp column
    offset : int64 value
        Zero for formats that count from a moment in UTC, else null.
    """
    nothing = cast(ir.IntegerValue, ibis.null("int64"))
    if written not in COUNTED:
        return parse_time(text, written), nothing
    size, origin = COUNTED[written]
    number = text.replace(",", ".").try_cast("float64")
    seconds = number * size + origin * 86400
    of_age = (seconds >= _AGE[0]) & (seconds < _AGE[1])
    micro = ibis.ifelse(of_age, (seconds * 1e6).round(), ibis.null("float64")).cast("int64")
    if written == "excel":  # days stored as floats are off by microseconds
        micro = ((micro + 500_000) // 1_000_000) * 1_000_000
    clock = (micro // 1_000_000).as_timestamp("s") + (micro % 1_000_000).as_interval("us")
    local = cast(ir.TimestampValue, clock.cast("timestamp(6)"))
    return local, nothing if written == "excel" else ibis.literal(0, "int64")


def number_kind(texts: Collection[str]) -> str | None:
    """Return the name in ``COUNTED`` of times that are all numbers of one kind, else None.

    Parameters
    ----------
    texts : collection of str
        Values of one column.

    Returns
    -------
    {"unix", "unix_ms", "unix_us", "excel"} or None
        Also None if there are no texts, or if they are year, month, day and hour in one number.
    """
    if not texts or all(re.fullmatch(_HOURLY, text, re.ASCII) for text in texts):
        return None
    for word, pattern in _NUMBERED.items():
        if all(re.fullmatch(pattern, text, re.ASCII) for text in texts):
            return word
    return None


def read_formats(
    con: Backend, table: ir.Table, text: ir.StringValue, formats: Sequence[str]
) -> tuple[ir.TimestampValue, ir.IntegerValue]:
    """Read times in the first format that fits, else as ISO 8601.

    Parameters
    ----------
    con : ibis backend
        The engine.
    table : ibis table
        All rows of the export.
    text : string column
        Its times.
    formats : sequence of str
        strptime formats, or names from ``COUNTED``.

    Returns
    -------
    local, offset
        As ``read_time``.

    Notes
    -----
    Two formats that differ in the order of day and month read ``1/3/2014`` as different days. If
    only one of them can read some other value of the column (``28/2/2014``), that format is used.
    If each can read values that the other cannot, values that both can read are null, because they
    are ambiguous. If neither can, the first listed format is used.
    """
    order, contested = list(formats), []
    for rivals in _rivals(formats):
        readings = {written: parse_time(text, written) for written in rivals}
        fits = reduce(lambda a, b: a + b, (r.notnull().cast("int8") for r in readings.values()))
        alone = table.aggregate(
            **{f: (r.notnull() & (fits == 1)).sum().fill_null(0) for f, r in readings.items()}
        )
        (counts,) = rows(con, alone)
        winners = [written for written in rivals if counts[written]]
        if len(winners) == 1:
            order.remove(winners[0])
            order.insert(0, winners[0])
        elif winners:
            differ = ibis.greatest(*readings.values()) != ibis.least(*readings.values())
            contested.append((fits > 1) & differ)
    clock = ibis.coalesce(*(read_as(text, written)[0] for written in order))
    in_utc = [
        cast(ir.BooleanValue, read_as(text, written)[0].notnull())
        for written in order
        if written in COUNTED and written != "excel"
    ]
    iso, offset = read_time(text)
    if any("%Y-%d" in written for written in formats):  # ISO 8601 would yield another day
        iso = ibis.null("timestamp(6)")
    offset = ibis.ifelse(clock.isnull(), offset, ibis.null("int64"))
    if in_utc:
        offset = ibis.ifelse(ibis.or_(*in_utc), 0, offset)
    clock = ibis.coalesce(clock, iso)
    if contested:
        clock = ibis.ifelse(ibis.or_(*contested), ibis.null("timestamp(6)"), clock)
    return cast(ir.TimestampValue, clock), cast(ir.IntegerValue, offset)


def fitting(texts: Collection[str]) -> list[str]:
    """List the strptime formats that fit all texts.

    Parameters
    ----------
    texts : collection of str
        Values of one column.

    Returns
    -------
    formats : list of str
        Several if day and month are ambiguous, with day first in front. Empty if no known format
        fits all texts.
    """
    formats_by_result: dict[tuple[datetime, ...], str] = {}
    for written in _known() if texts else ():
        times = [_time(text, written) for text in texts]
        if None not in times:
            formats_by_result.setdefault(tuple(cast(list[datetime], times)), written)
    return list(formats_by_result.values())


def hint(texts: Collection[str]) -> str:
    """Suggest the ``time_format`` that reads most of these texts; empty if none is known."""
    if word := number_kind(texts):
        return f': set `time_format` to "{word}"'
    left, several = list(texts), list[str]()
    while left and len(several) < _MOST_FORMATS:
        best = max(_known(), key=lambda written: sum(_time(t, written) is not None for t in left))
        read = [text for text in left if _time(text, best) is not None]
        if not read:
            break
        several.append(" or ".join(f'"{written}"' for written in fitting(read)))
        left = [text for text in left if text not in read]
    if not several or 2 * len(left) > len(texts):
        return ""
    listed = ", ".join(several)
    return f": set `time_format` to {listed if len(several) == 1 else f'[{listed}]'}"


def _known() -> list[str]:
    return [day + hour for day, hour in product(_DAYS, _HOURS)]


def _time(text: str, written: str) -> datetime | None:
    try:
        time = datetime.strptime(text, written)
    except ValueError:
        return None
    # Without separators, strptime also accepts one digit where two are required.
    return None if "%Y%m%d" in written and time.strftime(written) != text else time


def _rivals(formats: Sequence[str]) -> list[list[str]]:
    """Group formats that differ in the order of day, month and year only."""
    groups: dict[str, list[str]] = {}
    for written in dict.fromkeys(formats):
        groups.setdefault(re.sub("%[dmy]", "%_", written), []).append(written)
    return [group for group in groups.values() if len(group) > 1]
