"""Types of the queries and the answers about products: finding them, and one in full.

``api.products`` decodes the queries and answers in these shapes; tests hold its answers to them.
"""

from typing import Annotated

from msgspec import Meta, field

from recsys.ledger.events import Id, Money
from serving.http import FieldError
from serving.schemas.base import Attributes, Body, Count, FilterDocument
from serving.schemas.recommendations import Availability

_WHERE = "The store or warehouse that the customer would buy from."
_MORE = "What else to say of each product, as the catalogue names it; `*` for everything."


class ProductQuery(Body, frozen=True):
    """Which product to tell of, and where somebody is."""

    location_id: Annotated[Id | None, Meta(description=_WHERE)] = None
    stores: Annotated[
        int, Meta(ge=0, le=200, description="How many other stores that can sell it to name.")
    ] = 3
    attributes: Annotated[Attributes, Meta(description=_MORE)] = field(default_factory=list)


class SearchQuery(Body, frozen=True):
    """Which products to find."""

    q: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            description="Words that words of the title, the brand or the category begin with; or "
            "the id or the GTIN of a product, as a scanner reads it.",
            examples=["choc milk"],
        ),
    ]
    count: Count = 10
    placement: Annotated[
        str | None,
        Meta(
            description="The placement that the search belongs to: its filter, what its rules "
            "exclude, its `scarce_below` and its `age_restricted` hold. Without it, none do."
        ),
    ] = None
    location_id: Annotated[Id | None, Meta(description=_WHERE)] = None
    in_stock: Annotated[
        bool,
        Meta(
            description="Whether only what the location can sell; without one, what any can. "
            "Products whose stock is unknown stay."
        ),
    ] = False
    filter: Annotated[FilterDocument | None, Meta(description="What products must be.")] = None
    attributes: Annotated[Attributes, Meta(description=_MORE)] = field(default_factory=list)
    age_restricted: Annotated[
        bool,
        Meta(
            description="Whether goods with a minimum age may be found; not together with "
            "`placement`, which decides it itself."
        ),
    ] = False


class CatalogueItem(Body, frozen=True, kw_only=True):
    """What the catalogue says of a product; null is unknown."""

    item_id: str
    title: str | None
    brand: str | None
    category: str | None
    department: str | None
    price: Money | None
    age_restricted: Annotated[bool, Meta(description="Whether it has a minimum age.")]
    minimum_age: Annotated[
        int | None, Meta(description="Years; there only where they are known.")
    ] = None
    availability: Availability | None
    url: Annotated[
        str | None, Meta(description="Its page; http or https, and only there where it is known.")
    ] = None
    image_url: Annotated[str | None, Meta(description="A picture of it; as `url`.")] = None
    attributes: Annotated[
        dict[str, str] | None, Meta(description="What was asked for, as far as it is known.")
    ] = None


class FoundItem(CatalogueItem, frozen=True, kw_only=True):
    """A product that was found."""

    rank: int


class FoundItems(Body, frozen=True):
    """The products that were found, the best match first."""

    model_version: str
    total: Annotated[int, Meta(description="How many were found, those beyond `count` too.")]
    items: list[FoundItem]
    left_out: Annotated[
        dict[str, int],
        Meta(description="How many of those that the words fit each rule kept out."),
    ]
    warnings: Annotated[list[FieldError], Meta(description="As of `Recommendations`.")] = field(
        default_factory=list
    )


class StoreStock(Body, frozen=True):
    """A store that can sell a product."""

    location_id: str
    on_hand: float
    name: str | None = None
    km: Annotated[
        float | None,
        Meta(description="Great-circle distance; missing where either does not say where it is."),
    ] = None
    reserved: float | None = None
    sellable: float | None = None


class Product(CatalogueItem, frozen=True, kw_only=True):
    """One product."""

    model_version: str
    active: Annotated[bool, Meta(description="Whether it is still sold.")]
    stores: Annotated[
        list[StoreStock],
        Meta(
            description="Other stores that are known to be able to sell it: the nearest first, "
            "where distances are known, then those that have most."
        ),
    ]
    n_stores: Annotated[int, Meta(description="How many such stores there are.")]
