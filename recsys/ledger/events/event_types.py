"""Event types that channels report: GA4-style events, checked, with hashed identifiers.

The service decodes a request into ``Event`` and seals it; the ledger stores only sealed events, and
the ingest reads them back. Names and fields are those of GA4's e-commerce events, so that shops can
send the events they already have.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct, field

from recsys.config import IdentitySettings
from recsys.identity import KeyedHash, is_blocked
from recsys.ledger.events.placeholders import item_fault, number_fault
from recsys.values import is_no_id

#: Ids are texts of up to 200 characters without control characters.
Id = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Text = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")]
CurrencyCode = Annotated[
    str, Meta(pattern="^[A-Z]{3}$", description="an ISO 4217 code such as EUR")
]
Amount = Annotated[float, Meta(ge=-1e9, le=1e9)]

EventName = Literal[
    "view_item",
    "view_item_list",
    "select_item",
    "view_promotion",
    "select_promotion",
    "add_to_wishlist",
    "add_to_cart",
    "remove_from_cart",
    "view_cart",
    "begin_checkout",
    "purchase",
    "refund",
    "login",
    "dismiss",
    "undo_dismiss",
    "email_sent",
    "email_failed",
    "email_opened",
    "email_clicked",
]
Channel = Literal["pos", "web", "app", "email", "store_screen", "associate", "marketplace"]

#: Channels where order numbers are unique per store only.
IN_STORE: Final = ("pos", "store_screen", "associate")
_OF_CARTS: Final = ("add_to_wishlist", "add_to_cart", "remove_from_cart")
#: What customers are not interested in, and what they want to see again.
REFUSALS: Final = ("dismiss", "undo_dismiss")
#: What became of a message.
OF_MESSAGES: Final = ("email_sent", "email_failed", "email_opened", "email_clicked")
#: Events that require items.
_NEED_ITEMS: Final = ("view_item", "purchase", *_OF_CARTS, *REFUSALS)


class Wire(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Base of HTTP request bodies: frozen; unknown fields are errors."""


class Money(Wire, frozen=True):
    """An amount in minor units (cents) of a currency."""

    amount_minor: Annotated[int, Meta(ge=-(2**53), le=2**53)]
    currency: CurrencyCode


class Identifier(Wire, frozen=True):
    """Identifies the customer in one system: a card, an e-mail, a phone, a device."""

    type: Annotated[
        str,
        Meta(
            pattern="^[a-z][a-z0-9_]{0,63}$",
            description="a name of lower-case letters, digits and `_`, such as `email`",
            examples=["email"],
        ),
    ]
    value: Annotated[
        str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00]+$", examples=["ada@example.org"])
    ]


class EventItem(Wire, frozen=True):
    """One product of an event. Fields after ``price`` are stored and not used."""

    item_id: Id
    quantity: Annotated[float, Meta(gt=0, le=1e6)] = 1.0
    price: Annotated[
        Money | Amount | None,
        Meta(
            description="Of one, after discount: a decimal number in the event's currency as in "
            "GA4, or minor units."
        ),
    ] = None
    discount: Amount | None = None
    coupon: Text | None = None
    location_id: Id | None = None
    index: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None
    item_name: Text | None = None
    item_brand: Text | None = None
    item_category: Text | None = None
    item_category2: Text | None = None
    item_category3: Text | None = None
    item_category4: Text | None = None
    item_category5: Text | None = None
    item_variant: Text | None = None
    item_list_id: Text | None = None
    item_list_name: Text | None = None
    affiliation: Text | None = None
    promotion_id: Text | None = None
    promotion_name: Text | None = None
    creative_name: Text | None = None
    creative_slot: Text | None = None


