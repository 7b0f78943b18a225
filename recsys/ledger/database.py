"""Connections to the ledger's database: SQLite by default, PostgreSQL by URL.

Opens an engine, makes the tables, and hands out transactions. A writer on SQLite begins with
``BEGIN IMMEDIATE``: a transaction that starts by reading and then writes would fail at once
whenever another one wrote in between. Used by other modules of ``recsys.ledger`` only.
"""

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import SQLAlchemyError

from recsys.errors import LedgerAwayError, LedgerError
from recsys.ledger.circuit_breaker import (
    CircuitBreaker,
    Connector,
    Timeouts,
    connect_postgres,
    left,
    postgres_options,
    within,
)
from recsys.ledger.connections import (
    WAIT_SECONDS,
    WRITER,
    busy,
    checked,
    is_away,
    log_ahead,
    make_engine,
    version_of,
)
from recsys.ledger.migrations import UPGRADES
from recsys.ledger.schema import META, METADATA, SCHEMA_VERSION
from recsys.messages import without_secrets

#: Key of PostgreSQL's advisory lock: shared by writers of events, taken alone by whoever needs
#: that none is under way.
_LOCK: Final = 0x6F6D6E69  # "omni"


class Database:
    """One engine and its transactions; threads may share it.

    Parameters
    ----------
    url : str
        SQLAlchemy URL of SQLite or PostgreSQL.
    create : bool
        Make the database file and the tables where there are none.
    timeouts : Timeouts, optional
        Give up in time, and open without a database that answers: ``prepare`` is asked until it
        does. By default everything waits.

    Raises
    ------
    LedgerError
        When it cannot be opened, or was written by a newer version.
    """

    def __init__(self, url: str, *, create: bool = True, timeouts: Timeouts | None = None) -> None:
        self.url = checked(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.timeouts = timeouts
        self.prepared = False
        self.engine = make_engine(self.url, create=create, timeouts=timeouts)
        self._create = create
        self._driver_error: type[Exception] = self.engine.dialect.loaded_dbapi.Error
        # By the statement itself: while it is a key, its identity is not given to another one.
        self._compiled: dict[sa.Select[Any], tuple[str, Sequence[str] | None]] = {}
        self._thread = threading.local()
        self._of_threads: set[Any] = set()
        self._circuits: dict[sa.Select[Any] | str, CircuitBreaker] = {}
        of_server = timeouts is not None and not self.is_sqlite
        self._connector = Connector() if of_server else None
        if timeouts is not None and self._connector is not None:
            self._listen(timeouts, self._connector)
        try:
            self.prepare()
        except LedgerAwayError:
            if timeouts is None:
                self.engine.dispose()
                raise
        except BaseException:
            self.engine.dispose()
            raise

    def prepare(self) -> None:
        """Make the database ready, once.

        Raises ``LedgerError`` when it cannot be, as the constructor does.
        """
        if self.prepared:
            return
        with self._in_time(), self.errors("cannot be opened"):
            if self.is_sqlite and self.url.database:
                log_ahead(Path(self.url.database), self._wait())
            self._prepare(create=self._create)
        self.prepared = True

    @property
    def trouble(self) -> str | None:
        """Why something is not asked at present; None where everything is."""
        open_ones = (circuit.reason for circuit in list(self._circuits.values()))
        return next((reason for reason in open_ones if reason is not None), None)

    @contextmanager
    def hurrying(self, name: str, seconds: float) -> Iterator[None]:
        """Run a block within ``seconds``; where one of that name failed, not for a while.

        Raises ``LedgerAwayError`` when the last ones failed.
        """
        circuit = self._circuits.setdefault(name, CircuitBreaker())
        circuit.admit()
        try:
            with within(seconds):
                yield
        except LedgerError as error:
            circuit.fail(str(error))
            raise
        circuit.succeed()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Write no more for a while after a write that waited in vain as long as it may."""
        if self.timeouts is None:
            yield
            return
        circuit = self._circuits.setdefault("writes", CircuitBreaker())
        circuit.admit()
        whole = left(self.timeouts.write_seconds) >= self.timeouts.write_seconds
        try:
            yield
        except LedgerAwayError as error:
            if whole:  # and not only as long as an answer has for it
                circuit.fail(str(error))
            raise
        circuit.succeed()

    def _wait(self) -> float:
        """How long something may take that is no answer's read. Seconds."""
        return WAIT_SECONDS if self.timeouts is None else left(self.timeouts.write_seconds)

    def _in_time(self) -> AbstractContextManager[None]:
        return nullcontext() if self.timeouts is None else within(self.timeouts.write_seconds)

    def _taken(self, engine: Engine) -> Connection:
        """Take a connection in time; each statement on it has as long again."""
        with self._in_time():
            return engine.connect()

    def _need_prepared(self) -> None:
        if not self.prepared and self.timeouts is not None:
            raise LedgerAwayError("the ledger has not been reached yet.")

    def _listen(self, timeouts: Timeouts, connector: Connector) -> None:
        """Have the pool's connections opened in time."""

        def connect(_dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
            open_one = partial(connect_postgres, timeouts, arguments, options)
            return connector.within(open_one, left(timeouts.write_seconds))

        event.listen(self.engine, "do_connect", connect)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection on which every statement sees what is committed by then."""
        self._need_prepared()
        with self.errors("cannot be read"), self._taken(self._autocommit()) as connection:
            self._limit(connection)
            yield connection

    @contextmanager
    def writing(self, *, alone: bool = False, durable: bool = True) -> Iterator[Connection]:
        """Give a connection in a transaction that commits when the block ends.

        Parameters
        ----------
        alone, durable : bool
            As ``transaction``.
        """
        self._need_prepared()
        with (
            self._guarded(),
            self.errors("cannot be written"),
            self._taken(self.engine) as connection,
            self.transaction(connection, alone=alone, durable=durable),
        ):
            yield connection

    @contextmanager
    def transaction(
        self, connection: Connection, *, alone: bool = False, durable: bool = True
    ) -> Iterator[None]:
        """Run the block in a writer's transaction of ``connection``, and commit.

        Parameters
        ----------
        connection : Connection
            In no transaction.
        alone : bool
            Wait until no other writer is under way, and keep others out. On SQLite every writer
            is alone.
        durable : bool
            False: a power cut may lose what was written; PostgreSQL then need not wait for the
            disk.
        """
        connection.execution_options(**{WRITER: True})
        self._limit(connection)
        try:
            with connection.begin():
                if not self.is_sqlite:
                    lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
                    connection.exec_driver_sql(f"SELECT {lock}({_LOCK})")
                    if not durable:
                        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
                yield
        finally:
            connection.execution_options(**{WRITER: False})

    def _limit(self, connection: Connection) -> None:
        """Have SQLite wait no longer than may be; PostgreSQL's connections see to it themselves."""
        if self.timeouts is not None and self.is_sqlite:
            raw: Any = connection.connection.driver_connection
            raw.execute(busy(left(self.timeouts.write_seconds)))

    def one(self, statement: sa.Select[Any], **values: Any) -> tuple[Any, ...] | None:
        """Read the first row of a statement, in a twentieth of the time that ``reading`` takes.

        A request's reads go this way: on one connection a thread, without a transaction.

        Parameters
        ----------
        statement : Select
            A constant of a module: it is compiled once and kept.
        **values
            Its parameters.
        """
        row: tuple[Any, ...] | None = self._ask(statement, values, "fetchone")
        return row

    def rows(self, statement: sa.Select[Any], **values: Any) -> list[tuple[Any, ...]]:
        """Read every row of a statement, as quickly as ``one`` reads the first."""
        found: list[tuple[Any, ...]] = self._ask(statement, values, "fetchall")
        return found

    def _ask(self, statement: sa.Select[Any], values: Mapping[str, Any], fetch: str) -> Any:
        text, names = self._compiled.get(statement) or self._compile(statement)
        given = values if names is None else [values[name] for name in names]
        if self.timeouts is None:
            return self._try(text, given, fetch)
        self._need_prepared()
        circuit = self._circuits.setdefault(statement, CircuitBreaker())
        circuit.admit()
        try:
            with within(self.timeouts.read_seconds):
                found = self._try(text, given, fetch)
        except LedgerError as error:
            circuit.fail(str(error))
            raise
        circuit.succeed()
        return found

    def _try(self, text: str, given: Any, fetch: str) -> Any:
        try:
            return self._fetch(text, given, fetch)
        except self._driver_error:  # the server may have been started anew: ask once more
            self._leave_thread()
        try:
            return self._fetch(text, given, fetch)
        except self._driver_error as error:
            self._leave_thread()
            raise self._explained("cannot be read", error) from error

    def _compile(self, statement: sa.Select[Any]) -> tuple[str, Sequence[str] | None]:
        compiled = statement.compile(dialect=self.engine.dialect)
        prepared = str(compiled), getattr(compiled, "positiontup", None)
        self._compiled[statement] = prepared
        return prepared

    def _fetch(self, text: str, given: Any, fetch: str) -> Any:
        connection = getattr(self._thread, "connection", None) or self._enter_thread()
        if self.timeouts is not None and self.is_sqlite:
            wait = left(self.timeouts.read_seconds)
            if wait < 0.5 * self._thread.waits or wait > self._thread.waits:
                connection.execute(busy(wait))
                self._thread.waits = wait
        return getattr(connection.execute(text, given), fetch)()

    def _enter_thread(self) -> Any:
        """Open this thread's own connection, which no pool takes back."""
        with self.errors("cannot be read"):
            if self._connector is not None and self.timeouts is not None:
                connection = self._connected_in_time(self._connector, self.timeouts)
            else:
                pooled = self.engine.raw_connection()
                connection = pooled.driver_connection
                pooled.detach()
        if not self.is_sqlite:
            connection.autocommit = True
        self._of_threads.add(connection)
        self._thread.connection, self._thread.waits = connection, WAIT_SECONDS
        return connection

    def _connected_in_time(self, connector: Connector, timeouts: Timeouts) -> Any:
        """Connect; where it takes longer than may be, this thread's next question finds it."""
        begun = getattr(self._thread, "begun", None)
        if begun is None:
            arguments, options = self.engine.dialect.create_connect_args(self.url)
            options = {**options, **postgres_options(timeouts)}
            open_one = partial(connect_postgres, timeouts, arguments, options)
            begun = self._thread.begun = connector.begin(open_one)
        connection = connector.wait(begun, left(timeouts.read_seconds))
        self._thread.begun = None
        return connection

    def _leave_thread(self) -> None:
        connection = getattr(self._thread, "connection", None)
        if connection is not None:
            self._of_threads.discard(connection)
            with suppress(self._driver_error):
                connection.close()
        begun = getattr(self._thread, "begun", None)
        if begun is not None and begun.done():
            self._thread.begun = None
        self._thread.connection = None

    def close(self) -> None:
        """Close every connection."""
        while self._of_threads:
            self._of_threads.pop().close()
        self._thread = threading.local()
        self.engine.dispose()
        if self._connector is not None:
            self._connector.stop()

    @contextmanager
    def errors(self, what: str) -> Iterator[None]:
        """Turn the database's errors into ``LedgerError``; a busy one is told apart."""
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise self._explained(what, error) from error

    def _explained(self, what: str, error: Exception) -> LedgerError:
        cause = getattr(error, "orig", None) or error
        reason = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
        kind = LedgerAwayError if is_away(cause) else LedgerError
        return kind(f"the ledger {without_secrets(repr(self.url))} {what}: {reason}.")

    def _autocommit(self) -> Engine:
        return self.engine.execution_options(isolation_level="AUTOCOMMIT")

    def _prepare(self, *, create: bool) -> None:
        with self._autocommit().connect() as connection:
            known = sa.inspect(connection).has_table(META.name)
            version = version_of(connection) if known else None
        where = without_secrets(repr(self.url))
        if version is None:
            if not create:
                raise LedgerError(
                    f"{where}: there is no ledger yet. Run `omnibasket ingest` first."
                )
            with self.engine.connect() as connection, self.transaction(connection, alone=True):
                METADATA.create_all(connection)
                if version_of(connection) is None:
                    row = {"key": "schema_version", "value": str(SCHEMA_VERSION)}
                    connection.execute(META.insert(), row)
                version = version_of(connection)
        elif version in UPGRADES:
            version = self._upgrade()
        if version != SCHEMA_VERSION:
            raise LedgerError(
                f"the ledger {where} has schema {version}, this version of omnibasket reads "
                f"{SCHEMA_VERSION}. Install the version that wrote it, or name another ledger with "
                "[ledger] url."
            )

    def _upgrade(self) -> int | None:
        """Bring an older ledger to the present schema, in one transaction; return the schema.

        Another process may be doing the same, or have done it by now.
        """
        with self.engine.connect() as connection, self.transaction(connection, alone=True):
            version = version_of(connection)
            while version in UPGRADES:
                for change in UPGRADES[version]:
                    change(connection)
                version += 1
            METADATA.create_all(connection)
            row = {"value": str(version)}
            connection.execute(META.update().where(META.c.key == "schema_version"), row)
        return version
