"""Replaces the ledger's histories and identifiers after an ingest, without losing live events.

In: any number of sorted rows. They are compared with the ledger page by page, and differences are
staged in tables private to the connection. One short transaction writes them and applies the live
events that the rows do not yet include. Channels continue to work meanwhile. Called by
``Ledger.replace_histories``.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Table

from recsys.datasets import interactions
from recsys.errors import LedgerError
from recsys.identity import customer_id_of
from recsys.ledger.customers.erasing import drop_returned
from recsys.ledger.customers.identity_lookup import find_identifiers, session_own_id
from recsys.ledger.customers.live_updates import (
    HISTORY_EVENTS,
    apply_events,
    order_of,
    order_scopes,
    owners,
)
from recsys.ledger.database import Database
from recsys.ledger.events.event_types import Event, read
from recsys.ledger.schema import (
    EVENTS,
    HISTORIES,
    IDENTIFIERS,
    META,
)
from recsys.ledger.staged_tables import STAGED, STAGED_HISTORIES, STAGED_IDENTIFIERS
from recsys.ledger.statements import insert

Key = tuple[str, ...]
#: Values of a table's columns in order: the key, the compared columns, and the rest.
Row = tuple[Any, ...]

_PAGE: Final = 2_000


class ReplacedRows(msgspec.Struct, frozen=True):
    """Counts of the changes of a replacement."""

    customers: int
    """Customers with a history from the ingest."""
    written: int
    """New or changed rows."""
    removed: int
    """Removed rows of customers."""
    identifiers: int
    """Identifiers from the ingest."""
    reapplied: int
    """Live purchases and refunds received after the history was read."""


class StagedRows(msgspec.Struct):
    """Numbers of incoming, changed and removed rows."""

    seen: int = 0
    written: int = 0
    removed: int = 0


def replace_rows(
    database: Database,
    version: str,
    rows: Iterable[tuple[str, bytes]],
    identifiers: Iterable[tuple[str, str, str, str | None]],
    *,
    contained: int,
    systems: Sequence[str],
    currency: str,
) -> ReplacedRows:
    """Implement ``Ledger.replace_histories``."""
    with database.errors("cannot be written"), database.engine.connect() as connection:
        STAGED.drop_all(connection)
        STAGED.create_all(connection)
        connection.commit()
        try:
            named = ((customer_id, _digest(row), row) for customer_id, row in rows)
            histories = _stage(connection, HISTORIES, 2, STAGED_HISTORIES, named)
            known = _stage(connection, IDENTIFIERS, 4, STAGED_IDENTIFIERS, identifiers)
            with database.transaction(connection, alone=True):
                _bring_in(connection, STAGED_HISTORIES, HISTORIES, "row", histories)
                _bring_in(connection, STAGED_IDENTIFIERS, IDENTIFIERS, "own_id", known)
                drop_returned(connection)
                _remember(
                    connection,
                    history_version=version,
                    contained=str(contained),
                    systems=json.dumps(sorted(systems)),
                )
                reapplied = _reapply(connection, contained, currency)
        finally:
            STAGED.drop_all(connection)
            connection.commit()
    return ReplacedRows(histories.seen, histories.written, histories.removed, known.seen, reapplied)


def _digest(row: bytes) -> bytes:
    return hashlib.blake2b(row, digest_size=16).digest()


def _stage(
    connection: Connection, table: Table, compared: int, staged: Table, incoming: Iterable[Row]
) -> StagedRows:
    """Stage the changes that make ``table`` equal to ``incoming``.

    Parameters
    ----------
    connection : Connection
    table, staged : Table
        Tables with the same columns in the same order, key first.
    compared : int
        Number of leading columns that are compared.
    incoming : iterable of Row
        Sorted by key.
    """
    counts = StagedRows()
    names = [column.name for column in table.primary_key.columns]
    existing = _existing(connection, [*table.c][:compared], len(names))
    differences = _differences(existing, incoming, names, compared, len(staged.c), counts)
    # Directly through the driver: SQLAlchemy's value processing is not needed.
    statement = staged.insert().compile(dialect=connection.dialect)
    columns = [column.name for column in staged.columns]
    while page := list(islice(differences, _PAGE)):
        parameters: list[Any] = page
        if not statement.positional:
            parameters = [dict(zip(columns, row, strict=True)) for row in page]
        connection.exec_driver_sql(str(statement), parameters)
        connection.commit()
    connection.commit()
    return counts


def _existing(
    connection: Connection, compared: Sequence[sa.Column[Any]], n_key: int
) -> Iterator[Row]:
    """Read the compared columns in key order, one page per statement."""
    key = compared[:n_key]
    query = sa.select(*compared).order_by(*key).limit(_PAGE)
    page = connection.execute(query).all()
    while page:
        yield from map(tuple, page)
        if len(page) < _PAGE:
            return
        after = sa.tuple_(*key) > sa.tuple_(*map(sa.literal, page[-1][:n_key]))
        page = connection.execute(query.where(after)).all()


def _differences(
    existing: Iterator[Row],
    incoming: Iterable[Row],
    names: Sequence[str],
    compared: int,
    width: int,
    counts: StagedRows,
) -> Iterator[Row]:
    """Merge two sorted streams; yield rows to write, and keys alone of rows to remove."""
    n_key = len(names)
    blank = (None,) * (width - n_key)
    standing = next(existing, None)
    before: Row | None = None
    for row in incoming:
        key = row[:n_key]
        if before is not None and key <= before:
            raise LedgerError(
                f"rows for the ledger must be sorted by {', '.join(names)}, each once: "
                f"{'/'.join(key)!r} came after {'/'.join(before)!r}."
            )
        before = key
        counts.seen += 1
        while standing is not None and standing[:n_key] < key:
            counts.removed += 1
            yield standing[:n_key] + blank
            standing = next(existing, None)
        same = standing is not None and standing[:n_key] == key
        if standing is None or standing != row[:compared]:
            counts.written += 1
            yield row
        if same:
            standing = next(existing, None)
    while standing is not None:
        counts.removed += 1
        yield standing[:n_key] + blank
        standing = next(existing, None)


def _bring_in(
    connection: Connection, staged: Table, table: Table, present: str, counts: StagedRows
) -> None:
    """Write the staged rows; remove rows without ``present``."""
    key = [column.name for column in table.primary_key.columns]
    names = [column.name for column in staged.columns]
    if counts.removed:
        gone = sa.select(*(staged.c[name] for name in key)).where(staged.c[present].is_(None))
        keys = sa.tuple_(*(table.c[name] for name in key))
        connection.execute(table.delete().where(keys.in_(gone)))
    if counts.written:
        new = sa.select(*staged.columns).where(staged.c[present].is_not(None))
        statement = insert(connection, table).from_select(names, new)
        values = {name: statement.excluded[name] for name in names if name not in key}
        connection.execute(statement.on_conflict_do_update(index_elements=key, set_=values))


def _remember(connection: Connection, **values: str) -> None:
    statement = insert(connection, META)
    statement = statement.on_conflict_do_update(
        index_elements=["key"], set_={"value": statement.excluded.value}
    )
    connection.execute(statement, [{"key": k, "value": v} for k, v in values.items()])


def _reapply(connection: Connection, contained: int, currency: str) -> int:
    """Apply the events after number ``contained``; return the number of orders."""
    reapplied, last = 0, contained
    query = (
        sa.select(EVENTS.c.seq, EVENTS.c.own_id, EVENTS.c.counted, EVENTS.c.page, EVENTS.c.body)
        .where(EVENTS.c.event.in_((*HISTORY_EVENTS, "login")))
        .order_by(EVENTS.c.seq)
        .limit(_PAGE)
    )
    while page := connection.execute(query.where(EVENTS.c.seq > last)).all():
        last = page[-1].seq
        readable = [(row, event) for row in page if (event := read(row.body)) is not None]
        events = [event for _, event in readable]
        identifiers = [event.identifier for event in events if event.identifier is not None]
        known = find_identifiers(connection, identifiers)
        new = {(who.type, who.value) for who in identifiers} - known.keys()
        if new:
            rows = [
                {"type": kind, "value": value, "own_id": own_id, "customer_id": own_id}
                for kind, value, own_id in sorted((*key, customer_id_of(*key)) for key in new)
            ]
            connection.execute(insert(connection, IDENTIFIERS).on_conflict_do_nothing(), rows)
        orders = order_scopes(connection, events)
        visits = owners(connection, (event.session_id for event in events if event.session_id))
        counted = []
        for row, event in readable:
            if event.event in interactions.KIND_OF:
                counted.append((event, _looker(event, row.own_id, visits), event.scope))
            elif row.page and _of_nobody(event, row.own_id):
                counted.append((event, row.own_id, event.scope))
            elif row.counted and event.event != "login":
                scope = order_of(event, orders)[0] if event.event == "refund" else event.scope
                counted.append((event, row.own_id, scope))
                reapplied += 1
        apply_events(connection, counted, currency)
    return reapplied


def _of_nobody(event: Event, own_id: str | None) -> bool:
    """Return whether an event belongs to a visit before a login."""
    return event.session_id is not None and own_id == session_own_id(event.session_id)


def _looker(event: Event, own_id: str | None, visits: Mapping[str, str]) -> str | None:
    """Return the owner of a view or cart; for a visit without a login, who logged in later."""
    if event.session_id is None or own_id != session_own_id(event.session_id):
        return own_id
    return visits.get(event.session_id)
