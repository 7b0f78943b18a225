"""What an answer shows to one customer, as the ledger takes it, and what of it may be shown.

Made by the service; read by ``contacts``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from recsys.config import CapSettings
from recsys.decisions import Arm, ChoicesOf, ContactState, Reservation
from recsys.ledger.customers.identity_lookup import session_own_id


def slot_key(mailing_id: str | None, placement: str, slot: str | None) -> str:
    """Return the key under which an answer is kept; empty where it is not.

    Parameters
    ----------
    mailing_id : str or None
    placement : str
    slot : str or None
        Of several answers for one customer in a mailing, or on a page.
    """
    if mailing_id is None and slot is None:
        return ""
    return "\x1f".join((placement, mailing_id or "", slot or ""))


class StoredContact(NamedTuple):
    """The contact with a customer as it was read, over all identifiers."""

    state: ContactState = ContactState()
    own: ContactState | None = None
    """What is stored of it under the customer's present id; None where nothing is."""
    packed: bytes = b""
    """``own`` as it is stored."""
    forgotten_ts: int | None = None
    """From when ``own`` ages, UTC epoch seconds; None where it stays."""


class Showing(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer shows to one customer."""

    customer_id: str = ""
    """A current customer; empty for a visit before a login."""
    session_id: str | None = None
    """The visit, sealed."""
    recommendation_id: str = ""
    channel: str
    at_ts: int
    item_ids: tuple[str, ...]
    offer_ids: tuple[str, ...] = ()
    """Bundles of its offers."""
    arms: tuple[Arm, ...] = ()
    """Arms of holdouts that the customer was assigned to by this answer."""
    reservation: Reservation | None = None
    """Without its products; None where all is shown at once, on a page."""
    slot: str = ""
    """As ``slot_key`` gives it; empty: the answer is not kept."""
    written: Callable[[Sequence[str], Sequence[str]], bytes] | None = None
    """Writes the answer that is kept, as JSON, with these products and bundles only."""
    seen: StoredContact | None = None
    """The contact that the answer was made with: while it is as stored, writing is quick."""
    within_caps: bool = False
    """Whether what ``seen`` rules out as of ``at_ts`` was left out already."""
    uncapped: tuple[str, ...] = ()
    """Products to which caps do not apply now, with the others of their choices."""

    @property
    def visit_id(self) -> str:
        """The visit in the form of a customer id; empty without one."""
        return "" if self.session_id is None else session_own_id(self.session_id)


class KeptAnswer(NamedTuple):
    """The answer of a mailing or slot, as it was decided."""

    recommendation_id: str
    decided_ts: int
    answer: bytes
    """JSON."""


class Shown(NamedTuple):
    """What of a showing may be shown, and counts."""

    item_ids: list[str]
    offer_ids: list[str]
    cap: str | None = None
    """The cap that holds a message back; then nothing is shown."""
    displaced: tuple[str, ...] = ()
    """``recommendation_id`` of messages that gave way."""
    kept: KeptAnswer | None = None
    """The answer that was given before, which is to be given again; then nothing counts anew."""


class CapRules(NamedTuple):
    """What is shown how often."""

    caps: Mapping[str, CapSettings]
    zone: str
    """IANA time zone of customers whose own is unknown."""
    choices_of: ChoicesOf = list
    keep_days: int = 0
    """For so long showings are remembered at least, whatever caps count; up to ``MAX_DAYS``."""
