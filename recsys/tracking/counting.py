"""Purchases and refunds are brought into their customers' rows, each order once.

Called when events arrive and when ingest has replaced the histories.
"""

import json
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy import Connection

from recsys.matrices.histories import EMPTY, pack, unpack
from recsys.tracking import purchases
from recsys.tracking.events import Event
from recsys.tracking.people import resolve_ids
from recsys.tracking.rows import lock
from recsys.tracking.tables import EVENTS, HISTORIES, META, TRANSACTIONS

_BLANK_ROW = pack(EMPTY)

#: transaction_id → (scope, own_id) of each live purchase of that number.
Orders = dict[str, list[tuple[str, str | None]]]


def apply(
    connection: Connection, counted: Iterable[tuple[Event, str | None, str]], currency: str
) -> None:
    """Bring purchases and refunds into their customers' rows.

    Parameters
    ----------
    connection : Connection
        In a writer's transaction.
    counted : iterable of (Event, str or None, str)
        Event, ``own_id`` of whom it is counted for, and scope of its order; other kinds of
        events and events of nobody are passed over.
    currency : str
        Of prices that do not say theirs.
    """
    orders = [
        (event, own_id, scope)
        for event, own_id, scope in counted
        if own_id is not None and event.event in ("purchase", "refund")
    ]
    if not orders:
        return
    present = resolve_ids(connection, {own_id for _, own_id, _ in orders})
    by_customer: dict[str, list[tuple[Event, str]]] = {}
    for event, own_id, scope in sorted(orders, key=lambda order: order[0].occurred_at):
        customer_id = present.get(own_id, own_id)
        if customer_id is not None:
            by_customer.setdefault(customer_id, []).append((event, scope))
    systems = known_systems(connection)
    rows = lock(connection, HISTORIES, by_customer, row=_BLANK_ROW)
    changed = []
    for customer_id, theirs in by_customer.items():
        before = history = unpack(rows[customer_id].row)
        for event, scope in theirs:
            history = purchases.after(
                history, event, systems=systems, currency=currency, scope=scope
            )
        if history is not before:
            changed.append({"key": customer_id, "packed": pack(history)})
    if changed:
        update = HISTORIES.update().where(HISTORIES.c.customer_id == sa.bindparam("key"))
        connection.execute(update.values(row=sa.bindparam("packed"), digest=None), changed)


def known_systems(connection: Connection) -> list[str]:
    """Return the systems whose exports are in the histories."""
    found = connection.execute(sa.select(META.c.value).where(META.c.key == "systems"))
    systems: list[str] = json.loads(found.scalar_one_or_none() or "[]")
    return systems


def order_scopes(connection: Connection, events: Iterable[Event]) -> Orders:
    """Find what is known of the orders that refunds take back."""
    wanted = sorted({e.transaction_id for e in events if e.event == "refund" and e.transaction_id})
    if not wanted:
        return {}
    of = TRANSACTIONS.c
    query = (
        sa.select(of.transaction_id, of.scope, EVENTS.c.own_id)
        .join(EVENTS, EVENTS.c.event_id == of.event_id)
        .where(of.transaction_id.in_(wanted))
        .order_by(of.transaction_id, of.scope)
    )
    found: Orders = {}
    for number, scope, own_id in connection.execute(query):
        found.setdefault(number, []).append((scope, own_id))
    return found


def order_of(event: Event, known: Orders) -> tuple[str, str | None]:
    """Return scope and buyer of the order of a refund: in its own scope, else the only one."""
    found = known.get(event.transaction_id or "", [])
    for scope, own_id in found:
        if scope == event.scope:
            return scope, own_id
    return found[0] if len(found) == 1 else (event.scope, None)
