"""Connections to the ledger's database: SQLite by default, PostgreSQL by URL.

Opens an engine, creates the tables, and provides transactions. A writer on SQLite begins with
``BEGIN IMMEDIATE``, because a transaction that reads first fails if another one writes before it
does. Used by other modules of ``recsys.ledger`` only.
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
    CircuitBreakers,
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
    commit_alone,
    is_away,
    log_ahead,
    make_engine,
    not_durable,
    version_of,
)
from recsys.ledger.migrations import UPGRADES, bring_up_to_date
from recsys.ledger.schema import META, SCHEMA_VERSION
from recsys.messages import without_secrets

#: Key of PostgreSQL's advisory lock: shared by writers of events, exclusive for operations that
#: need no concurrent writer.
_LOCK: Final = 0x6F6D6E69  # "omni"
#: A module's constant, so that it is compiled once.
_Statement = sa.Select[Any] | sa.Update | sa.Insert


class Database:
    """One engine and its transactions; threads may share it.

    Parameters
    ----------
    url : str
        SQLAlchemy URL of SQLite or PostgreSQL.
    create : bool
        Create the database file and the tables if missing.
    timeouts : Timeouts, optional
        Limit every wait, and open even if the database does not respond: ``prepare`` is retried
        until it does. By default, calls wait.

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
        # Keyed by the statement itself, which keeps it alive and its identity unique.
        self._compiled: dict[_Statement, tuple[str, Sequence[str] | None]] = {}
        self._thread = threading.local()
        self._of_threads: set[Any] = set()
        self._breakers = CircuitBreakers()
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
        """Prepare the database, once.

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
        """Return why some queries fail at present; None if none do."""
        return self._breakers.trouble

    def hurrying(self, name: str, seconds: float) -> AbstractContextManager[None]:
        """Run a block within ``seconds``, unless its name is suspended after failures.

        Raises ``LedgerAwayError`` while it is suspended.
        """
        return self._breakers.within(seconds, name)

    def _guarded(self, name: str) -> AbstractContextManager[None]:
        """Suspend queries of a kind for a while after they have timed out."""
        if self.timeouts is None:
            return nullcontext()
        return self._breakers.unless_away(name, self.timeouts.write_seconds)

    def _wait(self) -> float:
        """Return the time limit of queries other than an answer's reads. Seconds."""
        return WAIT_SECONDS if self.timeouts is None else left(self.timeouts.write_seconds)

    def _in_time(self) -> AbstractContextManager[None]:
        return nullcontext() if self.timeouts is None else within(self.timeouts.write_seconds)

    def _taken(self, engine: Engine) -> Connection:
        """Get a connection within the limit; each statement on it has the same limit."""
        with self._in_time():
            return engine.connect()

    def _need_prepared(self) -> None:
        if not self.prepared and self.timeouts is not None:
            raise LedgerAwayError("the ledger has not been reached yet.")

    def _listen(self, timeouts: Timeouts, connector: Connector) -> None:
        """Open the pool's connections within the time limit."""

        def connect(_dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
            open_one = partial(connect_postgres, timeouts, arguments, options)
            return connector.within(open_one, left(timeouts.write_seconds))

        event.listen(self.engine, "do_connect", connect)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection on which every statement sees the latest committed data."""
        self._need_prepared()
        with (
            self._guarded("reads"),
            self.errors("cannot be read"),
            self._taken(self._autocommit()) as connection,
        ):
            self._limit(connection)
            yield connection

    @contextmanager
    def writing(self, *, alone: bool = False, durable: bool = True) -> Iterator[Connection]:
        """Yield a connection in a transaction that commits when the block ends.

        Parameters
        ----------
        alone, durable : bool
            As in ``transaction``.
        """
        self._need_prepared()
        with (
            self._guarded("writes"),
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
            Wait for other writers to finish, and lock them out. On SQLite every writer is
            exclusive.
        durable : bool
            If False, a power failure may lose the data, and nobody waits for the disk.
        """
        connection.execution_options(**{WRITER: True})
        self._limit(connection)
        unsynced = self.is_sqlite and not durable
        try:
            with not_durable(connection) if unsynced else nullcontext(), connection.begin():
                if not self.is_sqlite:
                    lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
                    connection.exec_driver_sql(f"SELECT {lock}({_LOCK})")
                    if not durable:
                        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
                yield
        finally:
            connection.execution_options(**{WRITER: False})

    def _limit(self, connection: Connection) -> None:
        """Limit the waits of SQLite; PostgreSQL's connections have limits of their own."""
        if self.timeouts is not None and self.is_sqlite:
            raw: Any = connection.connection.driver_connection
            raw.execute(busy(left(self.timeouts.write_seconds)))

    def one(self, statement: sa.Select[Any], **values: Any) -> tuple[Any, ...] | None:
        """Read the first row of a statement, in a twentieth of the time of ``reading``.

        For a request's reads: on one connection per thread, without a transaction.

        Parameters
        ----------
        statement : Select
            A module constant: it is compiled once and cached.
        **values
            Its parameters.
        """
        row: tuple[Any, ...] | None = self._ask(statement, values, "fetchone")
        return row

    def rows(self, statement: sa.Select[Any], **values: Any) -> list[tuple[Any, ...]]:
        """Read every row of a statement, as quickly as ``one`` reads the first."""
        result: list[tuple[Any, ...]] = self._ask(statement, values, "fetchall")
        return result

    def change(self, statement: sa.Update | sa.Insert, **values: Any) -> bool:
        """Run a statement in a transaction of its own, in a tenth of the time of ``writing``.

        A power failure may lose it.

        Parameters
        ----------
        statement : Update or Insert
            A module constant, as of ``one``. Where the connection breaks it may be run twice.
        **values
            Its parameters.

        Returns
        -------
        bool
            Whether it changed a row.
        """
        return bool(self._ask(statement, values, None))

    def _ask(self, statement: _Statement, values: Mapping[str, Any], fetch: str | None) -> Any:
        text, names = self._compiled.get(statement) or self._compile(statement)
        parameters = values if names is None else [values[name] for name in names]
        if self.timeouts is None:
            return self._try(text, parameters, fetch)
        self._need_prepared()
        with self._breakers.within(self.timeouts.read_seconds, statement):
            return self._try(text, parameters, fetch)

    def _try(self, text: str, parameters: Any, fetch: str | None) -> Any:
        try:
            return self._fetch(text, parameters, fetch)
        except self._driver_error:  # the server may have restarted: retry once
            self._leave_thread()
        try:
            return self._fetch(text, parameters, fetch)
        except self._driver_error as error:
            self._leave_thread()
            raise self._explained("cannot be read", error) from error

    def _compile(self, statement: _Statement) -> tuple[str, Sequence[str] | None]:
        compiled = statement.compile(dialect=self.engine.dialect)
        prepared = str(compiled), getattr(compiled, "positiontup", None)
        self._compiled[statement] = prepared
        return prepared

    def _fetch(self, text: str, parameters: Any, fetch: str | None) -> Any:
        connection = getattr(self._thread, "connection", None) or self._enter_thread()
        if self.timeouts is not None and self.is_sqlite:
            wait = left(self.timeouts.read_seconds)
            if not 0.8 < wait / self._thread.waits <= 1.25:
                connection.execute(busy(wait))
                self._thread.waits = wait
        cursor = connection.execute(text, parameters)
        return cursor.rowcount if fetch is None else getattr(cursor, fetch)()

    def _enter_thread(self) -> Any:
        """Open this thread's own connection, outside the pool."""
        with self.errors("cannot be read"):
            if self._connector is not None and self.timeouts is not None:
                connection = self._connected_in_time(self._connector, self.timeouts)
            else:
                pooled = self.engine.raw_connection()
                connection = pooled.driver_connection
                pooled.detach()
        commit_alone(connection, is_sqlite=self.is_sqlite)
        self._of_threads.add(connection)
        self._thread.connection, self._thread.waits = connection, WAIT_SECONDS
        return connection

    def _connected_in_time(self, connector: Connector, timeouts: Timeouts) -> Any:
        """Connect; a late connection serves this thread's next query."""
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
        """Convert the database's errors to ``LedgerError``, or ``LedgerAwayError`` if busy."""
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
        if version is None and not create:
            raise LedgerError(f"{where}: there is no ledger yet. Run `omnibasket ingest` first.")
        if version is None or version in UPGRADES:
            with self.engine.connect() as connection, self.transaction(connection, alone=True):
                version = bring_up_to_date(connection)
        if version != SCHEMA_VERSION:
            raise LedgerError(
                f"the ledger {where} has schema {version}, this version of omnibasket reads "
                f"{SCHEMA_VERSION}. Install the version that wrote it, or use another ledger with "
                "[ledger] url."
            )
