"""When rules hold: asked hour by hour, over midnight, over the change of the clocks."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.config.time_windows import WEEKDAYS, parse_window
from recsys.errors import ConfigError

BERLIN = "Europe/Berlin"


def ts(text: str, zone: str = BERLIN) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


def test_the_last_day_belongs_to_a_window_and_a_moment_ends_it() -> None:
    days = parse_window(date(2026, 12, 1), date(2026, 12, 24), (), (), BERLIN)
    assert not days.holds(ts("2026-11-30T23:59:59"))
    assert days.holds(ts("2026-12-01T00:00:00"))
    assert days.holds(ts("2026-12-24T23:59:59"))
    assert not days.holds(ts("2026-12-25T00:00:00"))
    moment = parse_window(None, "2026-12-24T18:00", (), (), BERLIN)
    assert moment.holds(ts("2026-12-24T17:59:59"))
    assert not moment.holds(ts("2026-12-24T18:00:00"))
    exact = parse_window("2026-12-24T18:00+00:00", None, (), (), BERLIN)
    assert not exact.holds(ts("2026-12-24T18:59:59"))
    assert exact.holds(ts("2026-12-24T19:00:00"))


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin() -> None:
    night = parse_window(None, None, ["friday"], ["22:00-02:00"], BERLIN)
    assert night.holds(ts("2026-12-04T22:00"))  # a Friday
    assert night.holds(ts("2026-12-05T01:59"))
    assert not night.holds(ts("2026-12-05T02:00"))
    assert not night.holds(ts("2026-12-05T22:00"))
    assert not night.holds(ts("2026-12-04T01:00"))
    assert parse_window(None, None, (), ["20:00-24:00"], BERLIN).holds(ts("2026-12-04T23:59"))


def test_hours_are_those_of_the_clock_on_the_wall() -> None:
    morning = parse_window(None, None, (), ["08:00-09:00"], BERLIN)
    for day in ("2026-03-28", "2026-03-29", "2026-10-25"):  # the clocks change on the last two
        assert morning.holds(ts(f"{day}T08:00"))
        assert not morning.holds(ts(f"{day}T09:00"))


def test_a_window_that_never_holds_is_refused() -> None:
    with pytest.raises(ConfigError, match="lies before"):
        parse_window("2026-12-24T18:00", "2026-12-24T18:00", (), (), BERLIN)


@given(
    st.lists(st.sampled_from([*WEEKDAYS, "weekdays", "weekend"]), max_size=3),
    st.lists(st.tuples(st.integers(0, 23), st.integers(0, 23)), max_size=2),
    st.integers(0, 14 * 24 - 1),
)
def test_a_window_is_what_a_wall_calendar_says(
    days: list[str], spans: list[tuple[int, int]], hour: int
) -> None:
    spans = [(start, end) for start, end in spans if start != end]
    window = parse_window(None, None, days, [f"{a:02}:00-{b:02}:00" for a, b in spans], "UTC")
    at = datetime(2026, 6, 1, tzinfo=UTC) + timedelta(hours=hour)
    names = {"weekdays": WEEKDAYS[:5], "weekend": WEEKDAYS[5:]}
    wanted = {day for name in days for day in names.get(name, (name,))}

    def begins(day: datetime) -> bool:
        return not wanted or WEEKDAYS[day.weekday()] in wanted

    expected = begins(at) if not spans else False
    for start, end in spans:
        length = (end - start) % 24
        for back in range(length):
            first = at - timedelta(hours=back)
            expected |= first.hour == start and begins(first)
    assert window.holds(int(at.timestamp())) == expected
