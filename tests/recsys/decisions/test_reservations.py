"""What was decided counts until it is reported or given up, in whatever order reports come."""

from itertools import permutations

import msgspec
import pytest

from recsys.config import CapSettings
from recsys.decisions import ContactState, Reservation, offers_over_cap, over_cap, united
from recsys.units import DAY, HOUR

NOW = 1_700_000_000
ONCE = {"once": CapSettings(times=1, days=7), "offer": CapSettings(times=1, days=7, of="offer")}


def reserved(counts: str, name: str = "r", **more: object) -> Reservation:
    one = Reservation(
        name, "email_weekly", "email", NOW, NOW, NOW + DAY, ("tea", "jam"), ("b1",), message=True
    )
    return msgspec.structs.replace(one, counts=counts, **more)


def capped(state: ContactState, at_ts: int) -> tuple[set[str], set[str]]:
    """Return which products and bundles may not be shown any more."""
    items = over_cap(state, ["tea", "jam", "oil", "rye"], ONCE, "web", at_ts, "UTC")
    return set(items), set(offers_over_cap(state, ONCE, "web", at_ts, "UTC"))


ALL = ({"tea", "jam"}, {"b1"})
NONE: tuple[set[str], set[str]] = (set(), set())


def test_what_is_decided_is_reserved_until_it_is_reported_or_given_up() -> None:
    state = ContactState().with_reservation(reserved("sent"))
    assert state.shown == {}
    assert capped(state, NOW) == capped(state, NOW + DAY - 1) == ALL
    assert capped(state, NOW + DAY) == NONE  # nobody reported it
    sent = state.with_report("r", "sent", NOW + 5)
    assert sent.shown == {"tea": {"email": [NOW + 5]}, "jam": {"email": [NOW + 5]}}
    assert capped(sent, NOW + 7 * DAY) == ALL
    assert capped(sent, NOW + 7 * DAY + 5) == NONE
    bounced = sent.with_report("r", "failed", NOW + 9)
    assert (bounced.shown, bounced.offers_shown) == ({}, {})
    assert capped(bounced, NOW + 10) == NONE


def test_what_counts_when_seen_counts_only_what_was_seen() -> None:
    state = ContactState().with_reservation(reserved("seen"))
    sent = state.with_report("r", "sent", NOW + 5)
    assert sent.shown == {}
    assert capped(sent, NOW + HOUR) == ALL  # still reserved
    assert capped(sent, NOW + DAY) == NONE  # sent, and never opened
    seen = sent.with_report("r", "seen", NOW + HOUR, ["jam"])
    assert seen.shown == {"jam": {"email": [NOW + HOUR]}}
    assert seen.reservations[0].is_a_message(NOW + 30 * DAY)


def test_what_counts_when_decided_is_released_when_it_fails() -> None:
    before = ContactState().with_shown(["tea"], "email", NOW)
    state = before.with_reservation(reserved("decided"))
    assert state.shown["tea"] == {"email": [NOW, NOW]}
    after = state.with_report("r", "failed", NOW + 9)
    assert after.shown == before.shown


REPORTS = [("sent", NOW + 5), ("seen", NOW + 60), ("sent", NOW + 5), ("failed", NOW + 90)]


@pytest.mark.parametrize("counts", ["decided", "sent", "seen"])
def test_reports_count_once_in_whatever_order_they_come(counts: str) -> None:
    outcomes = set()
    for order in permutations(REPORTS):
        state = ContactState().with_reservation(reserved(counts))
        for report, at_ts in order:
            state = state.with_report("r", report, at_ts)  # type: ignore[arg-type]
        outcomes.add((str(state.shown), state.reservations[0].state))
    assert outcomes == {("{}", "failed")}


def test_a_second_attempt_after_a_failure_counts() -> None:
    reports = [("failed", NOW + 5), ("sent", NOW + 60)]
    for order in (reports, reports[::-1]):
        state = ContactState().with_reservation(reserved("sent"))
        for report, at_ts in order:
            state = state.with_report("r", report, at_ts)  # type: ignore[arg-type]
        assert state.shown["tea"] == {"email": [NOW + 60]}
        assert state.reservations[0].is_a_message(NOW + 60)


def test_reports_of_other_answers_change_nothing() -> None:
    state = ContactState().with_reservation(reserved("sent"))
    assert state.with_report("other", "sent", NOW) is state


def test_linked_identifiers_add_up() -> None:
    one = ContactState().with_reservation(reserved("sent", "a"))
    other = ContactState().with_reservation(reserved("sent", "b", item_ids=("oil",)))
    both = united([one, other])
    assert [each.recommendation_id for each in both.reservations] == ["a", "b"]
    assert capped(both, NOW)[0] == {"tea", "jam", "oil"}


def test_reservations_are_bounded() -> None:
    state = ContactState()
    for n in range(300):
        one = reserved("sent", f"r{n}", decided_ts=NOW + n, message=n % 2 == 0)
        state = state.with_reservation(msgspec.structs.replace(one, item_ids=()))
    kept = [one.recommendation_id for one in state.reservations]
    assert len(kept) == 130
    assert kept[:2] == ["r299", "r298"]
