"""One batch of events is written: every event once, every order once, every customer up to date.

Events that were checked and sealed come in, in one transaction of the ledger; out comes what
became of each. A purchase, a view or a cart is in its customer's row when the transaction ends.
Called by ``Ledger.add_events``.

Two batches may be written at once on PostgreSQL. Both take their locks table by table in the
same order, and in each table by sorted key, so that they never wait for each other in a circle.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from recsys.datasets import interactions
from recsys.identity import customer_id_of
from recsys.ledger.customers.identity_lookup import find_identifiers, resolve_ids, session_own_id
from recsys.ledger.customers.live_updates import apply_events, order_of, order_scopes
from recsys.ledger.events import visit_state
from recsys.ledger.events.event_types import Event, digest, encode, stored_id
from recsys.ledger.offers.returns import Login, ReturnedOrder, settle_returns
from recsys.ledger.schema import EVENTS, IDENTIFIERS, SESSIONS, TRANSACTIONS
from recsys.ledger.statements import insert, lock
from recsys.units import DAY

_BLANK_STATE = visit_state.encode(visit_state.VisitState())


#: What a page is told of its purchases.
UNCONFIRMED: Final = (
    "not confirmed: it counts once a server's key or an export tells of the same order."
)


class Outcome(msgspec.Struct, frozen=True):
    """What became of one event."""

    status: Literal["accepted", "duplicate", "conflict", "unknown_customer"]
    detail: str = ""


@dataclass
class _Entry:
    """One event of the batch on its way."""

    ix: int
    event: Event
    body: bytes
    digest: bytes
    stored_id: str
    own_id: str | None = None
    named: bool = False  # by an identifier, an id, or a visit that somebody logged in to
    scope: str = ""
    counted: bool = True


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
        When they came in, UTC epoch seconds.
    currency : str
        Of prices that do not say theirs.
    page : bool
        Whether a page tells of them, with a key that anybody can read. They name nobody and return
        nothing; a purchase is not confirmed then: it claims no order's number, and changes no row
        but that of its own visit while nobody has logged in to that.

    Returns
    -------
    list of Outcome
        One an event, in the same order.
    """
    batch = _Batch(connection, received_ts, currency, page)
    entries = _distinct(batch, events)
    ids = {entry.event.session_id for entry in entries if entry.event.session_id}
    batch.visits = lock(connection, SESSIONS, ids, seen_ts=0, state=_BLANK_STATE)
    entries = _attribute(batch, entries)
    entries = _insert(batch, entries)
    if not page:
        _count_orders_once(batch, entries)
    bound = _update_visits(batch, entries)
    seen = [(own_id, state.events()) for _, own_id, state in bound if state.looks]
    # What a visit of nobody looked at stays with the visit.
    counted = [
        e
        for e in entries
        if (e.counted and (e.named or e.event.event not in interactions.KIND_OF))
        or (_unconfirmed(batch, e) and not e.named)
    ]
    apply_events(connection, [(e.event, e.own_id, e.scope) for e in counted], currency, seen)
    logins = [Login(session_own_id(session_id), own_id) for session_id, own_id, _ in bound]
    settle_returns(
        connection,
        [_returned(e) for e in entries if e.event.event == "refund"],
        logins,
        received_ts,
    )
    for entry in entries:
        detail = UNCONFIRMED if _unconfirmed(batch, entry) else ""
        batch.outcomes.setdefault(entry.ix, Outcome("accepted", detail))
    return [batch.outcomes[ix] for ix in range(len(events))]


def _distinct(batch: _Batch, events: Sequence[Event]) -> list[_Entry]:
    """Keep the first of each event id; say what the others are."""
    first: dict[str, _Entry] = {}
    for ix, event in enumerate(events):
        body = encode(event)
        own = stored_id(event.event_id, batch.page)
        entry = _Entry(ix, event, body, digest(body), own, scope=event.scope)
        entry.counted = not _unconfirmed(batch, entry)
        earlier = first.setdefault(event.event_id, entry)
        if earlier is not entry:
            batch.outcomes[ix] = _repeat(earlier.digest == entry.digest)
    return sorted(first.values(), key=lambda entry: (entry.event.occurred_at, entry.ix))


def _unconfirmed(batch: _Batch, entry: _Entry) -> bool:
    return batch.page and entry.event.event == "purchase"


def _repeat(same: bool) -> Outcome:
    if same:
        return Outcome("duplicate")
    return Outcome("conflict", "another event was accepted under this `event_id`.")


def _attribute(batch: _Batch, entries: list[_Entry]) -> list[_Entry]:
    """Find out whose each event is, in the order in which they happened."""
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
                detail = f"`{event.customer_id}` is no customer; name them by an `identifier`."
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


def _bound(visit: sa.Row[Any], batch: _Batch) -> str | None:
    """Whose a visit is, unless it is over."""
    recent = batch.received_ts - visit.seen_ts <= visit_state.SESSION_DAYS * DAY
    return visit.own_id if recent else None


def _insert(batch: _Batch, entries: list[_Entry]) -> list[_Entry]:
    """Write the events that are new, and return them."""
    if not entries:
        return []
    rows = [
        {
            "event_id": entry.stored_id,
            "digest": entry.digest,
            "event": entry.event.event,
            "occurred_ts": entry.event.occurred_ts,
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
    """Let one event stand for each order: the first one, or the first that names somebody."""
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
    unnamed: list[str] = []  # events that a better one replaces
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
    """Say what a refund brings back: of the order of its own scope, whatever others are known."""
    event = entry.event
    back: dict[str, float] = {}
    for item in event.items:
        back[item.item_id] = back.get(item.item_id, 0.0) + item.quantity
    return ReturnedOrder(event.transaction_id or "", event.scope, back)


def _update_visits(
    batch: _Batch, entries: list[_Entry]
) -> list[tuple[str, str, visit_state.VisitState]]:
    """Bring carts and views up to date, and bind visits to who logged in.

    Returns
    -------
    list of (str, str, State)
        Visits of nobody in which somebody logged in, their ``own_id``, and the visit so far.
    """
    states: dict[str, visit_state.VisitState] = {}
    values: dict[str, dict[str, Any]] = {}
    for entry in entries:
        session_id = entry.event.session_id
        if session_id is None:
            continue
        visit = batch.visits[session_id]
        fresh = batch.received_ts - visit.seen_ts > visit_state.SESSION_DAYS * DAY
        blank = visit_state.VisitState() if fresh else visit_state.decode(visit.state)
        states[session_id] = visit_state.state_after(states.get(session_id, blank), entry.event)
        value = values.setdefault(
            session_id, {"key": session_id, "own": _bound(visit, batch), "seen": visit.seen_ts}
        )
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
        if value["own"] is not None and _bound(batch.visits[key], batch) is None
    ]
