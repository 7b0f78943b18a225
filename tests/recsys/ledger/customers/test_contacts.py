"""Contact with customers in the ledger: caps hold whoever asks when, and links can be undone."""

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from recsys.config import CapSettings, ConsentSettings
from recsys.decisions import MAX_DAYS, Consent, consents_to, suppress
from recsys.identity import customer_id_of
from recsys.ledger.customers import CapRules, Showing, session_own_id
from recsys.ledger.ledger import Ledger
from recsys.ledger.schema import CONTACTS, IDENTIFIERS
from recsys.units import DAY
from serving.state.exposure_queue import ExposureQueue
from tests.recsys.ledger.conftest import NOW, MakeEvent

ADA = customer_id_of("email", "ada")
CARD = customer_id_of("loyalty_card", "7")
RULES = CapRules({"cap": CapSettings(times=3, days=7)}, "UTC")


def showing(*item_ids: str, customer_id: str = ADA, at_ts: int = NOW, **more: Any) -> Showing:
    fields = {"channel": "web", **more}
    return Showing(customer_id=customer_id, at_ts=at_ts, item_ids=item_ids, **fields)


def shown_of(ledger: Ledger, showings: list[Showing]) -> list[list[str]]:
    return [one.item_ids for one in ledger.contacts.show(showings, RULES)]


def link(ledger: Ledger, kind: str, value: str, customer_id: str) -> None:
    """Say whose an identifier is, as an ingest does."""
    own_id = customer_id_of(kind, value)
    key = {"type": kind, "value": value}
    with ledger._database.writing() as connection:
        here = sa.and_(IDENTIFIERS.c.type == kind, IDENTIFIERS.c.value == value)
        connection.execute(IDENTIFIERS.delete().where(here))
        row = {**key, "own_id": own_id, "customer_id": customer_id}
        connection.execute(IDENTIFIERS.insert(), [row])


@pytest.mark.parametrize("asked", ["blindly", "with what was read", "within its caps"])
def test_no_cap_is_broken_by_answers_at_the_same_time(ledger: Ledger, asked: str) -> None:
    ledger.contacts.show([showing("own0")], RULES)

    def show(n: int) -> int:
        seen = None if asked == "blindly" else ledger.contacts.read(ADA)
        items, at_ts = ["tea", f"own{n}"], NOW + n % 3
        if seen is not None and asked == "within its caps":  # as the service does
            capped = suppress(seen.state, RULES.caps, "web", at_ts, "UTC").capped
            items = [item_id for item_id in items if item_id not in capped]
        within = asked == "within its caps"
        one = showing(*items, at_ts=at_ts, seen=seen, within_caps=within)
        (kept,) = ledger.contacts.show([one], RULES)
        return kept.item_ids.count("tea")

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(show, range(40))) == 3
    state = ledger.contacts.state(ADA)
    assert len(state.shown["tea"]["web"]) == 3
    assert len(state.shown) == 41  # nothing else was lost


def show_often(url: str, taken: "multiprocessing.Queue[int]") -> None:
    ledger = Ledger.open(url)
    kept = 0
    for n in range(25):
        seen = ledger.contacts.read(ADA)
        (shown,) = ledger.contacts.show([showing("tea", at_ts=NOW + n, seen=seen)], RULES)
        kept += len(shown.item_ids)
    ledger.close()
    taken.put(kept)


def test_no_cap_is_broken_by_several_processes(ledger_url: str, ledger: Ledger) -> None:
    context = multiprocessing.get_context("spawn")
    taken: multiprocessing.Queue[int] = context.Queue()
    workers = [context.Process(target=show_often, args=(ledger_url, taken)) for _ in range(3)]
    for worker in workers:
        worker.start()
    assert sum(taken.get(timeout=120) for _ in workers) == 3
    for worker in workers:
        worker.join(timeout=60)
    taken.close()
    taken.join_thread()
    assert len(ledger.contacts.state(ADA).shown["tea"]["web"]) == 3


