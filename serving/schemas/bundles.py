"""Types of answers about bundles: evidence, expected margin, terms and history.

``recsys.recommender.bundles.documents`` makes the answers; tests hold them to these types. Requests
are in ``bundle_requests``.
"""

from typing import Annotated, Literal

from msgspec import Meta, field

from recsys.bundles import Status
from recsys.ledger.events import Channel, Money
from recsys.recommender.bundles import worth
from serving.http import FieldError
from serving.schemas.base import Body

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
    active: Annotated[
        bool,
        Meta(
            description="Whether it may be shown; a bundle with an inactive product is not offered."
        ),
    ]
    url: Annotated[
        str | None, Meta(description="Its page; http or https, and only there where it is known.")
    ] = None
    image_url: Annotated[str | None, Meta(description="A picture of it; as `url`.")] = None
    attributes: Annotated[
        dict[str, str] | None,
        Meta(
            description="What else is known of it: of one bundle everything, in a list what was "
            "asked for."
        ),
    ] = None


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
    discount_share: Annotated[float, Meta(description="Of the full price.")]
    margin_share: Annotated[float, Meta(description="What is left of the price after cost.")]
    break_even_sales: Annotated[
        float | None,
        Meta(
            description="Products that must be sold besides, a month, for the discount to come "
            "back; null where they never can."
        ),
    ]
    low: Annotated[
        float,
        Meta(description="Margin that it adds or loses, minor units a month, as in `Margin`."),
    ]
    middle: float
    high: float


class Pricing(Body, frozen=True):
    """What the bundle could cost, and what that would earn: an estimate.

    The shares, the sales to break even and the expected margin are those of the price that was
    decided, else of the suggested one.
    """

    full_price: Annotated[
        Money,
        Meta(
            description="Of its products one by one; of kind `after`, of those that follow the "
            "first."
        ),
    ]
    suggested_price: Annotated[
        Money | None,
        Meta(description="null where every discount would only make cheaper what sells anyway."),
    ]
    floor_price: Annotated[
        Money, Meta(description="Below it the margin falls under `[bundles] margin_floor`.")
    ]
    discount_share: float
    margin_share: float
    break_even_sales: float | None
    expected_margin: Margin
    sells_anyway: Annotated[
        bool, Meta(description="Whether no discount brings more than it costs.")
    ]
    pays: Annotated[
        bool,
        Meta(
            description="Whether the suggested price pays for itself even by the lowest estimate."
        ),
    ]
    cost_known: Annotated[
        bool,
        Meta(
            description="Whether the costs of all products are known; else what is usual stands for"
            " them."
        ),
    ]
    assumed: Annotated[
        list[str], Meta(description="What the figures assume and no data says, in words.")
    ]
    estimate: Annotated[str, Meta(description="What kind of figures these are, in words.")]


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
    reserved: Annotated[Money | None, Meta(description="Discounts of the offers that stand.")]
    spent: Annotated[Money | None, Meta(description="Discounts that were redeemed.")]


class LeftOut(Body, frozen=True):
    """Why a bundle is not worth a decision."""

    reason: Annotated[
        worth.Reason,
        Meta(
            description="The first that holds. `no_price`: a price is not known, or is in another "
            "currency. `not_sold`: a product is no longer sold. `sells_anyway`: no "
            "discount brings in more than it costs. `may_not_pay`: by the lowest "
            "estimate the suggested price does not pay for itself. `earns_little`: less"
            " than `[bundles] min_month`. `same_category`: two products of one "
            "category, below `same_category_above`. `low_lift`: the lift's low end is "
            "below `min_lift`."
        ),
    ]
    text: Annotated[str, Meta(description="The same in words.")]


class LeftOutCount(LeftOut, frozen=True):
    """How many bundles are left out for a reason."""

    bundles: int


