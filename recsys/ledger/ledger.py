"""The ledger: state that persists between requests and between ingests.

It holds histories, identifiers, visits, events and exposures, in SQLite or PostgreSQL. The service
reads customers and writes events and exposures; the ingest reads the live events and replaces the
histories; the commands read.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Final

import msgspec
import sqlalchemy as sa

from recsys.datasets import EMPTY, CustomerHistory, unpack_history
from recsys.ledger.api_keys import Keys
from recsys.ledger.catalogue_updates import CatalogueStore
from recsys.ledger.circuit_breaker import Timeouts
from recsys.ledger.connections import WAIT_SECONDS
from recsys.ledger.customers.contacts import Contacts
from recsys.ledger.customers.customer_lookup import Customer, find_customer, read_history
from recsys.ledger.customers.customer_records import CustomerRecords
from recsys.ledger.customers.erasures import Erasures
from recsys.ledger.customers.handovers import Handovers
from recsys.ledger.customers.identity_lookup import find_identifiers, resolve_ids
from recsys.ledger.customers.looks import Looks
from recsys.ledger.customers.replacement import ReplacedRows, replace_rows
from recsys.ledger.database import Database
from recsys.ledger.events.event_types import Event, Identifier, read
from recsys.ledger.events.exposures import Exposure, Exposures
from recsys.ledger.events.recording import Outcome, record
from recsys.ledger.offers.decisions import Decisions
from recsys.ledger.offers.offers import Offers
from recsys.ledger.schema import EVENTS, HISTORIES, META
from recsys.ledger.screens import Screens

__all__ = ["Customer", "Exposure", "Ledger", "LiveEvent", "Outcome", "ReplacedRows", "Timeouts"]

_PAGE: Final = 2_000


class LiveEvent(msgspec.Struct, frozen=True):
    """An accepted event as read by the ingest."""

    seq: int
    """Number of the event; numbers ascend in the order of acceptance."""
    received_ts: int
    own_id: str | None
    """``own_id`` of its customer; None if it has none."""
    counted: bool
    """False if another event reported the same order, or only a page reported it."""
    page: bool
    """Whether a page reported it, with a public key."""
    event: Event | None
    """The sealed event, with hashed identifiers and session ids; None if unreadable."""


class Ledger:
    """The ledger in one database. Threads may share it.

    Parameters
    ----------
    database : Database
        An opened database.
    currency : str
        ISO 4217 code of prices without a currency.

    Attributes
    ----------
    keys : Keys
        API keys of the service.
    backoffice : CatalogueStore
        Updates of products, locations and stock.
    decisions, offers : Decisions, Offers
        Marketers' decisions about bundles; bundles promised to customers.
    contacts : Contacts
        What was shown to customers, what became of it, and what they said.
    handovers : Handovers
        Codes that hand a visit over.
    exposures : Exposures
        Answers that were shown, with what was decided.
    erasures : Erasures
        Who was erased, and may not be stored again.
    looks : Looks
        Who looked at which customer.
    records : CustomerRecords
        Identifiers and visits of customers.
    screens : Screens
        Screens in stores, and how they are paired.
    """

    def __init__(self, database: Database, currency: str) -> None:
        self._database = database
        self.keys = Keys(database)
        self.backoffice = CatalogueStore(database)
        self.decisions = Decisions(database)
        self.offers = Offers(database)
        self.contacts = Contacts(database)
        self.handovers = Handovers(database)
        self.exposures = Exposures(database)
        self.erasures = Erasures(database)
        self.looks = Looks(database)
        self.records = CustomerRecords(database)
        self.screens = Screens(database)
        self.currency = currency

    @classmethod
    def open(
        cls,
        url: str,
        *,
        create: bool = True,
        currency: str = "EUR",
        timeouts: Timeouts | None = None,
    ) -> "Ledger":
        """Open a ledger.

        Parameters
        ----------
        url : str
            SQLAlchemy URL, as ``Config.ledger_url`` gives it.
        create : bool
            Create the ledger if it does not exist.
        currency : str
            ISO 4217 code of prices without a currency.
        timeouts : Timeouts, optional
            Limits every wait for the database, and opens even if it does not respond: all calls
            then raise ``LedgerAwayError`` until ``prepare`` succeeds. By default, calls wait.

        Raises
        ------
        LedgerError
            When it cannot be opened, is missing, or was written by a newer version.
        """
        return cls(Database(url, create=create, timeouts=timeouts), currency)

    def prepare(self) -> None:
        """Prepare the database if not yet done.

        Raises
        ------
        LedgerError
            When that fails; ``LedgerAwayError`` if a retry may succeed.
        """
        self._database.prepare()

    @property
    def prepared(self) -> bool:
        """Whether the database was ever reached."""
        return self._database.prepared

    @property
    def trouble(self) -> str | None:
        """Why some queries fail at present; None if none do."""
        return self._database.trouble

    def hurrying(self, name: str) -> AbstractContextManager[None]:
        """Run a block within the time limit of an answer, unless its name is suspended.

        Parameters
        ----------
        name : str
            When blocks of that name keep failing, they raise ``LedgerAwayError`` for a while.

        Returns
        -------
        context manager
        """
        timeouts = self._database.timeouts or Timeouts(
            write_seconds=WAIT_SECONDS, read_seconds=WAIT_SECONDS
        )
        return self._database.hurrying(name, timeouts.read_seconds)

    def close(self) -> None:
        """Close its connections."""
        self._database.close()

    def ping(self) -> None:
        """Check that the database responds.

        Raises
        ------
        LedgerError
            When it does not respond.
        """
        with self._database.reading() as connection:
            connection.execute(sa.select(META.c.value).limit(1)).scalar_one_or_none()

    def meta(self) -> dict[str, str]:
        """Return the ledger's metadata: schema_version, history_version, …."""
        with self._database.reading() as connection:
            return dict(connection.execute(sa.select(META.c.key, META.c.value)).all())

    def resolve(self, kind: str, value: str) -> str | None:
        """Return the customer behind a stored (hashed) identifier; None if it has none.

        Parameters
        ----------
        kind : str
            Identifier type, such as ``email``.
        value : str
            As ``KeyedHash.identifier`` gives it.

        Returns
        -------
        str or None
            Id of the customer.
        """
        wanted = Identifier(type=kind, value=value)
        with self._database.reading() as connection:
            return find_identifiers(connection, [wanted]).get((kind, value), ("", None))[1]

    def resolve_id(self, customer_id: str) -> str | None:
        """Return the current customer behind an id issued at any time, or None.

        Parameters
        ----------
        customer_id : str
            Any id ever given out.

        Returns
        -------
        str or None
        """
        with self._database.reading() as connection:
            return resolve_ids(connection, [customer_id]).get(customer_id)

    def customer(
        self,
        *,
        customer_id: str | None = None,
        identifier: Identifier | None = None,
        session_id: str | None = None,
        as_of_ts: int,
    ) -> Customer:
        """Read the customer that a request names, with one or two statements.

        Parameters
        ----------
        customer_id : str, optional
            Any id ever given out.
        identifier : Identifier, optional
            Sealed. It takes precedence over the other two.
        session_id : str, optional
            Sealed.
        as_of_ts : int
            The time of the question, UTC epoch seconds; a visit without events for
            ``SESSION_DAYS`` before it is over.
        """
        return find_customer(
            self._database,
            customer_id=customer_id,
            identifier=identifier,
            session_id=session_id,
            as_of_ts=as_of_ts,
        )

    def history(self, customer_id: str) -> CustomerHistory:
        """Return the purchases of a current customer; ``EMPTY`` for an unknown one.

        Parameters
        ----------
        customer_id : str
            A current customer id, from ``resolve_id``.
        """
        return read_history(self._database, customer_id)

    def histories(self, customer_ids: Sequence[str]) -> list[CustomerHistory]:
        """Return the purchases of many current customers, in the same order.

        Parameters
        ----------
        customer_ids : sequence of str
            Current customer ids, from ``resolve_id``; ``EMPTY`` for an unknown one.

        Returns
        -------
        list of CustomerHistory
        """
        by_customer: dict[str, CustomerHistory] = {}
        query = sa.select(HISTORIES.c.customer_id, HISTORIES.c.row)
        with self._database.reading() as connection:
            for start in range(0, len(customer_ids), _PAGE):
                page = customer_ids[start : start + _PAGE]
                rows = connection.execute(query.where(HISTORIES.c.customer_id.in_(page)))
                by_customer.update((customer_id, unpack_history(row)) for customer_id, row in rows)
        return [by_customer.get(customer_id, EMPTY) for customer_id in customer_ids]

    # Events

    def add_events(
        self, events: Sequence[Event], received_ts: int, *, page: bool = False
    ) -> list[Outcome]:
        """Write events in one durable transaction.

        Parameters
        ----------
        events : sequence of Event
            Checked and sealed (``recsys.ledger.events.event_types``).
        received_ts : int
            Now, UTC epoch seconds.
        page : bool
            Whether a page reports them: purchases then count once another source confirms them.

        Returns
        -------
        list of Outcome
            One per event, in the same order.

        Raises
        ------
        LedgerError
            When writing fails; then no event is written.
        """
        with self._database.writing() as connection:
            return record(connection, events, received_ts, self.currency, page=page)

    # Ingest

    def mark(self) -> int:
        """Return the number of the latest event; all earlier events are committed.

        The ingest calls it before ``live_events`` and passes it to ``replace_histories``.
        """
        with self._database.writing(alone=True) as connection:
            return connection.execute(sa.select(sa.func.max(EVENTS.c.seq))).scalar_one() or 0

    def live_events(self, until: int | None = None, after: int = 0) -> Iterator[LiveEvent]:
        """Read accepted events in the order of acceptance, page by page.

        Parameters
        ----------
        until : int, optional
            Number of the last event to read, from ``mark``; all by default.
        after : int
            Number of the event after which to begin.
        """
        of = EVENTS.c
        query = sa.select(of.seq, of.received_ts, of.own_id, of.counted, of.page, of.body)
        query = query.order_by(of.seq).limit(_PAGE)
        if until is not None:
            query = query.where(of.seq <= until)
        while True:
            with self._database.reading() as connection:
                page = connection.execute(query.where(of.seq > after)).all()
            for row in page:
                yield LiveEvent(
                    row.seq, row.received_ts, row.own_id, row.counted, row.page, read(row.body)
                )
            if len(page) < _PAGE:
                return
            after = page[-1].seq

    def replace_histories(
        self,
        version: str,
        rows: Iterable[tuple[str, bytes]],
        identifiers: Iterable[tuple[str, str, str, str | None]],
        *,
        contained: int = 0,
        systems: Sequence[str] = (),
    ) -> ReplacedRows:
        """Replace the histories by those of an ingest, in one transaction.

        Only rows that differ are written; missing customers and identifiers are removed. Events
        after number ``contained`` are applied on top unless the rows have them already, so no
        accepted event is lost or counted twice.

        Parameters
        ----------
        version : str
            Name of the history.
        rows : iterable of (customer_id, packed row)
            Sorted by customer_id. Read once, page by page.
        identifiers : iterable of (type, value, own_id, customer_id or None)
            Sorted by type, then value.
        contained : int
            ``mark`` before the ingest began to read the live events.
        systems : sequence of str
            Systems whose orders are in the rows, with ids of the form ``<system>:<number>``.

        Raises
        ------
        LedgerError
            When rows are not sorted or cannot be written; then nothing has changed.
        """
        return replace_rows(
            self._database,
            version,
            rows,
            identifiers,
            contained=contained,
            systems=systems,
            currency=self.currency,
        )