def test_a_contact_that_changed_since_it_was_read_loses_nothing(
    ledger: Ledger, make_event: MakeEvent
) -> None:
    """Whatever is reported while an answer is made stays, and counts for what it shows."""
    link(ledger, "email", "ada", ADA)
    ledger.contacts.show([showing("tea", at_ts=NOW - 2), showing("tea", at_ts=NOW - 1)], RULES)
    seen = ledger.contacts.read(ADA)
    assert seen.state == seen.own
    ledger.contacts.show([showing("tea")], RULES)
    ledger.add_events([make_event("dismiss", "beer", customer_id=ADA)], NOW)
    (late,) = ledger.contacts.show([showing("tea", "milk", seen=seen)], RULES)
    assert late.item_ids == ["milk"]
    state = ledger.contacts.state(ADA)
    assert state.shown == {"tea": {"web": [NOW - 2, NOW - 1, NOW]}, "milk": {"web": [NOW]}}
    assert [refusal.item_id for refusal in state.refusals] == ["beer"]


def test_what_was_shown_through_another_identifier_counts(ledger: Ledger) -> None:
    link(ledger, "email", "ada", ADA)
    link(ledger, "loyalty_card", "7", CARD)
    ledger.contacts.show([showing("tea"), showing("tea"), showing("tea", customer_id=CARD)], RULES)
    link(ledger, "loyalty_card", "7", ADA)
    seen = ledger.contacts.read(ADA)
    assert seen.own is not None
    assert seen.own != seen.state
    (shown,) = ledger.contacts.show([showing("tea", "milk", at_ts=NOW + 1, seen=seen)], RULES)
    assert shown.item_ids == ["milk"]
    link(ledger, "loyalty_card", "7", CARD)
    assert ledger.contacts.state(ADA).shown == {
        "tea": {"web": [NOW, NOW]},
        "milk": {"web": [NOW + 1]},
    }
    assert ledger.contacts.state(CARD).shown == {"tea": {"web": [NOW]}}


def test_a_link_adds_up_and_undoing_it_gives_back(ledger: Ledger, make_event: MakeEvent) -> None:
    link(ledger, "email", "ada", ADA)
    link(ledger, "loyalty_card", "7", CARD)
    ledger.contacts.show([showing("tea"), showing("tea", customer_id=CARD)], RULES)
    ledger.add_events([make_event("dismiss", "beer", customer_id=CARD)], NOW)
    assert not ledger.contacts.state(ADA).refusals
    link(ledger, "loyalty_card", "7", ADA)
    whole = ledger.contacts.state(ADA)
    assert whole.shown == {"tea": {"web": [NOW, NOW]}}
    assert [refusal.item_id for refusal in whole.refusals] == ["beer"]
    assert shown_of(ledger, [showing("tea", at_ts=NOW + 1)]) == [["tea"]]
    assert shown_of(ledger, [showing("tea", at_ts=NOW + 2)]) == [[]]
    link(ledger, "loyalty_card", "7", CARD)
    assert ledger.contacts.state(CARD).shown == {"tea": {"web": [NOW]}}
    assert ledger.contacts.state(ADA).shown == {"tea": {"web": [NOW, NOW + 1]}}
    assert not ledger.contacts.state(ADA).refusals


def test_a_visit_counts_for_who_logs_in_to_it(ledger: Ledger, make_event: MakeEvent) -> None:
    visit = session_own_id("v")
    shown = showing("tea", customer_id="", session_id="v")
    assert shown_of(ledger, [shown]) == [["tea"]]
    ledger.add_events([make_event("dismiss", "beer", session_id="v")], NOW)
    assert [one.item_id for one in ledger.contacts.state("", visit).refusals] == ["beer"]
    ledger.add_events([make_event("login", session_id="v", identifier="ada")], NOW + 1)
    state = ledger.contacts.state(ADA)
    assert state.shown == {"tea": {"web": [NOW]}}
    assert [one.item_id for one in state.refusals] == ["beer"]
    assert ledger.contacts.state("", visit).is_empty


