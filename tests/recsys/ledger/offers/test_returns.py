"""Offers come back with their orders, and follow visitors who say who they are."""

from typing import Any

import pytest

from recsys.bundles.terms import Counts, Offer
from recsys.errors import OfferError
from recsys.identity.hashing import customer_id_of
from recsys.ledger.customers.identity_lookup import session_own_id
from recsys.ledger.events.event_types import EventItem
from recsys.ledger.ledger import Ledger
from recsys.ledger.offers.pieces import OrderItem
from recsys.ledger.offers.returns import ReturnedOrder
from tests.recsys.ledger.conftest import NOW, MakeEvent

from .deals import CODES, DISCOUNT, HOUR, check_books, counted, decide, promise, redeem

ADA_ID = customer_id_of("email", "ada")
STORE = {"channel": "pos", "location_id": "S1"}


def lines(quantity: float) -> list[OrderItem]:
    """An order of so many sets."""
    return [OrderItem("tea", quantity), OrderItem("milk", quantity)]


def of_each(quantity: float) -> list[EventItem]:
    return [EventItem(item_id=name, quantity=quantity) for name in ("tea", "milk")]


@pytest.fixture
def used(ledger: Ledger) -> Offer:
    """An offer that order T1 of store S1 uses."""
    decide(ledger)
    return redeem(ledger, CODES.of(promise(ledger))).offer


def state(ledger: Ledger, offer: Offer) -> str:
    found = ledger.offers.find(offer.offer_id)
    assert found is not None
    assert (found.redemption is not None) == (found.state == "redeemed")
    return found.state


def test_a_returned_order_gives_its_offer_back(
    ledger: Ledger, make_event: MakeEvent, used: Offer
) -> None:
    back = make_event("refund", transaction_id="T1", **STORE)
    ledger.add_events([back], NOW)
    ledger.add_events([back], NOW)  # told twice
    assert state(ledger, used) == "standing"
    assert [held.offer_id for held in ledger.offers.standing(["c1"], NOW)] == [used.offer_id]
    assert counted(ledger) == Counts(issued=1, standing=1, returned=1, reserved_minor=DISCOUNT)
    assert ledger.offers.by_day("b1")[0][1:] == (1, 0)
    assert promise(ledger).offer_id == used.offer_id
    with pytest.raises(OfferError, match="was returned"):  # a till that asks once more
        redeem(ledger, CODES.of(used), "T1")
    assert redeem(ledger, CODES.of(used), "T2").first
    ledger.add_events([make_event("refund", transaction_id="T1", **STORE)], NOW)
    assert state(ledger, used) == "redeemed"  # by T2, which was not returned
    check_books(ledger)


def test_all_that_it_was_for_has_to_come_back(
    ledger: Ledger, make_event: MakeEvent, used: Offer
) -> None:
    for item_ids in (["tea"], ["jam"], ["tea", "jam"]):
        ledger.add_events([make_event("refund", *item_ids, transaction_id="T1", **STORE)], NOW)
        assert state(ledger, used) == "redeemed"
    ledger.add_events([make_event("refund", "milk", transaction_id="T1", **STORE)], NOW)
    assert state(ledger, used) == "standing"
    check_books(ledger)


@pytest.mark.parametrize(
    ("terms", "at", "after"),
    [
        ({"gives_back": False}, NOW, "redeemed"),
        ({}, NOW + HOUR, "expired"),
        ({"ends_ts": NOW + 60}, NOW + 60, "expired"),
        ({"status": "paused"}, NOW, "standing"),
        ({"status": "withdrawn"}, NOW, "withdrawn"),
    ],
)
def test_what_comes_back_is_what_it_would_be(
    ledger: Ledger, make_event: MakeEvent, used: Offer, terms: dict[str, Any], at: int, after: str
) -> None:
    decide(ledger, **terms)
    ledger.add_events([make_event("refund", transaction_id="T1", **STORE)], at)
    assert state(ledger, used) == after
    found = counted(ledger)
    assert (found.standing, found.redeemed) == (after == "standing", after == "redeemed")
    check_books(ledger)


