"""Offers come back with their orders, and follow visitors who say who they are."""

from typing import Any

import pytest

from recsys.bundles.terms import Counts, Offer
from recsys.data.keyed_hash import customer_id_of
from recsys.errors import OfferError
from recsys.tracking.events import EventItem
from recsys.tracking.ledger import Ledger
from recsys.tracking.people import session_own_id
from recsys.tracking.returning import Returned

from .conftest import NOW, MakeEvent
from .deals import DISCOUNT, HOUR, check_books, counted, decide, promise, redeem

ADA_ID = customer_id_of("email", "ada")
STORE = {"channel": "pos", "location_id": "S1"}


@pytest.fixture
def used(ledger: Ledger) -> Offer:
    """An offer that order T1 of store S1 uses."""
    decide(ledger)
    return redeem(ledger, promise(ledger).code).offer


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
        redeem(ledger, used.code, "T1")
    assert redeem(ledger, used.code, "T2").first
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
    other = redeem(ledger, promise(ledger, "c2").code, "T1", location_id="S2").offer
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


def test_bought_online_and_brought_back_to_a_store(ledger: Ledger, make_event: MakeEvent) -> None:
    decide(ledger)
    offer = redeem(ledger, promise(ledger).code, "W1", channel="web", location_id=None).offer
    ledger.add_events([make_event("refund", transaction_id="W1", **STORE)], NOW)
    assert state(ledger, offer) == "standing"
    # Where the order itself was told of, its own scope counts.
    redeem(ledger, offer.code, "W2", channel="web", location_id=None)
    ticket = make_event("purchase", "jam", transaction_id="W2", **STORE)
    ledger.add_events([ticket], NOW)
    ledger.add_events([make_event("refund", transaction_id="W2", **STORE)], NOW)
    assert state(ledger, offer) == "redeemed"


def test_one_order_that_used_several(ledger: Ledger, make_event: MakeEvent) -> None:
    for bundle_id in ("b1", "b2"):
        decide(ledger, bundle_id)
        redeem(ledger, promise(ledger, bundle_id=bundle_id).code)
    sold = make_event("purchase", "tea", "milk", transaction_id="T1", identifier="ada", **STORE)
    back = make_event(
        "refund", lines=[EventItem(item_id="tea"), EventItem(item_id="milk")],
        transaction_id="T1", at=NOW + 1, **STORE,
    )  # fmt: skip
    ledger.add_events([sold, back], NOW)
    assert counted(ledger, "b1") == counted(ledger, "b2")
    assert counted(ledger, "b1").returned == 1
    check_books(ledger)


def test_exports_tell_of_returns_too(ledger: Ledger, used: Offer) -> None:
    assert list(ledger.offers.in_use()) == [("T1", "S1")]
    part = Returned("T1", "S1", frozenset(["tea"]))
    rest = Returned("T1", "S1", frozenset(["milk", "tea"]))
    wrong = Returned("T1", "online", frozenset(["milk", "tea"]))
    assert ledger.offers.give_back([part, wrong], NOW) == 0
    assert ledger.offers.give_back([rest, rest], NOW) == 1
    assert ledger.offers.give_back([rest], NOW) == 0
    assert list(ledger.offers.in_use()) == []
    assert state(ledger, used) == "standing"


def test_orders_that_use_offers_are_read_a_page_at_a_time(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.tracking.offers._PAGE", 3)
    decide(ledger, per_customer=2)
    orders = [(f"T{n}", f"S{n % 2}") for n in range(7)]
    for n, (number, store) in enumerate(orders):
        for owner in (f"c{n}", f"d{n}")[: 1 + n % 2]:  # some use two
            redeem(ledger, promise(ledger, owner).code, number, location_id=store)
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
    assert redeem(ledger, offer.code, owners=[ADA_ID]).first
    # Whoever logs in after her does not get what was hers.
    ledger.add_events([make_event("login", session_id="s", identifier="bob", at=NOW + 9)], NOW)
    assert ledger.offers.standing([customer_id_of("email", "bob")], NOW) == []
    check_books(ledger)
