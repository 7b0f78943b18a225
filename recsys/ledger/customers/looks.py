"""Notes who looked at which customer, and why, for whoever guards privacy.

In: a look at a person, before they are shown. Out: the list of looks. Called through
``Ledger.looks``.
"""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from recsys.ledger.database import Database
from recsys.ledger.schema import LOOKS


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody looked at a customer."""

    looked_ts: int
    """UTC epoch seconds."""
    looked_by: str
    """Name of the key; ``local`` where none was needed."""
    key_id: str | None
    page: str
    """Where: ``api``, or the name of a page."""
    reason: str
    """What they gave as a reason; may be empty."""
    own_id: str | None
    """Id of the customer; None after they were erased."""
    seq: int = 0
    """Number of the look, set by the ledger; numbers ascend."""


class Looks:
    """The ledger's looks.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, look: Look) -> None:
        """Write a look down durably.

        Parameters
        ----------
        look : Look

        Raises
        ------
        LedgerError
            When it cannot be written; then the customer must not be shown.
        """
        row = msgspec.structs.asdict(look)
        del row["seq"]
        with self._database.writing() as connection:
            connection.execute(LOOKS.insert(), row)

    def read(
        self, own_ids: Sequence[str] | None = None, before: int | None = None, most: int = 100
    ) -> list[Look]:
        """Return looks, the latest first.

        Parameters
        ----------
        own_ids : sequence of str, optional
            Only those at the customer who has these ids.
        before : int, optional
            Only those with a smaller number, for the next page.
        most : int
            Maximum number.
        """
        of = LOOKS.c
        query = sa.select(LOOKS).order_by(of.seq.desc()).limit(most)
        if own_ids is not None:
            query = query.where(of.own_id.in_(own_ids))
        if before is not None:
            query = query.where(of.seq < before)
        with self._database.reading() as connection:
            return [Look(**row) for row in connection.execute(query).mappings()]

    def thin(self, before_ts: int, most: int = 2_000) -> int:
        """Delete some looks before a time, and return their number.

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
        of = LOOKS.c
        old = sa.select(of.seq).where(of.looked_ts < before_ts).order_by(of.looked_ts).limit(most)
        with self._database.writing(durable=False) as connection:
            return connection.execute(LOOKS.delete().where(of.seq.in_(old))).rowcount
