"""What an answer reserved: showings and messages that count before anybody reports them.

In: what was decided, and reports that it was sent, seen or failed, in any order. Out: the next
reservations, and which products count as shown when. Called by ``contact_state``.
"""

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

#: Messages that are kept of one customer, and reservations of pages; beyond, the oldest go.
MAX_MESSAGES: Final = 100
MAX_OF_PAGES: Final = 30

Counts = Literal["decided", "sent", "seen"]


class Reservation(msgspec.Struct, frozen=True, array_like=True):
    """What one answer shows to a customer, from the decision to the report."""

    recommendation_id: str
    placement: str
    channel: str
    decided_ts: int
    """UTC epoch seconds."""
    send_ts: int
    """When a message is to go out; of a page when it was decided. UTC epoch seconds."""
    until_ts: int
    """Without a report it counts until then. UTC epoch seconds."""
    item_ids: tuple[str, ...] = ()
    offer_ids: tuple[str, ...] = ()
    """Bundles of the offers that it shows."""
    message: bool = False
    """Whether it is a message, not a page."""
    counts: Counts = "decided"
    """What makes its showings count for good."""
    priority: int = 50
    state: Literal["reserved", "sent", "failed", "displaced"] = "reserved"
    """``displaced``: a message of a higher priority took its place before it was sent."""
    shown_ts: int | None = None
    """When its products count as shown; None while they are only reserved."""

    def holds(self, now_ts: int) -> bool:
        """Return whether its showings are reserved, neither reported nor given up.

        Parameters
        ----------
        now_ts : int
            UTC epoch seconds.
        """
        reserved = self.state in ("reserved", "sent") and self.shown_ts is None
        return reserved and self.decided_ts <= now_ts < self.until_ts

    def is_a_message(self, now_ts: int) -> bool:
        """Return whether it counts as a message that goes to the customer.

        Parameters
        ----------
        now_ts : int
            UTC epoch seconds.
        """
        if not self.message or self.state in ("failed", "displaced"):
            return False
        certain = self.state == "sent" or self.counts == "decided"
        return certain or now_ts < self.until_ts

    def gives_way(self, now_ts: int) -> bool:
        """Return whether it may be displaced: it is known not to be sent yet.

        From ``send_ts`` on it may be on its way, although nobody has reported that.

        Parameters
        ----------
        now_ts : int
            UTC epoch seconds.
        """
        unsent = self.message and self.state == "reserved" and self.counts != "decided"
        return unsent and now_ts < self.send_ts


def bounded(reservations: Iterable[Reservation], since_ts: int) -> tuple[Reservation, ...]:
    """Return reservations newest first, without those that nothing depends on any more.

    Parameters
    ----------
    reservations : iterable of Reservation
        The last of each ``recommendation_id`` is kept.
    since_ts : int
        Messages sent before, and reservations of pages that ended before, go. UTC epoch seconds.
    """
    kept = {each.recommendation_id: each for each in reservations}
    newest = sorted(kept.values(), key=lambda one: (-one.decided_ts, one.recommendation_id))
    room = {True: MAX_MESSAGES, False: MAX_OF_PAGES}
    left = []
    for one in newest:
        if (one.send_ts if one.message else one.until_ts) >= since_ts and room[one.message]:
            room[one.message] -= 1
            left.append(one)
    return tuple(left)
