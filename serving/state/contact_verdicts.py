"""What the rules of contact are asked about, and what they find.

Made by the routes, and returned by ``contact_policy``.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from recsys.config import PlacementSettings
from recsys.decisions import MESSAGES, Arm, CartLine, HeldMessage
from recsys.ledger.customers import KeptAnswer


def is_message(settings: PlacementSettings) -> bool:
    """Return whether an answer goes to the customer, who must consent to it."""
    return settings.channel in MESSAGES and not settings.service


class Moment(NamedTuple):
    """What is asked for, when, and where the customer may be."""

    placement: str
    settings: PlacementSettings
    recommendation_id: str
    as_of_ts: int
    """UTC epoch seconds."""
    send_ts: int
    """When a message is to go out, UTC epoch seconds."""
    zones: tuple[str, ...]
    """IANA time zones where the customer may be, if theirs is unknown; of messages."""
    cart: tuple[tuple[str, float], ...] | None = None
    """Products and quantities of a cart that the request names."""


class Verdict(NamedTuple):
    """Whether something may be shown to a customer at all."""

    held: HeldMessage | None = None
    """Why a message does not go out; None where it does, or it is none."""
    held_out: str | None = None
    """The holdout, on a page; nothing is shown."""
    arms: tuple[Arm, ...] = ()
    """Arms of holdouts that the customer was assigned to just now."""
    left_cart: tuple[CartLine, ...] = ()
    """What the customer left in the cart, where the placement asks for it."""


NO_OBJECTION: Final = Verdict()


class Noted(NamedTuple):
    """What became of an answer when it was written down."""

    taken_out: Sequence[str] = ()
    """Products of which a cap was reached meanwhile."""
    cap: str | None = None
    """The cap that holds a message back."""
    kept: KeptAnswer | None = None
    """The answer that was given in its slot before, to be given again."""
