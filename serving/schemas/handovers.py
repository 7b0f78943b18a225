"""Types of requests and answers that hand a visit over to another device.

``api.handovers`` decodes and makes them; tests hold its answers to them.
"""

from typing import Annotated

from msgspec import Meta

from recsys.ledger.events import Channel, Id, Identifier
from serving.schemas.base import Body
from serving.schemas.contact_parts import LeftLine


class HandoverRequest(Body, frozen=True):
    """Whose visit to hand over: a customer, or a visit with its cart."""

    customer_id: Id | None = None
    identifier: Identifier | None = None
    session_id: Id | None = None


class Handover(Body, frozen=True):
    """A code that hands the visit over, once."""

    code: Annotated[str, Meta(description="To show as a QR code, or to send.")]
    expires_at: str
    url: Annotated[
        str | None,
        Meta(description="Where a phone goes on, by `[contact] handover_url`; null: nowhere yet."),
    ]
    qr: Annotated[
        str,
        Meta(
            description="Drawing of a QR code of the address, or of the code, as `data:` address."
        ),
    ]


class HandoverUse(Body, frozen=True):
    """Where the visit goes on."""

    session_id: Annotated[Id, Meta(description="The visit on the other device.")]
    channel: Annotated[
        Channel,
        Meta(description="On `store_screen` the visit ends 60 seconds after its latest event."),
    ] = "store_screen"


class HandedOver(Body, frozen=True):
    """What was handed over."""

    customer_known: bool
    cart: list[LeftLine]
    ends_after_seconds: Annotated[
        int | None, Meta(description="On a shared device: so long after its latest event.")
    ] = None