def test_what_a_visit_refuses_goes_with_the_login_of_the_same_batch(
    ledger: Ledger, make_event: MakeEvent
) -> None:
    refused = make_event("dismiss", "beer", session_id="v", at=NOW - 10)
    login = make_event("login", session_id="v", identifier="ada", at=NOW)
    ledger.add_events([refused, login], NOW)
    assert [one.item_id for one in ledger.contacts.state(ADA).refusals] == ["beer"]


def test_a_showing_that_comes_after_the_login_counts_for_the_customer(
    ledger: Ledger, make_event: MakeEvent
) -> None:
    ledger.add_events([make_event("login", session_id="v", identifier="ada")], NOW)
    late = showing("tea", customer_id="", session_id="v")  # was asked before the login
    assert shown_of(ledger, [late]) == [["tea"]]
    assert ledger.contacts.state(ADA).shown == {"tea": {"web": [NOW]}}


def test_batches_of_events_do_not_wait_for_each_other(
    ledger: Ledger, make_event: MakeEvent
) -> None:
    """Logins and refusals of the same two customers, the other way round."""
    ledger.contacts.show(
        [showing("tea", customer_id="", session_id=f"v{n}") for n in range(40)], RULES
    )

    def tell(n: int) -> list[str]:
        one, other = ("ada", "bob") if n % 2 else ("bob", "ada")
        events = [
            make_event("login", session_id=f"v{n}", identifier=one, at=NOW + n),
            make_event("dismiss", f"p{n}", identifier=other, at=NOW + n),
        ]
        return [outcome.status for outcome in ledger.add_events(events, NOW + 99)]

    with ThreadPoolExecutor(6) as pool:
        outcomes = [status for each in pool.map(tell, range(40)) for status in each]
    assert outcomes == ["accepted"] * 80
    both = [ledger.contacts.state(customer_id_of("email", name)) for name in ("ada", "bob")]
    assert sum(len(state.refusals) for state in both) == 40


def test_a_clock_that_is_ahead_hides_no_refusal(ledger: Ledger, make_event: MakeEvent) -> None:
    ahead = make_event("dismiss", "tea", identifier="ada", at=NOW + 200)
    ledger.add_events([ahead], NOW)
    assert [one.at_ts for one in ledger.contacts.state(ADA).refusals] == [NOW]


