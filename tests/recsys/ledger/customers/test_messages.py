"""Messages in the ledger: a slot has one answer, reports find whose it is, codes work once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from recsys.config import CapSettings
from recsys.decisions import Reservation
from recsys.identity import customer_id_of
from recsys.ledger.customers import CapRules, Showing, Shown, session_own_id, slot_key
from recsys.ledger.events.visit_state import VisitState
from recsys.ledger.ledger import Ledger
from recsys.ledger.schema import CONTACTS, RESERVATIONS
from recsys.units import DAY
from tests.recsys.ledger.conftest import NOW, MakeEvent
from tests.recsys.ledger.customers.test_contacts import link

ADA = customer_id_of("email", "ada")
CARD = customer_id_of("loyalty_card", "7")
RULES = CapRules(
    {
        "items": CapSettings(times=1, days=7),
        "mails": CapSettings(times=1, days=7, of="message"),
        "offers": CapSettings(times=1, days=7, of="offer"),
    },
    "UTC",
)


def message(name: str, *item_ids: str, priority: int = 50, **more: Any) -> Showing:
    reservation = Reservation(
        name, "news", "email", NOW, NOW, NOW + DAY, message=True, counts="sent", priority=priority
    )
    showing = Showing(
        customer_id=ADA,
        recommendation_id=name,
        channel="email",
        at_ts=NOW,
        item_ids=item_ids,
        reservation=reservation,
        written=lambda items, bundles: msgspec.json.encode([name, [*items], [*bundles]]),
    )
    return msgspec.structs.replace(showing, **more)


def page(*item_ids: str) -> Showing:
    return Showing(customer_id=ADA, channel="web", at_ts=NOW, item_ids=item_ids)


def show(ledger: Ledger, *showings: Showing) -> list[Shown]:
    return ledger.contacts.show(showings, RULES)


def test_a_slot_gets_one_answer_however_many_ask_at_once(ledger: Ledger) -> None:
    slot = slot_key("m1", "news", None)
    assert slot != slot_key("m1", "news", "2")
    assert slot_key(None, "news", None) == ""

    def ask(n: int) -> str:
        (shown,) = show(ledger, message(f"r{n}", f"item{n}", slot=slot))
        return shown.kept.recommendation_id if shown.kept else f"r{n}"

    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(ask, range(24)))
    (name,) = names
    kept = ledger.contacts.kept(slot, ADA)
    assert kept is not None
    assert msgspec.json.decode(kept.answer) == [name, [f"item{name[1:]}"], []]
    assert len(ledger.contacts.state(ADA).reservations) == 1
    assert ledger.contacts.kept(slot, CARD) is None
    link(ledger, "email", "ada", CARD)  # now the card's customer
    linked = ledger.contacts.kept(slot, CARD)
    assert linked is not None
    assert linked.recommendation_id == name
    assert ledger.contacts.thin(0, NOW + 1) == 1
    assert ledger.contacts.kept(slot, ADA) is None


@pytest.mark.parametrize("with_what_was_read", [False, True])
def test_no_two_messages_at_once_go_beyond_a_cap(
    ledger: Ledger, *, with_what_was_read: bool
) -> None:
    ledger.contacts.show([page("own")], RULES)

    def ask(n: int) -> bool:
        seen = ledger.contacts.read(ADA) if with_what_was_read else None
        (shown,) = show(ledger, message(f"r{n}", f"item{n}", seen=seen))
        return shown.cap is None

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(24))) == 1
    (one,) = ledger.contacts.state(ADA).reservations
    assert one.item_ids == (f"item{one.recommendation_id[1:]}",)


def test_a_message_that_was_written_quickly_is_reported_on(
    ledger: Ledger, make_event: MakeEvent
) -> None:
    ledger.contacts.show([page("own")], RULES)
    seen = ledger.contacts.read(ADA)
    (shown,) = show(ledger, message("quick", "tea", seen=seen))
    assert shown.item_ids == ["tea"]
    assert "tea" not in ledger.contacts.state(ADA).shown
    sent = make_event("email_sent", customer_id=None, session_id=None, recommendation_id="quick")
    ledger.add_events([sent], NOW)
    assert ledger.contacts.state(ADA).shown["tea"] == {"email": [NOW]}


def test_nothing_is_reserved_for_who_was_erased_meanwhile(ledger: Ledger) -> None:
    """The slow way, which looks at erasure marks, decides; nothing quick is left behind."""
    ledger.contacts.show([page("own")], RULES)
    seen = ledger.contacts.read(ADA)
    with ledger._database.writing() as connection:
        connection.execute(CONTACTS.delete())
    assert ledger.contacts._show_unchanged(message("late", "tea", seen=seen), RULES) is None
    with ledger._database.reading() as connection:
        assert not connection.execute(sa.select(RESERVATIONS)).all()
        assert not connection.execute(sa.select(CONTACTS)).all()


def test_who_gives_way_does_so_whatever_was_read(ledger: Ledger) -> None:
    low = message("low", "tea", priority=10)
    assert low.reservation is not None
    later = msgspec.structs.replace(low.reservation, send_ts=NOW + 60)
    show(ledger, msgspec.structs.replace(low, reservation=later))
    (shown,) = show(ledger, message("high", "milk", seen=ledger.contacts.read(ADA)))
    assert shown.item_ids == ["milk"]
    states = {one.recommendation_id: one.state for one in ledger.contacts.state(ADA).reservations}
    assert states == {"low": "displaced", "high": "reserved"}


def test_a_message_of_another_identifier_gives_way_too(ledger: Ledger) -> None:
    low = message("low", "tea", customer_id=CARD, priority=10)
    assert low.reservation is not None
    later = msgspec.structs.replace(low.reservation, send_ts=NOW + 60)
    show(ledger, msgspec.structs.replace(low, reservation=later))
    link(ledger, "email", "ada", ADA)
    link(ledger, "loyalty_card", "7", ADA)
    (shown,) = show(ledger, message("high", "jam", priority=90))
    assert shown.cap is None
    states = {one.recommendation_id: one.state for one in ledger.contacts.state(ADA).reservations}
    assert states == {"low": "displaced", "high": "reserved"}
    link(ledger, "loyalty_card", "7", CARD)
    (alone,) = ledger.contacts.state(CARD).reservations
    assert alone.state == "displaced"


def test_a_report_needs_to_name_nobody(ledger: Ledger, make_event: MakeEvent) -> None:
    show(ledger, message("r", "tea", offer_ids=("b1",)))
    sent = make_event("email_sent", recommendation_id="r", channel="email")
    ledger.add_events([sent], NOW)
    state = ledger.contacts.state(ADA)
    assert (state.shown, state.offers_shown) == (
        {"tea": {"email": [NOW]}},
        {"b1": {"email": [NOW]}},
    )
    clicked = make_event("email_clicked", "tea", recommendation_id="r", at=NOW)
    failed = make_event("email_failed", recommendation_id="r", at=NOW)
    ledger.add_events([clicked, failed], NOW + 9)
    state = ledger.contacts.state(ADA)
    assert state.shown == {}
    assert [(one.item_id, one.channel) for one in state.clicks] == [("tea", "email")]
    unknown = make_event("email_sent", recommendation_id="nothing")
    assert [one.status for one in ledger.add_events([unknown], NOW)] == ["accepted"]


def test_a_page_reports_for_its_own_visit_only(ledger: Ledger, make_event: MakeEvent) -> None:
    show(ledger, message("mail", "tea"))
    page = message("page", "jam", customer_id="", session_id="s", channel="web")
    assert page.reservation is not None
    seen = msgspec.structs.replace(page.reservation, message=False, counts="seen")
    show(ledger, msgspec.structs.replace(page, reservation=seen))
    for name in ("mail", "page"):
        event = make_event("view_item_list", "jam", "tea", session_id="s", recommendation_id=name)
        ledger.add_events([event], NOW, page=True)
    assert ledger.contacts.state(ADA).shown == {}
    assert ledger.contacts.state("", session_own_id("s")).shown == {"jam": {"email": [NOW]}}
    login = make_event("login", session_id="s", identifier="ada")
    ledger.add_events([login], NOW)
    failed = make_event("email_failed", recommendation_id="page", at=NOW + 5)
    ledger.add_events([failed], NOW + 9)  # found where the login took it
    assert ledger.contacts.state(ADA).shown == {}


def test_a_handed_over_visit_keeps_its_cart(ledger: Ledger, make_event: MakeEvent) -> None:
    ledger.add_events(
        [make_event("view_item", "beer", session_id="k", channel="store_screen")], NOW
    )
    code = ledger.handovers.issue(ADA, VisitState(cart={"tea": 2.0}), NOW, 300)
    with ThreadPoolExecutor(8) as pool:
        found = [
            one
            for one in pool.map(
                lambda _: ledger.handovers.use(code, "k", NOW + 5, shared=True), range(8)
            )
            if one is not None
        ]
    assert [one.visit.cart for one in found] == [{"tea": 2.0}]
    visit = ledger.customer(session_id="k", as_of_ts=NOW + 60)
    assert (visit.visit.cart, visit.visit.looks) == ({"tea": 2.0}, ())
    assert ledger.customer(session_id="k", as_of_ts=NOW + 66).visit == VisitState()
    late = ledger.handovers.issue(ADA, VisitState(), NOW, 300)
    assert ledger.handovers.use(late, "k", NOW + 300, shared=True) is None
