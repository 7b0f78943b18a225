"""Updates offers when orders are returned, and when visitors log in.

Called by ``recording`` for events of refunds and logins, and by ``Offers.give_back`` for returns in
exports.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from recsys.ledger.events.event_types import Event
from recsys.ledger.events.event_types import decode as event_of
from recsys.ledger.offers.orders import (
    Key,
    OrderState,
    encode,
    ever_used,
    held_of,
    in_use,
    keep,
    lock_orders,
    pieces_of,
)
from recsys.ledger.offers.pieces import SLACK, OrderItem
from recsys.ledger.offers.rows import (
    EXPIRED,
    KEPT,
    OF_SAME,
    REDEEMED,
    STANDING,
    WITHDRAWN,
    count,
    lock_bundles,
    terms_of,
)
from recsys.ledger.schema import DECISIONS, EVENTS, OFFERS, REDEMPTIONS, TRANSACTIONS


class ReturnedOrder(NamedTuple):
    """The returned items of an order."""

    transaction_id: str
    scope: str
    """Scope in which the order number is unique."""
    back: Mapping[str, float] = {}
    """Returned quantity by product; empty for everything."""
    in_all: bool = False
    """Whether these are all returns of the order, as in exports; else one further return."""
    sold: Mapping[str, float] = {}
    """Ordered quantity by product, as far as known."""


class Login(NamedTuple):
    """A login in an anonymous visit."""

    visit: str
    """Own id of the visit."""
    own_id: str


#: Offers that orders of some numbers use or used, latest first.
_USES: Final = (
    sa.select(
        OFFERS.c.offer_id,
        OFFERS.c.bundle_id,
        OFFERS.c.discount_minor,
        OFFERS.c.expires_ts,
        REDEMPTIONS.c.transaction_id,
        REDEMPTIONS.c.scope,
        REDEMPTIONS.c.pieces,
        REDEMPTIONS.c.discount_minor.label("given_minor"),
        REDEMPTIONS.c.returned_ts,
    )
    .join_from(REDEMPTIONS, OFFERS, OFFERS.c.offer_id == REDEMPTIONS.c.offer_id)
    .where(REDEMPTIONS.c.transaction_id.in_(sa.bindparam("numbers", expanding=True)))
    .order_by(REDEMPTIONS.c.redeemed_ts.desc(), OFFERS.c.offer_id)
)
#: Items of those orders from purchase events.
_SOLD: Final = (
    sa.select(TRANSACTIONS.c.transaction_id, TRANSACTIONS.c.scope, EVENTS.c.body)
    .join_from(TRANSACTIONS, EVENTS, EVENTS.c.event_id == TRANSACTIONS.c.event_id)
    .where(TRANSACTIONS.c.transaction_id.in_(sa.bindparam("numbers", expanding=True)))
)
_OF_VISITS: Final = (
    sa.select(OFFERS.c.offer_id, OFFERS.c.bundle_id, OFFERS.c.owner)
    .where(OFFERS.c.owner.in_(sa.bindparam("visits", expanding=True)))
    .where(OFFERS.c.state == STANDING)
    .order_by(OFFERS.c.offer_id)
)
_HOW_MANY: Final = (
    sa.select(sa.func.count())
    .where(OFFERS.c.owner.in_(sa.bindparam("owners", expanding=True)))
    .where(OFFERS.c.bundle_id == sa.bindparam("bundle_id"))
    .where(OFFERS.c.state.in_((STANDING, REDEEMED)))
)


def settle_returns(
    connection: Connection, returns: Sequence[ReturnedOrder], logins: Sequence[Login], now_ts: int
) -> int:
    """Restore offers of returned orders, and assign visitors' offers to their customers.

    Parameters
    ----------
    connection : Connection
        In a writer's transaction without locks on bundles' rows.
    returns : sequence of ReturnedOrder
    logins : sequence of Login
    now_ts : int
        UTC epoch seconds; expired offers are not restored.

    Returns
    -------
    int
        Number of restored offers.
    """
    parameters: dict[str, Any] = {
        "numbers": sorted({back.transaction_id for back in returns}),
        "visits": sorted({login.visit for login in logins}),
    }
    # Usually there is nothing to do, and no row is locked.
    of_orders = _by_order(returns)
    uses = _uses(connection, of_orders, parameters)
    concerned = {row.bundle_id for row in uses}
    concerned |= {
        row.bundle_id for row in _read(connection, _OF_VISITS, parameters["visits"], parameters)
    }
    if not concerned:
        return 0
    orders = lock_orders(connection, [row.transaction_id for row in uses])
    bundles = lock_bundles(connection, concerned)
    given_back = 0
    uses = [
        row
        for row in _uses(connection, of_orders, parameters)
        if row.bundle_id in bundles and (row.transaction_id, row.scope) in orders
    ]
    numbers = sorted({row.transaction_id for row in uses})
    sold_rows = _read(connection, _SOLD, numbers, {"numbers": numbers})
    for key in sorted({(row.transaction_id, row.scope) for row in uses}):
        state, before = orders[key], encode(orders[key])
        for row in sold_rows:
            if (row.transaction_id, row.scope) == key:
                state.report(_quantities(event_of(row.body)))
        for returned in of_orders[key]:
            _learn(state, returned)
        own_uses = [row for row in uses if (row.transaction_id, row.scope) == key]
        for row in _come_back(connection, key, state, own_uses):
            given_back += _give_back(connection, bundles[row.bundle_id], row, now_ts)
        if encode(state) != before:
            keep(connection, key, state)
    own_ids = {login.visit: login.own_id for login in logins}
    for row in _read(connection, _OF_VISITS, parameters["visits"], parameters):
        if row.bundle_id in bundles:
            _follow(connection, bundles[row.bundle_id], row, own_ids[row.owner])
    return given_back


def _read(
    connection: Connection, query: sa.Select[Any], keys: Sequence[str], parameters: dict[str, Any]
) -> Sequence[sa.Row[Any]]:
    return connection.execute(query, parameters).all() if keys else []


def _by_order(returns: Iterable[ReturnedOrder]) -> dict[Key, list[ReturnedOrder]]:
    by_order: dict[Key, list[ReturnedOrder]] = {}
    for returned in returns:
        by_order.setdefault((returned.transaction_id, returned.scope), []).append(returned)
    return by_order


def _uses(
    connection: Connection, of_orders: Mapping[Key, Any], parameters: dict[str, Any]
) -> list[sa.Row[Any]]:
    """Read the offers that orders with returns use."""
    uses = _read(connection, _USES, parameters["numbers"], parameters)
    return [
        row
        for row in uses
        if row.returned_ts is None and (row.transaction_id, row.scope) in of_orders
    ]


def _quantities(event: Event) -> dict[str, float]:
    return held_of([OrderItem(item.item_id, item.quantity) for item in event.items])


def _learn(state: OrderState, returned: ReturnedOrder) -> None:
    """Add a return to the state of an order."""
    state.report(returned.sold)
    if not returned.back:
        state.all_back = True
    for item_id, quantity in returned.back.items():
        if returned.in_all:
            state.exported_back[item_id] = max(quantity, state.exported_back.get(item_id, 0.0))
        else:
            state.told_back[item_id] = state.told_back.get(item_id, 0.0) + quantity


def _come_back(
    connection: Connection, key: Key, state: OrderState, uses: Sequence[sa.Row[Any]]
) -> Iterator[sa.Row[Any]]:
    """Choose the offers of an order whose pieces are all returned, latest first.

    A piece is returned once the order keeps at least one whole piece less than its offers claim.
    """
    if state.all_back:
        yield from uses
        return
    claimed = Counter(
        piece.item_id for pieces in in_use(connection, key).values() for piece in pieces
    )
    ever = Counter(
        piece.item_id for pieces in ever_used(connection, key).values() for piece in pieces
    )
    back = state.back
    gone = {
        item_id: claimed[item_id] - state.held.get(item_id, ever[item_id]) + back.get(item_id, 0.0)
        for item_id in claimed
    }
    for row in uses:
        mine = Counter(piece.item_id for piece in pieces_of(row.pieces))
        if all(gone[item_id] >= n - SLACK for item_id, n in mine.items()):
            for item_id, n in mine.items():
                gone[item_id] -= n
            yield row


def _give_back(connection: Connection, bundle: sa.Row[Any], row: sa.Row[Any], now_ts: int) -> int:
    """Restore an offer if its bundle's terms allow it."""
    terms = terms_of(bundle.terms)
    if not terms.gives_back:
        return 0
    here = sa.and_(
        REDEMPTIONS.c.transaction_id == row.transaction_id,
        REDEMPTIONS.c.scope == row.scope,
        REDEMPTIONS.c.offer_id == row.offer_id,
    )
    connection.execute(REDEMPTIONS.update().where(here).values(returned_ts=now_ts))
    changes = {"redeemed": -1, "returned": 1, "spent_minor": -row.given_minor}
    if terms.status not in KEPT:
        state = WITHDRAWN
    elif row.expires_ts <= now_ts or not _has_room(connection, bundle, row):
        state = EXPIRED
    else:
        state = STANDING
        changes |= {"standing": 1, "reserved_minor": row.discount_minor}
    connection.execute(OFFERS.update().where(OFFERS.c.offer_id == row.offer_id).values(state=state))
    count(connection, row.bundle_id, **changes)
    return 1


