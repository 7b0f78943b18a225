"""Removes everything about erased customers from the ledger's tables.

In: the ids of what was erased. Out: the same tables without the persons; orders and money stay.
Called by ``erasures``, by ``recording`` and by ``replacement``, in a writer's transaction.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Table

from recsys.ledger.customers.identity_lookup import session_own_id
from recsys.ledger.events.event_types import Event, Identifier, encode, read
from recsys.ledger.schema import (
    CONSENT_CHANGES,
    CONTACTS,
    ERASURES,
    EVENTS,
    EXPOSURES,
    HANDOVERS,
    HISTORIES,
    IDENTIFIERS,
    KEPT_ANSWERS,
    LOOKS,
    META,
    OFFERS,
    RESERVATIONS,
    SESSIONS,
)

#: What belongs to contacts and visits, and goes with them.
_BESIDE: Final = (RESERVATIONS, KEPT_ANSWERS, HANDOVERS, CONSENT_CHANGES)
#: Owner of the offers of erased customers; no id has this form.
NOBODY: Final = "erased"
_ERASED: Final = sa.select(ERASURES.c.own_id).where(ERASURES.c.erased)
_AT_ONCE: Final = 500
_NAMED_AT_ONCE: Final = 50
#: How late an exposure may be written after it was shown.
_LATE_SECONDS: Final = 86_400


class ErasedRows(msgspec.Struct, kw_only=True):
    """Counts of what an erasure removes, or would remove."""

    identifiers: int = 0
    """Known identifiers."""
    histories: int = 0
    """Rows of purchases and views, of the customer and of visits before a login."""
    contacts: int = 0
    """States of what was shown, refused, consented to and clicked."""
    visits: int = 0
    """Visits with a login."""
    exposures: int = 0
    """Answers that were shown, with what was decided."""
    events: int = 0
    """Events that stay, for products and money, without the person."""
    offers: int = 0
    """Offers that stay, for money, without an owner."""


def erased_among(connection: Connection, own_ids: Iterable[str]) -> set[str]:
    """Return those of some ids that were erased.

    Parameters
    ----------
    connection : Connection
    own_ids : iterable of str
    """
    found: set[str] = set()
    for page in _pages(own_ids):
        found |= set(connection.execute(_ERASED.where(ERASURES.c.own_id.in_(page))).scalars())
    return found


def without_person(event: Event) -> Event:
    """Return an event that names neither a customer nor a visit."""
    return msgspec.structs.replace(event, identifier=None, customer_id=None, session_id=None)


def count_rows(connection: Connection, own_ids: Collection[str]) -> ErasedRows:
    """Count what ``remove`` would remove.

    Parameters
    ----------
    connection : Connection
    own_ids : collection of str
        As of ``remove``.
    """
    person = _Person(connection, own_ids)
    scanned = Scanned.of(connection, own_ids)
    found = ErasedRows(exposures=len(scanned.exposures), events=len(scanned.events))
    for name, (table, column, keys) in person.keys().items():
        query = sa.select(sa.func.count()).select_from(table)
        counts = (connection.execute(query.where(column.in_(page))) for page in _pages(keys))
        setattr(found, name, sum(count.scalar_one() for count in counts))
    return found


@dataclass
class Scanned:
    """What a scan of the large tables found of some ids.

    A scan before the transaction of ``remove`` keeps other writers from waiting for it.
    """

    everyone: frozenset[str] = frozenset()
    """The ids, and those of the visits with a login of theirs."""
    events: dict[int, Event] = field(default_factory=dict)
    """By number."""
    exposures: set[str] = field(default_factory=set)
    last_event: int = 0
    """Number of the last event that was looked at."""
    shown_ts: int = 0
    """Time of the latest exposure that was looked at, UTC epoch seconds."""

    @classmethod
    def of(cls, connection: Connection, own_ids: Collection[str]) -> "Scanned":
        """Scan the tables for some ids."""
        last = connection.execute(sa.select(sa.func.max(EVENTS.c.seq))).scalar_one() or 0
        shown = connection.execute(sa.select(sa.func.max(EXPOSURES.c.shown_ts))).scalar_one() or 0
        person = _Person(connection, own_ids)
        events, exposures = person.events(), person.exposures()
        return cls(frozenset(person.everyone), events, exposures, last, shown)

    def completed(self, person: "_Person") -> "Scanned":
        """Add what was written since; scan again if there are more ids."""
        if self.everyone != frozenset(person.everyone):
            return Scanned(events=person.events(), exposures=person.exposures())
        events = self.events | person.events(self.last_event)
        late = person.exposures(self.shown_ts - _LATE_SECONDS)
        return Scanned(events=events, exposures=self.exposures | late)


def remove(
    connection: Connection, own_ids: Collection[str], scanned: Scanned | None = None
) -> ErasedRows:
    """Remove everything about some ids.

    Parameters
    ----------
    connection : Connection
        In a transaction that locks out other writers.
    own_ids : collection of str
        Of all identifiers of each customer, and their present customer ids.
    scanned : Scanned, optional
        What a scan just before the transaction found.

    Returns
    -------
    ErasedRows
        Zeros where it was removed before.

    Notes
    -----
    Events and exposures have no index by customer: a scan takes a second for half a million events.
    """
    person = _Person(connection, own_ids)
    found = (scanned or Scanned()).completed(person)
    removed = ErasedRows(exposures=len(found.exposures), events=len(found.events))
    for seq, event in found.events.items():
        values = {"own_id": None, "body": encode(without_person(event))}
        connection.execute(EVENTS.update().where(EVENTS.c.seq == seq).values(values))
    for page in _pages(found.exposures):
        of = EXPOSURES.c.recommendation_id
        connection.execute(EXPOSURES.delete().where(of.in_(page)))
    _separate(connection, own_ids)
    for page in _pages(person.everyone):
        for table in _BESIDE:
            connection.execute(table.delete().where(table.c.own_id.in_(page)))
        # Who looked stays, for whoever guards privacy; at whom does not.
        mine = LOOKS.update().where(LOOKS.c.own_id.in_(page))
        connection.execute(mine.values(own_id=None, reason=""))
    for name, (table, column, keys) in person.keys().items():
        statement: Any = table.delete()
        if table is OFFERS:
            statement = table.update().values(owner=NOBODY, kept_code=None)
        done = (connection.execute(statement.where(column.in_(page))) for page in _pages(keys))
        setattr(removed, name, sum(result.rowcount for result in done))
    return removed


def drop_returned(connection: Connection) -> None:
    """Remove erased identifiers that an ingest brought in, in its transaction.

    It read the exports before they were erased. Others who are joined with them have no history
    until the next ingest.
    """
    if connection.execute(_ERASED.limit(1)).scalar() is None:
        return
    joined = sa.select(IDENTIFIERS.c.customer_id).where(IDENTIFIERS.c.own_id.in_(_ERASED))
    joined = joined.where(IDENTIFIERS.c.customer_id.is_not(None))
    of = HISTORIES.c.customer_id
    connection.execute(HISTORIES.delete().where(sa.or_(of.in_(joined), of.in_(_ERASED))))
    connection.execute(IDENTIFIERS.delete().where(IDENTIFIERS.c.own_id.in_(_ERASED)))
    alone = IDENTIFIERS.update().values(customer_id=IDENTIFIERS.c.own_id)
    connection.execute(alone.where(IDENTIFIERS.c.customer_id.in_(_ERASED)))


class _Person:
    """Finds the rows of one or many customers."""

    def __init__(self, connection: Connection, own_ids: Collection[str]) -> None:
        self.connection = connection
        self.own_ids = own_ids
        self.visits = self._find(SESSIONS.c.session_id, SESSIONS.c.own_id, own_ids)
        self.everyone = [*own_ids, *map(session_own_id, self.visits)]

    def keys(self) -> dict[str, tuple[Table, sa.Column[Any], Collection[str]]]:
        """Return the tables whose rows are found by one column, and the values of it."""
        return {
            "identifiers": (IDENTIFIERS, IDENTIFIERS.c.own_id, self.own_ids),
            "histories": (HISTORIES, HISTORIES.c.customer_id, self.everyone),
            "contacts": (CONTACTS, CONTACTS.c.own_id, self.everyone),
            "visits": (SESSIONS, SESSIONS.c.session_id, self.visits),
            "offers": (OFFERS, OFFERS.c.owner, self.everyone),
        }

    def exposures(self, since_ts: int | None = None) -> set[str]:
        """Return the answers that were shown to the customers, or in their visits."""
        of = EXPOSURES.c
        since = () if since_ts is None else (of.shown_ts >= since_ts,)
        by_customer = self._find(of.recommendation_id, of.customer_id, self.own_ids, *since)
        return by_customer | self._find(of.recommendation_id, of.session_id, self.visits, *since)

    def events(self, after: int = 0) -> dict[int, Event]:
        """Return the events of the customers and of their visits, by number."""
        query = sa.select(EVENTS.c.seq, EVENTS.c.body).where(EVENTS.c.seq > after)
        found: dict[int, Event] = {}
        for page in _pages(self.everyone):
            rows = self.connection.execute(query.where(EVENTS.c.own_id.in_(page))).all()
            found |= {seq: event for seq, body in rows if (event := read(body)) is not None}
        # Also those that name an identifier and were taken for nobody's, or for another's.
        named = sa.select(IDENTIFIERS.c.type, IDENTIFIERS.c.value)
        for page in _pages(self.own_ids, _NAMED_AT_ONCE):
            keys = self.connection.execute(named.where(IDENTIFIERS.c.own_id.in_(page))).all()
            who = {Identifier(type=kind, value=value) for kind, value in keys}
            if who:
                rows = self.connection.execute(query.where(_contains(self.connection, who))).all()
                events = ((seq, read(body)) for seq, body in rows)
                found |= {seq: each for seq, each in events if each and each.identifier in who}
        return found

    def _find(
        self,
        wanted: sa.Column[Any],
        column: sa.Column[Any],
        keys: Collection[str],
        *also: sa.ColumnElement[bool],
    ) -> set[str]:
        found: set[str] = set()
        for page in _pages(keys):
            query = sa.select(wanted).where(column.in_(page), *also)
            found |= set(self.connection.execute(query).scalars())
        return found


def _separate(connection: Connection, own_ids: Collection[str]) -> None:
    """Separate others from the erased identifiers that they are joined with in an older ledger.

    They have no history until the next ingest writes it again.
    """
    of = IDENTIFIERS.c
    erased, customers, joined = set(own_ids), set[str](), set[str]()
    for page in _pages(own_ids):
        query = sa.select(of.customer_id).where(of.own_id.in_(page), of.customer_id.is_not(None))
        customers |= set(connection.execute(query).scalars())
        others = sa.select(of.own_id).where(of.customer_id.in_(page))
        joined |= set(connection.execute(others).scalars()) - erased
    for page in _pages(customers - erased):
        connection.execute(HISTORIES.delete().where(HISTORIES.c.customer_id.in_(page)))
    for page in _pages(joined):
        alone = IDENTIFIERS.update().values(customer_id=of.own_id)
        connection.execute(alone.where(of.own_id.in_(page)))
    if joined or customers - erased:
        connection.execute(META.update().where(META.c.key == "history_version").values(value=""))


def _pages(keys: Iterable[str], size: int = _AT_ONCE) -> Iterator[list[str]]:
    every = sorted(set(keys))
    for start in range(0, len(every), size):
        yield every[start : start + size]


def _contains(connection: Connection, who: Iterable[Identifier]) -> sa.ColumnElement[bool]:
    """Return whether the body of an event may hold one of some identifiers."""
    texts = [msgspec.json.encode(each) for each in who]
    if connection.dialect.name == "sqlite":
        return sa.or_(*(sa.func.instr(EVENTS.c.body, text) > 0 for text in texts))
    digits = sa.func.encode(EVENTS.c.body, "hex")
    return sa.or_(*(sa.func.strpos(digits, text.hex()) > 0 for text in texts))