def test_only_the_order_itself_gives_back(
    ledger: Ledger, make_event: MakeEvent, used: Offer
) -> None:
    other = redeem(ledger, CODES.of(promise(ledger, "c2")), "T1", location_id="S2").offer
    elsewhere = {"channel": "pos", "location_id": "S3"}
    for place in (elsewhere, {"channel": "web"}):  # two stores' orders have this number
        ledger.add_events([make_event("refund", transaction_id="T1", **place)], NOW)
    ledger.add_events([make_event("refund", transaction_id="T9", **STORE)], NOW)
    assert (state(ledger, used), state(ledger, other)) == ("redeemed", "redeemed")
    ledger.add_events(
        [make_event("refund", transaction_id="T1", channel="pos", location_id="S2")], NOW
    )
    assert (state(ledger, used), state(ledger, other)) == ("redeemed", "standing")
    # S2's came back already; that of S1 is another.
    ledger.add_events([make_event("refund", transaction_id="T1", **elsewhere)], NOW)
    assert state(ledger, used) == "redeemed"


def test_a_number_that_is_unknown_in_its_scope_gives_nothing_back(
    ledger: Ledger, make_event: MakeEvent, used: Offer
) -> None:
    """Anybody's web refund may have a till's number."""
    ledger.add_events([make_event("refund", transaction_id="T1", channel="web")], NOW)
    assert state(ledger, used) == "redeemed"
    ticket = make_event("purchase", "tea", transaction_id="T1", **STORE)
    ledger.add_events([ticket, make_event("refund", transaction_id="T1", channel="app")], NOW)
    assert state(ledger, used) == "redeemed"
    online = redeem(ledger, CODES.of(promise(ledger, "c2")), "W1", channel="web", location_id=None)
    ledger.add_events([make_event("refund", transaction_id="W1", **STORE)], NOW)
    assert state(ledger, online.offer) == "redeemed"
    # Brought back to a store, it is still the web shop's order.
    ledger.add_events([make_event("refund", transaction_id="W1", channel="web")], NOW)
    assert state(ledger, online.offer) == "standing"


def test_one_order_that_used_several(ledger: Ledger, make_event: MakeEvent) -> None:
    for bundle_id in ("b1", "b2"):
        decide(ledger, bundle_id)
        redeem(ledger, CODES.of(promise(ledger, bundle_id=bundle_id)), items=lines(2))
    sold = make_event("purchase", lines=of_each(2), transaction_id="T1", identifier="ada", **STORE)
    back = make_event("refund", lines=of_each(2), transaction_id="T1", at=NOW + 1, **STORE)
    ledger.add_events([sold, back], NOW)
    assert counted(ledger, "b1") == counted(ledger, "b2")
    assert counted(ledger, "b1").returned == 1
    check_books(ledger)


def used_by(ledger: Ledger, n_offers: int, number: str = "T1", **told: Any) -> list[Offer]:
    """Offers that one order uses, the latest first."""
    found = []
    for n in range(n_offers):
        code = CODES.of(promise(ledger, f"{number}-{n}"))
        found.append(redeem(ledger, code, number, NOW + n, **told).offer)
    return found[::-1]


@pytest.mark.parametrize("teller", ["till", "event", "export"])
def test_an_offer_comes_back_only_by_its_own_pieces(
    ledger: Ledger, make_event: MakeEvent, teller: str
) -> None:
    """Three sets, one or two of them discounted: who keeps enough of them keeps the discount."""
    decide(ledger)
    told = {"till": {"items": lines(3)}, "event": {"items": lines(1)}, "export": {}}[teller]
    (offer,) = used_by(ledger, 1, **told)
    if teller == "event":
        ledger.add_events(
            [make_event("purchase", lines=of_each(3), transaction_id="T1", **STORE)], NOW
        )
    for n in (1.0, 2.0, 3.0):
        if teller == "export":
            held, back = {"tea": 3.0, "milk": 3.0}, {"tea": n, "milk": n}
            ledger.offers.give_back([ReturnedOrder("T1", "S1", back, in_all=True, sold=held)], NOW)
        else:
            ledger.add_events(
                [make_event("refund", lines=of_each(1), transaction_id="T1", **STORE)], NOW
            )
        assert state(ledger, offer) == ("standing" if n == 3 else "redeemed"), n
    check_books(ledger)


def test_of_two_offers_the_later_one_comes_back_first(
    ledger: Ledger, make_event: MakeEvent
) -> None:
    decide(ledger)
    later, first = used_by(ledger, 2, items=lines(3))
    seen = []
    for _ in range(3):
        ledger.add_events(
            [make_event("refund", lines=of_each(1), transaction_id="T1", **STORE)], NOW
        )
        seen.append((state(ledger, first), state(ledger, later)))
    assert seen == [("redeemed", "redeemed"), ("redeemed", "standing"), ("standing", "standing")]
    check_books(ledger)


