"""What a back office sends between two exports: products, stock and locations.

``api.backoffice`` decodes requests into these types and encodes ``UpdateAnswer``.
"""

from typing import Annotated, Literal

from msgspec import Meta

from recsys.ledger.events import Id, Money
from recsys.values import MOST_DAYS
from serving.schemas.base import Body, Label

#: The value of an attribute.
AttributeValue = (
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
    active: Annotated[bool | None, Meta(description="False: it is shown no more.")] = None
    department: Label | None = None
    category: Label | None = None
    brand: Label | None = None
    parent_id: Annotated[Id | None, Meta(description="The product that it is a variant of.")] = None
    attributes: Annotated[
        Annotated[dict[Label, AttributeValue | None], Meta(max_length=64)] | None,
        Meta(
            description="What else is to be said of it, by name: texts, numbers or true and false; "
            "null: nothing any more. `url` and `image_url` are addresses by http or "
            "https; `age_restriction` is a minimum age; `delivery_days` is in how many days it is "
            "delivered, wherever it comes from. Names that are not sent stay as they are."
        ),
    ] = None


class ItemsUpdate(Body, frozen=True):
    """What changed about products."""

    items: Annotated[list[ItemUpdate], Meta(min_length=1, max_length=5000)]


class StockRow(Body, frozen=True):
    """How many of a product a location has."""

    location_id: Id
    item_id: Id
    on_hand: Annotated[float, Meta(ge=0, le=1e9)]
    reserved: Annotated[
        Annotated[float, Meta(ge=0, le=1e9)] | None,
        Meta(
            description="Of these, how many are put aside: for orders that wait to be collected, "
            "for instance. They cannot be sold. Without it none are known to be, whatever was said "
            "before."
        ),
    ] = None


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
    latitude: Annotated[
        Annotated[float, Meta(ge=-90, le=90)] | None,
        Meta(description="Decimal degrees; together with `longitude`."),
    ] = None
    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None
    ships: Annotated[
        bool | None,
        Meta(description="Whether customers get goods sent from here; true by `delivery_days`."),
    ] = None
    delivery_days: Annotated[
        Annotated[int, Meta(ge=0, le=MOST_DAYS)] | None,
        Meta(description="Days from an order to its delivery from here."),
    ] = None


class LocationsUpdate(Body, frozen=True):
    """Stores and warehouses."""

    locations: Annotated[list[LocationUpdate], Meta(min_length=1, max_length=5000)]


class UpdateAnswer(Body, frozen=True):
    """What became of an update."""

    received: int
    changed: Annotated[int, Meta(description="Records that said something new.")]
    unchanged: Annotated[int, Meta(description="Records that said what was known.")]
    not_in_model: Annotated[
        int,
        Meta(
            description="Products that the present model does not know; they are shown from the "
            "next training on."
        ),
    ]
    not_in_model_ids: Annotated[list[str], Meta(description="The first of them.")]
