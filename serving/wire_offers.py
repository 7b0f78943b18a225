"""What goes over the wire about offers: what stands for a customer, issuing, redeeming.

Used by ``api.offers``, and by ``wire`` for the offers beside recommendations.
"""

from typing import Annotated

from msgspec import Meta

from recsys.bundles.terms import OfferState
from recsys.tracking.events import Channel, Id, Identifier, Money, Wire


class OfferedItem(Wire, frozen=True):
    """One product of an offer, at its price when the offer was made."""

    item_id: str
    price: Money
    title: str | None = None


class OfferRedemption(Wire, frozen=True):
    """Where and when an offer was used."""

    transaction_id: str
    channel: Channel
    redeemed_at: str
    discount: Money
    """What it took off: the offer's discount, or less where the order's prices were lower."""
    location_id: str | None = None


class Offer(Wire, frozen=True):
    """A bundle at a price promised to one customer until a time, the same in every channel."""

    offer_id: str
    code: str
    """What the customer shows at a till; cannot be guessed."""
    bundle_id: str
    items: list[OfferedItem]
    price: Money
    """Of all its products together."""
    full_price: Money
    """What they cost without it."""
    discount: Money
    issued_at: str
    expires_at: str
    state: OfferState
    qr: str
    """Where its code is drawn as a QR code."""
    redemption: OfferRedemption | None = None


class RecommendedOffer(Offer, frozen=True, kw_only=True):
    """An offer beside recommendations."""

    missing: list[str]
    """Its products that are not in the cart."""
    chance: float
    """That the customer buys what is missing within the placement's horizon."""


class CustomerOffers(Wire, frozen=True):
    """The offers that stand for a customer."""

    customer_id: str
    """The customer's present id; it may be another one than was asked for."""
    offers: list[Offer]
    """The one that ends first comes first."""


class OfferRequest(Wire, frozen=True):
    """Which bundle a customer is to be offered."""

    bundle_id: Id


class OrderLine(Wire, frozen=True):
    """What an order holds of a product at one price."""

    item_id: Id
    quantity: Annotated[float, Meta(gt=0, le=1e6)] = 1.0
    price: Money | None = None
    """Of one, after the discounts of the line."""


class RedemptionRequest(Wire, frozen=True):
    """Where an offer is used, in which order, and by whom."""

    transaction_id: Id
    """The order's number, as the order export and the events have it."""
    channel: Channel
    location_id: Id | None = None
    """The store, or the warehouse."""
    customer_id: Id | None = None
    """Who uses it: the offer must be theirs. Where nobody is named, whoever shows the code may
    use it."""
    identifier: Identifier | None = None
    """The same, as the customer gives it; not together with ``customer_id``."""
    session_id: Id | None = None
    """The visit in which the order was placed: what was offered in it, before anybody had logged
    in, is theirs too."""
    items: Annotated[list[OrderLine], Meta(max_length=500)] | None = None
    """All that the order holds. Each piece carries one offer; where prices are told, no more is
    taken off than what is above the offer's price."""
    item_ids: Annotated[list[Id], Meta(max_length=500)] | None = None
    """The same without quantities and prices: one piece each time that a product is named. Where
    neither is sent, no choice of products is in two offers of the order."""