class Event(Wire, frozen=True):
    """One event, with an id that the sender chooses."""

    event_id: Annotated[Id, Meta(description="Sent twice under one id, it counts once.")]
    event: EventName
    occurred_at: Annotated[datetime, Meta(tz=True, description="ISO 8601 with an offset or `Z`.")]
    customer_id: Annotated[
        Id | None, Meta(description="One of `customer_id` and `identifier`, or neither.")
    ] = None
    identifier: Identifier | None = None
    session_id: Annotated[
        Id | None,
        Meta(description="The visit. With a name, the visit is that customer's from then on."),
    ] = None
    channel: Channel = "web"
    location_id: Annotated[Id | None, Meta(description="The store, or the warehouse.")] = None
    transaction_id: Annotated[
        Id | None,
        Meta(
            description="The order's number, as the order export has it. Needed for `purchase` and "
            "`refund`."
        ),
    ] = None
    currency: Annotated[
        CurrencyCode | None,
        Meta(description="Of prices that are plain numbers; the workspace's by default."),
    ] = None
    items: Annotated[list[EventItem], Meta(max_length=500)] = field(default_factory=list)
    extent: Annotated[
        Literal["item", "category"], Meta(description="Of a refusal: or all of their categories.")
    ] = "item"
    recommendation_id: Annotated[Id | None, Meta(description="Of the answer that led here.")] = None
    placement: Id | None = None
    value: Amount | None = None
    tax: Amount | None = None
    shipping: Amount | None = None
    coupon: Text | None = None
    payment_type: Text | None = None
    shipping_tier: Text | None = None
    affiliation: Text | None = None
    method: Text | None = None
    item_list_id: Text | None = None
    item_list_name: Text | None = None
    promotion_id: Text | None = None
    promotion_name: Text | None = None
    creative_name: Text | None = None
    creative_slot: Text | None = None

    @property
    def occurred_ts(self) -> int:
        """Time of the event, UTC epoch seconds."""
        return int(self.occurred_at.timestamp())

    @property
    def scope(self) -> str:
        """The scope in which ``transaction_id`` is unique: a store, or all online channels."""
        return scope_of(self.channel, self.location_id)


def scope_of(channel: str, location_id: str | None) -> str:
    """Return the scope in which an order number is unique: a store, or all online channels.

    Parameters
    ----------
    channel : str
        One of ``CHANNELS``.
    location_id : str or None
        Of the order; counts in stores only.
    """
    return (location_id or "store") if channel in IN_STORE else "online"


def order_id(scope: str, transaction_id: str) -> str:
    """Return the ``order_id`` of a live order until it is exported."""
    return f"live:{scope}:{transaction_id}"


def order_ids(scope: str, transaction_id: str, systems: Sequence[str]) -> list[str]:
    """Return every ``order_id`` that an order may have: as each system exports it, then live.

    Parameters
    ----------
    scope : str
        Of ``scope_of``.
    transaction_id : str
        The order's number.
    systems : sequence of str
        Names of the systems that export orders.
    """
    return [*(f"{system}:{transaction_id}" for system in systems), order_id(scope, transaction_id)]


def faults(event: Event) -> Iterator[tuple[str, str]]:
    """Yield the faults of an event beyond the types of its fields.

    Parameters
    ----------
    event : Event
        As received, not yet sealed.

    Yields
    ------
    (str, str)
        JSON pointer into the event, and the remedy.
    """
    if event.customer_id is not None and event.identifier is not None:
        yield "/customer_id", "give `customer_id` or `identifier`, not both."
    if event.event in ("purchase", "refund") and event.transaction_id is None:
        yield "/transaction_id", f"a `{event.event}` needs the order's number."
    if event.event in ("purchase", "refund") and event.transaction_id is not None:
        fault = number_fault(event.transaction_id)
        if fault is not None:
            yield "/transaction_id", fault
    if is_no_id(event.event_id):
        yield "/event_id", f"`{event.event_id}` is a placeholder. Send an id of the event's own."
    for ix, item in enumerate(event.items):
        fault = item_fault(item.item_id)
        if fault is not None:
            yield f"/items/{ix}/item_id", fault
        if event.event in ("purchase", "refund") and _is_negative(item.price):
            yield f"/items/{ix}/price", "is below zero. Send prices after discount, not discounts."
    if event.event in _NEED_ITEMS and not event.items:
        yield "/items", f"`{event.event}` needs at least one item."
    named = event.customer_id is not None or event.identifier is not None
    if event.event in REFUSALS and not named and event.session_id is None:
        yield "/session_id", f"a `{event.event}` needs the customer or the visit that it is of."
    if event.event in OF_MESSAGES and event.recommendation_id is None:
        yield (
            "/recommendation_id",
            f"an `{event.event}` needs the recommendation_id of the answer that was mailed.",
        )
    if event.event == "login":
        if event.session_id is None:
            yield "/session_id", "a `login` needs the session it happened in."
        if event.customer_id is None and event.identifier is None:
            yield "/identifier", "a `login` needs a `customer_id` or an `identifier`."


