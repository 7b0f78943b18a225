"""Applies purchases, refunds, views and carts to customers' rows.

Each order is applied once; a view that is already present changes nothing. Called when events
arrive and after the ingest replaces the histories.
"""

import json
from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from recsys.datasets import (
    EMPTY,
    Structured,
    add_events,
    interactions,
    pack_history,
    unpack_history,
)
from recsys.ledger.customers.identity_lookup import resolve_ids
from recsys.ledger.events import purchases
from recsys.ledger.events.event_types import Event
from recsys.ledger.events.views_and_carts import structured, views_and_carts
from recsys.ledger.schema import EVENTS, HISTORIES, META, SESSIONS, TRANSACTIONS
from recsys.ledger.statements import lock

_BLANK_ROW = pack_history(EMPTY)
#: Events that change a row.
HISTORY_EVENTS = ("purchase", "refund", *interactions.KIND_OF)

#: transaction_id → (scope, own_id) of each live purchase of that number.
Orders = dict[str, list[tuple[str, str | None]]]


def apply_events(
    connection: Connection,
    counted: Iterable[tuple[Event, str | None, str]],
    currency: str,
    seen: Sequence[tuple[str, Structured]] = (),
) -> None:
    """Apply events to customers' rows.

    Parameters
    ----------
    connection : Connection
        In a writer's transaction.
    counted : iterable of (Event, str or None, str)
        Event, ``own_id`` of its customer, and scope of its order; other kinds of events, and events
        without a customer, are skipped.
    currency : str
        Currency of prices without one.
    seen : sequence of (str, ndarray of EVENTS)
        ``own_id`` of a customer, and their earlier views and carts.
    """
    changes = [
        (event, own_id, scope)
        for event, own_id, scope in counted
        if own_id is not None and event.event in HISTORY_EVENTS
    ]
    if not changes and not seen:
        return
    own_ids = {own_id for _, own_id, _ in changes} | {own_id for own_id, _ in seen}
    present = resolve_ids(connection, own_ids)
    by_customer: dict[str, list[tuple[Event, str]]] = {}
    earlier: dict[str, list[Structured]] = {}
    for event, own_id, scope in sorted(changes, key=lambda entry: entry[0].occurred_at):
        customer_id = present.get(own_id, own_id)
        if customer_id is not None:
            by_customer.setdefault(customer_id, []).append((event, scope))
    for own_id, events in seen:
        customer_id = present.get(own_id, own_id)
        if customer_id is not None:
            earlier.setdefault(customer_id, []).append(events)
    systems = known_systems(connection)
    # Lock all rows at once, so that two writers never deadlock.
    rows = lock(connection, HISTORIES, by_customer.keys() | earlier.keys(), row=_BLANK_ROW)
    changed = []
    for customer_id, row in rows.items():
        before = history = unpack_history(row.row)
        for events in earlier.get(customer_id, ()):
            history = add_events(history, events)
        own_changes = by_customer.get(customer_id, ())
        looked = structured(look for event, _ in own_changes for look in views_and_carts(event))
        history = add_events(history, looked) if len(looked) else history
        for event, scope in own_changes:
            if event.event not in interactions.KIND_OF:
                history = purchases.history_after(
                    history, event, systems=systems, currency=currency, scope=scope
                )
        if history is not before:
            changed.append({"key": customer_id, "packed": pack_history(history)})
    if changed:
        update = HISTORIES.update().where(HISTORIES.c.customer_id == sa.bindparam("key"))
        connection.execute(update.values(row=sa.bindparam("packed"), digest=None), changed)


def owners(connection: Connection, session_ids: Iterable[str]) -> Mapping[str, str]:
    """Return the ``own_id`` of each visit's customer; visits without a login are left out."""
    keys = sorted(set(session_ids))
    if not keys:
        return {}
    of = SESSIONS.c
    query = sa.select(of.session_id, of.own_id)
    query = query.where(of.session_id.in_(keys), of.own_id.is_not(None))
    by_session: dict[str, str] = dict(connection.execute(query).all())
    return by_session


def known_systems(connection: Connection) -> list[str]:
    """Return the systems whose exports are in the histories."""
    found = connection.execute(sa.select(META.c.value).where(META.c.key == "systems"))
    systems: list[str] = json.loads(found.scalar_one_or_none() or "[]")
    return systems


def order_scopes(connection: Connection, events: Iterable[Event]) -> Orders:
    """Find the known orders that refunds refer to."""
    numbers = sorted({e.transaction_id for e in events if e.event == "refund" and e.transaction_id})
    if not numbers:
        return {}
    of = TRANSACTIONS.c
    query = (
        sa.select(of.transaction_id, of.scope, EVENTS.c.own_id)
        .join(EVENTS, EVENTS.c.event_id == of.event_id)
        .where(of.transaction_id.in_(numbers))
        .order_by(of.transaction_id, of.scope)
    )
    scopes: Orders = {}
    for number, scope, own_id in connection.execute(query):
        scopes.setdefault(number, []).append((scope, own_id))
    return scopes


def order_of(event: Event, known: Orders) -> tuple[str, str | None]:
    """Return scope and buyer of the order of a refund: in its own scope, else the only one."""
    candidates = known.get(event.transaction_id or "", [])
    for scope, own_id in candidates:
        if scope == event.scope:
            return scope, own_id
    return candidates[0] if len(candidates) == 1 else (event.scope, None)
