"""Types of requests and answers about recommendations, single or in a batch.

Requests are decoded into these types, and the OpenAPI document is made from them. Answers are made
as plain dictionaries for speed; tests hold them to these types.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from recsys.ledger.events import Id, Identifier, Money
from serving.http import FieldError
from serving.schemas.base import Attributes, Body, Count, FilterDocument, Lang
from serving.schemas.contact_parts import Clicked, LeftLine, Rechecked
from serving.schemas.offers import RecommendedOffer
from serving.schemas.reasons import AnyHeading, AnyReason


class CartLine(Body, frozen=True):
    """One product of a cart."""

    item_id: Id
    quantity: Annotated[float, Meta(gt=0, le=1e6)] = 1.0


class RecommendationRequest(Body, frozen=True):
    """What to show one customer on one placement."""

    placement: Annotated[Id, Meta(examples=["web_home"], description="Name of the placement.")]
    customer_id: Annotated[
        Id | None,
        Meta(
            description="Any id the service ever gave out. At most one of `customer_id` and "
            "`identifier`."
        ),
    ] = None
    identifier: Annotated[
        Identifier | None,
        Meta(description="A card, an e-mail, a phone, …, as the customer gives it."),
    ] = None
    session_id: Annotated[
        Id | None,
        Meta(
            description="The visit; its cart is used where `cart` is not given, and who logged in "
            "to it where nobody is named."
        ),
    ] = None
    lang: Lang | None = None
    location_id: Annotated[
        Id | None, Meta(description="The store or warehouse that the customer would buy from.")
    ] = None
    item_ids: Annotated[list[Id], Meta(max_length=100, description="Products being looked at.")] = (
        field(default_factory=list)
    )
    cart: Annotated[
        Annotated[list[CartLine], Meta(max_length=200)] | None,
        Meta(description="Products in the cart."),
    ] = None
    count: Annotated[
        Count | None, Meta(description="Items wanted; the placement's own count by default.")
    ] = None
    exclude: Annotated[
        list[Id], Meta(max_length=1000, description="Products that must not be shown.")
    ] = field(default_factory=list)
    filter: Annotated[
        FilterDocument | None,
        Meta(description="What products must be, on top of the placement's own filter."),
    ] = None
    attributes: Annotated[
        Attributes,
        Meta(
            description="What else to say of each item, as the catalogue names it; `*` for "
            "everything."
        ),
    ] = field(default_factory=list)
    explain: Annotated[
        bool, Meta(description="Whether to say what each model thought of each item.")
    ] = False
    mailing_id: Annotated[
        Id | None,
        Meta(
            description="The batch of messages that this is of. With it, or with `slot`, asking "
            "again gives the same answer, checked once more, and counts once."
        ),
    ] = None
    slot: Annotated[
        Id | None,
        Meta(
            description="Tells several answers for one customer apart, in one mailing or on one "
            "placement; or an attempt that may be repeated."
        ),
    ] = None
    send_at: Annotated[
        Annotated[datetime, Meta(tz=True)] | None,
        Meta(
            description="When a message is to go out, ISO 8601 with an offset; now by default. "
            "Quiet hours and caps on messages look at this time."
        ),
    ] = None
    as_of: Annotated[
        Annotated[datetime, Meta(tz=True)] | None,
        Meta(
            description="Answer as at this time, ISO 8601 with an offset; now by default. Needs the"
            " scope `admin` besides, where keys are needed."
        ),
    ] = None
    dry_run: Annotated[
        bool,
        Meta(
            description="Whether nobody gets to see the answer: nothing is promised, and nothing "
            "counts as shown."
        ),
    ] = False


class BatchCustomer(Body, frozen=True):
    """One line of a batch: for whom, and what is special about them."""

    customer_id: Id | None = None
    identifier: Identifier | None = None
    session_id: Id | None = None
    lang: Lang | None = None
    location_id: Annotated[Id | None, Meta(description="The batch's by default.")] = None
    item_ids: Annotated[list[Id], Meta(max_length=100)] = field(default_factory=list)
    cart: Annotated[list[CartLine], Meta(max_length=200)] | None = None
    exclude: Annotated[list[Id], Meta(max_length=1000, description="Besides the batch's.")] = field(
        default_factory=list
    )
    slot: Annotated[Id | None, Meta(description="As of a single question.")] = None


class BatchRequest(Body, frozen=True):
    """What to show many customers on one placement."""

    placement: Annotated[Id, Meta(examples=["email_weekly"])]
    customers: Annotated[
        list[msgspec.Raw],
        Meta(
            min_length=1,
            max_length=1000,
            description="See the schema `BatchCustomer`. Each is judged for itself.",
        ),
    ]
    lang: Lang | None = None
    location_id: Id | None = None
    count: Count | None = None
    exclude: Annotated[list[Id], Meta(max_length=1000)] = field(default_factory=list)
    filter: FilterDocument | None = None
    attributes: Attributes = field(default_factory=list)
    explain: bool = False
    mailing_id: Annotated[
        Id | None, Meta(description="As of a single question; each customer once.")
    ] = None
    send_at: Annotated[
        Annotated[datetime, Meta(tz=True)] | None, Meta(description="As of a single question.")
    ] = None
    as_of: Annotated[datetime, Meta(tz=True)] | None = None
    dry_run: Annotated[
        bool,
        Meta(
            description="Whether nobody gets to see the answers: nothing is promised, and nothing "
            "counts as shown."
        ),
    ] = False
    unknown: Annotated[
        Literal["problem", "answer"],
        Meta(
            description="What a line that names somebody unknown gets: a problem, or a stranger's "
            "answer."
        ),
    ] = "problem"


class NearestStore(Body, frozen=True):
    """The nearest other store that can sell a product."""

    location_id: str
    km: Annotated[float, Meta(description="Great-circle distance.")]
    on_hand: float
    name: str | None = None
    reserved: float | None = None
    sellable: float | None = None


class Availability(Body, frozen=True):
    """Where a product can be had; what is not known is missing."""

    location_id: Annotated[
        str | None, Meta(description="The location asked for; missing without one.")
    ] = None
    on_hand: float | None = None
    reserved: Annotated[
        float | None, Meta(description="Of these, how many are put aside for others.")
    ] = None
    sellable: Annotated[
        float | None, Meta(description="On hand less reserved; where `reserved` is known.")
    ] = None
    pickup: Annotated[
        bool | None, Meta(description="In a store: whether any of it can be sold.")
    ] = None
    stock_as_of: Annotated[
        str | None,
        Meta(description="When the stock was reported; where `[stock] max_age_hours` is set."),
    ] = None
    stale: Annotated[
        bool, Meta(description="Whether that is too long ago, so that the stock is unknown.")
    ] = False
    delivery_days: Annotated[
        int | None,
        Meta(description="The fewest days from any location that delivers and can sell it."),
    ] = None
    nearest: Annotated[
        NearestStore | None,
        Meta(description="Where the location has none to sell."),
    ] = None


class AppliedRule(Body, frozen=True):
    """A rule of the placement that held for this answer, and what it did."""

    name: str
    action: Literal["pin", "boost", "bury", "exclude"]
    item_ids: Annotated[
        list[str], Meta(description="What it pinned, boosted or buried of what is shown.")
    ] = field(default_factory=list)
    left_out: Annotated[
        int,
        Meta(description="Of `exclude`: how many candidates would have been shown but for it."),
    ] = 0
    kept_out: Annotated[
        str | None,
        Meta(
            description="Of a pin that nothing stands for: the key of `left_out` that forbids it."
        ),
    ] = None


class ItemRule(Body, frozen=True):
    """A rule that moved an item."""

    name: str
    action: Literal["pin", "boost", "bury"]


class DrawnItem(Body, frozen=True):
    """An item whose place was drawn at random."""

    item_id: str
    propensity: Annotated[float, Meta(description="Chance that it came to this place.", gt=0, le=1)]


class RecommendedItem(Body, frozen=True):
    """One product to show."""

    item_id: str
    rank: int
    score: Annotated[float, Meta(description="Chance of purchase within the placement's horizon.")]
    new: Annotated[
        bool,
        Meta(
            description="Whether the customer never bought it, nor another product of its choice; "
            "for a stranger and on a placement that is not personal everything is new."
        ),
    ]
    title: str | None = None
    price: Money | None = None
    availability: Availability | None = None
    url: Annotated[
        str | None, Meta(description="Its page; http or https, and only there where it is known.")
    ] = None
    image_url: Annotated[str | None, Meta(description="A picture of it; as `url`.")] = None
    attributes: Annotated[
        dict[str, str] | None, Meta(description="What was asked for, as far as it is known.")
    ] = None
    reason: AnyReason | None = None
    clicked: Annotated[
        Clicked | None,
        Meta(
            description="The latest click on it on another channel, if it was not bought since; "
            "there only where one is."
        ),
    ] = None
    explanation: Annotated[
        dict[str, Any] | None,
        Meta(description="What each model thought, where `explain` was asked for."),
    ] = None
    rules: Annotated[
        list[ItemRule],
        Meta(
            description="Rules of the placement that moved it, where `explain` was asked for and "
            "one did."
        ),
    ] = field(default_factory=list)
    propensity: Annotated[
        float | None,
        Meta(
            description="Chance that it came to this place, where that was drawn and `explain` was "
            "asked for."
        ),
    ] = None


class Recommendations(Body, frozen=True):
    """The answer; shorter than asked where rules leave too little."""

    recommendation_id: Annotated[
        str, Meta(description="Events that follow from this answer echo it.")
    ]
    placement: str
    model_version: str
    as_of: str
    lang: Annotated[
        str, Meta(description="Tag of the language of `heading` and of the reasons' texts.")
    ]
    customer_known: bool
    heading: Annotated[
        AnyHeading | None,
        Meta(
            description="What may be written over the list: every item bears it out. Null over an "
            "empty one."
        ),
    ]
    items: list[RecommendedItem]
    offers: Annotated[
        list[RecommendedOffer],
        Meta(
            description="What stands for the customer, or is made by this answer; at most as many "
            "as the placement's setting `offers` says."
        ),
    ]
    fallback: Annotated[
        Literal["popular_at_location", "popular", "available"] | None,
        Meta(
            description="What was used where a personal answer could not be had; `available`: "
            "nothing that may be shown was ever bought."
        ),
    ]
    left_out: Annotated[dict[str, int], Meta(description="How many candidates each rule kept out.")]
    left_cart: Annotated[
        list[LeftLine],
        Meta(
            description="What the customer left in the cart on any channel and has not bought "
            "since; there only where the placement's setting `left_cart` asks for it."
        ),
    ] = field(default_factory=list)
    held_out: Annotated[
        str | None,
        Meta(description="The holdout that the customer is in, so that nothing is shown."),
    ] = None
    rechecked: Annotated[
        Rechecked | None,
        Meta(
            description="There where the answer was given before, in the same mailing or slot: it "
            "counts once, and what may not be shown any more was taken out."
        ),
    ] = None
    rules: Annotated[
        list[AppliedRule],
        Meta(description="Rules of the placement that held; there only where one did."),
    ] = field(default_factory=list)
    random: Annotated[
        list[DrawnItem],
        Meta(description="Which items were drawn at random; there only where some were."),
    ] = field(default_factory=list)
    withdrawn: Annotated[
        Literal["returned"] | None,
        Meta(
            description="Why there is nothing to go with the last basket: everything in it came "
            "back; there only where the placement begins from it."
        ),
    ] = None
    no_consent: Annotated[
        list[Literal["personalisation", "profiling"]],
        Meta(
            description="What the customer does not consent to, so that it was not done; there "
            "only where something is."
        ),
    ] = field(default_factory=list)
    warnings: Annotated[
        list[FieldError],
        Meta(
            description="What is probably wrong with the question; there only where something is."
        ),
    ] = field(default_factory=list)
    without_ledger: Annotated[
        bool,
        Meta(
            description="Whether the ledger did not answer in time, so that this is a stranger's "
            "answer whoever asked, or does not count towards caps."
        ),
    ] = False
