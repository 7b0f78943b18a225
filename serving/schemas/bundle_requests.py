"""What callers send about bundles: which ones to list, and what they decide.

JSON or a query comes in; checked structs go out to ``api.bundles``.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType, field

from recsys.bundles import Status
from recsys.ledger.events import Channel, Id, Money
from recsys.recommender.bundles import Show
from serving.schemas.base import Attributes, Body, Lang
from serving.schemas.bundles import Kind


class BundleQuery(Body, frozen=True):
    """Which bundles are wanted."""

    lang: Lang | None = None
    show: Annotated[
        Show,
        Meta(
            description="`worth`: those that are worth a decision, with all that somebody has "
            "decided about; `left_out`: the others; `all`: both."
        ),
    ] = "worth"
    status: Status | None = None
    kind: Kind | None = None
    category: Annotated[
        Id | None, Meta(description="Only bundles with a product of it; as `department`.")
    ] = None
    department: Id | None = None
    item_id: Annotated[Id | None, Meta(description="Only bundles with this product.")] = None
    q: Annotated[
        Annotated[str, Meta(min_length=1, max_length=200)] | None,
        Meta(description="Text in the titles; case does not matter."),
    ] = None
    channel: Annotated[
        Channel | None, Meta(description="Only bundles that hold on this channel by themselves.")
    ] = None
    location_id: Annotated[
        Id | None, Meta(description="Only bundles that are bought at this location.")
    ] = None
    season: Annotated[
        Id | None, Meta(description="Only bundles that hold in this season, as `winter`.")
    ] = None
    segment: Annotated[
        Id | None,
        Meta(
            description="The same for any segment that bundles name, as `region:North`. At most one"
            " of `channel`, `season` and `segment`."
        ),
    ] = None
    min_lift: Annotated[float, Meta(ge=0, le=1e9)] = 0.0
    min_support: Annotated[int, Meta(ge=0, le=2**53)] = 0
    min_margin: Annotated[
        Annotated[int, Meta(ge=-(2**53), le=2**53)] | None,
        Meta(
            description="Least margin that its price is expected to earn (its middle), minor units "
            "a month."
        ),
    ] = None
    pays: Annotated[bool | None, Meta(description="Whether a discount would pay for itself.")] = (
        None
    )
    sort: Annotated[
        Literal["margin", "evidence", "lift", "support", "confidence", "stability", "changed"],
        Meta(
            description="Highest first. `margin`: what its price is expected to earn a month; "
            "`evidence`: how sure it is, and how strong; `confidence`: the highest one "
            "of all directions; `changed`: what was decided last."
        ),
    ] = "margin"
    limit: Annotated[int, Meta(ge=1, le=1000)] = 50
    cursor: Annotated[
        Annotated[str, Meta(max_length=2000)] | None,
        Meta(description="`next_cursor` of the page before."),
    ] = None
    format: Annotated[
        Literal["json", "csv"] | None, Meta(description="As the Accept header says by default.")
    ] = None
    columns: Annotated[
        Literal["all", "short"],
        Meta(description="Of the table: `short` is for people, in words and major units."),
    ] = "all"
    attributes: Annotated[
        Attributes,
        Meta(
            description="What else to say of each product in JSON, as the catalogue names it; `*` "
            "for everything."
        ),
    ] = field(default_factory=list)


class BundlePatch(Body, frozen=True):
    """What is decided about a bundle; what is not sent stays as it is, null clears."""

    status: Annotated[
        Status | UnsetType,
        Meta(
            description="`approved` makes offers of it, `paused` makes no more and keeps those that"
            " stand, `withdrawn` voids them."
        ),
    ] = UNSET
    price: Annotated[
        Money | UnsetType | None,
        Meta(
            description="Of all its products together; of kind `after`, of those that follow the "
            "first. Where none is given, approving takes the suggested one."
        ),
    ] = UNSET
    starts_at: Annotated[
        Annotated[datetime, Meta(tz=True)] | UnsetType | None,
        Meta(description="When offers begin to be made; null: at once."),
    ] = UNSET
    ends_at: Annotated[
        Annotated[datetime, Meta(tz=True)] | UnsetType | None,
        Meta(description="From when none is made and none stands; null: never."),
    ] = UNSET
    channels: Annotated[
        Annotated[list[Channel], Meta(max_length=20)] | UnsetType | None,
        Meta(description="Where it is offered and redeemed; empty or null: everywhere."),
    ] = UNSET
    locations: Annotated[list[Id], Meta(max_length=5000)] | UnsetType | None = UNSET
    budget: Annotated[
        Money | UnsetType | None,
        Meta(description="All discounts together that may be given; null: without limit."),
    ] = UNSET
    per_customer: Annotated[
        Annotated[int, Meta(ge=1, le=1000)] | UnsetType | None,
        Meta(description="Offers that one customer may get; null: 1."),
    ] = UNSET
    offer_hours: Annotated[
        Annotated[float, Meta(gt=0, le=8784)] | UnsetType | None,
        Meta(description="How long an offer stands; null: 168."),
    ] = UNSET
    gives_back: Annotated[
        bool | UnsetType | None,
        Meta(description="Whether an offer stands again when its order is returned; null: yes."),
    ] = UNSET
    note: Annotated[
        Annotated[str, Meta(max_length=2000, pattern=r"^[^\x00]*$")] | UnsetType | None,
        Meta(description="For colleagues."),
    ] = UNSET
