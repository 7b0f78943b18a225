"""When a rule holds: from a moment until another, on some days of the week, at some hours.

In: what the settings say, in the words of the file. Out: ``TimeWindow``, which is asked of times.
Called by ``placement_rules`` when settings are read, and by the recommender for a question.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from recsys.config.errors import nearest_name
from recsys.errors import ConfigError

WEEKDAYS: Final = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
_DAYS_OF: Final = {
    **{name: (ix,) for ix, name in enumerate(WEEKDAYS)},
    "weekdays": (0, 1, 2, 3, 4),
    "weekend": (5, 6),
}
_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")
_MINUTES: Final = 24 * 60


class TimeWindow(NamedTuple):
    """Times at which something holds."""

    from_ts: int | None = None
    """UTC epoch seconds; not before."""
    until_ts: int | None = None
    """UTC epoch seconds; no longer then."""
    days: frozenset[int] = frozenset()
    """Days of the week, Monday is 0; empty: all."""
    hours: tuple[tuple[int, int], ...] = ()
    """Minutes of the day, from and until; until is the smaller one where it is the next day's.
    Empty: all."""
    time_zone: str = "UTC"
    """IANA zone of days and hours."""

    def holds(self, ts: int) -> bool:
        """Whether a time lies in the window.

        Parameters
        ----------
        ts : int
            UTC epoch seconds.

        Returns
        -------
        bool
            Hours that end on the next day belong to the day on which they begin.
        """
        if self.from_ts is not None and ts < self.from_ts:
            return False
        if self.until_ts is not None and ts >= self.until_ts:
            return False
        if not self.days and not self.hours:
            return True
        local = datetime.fromtimestamp(ts, ZoneInfo(self.time_zone))
        minute, day = local.hour * 60 + local.minute, local.weekday()
        for start, end in self.hours or ((0, _MINUTES),):
            if start < end and start <= minute < end and self._on(day):
                return True
            if start > end and minute >= start and self._on(day):
                return True
            if start > end and minute < end and self._on((day - 1) % 7):
                return True
        return False

    def _on(self, day: int) -> bool:
        return not self.days or day in self.days


def check_zone(where: str, name: str) -> None:
    """Refuse a zone that does not exist.

    Parameters
    ----------
    where : str
        Setting that names it.
    name : str
        IANA zone.

    Raises
    ------
    ConfigError
        With the nearest zone that does.
    """
    if name not in available_timezones():
        hint = nearest_name(name, available_timezones())
        raise ConfigError(
            f"{where}: `{name}` is no IANA time zone.{hint or ' Use one such as Europe/Paris.'}"
        )


def parse_window(
    since: object, until: object, days: Sequence[str], hours: Sequence[str], zone: str
) -> TimeWindow:
    """Read when a rule holds.

    Parameters
    ----------
    since, until : date, datetime, str or None
        A date or a date-time, or its ISO 8601 text; without an offset in ``zone``. A date that
        something holds until is its last day.
    days : sequence of str
        ``WEEKDAYS``, ``weekdays`` or ``weekend``.
    hours : sequence of str
        Such as ``17:00-20:00``; ``22:00-02:00`` ends on the next day.
    zone : str
        IANA zone.

    Returns
    -------
    TimeWindow

    Raises
    ------
    ConfigError
        When something cannot be read, is ambiguous, or there is no such time; begins with the
        name of the setting.
    """
    check_zone("time_zone", zone)
    from_ts = None if since is None else _moment("from", since, zone, last_day=False)
    until_ts = None if until is None else _moment("until", until, zone, last_day=True)
    if from_ts is not None and until_ts is not None and until_ts <= from_ts:
        raise ConfigError("until: lies before `from`, so the rule never holds.")
    chosen = frozenset(day for name in days for day in _DAYS_OF[name])
    return TimeWindow(from_ts, until_ts, chosen, tuple(map(_span, hours)), zone)


def _moment(name: str, value: object, zone: str, *, last_day: bool) -> int:
    given = _read(name, value)
    if not isinstance(given, datetime):
        day = given + timedelta(days=1) if last_day else given
        # Where the clocks change at midnight, the day begins with its first moment.
        return int(datetime.combine(day, time(), ZoneInfo(zone)).timestamp())
    if given.tzinfo is not None:
        return int(given.timestamp())
    earlier, later = (given.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    if earlier.utcoffset() == later.utcoffset():
        return int(earlier.timestamp())
    exists = earlier.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == given
    what = "is there twice" if exists else "does not exist"
    raise ConfigError(
        f"{name}: {given.isoformat()} {what} in {zone}, where the clocks change then. Write it "
        "with an offset, such as +01:00."
    )


def _read(name: str, value: object) -> date | datetime:
    if isinstance(value, date):  # a date-time is one, too
        return value
    if isinstance(value, str):
        try:
            short = re.fullmatch(r"\d{4}-\d{2}-\d{2}", value)
            return date.fromisoformat(value) if short else datetime.fromisoformat(value)
        except ValueError:
            pass
    raise ConfigError(
        f"{name}: `{value}` is no date and no date-time. Write 2026-12-24 or 2026-12-24T18:00."
    )


def _span(text: str) -> tuple[int, int]:
    found = _HOURS.fullmatch(text)
    if not found:
        raise ConfigError(f"hours: `{text}` are no hours. Write 17:00-20:00.")
    from_hour, from_minute, to_hour, to_minute = found.groups()
    start = int(from_hour) * 60 + int(from_minute)
    end = _MINUTES if to_hour is None else int(to_hour) * 60 + int(to_minute)
    if start == end:
        raise ConfigError(f"hours: `{text}` are none. Leave `hours` out for the whole day.")
    return start, end
