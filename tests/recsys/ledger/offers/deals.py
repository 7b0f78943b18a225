"""A bundle to decide about, and what must be true of its offers at any time."""

from typing import Any

import msgspec
import sqlalchemy as sa

from recsys.bundles.bundle_table import offered_members
from recsys.bundles.terms import Counts, Decision, Offer, OfferItem, Terms
from recsys.ledger.ledger import Ledger
from recsys.ledger.offers.codes import Codes
from recsys.ledger.offers.offers import Refusal
from recsys.ledger.offers.pieces import OrderItem
from recsys.ledger.offers.redemption import RedeemedOffer
from recsys.ledger.schema import DECISIONS, OFFERS, REDEMPTIONS
from tests.recsys.ledger.conftest import NOW

CODES = Codes("k" * 40)
ITEMS = (OfferItem("tea", 300), OfferItem("milk", 200))
HOUR = 3_600
#: 100 off, for an hour.
TERMS = Terms(status="approved", price_minor=400, currency="EUR", offer_hours=1.0)
DISCOUNT = 100


def decide(ledger: Ledger, bundle_id: str = "b1", at: int = NOW, **terms: Any) -> Decision:
    """Change a bundle from whatever it is; name only what is to be another."""
    before = ledger.decisions.get(bundle_id)
    wanted = msgspec.structs.replace(TERMS if before is None else before.terms, **terms)
    return ledger.decisions.change(
        bundle_id,
        _kind(bundle_id),
        ["tea", "milk"],
        wanted,
        expected_revision=0 if before is None else before.revision,
        by="ada",
        now_ts=at,
    )


def _kind(bundle_id: str) -> str:
    return "after" if bundle_id.startswith("after") else "together"


def promise(
    ledger: Ledger, owner: str = "c1", bundle_id: str = "b1", at: int = NOW, owners: Any = ()
) -> Offer:
    made = issue(ledger, owner, bundle_id, at, owners)
    assert isinstance(made, Offer), made
    return made


def issue(
    ledger: Ledger, owner: str = "c1", bundle_id: str = "b1", at: int = NOW, owners: Any = ()
) -> Offer | Refusal:
    items = offered_members(_kind(bundle_id), ITEMS)
    name = CODES.new()
    return ledger.offers.issue(bundle_id, owner, items, name=name, now_ts=at, owners=owners)


def redeem(
    ledger: Ledger, which: str, number: str = "T1", at: int = NOW, **use: Any
) -> RedeemedOffer:
    order: dict[str, Any] = {
        "channel": "pos",
        "location_id": "S1",
        "owners": None,
        "items": None,
        **use,
    }
    if "item_ids" in order:  # one piece of each
        order["items"] = [OrderItem(item_id) for item_id in order.pop("item_ids")]
    return ledger.offers.redeem(which, transaction_id=number, now_ts=at, **order)


def counted(ledger: Ledger, bundle_id: str = "b1", at: int = NOW) -> Counts:
    return ledger.offers.counts([bundle_id], now_ts=at)[bundle_id]


def check_books(ledger: Ledger, *bundle_ids: str) -> None:
    """The counters of some bundles, or all, are what their offers add up to."""
    of = OFFERS.c
    with ledger._database.reading() as connection:
        for bundle in connection.execute(sa.select(DECISIONS)):
            if bundle_ids and bundle.bundle_id not in bundle_ids:
                continue
            offers = connection.execute(
                sa.select(OFFERS).where(of.bundle_id == bundle.bundle_id)
            ).all()
            ids = [offer.offer_id for offer in offers]
            orders = connection.execute(
                sa.select(REDEMPTIONS).where(REDEMPTIONS.c.offer_id.in_(ids))
            ).all()
            standing = [offer for offer in offers if offer.state == "standing"]
            used = [offer for offer in offers if offer.state == "redeemed"]
            using = [order.offer_id for order in orders if order.returned_ts is None]
            found = {
                "issued": len(offers),
                "standing": len(standing),
                "redeemed": len(used),
                "returned": len(orders) - len(using),
                "reserved_minor": sum(offer.discount_minor for offer in standing),
                "spent_minor": sum(
                    order.discount_minor for order in orders if order.returned_ts is None
                ),
            }
            assert {name: getattr(bundle, name) for name in found} == found
            assert sorted(using) == sorted(offer.offer_id for offer in used)