def _has_room(connection: Connection, bundle: sa.Row[Any], row: sa.Row[Any]) -> bool:
    """Return whether the budget still covers the full discount of an offer that gave less.

    The difference was available to other offers meanwhile.
    """
    budget, more = terms_of(bundle.terms).budget_minor, row.discount_minor - row.given_minor
    if budget is None or more <= 0:
        return True
    taken = sa.select(DECISIONS.c.reserved_minor + DECISIONS.c.spent_minor)
    now = connection.execute(taken.where(DECISIONS.c.bundle_id == row.bundle_id)).scalar_one()
    return bool(int(now) + more <= budget)


def _follow(connection: Connection, bundle: sa.Row[Any], row: sa.Row[Any], own_id: str) -> None:
    """Assign a visitor's offer to the customer, up to the limit per customer.

    Offers beyond the limit stay with the visit.
    """
    same = connection.execute(OF_SAME, {"customer_id": own_id})
    owners = sorted({own_id, *(alike for alike, _ in same)})
    parameters = {"owners": owners, "bundle_id": row.bundle_id}
    if connection.execute(_HOW_MANY, parameters).scalar_one() < terms_of(bundle.terms).per_customer:
        connection.execute(
            OFFERS.update()
            .where(OFFERS.c.offer_id == row.offer_id)
            .values(owner=own_id, visit=False)
        )
