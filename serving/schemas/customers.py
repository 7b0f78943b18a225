"""Types of requests and answers about single customers.

``api.customers`` decodes and makes them; tests hold its answers to them.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, field

from recsys.config import Purpose
from recsys.ledger.events import Channel
from serving.schemas.base import Body

Said = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class ConsentUpdate(Body, frozen=True):
    """What a customer said about one purpose."""

    purpose: Purpose
    given: Annotated[bool, Meta(description="False: refused or withdrawn.")]
    channel: Annotated[
        Channel | None, Meta(description="Null: on every channel; the later word counts.")
    ] = None
    at: Annotated[
        Annotated[datetime, Meta(tz=True)] | None,
        Meta(description="When it was said, ISO 8601 with an offset; now by default."),
    ] = None
    source: Annotated[Said, Meta(description="Where it was said, for example a form.")] = ""
    version: Annotated[Said, Meta(description="Of the text that was consented to.")] = ""


class ConsentsUpdate(Body, frozen=True):
    """What a customer consents to, and where they live; what is not named stays."""

    consents: Annotated[list[ConsentUpdate], Meta(max_length=50)] = field(default_factory=list)
    time_zone: Annotated[
        Annotated[str, Meta(max_length=64)] | None,
        Meta(
            description="IANA time zone where the customer lives, for quiet hours and days of the "
            "calendar.",
            examples=["Europe/Paris"],
        ),
    ] = None


class ConsentFields(Body, frozen=True):
    """A word of a customer about one purpose."""

    purpose: Purpose
    channel: Annotated[str | None, Meta(description="Null: on every channel.")]
    given: bool
    at: str
    source: str
    version: str


class SaidConsent(ConsentFields, frozen=True):
    """The latest word about one purpose and channel."""


class Consents(Body, frozen=True):
    """What a customer consents to."""

    customer_id: str
    time_zone: str | None
    consents: Annotated[list[SaidConsent], Meta(description="What was said, the latest first.")]
    effective: Annotated[
        dict[str, dict[str, bool]],
        Meta(
            description="Purpose → channel → whether it may be done now, by what was said or, "
            "where nothing was, by `[consents]` of the settings."
        ),
    ]
