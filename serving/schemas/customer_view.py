"""Types of requests and answers about one customer, for people who serve or support them.

``api.customer_view``, ``api.customer_corrections`` and ``api.looks`` decode and make them; tests
hold the answers to them.
"""

from typing import Annotated, Literal

from msgspec import Meta, field

from recsys.ledger.events import Id, Identifier, Money
from serving.http import FieldError
from serving.schemas.base import Body, Lang
from serving.schemas.customers import ConsentFields, Consents, Said
from serving.schemas.decisions import HeldMessage
from serving.schemas.offers import OfferFacts


class LookupQuery(Body, frozen=True):
    """By what a customer is looked for; exactly one of them."""

    identifier: Identifier | None = None
    order_id: Annotated[
        Id | None, Meta(description="Number of one of their orders, as shop or till print it.")
    ] = None
    offer: Annotated[Id | None, Meta(description="Code of one of their offers, or its id.")] = None


class FoundCustomers(Body, frozen=True):
    """Who was found."""

    customer_ids: Annotated[
        list[str],
        Meta(
            description="Present ids, mostly one. Order numbers that two systems or stores gave "
            "out name several customers."
        ),
    ]


class LookReason(Body, frozen=True):
    """Why somebody looks at a customer."""

    reason: Annotated[
        Said, Meta(description="Noted with the look, such as the number of a support ticket.")
    ] = ""
    lang: Lang | None = None
    orders: Annotated[int, Meta(ge=1, le=500, description="Orders told one by one.")] = 20
    shown: Annotated[int, Meta(ge=1, le=200, description="Answers and offers that are told.")] = 20


class KnownIdentifier(Body, frozen=True):
    """One identifier of a customer, masked."""

    type: str
    masked: Annotated[
        str,
        Meta(
            description="The last signs of an identifier that is stored as it is, or the first "
            "digits of the hash of one that is personal."
        ),
    ]
    hashed: bool


class BoughtItem(Body, frozen=True):
    """One product of an order."""

    item_id: Annotated[
        str | None, Meta(description="Null: the product is in the catalogue no more.")
    ]
    title: str | None
    quantity: float
    amount: Annotated[Money, Meta(description="Of the whole line, after discount.")]


class ReturnedItem(BoughtItem, frozen=True):
    """One product that was returned; quantity and amount are what came back."""

    at: str
    channel: str
    location_id: str | None
    location_name: str | None


class CustomerOrder(Body, frozen=True):
    """One order with its returns."""

    at: Annotated[str | None, Meta(description="Null: only returns of it are known.")]
    channel: str | None
    location_id: str | None
    location_name: str | None
    amount: Annotated[Money, Meta(description="Of its products, before returns.")]
    items: list[BoughtItem]
    returns: list[ReturnedItem]


class ChannelOrders(Body, frozen=True):
    """Orders and returns on one channel."""

    channel: str
    orders: int
    bought: Money
    returned: Money
    last_at: str


class OlderLines(Body, frozen=True):
    """What is only kept in sum."""

    products: int
    lines: Annotated[int, Meta(description="Of sale, less those of return.")]
    last_at: str | None


class CustomerOrders(Body, frozen=True):
    """What a customer bought and returned."""

    count: Annotated[int, Meta(description="Orders that are known one by one.")]
    by_channel: list[ChannelOrders]
    recent: Annotated[list[CustomerOrder], Meta(description="The latest first.")]
    older: Annotated[OlderLines, Meta(description="Not in the counts above.")]


class NamedItem(Body, frozen=True):
    """A product."""

    item_id: str
    title: str | None


class CartItem(NamedItem, frozen=True):
    """A product in a cart, over all devices."""

    quantity: float
    at: str


class Viewed(Body, frozen=True):
    """A product that the customer looked at, or put into a cart."""

    item_id: str | None
    title: str | None
    kind: Literal["view", "cart"]
    channel: str
    at: str


class Visit(Body, frozen=True):
    """A visit with a login."""

    last_at: str
    cart: list[str]


class WithheldItem(NamedItem, frozen=True):
    """A product that was not to be shown."""

    code: str
    text: str


class ShownItem(NamedItem, frozen=True):
    """A product that was shown, and why."""

    reason: Annotated[
        str | None,
        Meta(description="In the words of the answer; null in decisions of older versions."),
    ]