class Bundle(Body, frozen=True):
    """Products that sell together, with the evidence and what was decided about them."""

    bundle_id: Annotated[str, Meta(description="The same in every training.")]
    kind: Annotated[
        Kind,
        Meta(
            description="`together`: in one basket. `after`: the first product some days before the"
            " second."
        ),
    ]
    status: Status
    revision: Annotated[
        int, Meta(description="For `If-Match`; 0: nobody has decided anything yet.")
    ]
    items: list[BundleItem]
    support: Annotated[
        int | None,
        Meta(
            description="Baskets that hold all products; of `after`, customers' purchases of the "
            "first that were followed by the second. Evidence is null where the present"
            " model does not hold the bundle."
        ),
    ]
    support_share: Annotated[float | None, Meta(description="The same as a share of `cases`.")]
    cases: int | None
    customers: Annotated[int | None, Meta(description="Known customers among those of `support`.")]
    confidence: Annotated[Confidence | None, Meta(description="Of pairs only.")]
    completes: Annotated[
        list[float] | None,
        Meta(
            description="For each product, the share of the baskets with all others that hold it "
            "too."
        ),
    ]
    lift: Annotated[
        float | None,
        Meta(description="How many times as often as by chance, for baskets as large as these."),
    ]
    lift_low: float | None
    lift_high: Annotated[float | None, Meta(description="Ends of its 95% interval.")]
    p_value: float | None
    q_value: Annotated[
        float | None,
        Meta(
            description="The smallest share of false discoveries at which it would still be "
            "reported."
        ),
    ]
    stability: Annotated[float | None, Meta(description="Share of the months in which it holds.")]
    complement: Annotated[
        float | None,
        Meta(
            description="How many times as often as by chance customers of its products put them "
            "into one basket; below 1 where they buy one instead of the other."
        ),
    ]
    undiscounted_lift: Annotated[
        float | None, Meta(description="Lift among what was bought without a discount.")
    ]
    segments: list[Segment]
    pricing: Annotated[Pricing | None, Meta(description="null where a price is not known.")]
    terms: BundleTerms
    offers: OfferCounts
    changed_at: str | None
    changed_by: str | None
    in_model: bool
    left_out: Annotated[
        LeftOut | None,
        Meta(
            description="Why it is left out of the list unless asked for; null where it is worth a "
            "decision."
        ),
    ]


class ChannelCounts(Body, frozen=True):
    """Baskets of one channel."""

    channel: str
    baskets: int
    together: Annotated[int, Meta(description="Those that hold all products of the bundle.")]
    items: Annotated[list[int], Meta(description="Those that hold each product.")]


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
    together: Annotated[list[int], Meta(description="Baskets with all products, by month.")]
    items_by_month: Annotated[
        list[list[int]], Meta(description="For each product, its baskets by month.")
    ]
    channels: list[ChannelCounts]
    locations: Annotated[list[LocationCount], Meta(description="Those where it is bought most.")]
    baskets: BasketCounts


class Stock(Body, frozen=True):
    """Where all products lie on the shelf."""

    locations_with_all: int
    locations: Annotated[
        int,
        Meta(
            description="Where it is offered; all whose stock is known, if it is offered "
            "everywhere."
        ),
    ]


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


_Language = Annotated[
    str, Meta(description="Tag of the language of `estimate`, `assumed` and of why it is left out.")
]
_Warnings = Annotated[list[FieldError], Meta(description="As of `Recommendations`.")]


class BundleInFull(Bundle, frozen=True):
    """A bundle with everything that is known of it."""

    lang: _Language
    pricing: Annotated[PricingInFull | None, Meta(description="null where a price is not known.")]
    stock: Annotated[Stock | None, Meta(description="null where no stock is known.")]
    evidence: Annotated[
        Evidence | None, Meta(description="null where the present model does not hold the bundle.")
    ]
    history: Annotated[list[BundleChange], Meta(description="Who changed what, the oldest first.")]
    offers_by_day: Annotated[list[OfferDay], Meta(description="Days without any are left out.")]
    warnings: _Warnings = field(default_factory=list)


class Bundles(Body, frozen=True):
    """One page of bundles."""

    model_version: str
    lang: _Language
    bundles: list[Bundle]
    total: Annotated[int, Meta(description="Bundles that are listed, on all pages.")]
    left_out: Annotated[
        list[LeftOutCount],
        Meta(
            description="How many more fit the query and are left out, by the reason why; none "
            "where they are asked for."
        ),
    ]
    next_cursor: Annotated[str | None, Meta(description="null on the last page.")]
    warnings: _Warnings = field(default_factory=list)
