"""The orders that use offers: what they hold, what came back, and which pieces carry offers.

Whoever uses an offer for an order, or takes one back, holds the order's row first, rows of several
orders by number and scope, and only then rows of bundles. So all redemptions of one order are
looked at one after the other, and nobody waits in a circle. Used by the other modules of this
stage only.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from recsys.ledger.offers.pieces import OrderItem, Piece
from recsys.ledger.schema import OFFER_ORDERS, REDEMPTIONS
from recsys.ledger.statements import insert

#: Number and scope.
Key = tuple[str, str]


class OrderState(msgspec.Struct, omit_defaults=True):
    """What is known of an order that uses offers; quantities by product."""

    held: dict[str, float] = {}
    """How many it held, the most that anybody told."""
    told_back: dict[str, float] = {}
    """What events said came back, added up."""
    exported_back: dict[str, float] = {}
    """What an export said came back in all."""
    all_back: bool = False
    """Whether all of it came back."""

    @property
    def back(self) -> dict[str, float]:
        """How many came back: what events and exports say is the same, so the larger counts."""
        names = self.told_back.keys() | self.exported_back.keys()
        return {
            name: max(self.told_back.get(name, 0.0), self.exported_back.get(name, 0.0))
            for name in names
        }

    def tell(self, held: Mapping[str, float]) -> None:
        """Learn how many of some products it held."""
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


def open_order(connection: Connection, key: Key) -> OrderState:
    """Hold the row of an order until the transaction ends; make it where there is none."""
    row = {"transaction_id": key[0], "scope": key[1], "state": encode(OrderState())}
    connection.execute(insert(connection, OFFER_ORDERS).on_conflict_do_nothing(), row)
    query = sa.select(OFFER_ORDERS.c.state).where(_is(key)).with_for_update()
    return decode(connection.execute(query).scalar_one())


def lock_orders(connection: Connection, numbers: Iterable[str]) -> dict[Key, OrderState]:
    """Hold the rows of all orders of some numbers until the transaction ends."""
    found = connection.execute(_ROWS, {"numbers": sorted(set(numbers))})
    return {(row.transaction_id, row.scope): decode(row.state) for row in found}


def keep(connection: Connection, key: Key, state: OrderState) -> None:
    """Write what is known of an order whose row is held."""
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
    given = {"transaction_id": key[0], "scope": key[1]}
    return {row.offer_id: pieces_of(row.pieces) for row in connection.execute(query, given)}


def held_of(items: Sequence[OrderItem]) -> dict[str, float]:
    """Return how many of each product an order holds."""
    held: dict[str, float] = {}
    for item in items:
        held[item.item_id] = held.get(item.item_id, 0.0) + item.quantity
    return held


def _is(key: Key) -> sa.ColumnElement[Any]:
    return sa.and_(OFFER_ORDERS.c.transaction_id == key[0], OFFER_ORDERS.c.scope == key[1])
