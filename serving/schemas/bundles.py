"""What goes over the wire about bundles: their evidence, what they would earn, and decisions.

Answers are made by ``recsys.recommender.bundles.documents`` and held against these types by tests.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType, field

from recsys.bundles import Status
from recsys.ledger.events import Channel, Id, Money
from recsys.recommender.bundles import Show, worth
from serving.schemas.recommendations import Attributes, Body

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
    url: str | None = None
    """Its page; http or https, and only there where it is known."""
    image_url: str | None = None
    """A picture of it; as ``url``."""
    attributes: dict[str, str] | None = None
    """What else is known of it: of one bundle everything, in a list what was asked for."""


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
    """Margin that is added or lost, minor units a month."""

    low: float
    middle: float
    high: float


class PricePoint(Body, frozen=True):
    """What one price would do."""

    price_minor: int
    discount_share: float
    """Of the full price."""
    margin_share: float
    """What is left of the price after cost."""
    break_even_sales: float | None
    """Products that must be sold besides, a month, for the discount to come back; null where they
    never can."""
    low: float
    """Margin that it adds or loses, minor units a month, as in ``Margin``."""
    middle: float
    high: float


class Pricing(Body, frozen=True):
    """What the bundle could cost, and what that would earn: an estimate.

    The shares, the sales to break even and the expected margin are those of the price that was
    decided, else of the suggested one.
    """

    full_price: Money
    """Of its products one by one; of kind ``after``, of those that follow the first."""
    suggested_price: Money | None
    """null where every discount would only make cheaper what sells anyway."""
    floor_price: Money
    """Below it the margin falls under ``[bundles] margin_floor``."""
    discount_share: float
    margin_share: float
    break_even_sales: float | None
    expected_margin: Margin
    sells_anyway: bool
    """Whether no discount brings more than it costs."""
    pays: bool
    """Whether the suggested price pays for itself even by the lowest estimate."""
    cost_known: bool
    """Whether the costs of all products are known; else what is usual stands for them."""
    assumed: list[str]
    """What the figures assume and no data says, in words."""
    estimate: str
    """What kind of figures these are, in words."""


class PricingInFull(Pricing, frozen=True):
    """The same, with every price from the floor up."""

    curve: list[PricePoint]


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


class LeftOut(Body, frozen=True):
    """Why a bundle is not worth a decision."""

    reason: worth.Reason
    """The first that holds. ``no_price``: a price is not known, or is in another currency.
    ``not_sold``: a product is no longer sold. ``sells_anyway``: no discount brings in more than it
    costs. ``may_not_pay``: by the lowest estimate the suggested price does not pay for itself.
    ``earns_little``: less than ``[bundles] min_month``. ``same_category``: two products of one
    category, below ``same_category_above``. ``low_lift``: the lift's low end is below
    ``min_lift``."""
    text: str
    """The same in words."""


class LeftOutCount(LeftOut, frozen=True):
    """How many bundles are left out for a reason."""

    bundles: int


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
    """How many times as often as by chance customers of its products put them into one basket;
    below 1 where they buy one instead of the other."""
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
    left_out: LeftOut | None
    """Why it is left out of the list unless asked for; null where it is worth a decision."""


class ChannelCounts(Body, frozen=True):
    """Baskets of one channel."""

    channel: str
    baskets: int
    together: int
    """Those that hold all products of the bundle."""
    items: list[int]
    """Those that hold each product."""


class LocationCount(Body, frozen=True):
    """Baskets of one location that hold all products."""

    location_id: str | None
    name: str | None
    together: int


class BasketCounts(Body, frozen=True):
    """Baskets that hold each product, and all of them."""

    total: int
    each: list[int]
    all: int


class Evidence(Body, frozen=True):
    """Counts to be drawn; those of products are in the order of ``items``."""

    months: list[Annotated[str, Meta(examples=["2017-01"])]]
    month_baskets: list[int]
    together: list[int]
    """Baskets with all products, by month."""
    items_by_month: list[list[int]]
    """For each product, its baskets by month."""
    channels: list[ChannelCounts]
    locations: list[LocationCount]
    """Those where it is bought most."""
    baskets: BasketCounts


class Stock(Body, frozen=True):
    """Where all products lie on the shelf."""

    locations_with_all: int
    locations: int
    """Where it is offered; all whose stock is known, if it is offered everywhere."""


class DatedTerms(BundleTerms, frozen=True):
    """Terms with the status that they had."""

    status: Status


class BundleChange(Body, frozen=True):
    """One line of the audit trail."""

    revision: int
    changed_at: str
    changed_by: str
    before: DatedTerms
    after: DatedTerms


class OfferDay(Body, frozen=True):
    """Offers of one day, UTC."""

    day: str
    issued: int
    redeemed: int


class BundleInFull(Bundle, frozen=True):
    """A bundle with everything that is known of it."""

    pricing: PricingInFull | None
    stock: Stock | None
    """null where no stock is known."""
    evidence: Evidence | None
    """null where the present model does not hold the bundle."""
    history: list[BundleChange]
    """Who changed what, the oldest first."""
    offers_by_day: list[OfferDay]
    """Days without any are left out."""


class BundleQuery(Body, frozen=True):
    """Which bundles are wanted."""

    show: Show = "worth"
    """``worth``: those that are worth a decision, with all that somebody has decided about;
    ``left_out``: the others; ``all``: both."""
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
    min_lift: Annotated[float, Meta(ge=0, le=1e9)] = 0.0
    min_support: Annotated[int, Meta(ge=0, le=2**53)] = 0
    min_margin: Annotated[int, Meta(ge=-(2**53), le=2**53)] | None = None
    """Least margin that its price is expected to earn (its middle), minor units a month."""
    pays: bool | None = None
    """Whether a discount would pay for itself."""
    sort: Literal["margin", "evidence", "lift", "support", "confidence", "stability", "changed"] = (
        "margin"
    )
    """Highest first. ``margin``: what its price is expected to earn a month; ``evidence``: how sure
    it is, and how strong; ``confidence``: the highest one of all directions; ``changed``: what was
    decided last."""
    limit: Annotated[int, Meta(ge=1, le=1000)] = 50
    cursor: Annotated[str, Meta(max_length=2000)] | None = None
    """``next_cursor`` of the page before."""
    format: Literal["json", "csv"] | None = None
    """As the Accept header says by default."""
    columns: Literal["all", "short"] = "all"
    """Of the table: ``short`` is for people, in words and major units."""
    attributes: Attributes = field(default_factory=list)
    """What else to say of each product in JSON, as the catalogue names it; ``*`` for everything."""


class Bundles(Body, frozen=True):
    """One page of bundles."""

    model_version: str
    bundles: list[Bundle]
    total: int
    """Bundles that are listed, on all pages."""
    left_out: list[LeftOutCount]
    """How many more fit the query and are left out, by the reason why; none where they are asked
    for."""
    next_cursor: str | None
    """null on the last page."""


class BundlePatch(Body, frozen=True):
    """What is decided about a bundle; what is not sent stays as it is, null clears."""

    status: Status | UnsetType = UNSET
    """``approved`` makes offers of it, ``paused`` makes no more and keeps those that stand,
    ``withdrawn`` voids them."""
    price: Money | UnsetType | None = UNSET
    """Of all its products together; of kind ``after``, of those that follow the first. Where none
    is given, approving takes the suggested one."""
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
