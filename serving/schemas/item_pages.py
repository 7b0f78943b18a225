"""Types of the query and the answer for the page of one product.

``api.items`` decodes the query into ``PageQuery`` and answers in the shape of ``Page``; tests hold
its answers to that type.
"""

from typing import Annotated, Literal

from msgspec import Meta, field

from recsys.ledger.events import Id, Money
from serving.http import FieldError
from serving.schemas.base import Attributes, Body, Count, FilterDocument, Lang
from serving.schemas.reasons import AnyHeading
from serving.schemas.recommendations import AppliedRule, Availability


class PageQuery(Body, frozen=True):
    """What to show beside a product."""

    count: Annotated[
        Count | None, Meta(description="By default that of the placement; 10 without one.")
    ] = None
    placement: Annotated[
        str | None,
        Meta(
            description="The placement that the page belongs to: its rules, its filter, its stock "
            "settings and its `age_restricted` hold. Without it, none do."
        ),
    ] = None
    lang: Lang | None = None
    location_id: Annotated[
        Id | None, Meta(description="The store or warehouse that the customer would buy from.")
    ] = None
    exclude: Annotated[
        list[Id], Meta(max_length=1000, description="Products that must not be shown.")
    ] = field(default_factory=list)
    filter: Annotated[FilterDocument | None, Meta(description="What products must be.")] = None
    attributes: Annotated[
        Attributes,
        Meta(
            description="What else to say of each product, as the catalogue names it; `*` for "
            "everything."
        ),
    ] = field(default_factory=list)
    age_restricted: Annotated[
        bool,
        Meta(
            description="Whether goods with a minimum age may be listed; not together with "
            "`placement`, which decides it itself."
        ),
    ] = False


class PageItem(Body, frozen=True):
    """One product to show beside another one."""

    item_id: str
    rank: int
    because: Annotated[
        Literal["bought_together", "similar", "popular", "pinned"],
        Meta(
            description="What it is there for; another one than was asked for where there is a "
            "`fallback`. `pinned`: only a rule of the placement brought it here."
        ),
    ]
    evidence: Annotated[
        dict[str, float | int | bool] | None,
        Meta(
            description="Bought together: `support` (baskets with both), `confidence` (share of the"
            " product's baskets that hold this one), `lift` (how many times as often as"
            " by chance). Similar: `likeness` (0 to 1), `title` (that of the titles), "
            "`same_category`, `same_brand`, `variant` (the same thing in another size)."
            " Popular and pinned: null."
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
    lang: Annotated[str, Meta(description="Tag of the language of `heading`.")]
    item: Annotated[PageProduct, Meta(description="The product of the page.")]
    heading: Annotated[
        AnyHeading | None,
        Meta(description="What may be written over the list; null over an empty one."),
    ]
    items: Annotated[
        list[PageItem],
        Meta(description="Shorter than asked where rules leave too little, or no more is known."),
    ]
    fallback: Annotated[
        Literal["bought_together", "similar", "popular"] | None,
        Meta(description="What was used where nothing is known of what was asked for."),
    ]
    left_out: Annotated[dict[str, int], Meta(description="How many products each rule kept out.")]
    rules: Annotated[
        list[AppliedRule],
        Meta(description="Rules of the placement that held; there only where one did."),
    ] = field(default_factory=list)
    warnings: Annotated[list[FieldError], Meta(description="As of `Recommendations`.")] = field(
        default_factory=list
    )
