"""Codes that hand a visit over to another device: each works once, and only for minutes.

In: whose visit it is, and later the code with the other device's visit. Out: the other visit is
that customer's, with the cart. Called through ``Ledger.handovers``.
"""

import hashlib
import secrets
from typing import NamedTuple

import sqlalchemy as sa

from recsys.ledger.database import Database
from recsys.ledger.events import visit_state
from recsys.ledger.events.visit_state import VisitState
from recsys.ledger.schema import HANDOVERS, SESSIONS
from recsys.ledger.statements import lock


class HandedOver(NamedTuple):
    """What a code handed over."""

    own_id: str | None
    """Id of the customer; None of a visit without a login."""
    visit: VisitState


class Handovers:
    """The ledger's codes for hand-over.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def issue(self, own_id: str | None, visit: VisitState, now_ts: int, seconds: int) -> str:
        """Return a new code for a visit.

        Parameters
        ----------
        own_id : str or None
            Id of the customer; None of a visit without a login.
        visit : VisitState
            Its cart and views.
        now_ts : int
            UTC epoch seconds.
        seconds : int
            So long the code holds.

        Raises
        ------
        LedgerError
            When it cannot be written.
        """
        code = secrets.token_urlsafe(16)
        row = {
            "code_hash": _hashed(code),
            "own_id": own_id,
            "visit": visit_state.encode(visit),
            "expires_ts": now_ts + seconds,
        }
        with self._database.writing(durable=False) as connection:
            connection.execute(HANDOVERS.delete().where(HANDOVERS.c.expires_ts <= now_ts))
            connection.execute(HANDOVERS.insert(), row)
        return code

    def use(self, code: str, session_id: str, now_ts: int, *, shared: bool) -> HandedOver | None:
        """Give another visit what a code hands over, once.

        Parameters
        ----------
        code : str
        session_id : str
            The other visit, sealed. What it was before is forgotten.
        now_ts : int
            UTC epoch seconds.
        shared : bool
            Whether it happens on a shared device, where it soon ends.

        Returns
        -------
        HandedOver or None
            None where the code is unknown, was used, or has expired.

        Raises
        ------
        LedgerError
            When it cannot be written; then the code still works.
        """
        of = HANDOVERS.c
        used = HANDOVERS.delete().where(of.code_hash == _hashed(code), of.expires_ts > now_ts)
        with self._database.writing() as connection:
            row = connection.execute(used.returning(of.own_id, of.visit)).first()
            if row is None:
                return None
            visit = visit_state.decode(row.visit)
            visit = VisitState(visit.cart, () if row.own_id else visit.looks, shared)
            lock(connection, SESSIONS, [session_id], seen_ts=0, state=visit_state.encode(visit))
            values = {
                "own_id": row.own_id,
                "seen_ts": now_ts,
                "state": visit_state.encode(visit),
            }
            here = SESSIONS.c.session_id == session_id
            connection.execute(sa.update(SESSIONS).where(here).values(values))
        return HandedOver(row.own_id, visit)

    def take(self, code: str, now_ts: int) -> str | None:
        """Return whom a code hands over, once, where no visit goes on.

        Parameters
        ----------
        code : str
        now_ts : int
            UTC epoch seconds.

        Returns
        -------
        str or None
            Id of the customer. None where the code is unknown, was used, or has expired; and of a
            visit without a login, the code of which still works.

        Raises
        ------
        LedgerError
            When it cannot be written; then the code still works.
        """
        of = HANDOVERS.c
        held = HANDOVERS.delete().where(
            of.code_hash == _hashed(code), of.expires_ts > now_ts, of.own_id.is_not(None)
        )
        with self._database.writing() as connection:
            own_id: str | None = connection.execute(held.returning(of.own_id)).scalar()
        return own_id


def _hashed(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
