"""Messages: no cap is ever broken, the more important one goes, and nights are quiet."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.config import CapSettings, ContactSettings, HoldoutSettings
from recsys.decisions import (
    Arm,
    ContactState,
    Outgoing,
    Reservation,
    assign,
    quiet_ends,
    room_for,
    united,
)
from recsys.units import DAY, HOUR

NOW = 1_700_000_000
PARIS = "Europe/Paris"
WEEK = {"week": CapSettings(times=2, days=7, of="message")}


def reserved(name: str, send_ts: int, priority: int = 50, **more: object) -> Reservation:
    one = Reservation(
        name,
        "email_weekly",
        "email",
        NOW,
        send_ts,
        NOW + 90 * DAY,
        message=True,
        counts="sent",
        priority=priority,
    )
    return msgspec.structs.replace(one, **more)


def outgoing(
    name: str, send_ts: int, priority: int = 50, placement: str = "email_weekly"
) -> Outgoing:
    return Outgoing(name, placement, "email", priority, send_ts, NOW)


def most_in_a_window(times: Sequence[int], cap: CapSettings) -> int:
    """Count by brute force: every window that begins with a message."""
    length = cap.days * DAY
    return max((sum(0 <= other - at < length for other in times) for at in times), default=0)


@given(
    asked=st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 3), st.booleans()), min_size=1, max_size=14
    ),
    times=st.integers(1, 3),
    days=st.integers(1, 10),
)
def test_no_window_ever_holds_more_than_the_cap(
    asked: list[tuple[int, int, bool]], times: int, days: int
) -> None:
    cap = CapSettings(times=times, days=days, of="message")
    state = ContactState()
    standing: dict[str, tuple[int, int, bool]] = {}
    for n, (half_days, priority, sent) in enumerate(asked):
        send_ts, name = NOW + half_days * DAY // 2, f"m{n}"
        room = room_for(state, outgoing(name, send_ts, priority), {"cap": cap}, PARIS)
        if room.cap is None:
            for gone in room.displaced:
                assert standing[gone][1] < priority
                assert not standing[gone][2]  # what was sent stays
                assert standing[gone][0] > NOW  # and what may be on its way
                with_it = [ts for ts, _, _ in standing.values()] + [send_ts]
                assert most_in_a_window(with_it, cap) > times  # it did not fit beside
            state = state.displacing(room.displaced)
            for gone in room.displaced:
                del standing[gone]
            state = state.with_reservation(reserved(name, send_ts, priority))
            standing[name] = (send_ts, priority, sent)
            if sent:
                state = state.with_report(name, "sent", send_ts)
        else:
            firm = [
                ts
                for ts, p, was_sent in standing.values()
                if was_sent or p >= priority or ts <= NOW
            ]
            assert most_in_a_window([*firm, send_ts], cap) > times
        assert most_in_a_window([ts for ts, _, _ in standing.values()], cap) <= times


def test_the_more_important_message_goes_whichever_was_first() -> None:
    state = ContactState().with_reservation(reserved("news", NOW + 2 * DAY, 20))
    state = state.with_reservation(reserved("offer", NOW + 3 * DAY, 40))
    assert room_for(state, outgoing("more news", NOW + DAY, 20), WEEK, PARIS).cap == "week"
    cart = room_for(state, outgoing("cart", NOW + DAY, 70), WEEK, PARIS)
    assert cart == (None, ("news",))
    state = state.with_report("news", "sent", NOW + 2 * DAY)
    cart = room_for(state, outgoing("cart", NOW + 4 * DAY, 70), WEEK, PARIS)
    assert cart.displaced == ("offer",)
    state = state.with_report("offer", "sent", NOW + 3 * DAY)
    assert room_for(state, outgoing("cart", NOW + 4 * DAY, 70), WEEK, PARIS).cap == "week"


def test_what_may_be_on_its_way_stays_although_nobody_reported_it() -> None:
    once = {"week": CapSettings(times=1, days=7, of="message")}
    for send_ts, goes in ((NOW + 1, True), (NOW, False), (NOW - HOUR, False)):
        state = ContactState().with_reservation(reserved("news", send_ts, 20))
        cart = room_for(state, outgoing("cart", NOW + HOUR, 70), once, PARIS)
        assert cart == ((None, ("news",)) if goes else ("week", ()))


def test_only_what_counts_as_a_message_takes_room() -> None:
    state = ContactState().with_reservation(reserved("bounced", NOW))
    state = state.with_report("bounced", "failed", NOW + 9)
    state = state.with_reservation(reserved("expired", NOW, until_ts=NOW - 1))
    state = state.with_reservation(reserved("other", NOW, placement=""))
    caps = {
        "one": CapSettings(times=1, days=7, of="message", placements=["email_weekly"]),
        "products": CapSettings(times=1, days=7),
    }
    assert room_for(state, outgoing("new", NOW), caps, PARIS).cap is None


def test_days_of_the_calendar_begin_where_the_customer_lives() -> None:
    evening = int(datetime(2024, 3, 30, 23, 59, tzinfo=ZoneInfo(PARIS)).timestamp())
    caps = {"day": CapSettings(times=1, days=1, of="message", calendar=True)}
    state = ContactState().with_reservation(reserved("first", evening))
    assert room_for(state, outgoing("next", evening + 59), caps, PARIS).cap == "day"
    assert room_for(state, outgoing("next", evening + 120), caps, PARIS).cap is None  # 00:01
    at_home = ContactState(reservations=state.reservations, time_zone="Asia/Tokyo")
    assert room_for(at_home, outgoing("next", evening + 120), caps, PARIS).cap == "day"


QUIET = ContactSettings(quiet_from="21:00", quiet_until="08:00")


@given(
    minutes=st.integers(0, 2 * 366 * 24 * 60),
    zones=st.lists(st.sampled_from([PARIS, "UTC", "America/New_York", "Asia/Tokyo"]), min_size=1),
    hours=st.tuples(st.integers(0, 23), st.integers(0, 23)),
)
def test_quiet_hours_end_when_a_clock_says_so(
    minutes: int, zones: list[str], hours: tuple[int, int]
) -> None:
    """Minute by minute, what is quiet is what the clocks on the walls show."""
    settings = ContactSettings(quiet_from=f"{hours[0]:02}:00", quiet_until=f"{hours[1]:02}:00")
    ts = NOW + minutes * 60

    def is_quiet(at: int) -> bool:
        shown = [datetime.fromtimestamp(at, ZoneInfo(zone)).hour for zone in zones[:1]]
        begin, until = hours
        return any(
            begin <= hour < until if begin <= until else hour >= begin or hour < until
            for hour in shown
        )

    ends = quiet_ends(ts, zones[:1], settings)
    assert (ends is not None) == is_quiet(ts)
    if ends is not None:
        assert not is_quiet(ends)
        assert all(is_quiet(at) for at in range(ts, ends, 600))


def test_nobody_is_woken_where_it_is_unknown_where_they_live() -> None:
    noon = int(datetime(2024, 6, 3, 12, 0, tzinfo=ZoneInfo(PARIS)).timestamp())
    assert quiet_ends(noon, [PARIS], QUIET) is None
    ends = quiet_ends(noon, [PARIS, "America/Los_Angeles"], QUIET)  # 3 in the morning there
    assert ends == noon + 5 * HOUR
    assert quiet_ends(noon, [PARIS], ContactSettings()) is None


@pytest.mark.parametrize(
    ("day", "hours"), [(datetime(2024, 3, 30), 10), (datetime(2024, 10, 26), 12)]
)
def test_a_night_in_which_clocks_change(day: datetime, hours: int) -> None:
    evening = day.replace(hour=21, tzinfo=ZoneInfo(PARIS))
    assert quiet_ends(int(evening.timestamp()), [PARIS], QUIET) == int(
        (evening + timedelta(hours=11)).timestamp()
    )
    assert (
        quiet_ends(int(evening.timestamp()), [PARIS], QUIET) == evening.timestamp() + hours * HOUR
    )


HOLDOUTS = {"mail": HoldoutSettings(share=0.2, channels=["email"])}


def test_a_holdout_is_a_fixed_share_of_the_customers() -> None:
    found = [
        assign(ContactState(), HOLDOUTS, "email_weekly", "email", f"c{n}", NOW).held_out
        for n in range(5_000)
    ]
    assert abs(found.count("mail") / 5_000 - 0.2) < 0.02
    assert found == [
        assign(ContactState(), HOLDOUTS, "email_cart", "email", f"c{n}", NOW + 9).held_out
        for n in range(5_000)
    ]
    assert assign(ContactState(), HOLDOUTS, "web_home", "web", "c0", NOW) == (None, ())


def test_the_first_arm_stays_and_is_flagged_where_linked_identifiers_differ() -> None:
    early = ContactState().with_arms([Arm("mail", True, NOW)])
    late = ContactState().with_arms([Arm("mail", False, NOW + 5)])
    assert united([late, early]).arms == (Arm("mail", True, NOW, flagged=True),)
    assert united([early, early]).arms == (Arm("mail", True, NOW),)
    assert assign(united([late, early]), HOLDOUTS, "x", "email", "c1", NOW + 9) == ("mail", ())
