"""What a marketer decided about a bundle, and what was promised to a customer because of it.

Records only: ``tracking`` keeps them, the service reads and changes them, answers show them.
"""

from typing import Final, Literal, get_args

import msgspec

Status = Literal["suggested", "approved", "paused", "rejected", "withdrawn"]
STATUSES: Final[tuple[str, ...]] = get_args(Status)
#: Status → those that may follow it. ``paused`` promises nothing more and keeps what was promised;
#: ``withdrawn`` voids it.
NEXT_STATUSES: Final[dict[str, tuple[str, ...]]] = {
    "suggested": ("approved", "rejected"),
    "approved": ("paused", "withdrawn"),
    "paused": ("approved", "withdrawn"),
    "rejected": ("suggested", "approved"),
    "withdrawn": ("approved", "rejected"),
}
OfferState = Literal["standing", "redeemed", "expired", "withdrawn"]


class Terms(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Under which a bundle is offered."""

    status: Status = "suggested"
    price_minor: int | None = None
    """Of all products that it is for, see ``found.offered``; needed once it is approved."""
    currency: str | None = None
    starts_ts: int | None = None
    """UTC epoch seconds from which offers are made; None: at once."""
    ends_ts: int | None = None
    """From which on none is made, and none stands; None: never."""
    channels: tuple[str, ...] = ()
    """Where it may be bought (``pos``, ``web``, …), and so redeemed; empty: everywhere."""
    locations: tuple[str, ...] = ()
    """Stores and warehouses where it may be bought; empty: all."""
    budget_minor: int | None = None
    """All discounts together that may be given; None: without limit."""
    per_customer: int = 1
    """Offers that one customer may get, at least 1."""
    offer_hours: float = 168.0
    """How long an offer stands."""
    gives_back: bool = True
    """Whether an offer stands again when its order is returned."""
    note: str = ""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that a marketer touched."""

    bundle_id: str
    kind: str
    """One of ``BUNDLE_KINDS``."""
    item_ids: tuple[str, ...]
    terms: Terms
    revision: int
    """1 after the first change; what nobody touched has revision 0."""
    changed_ts: int
    changed_by: str


class TermsChange(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the audit trail."""

    bundle_id: str
    revision: int
    changed_ts: int
    changed_by: str
    before: Terms
    after: Terms


class OfferItem(msgspec.Struct, frozen=True):
    """One product of an offer, at its price when the offer was made."""

    item_id: str
    price_minor: int


class Redemption(msgspec.Struct, frozen=True, kw_only=True):
    """Where and when an offer was used."""

    transaction_id: str
    channel: str
    location_id: str | None
    redeemed_ts: int
    discount_minor: int
    """What it took off: the offer's discount, or less where the order's prices were lower."""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle at a price promised to one customer until a time."""

    offer_id: str
    bundle_id: str
    owner: str
    """Whose it is: a customer id, or the own id of a visit."""
    items: tuple[OfferItem, ...]
    price_minor: int
    currency: str
    issued_ts: int
    expires_ts: int
    state: OfferState
    kept_code: str | None = None
    """Its code where an earlier version made it; others follow from the id."""
    redemption: Redemption | None = None

    @property
    def full_price_minor(self) -> int:
        """What its products cost without it."""
        return sum(item.price_minor for item in self.items)

    @property
    def discount_minor(self) -> int:
        """What it takes off."""
        return self.full_price_minor - self.price_minor


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a bundle's offers so far."""

    issued: int = 0
    standing: int = 0
    redeemed: int = 0
    returned: int = 0
    """Times that a redeemed offer was given back."""
    reserved_minor: int = 0
    """Discounts of offers that stand."""
    spent_minor: int = 0
    """Discounts that redeemed offers really gave."""
