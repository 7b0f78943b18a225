"""Caps, walking through time; and what customers do not want."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.config import CapSettings
from recsys.decisions.contact_state import ContactState
from recsys.decisions.customer_words import Refusal
from recsys.decisions.suppression import NOTHING, begins, over_cap, suppress
from recsys.units import DAY

NOW = 1_700_000_000
PARIS = "Europe/Paris"


def at(text: str, zone: str = PARIS) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


def shown(*times: tuple[str, int]) -> ContactState:
    """Tea, shown on channels at times."""
    state = ContactState()
    for channel, ts in times:
        state = state.with_shown(["tea"], channel, ts)
    return state


def is_capped(state: ContactState, cap: CapSettings, channel: str, now_ts: int) -> bool:
    return bool(suppress(state, {"cap": cap}, channel, now_ts, PARIS).capped)


def test_a_cap_rolls_with_the_time_and_counts_every_channel() -> None:
    cap = CapSettings(times=2, days=7)
    state = shown(("email", NOW), ("web", NOW + DAY))
    assert not is_capped(shown(("email", NOW)), cap, "web", NOW + DAY)
    assert is_capped(state, cap, "store_screen", NOW + DAY)
    assert is_capped(state, cap, "web", NOW + 7 * DAY - 1)
    assert not is_capped(state, cap, "web", NOW + 7 * DAY)  # the first is a week old


def test_a_cap_of_some_channels_leaves_the_others_alone() -> None:
    cap = CapSettings(times=1, days=7, channels=["email", "web"])
    assert is_capped(shown(("email", NOW)), cap, "web", NOW + 1)
    assert not is_capped(shown(("email", NOW)), cap, "associate", NOW + 1)
    assert not is_capped(shown(("associate", NOW)), cap, "web", NOW + 1)


def test_days_of_the_calendar_end_at_midnight() -> None:
    cap = CapSettings(times=1, days=1, calendar=True)
    state = shown(("web", at("2026-03-10T23:59:00")))
    assert is_capped(state, cap, "web", at("2026-03-10T23:59:30"))
    assert not is_capped(state, cap, "web", at("2026-03-11T00:01:00"))
    two = CapSettings(times=1, days=2, calendar=True)
    assert is_capped(state, two, "web", at("2026-03-11T23:59:00"))
    assert not is_capped(state, two, "web", at("2026-03-12T00:00:00"))


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)]
)
def test_a_day_is_as_long_as_the_clocks_say(day: str, hours: int) -> None:
    cap = CapSettings(times=1, days=1, calendar=True)
    start = begins(cap, at(f"{day}T12:00:00"), PARIS)
    assert start == at(f"{day}T00:00:00")
    noon = datetime.fromtimestamp(start + hours * 3600, UTC).astimezone(ZoneInfo(PARIS))
    assert (noon.hour, noon.minute) == (0, 0)


def test_variants_of_what_was_shown_count_as_it() -> None:
    state = ContactState().with_shown(["tea 10"], "web", NOW).with_shown(["tea 20"], "web", NOW + 1)
    caps = {"cap": CapSettings(times=2, days=7)}
    assert suppress(state, caps, "web", NOW + 2, PARIS).capped == []

    def choices_of(item_ids):
        return [item_id.split()[0] for item_id in item_ids]

    assert suppress(state, caps, "web", NOW + 2, PARIS, choices_of).capped == ["tea 10"]
    asked = ["tea 30", "beer 30"]
    assert over_cap(state, asked, caps, "web", NOW + 2, PARIS, choices_of) == {"tea 30"}
    assert over_cap(state, asked, caps, "web", NOW + 2, PARIS) == frozenset()


times = st.lists(
    st.tuples(
        st.sampled_from(["tea", "beer"]),
        st.sampled_from(["web", "email", "pos"]),
        st.integers(0, 20 * DAY),
    ),
    max_size=20,
)
caps = st.builds(
    CapSettings,
    times=st.integers(1, 4),
    days=st.integers(1, 9),
    calendar=st.booleans(),
    channels=st.lists(st.sampled_from(["web", "email"]), unique=True),
)


@given(times, caps, caps, st.integers(0, 25 * DAY))
def test_caps_are_what_counting_one_by_one_says(showings, one, other, later) -> None:
    now_ts, zone = NOW + later, ZoneInfo(PARIS)
    state = ContactState()
    for item_id, channel, after in showings:
        state = state.with_shown([item_id], channel, NOW + after)
    # Showings are noted in any order here; what is long past for one of them is forgotten by none.
    expected = set()
    for cap in (one, other):
        if cap.channels and "web" not in cap.channels:
            continue
        for item_id in ("tea", "beer"):
            n = 0
            for shown_id, channel, after in showings:
                ts = NOW + after
                if shown_id != item_id or ts > now_ts:
                    continue
                if cap.channels and channel not in cap.channels:
                    continue
                if cap.calendar:
                    day, today = (datetime.fromtimestamp(t, zone).date() for t in (ts, now_ts))
                    n += (today - day).days < cap.days
                else:
                    n += now_ts - ts < cap.days * DAY
            if n >= cap.times:
                expected.add(item_id)
    found = suppress(state, {"one": one, "other": other}, "web", now_ts, PARIS)
    assert set(found.capped) == expected


def test_what_is_not_wanted_is_left_out_until_it_is_wanted_again() -> None:
    state = ContactState().with_refusal(Refusal("tea", False, NOW))
    state = state.with_refusal(Refusal("beer", True, NOW))
    found = suppress(state, {}, "web", NOW, PARIS)
    assert (found.not_interested, found.not_interested_like) == (["tea"], ["beer"])
    assert suppress(state, {}, "web", NOW - 1, PARIS).not_interested == []  # as of before
    state = state.with_refusal(Refusal("tea", False, NOW + 1, stands=False))
    assert suppress(state, {}, "web", NOW + 2, PARIS).not_interested == []
    assert suppress(ContactState(), {}, "web", NOW, PARIS) is NOTHING
