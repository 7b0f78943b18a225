"""Types of the request and the answer for reported events.

One event is ``recsys.ledger.events.Event``. ``api.events`` decodes requests into
``Events`` and encodes ``EventsAnswer``.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from serving.http import FieldError
from serving.schemas.base import Body


class Events(Body, frozen=True):
    """Up to 1,000 events; each is judged for itself."""

    events: Annotated[
        list[msgspec.Raw],
        Meta(min_length=1, max_length=1000, description="See the schema `Event`."),
    ]


class EventOutcome(Struct, frozen=True, omit_defaults=True):
    """What became of one event."""

    event_id: str | None
    status: Literal["accepted", "duplicate", "refused"]
    detail: str | None = None
    problem: Annotated[
        dict[str, Any] | None, Meta(description="Problem details, where it was refused.")
    ] = None
    warnings: Annotated[
        list[FieldError],
        Meta(
            description="What is probably wrong with it, although it was taken; pointers into the "
            "request."
        ),
    ] = []


class EventsAnswer(Body, frozen=True):
    """What became of each event, in the order sent."""

    accepted: int
    duplicate: int
    refused: int
    events: list[EventOutcome]