class ShownAnswer(Body, frozen=True):
    """An answer that was given about the customer; `/v1/decisions` tells it in full."""

    recommendation_id: str
    decided_at: str
    placement: str
    channel: str | None
    location_id: str | None
    items: list[ShownItem]
    fallback: str | None
    held: HeldMessage | None
    withheld: list[WithheldItem]
    text: Annotated[list[str], Meta(description="What was decided, in sentences.")]


class Message(Body, frozen=True):
    """A message to the customer."""

    recommendation_id: str
    placement: str
    channel: str
    decided_at: str
    send_at: str
    state: Literal["reserved", "sent", "failed", "displaced"]


class Dismissal(NamedItem, frozen=True):
    """A product that the customer refused, or wants to see again."""

    extent: Literal["item", "category"]
    at: str
    stands: Annotated[bool, Meta(description="False: taken back.")]


class ConsentChange(ConsentFields, frozen=True):
    """A word of the customer about one purpose, and who wrote it down."""

    noted_at: str
    noted_by: Annotated[str | None, Meta(description="Name of a key; null: an export said it.")]


class ToldConsents(Consents, frozen=True):
    """What a customer consents to, with its history."""

    history: Annotated[list[ConsentChange], Meta(description="The latest first.")]


class HoldoutArm(Body, frozen=True):
    """What a customer was assigned to."""

    holdout: str
    held_out: bool
    since: str


class CustomerView(Body, frozen=True):
    """Everything that is known about one customer."""

    customer_id: str
    as_of: str
    lang: str
    identifiers: list[KnownIdentifier]
    orders: CustomerOrders
    cart: list[CartItem]
    views: list[Viewed]
    visits: list[Visit]
    shown: Annotated[list[ShownAnswer], Meta(description="The latest first.")]
    messages: Annotated[list[Message], Meta(description="The latest first.")]
    offers: Annotated[list[OfferFacts], Meta(description="Valid or not, the latest first.")]
    dismissals: list[Dismissal]
    consents: ToldConsents
    holdouts: list[HoldoutArm]
    warnings: Annotated[list[FieldError], Meta(description="As of `Recommendations`.")] = field(
        default_factory=list
    )


class DismissalUpdate(Body, frozen=True):
    """What a customer said about seeing a product."""

    item_id: Id
    stands: Annotated[bool, Meta(description="True: not interested. False: taken back.")]
    extent: Annotated[
        Literal["item", "category"], Meta(description="The product, or all of its category.")
    ] = "item"


class Dismissals(Body, frozen=True):
    """What a customer refused, and what they took back."""

    customer_id: str
    dismissals: list[Dismissal]


class LinkEnd(Body, frozen=True):
    """One identifier of a link."""

    type: str
    masked: str


class Link(Body, frozen=True):
    """Two identifiers that were seen together."""

    link_id: str
    ends: list[LinkEnd]
    evidence: str
    seen: Annotated[int, Meta(description="How often.")]
    last_at: str | None
    joins: Annotated[bool, Meta(description="Whether it joined the two at the last ingest.")]
    refused: Annotated[str | None, Meta(description="Why it did not.")]
    undone: Annotated[bool, Meta(description="Whether it will not join at the next ingest.")]


class Links(Body, frozen=True):
    """Why the identifiers of a customer are one person's."""

    customer_id: str
    history: Annotated[str, Meta(description="Version of the history that they are from.")]
    links: list[Link]


class LinkCorrection(Body, frozen=True):
    """Why a link is wrong."""

    reason: Annotated[Said, Meta(description="Kept beside the link.")] = ""


class LinkChange(Body, frozen=True):
    """What the next ingest will do with a link."""

    link_id: str
    undone: bool
    changed: Annotated[bool, Meta(description="False: it was so already.")]


class LooksQuery(Body, frozen=True):
    """Which looks are asked for."""

    customer_id: Id | None = None
    cursor: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="`next` of the page before.")
    ] = None
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 100


class LookEntry(Body, frozen=True):
    """Somebody looked at a customer."""

    at: str
    by: Annotated[str, Meta(description="Name of the key; `local` where none was needed.")]
    key_id: str | None
    page: Annotated[str, Meta(description="`api`, or the page.")]
    reason: str
    customer_id: Annotated[str | None, Meta(description="Null: erased since.")]


class LookList(Body, frozen=True):
    """Who looked at whom, the latest first."""

    looks: list[LookEntry]
    next: Annotated[int | None, Meta(description="`cursor` of the next page; null: the last.")]
