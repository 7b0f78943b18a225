"""What goes over the wire about offers: what stands for a customer, issuing, redeeming.

Used by ``api.offers``, and by ``wire`` for the offers beside recommendations.
"""

from typing import Annotated

from msgspec import Meta

from recsys.bundles import OfferState
from recsys.ledger.events import Channel, Id, Identifier, Money, Wire


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


class QrLinks(Wire, frozen=True):
    """Pictures that anybody who has the link may see until the offer ends."""

    svg: str
    png: str


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
    """Where its code is drawn as a QR code, for callers with a key."""
    qr_public: QrLinks
    """The same for mails and pages of other sites, which need none."""
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


class OffersQuery(Wire, frozen=True):
    """Whose offers are asked for."""

    identifier: Identifier


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


class CombinationRequest(RedemptionRequest, frozen=True, kw_only=True):
    """Several offers for one order."""

    codes: Annotated[list[Id], Meta(min_length=1, max_length=8)]
    """Ids or codes of offers."""
    dry_run: bool = False
    """Only say what would become of them."""


class CodeProblem(Wire, frozen=True):
    """Why an offer is not used."""

    type: str
    """As of the problem that redeeming it alone would be."""
    detail: str


class CodeOutcome(Wire, frozen=True):
    """What became of one of several offers."""

    code: str
    """As it was asked."""
    used: bool
    """Whether the order uses it; in a dry run, whether it would."""
    discount: Money | None = None
    """What it takes off."""
    offer: Offer | None = None
    problem: CodeProblem | None = None


class Combination(Wire, frozen=True):
    """The offers that take off most together."""

    transaction_id: str
    dry_run: bool
    discount: Money | None
    """What they take off together; null where none is used."""
    codes: list[CodeOutcome]
    """In the order in which they were asked."""
