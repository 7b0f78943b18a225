"""Any product of a choice redeems what was offered for another, and brings it back."""

import pytest

from recsys.bundles.terms import Offer
from recsys.errors import OfferError
from recsys.ledger.ledger import Ledger
from tests.recsys.ledger.conftest import NOW, MakeEvent
from tests.recsys.ledger.offers.deals import CODES, check_books, decide, promise, redeem

STORE = {"channel": "pos", "location_id": "S1"}


def choice_of(item_id: str) -> str:
    """Everything before the dash: ``milk-2`` and ``milk`` are one choice."""
    return item_id.partition("-")[0]


@pytest.fixture
def used(ledger: Ledger) -> Offer:
    """An offer for tea and milk that an order with another milk uses."""
    decide(ledger)
    items = ["milk-2", "tea", "jam"]
    found = redeem(ledger, CODES.of(promise(ledger)), item_ids=items, choice_of=choice_of)
    assert redeem(ledger, CODES.of(found.offer), item_ids=items, choice_of=choice_of).first is False
    return found.offer


def test_another_product_of_the_choice_redeems(ledger: Ledger, used: Offer) -> None:
    assert used.state == "redeemed"
    check_books(ledger)


def test_without_choices_only_the_product_itself_does(ledger: Ledger) -> None:
    decide(ledger)
    code = CODES.of(promise(ledger))
    with pytest.raises(OfferError, match="lacks `milk`"):
        redeem(ledger, code, item_ids=["milk-2", "tea"])
    with pytest.raises(OfferError, match="lacks `milk`"):
        redeem(ledger, code, item_ids=["cream-2", "tea"], choice_of=choice_of)


def test_what_was_sold_instead_brings_the_offer_back(
    ledger: Ledger, make_event: MakeEvent, used: Offer
) -> None:
    for items, state in ((["tea"], "redeemed"), (["jam"], "redeemed"), (["milk-2"], "standing")):
        ledger.add_events([make_event("refund", *items, transaction_id="T1", **STORE)], NOW)
        found = ledger.offers.find(used.offer_id)
        assert found is not None
        assert found.state == state
    check_books(ledger)
