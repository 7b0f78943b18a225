"""Turns requests into questions for the engine, and reads their customers from the ledger.

Shared by the routes that answer for customers, one at a time or many.
"""

import difflib
import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import msgspec

from recsys.config import Filter, PlacementSettings, Purpose
from recsys.datasets import EMPTY
from recsys.decisions import (
    MESSAGES,
    CartLine,
    ContactState,
    HeldMessage,
    consents_to,
    refused_uses,
)
from recsys.errors import LedgerError
from recsys.ledger import Customer
from recsys.ledger.customers import StoredContact, session_own_id
from recsys.ledger.events import Identifier, seal_identifier, seal_session
from recsys.recommender import (
    Question,
    all_placements,
)
from serving.access import admission
from serving.http import PROBLEM_KINDS, FieldError, Refusal
from serving.schemas import CartLine as RequestedLine
from serving.state import (
    State,
    is_message,
)

_log = logging.getLogger("omnibasket.service")
_NOBODY: Final = Customer()
_NO_CONTACT: Final = StoredContact()
_MAX_ID_LENGTH: Final = 200
_FIRST_YEAR, _LAST_YEAR = 1970, 9999


@dataclass(frozen=True)
class Recipient:
    """The customer or visit that a question is for."""

    customer: Customer = _NOBODY
    session_id: str | None = None
    """The visit's id, sealed."""
    is_named: bool = False
    """Whether the request named a customer, known or not."""
    is_unread: bool = False
    """Whether the ledger could not be read, so that the customer is treated as a stranger."""
    stored: StoredContact = _NO_CONTACT
    """The contact with them, as it was read."""
    no_consent: tuple[Purpose, ...] = ()
    """What they do not consent to, so that it was not done."""

    @property
    def contact(self) -> ContactState:
        """What was shown to them, what they refused, and what they consent to."""
        return self.stored.state

    @property
    def visit_id(self) -> str:
        """The visit in the form of a customer id; empty without one."""
        return "" if self.session_id is None else session_own_id(self.session_id)


def find_placement(state: State, name: str) -> PlacementSettings:
    """Return the settings of the placement that a request names.

    Raises
    ------
    Refusal
        When no placement has that name, or the caller's key is not for it.
    """
    found = state.config.placement(name)
    if found is None:
        known = all_placements(state.config)
        near = difflib.get_close_matches(name, known, 1)
        hint = f" Did you mean `{near[0]}`?" if near else ""
        raise Refusal(
            "invalid-request",
            "There is no such placement.",
            [FieldError("/placement", f"is unknown.{hint} Known: {', '.join(known)}.")],
        )
    admission.check_placement(found)
    return found


def page_placement(
    state: State, name: str | None, age_restricted: bool
) -> PlacementSettings | None:
    """Return the settings of the placement that a page belongs to; None where it names none.

    Raises
    ------
    Refusal
        As of ``find_placement``; and when the request itself allows goods with a minimum age, too.
    """
    if name is None:
        return None
    settings = find_placement(state, name)
    if age_restricted:
        detail = "is what the placement says. Leave it out, or leave out `placement`."
        raise Refusal(
            "invalid-request",
            "Two answers to one question.",
            [FieldError("/age_restricted", detail)],
        )
    return settings


def find_time(state: State, as_of: datetime | None) -> int:
    """Return the time that a question is asked for, UTC epoch seconds.

    Raises
    ------
    Refusal
        When the time is out of range, or the caller may not ask about the past.
    """
    if as_of is None:
        # A history ends before `as_of`; one second more, so that what just happened counts.
        return state.now_ts() + 1
    admission.need_scope("admin")
    if not _FIRST_YEAR <= as_of.year < _LAST_YEAR:
        detail = f"is not between the years {_FIRST_YEAR} and {_LAST_YEAR}."
        raise Refusal("invalid-request", "No such time.", [FieldError("/as_of", detail)])
    return int(as_of.timestamp())


def find_customer(
    state: State,
    settings: PlacementSettings,
    customer_id: str | None,
    identifier: Identifier | None,
    session_id: str | None,
    as_of_ts: int,
) -> Recipient:
    """Read the customer that a request names.

    Raises
    ------
    Refusal
        When the request names the customer twice, or names one from a page.
    LedgerError
        When the ledger cannot be read.
    """
    _check_names(customer_id, identifier)
    named = customer_id is not None or identifier is not None
    # A public placement must not depend on the customer, so nobody is looked up for it, but for
    # their consent to a message.
    if not settings.personal and settings.channel not in MESSAGES:
        return Recipient(is_named=named)
    return _read(state, customer_id, identifier, session_id, as_of_ts)


def find_named(
    state: State,
    customer_id: str | None,
    identifier: Identifier | None,
    session_id: str | None,
    as_of_ts: int,
) -> Recipient:
    """Read the customer or visit that a request names; as ``find_customer``."""
    _check_names(customer_id, identifier)
    return _read(state, customer_id, identifier, session_id, as_of_ts)


def _check_names(customer_id: str | None, identifier: Identifier | None) -> None:
    admission.check_no_customer({"/customer_id": customer_id, "/identifier": identifier})
    if customer_id is not None and identifier is not None:
        detail = "give `customer_id` or `identifier`, not both."
        raise Refusal(
            "invalid-request", "Two names for one customer.", [FieldError("/customer_id", detail)]
        )


