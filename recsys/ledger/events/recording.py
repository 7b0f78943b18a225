"""Writes a batch of events: every event and order once, with customers' rows updated.

In: checked and sealed events, in one transaction of the ledger. Out: the outcome of each.
Purchases, views and carts are in the customers' rows when the transaction ends. Called by
``Ledger.add_events``.

On PostgreSQL, two batches may be written concurrently. Both lock tables in the same order, and rows
by sorted key, so they never deadlock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from recsys.datasets import interactions
from recsys.identity import customer_id_of
from recsys.ledger.customers.contact_reports import note_events
from recsys.ledger.customers.erasing import erased_among, without_person
from recsys.ledger.customers.identity_lookup import find_identifiers, resolve_ids, session_own_id
from recsys.ledger.customers.live_updates import apply_events, order_of, order_scopes
from recsys.ledger.events import contact_news, visit_state
from recsys.ledger.events.event_types import Event, digest, encode, stored_id
from recsys.ledger.offers.returns import Login, ReturnedOrder, settle_returns
from recsys.ledger.schema import EVENTS, IDENTIFIERS, SESSIONS, TRANSACTIONS
from recsys.ledger.statements import insert, lock

_BLANK_STATE = visit_state.encode(visit_state.VisitState())


#: Detail returned to a page for its purchases.
UNCONFIRMED: Final = (
    "not confirmed: it counts once a server's key or an export reports the same order."
)


#: Detail returned for an event of an erased customer.
ERASED: Final = "the customer was erased: it is stored without them and their visit."


class Outcome(msgspec.Struct, frozen=True):
    """The outcome of one event."""

    status: Literal["accepted", "duplicate", "conflict", "unknown_customer"]
    detail: str = ""


@dataclass
class _Entry:
    """One event of the batch during processing."""

    ix: int
    event: Event
    """As sent; what a clock that is ahead reports happens now."""
    occurred_ts: int
    """As sent, UTC epoch seconds."""
    body: bytes
    digest: bytes
    stored_id: str
    own_id: str | None = None
    named: bool = False  # by an identifier, an id, or a visit with a login
    scope: str = ""
    counted: bool = True
    erased: bool = False  # names somebody who was erased, and is stored without them

    def forget(self) -> None:
        """Leave out the person; the digest stays, so that a repeat is still known."""
        self.event = without_person(self.event)
        self.body, self.erased = encode(self.event), True


@dataclass
class _Batch:
    connection: Connection
    received_ts: int
    currency: str
    page: bool = False
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    visits: dict[str, sa.Row[Any]] = field(default_factory=dict)


def record(
    connection: Connection,
    events: Sequence[Event],
    received_ts: int,
    currency: str,
    *,
    page: bool = False,
) -> list[Outcome]:
    """Write sealed events.

    Parameters
    ----------
    connection : Connection
        In a writer's transaction.
    events : sequence of Event
        Sealed.
    received_ts : int
        Time of receipt, UTC epoch seconds.
    currency : str
        Currency of prices without one.
    page : bool
        Whether a page reports them, with a public key. Such events identify no customer and refund
        nothing. Their purchases are unconfirmed: they do not claim an order number, and change
        only the row of their own visit before a login.

    Returns
    -------
    list of Outcome
        One per event, in the same order.
    """
    batch = _Batch(connection, received_ts, currency, page)
    entries = _distinct(batch, events)
    _forget_erased(batch, entries)
    ids = {entry.event.session_id for entry in entries if entry.event.session_id}
    batch.visits = lock(connection, SESSIONS, ids, seen_ts=0, state=_BLANK_STATE)
    entries = _attribute(batch, entries)
    entries = _insert(batch, entries)
    if not page:
        _count_orders_once(batch, entries)
    bound = _update_visits(batch, entries)
    seen = [(own_id, state.events()) for _, own_id, state in bound if state.looks]
    # Views of a visit without a login stay with the visit.
    counted = [
        e
        for e in entries
        if (e.counted and (e.named or e.event.event not in interactions.KIND_OF))
        or (_unconfirmed(batch, e) and not e.named)
    ]
    apply_events(connection, [(e.event, e.own_id, e.scope) for e in counted], currency, seen)
    logins = [Login(session_own_id(session_id), own_id) for session_id, own_id, _ in bound]
    news = contact_news.of_events(
        [contact_news.Told(e.event, e.own_id, e.named) for e in entries],
        {session_id: (own_id, visit.cart) for session_id, own_id, visit in bound},
        page=page,
    )
    note_events(
        connection,
        [(login.visit, login.own_id) for login in logins],
        news.changes,
        news.reports,
        visits=[session_own_id(session_id) for session_id in batch.visits],
    )
    settle_returns(
        connection,
        [_returned(e) for e in entries if e.event.event == "refund"],
        logins,
        received_ts,
    )
    for entry in entries:
        detail = UNCONFIRMED if _unconfirmed(batch, entry) else ""
        detail = ERASED if entry.erased else detail
        batch.outcomes.setdefault(entry.ix, Outcome("accepted", detail))
    return [batch.outcomes[ix] for ix in range(len(events))]


def _distinct(batch: _Batch, events: Sequence[Event]) -> list[_Entry]:
    """Keep the first event of each id; record the outcome of the others."""
    first: dict[str, _Entry] = {}
    for ix, event in enumerate(events):
        body = encode(event)
        own = stored_id(event.event_id, batch.page)
        happened = _not_ahead(event, batch.received_ts)
        entry = _Entry(ix, happened, event.occurred_ts, body, digest(body), own, scope=event.scope)
        entry.counted = not _unconfirmed(batch, entry)
        earlier = first.setdefault(event.event_id, entry)
        if earlier is not entry:
            batch.outcomes[ix] = _repeat(earlier.digest == entry.digest)
    return sorted(first.values(), key=lambda entry: (entry.occurred_ts, entry.ix))


def _not_ahead(event: Event, received_ts: int) -> Event:
    """Return an event that happens no later than it is received: clocks may be ahead."""
    if event.occurred_ts <= received_ts:
        return event
    return msgspec.structs.replace(event, occurred_at=datetime.fromtimestamp(received_ts, UTC))


def _unconfirmed(batch: _Batch, entry: _Entry) -> bool:
    return batch.page and entry.event.event == "purchase"


def _repeat(same: bool) -> Outcome:
    if same:
        return Outcome("duplicate")
    return Outcome("conflict", "another event was accepted under this `event_id`.")


def _attribute(batch: _Batch, entries: list[_Entry]) -> list[_Entry]:
    """Determine the customer of each event, in order of occurrence."""
    connection = batch.connection
    events = [entry.event for entry in entries]
    known = find_identifiers(connection, (e.identifier for e in events if e.identifier))
    ids = resolve_ids(connection, (e.customer_id for e in events if e.customer_id))
    orders = order_scopes(connection, events)
    bound = {session_id: _bound(visit, batch) for session_id, visit in batch.visits.items()}
    new: dict[tuple[str, str], str] = {}
    kept = []
    for entry in entries:
        event = entry.event
        if event.customer_id is not None:
            if event.customer_id not in ids:
                detail = f"`{event.customer_id}` is not a customer id; send an `identifier`."
                batch.outcomes[entry.ix] = Outcome("unknown_customer", detail)
                continue
            entry.own_id = event.customer_id
        elif event.identifier is not None:
            key = (event.identifier.type, event.identifier.value)
            own_id, customer_id = known.get(key, (None, None))
            if own_id is None:
                own_id = customer_id = new.setdefault(key, customer_id_of(*key))
            entry.own_id = own_id if customer_id is not None else None
        entry.named = entry.own_id is not None
        if event.session_id is not None:
            if entry.named:
                bound[event.session_id] = entry.own_id
            elif bound[event.session_id] is not None:
                entry.own_id, entry.named = bound[event.session_id], True
            else:
                entry.own_id = session_own_id(event.session_id)
        if event.event == "refund":
            entry.scope, buyer = order_of(event, orders)
            entry.own_id = entry.own_id if entry.named else buyer or entry.own_id
        elif event.event == "purchase" and event.transaction_id:
            orders.setdefault(event.transaction_id, []).append((event.scope, entry.own_id))
        kept.append(entry)
    if new:
        rows = [
            {"type": kind, "value": value, "own_id": own_id, "customer_id": own_id}
            for (kind, value), own_id in sorted(new.items())
        ]
        connection.execute(insert(connection, IDENTIFIERS).on_conflict_do_nothing(), rows)
    return kept


def _forget_erased(batch: _Batch, entries: list[_Entry]) -> None:
    """Leave out of their events who was erased."""
    named: dict[str, list[_Entry]] = {}
    for entry in entries:
        who, own_id = entry.event.identifier, entry.event.customer_id
        if who is not None:
            own_id = customer_id_of(who.type, who.value)
        if own_id is not None:
            named.setdefault(own_id, []).append(entry)
    for own_id in erased_among(batch.connection, named):
        for entry in named[own_id]:
            entry.forget()


def _bound(visit: sa.Row[Any], batch: _Batch) -> str | None:
    """Return the customer of a visit, unless it is over."""
    state = visit_state.decode(visit.state)
    return None if visit_state.is_over(state, visit.seen_ts, batch.received_ts) else visit.own_id


def _insert(batch: _Batch, entries: list[_Entry]) -> list[_Entry]:
    """Write new events, and return them."""
    if not entries:
        return []
    rows = [
        {
            "event_id": entry.stored_id,
            "digest": entry.digest,
            "event": entry.event.event,
            "occurred_ts": entry.occurred_ts,
            "received_ts": batch.received_ts,
            "own_id": entry.own_id,
            "counted": entry.counted,
            "body": entry.body,
            "page": batch.page,
        }
        for entry in sorted(entries, key=lambda entry: entry.stored_id)
    ]
    statement = insert(batch.connection, EVENTS).on_conflict_do_nothing()
    new = set(batch.connection.execute(statement.returning(EVENTS.c.event_id), rows).scalars())
    old = [entry.stored_id for entry in entries if entry.stored_id not in new]
    if old:
        query = sa.select(EVENTS.c.event_id, EVENTS.c.digest).where(EVENTS.c.event_id.in_(old))
        stored = dict(batch.connection.execute(query).all())
        for entry in entries:
            if entry.stored_id in stored:
                batch.outcomes[entry.ix] = _repeat(stored[entry.stored_id] == entry.digest)
    return [entry for entry in entries if entry.stored_id in new]


def _count_orders_once(batch: _Batch, entries: list[_Entry]) -> None:
    """Count one event per order: the first with a customer, else the first."""
    connection = batch.connection
    by_order: dict[tuple[str, str], list[_Entry]] = {}
    for entry in entries:
        if entry.event.event == "purchase" and entry.event.transaction_id:
            by_order.setdefault((entry.event.transaction_id, entry.scope), []).append(entry)
    if not by_order:
        return
    first = {
        order: next((entry for entry in theirs if entry.named), theirs[0])
        for order, theirs in sorted(by_order.items())
    }
    rows = [
        {"transaction_id": number, "scope": scope, "event_id": e.event.event_id, "named": e.named}
        for (number, scope), e in first.items()
    ]
    key = (TRANSACTIONS.c.transaction_id, TRANSACTIONS.c.scope)
    statement = insert(connection, TRANSACTIONS).on_conflict_do_nothing().returning(*key)
    new = {(row.transaction_id, row.scope) for row in connection.execute(statement, rows)}
    unnamed: list[str] = []  # events replaced by a better one
    for order in sorted(first.keys() - new):
        here = sa.and_(key[0] == order[0], key[1] == order[1])
        standing = connection.execute(sa.select(TRANSACTIONS).where(here).with_for_update()).one()
        if first[order].named and not standing.named:
            better = {"event_id": first[order].event.event_id, "named": True}
            connection.execute(TRANSACTIONS.update().where(here).values(better))
            unnamed.append(standing.event_id)
        else:
            first.pop(order)
    for order, theirs in by_order.items():
        for entry in theirs:
            if first.get(order) is not entry:
                entry.counted = False
                detail = f"order `{order[0]}` was counted under another `event_id`."
                batch.outcomes[entry.ix] = Outcome("duplicate", detail)
    uncounted = [entry.event.event_id for entry in entries if not entry.counted] + unnamed
    if uncounted:
        update = EVENTS.update().where(EVENTS.c.event_id.in_(sorted(uncounted)))
        connection.execute(update.values(counted=False))


def _returned(entry: _Entry) -> ReturnedOrder:
    """Return what a refund returns, for the order in its own scope only."""
    event = entry.event
    back: dict[str, float] = {}
    for item in event.items:
        back[item.item_id] = back.get(item.item_id, 0.0) + item.quantity
    return ReturnedOrder(event.transaction_id or "", event.scope, back)


def _update_visits(
    batch: _Batch, entries: list[_Entry]
) -> list[tuple[str, str, visit_state.VisitState]]:
    """Update carts and views, and bind visits to customers who logged in.

    Returns
    -------
    list of (str, str, State)
        Visits with a new login, their ``own_id``, and their state. A shared device's are left out:
        what was looked at before a login was looked at by somebody else.
    """
    states: dict[str, visit_state.VisitState] = {}
    values: dict[str, dict[str, Any]] = {}
    for entry in entries:
        session_id = entry.event.session_id
        if session_id is None:
            continue
        visit = batch.visits[session_id]
        known = visit_state.decode(visit.state)
        is_over = visit_state.is_over(known, visit.seen_ts, batch.received_ts)
        before = states.get(session_id, visit_state.VisitState() if is_over else known)
        value = values.setdefault(
            session_id, {"key": session_id, "own": _bound(visit, batch), "seen": visit.seen_ts}
        )
        if entry.named and value["own"] is None and visit_state.is_shared(before, entry.event):
            before = visit_state.VisitState()
        states[session_id] = visit_state.state_after(before, entry.event)
        value["own"] = entry.own_id if entry.named else value["own"]
        value["seen"] = max(value["seen"], entry.event.occurred_ts)
    if not values:
        return []
    rows = [{**value, "json": visit_state.encode(states[key])} for key, value in values.items()]
    update = SESSIONS.update().where(SESSIONS.c.session_id == sa.bindparam("key"))
    columns: dict[str, Any] = {
        "own_id": sa.bindparam("own"),
        "seen_ts": sa.bindparam("seen"),
        "state": sa.bindparam("json"),
    }
    batch.connection.execute(update.values(columns), rows)
    return [
        (key, value["own"], states[key])
        for key, value in values.items()
        if value["own"] is not None
        and _bound(batch.visits[key], batch) is None
        and not states[key].shared
    ]
