"""Orders that use offers: their items, their returns, and the pieces with offers.

A redemption or a return locks the order's row first, rows of several orders by number and scope,
and only then the rows of bundles. So the redemptions of one order run one after the other, and no
two writers deadlock. Used by the other modules of ``recsys.ledger`` only.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from recsys.ledger.offers.pieces import OrderItem, Piece
from recsys.ledger.schema import OFFER_ORDERS, REDEMPTIONS
from recsys.ledger.statements import insert

#: Order number and scope.
Key = tuple[str, str]


class OrderState(msgspec.Struct, omit_defaults=True):
    """The state of an order that uses offers; quantities by product."""

    held: dict[str, float] = {}
    """Ordered quantity: the largest one reported."""
    told_back: dict[str, float] = {}
    """Quantity returned according to events, added up."""
    exported_back: dict[str, float] = {}
    """Quantity returned in all according to an export."""
    all_back: bool = False
    """Whether the whole order was returned."""

    @property
    def back(self) -> dict[str, float]:
        """Quantity returned: events and exports report the same returns, so the larger counts."""
        names = self.told_back.keys() | self.exported_back.keys()
        return {
            name: max(self.told_back.get(name, 0.0), self.exported_back.get(name, 0.0))
            for name in names
        }

    def report(self, held: Mapping[str, float]) -> None:
        """Update the ordered quantities of some products."""
        for item_id, quantity in held.items():
            self.held[item_id] = max(quantity, self.held.get(item_id, 0.0))


encode: Final = msgspec.json.Encoder().encode
decode: Final = msgspec.json.Decoder(OrderState).decode
pieces_of: Final = msgspec.json.Decoder(tuple[Piece, ...]).decode

_EVER: Final = sa.select(REDEMPTIONS.c.offer_id, REDEMPTIONS.c.pieces).where(
    REDEMPTIONS.c.transaction_id == sa.bindparam("transaction_id"),
    REDEMPTIONS.c.scope == sa.bindparam("scope"),
)
_IN_USE: Final = _EVER.where(REDEMPTIONS.c.returned_ts.is_(None))
_ROWS: Final = (
    sa.select(OFFER_ORDERS)
    .where(OFFER_ORDERS.c.transaction_id.in_(sa.bindparam("numbers", expanding=True)))
    .order_by(OFFER_ORDERS.c.transaction_id, OFFER_ORDERS.c.scope)
    .with_for_update()
)


def lock_order(connection: Connection, key: Key) -> OrderState:
    """Lock the row of an order until the transaction ends; create it if missing."""
    row = {"transaction_id": key[0], "scope": key[1], "state": encode(OrderState())}
    connection.execute(insert(connection, OFFER_ORDERS).on_conflict_do_nothing(), row)
    query = sa.select(OFFER_ORDERS.c.state).where(_is(key)).with_for_update()
    return decode(connection.execute(query).scalar_one())


def lock_orders(connection: Connection, numbers: Iterable[str]) -> dict[Key, OrderState]:
    """Lock the rows of all orders with these numbers until the transaction ends."""
    rows = connection.execute(_ROWS, {"numbers": sorted(set(numbers))})
    return {(row.transaction_id, row.scope): decode(row.state) for row in rows}


def keep(connection: Connection, key: Key, state: OrderState) -> None:
    """Write the state of an order whose row is locked."""
    connection.execute(OFFER_ORDERS.update().where(_is(key)).values(state=encode(state)))


def in_use(connection: Connection, key: Key) -> dict[str, tuple[Piece, ...]]:
    """Return the offers that an order uses, and their pieces."""
    return _pieces(connection, _IN_USE, key)


def ever_used(connection: Connection, key: Key) -> dict[str, tuple[Piece, ...]]:
    """Return the offers that an order uses or used before it was returned, and their pieces."""
    return _pieces(connection, _EVER, key)


def _pieces(
    connection: Connection, query: sa.Select[Any], key: Key
) -> dict[str, tuple[Piece, ...]]:
    parameters = {"transaction_id": key[0], "scope": key[1]}
    return {row.offer_id: pieces_of(row.pieces) for row in connection.execute(query, parameters)}


def held_of(items: Sequence[OrderItem]) -> dict[str, float]:
    """Return the ordered quantity of each product."""
    held: dict[str, float] = {}
    for item in items:
        held[item.item_id] = held.get(item.item_id, 0.0) + item.quantity
    return held


def _is(key: Key) -> sa.ColumnElement[Any]:
    return sa.and_(OFFER_ORDERS.c.transaction_id == key[0], OFFER_ORDERS.c.scope == key[1])
