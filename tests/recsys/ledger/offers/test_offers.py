"""A promise is made once, kept while it stands, and used once."""

from typing import Any

import msgspec
import pytest

from recsys.bundles.terms import Counts, Offer, OfferItem
from recsys.errors import LedgerError, OfferError
from recsys.identity.hashing import customer_id_of
from recsys.ledger.ledger import Ledger
from recsys.ledger.offers.issuing import VisitBounds
from recsys.ledger.offers.offers import Refusal
from tests.recsys.ledger.conftest import NOW

from .deals import (
    CODES,
    DISCOUNT,
    HOUR,
    ITEMS,
    check_books,
    counted,
    decide,
    issue,
    promise,
    redeem,
)


def refused(ledger: Ledger, which: str, number: str = "T1", at: int = NOW, **use: Any) -> str:
    with pytest.raises(OfferError) as caught:
        redeem(ledger, which, number, at, **use)
    assert str(caught.value).endswith(".")
    return caught.value.kind


def test_an_offer_is_what_was_decided(ledger: Ledger) -> None:
    decide(ledger)
    offer = promise(ledger)
    assert (offer.owner, offer.items, offer.price_minor) == ("c1", ITEMS, 400)
    assert (offer.full_price_minor, offer.discount_minor) == (500, DISCOUNT)
    assert (offer.issued_ts, offer.expires_ts) == (NOW, NOW + HOUR)
    assert (offer.state, offer.redemption, offer.currency) == ("standing", None, "EUR")
    assert ledger.offers.standing(["c1"], NOW + HOUR - 1) == [offer]
    assert ledger.offers.standing(["c1"], NOW + HOUR) == []
    assert ledger.offers.standing(["c2"], NOW) == []
    assert ledger.offers.standing([], NOW) == []
    for typed in (offer.offer_id, CODES.of(offer), CODES.of(offer).lower().replace("-", " ")):
        assert ledger.offers.find(typed, NOW) == offer
    assert ledger.offers.find("nothing") is None
    late = ledger.offers.find(CODES.of(offer), NOW + HOUR)
    assert late is not None
    assert late.state == "expired"


def test_asked_again_it_is_the_same_offer(ledger: Ledger) -> None:
    decide(ledger, per_customer=5)
    offer = promise(ledger)
    assert promise(ledger, at=NOW + 60) == offer
    assert promise(ledger, "c1-before", owners=["c0", "c1"]) == offer
    decide(ledger, status="paused", price_minor=450)
    assert promise(ledger) == offer  # what was promised holds, at its price
    assert issue(ledger, "c2") == Refusal("not_offered")
    assert counted(ledger) == Counts(issued=1, standing=1, reserved_minor=DISCOUNT)


def test_one_who_has_many_ids_sees_all_that_was_promised_under_any(ledger: Ledger) -> None:
    decide(ledger)
    mine = [promise(ledger, f"c{n}", at=NOW + n) for n in range(70)]
    assert ledger.offers.standing([f"c{n}" for n in range(70)], NOW + 70) == mine
    assert ledger.offers.standing(["c3", "x", "c1"], NOW + 70) == [mine[1], mine[3]]


@pytest.mark.parametrize(
    "terms",
    [
        {"status": "suggested"},
        {"starts_ts": NOW + 1},
        {"ends_ts": NOW},
        {"price_minor": 500},  # what its products cost
    ],
)
def test_what_is_not_offered_now_is_not_promised(ledger: Ledger, terms: dict[str, Any]) -> None:
    assert issue(ledger) == Refusal("not_offered")
    decide(ledger, **terms)
    assert issue(ledger) == Refusal("not_offered")
    assert counted(ledger) == Counts()


def test_it_ends_with_its_bundle(ledger: Ledger) -> None:
    decide(ledger, starts_ts=NOW, ends_ts=NOW + 60)
    assert promise(ledger).expires_ts == NOW + 60


def test_other_products_are_another_bundle(ledger: Ledger) -> None:
    decide(ledger)
    with pytest.raises(LedgerError, match="b1"):
        ledger.offers.issue("b1", "c1", [OfferItem("tea", 500)], name=CODES.new(), now_ts=NOW)


def test_a_budget_is_never_promised_twice(ledger: Ledger) -> None:
    decide(ledger, budget_minor=2 * DISCOUNT + 99)
    first, second = promise(ledger, "c1"), promise(ledger, "c2", at=NOW + 60)
    assert issue(ledger, "c3") == Refusal("budget_spent")
    redeem(ledger, CODES.of(first))
    assert issue(ledger, "c3", at=NOW + 61) == Refusal("budget_spent")
    assert counted(ledger).reserved_minor == counted(ledger).spent_minor == DISCOUNT
    # What has expired is there for others.
    promise(ledger, "c3", at=second.expires_ts)
    assert issue(ledger, "c4", at=second.expires_ts) == Refusal("budget_spent")
    assert issue(ledger, "c2", at=second.expires_ts) == Refusal("budget_spent")
    decide(ledger, budget_minor=1)
    assert issue(ledger, "c4", at=second.expires_ts + HOUR) == Refusal("budget_spent")
    check_books(ledger)


