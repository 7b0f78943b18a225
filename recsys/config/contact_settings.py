"""Settings of the contact with customers: caps, ``[caps.NAME]``, and ``[consents]``.

Part of ``config.settings``; docs/configuration.md explains them.
"""

from typing import Annotated

from msgspec import Meta, field

from recsys.config.settings import Settings


class CapSettings(Settings, frozen=True):
    """How often one product may be shown to one customer, over several channels."""

    times: Annotated[int, Meta(ge=1, le=20)]
    """Showings of one product, at most."""
    days: Annotated[int, Meta(ge=1, le=90)] = 7
    """Within so many days."""
    calendar: bool = False
    """True: days of the calendar in the workspace's time zone, today included; otherwise the time
    before each answer."""
    channels: list[str] = field(default_factory=list)
    """Channels whose showings count, and on which the cap holds; empty: all."""


class ConsentSettings(Settings, frozen=True):
    """Whether customers who neither consented nor refused are treated as if they had consented."""

    personalisation: bool = True
    """Whether answers come from their history."""
    marketing: bool = True
    """Whether messages are made for them."""
