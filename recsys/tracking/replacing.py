"""Ingest's histories and identifiers replace the ledger's, without losing a live event.

Sorted rows come in, any number of them; the ledger is compared with them piece by piece, what
differs is laid aside in tables that only this connection sees, and one short transaction brings
it in and applies the live events that the rows do not hold yet. Channels go on asking and
reporting meanwhile. Called by ``Ledger.replace_histories``.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Table

from recsys.data.keyed_hash import customer_id_of
from recsys.errors import LedgerError
from recsys.matrices.interactions import KIND_OF
from recsys.tracking.counting import TOLD, apply, order_of, order_scopes, owners
from recsys.tracking.database import Database
from recsys.tracking.events import Event, decode
from recsys.tracking.people import find_identifiers, session_own_id
from recsys.tracking.rows import insert
from recsys.tracking.tables import (
    EVENTS,
    HISTORIES,
    IDENTIFIERS,
    META,
    STAGED,
    STAGED_HISTORIES,
    STAGED_IDENTIFIERS,
)

T = TypeVar("T")
Key = tuple[str, ...]
Row = tuple[Key, tuple[Any, ...], dict[str, Any]]

_PAGE: Final = 2_000


class Replaced(msgspec.Struct, frozen=True):
    """What replacing the histories changed."""

    customers: int
    """Customers that now have a history from ingest."""
    written: int
    """Rows that were new or different."""
    removed: int
    """Rows of customers that are no more."""
    identifiers: int
    """Identifiers that ingest knows."""
    reapplied: int
    """Live purchases and refunds that came in after the history was read."""


class Staged(msgspec.Struct):
    """How many rows came in, differ, and are gone."""

    seen: int = 0
    written: int = 0
    removed: int = 0


def replace(
    database: Database,
    version: str,
    rows: Iterable[tuple[str, bytes]],
    identifiers: Iterable[tuple[str, str, str, str | None]],
    *,
    contained: int,
    systems: Sequence[str],
    currency: str,
) -> Replaced:
    """Do what ``Ledger.replace_histories`` says."""
    with database.errors("cannot be written"), database.engine.connect() as connection:
        STAGED.drop_all(connection)
        STAGED.create_all(connection)
        connection.commit()
        try:
            histories = _stage(
                connection, HISTORIES, ("customer_id",), ("digest",), STAGED_HISTORIES,
                (
                    ((customer_id,), (_digest(row),), {"digest": _digest(row), "row": row})
                    for customer_id, row in rows
                ),
            )  # fmt: skip
            known = _stage(
                connection, IDENTIFIERS, ("type", "value"), ("own_id", "customer_id"),
                STAGED_IDENTIFIERS,
                (
                    ((kind, value), (own, now), {"own_id": own, "customer_id": now})
                    for kind, value, own, now in identifiers
                ),
            )  # fmt: skip
            with database.transaction(connection, alone=True):
                _bring_in(connection, STAGED_HISTORIES, HISTORIES, STAGED_HISTORIES.c.row)
                _bring_in(connection, STAGED_IDENTIFIERS, IDENTIFIERS, STAGED_IDENTIFIERS.c.own_id)
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
    return Replaced(histories.seen, histories.written, histories.removed, known.seen, reapplied)


def _digest(row: bytes) -> bytes:
    return hashlib.blake2b(row, digest_size=16).digest()


def _stage(
    connection: Connection,
    table: Table,
    key: Key,
    compared: Key,
    staged: Table,
    incoming: Iterable[Row],
) -> Staged:
    """Lay aside what must change in ``table`` so that it equals ``incoming``."""
    counts = Staged()
    differences = _differences(_existing(connection, table, key, compared), incoming, key, counts)
    statement = staged.insert()
    while page := list(islice(differences, _PAGE)):
        # Rows of one statement have the same fields.
        blank = dict.fromkeys(column.name for column in staged.columns)
        connection.execute(statement, [blank | row for row in page])
        connection.commit()
    connection.commit()
    return counts


def _existing(
    connection: Connection, table: Table, key: Key, compared: Key
) -> Iterator[tuple[Key, tuple[Any, ...]]]:
    """Read keys and compared columns in key order, a page a statement."""
    columns = [table.c[name] for name in key]
    query = sa.select(*columns, *(table.c[name] for name in compared))
    query = query.order_by(*columns).limit(_PAGE)
    page = connection.execute(query).all()
    while page:
        for row in page:
            yield tuple(row[: len(key)]), tuple(row[len(key) :])
        after = sa.tuple_(*columns) > sa.tuple_(
            *(sa.literal(part) for part in page[-1][: len(key)])
        )
        page = connection.execute(query.where(after)).all()


def _differences(
    existing: Iterator[tuple[Key, tuple[Any, ...]]],
    incoming: Iterable[Row],
    names: Key,
    counts: Staged,
) -> Iterator[dict[str, Any]]:
    """Merge two sorted streams; yield rows to write, and keys alone of rows to remove."""
    standing = next(existing, None)
    before: Key | None = None
    for key, value, columns in incoming:
        if before is not None and key <= before:
            raise LedgerError(
                f"rows for the ledger must be sorted by {', '.join(names)}, each once: "
                f"{'/'.join(key)!r} came after {'/'.join(before)!r}."
            )
        before = key
        counts.seen += 1
        while standing is not None and standing[0] < key:
            counts.removed += 1
            yield dict(zip(names, standing[0], strict=True))
            standing = next(existing, None)
        same = standing is not None and standing[0] == key
        if standing is None or standing != (key, value):
            counts.written += 1
            yield dict(zip(names, key, strict=True)) | columns
        if same:
            standing = next(existing, None)
    while standing is not None:
        counts.removed += 1
        yield dict(zip(names, standing[0], strict=True))
        standing = next(existing, None)


def _bring_in(connection: Connection, staged: Table, table: Table, present: sa.Column[Any]) -> None:
    """Write what was laid aside; rows without ``present`` are removed."""
    key = [column.name for column in table.primary_key.columns]
    names = [column.name for column in staged.columns]
    gone = sa.select(*(staged.c[name] for name in key)).where(present.is_(None))
    connection.execute(table.delete().where(sa.tuple_(*(table.c[name] for name in key)).in_(gone)))
    new = sa.select(*staged.columns).where(present.is_not(None))
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
    """Apply what came in after event number ``contained``; return the number of orders."""
    reapplied, last = 0, contained
    query = (
        sa.select(EVENTS.c.seq, EVENTS.c.own_id, EVENTS.c.counted, EVENTS.c.body)
        .where(EVENTS.c.event.in_((*TOLD, "login")))
        .order_by(EVENTS.c.seq)
        .limit(_PAGE)
    )
    while page := connection.execute(query.where(EVENTS.c.seq > last)).all():
        last = page[-1].seq
        events = [decode(row.body) for row in page]
        named = [event.identifier for event in events if event.identifier is not None]
        known = find_identifiers(connection, named)
        new = {(who.type, who.value) for who in named} - known.keys()
        if new:
            rows = [
                {"type": kind, "value": value, "own_id": own_id, "customer_id": own_id}
                for kind, value, own_id in sorted((*key, customer_id_of(*key)) for key in new)
            ]
            connection.execute(insert(connection, IDENTIFIERS).on_conflict_do_nothing(), rows)
        orders = order_scopes(connection, events)
        visits = owners(connection, (event.session_id for event in events if event.session_id))
        counted = []
        for row, event in zip(page, events, strict=True):
            if event.event in KIND_OF:
                counted.append((event, _looker(event, row.own_id, visits), event.scope))
            elif row.counted and event.event != "login":
                scope = order_of(event, orders)[0] if event.event == "refund" else event.scope
                counted.append((event, row.own_id, scope))
                reapplied += 1
        apply(connection, counted, currency)
    return reapplied


def _looker(event: Event, own_id: str | None, visits: Mapping[str, str]) -> str | None:
    """Whose a view or a cart is: of a visit of nobody, who logged in to it later, if anybody."""
    if event.session_id is None or own_id != session_own_id(event.session_id):
        return own_id
    return visits.get(event.session_id)
