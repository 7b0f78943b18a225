"""Finds the customer that a request names, with history and visit.

In: an id, an identifier or a visit. Out: a ``Customer``, after one or two short statements. Called
by ``Ledger.customer``.
"""

from typing import Final

import msgspec
import sqlalchemy as sa

from recsys.datasets import EMPTY, CustomerHistory, add_events, unpack_history
from recsys.identity import customer_id_of
from recsys.ledger.customers.erasing import erased_among
from recsys.ledger.customers.identity_lookup import resolve_ids, session_own_id
from recsys.ledger.database import Database
from recsys.ledger.events import visit_state
from recsys.ledger.events.event_types import Identifier
from recsys.ledger.events.visit_state import VisitState
from recsys.ledger.schema import ERASURES, HISTORIES, IDENTIFIERS, SESSIONS

# Constants, because ``Database.one`` compiles each statement once.
_BY_ID: Final = sa.select(HISTORIES.c.row).where(
    HISTORIES.c.customer_id == sa.bindparam("customer_id")
)
_BY_IDENTIFIER: Final = (
    sa.select(IDENTIFIERS.c.customer_id, HISTORIES.c.row)
    .outerjoin(HISTORIES, HISTORIES.c.customer_id == IDENTIFIERS.c.customer_id)
    .where(IDENTIFIERS.c.type == sa.bindparam("type"), IDENTIFIERS.c.value == sa.bindparam("value"))
)
#: The history under an identifier's own id, and whether it was erased.
_BY_OWN_ID: Final = sa.select(
    sa.select(HISTORIES.c.row)
    .where(HISTORIES.c.customer_id == sa.bindparam("own_id"))
    .scalar_subquery(),
    sa.exists().where(ERASURES.c.own_id == sa.bindparam("own_id"), ERASURES.c.erased),
)
_VISIT: Final = sa.select(SESSIONS.c.own_id, SESSIONS.c.seen_ts, SESSIONS.c.state).where(
    SESSIONS.c.session_id == sa.bindparam("session_id")
)


class Customer(msgspec.Struct, frozen=True):
    """The customer that a request names, with history and visit."""

    customer_id: str | None = None
    """None for an unknown customer."""
    history: CustomerHistory = EMPTY
    """Purchases, views and carts of the customer, or of the visit before a login. Views of a visit
    without a login count for the customer named with it."""
    visit: VisitState = VisitState()
    """Cart and views of the named visit."""
    erased: bool = False
    """Whether the request names somebody who was erased; then they are unknown."""


def find_customer(
    database: Database,
    *,
    customer_id: str | None,
    identifier: Identifier | None,
    session_id: str | None,
    as_of_ts: int,
) -> Customer:
    """Find the customer of a request; see ``Ledger.customer``."""
    visit, own_id = VisitState(), None
    if session_id is not None:
        visit, own_id = _visit(database, session_id, as_of_ts)
    if identifier is not None:
        customer = _by_identifier(database, identifier, visit)
    elif customer_id is not None or own_id is not None:
        customer = _by_id(database, customer_id or own_id or "", visit)
    elif session_id is not None:
        customer = Customer(None, read_history(database, session_own_id(session_id)), visit)
    else:
        customer = Customer()
    if own_id is not None or not visit.looks:
        return customer  # after a login, the customer's row includes the visit
    history = add_events(customer.history, visit.events())
    return msgspec.structs.replace(customer, history=history)


def read_history(database: Database, customer_id: str) -> CustomerHistory:
    """Return the history of a current customer; ``EMPTY`` for an unknown one."""
    row = database.one(_BY_ID, customer_id=customer_id)
    return unpack_history(row[0]) if row else EMPTY


def _visit(database: Database, session_id: str, as_of_ts: int) -> tuple[VisitState, str | None]:
    """Return the state of a visit, and the ``own_id`` of the customer who logged in to it."""
    row = database.one(_VISIT, session_id=session_id)
    if row is None:
        return VisitState(), None
    state = visit_state.decode(row[2])
    return (VisitState(), None) if visit_state.is_over(state, row[1], as_of_ts) else (state, row[0])


def _by_identifier(database: Database, identifier: Identifier, visit: VisitState) -> Customer:
    row = database.one(_BY_IDENTIFIER, type=identifier.type, value=identifier.value)
    if row is not None:
        customer_id, packed = row
        return Customer(customer_id, unpack_history(packed) if packed else EMPTY, visit)
    # The identifier may be known only from a visit, and not yet to the ingest.
    own_id = customer_id_of(identifier.type, identifier.value)
    packed, erased = database.one(_BY_OWN_ID, own_id=own_id) or (None, False)
    if packed is None:
        return Customer(visit=visit, erased=bool(erased))
    return Customer(own_id, unpack_history(packed), visit)


def _by_id(database: Database, customer_id: str, visit: VisitState) -> Customer:
    row = database.one(_BY_ID, customer_id=customer_id)
    if row is not None:
        return Customer(customer_id, unpack_history(row[0]), visit)
    with database.reading() as connection:
        present = resolve_ids(connection, [customer_id]).get(customer_id)
        erased = present is None and bool(erased_among(connection, [customer_id]))
    if present is None:
        return Customer(visit=visit, erased=erased)
    return Customer(present, read_history(database, present), visit)
