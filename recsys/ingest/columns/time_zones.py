"""Converts local times to UTC by joining a table of the zone's days.

In: a zone's name. Out: one row per local day with its offset and, on days when clocks change, the
time and size of the change. So the engine needs no time zone data, and skipped and repeated hours
are handled explicitly. ``to_utc`` does the join. Called by ``fields``.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import cast
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from ibis.backends.duckdb import Backend

from recsys.query_engine import keep

FIRST_YEAR, LAST_YEAR = 1990, 2050
_WEEK = 7


@dataclass(frozen=True)
class Moments:
    """Times of a table's rows.

    Attributes
    ----------
    table : ibis table
        The rows, joined with the days of the zone.
    at : timestamp column
        UTC; null where missing.
    out_of_range : boolean column
        Unreadable, or outside the supported years.
    skipped : boolean column
        In an hour that daylight saving skipped.
    twice : boolean column
        In an hour that occurred twice; the first is used.
    """

    table: ir.Table
    at: ir.TimestampValue
    out_of_range: ir.BooleanValue
    skipped: ir.BooleanValue
    twice: ir.BooleanValue


def to_utc(
    table: ir.Table, local: ir.TimestampValue, offset: ir.IntegerValue, zone: str
) -> Moments:
    """Convert local times to UTC.

    Parameters
    ----------
    table : ibis table
    local : timestamp column
        Local time.
    offset : int64 column
        Seconds ahead of UTC; null where the zone determines it.
    zone : str
        IANA name.
    """
    days = keep(cast(Backend, table.get_backend()), "days", zone_days(zone))
    second = (local.truncate("s").epoch_seconds() % 86400).cast("int64")
    table = table.mutate(_local=local, _second=second, _offset=offset)
    t = table.left_join(days, table["_local"].date() == days.zone_day)
    at, second, stated = t["_local"], t["_second"], t["_offset"]
    first, end = (ibis.timestamp(f"{year}-01-01") for year in (FIRST_YEAR, LAST_YEAR))
    unstated = stated.isnull()
    # A skipped midnight is usually a date without a time: the earlier offset maps it to the day's
    # first moment.
    midnight = at == at.truncate("D")
    gap = unstated & (second >= t.gap_from) & (second < t.gap_to) & ~midnight
    fold = unstated & (second >= t.fold_from) & (second < t.fold_to)
    seconds = stated.fill_null(ibis.ifelse(second >= t.switch, t.after, t.before))
    return Moments(
        table=t,
        at=at - seconds.as_interval("s"),
        out_of_range=at.isnull() | (at < first) | (at >= end),
        skipped=gap,
        twice=fold.fill_null(False),
    )


@lru_cache
def zone_days(zone: str) -> pa.Table:
    """List each local day of a zone with its offset and its clock change, if any.

    Seconds since local midnight: times before ``switch`` have the offset ``before``, later ones
    ``after``. ``gap_from``-``gap_to`` was skipped that day; ``fold_from``-``fold_to`` occurred
    twice, the first time with the offset ``before``, so ``switch`` is the end of the fold.
    """
    key = ZoneInfo(zone)
    start = date(FIRST_YEAR - 1, 12, 31)
    n_days = (date(LAST_YEAR, 1, 2) - start).days
    offsets = np.empty(n_days + 1, np.int64)  # at each midnight
    for week in range(0, n_days, _WEEK):
        end = min(week + _WEEK, n_days)
        first, last = (_offset(key, start, day) for day in (week, end))
        offsets[week : end + 1] = first
        if first != last:  # the offset changes in between: check every day
            offsets[week : end + 1] = [_offset(key, start, day) for day in range(week, end + 1)]
    before, after = offsets[:-1], offsets[1:]
    switch = np.full(n_days, 86400)
    gap_from, gap_to, fold_from, fold_to = np.full((4, n_days), -1)  # no second is before midnight
    for day in np.flatnonzero(before != after):
        at = _switch(key, start, int(day), int(before[day]))
        jump = int(after[day] - before[day])
        switch[day] = at
        if jump > 0:
            gap_from[day], gap_to[day] = at - jump, at
        else:
            fold_from[day], fold_to[day] = at + jump, at
    return pa.table(
        {
            "zone_day": np.datetime64(start) + np.arange(n_days),
            "before": before,
            "after": after,
            "switch": switch,
            "gap_from": gap_from,
            "gap_to": gap_to,
            "fold_from": fold_from,
            "fold_to": fold_to,
        }
    )


def midnights(zone: str) -> list[int]:
    """Return the seconds after midnight UTC at which the zone's days begin, including 0."""
    offsets = zone_days(zone)["before"].unique().to_pylist()
    return sorted({0, *(-offset % 86400 for offset in offsets)})


def _offset(key: ZoneInfo, start: date, day: int, second: int = 0) -> int:
    """Return the offset of a local time in seconds; of the first if it occurred twice."""
    local = datetime(start.year, start.month, start.day) + timedelta(days=day, seconds=second)
    return int(cast(timedelta, local.replace(tzinfo=key).utcoffset()).total_seconds())


def _switch(key: ZoneInfo, start: date, day: int, before: int) -> int:
    """Find the local second, before the change, at which the offset changes."""
    low, high = 0, 86400
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(key, start, day, middle) == before:
            low = middle
        else:
            high = middle
    return high
