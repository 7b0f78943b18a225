"""What was shown to whom: written in batches, and forgotten after a while, a little at a time.

Called by ``Ledger``; the service's background thread has it written and thinned.
"""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from recsys.ledger.database import Database
from recsys.ledger.schema import EXPOSURES
from recsys.ledger.statements import insert


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """One answer that was shown."""

    recommendation_id: str
    shown_ts: int
    placement: str
    model_version: str
    items: list[str]
    customer_id: str | None = None
    session_id: str | None = None
    location_id: str | None = None


def write_exposures(database: Database, exposures: Sequence[Exposure]) -> None:
    """Do what ``Ledger.record_exposures`` says."""
    rows = [
        msgspec.structs.asdict(shown) | {"items": msgspec.json.encode(shown.items)}
        for shown in exposures
    ]
    if rows:
        with database.writing(durable=False) as connection:
            connection.execute(insert(connection, EXPOSURES).on_conflict_do_nothing(), rows)


def thin_exposures(database: Database, before_ts: int, most: int) -> int:
    """Do what ``Ledger.thin_exposures`` says; the oldest go first.

    Parameters
    ----------
    database : Database
    before_ts : int
        UTC epoch seconds.
    most : int
        So few at a time that no other writer waits for long.
    """
    of = EXPOSURES.c
    old = sa.select(of.recommendation_id).where(of.shown_ts < before_ts)
    old = old.order_by(of.shown_ts).limit(most)
    with database.writing(durable=False) as connection:
        gone = connection.execute(EXPOSURES.delete().where(of.recommendation_id.in_(old)))
    return gone.rowcount
