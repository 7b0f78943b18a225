"""What goes over the wire: the bodies of requests and answers, as types.

Requests are decoded into these, and the OpenAPI document is made from them; answers are made as
plain dictionaries for speed, and tests hold them against these. Events are in
``recsys.ledger.events.event_types``, bundles in ``wire_bundles``, offers in ``wire_offers``.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from recsys.config import filters
from recsys.ledger.events import Id, Identifier, Money
from serving.http import FieldError
from serving.schemas.offers import RecommendedOffer
from serving.schemas.reasons import AnyHeading, AnyReason

Count = Annotated[int, Meta(ge=1, le=200)]
Label = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]
#: Checked part by part by ``reading.read_filter``; this tells its shape.
FilterDocument = Annotated[
    dict[str, Any],
    Meta(
        description="`{field, op, value}`, or a group of such: `{and: […]}`, `{or: […]}`, "
        f"`{{not: …}}`. Fields: {', '.join(filters.FIELDS)}, and `attributes.NAME` for what else "
        f"the catalogue says. Operators: {', '.join(filters.OPERATORS)}. In a query, as a JSON "
        "document.",
        examples=[{"field": "department", "op": "in", "value": ["Dairy", "Bakery"]}],
    ),
]


#: Names of attributes that an answer shall tell.
Attributes = Annotated[list[Label], Meta(max_length=100, examples=[["material", "gtin"]])]


class Body(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of requests and answers: unknown fields are errors."""


class CartLine(Body, frozen=True):
    """One product of a cart."""

    item_id: Id
    quantity: Annotated[float, Meta(gt=0, le=1e6)] = 1.0


class RecommendationRequest(Body, frozen=True):
    """What to show one customer on one placement."""

    placement: Annotated[Id, Meta(examples=["web_home"])]
    """Name of the placement."""
    customer_id: Id | None = None
    """Any id the service ever gave out. At most one of ``customer_id`` and ``identifier``."""
    identifier: Identifier | None = None
    """A card, an e-mail, a phone, …, as the customer gives it."""
    session_id: Id | None = None
    """The visit; its cart is used where ``cart`` is not given, and who logged in to it where
    nobody is named."""
    location_id: Id | None = None
    """The store or warehouse that the customer would buy from."""
    item_ids: Annotated[list[Id], Meta(max_length=100)] = field(default_factory=list)
    """Products being looked at."""
    cart: Annotated[list[CartLine], Meta(max_length=200)] | None = None
    """Products in the cart."""
    count: Count | None = None
    """Items wanted; the placement's own count by default."""
    exclude: Annotated[list[Id], Meta(max_length=1000)] = field(default_factory=list)
    """Products that must not be shown."""
    filter: FilterDocument | None = None
    """What products must be, on top of the placement's own filter."""
    attributes: Attributes = field(default_factory=list)
    """What else to say of each item, as the catalogue names it; ``*`` for everything."""
    explain: bool = False
    """Whether to say what each model thought of each item."""
    as_of: Annotated[datetime, Meta(tz=True)] | None = None
    """Answer as at this time, ISO 8601 with an offset; now by default. Needs the scope
    ``admin`` besides, where keys are needed."""
    dry_run: bool = False
    """Whether nobody gets to see the answer: nothing is promised, and nothing counts as shown."""


class BatchCustomer(Body, frozen=True):
    """One line of a batch: for whom, and what is special about them."""

    customer_id: Id | None = None
    identifier: Identifier | None = None
    session_id: Id | None = None
    location_id: Id | None = None
    """The batch's by default."""
    item_ids: Annotated[list[Id], Meta(max_length=100)] = field(default_factory=list)
    cart: Annotated[list[CartLine], Meta(max_length=200)] | None = None
    exclude: Annotated[list[Id], Meta(max_length=1000)] = field(default_factory=list)
    """Besides the batch's."""


