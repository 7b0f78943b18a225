"""Erases customers for good: removes them, and marks what may not be stored again.

In: a customer or an identifier. Out: a ledger without them, and marks in it and in a file beside
it, so that neither an export, nor an event, nor a ledger restored from an older backup brings them
back. Called by ``Ledger``, by the service, by the ingest and by ``omnibasket erase``.
"""

from collections.abc import Collection, Iterable
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from recsys.identity import customer_id_of
from recsys.ledger.customers.erasing import (
    ErasedRows,
    Scanned,
    count_rows,
    erased_among,
    remove,
)
from recsys.ledger.customers.identity_lookup import resolve_ids
from recsys.ledger.database import Database
from recsys.ledger.events.event_types import Identifier
from recsys.ledger.mark_file import Mark, MarkFile, latest
from recsys.ledger.schema import (
    CONSENT_CHANGES,
    CONTACTS,
    ERASURES,
    HANDOVERS,
    HISTORIES,
    IDENTIFIERS,
    KEPT_ANSWERS,
    LOOKS,
    OFFERS,
    RESERVATIONS,
)
from recsys.ledger.statements import insert
from recsys.units import DAY

# A constant, because ``Database.one`` compiles each statement once.
_MARK: Final = sa.select(ERASURES.c.erased).where(ERASURES.c.own_id == sa.bindparam("own_id"))
#: Where an answer or an offer may write a customer who is erased at the same time.
_WRITTEN_AT_ONCE: Final = (
    CONTACTS.c.own_id,
    HISTORIES.c.customer_id,
    IDENTIFIERS.c.own_id,
    OFFERS.c.owner,
    KEPT_ANSWERS.c.own_id,
    RESERVATIONS.c.own_id,
    HANDOVERS.c.own_id,
    CONSENT_CHANGES.c.own_id,
    LOOKS.c.own_id,
)


