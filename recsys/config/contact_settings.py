"""Settings of the contact with customers: caps, consents, holdouts, quiet hours and hand-over.

Sections ``[caps.NAME]``, ``[consents]``, ``[holdouts.NAME]`` and ``[contact]``. Part of
``config.settings``; docs/configuration.md explains them.
"""

from typing import Annotated, Literal

from msgspec import Meta, field

from recsys.config.settings import Settings, Share

#: A time of day.
TimeOfDay = Annotated[
    str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="a time of day such as 21:00")
]


class CapSettings(Settings, frozen=True):
    """How often one product, offer or message may reach one customer, over several channels."""

    times: Annotated[int, Meta(ge=1, le=20)]
    """Showings of one product or offer, or messages, at most."""
    days: Annotated[int, Meta(ge=1, le=90)] = 7
    """Within so many days."""
    calendar: bool = False
    """True: days of the calendar in the customer's time zone, or the workspace's where theirs is
    unknown, today included; otherwise the time before each answer."""
    channels: list[str] = field(default_factory=list)
    """Channels whose showings count, and on which the cap holds; empty: all."""
    of: Literal["product", "offer", "message"] = "product"
    """What is counted: showings of each product, showings of each offer's bundle, or messages."""
    placements: list[str] = field(default_factory=list)
    """Of messages: placements whose messages count, and whose messages the cap holds back; empty:
    all."""


class ConsentSettings(Settings, frozen=True):
    """Whether customers who neither consented nor refused are treated as if they had consented."""

    personalisation: bool = True
    """Whether answers come from their history."""
    marketing: bool = True
    """Whether messages are made for them."""
    profiling: bool = True
    """Whether training learns from their history, and answers come from it."""


class HoldoutSettings(Settings, frozen=True):
    """Customers who are shown nothing, to measure what showing adds."""

    share: Share
    """Share of the customers."""
    channels: list[str] = field(default_factory=list)
    """Channels on which they are shown nothing; empty: all."""
    placements: list[str] = field(default_factory=list)
    """Placements of these channels; empty: all."""


class ContactSettings(Settings, frozen=True):
    """Messages, left carts, and hand-over between channels."""

    quiet_from: TimeOfDay | None = None
    """From this time of day on no message is made; without it, at any time."""
    quiet_until: TimeOfDay | None = None
    """Until this time of day, on the next day where it is the earlier one."""
    lead_hours: Annotated[float, Meta(ge=0, le=720)] = 48.0
    """How long a product that was clicked on one channel leads lists on the others; 0: never."""
    cart_hours: Annotated[float, Meta(ge=0, le=720)] = 1.0
    """A cart counts as left so long after its latest change."""
    cart_days: Annotated[float, Meta(gt=0, le=30)] = 7.0
    """A cart is forgotten so long after its latest change."""
    answer_days: Annotated[float, Meta(gt=0, le=90)] = 14.0
    """How long the answers of mailings and slots are kept, so that a retry gives the same."""
    handover_seconds: Annotated[int, Meta(ge=30, le=3600)] = 300
    """A code that hands a visit over to another device holds so long."""
    handover_url: str = ""
    """Address of the web shop's page that goes on with a visit that was handed over; ``{code}``
    stands for the code. A path alone is one of the service's own, such as the example shop's.
    Empty: QR codes hold the code alone."""


class RotationSettings(Settings, frozen=True):
    """How what was shown and ignored gives way to other products, so that lists change."""

    enabled: bool = True
    """Whether it gives way."""
    decay: Annotated[float, Meta(gt=0, le=1)] = 0.85
    """Factor on the odds of each showing that was just ignored, until training has learned another
    one; 1: none."""
    half_life_days: Annotated[float, Meta(gt=0, le=90)] = 14.0
    """Days after which half of an ignored showing is forgotten."""
    learn: bool = True
    """Whether training learns the decay from what was shown and clicked."""
