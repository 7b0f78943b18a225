"""The best of several offers: against trying everything."""

from itertools import permutations
from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings

from recsys.bundles.terms import Offer
from recsys.errors import OfferError
from recsys.ledger.ledger import Ledger
from recsys.ledger.offers.combination import best_combination
from recsys.ledger.offers.pieces import OfferBounds, OpenOrder, OrderItem
from recsys.ledger.offers.redemption import OfferUse, Outcome
from tests.recsys.ledger.conftest import NOW

from .deals import CODES, DISCOUNT, check_books, counted, decide, promise, redeem
from .test_pieces import an_offer, choice

ORDERS = st.lists(
    st.builds(
        OrderItem,
        st.sampled_from(["a", "a2", "b", "c", "c2"]),
        st.sampled_from([1.0, 2.0]),
        st.none() | st.sampled_from([150, 210, 300]),
    ),
    min_size=2,
    max_size=5,
)
OFFERS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3, unique=True),
        st.sampled_from([20, 50, 80, 140]),
    ),
    min_size=1,
    max_size=5,
)
COSTS = {"a": 150, "a2": 260, "b": None, "c": 20, "c2": 20}
BOUNDS = OfferBounds(margin_floor=0.1, cost_of=lambda item_id, _: COSTS[item_id])


def by_trying_all(order: list[OrderItem], offers: list[Offer], most: int) -> tuple[int, int]:
    """Largest discount, and the fewest offers that give it."""
    found = [(0, 0)]
    for size in range(1, most + 1):
        for chosen in permutations(offers, size):
            basket, off = OpenOrder(order, choice_of=choice), 0
            try:
                for offer in chosen:
                    off += basket.claim(offer, BOUNDS).discount_minor
            except OfferError:
                continue
            found.append((off, -size))
    return max(found)


@settings(max_examples=150)
@given(order=ORDERS, wanted=OFFERS, most=st.integers(1, 4))
def test_the_best_combination_is_the_best_of_all(
    order: list[OrderItem], wanted: list[tuple[list[str], int]], most: int
) -> None:
    offers = [an_offer(members, off, number) for number, (members, off) in enumerate(wanted)]
    basket = OpenOrder(order, choice_of=choice)
    found = best_combination(basket, offers, BOUNDS, most)
    most = min(most, len(offers))
    assert (found.discount_minor, -len(found.claims)) == by_trying_all(order, offers, most)
    # It can be had, in that order, and looking for it took nothing.
    for at, claim in found.claims:
        assert basket.claim(offers[at], BOUNDS) == claim


def use(items: list[OrderItem] | None, number: str = "T1", **fields: Any) -> OfferUse:
    return OfferUse(
        **{
            "transaction_id": number,
            "channel": "pos",
            "location_id": "S1",
            "owners": None,
            "items": items,
            "currency": None,
            "now_ts": NOW,
            **fields,
        }
    )


def kinds(outcomes: list[Outcome]) -> list[str]:
    return [
        "again"
        if found.redeemed and not found.redeemed.first
        else "first"
        if found.redeemed
        else ""
        if found.refused is None
        else found.refused.kind
        for found in outcomes
    ]


def test_one_call_redeems_the_best_and_says_why_not_of_the_others(ledger: Ledger) -> None:
    decide(ledger)
    decide(ledger, "b2", price_minor=350)
    decide(ledger, "after1", price_minor=120)
    small, large, rest, spare = (
        CODES.of(promise(ledger, owner, name))
        for owner, name in (("c1", "b1"), ("c1", "b2"), ("c1", "after1"), ("c2", "b2"))
    )
    gone = CODES.of(promise(ledger, "c3"))
    redeem(ledger, gone, "T9")
    held = [OrderItem("tea", 1), OrderItem("milk", 2)]
    names = [small, gone, "?", large, rest, large]
    expected = ["offer-overlaps", "offer-redeemed", "offer-unknown", "first", "first", "first"]
    dry = ledger.offers.redeem_best(names, use(held), dry_run=True)
    assert kinds(dry) == expected
    assert counted(ledger, "b2").redeemed == 0
    assert kinds(ledger.offers.redeem_best(names, use(held))) == expected
    assert (counted(ledger, "b2").spent_minor, counted(ledger, "after1").spent_minor) == (150, 80)
    again = ["offer-overlaps", "offer-redeemed", "offer-unknown", *["again"] * 3]
    assert kinds(ledger.offers.redeem_best(names, use(held))) == again
    few = use([OrderItem("tea", 9), OrderItem("milk", 9)], "T2", bounds=OfferBounds(per_order=1))
    assert kinds(ledger.offers.redeem_best([small, spare], few)) == ["order-limit", "first"]
    # An order that does not tell uses one of those that share a product.
    assert kinds(ledger.offers.redeem_best([small], use(None, "T3"))) == ["first"]
    assert counted(ledger, "b1").spent_minor == 2 * DISCOUNT
    check_books(ledger)
