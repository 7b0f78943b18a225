"""Settings of the contact with customers: caps, ``[caps.NAME]``, and ``[consents]``.

Part of ``config.settings``; docs/configuration.md explains them.
"""

from typing import Annotated, Literal

from msgspec import Meta, field

from recsys.config.settings import Settings

#: What a customer may consent to.
Purpose = Literal["personalisation", "marketing"]


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
