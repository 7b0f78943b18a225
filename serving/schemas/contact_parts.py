"""Types of parts of answers that come from the contact with a customer.

``requests.deciding`` makes them; tests hold answers to them.
"""

from typing import Annotated

from msgspec import Meta

from recsys.ledger.events import Money
from serving.schemas.base import Body


class Clicked(Body, frozen=True):
    """A click of the customer on another channel."""

    channel: str
    at: str


class LeftLine(Body, frozen=True):
    """One product of a cart that the customer left."""

    item_id: str
    quantity: float
    title: str | None = None
    price: Money | None = None
    url: str | None = None
    image_url: str | None = None


class RemovedItem(Body, frozen=True):
    """A product of an earlier answer that may not be shown any more."""

    item_id: str
    code: Annotated[str, Meta(description="The rule, as in `left_out`.")]


class Rechecked(Body, frozen=True):
    """What the second look at an earlier answer found."""

    decided_at: Annotated[str, Meta(description="When the answer was decided.")]
    removed: list[RemovedItem]