class Erasures:
    """The ledger's erasures.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def is_erased(
        self, *, customer_id: str | None = None, identifier: Identifier | None = None
    ) -> bool:
        """Return whether a customer was erased; one short statement.

        Parameters
        ----------
        customer_id : str, optional
            Any id ever given out.
        identifier : Identifier, optional
            Sealed. It takes precedence.
        """
        if identifier is not None:
            customer_id = customer_id_of(identifier.type, identifier.value)
        if customer_id is None:
            return False
        row = self._database.one(_MARK, own_id=customer_id)
        return row is not None and bool(row[0])

    def ids_of(
        self, *, customer_id: str | None = None, identifier: Identifier | None = None
    ) -> list[str]:
        """Return every id of a customer: those to erase.

        Parameters
        ----------
        customer_id : str, optional
            Any id ever given out.
        identifier : Identifier, optional
            Sealed. It takes precedence.

        Returns
        -------
        list of str
            Empty for an unknown ``customer_id``, and for an identifier that names nobody because
            many share it. Of an unknown identifier its own id, which can be marked nevertheless.
        """
        if identifier is None:
            with self._database.reading() as connection:
                return _ids_of(connection, customer_id or "") or []
        own_id = customer_id_of(identifier.type, identifier.value)
        with self._database.reading() as connection:
            found = _ids_of(connection, own_id)
        return [own_id] if found is None else found

    def preview(self, own_ids: Collection[str]) -> ErasedRows:
        """Count what erasing some ids would remove.

        Parameters
        ----------
        own_ids : collection of str
            From ``ids_of``.
        """
        with self._database.reading() as connection:
            return count_rows(connection, own_ids)

    def erase(self, own_ids: Collection[str], at_ts: int, file: MarkFile) -> ErasedRows:
        """Erase a customer durably, and mark their ids.

        Parameters
        ----------
        own_ids : collection of str
            From ``ids_of``. What was linked to them meanwhile is erased with them.
        at_ts : int
            Now, UTC epoch seconds.
        file : MarkFile
            Of the workspace.

        Returns
        -------
        ErasedRows
            Zeros where they were erased before.

        Raises
        ------
        LedgerError
            When it cannot be written. If the marks are in the file by then, the next process that
            opens the ledger erases them.

        Notes
        -----
        Other writers wait meanwhile. Events and orders stay without the person, as their money and
        products count; everything else about them goes.
        """
        with self._database.reading() as connection:
            scanned = Scanned.of(connection, _all_ids(connection, own_ids))
        with self._database.writing(alone=True) as connection:
            every = _all_ids(connection, own_ids)
            at_ts = max([at_ts, *_times(connection, every)])  # a clock that went back loses no mark
            marks = [Mark(own_id, at_ts) for own_id in sorted(every)]
            # First into the file: what is on disk there is erased whatever becomes of the ledger.
            file.append(marks)
            _write(connection, marks)
            return remove(connection, every, scanned)

    def lift(self, own_ids: Collection[str], at_ts: int, file: MarkFile) -> int:
        """Allow erased ids to be stored again, because the person came back by their own wish.

        Parameters
        ----------
        own_ids : collection of str
        at_ts : int
            Now, UTC epoch seconds.
        file : MarkFile
            Of the workspace.

        Returns
        -------
        int
            How many of the ids were erased. What was removed does not come back, nor what exports
            hold of the time before.

        Raises
        ------
        LedgerError
            When it cannot be written.
        """
        with self._database.writing(alone=True) as connection:
            erased = erased_among(connection, own_ids)
            times = _times(connection, erased)
            marks = [
                Mark(own_id, max([at_ts, *(ts + 1 for ts in times)]), erased=False)
                for own_id in sorted(erased)
            ]
            file.append(marks)
            _write(connection, marks)
        return len(marks)

    def merge(self, file: MarkFile) -> int:
        """Bring the marks of the ledger and of its file together, and erase what they name.

        Parameters
        ----------
        file : MarkFile
            Of the workspace.

        Returns
        -------
        int
            Number of marks that only the file had, as after a restored backup; what they name was
            erased again.

        Raises
        ------
        LedgerError
            When the file is damaged, or one of both cannot be written.
        """
        in_file, in_ledger = file.read(), self._marks()
        both = latest([*in_file.values(), *in_ledger.values()])
        file.append(mark for own_id, mark in sorted(both.items()) if mark != in_file.get(own_id))
        new = [mark for own_id, mark in sorted(both.items()) if mark != in_ledger.get(own_id)]
        if new:
            with self._database.writing(alone=True) as connection:
                _write(connection, new)
                erased = erased_among(connection, (mark.own_id for mark in new))
                remove(connection, erased)
        return len(new)

    def marks(self) -> list[Mark]:
        """Return the mark of each id that was ever erased, by id."""
        return [mark for _, mark in sorted(self._marks().items())]

    def sweep(self, now_ts: int, days: float = 1.0) -> None:
        """Remove what answers wrote about customers while these were being erased.

        Parameters
        ----------
        now_ts : int
            UTC epoch seconds.
        days : float
            Only erasures of so many days are looked at.
        """
        of = ERASURES.c
        recent = sa.select(of.own_id).where(of.erased, of.marked_ts > now_ts - days * DAY)
        with self._database.reading() as connection:
            left = {
                own_id
                for column in _WRITTEN_AT_ONCE
                for own_id in connection.execute(sa.select(column).where(column.in_(recent)))
                .scalars()
                .all()
            }
        if left:
            with self._database.writing(alone=True) as connection:
                remove(connection, erased_among(connection, left))

    def _marks(self) -> dict[str, Mark]:
        of = ERASURES.c
        query = sa.select(of.own_id, of.marked_ts, of.erased)
        with self._database.reading() as connection:
            return {row.own_id: Mark(*row) for row in connection.execute(query)}


def _ids_of(connection: Connection, own_id: str) -> list[str] | None:
    """Return every id of the customer who has one; none of a blocked id, None for an unknown."""
    known = resolve_ids(connection, [own_id])
    if own_id not in known:
        return None
    present = known[own_id]
    if present is None:
        return []
    alike = sa.select(IDENTIFIERS.c.own_id).where(IDENTIFIERS.c.customer_id == present)
    return sorted({own_id, present, *connection.execute(alike).scalars()})


def _all_ids(connection: Connection, own_ids: Collection[str]) -> set[str]:
    """Return some ids with those that are linked to them now."""
    linked = {each for own_id in own_ids for each in _ids_of(connection, own_id) or ()}
    return {*own_ids, *linked}


def _times(connection: Connection, own_ids: Collection[str]) -> list[int]:
    query = sa.select(ERASURES.c.marked_ts).where(ERASURES.c.own_id.in_(sorted(own_ids)))
    return list(connection.execute(query).scalars())


def _write(connection: Connection, marks: Iterable[Mark]) -> None:
    rows: list[dict[str, Any]] = [
        {"own_id": mark.own_id, "marked_ts": mark.marked_ts, "erased": mark.erased}
        for mark in marks
    ]
    if rows:
        statement = insert(connection, ERASURES)
        values = {name: statement.excluded[name] for name in ("marked_ts", "erased")}
        statement = statement.on_conflict_do_update(
            index_elements=["own_id"],
            set_=values,
            where=statement.excluded.marked_ts >= ERASURES.c.marked_ts,
        )
        connection.execute(statement, rows)
