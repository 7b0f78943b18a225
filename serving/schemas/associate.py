"""Types of requests and answers for people who serve customers in a store.

``api.associate`` decodes and makes them; tests hold the answers to them.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta

from recsys.ledger.events import Id, Money
from serving.schemas.base import Body, Lang
from serving.schemas.customer_view import CartItem, CustomerOrders, Viewed
from serving.schemas.customers import Said
from serving.schemas.recommendations import Availability, NearestStore


class Scan(Body, frozen=True):
    """What was scanned or typed."""

    text: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            pattern=r"^[^\x00-\x1f\x7f]+$",
            description="A product's id or bar code; a card, an e-mail address, a phone number, an "
            "order number, an offer's code or a code of `POST /v1/handovers`.",
        ),
    ]
    location_id: Id | None = None
    of: Annotated[
        Literal["item", "customer"] | None,
        Meta(description="What it names; by default a product, where there is one of that code."),
    ] = None
    reason: Annotated[Said, Meta(description="Noted with the look at a customer.")] = ""
    lang: Lang | None = None


class ScannedItem(Body, frozen=True):
    """A product, and where it can be had."""

    item_id: str
    title: str | None
    price: Money | None
    picture: Annotated[str, Meta(description="Address, or a drawing as a `data:` address.")]
    labels: Annotated[list[str], Meta(description="Brand and department.")]
    sold: Annotated[bool, Meta(description="False: it is no longer in the range.")]
    availability: Annotated[
        Availability | None, Meta(description="At the location, and its delivery; null: unknown.")
    ]
    nearby: Annotated[
        list[NearestStore], Meta(description="The nearest other stores that have it.")
    ]
    goes_with: Annotated[
        list[dict[str, Any]],
        Meta(description="As `items` of `/v1/items/{item_id}/bought-together`."),
    ]


class ServedCustomer(Body, frozen=True):
    """What whoever serves a customer has to know."""

    customer_id: str
    personal: Annotated[
        bool,
        Meta(description="False: the customer does not consent to personal recommendations."),
    ]
    messages: Annotated[bool, Meta(description="Whether they consent to messages by e-mail.")]
    orders: CustomerOrders
    cart: list[CartItem]
    views: list[Viewed]


class Scanned(Body, frozen=True):
    """What was found; one of the two."""

    item: ScannedItem | None
    customer: ServedCustomer | None