class BatchRequest(Body, frozen=True):
    """What to show many customers on one placement."""

    placement: Annotated[Id, Meta(examples=["email_weekly"])]
    customers: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=1000)]
    """See the schema ``BatchCustomer``. Each is judged for itself."""
    location_id: Id | None = None
    count: Count | None = None
    exclude: Annotated[list[Id], Meta(max_length=1000)] = field(default_factory=list)
    filter: FilterDocument | None = None
    attributes: Attributes = field(default_factory=list)
    explain: bool = False
    as_of: Annotated[datetime, Meta(tz=True)] | None = None
    dry_run: bool = False
    """Whether nobody gets to see the answers: nothing is promised, and nothing counts as shown."""
    unknown: Literal["problem", "answer"] = "problem"
    """What a line that names somebody unknown gets: a problem, or a stranger's answer."""


class Availability(Body, frozen=True):
    """Stock at the location asked for."""

    location_id: str
    on_hand: float | None = None
    pickup: bool | None = None
    delivery_days: int | None = None


class RecommendedItem(Body, frozen=True):
    """One product to show."""

    item_id: str
    rank: int
    score: float
    """Chance of purchase within the placement's horizon."""
    new: bool
    """Whether the customer never bought it, nor another product of its choice; for a stranger and
    on a placement that is not personal everything is new."""
    title: str | None = None
    price: Money | None = None
    availability: Availability | None = None
    url: str | None = None
    """Its page; http or https, and only there where it is known."""
    image_url: str | None = None
    """A picture of it; as ``url``."""
    attributes: dict[str, str] | None = None
    """What was asked for, as far as it is known."""
    reason: AnyReason | None = None
    explanation: dict[str, Any] | None = None
    """What each model thought, where ``explain`` was asked for."""


class Recommendations(Body, frozen=True):
    """The answer; shorter than asked where rules leave too little."""

    recommendation_id: str
    """Events that follow from this answer echo it."""
    placement: str
    model_version: str
    as_of: str
    customer_known: bool
    heading: AnyHeading | None
    """What may be written over the list: every item bears it out. Null over an empty one."""
    items: list[RecommendedItem]
    offers: list[RecommendedOffer]
    """What stands for the customer, or is made by this answer; at most as many as the placement's
    setting ``offers`` says."""
    fallback: Literal["popular_at_location", "popular", "available"] | None
    """What was used where a personal answer could not be had; ``available``: nothing that may be
    shown was ever bought."""
    left_out: dict[str, int]
    """How many candidates each rule kept out."""
    warnings: list[FieldError] = []
    """What is probably wrong with the question; there only where something is."""
    without_ledger: bool = False
    """Whether the ledger did not answer in time, so that this is a stranger's answer whoever
    asked."""


class PageQuery(Body, frozen=True):
    """What to show beside a product."""

    count: Count = 10
    location_id: Id | None = None
    """The store or warehouse that the customer would buy from."""
    exclude: Annotated[list[Id], Meta(max_length=1000)] = field(default_factory=list)
    """Products that must not be shown."""
    filter: FilterDocument | None = None
    """What products must be."""
    attributes: Attributes = field(default_factory=list)
    """What else to say of each product, as the catalogue names it; ``*`` for everything."""
    age_restricted: bool = False
    """Whether goods with a minimum age may be listed."""


class PageItem(Body, frozen=True):
    """One product to show beside another one."""

    item_id: str
    rank: int
    because: Literal["bought_together", "similar", "popular"]
    """What it is there for; another one than was asked for where there is a ``fallback``."""
    evidence: dict[str, float | int | bool] | None
    """Bought together: ``support`` (baskets with both), ``confidence`` (share of the product's
    baskets that hold this one), ``lift`` (how many times as often as by chance). Similar:
    ``likeness`` (0 to 1), ``title`` (that of the titles), ``same_category``, ``same_brand``,
    ``variant`` (the same thing in another size). Popular: null."""
    title: str | None = None
    price: Money | None = None
    availability: Availability | None = None
    url: str | None = None
    """Its page; http or https, and only there where it is known."""
    image_url: str | None = None
    """A picture of it; as ``url``."""
    attributes: dict[str, str] | None = None
    """What was asked for, as far as it is known."""


class PageProduct(Body, frozen=True):
    """The product that a page is of."""

    item_id: str
    title: str | None = None
    price: Money | None = None
    url: str | None = None
    image_url: str | None = None
    attributes: dict[str, str] | None = None


