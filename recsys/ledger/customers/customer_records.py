"""Reads what the ledger holds of customers besides their histories and contacts.

Called through ``Ledger.records``, for pages about one customer and for commands about all.
"""

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from recsys.ledger.database import Database
from recsys.ledger.events import visit_state
from recsys.ledger.events.event_types import Identifier
from recsys.ledger.events.visit_state import VisitState
from recsys.ledger.schema import HISTORIES, IDENTIFIERS, SESSIONS, TRANSACTIONS


class Visit(NamedTuple):
    """A visit with a login of a customer."""

    seen_ts: int
    """Time of its latest event, UTC epoch seconds."""
    state: VisitState


class CustomerRecords:
    """The ledger's records of customers.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def customer_ids(self, identifier_type: str | None = None) -> list[str]:
        """Return the present customers, sorted.

        Parameters
        ----------
        identifier_type : str, optional
            Only those who have an identifier of this type, such as ``email``.
        """
        of = IDENTIFIERS.c
        query = sa.select(HISTORIES.c.customer_id).order_by(HISTORIES.c.customer_id)
        if identifier_type is not None:
            named = sa.select(of.customer_id).where(of.type == identifier_type)
            query = query.where(HISTORIES.c.customer_id.in_(named))
        with self._database.reading() as connection:
            return list(connection.execute(query).scalars())

    def identifiers(self, own_ids: Sequence[str]) -> list[Identifier]:
        """Return a customer's identifiers as they are stored, by type and value.

        Parameters
        ----------
        own_ids : sequence of str
            Every id of the customer.
        """
        of = IDENTIFIERS.c
        query = sa.select(of.type, of.value).where(of.own_id.in_(own_ids))
        query = query.order_by(of.type, of.value)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [Identifier(type=row.type, value=row.value) for row in rows]

    def visits(self, own_ids: Sequence[str], now_ts: int, most: int) -> list[Visit]:
        """Return a customer's visits that are not over, the latest first.

        Parameters
        ----------
        own_ids : sequence of str
            Every id of the customer.
        now_ts : int
            UTC epoch seconds.
        most : int
            Maximum number.
        """
        of = SESSIONS.c
        query = sa.select(of.seen_ts, of.state).where(of.own_id.in_(own_ids))
        query = query.order_by(of.seen_ts.desc(), of.session_id)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        visits = [Visit(row.seen_ts, visit_state.decode(row.state)) for row in rows]
        present = [one for one in visits if not visit_state.is_over(one.state, one.seen_ts, now_ts)]
        return present[:most]

    def owners_of_order(self, order_id: str) -> list[str]:
        """Return whose a live order is: an id of each customer who made one of that number.

        Parameters
        ----------
        order_id : str
            As events name it in ``transaction_id``. Stores count on their own, so there may be
            several.
        """
        of = TRANSACTIONS.c
        events = sa.table("events", sa.column("event_id"), sa.column("own_id"))
        query = (
            sa.select(events.c.own_id)
            .join_from(TRANSACTIONS, events, events.c.event_id == of.event_id)
            .where(of.transaction_id == order_id, events.c.own_id.is_not(None))
            .distinct()
            .order_by(events.c.own_id)
        )
        with self._database.reading() as connection:
            return list(connection.execute(query).scalars())