def test_parts_of_pieces_add_up(ledger: Ledger, make_event: MakeEvent, used: Offer) -> None:
    for n in range(10):
        assert state(ledger, used) == "redeemed", n
        part = of_each(0.001 if n == 0 else 0.111)
        ledger.add_events([make_event("refund", lines=part, transaction_id="T1", **STORE)], NOW)
    assert state(ledger, used) == "standing"


def test_what_events_and_exports_tell_is_the_same(ledger: Ledger, make_event: MakeEvent) -> None:
    decide(ledger)
    later, first = used_by(ledger, 2, items=lines(2))
    one = ReturnedOrder("T1", "S1", {"tea": 1.0, "milk": 1.0}, in_all=True)
    ledger.add_events([make_event("refund", lines=of_each(1), transaction_id="T1", **STORE)], NOW)
    assert ledger.offers.give_back([one, one], NOW) == 0
    assert (state(ledger, later), state(ledger, first)) == ("standing", "redeemed")
    both = ReturnedOrder("T1", "S1", {"tea": 2.0, "milk": 2.0}, in_all=True)
    assert ledger.offers.give_back([both, both], NOW) == 1
    assert state(ledger, first) == "standing"


def test_what_was_not_given_may_be_promised_to_others(ledger: Ledger) -> None:
    """An offer that gave less than promised comes back only while the budget bears it."""
    decide(ledger, budget_minor=2 * DISCOUNT - 40)
    cheap = [OrderItem("tea", 1, 240), OrderItem("milk", 1, 200)]  # 440, so 40 off
    offer = redeem(ledger, CODES.of(promise(ledger)), items=cheap).offer
    assert offer.redemption is not None
    assert offer.redemption.discount_minor == 40
    assert counted(ledger).spent_minor == 40
    promise(ledger, "c2")
    assert ledger.offers.give_back([ReturnedOrder("T1", "S1")], NOW) == 1
    assert state(ledger, offer) == "expired"
    assert counted(ledger).reserved_minor == DISCOUNT
    check_books(ledger)


def test_exports_tell_of_returns_too(ledger: Ledger, used: Offer) -> None:
    assert list(ledger.offers.in_use()) == [("T1", "S1")]
    part = ReturnedOrder("T1", "S1", {"tea": 1.0}, in_all=True)
    rest = ReturnedOrder("T1", "S1", {"milk": 1.0, "tea": 1.0}, in_all=True)
    wrong = ReturnedOrder("T1", "online", {"milk": 1.0, "tea": 1.0}, in_all=True)
    assert ledger.offers.give_back([part, wrong], NOW) == 0
    assert ledger.offers.give_back([rest, rest], NOW) == 1
    assert ledger.offers.give_back([rest], NOW) == 0
    assert list(ledger.offers.in_use()) == []
    assert state(ledger, used) == "standing"


def test_orders_that_use_offers_are_read_a_page_at_a_time(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.ledger.offers.offers._PAGE", 3)
    decide(ledger, per_customer=2)
    orders = [(f"T{n}", f"S{n % 2}") for n in range(7)]
    for n, (number, store) in enumerate(orders):
        for owner in (f"c{n}", f"d{n}")[: 1 + n % 2]:  # some use two
            code = CODES.of(promise(ledger, owner))
            redeem(ledger, code, number, location_id=store, items=lines(2))
    assert list(ledger.offers.in_use()) == orders


def test_a_visitor_who_logs_in_takes_their_offers_along(
    ledger: Ledger, make_event: MakeEvent
) -> None:
    decide(ledger)
    decide(ledger, "b2")
    visit = session_own_id("s")
    offer, other = promise(ledger, visit), promise(ledger, visit, "b2")
    ledger.add_events([make_event("view_item", "jam", session_id="s")], NOW)
    assert ledger.offers.standing([ADA_ID], NOW) == []
    kept = promise(ledger, ADA_ID, "b2")  # as many as she may get
    ledger.add_events([make_event("login", session_id="s", identifier="ada")], NOW)
    mine = {held.offer_id for held in ledger.offers.standing([ADA_ID], NOW)}
    assert mine == {offer.offer_id, kept.offer_id}
    assert [held.offer_id for held in ledger.offers.standing([visit], NOW)] == [other.offer_id]
    assert redeem(ledger, CODES.of(offer), owners=[ADA_ID]).first
    # Whoever logs in after her does not get what was hers.
    ledger.add_events([make_event("login", session_id="s", identifier="bob", at=NOW + 9)], NOW)
    assert ledger.offers.standing([customer_id_of("email", "bob")], NOW) == []
    check_books(ledger)
