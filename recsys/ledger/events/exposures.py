"""Writes exposures in batches, finds one, and deletes old ones in small steps.

Called through ``Ledger.exposures``; the service writes from a background thread.
"""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from recsys.decisions import Decision, PastShowings, decision
from recsys.ledger.customers.erasing import erased_among
from recsys.ledger.database import Database
from recsys.ledger.events.showings import Includes, read_showings
from recsys.ledger.schema import EXPOSURES
from recsys.ledger.statements import insert


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """One answer shown to a customer."""

    recommendation_id: str
    shown_ts: int
    placement: str
    model_version: str
    items: list[str]
    customer_id: str | None = None
    session_id: str | None = None
    location_id: str | None = None
    decision: Decision | None = None
    """What was left out, and why; None of exposures of older versions."""


class Exposures:
    """The ledger's exposures.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, exposures: Sequence[Exposure]) -> None:
        """Write exposures; a power failure may lose the last.

        Those of customers who were erased since the answer are left out.

        Parameters
        ----------
        exposures : sequence of Exposure
            The first exposure of each ``recommendation_id`` is kept.
        """
        rows = [
            msgspec.structs.asdict(shown)
            | {
                "items": msgspec.json.encode(shown.items),
                "decision": None if shown.decision is None else decision.encode(shown.decision),
            }
            for shown in exposures
        ]
        if not rows:
            return
        with self._database.writing(durable=False) as connection:
            named = {shown.customer_id for shown in exposures if shown.customer_id is not None}
            erased = erased_among(connection, named)
            kept = [row for row in rows if row["customer_id"] not in erased]
            if kept:
                connection.execute(insert(connection, EXPOSURES).on_conflict_do_nothing(), kept)

    def find(self, recommendation_id: str) -> Exposure | None:
        """Return what an answer showed and decided; None if it is unknown or forgotten.

        Parameters
        ----------
        recommendation_id : str
            Of the answer.
        """
        query = sa.select(EXPOSURES).where(EXPOSURES.c.recommendation_id == recommendation_id)
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else _read(row)

    def of_customer(self, own_ids: Sequence[str], most: int) -> list[Exposure]:
        """Return what a customer was shown, the latest first.

        Parameters
        ----------
        own_ids : sequence of str
            Every id of the customer.
        most : int
            Maximum number.
        """
        of = EXPOSURES.c
        query = sa.select(EXPOSURES).where(of.customer_id.in_(own_ids))
        query = query.order_by(of.shown_ts.desc(), of.recommendation_id).limit(most)
        with self._database.reading() as connection:
            return [_read(row) for row in connection.execute(query).mappings()]

    def showings(self, half_life_days: float, includes: Includes = lambda _: True) -> PastShowings:
        """Return what customers were shown and clicked on, to learn rotation from.

        Parameters
        ----------
        half_life_days : float
            As of ``decisions.Rotation``.
        includes : callable
            Whether somebody may be learned from, as ``exchange.Learnable.includes``; by default
            everybody.
        """
        with self._database.reading() as connection:
            return read_showings(connection, half_life_days, includes)

    def thin(self, before_ts: int, most: int = 2_000) -> int:
        """Delete some exposures before a time, and return their number.

        Parameters
        ----------
        before_ts : int
            UTC epoch seconds.
        most : int
            Maximum number to delete, oldest first; keep it small so that writers do not wait.

        Returns
        -------
        int
        """
        of = EXPOSURES.c
        old = sa.select(of.recommendation_id).where(of.shown_ts < before_ts)
        old = old.order_by(of.shown_ts).limit(most)
        with self._database.writing(durable=False) as connection:
            gone = connection.execute(EXPOSURES.delete().where(of.recommendation_id.in_(old)))
        return gone.rowcount


def _read(row: sa.RowMapping) -> Exposure:
    decided = None if row["decision"] is None else decision.decode(row["decision"])
    return Exposure(**{**row, "items": msgspec.json.decode(row["items"]), "decision": decided})
