"""Types of requests and answers about offers: listing, making and redeeming them.

Used by ``api.offers``, and by ``recommendations`` for the offers beside its items.
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
    discount: Annotated[
        Money,
        Meta(
            description="What it took off: the offer's discount, or less where the order's prices "
            "were lower."
        ),
    ]
    location_id: str | None = None


class QrLinks(Wire, frozen=True):
    """Pictures that anybody who has the link may see until the offer ends."""

    svg: str
    png: str


class OfferFacts(Wire, frozen=True, kw_only=True):
    """What an offer promises, without what it is redeemed by."""

    offer_id: str
    bundle_id: str
    items: list[OfferedItem]
    price: Annotated[Money, Meta(description="Of all its products together.")]
    full_price: Annotated[Money, Meta(description="What they cost without it.")]
    discount: Money
    issued_at: str
    expires_at: str
    state: OfferState
    redemption: OfferRedemption | None = None


class Offer(OfferFacts, frozen=True, kw_only=True):
    """A bundle at a price promised to one customer until a time, the same in every channel."""

    code: Annotated[str, Meta(description="What the customer shows at a till; cannot be guessed.")]
    qr: Annotated[
        str, Meta(description="Where its code is drawn as a QR code, for callers with a key.")
    ]
    qr_public: Annotated[
        QrLinks, Meta(description="The same for mails and pages of other sites, which need none.")
    ]


class RecommendedOffer(Offer, frozen=True, kw_only=True):
    """An offer beside recommendations."""

    missing: Annotated[list[str], Meta(description="Its products that are not in the cart.")]
    chance: Annotated[
        float,
        Meta(description="That the customer buys what is missing within the placement's horizon."),
    ]


class CustomerOffers(Wire, frozen=True):
    """The offers that stand for a customer."""

    customer_id: Annotated[
        str,
        Meta(description="The customer's present id; it may be another one than was asked for."),
    ]
    offers: Annotated[list[Offer], Meta(description="The one that ends first comes first.")]


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
    price: Annotated[Money | None, Meta(description="Of one, after the discounts of the line.")] = (
        None
    )


class RedemptionRequest(Wire, frozen=True):
    """Where an offer is used, in which order, and by whom."""

    transaction_id: Annotated[
        Id, Meta(description="The order's number, as the order export and the events have it.")
    ]
    channel: Channel
    location_id: Annotated[Id | None, Meta(description="The store, or the warehouse.")] = None
    customer_id: Annotated[
        Id | None,
        Meta(
            description="Who uses it: the offer must be theirs. Where nobody is named, whoever "
            "shows the code may use it."
        ),
    ] = None
    identifier: Annotated[
        Identifier | None,
        Meta(description="The same, as the customer gives it; not together with `customer_id`."),
    ] = None
    session_id: Annotated[
        Id | None,
        Meta(
            description="The visit in which the order was placed: what was offered in it, before "
            "anybody had logged in, is theirs too."
        ),
    ] = None
    till_id: Annotated[
        Id | None,
        Meta(description="Names the till, which alone can undo this, with the same key."),
    ] = None
    items: Annotated[
        Annotated[list[OrderLine], Meta(max_length=500)] | None,
        Meta(
            description="All that the order holds. Each piece carries one offer; where prices are "
            "told, no more is taken off than what is above the offer's price."
        ),
    ] = None
    item_ids: Annotated[
        Annotated[list[Id], Meta(max_length=500)] | None,
        Meta(
            description="The same without quantities and prices: one piece each time that a product"
            " is named. Where neither is sent, no choice of products is in two offers "
            "of the order."
        ),
    ] = None


class UndoQuery(Wire, frozen=True):
    """Which redemption is undone, and by which till."""

    channel: Channel
    location_id: Annotated[Id | None, Meta(description="The store, or the warehouse.")] = None
    till_id: Annotated[Id | None, Meta(description="As it was redeemed with.")] = None


class CombinationRequest(RedemptionRequest, frozen=True, kw_only=True):
    """Several offers for one order."""

    codes: Annotated[
        list[Id], Meta(min_length=1, max_length=8, description="Ids or codes of offers.")
    ]
    dry_run: Annotated[bool, Meta(description="Only say what would become of them.")] = False


class CodeProblem(Wire, frozen=True):
    """Why an offer is not used."""

    type: Annotated[str, Meta(description="As of the problem that redeeming it alone would be.")]
    detail: str


class CodeOutcome(Wire, frozen=True):
    """What became of one of several offers."""

    code: Annotated[str, Meta(description="As it was asked.")]
    used: Annotated[
        bool, Meta(description="Whether the order uses it; in a dry run, whether it would.")
    ]
    discount: Annotated[Money | None, Meta(description="What it takes off.")] = None
    offer: Offer | None = None
    problem: CodeProblem | None = None


class Combination(Wire, frozen=True):
    """The offers that take off most together."""

    transaction_id: str
    dry_run: bool
    discount: Annotated[
        Money | None, Meta(description="What they take off together; null where none is used.")
    ]
    codes: Annotated[list[CodeOutcome], Meta(description="In the order in which they were asked.")]