class Page(Body, frozen=True):
    """Products for the page of one."""

    model_version: str
    item: PageProduct
    """The product of the page."""
    heading: AnyHeading | None
    """What may be written over the list; null over an empty one."""
    items: list[PageItem]
    """Shorter than asked where rules leave too little, or no more is known."""
    fallback: Literal["bought_together", "similar", "popular"] | None
    """What was used where nothing is known of what was asked for."""
    left_out: dict[str, int]
    """How many products each rule kept out."""
    warnings: list[FieldError] = []
    """As of ``Recommendations``."""


class Events(Body, frozen=True):
    """Up to 1,000 events; each is judged for itself."""

    events: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=1000)]
    """See the schema ``Event``."""


class EventOutcome(Struct, frozen=True, omit_defaults=True):
    """What became of one event."""

    event_id: str | None
    status: Literal["accepted", "duplicate", "refused"]
    detail: str | None = None
    problem: dict[str, Any] | None = None
    """Problem details, where it was refused."""
    warnings: list[FieldError] = []
    """What is probably wrong with it, although it was taken; pointers into the request."""


class EventsAnswer(Body, frozen=True):
    """What became of each event, in the order sent."""

    accepted: int
    duplicate: int
    refused: int
    events: list[EventOutcome]


class Alive(Body, frozen=True):
    """The process answers."""

    status: Literal["alive"]


class Readiness(Body, frozen=True):
    """Whether questions can be answered, and what is missing."""

    status: Literal["ready", "degraded", "not_ready"]
    """``degraded``: questions are answered, and a check says what is not as it should be."""
    model_version: str | None = None
    """Where keys are needed, only a key that is no page's is told this, and the rest."""
    checks: dict[str, str] = {}
    """Each check with ``ok``, or what is wrong and what to do: ``model``, ``ledger``, ``disk`` and
    ``age`` of what was learned."""


#: What an attribute says.
Said = (
    Annotated[str, Meta(min_length=1, max_length=2000)]
    | bool
    | Annotated[int, Meta(ge=-(2**53), le=2**53)]
    | Annotated[float, Meta(ge=-1e18, le=1e18)]
)


class ItemUpdate(Body, frozen=True):
    """What changed about a product; what is not sent stays as it is."""

    item_id: Id
    title: Label | None = None
    price: Money | None = None
    cost: Money | None = None
    active: bool | None = None
    """False: it is shown no more."""
    department: Label | None = None
    category: Label | None = None
    brand: Label | None = None
    parent_id: Id | None = None
    """The product that it is a variant of."""
    attributes: Annotated[dict[Label, Said | None], Meta(max_length=64)] | None = None
    """What else is to be said of it, by name: texts, numbers or true and false; null: nothing any
    more. ``url`` and ``image_url`` are addresses by http or https; ``age_restriction`` is a minimum
    age. Names that are not sent stay as they are."""


class ItemsUpdate(Body, frozen=True):
    """What changed about products."""

    items: Annotated[list[ItemUpdate], Meta(min_length=1, max_length=5000)]


class StockRow(Body, frozen=True):
    """How many of a product a location has."""

    location_id: Id
    item_id: Id
    on_hand: Annotated[float, Meta(ge=0, le=1e9)]


class StockUpdate(Body, frozen=True):
    """What lies where."""

    stock: Annotated[list[StockRow], Meta(min_length=1, max_length=10_000)]


class LocationUpdate(Body, frozen=True):
    """A store or a warehouse; what is not sent stays as it is."""

    location_id: Id
    name: Label | None = None
    kind: Literal["store", "online"] | None = None
    region: Label | None = None
    time_zone: Label | None = None


class LocationsUpdate(Body, frozen=True):
    """Stores and warehouses."""

    locations: Annotated[list[LocationUpdate], Meta(min_length=1, max_length=5000)]


class UpdateAnswer(Body, frozen=True):
    """What became of an update."""

    received: int
    changed: int
    """Records that said something new."""
    unchanged: int
    """Records that said what was known."""
    not_in_model: int
    """Products that the present model does not know; they are shown from the next training on."""
    not_in_model_ids: list[str]
    """The first of them."""
