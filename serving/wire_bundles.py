"""What goes over the wire about bundles: their evidence, what they would earn, and decisions.

Answers are made by ``recsys.responses.bundles`` and held against these types by tests.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from recsys.bundles.terms import Status
from recsys.tracking.events import Channel, Id, Money
from serving.wire import Body

Kind = Literal["together", "after"]
Share = Annotated[float, Meta(ge=0, le=1)]


class BundleItem(Body, frozen=True):
    """One product of a bundle."""

    item_id: str
    title: str | None
    price: Money | None
    cost: Money | None
    category: str | None
    department: str | None
    brand: str | None
    active: bool
    """Whether it may be shown; a bundle with an inactive product is not offered."""


class Confidence(Body, frozen=True):
    """Of the baskets with one product, the share that also holds the other."""

    a_to_b: float
    b_to_a: float


class Segment(Body, frozen=True):
    """A channel, a region or a season in which the bundle was tested for itself and holds."""

    segment: Annotated[str, Meta(examples=["channel:web"])]
    support: int
    lift: float
    lift_low: float
    lift_high: float
    q_value: float


class Margin(Body, frozen=True):
    """Minor units a month, from the cautious to the hopeful end."""

    low: int
    middle: int
    high: int


class PricePoint(Body, frozen=True):
    """What one price would do."""

    price_minor: int
    discount_share: float
    margin_share: float | None
    break_even_sales: float | None
    """Sales of the bundle, over what is bought together anyway, that pay for the discount; null
    where none do."""
    low: float | None
    """Expected margin, minor units a month, as in ``Margin``."""
    middle: float | None
    high: float | None


class Pricing(Body, frozen=True):
    """What the bundle could cost, and what that would earn: an estimate."""

    full_price: Money
    suggested_price: Money | None
    """null where no discount pays for itself."""
    floor_price: Money
    """Below it the margin falls under ``[bundles] margin_floor``."""
    discount_share: float | None
    margin_share: float | None
    break_even_sales: float | None
    expected_margin: Any
    sells_anyway: bool
    """Whether the discount would mostly go to those who buy the products together anyway."""
    pays: bool
    estimate: str
    """What kind of figure this is, in words."""
    cost_known: bool


class BundleTerms(Body, frozen=True):
    """Under which a bundle is offered."""

    price: Money | None
    starts_at: str | None
    ends_at: str | None
    channels: list[Channel]
    locations: list[str]
    budget: Money | None
    per_customer: int
    offer_hours: float
    gives_back: bool
    note: str


class OfferCounts(Body, frozen=True):
    """What became of its offers so far."""

    issued: int
    standing: int
    redeemed: int
    returned: int
    reserved: Money | None
    """Discounts of the offers that stand."""
    spent: Money | None
    """Discounts that were redeemed."""


class Bundle(Body, frozen=True):
    """Products that sell together, with the evidence and what was decided about them."""

    bundle_id: str
    """The same in every training."""
    kind: Kind
    """``together``: in one basket. ``after``: the first product some days before the second."""
    status: Status
    revision: int
    """For ``If-Match``; 0: nobody has decided anything yet."""
    items: list[BundleItem]
    support: int | None
    """Baskets that hold all products; of ``after``, customers' purchases of the first that were
    followed by the second. Evidence is null where the present model does not hold the bundle."""
    support_share: float | None
    """The same as a share of ``cases``."""
    cases: int | None
    customers: int | None
    """Known customers among those of ``support``."""
    confidence: Confidence | None
    """Of pairs only."""
    completes: list[float] | None
    """For each product, the share of the baskets with all others that hold it too."""
    lift: float | None
    """How many times as often as by chance, for baskets as large as these."""
    lift_low: float | None
    lift_high: float | None
    """Ends of its 95% interval."""
    p_value: float | None
    q_value: float | None
    """The smallest share of false discoveries at which it would still be reported."""
    stability: float | None
    """Share of the months in which it holds."""
    complement: float | None
    """Below 1 where customers buy one instead of the other."""
    undiscounted_lift: float | None
    """Lift among what was bought without a discount."""
    segments: list[Segment]
    pricing: Pricing | None
    """null where a price is not known."""
    terms: BundleTerms
    offers: OfferCounts
    changed_at: str | None
    changed_by: str | None
    in_model: bool


class BundleQuery(Body, frozen=True):
    """Which bundles are wanted."""

    status: Status | None = None
    kind: Kind | None = None
    category: Id | None = None
    """Only bundles with a product of it; as ``department``."""
    department: Id | None = None
    item_id: Id | None = None
    """Only bundles with this product."""
    q: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    """Text in the titles; case does not matter."""
    channel: Channel | None = None
    """Only bundles that hold on this channel by themselves."""
    location_id: Id | None = None
    """Only bundles that are bought at this location."""
    season: Id | None = None
    """Only bundles that hold in this season, as ``winter``."""
    segment: Id | None = None
    """The same for any segment that bundles name, as ``region:North``. At most one of
    ``channel``, ``season`` and ``segment``."""
    min_lift: Annotated[float, Meta(ge=0)] = 0.0
    min_support: Annotated[int, Meta(ge=0)] = 0
    min_margin: Annotated[int, Meta(ge=-(2**53), le=2**53)] | None = None
    """Least expected margin (its middle), minor units a month."""
    pays: bool | None = None
    """Whether a discount would pay for itself."""
    sort: Literal["evidence", "lift", "support", "confidence", "margin", "stability", "changed"] = (
        "evidence"
    )
    """Highest first. ``evidence``: how sure it is, and how strong; ``confidence``: the highest one
    of all directions; ``changed``: what was decided last."""
    limit: Annotated[int, Meta(ge=1, le=1000)] = 50
    cursor: Annotated[str, Meta(max_length=2000)] | None = None
    """``next_cursor`` of the page before."""
    format: Literal["json", "csv"] | None = None
    """As the Accept header says by default."""


class Bundles(Body, frozen=True):
    """One page of bundles."""

    model_version: str
    bundles: list[Bundle]
    total: int
    """Bundles that fit the query, on all pages."""
    next_cursor: str | None
    """null on the last page."""


class BundlePatch(Body, frozen=True):
    """What is decided about a bundle; what is not sent stays as it is, null clears."""

    status: Status | UnsetType = UNSET
    """``approved`` makes offers of it, ``paused`` makes no more and keeps those that stand,
    ``withdrawn`` voids them."""
    price: Money | UnsetType | None = UNSET
    """Of the whole bundle. Where none is given, approving takes the suggested one."""
    starts_at: Annotated[datetime, Meta(tz=True)] | UnsetType | None = UNSET
    """When offers begin to be made; null: at once."""
    ends_at: Annotated[datetime, Meta(tz=True)] | UnsetType | None = UNSET
    """From when none is made and none stands; null: never."""
    channels: Annotated[list[Channel], Meta(max_length=20)] | UnsetType | None = UNSET
    """Where it is offered and redeemed; empty or null: everywhere."""
    locations: Annotated[list[Id], Meta(max_length=5000)] | UnsetType | None = UNSET
    budget: Money | UnsetType | None = UNSET
    """All discounts together that may be given; null: without limit."""
    per_customer: Annotated[int, Meta(ge=1, le=1000)] | UnsetType | None = UNSET
    """Offers that one customer may get; null: 1."""
    offer_hours: Annotated[float, Meta(gt=0, le=8784)] | UnsetType | None = UNSET
    """How long an offer stands; null: 168."""
    gives_back: bool | UnsetType | None = UNSET
    """Whether an offer stands again when its order is returned; null: yes."""
    note: Annotated[str, Meta(max_length=2000, pattern=r"^[^\x00]*$")] | UnsetType | None = UNSET
    """For colleagues."""