def test_nobody_gets_more_than_a_customer_may(ledger: Ledger) -> None:
    decide(ledger, per_customer=2)
    redeem(ledger, CODES.of(promise(ledger)), "T1")
    redeem(ledger, CODES.of(promise(ledger, owners=["c2"])), "T2")
    assert issue(ledger) == Refusal("customer_limit")
    assert issue(ledger, "c2", owners=["c1"]) == Refusal("customer_limit")
    assert isinstance(issue(ledger, "c2"), Offer)  # somebody else
    # What expired without being used does not count.
    promise(ledger, "c3")
    assert promise(ledger, "c3", at=NOW + HOUR).issued_ts == NOW + HOUR
    check_books(ledger)


BOUNDS = VisitBounds(per_visit=2, hours=0.5, budget_share=0.5, per_address_hour=3, address="home")


def test_visits_of_nobody_are_promised_little(ledger: Ledger) -> None:
    for n in range(5):
        decide(ledger, f"b{n}", budget_minor=4 * DISCOUNT)

    def visit(owner: str, n: int, at: int = NOW, bounds: VisitBounds = BOUNDS) -> Offer | Refusal:
        name = CODES.new()
        return ledger.offers.issue(f"b{n}", owner, ITEMS, name=name, now_ts=at, visit=bounds)

    first = visit("v1", 0)
    assert isinstance(first, Offer)
    assert first.expires_ts == NOW + HOUR // 2
    assert visit("v1", 0) == first
    second = visit("v1", 1)
    assert isinstance(second, Offer)
    assert visit("v1", 2) == Refusal("visit_limit")
    assert isinstance(visit("v2", 0), Offer)
    assert visit("v3", 1) == Refusal("visit_limit")  # the fourth of its address
    away = msgspec.structs.replace(BOUNDS, address=None)
    assert visit("v4", 0, bounds=away) == Refusal("budget_spent")  # half of it stands for visits
    assert isinstance(issue(ledger, "c1", "b0"), Offer)
    # What expired, was used, or became a customer's is not a visit's any more.
    redeem(ledger, CODES.of(second))
    assert isinstance(visit("v5", 0, NOW + HOUR // 2, away), Offer)
    assert isinstance(visit("v6", 2, NOW + HOUR), Offer)
    assert visit("v1", 3, NOW + HOUR) == Refusal("visit_limit")
    assert isinstance(visit("v1", 3, NOW + 24 * HOUR), Offer)
    check_books(ledger)


def test_whoever_gives_an_id_knows_whether_it_was_made(ledger: Ledger) -> None:
    decide(ledger)
    names = [CODES.new() for _ in range(2)]
    made = [ledger.offers.issue("b1", "c1", ITEMS, now_ts=NOW, name=name) for name in names]
    assert [isinstance(offer, Offer) and offer.offer_id for offer in made] == [
        names[0].offer_id
    ] * 2


def test_an_order_uses_it_once(ledger: Ledger) -> None:
    decide(ledger)
    offer = promise(ledger)
    done = redeem(ledger, CODES.of(offer), item_ids=["milk", "tea", "jam"], owners=["c0", "c1"])
    assert done.first
    assert done.offer.state == "redeemed"
    used = done.offer.redemption
    assert used is not None
    assert (used.transaction_id, used.channel, used.location_id) == ("T1", "pos", "S1")
    assert used.redeemed_ts == NOW
    again = redeem(ledger, offer.offer_id, at=NOW + 9 * HOUR, owners=["c1"])
    assert (again.first, again.offer) == (False, done.offer)
    assert ledger.offers.find(CODES.of(offer)) == done.offer
    assert ledger.offers.standing(["c1"], NOW) == []
    assert refused(ledger, CODES.of(offer), "T2") == "offer-redeemed"
    assert refused(ledger, CODES.of(offer), "T1", location_id="S2") == "offer-redeemed"
    assert refused(ledger, CODES.of(offer), "T1", channel="web") == "offer-redeemed"
    assert issue(ledger) == Refusal("customer_limit")
    assert counted(ledger) == Counts(issued=1, redeemed=1, spent_minor=DISCOUNT)
    decide(ledger, status="withdrawn")
    assert not redeem(ledger, CODES.of(offer)).first  # what was used stays used
    assert ledger.offers.by_day("b1") == [(NOW - NOW % 86_400, 1, 1)]
    check_books(ledger)


def test_what_may_not_be_redeemed_says_why_and_stands(ledger: Ledger) -> None:
    decide(ledger, channels=("pos", "web"), locations=("S1", "warehouse"))
    offer = promise(ledger)
    assert refused(ledger, "0000-0000-0000-0000") == "offer-unknown"
    assert refused(ledger, "o" + "0" * 24, owners=["c0"]) == "offer-unknown"
    for one in (offer.offer_id, "o" + "0" * 24):  # whoever read the ledger has ids
        assert refused(ledger, one) == "offer-code-needed"
        assert refused(ledger, one, owners=["c2"]) != "offer-code-needed"
    assert refused(ledger, "?") == "offer-unknown"
    assert refused(ledger, CODES.of(offer), owners=["c2"]) == "offer-of-another"
    assert refused(ledger, CODES.of(offer), owners=[]) == "offer-of-another"
    assert refused(ledger, CODES.of(offer), channel="app") == "offer-elsewhere"
    assert refused(ledger, CODES.of(offer), location_id="S2") == "offer-elsewhere"
    assert refused(ledger, CODES.of(offer), location_id=None) == "offer-elsewhere"
    assert refused(ledger, CODES.of(offer), item_ids=["tea"]) == "offer-incomplete"
    assert refused(ledger, CODES.of(offer), at=NOW + HOUR) == "offer-expired"
    assert counted(ledger) == Counts(issued=1, standing=1, reserved_minor=DISCOUNT)
    assert redeem(ledger, CODES.of(offer), channel="web", location_id="warehouse").first
    void = promise(ledger, "c2")
    decide(ledger, status="paused")
    assert ledger.offers.standing(["c2"], NOW) == [void]
    decide(ledger, status="withdrawn")
    assert refused(ledger, CODES.of(void), at=NOW + HOUR) == "offer-withdrawn"
    check_books(ledger)


def test_what_is_bought_one_after_the_other_is_redeemed_with_the_second(ledger: Ledger) -> None:
    decide(ledger, "after1", price_minor=150)
    offer = promise(ledger, bundle_id="after1")
    assert (offer.full_price_minor, offer.discount_minor) == (200, 50)  # of the second alone
    assert refused(ledger, CODES.of(offer), item_ids=["tea"]) == "offer-incomplete"
    assert redeem(ledger, CODES.of(offer), item_ids=["milk"]).first


def test_days_on_which_offers_were_made_and_used(ledger: Ledger) -> None:
    decide(ledger, offer_hours=100)
    day = NOW - NOW % 86_400
    first = promise(ledger, "c1", at=day)
    promise(ledger, "c2", at=day + 86_399)
    second = promise(ledger, "c3", at=day + 86_400)
    redeem(ledger, CODES.of(first), "T1", at=day + 2 * 86_400)
    redeem(ledger, CODES.of(second), "T2", at=day + 2 * 86_400 + 5)
    assert ledger.offers.by_day("b1") == [(day, 2, 0), (day + 86_400, 1, 0), (day + 172_800, 0, 2)]
    assert ledger.offers.by_day("b2") == []


def test_counts_are_of_now(ledger: Ledger) -> None:
    assert ledger.offers.counts(now_ts=NOW) == {}
    decide(ledger)
    decide(ledger, "b2")
    promise(ledger)
    assert ledger.offers.counts(["b1"], now_ts=NOW) == {"b1": counted(ledger)}
    assert counted(ledger).standing == 1
    late = ledger.offers.counts(now_ts=NOW + HOUR)
    assert late == {"b1": Counts(issued=1), "b2": Counts()}
    assert ledger.offers.counts(["b3"], now_ts=NOW) == {}


def test_whoever_one_turns_out_to_be_has_what_they_were_promised(ledger: Ledger) -> None:
    """Two ids become one customer, and may become two again."""
    decide(ledger)
    card, mail = customer_id_of("card", "7"), customer_id_of("email", "ada")
    theirs = promise(ledger, mail)
    assert ledger.offers.owners(mail) == [mail]
    rows = [("card", "7", card, card), ("email", "ada", mail, card), ("email", "no", "cx", None)]
    ledger.replace_histories("v1", [], rows)
    assert ledger.offers.owners(mail) == [card, mail]
    assert ledger.offers.owners(card) == [card, mail]
    assert ledger.offers.owners("cx") == ["cx"]
    assert ledger.offers.standing(ledger.offers.owners(card), NOW) == [theirs]
    assert promise(ledger, card, owners=ledger.offers.owners(card)) == theirs
    ledger.replace_histories("v2", [], [(*row[:3], row[2]) for row in rows])
    assert ledger.offers.owners(card) == [card]
    assert ledger.offers.standing(ledger.offers.owners(mail), NOW) == [theirs]


def test_a_campaign_that_expires_at_once_is_let_go_of_bit_by_bit(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.ledger.offers.rows.MOST", 2)
    decide(ledger, budget_minor=7 * DISCOUNT)
    for n in range(7):
        promise(ledger, f"c{n}")
    late = NOW + HOUR
    for n in range(7):  # all of the budget is there again at once
        assert counted(ledger, at=late) == Counts(issued=7 + n, standing=n, reserved_minor=100 * n)
        assert promise(ledger, f"c{6 - n}", at=late).issued_ts == late
        check_books(ledger)
    assert issue(ledger, "c8", at=late) == Refusal("budget_spent")
    decide(ledger, at=late + HOUR, status="withdrawn")
    assert counted(ledger, at=NOW) == Counts(issued=14)  # not even by an older clock
