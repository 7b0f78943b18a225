"""Writes exposures in batches, and deletes old ones in small steps.

Called by ``Ledger``, from the service's background thread.
"""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from recsys.ledger.database import Database
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


def write_exposures(database: Database, exposures: Sequence[Exposure]) -> None:
    """Implement ``Ledger.record_exposures``."""
    rows = [
        msgspec.structs.asdict(shown) | {"items": msgspec.json.encode(shown.items)}
        for shown in exposures
    ]
    if rows:
        with database.writing(durable=False) as connection:
            connection.execute(insert(connection, EXPOSURES).on_conflict_do_nothing(), rows)


def thin_exposures(database: Database, before_ts: int, most: int) -> int:
    """Implement ``Ledger.thin_exposures``; delete the oldest first.

    Parameters
    ----------
    database : Database
    before_ts : int
        UTC epoch seconds.
    most : int
        Maximum number to delete; keep it small so that writers do not wait.
    """
    of = EXPOSURES.c
    old = sa.select(of.recommendation_id).where(of.shown_ts < before_ts)
    old = old.order_by(of.shown_ts).limit(most)
    with database.writing(durable=False) as connection:
        gone = connection.execute(EXPOSURES.delete().where(of.recommendation_id.in_(old)))
    return gone.rowcount