def test_only_what_was_said_is_kept_for_good(ledger: Ledger, make_event: MakeEvent) -> None:
    ledger.contacts.show(
        [showing("tea", customer_id="", session_id=f"v{n}") for n in range(5)], RULES
    )
    ledger.contacts.show([showing("tea", at_ts=NOW + DAY)], RULES)
    ledger.add_events([make_event("dismiss", "beer", session_id="v0", at=NOW)], NOW + 9)
    ledger.add_events([make_event("dismiss", "beer", identifier="bob", at=NOW)], NOW + 9)
    day_ends = -(-NOW // DAY) * DAY  # states age by whole days
    assert ledger.contacts.thin(day_ends, 0, 2_000) == 0
    assert ledger.contacts.thin(day_ends + 1, 0, 2) == 2
    assert ledger.contacts.thin(day_ends + 1, 0, 2_000) == 3  # what a visit refused goes with it
    assert ledger.contacts.state(ADA).shown
    assert ledger.contacts.state(customer_id_of("email", "bob")).refusals
    with ledger._database.reading() as connection:
        assert len(connection.execute(sa.select(CONTACTS)).all()) == 2


def test_refusals_count_in_whatever_order_they_come(ledger: Ledger, make_event: MakeEvent) -> None:
    refused = make_event("dismiss", "tea", identifier="ada", at=NOW)
    wanted = make_event("undo_dismiss", "tea", identifier="ada", at=NOW + 5)
    for event in (wanted, refused, refused):  # the older one comes late, and twice
        ledger.add_events([event], NOW + 9)
    (word,) = ledger.contacts.state(ADA).refusals
    assert not word.stands
    again = make_event("dismiss", "tea", identifier="ada", at=NOW + 6, extent="category")
    ledger.add_events([again], NOW + 9)
    assert [(one.whole_category, one.stands) for one in ledger.contacts.state(ADA).refusals] == [
        (True, True),
        (False, False),
    ]


def test_a_link_unites_refusals_of_consent_and_undoing_it_restores_both(ledger: Ledger) -> None:
    link(ledger, "email", "ada", ADA)
    link(ledger, "loyalty_card", "7", CARD)
    ledger.contacts.consent([ADA], [Consent("marketing", "", True, NOW + 5, "form", "2")])
    ledger.contacts.consent([CARD], [Consent("marketing", "", False, NOW)])
    assert ledger.contacts.state(ADA).consents == (
        Consent("marketing", "", True, NOW + 5, "form", "2"),
    )
    link(ledger, "loyalty_card", "7", ADA)
    said = ledger.contacts.state(ADA).said
    assert not consents_to(said, "marketing", "email", NOW + 9, ConsentSettings())
    ledger.contacts.consent([ADA, CARD], [Consent("marketing", "", True, NOW + 9)])
    said = ledger.contacts.state(ADA).said
    assert consents_to(said, "marketing", "email", NOW + 9, ConsentSettings())
    link(ledger, "loyalty_card", "7", CARD)
    assert [one.at_ts for one in ledger.contacts.state(CARD).consents] == [NOW + 9]


def test_strangers_have_no_contact(ledger: Ledger) -> None:
    assert ledger.contacts.state("").is_empty
    assert ledger.contacts.state("nobody", "nothing").is_empty


def test_a_state_ages_from_the_latest_showing_however_it_was_written(ledger: Ledger) -> None:
    for at_ts in (NOW, NOW + 60, NOW + 2 * DAY, NOW + 2 * DAY + 60):
        seen = ledger.contacts.read(ADA)
        ledger.contacts.show([showing(f"p{at_ts}", at_ts=at_ts, seen=seen)], RULES)
    assert len(ledger.contacts.state(ADA).shown) == 4
    last_day_ends = -(-(NOW + 2 * DAY) // DAY) * DAY
    assert ledger.contacts.thin(last_day_ends, 0) == 0
    assert ledger.contacts.thin(last_day_ends + 1, 0) == 1
    assert ledger.contacts.state(ADA).is_empty


def test_contacts_thin_out_where_exposures_are_kept_for_good(ledger: Ledger) -> None:
    ledger.contacts.show([showing("tea", at_ts=NOW)], RULES)
    queue = ExposureQueue(ledger, days=0)
    queue.prune(NOW + 60, at_once=True)
    assert ledger.contacts.state(ADA).shown
    queue.prune(NOW + (MAX_DAYS + 1) * DAY, at_once=True)
    assert not ledger.contacts.state(ADA).shown


def test_what_was_said_about_a_purpose_is_read_for_training(ledger: Ledger) -> None:
    ledger.replace_histories("v1", [], [("card", "7", CARD, ADA)], contained=0, systems=[])
    no = Consent("profiling", "", False, NOW, "form")
    ledger.contacts.consent([CARD], [no, Consent("marketing", "", True, NOW)])
    ledger.contacts.consent([ADA], [Consent("marketing", "", True, NOW)])
    ledger.contacts.show([showing("tea", customer_id="bob", at_ts=NOW)], RULES)
    ledger.contacts.consent(["bob"], [no])  # beside what they were shown
    said = {one.own_id: one[1:] for one in ledger.contacts.said_about("profiling")}
    assert said == {CARD: (ADA, (no,)), "bob": (None, (no,))}
    assert not list(ledger.contacts.said_about("personalisation"))