def _is_negative(price: Money | float | None) -> bool:
    """Return whether a price would make a sale of a refund, or the reverse."""
    amount = price.amount_minor if isinstance(price, Money) else price
    return amount is not None and amount < 0


_RULES: Final = IdentitySettings()


def seal(event: Event, keyed_hash: KeyedHash, settings: IdentitySettings = _RULES) -> Event:
    """Hash personal data and convert times to UTC, so that the event may be stored.

    Identifiers and session ids that are placeholders or blocked are dropped.

    Parameters
    ----------
    event : Event
    keyed_hash : KeyedHash
        The workspace's keyed hash.
    settings : IdentitySettings
        ``blocked`` has the workspace's patterns of blocked identifiers.
    """
    identifier = event.identifier
    if identifier is not None:
        identifier = seal_identifier(identifier, keyed_hash, settings)
    session_id = event.session_id
    if session_id is not None:
        session_id = seal_session(session_id, keyed_hash)
    return msgspec.structs.replace(
        event,
        identifier=identifier,
        session_id=session_id,
        occurred_at=event.occurred_at.astimezone(UTC),
    )


def seal_identifier(
    identifier: Identifier, keyed_hash: KeyedHash, settings: IdentitySettings = _RULES
) -> Identifier | None:
    """Hash an identifier; None if a rule blocks it, as in the ingest.

    Parameters
    ----------
    identifier : Identifier
        As a channel reports it.
    keyed_hash : KeyedHash
        The workspace's keyed hash.
    settings : IdentitySettings
        ``blocked`` has the workspace's patterns of blocked identifiers; none by default.

    Returns
    -------
    Identifier or None
        Hashed, unless its type is one of ``keyed_hash.plain``.
    """
    kind, value = identifier.type, identifier.value
    if is_blocked(kind, value, settings, keyed_hash.country):
        return None
    stored = keyed_hash.identifier(kind, value)
    return Identifier(type=kind, value=stored) if stored else None


def seal_session(session_id: str, keyed_hash: KeyedHash) -> str | None:
    """Hash the id of a visit; None if it is blank or a placeholder.

    Parameters
    ----------
    session_id : str
        As a channel reports it.
    keyed_hash : KeyedHash
        The workspace's keyed hash.

    Returns
    -------
    str or None
    """
    return None if is_no_id(session_id) else keyed_hash.identifier("session", session_id)


def stored_id(event_id: str, page: bool) -> str:
    """Return the id under which an event is stored.

    Pages have their own id space, so that a reader of a page's key cannot occupy an id that a
    server will send. The separator is a character that senders' ids cannot contain.
    """
    return f"page\x1f{event_id}" if page else event_id


def encode(event: Event) -> bytes:
    """Encode a sealed event for the ledger; equal events give equal bytes."""
    return msgspec.json.encode(event)


_decoder = msgspec.json.Decoder(Event)


def decode(body: bytes) -> Event:
    """Read a stored event."""
    return _decoder.decode(body)


def read(body: bytes) -> Event | None:
    """Read a stored event; None if this version does not know it."""
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None


def digest(body: bytes) -> bytes:
    """Return a 16-byte digest of a body."""
    return hashlib.blake2b(body, digest_size=16).digest()