def _read(
    state: State,
    customer_id: str | None,
    identifier: Identifier | None,
    session_id: str | None,
    as_of_ts: int,
) -> Recipient:
    named = customer_id is not None or identifier is not None
    session_id = session_id and seal_session(session_id, state.keyed_hash)
    if identifier is not None:
        identifier = seal_identifier(identifier, state.keyed_hash, state.config.identity)
    if identifier is None and customer_id is None and session_id is None:
        return Recipient(is_named=named)
    customer = state.ledger.customer(
        customer_id=customer_id, identifier=identifier, session_id=session_id, as_of_ts=as_of_ts
    )
    if customer.erased:
        return Recipient(Customer(erased=True), is_named=named)
    found = Recipient(customer, session_id, named)
    if customer.customer_id is None and not found.visit_id:
        return found
    stored = state.ledger.contacts.read(customer.customer_id or "", found.visit_id)
    return replace(found, stored=stored)


def find_owners(state: State, customer_id: str) -> list[str]:
    """Return every id of a customer who is known, the present one first.

    Raises
    ------
    Refusal
        When nobody has the id, it was erased, or the caller's key may not name a customer.
    LedgerError
        When the ledger cannot be read.
    """
    written = _admit_customer(customer_id)
    present = state.ledger.resolve_id(customer_id) if written else None
    if written and present is None and state.ledger.erasures.is_erased(customer_id=customer_id):
        raise Refusal("erased", PROBLEM_KINDS["erased"].advice)
    if present is None:
        raise Refusal("customer-unknown", PROBLEM_KINDS["customer-unknown"].advice)
    return state.ledger.offers.owners(present)


def find_erasable(state: State, customer_id: str) -> list[str]:
    """Return every id of a customer to erase; only the given one if it was erased before.

    Raises
    ------
    Refusal
        When nobody ever had the id, or the caller's key may not name a customer.
    LedgerError
        When the ledger cannot be read.
    """
    erasures = state.ledger.erasures
    owners = erasures.ids_of(customer_id=customer_id) if _admit_customer(customer_id) else []
    if not owners and not erasures.is_erased(customer_id=customer_id):
        raise Refusal("customer-unknown", PROBLEM_KINDS["customer-unknown"].advice)
    return owners or [customer_id]


def _admit_customer(customer_id: str) -> bool:
    """Refuse a key that may not name customers; return whether an id can be one."""
    admission.refuse_screens()
    admission.check_no_customer({"/customer_id": customer_id})
    return len(customer_id) <= _MAX_ID_LENGTH and customer_id.isprintable()


def find_customer_or_nobody(state: State, *arguments: Any) -> Recipient:
    """Call ``find_customer``; if the ledger fails, return a stranger, so that items are shown."""
    try:
        with state.ledger.hurrying("customers"):
            return find_customer(state, *arguments)
    except LedgerError as error:
        _log.error("answered without the ledger", extra={"reason": str(error)})
        return Recipient(is_unread=True)


def hold_to_consents(
    state: State, settings: PlacementSettings, recipient: Recipient
) -> tuple[Recipient, HeldMessage | None]:
    """Return a recipient of whom nothing is used that they do not consent to now.

    A replay of the past holds to it, too. A message to nobody in particular needs no consent.

    Returns
    -------
    (Recipient, HeldMessage or None)
        With why a message does not go out, where they do not consent to it.

    Raises
    ------
    Refusal
        When the placement is a message, and they were erased, or cannot be asked.
    """
    if recipient.customer.erased and settings.channel in MESSAGES:
        raise Refusal("erased", PROBLEM_KINDS["erased"].advice)
    if recipient.is_unread and is_message(settings):
        detail = "What the customer consents to cannot be read now, so there is no message."
        raise Refusal("ledger-unavailable", detail, retry_seconds=1)
    is_known = recipient.customer.customer_id is not None or recipient.session_id is not None
    now_ts, unsaid = state.now_ts(), state.config.consents
    said, channel = recipient.contact.said, settings.channel
    is_asked = is_message(settings) and (is_known or recipient.is_named)
    if is_asked and not consents_to(said, "marketing", channel, now_ts, unsaid):
        return recipient, HeldMessage("no_consent")
    if not settings.personal:
        return Recipient(is_named=recipient.is_named), None
    refused = refused_uses(said, channel, now_ts, unsaid) if is_known else ()
    if not refused:
        return recipient, None
    stranger = msgspec.structs.replace(recipient.customer, history=EMPTY)
    return replace(recipient, customer=stranger, no_consent=refused), None


def to_question(
    state: State,
    placement: str,
    settings: PlacementSettings,
    recipient: Recipient,
    as_of_ts: int,
    *,
    lang: str,
    count: int | None,
    location_id: str | None,
    item_ids: Iterable[str],
    cart: Iterable[RequestedLine] | None,
    exclude: Iterable[str],
    item_filter: Filter | None,
    attributes: Iterable[str],
    explain: bool,
    left_cart: Iterable[CartLine],
    recommendation_id: str,
    lead: tuple[str, ...],
) -> Question:
    """Make the question of a request.

    Without a cart of its own, it has that of the visit, or what the customer left in theirs.
    """
    in_cart = tuple(line.item_id for line in cart or ())
    if cart is None:
        in_cart = (*recipient.customer.visit.cart,) or tuple(line.item_id for line in left_cart)
    return Question(
        placement=placement,
        settings=settings,
        as_of_ts=as_of_ts,
        recommendation_id=recommendation_id,
        lang=lang,
        lead=lead,
        count=count,
        location_id=location_id,
        item_ids=tuple(item_ids),
        cart=in_cart,
        exclude=tuple(exclude),
        filter=item_filter,
        attributes=tuple(attributes),
        explain=explain,
        suppression=state.contact_policy.suppression(recipient.contact, settings, as_of_ts),
        factors={}
        if recipient.no_consent
        else state.contact_policy.factors(
            recipient.contact, recipient.customer.history, settings, as_of_ts
        ),
        customer_known=recipient.customer.customer_id is not None and not recipient.no_consent,
    )
