"""Any product of a choice redeems what was offered for another, and brings it back."""

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.bundles.terms import Offer
from recsys.errors import OfferError
from recsys.tracking.ledger import Ledger
from recsys.tracking.redeeming import Use, stand_ins

from .conftest import NOW, MakeEvent
from .deals import check_books, decide, promise, redeem

STORE = {"channel": "pos", "location_id": "S1"}


def choice_of(item_id: str) -> str:
    """Everything before the dash: ``milk-2`` and ``milk`` are one choice."""
    return item_id.partition("-")[0]


def use_of(items: list[str] | None) -> Use:
    return Use(
        transaction_id="T1", channel="pos", location_id="S1", owners=None, item_ids=items,
        now_ts=NOW, choice_of=choice_of,
    )  # fmt: skip


@pytest.fixture
def used(ledger: Ledger) -> Offer:
    """An offer for tea and milk that an order with another milk uses."""
    decide(ledger)
    items = ["milk-2", "tea", "jam"]
    found = redeem(ledger, promise(ledger).code, item_ids=items, choice_of=choice_of)
    assert redeem(ledger, found.offer.code, item_ids=items, choice_of=choice_of).first is False
    return found.offer


def test_another_product_of_the_choice_redeems(ledger: Ledger, used: Offer) -> None:
    assert used.state == "redeemed"
    check_books(ledger)


def test_without_choices_only_the_product_itself_does(ledger: Ledger) -> None:
    decide(ledger)
    code = promise(ledger).code
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


@given(
    st.lists(st.sampled_from(["a", "a-1", "a-2", "b", "b-1"]), min_size=1, max_size=3, unique=True),
    st.lists(st.sampled_from(["a", "a-1", "a-2", "b", "b-1", "c"]), max_size=4),
)
def test_each_line_stands_for_one_product(needed: list[str], items: list[str]) -> None:
    possible = any(
        all(choice_of(one) == choice_of(other) for one, other in zip(needed, order, strict=True))
        for order in itertools.permutations(items, len(needed))
    )
    try:
        found = stand_ins(needed, use_of(items))
    except OfferError:
        assert not possible
        return
    assert possible
    assert not set(found) & set(items)
    taken = Counter(found.get(member, member) for member in needed)
    assert taken <= Counter(items)


def test_an_order_that_does_not_tell_what_it_holds_is_believed() -> None:
    assert stand_ins(["a"], use_of(None)) == {}
