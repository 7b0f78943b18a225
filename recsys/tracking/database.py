"""Connections to the ledger's database: SQLite by default, PostgreSQL by URL.

Opens an engine, makes the tables, and hands out transactions. A writer on SQLite begins with
``BEGIN IMMEDIATE``: a transaction that starts by reading and then writes would fail at once
whenever another one wrote in between. Used by the other modules of this stage only.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from recsys.errors import LedgerError
from recsys.tracking.tables import META, METADATA, SCHEMA_VERSION
from recsys.tracking.upgrading import UPGRADES

#: How long a writer waits for another one before it gives up. Seconds.
WAIT_SECONDS: Final = 20.0

#: Key of PostgreSQL's advisory lock: shared by writers of events, taken alone by whoever needs
#: that none is under way.
_LOCK: Final = 0x6F6D6E69  # "omni"
_WRITER = "omnibasket_writer"


class Database:
    """One engine and its transactions; threads may share it.

    Parameters
    ----------
    url : str
        SQLAlchemy URL of SQLite or PostgreSQL.
    create : bool
        Make the database file and the tables where there are none.

    Raises
    ------
    LedgerError
        When it cannot be opened, or was written by a newer version.
    """

    def __init__(self, url: str, *, create: bool = True) -> None:
        self.url = _checked(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _engine(self.url, create=create)
        self._driver_error: type[Exception] = self.engine.dialect.loaded_dbapi.Error
        self._compiled: dict[int, tuple[str, Sequence[str] | None]] = {}
        self._thread = threading.local()
        self._of_threads: set[PoolProxiedConnection] = set()
        try:
            with self.errors("cannot be opened"):
                if self.is_sqlite and self.url.database:
                    _log_ahead(Path(self.url.database))
                self._prepare(create=create)
        except BaseException:
            self.engine.dispose()
            raise

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection on which every statement sees what is committed by then."""
        with self.errors("cannot be read"), self._autocommit().connect() as connection:
            yield connection

    @contextmanager
    def writing(self, *, alone: bool = False, durable: bool = True) -> Iterator[Connection]:
        """Give a connection in a transaction that commits when the block ends.

        Parameters
        ----------
        alone, durable : bool
            As ``transaction``.
        """
        with (
            self.errors("cannot be written"),
            self.engine.connect() as connection,
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
        connection.execution_options(**{_WRITER: True})
        try:
            with connection.begin():
                if not self.is_sqlite:
                    lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
                    connection.exec_driver_sql(f"SELECT {lock}({_LOCK})")
                    if not durable:
                        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
                yield
        finally:
            connection.execution_options(**{_WRITER: False})

    def one(self, statement: sa.Select[Any], **values: Any) -> tuple[Any, ...] | None:
        """Read the first row of a statement, with as little as possible before the driver.

        A request's reads go this way: on one connection a thread, compiled once, without a
        transaction, in a twentieth of the time that ``reading`` takes.

        Parameters
        ----------
        statement : Select
            A constant of a module.
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
        text, names = self._compiled.get(id(statement)) or self._compile(statement)
        given = values if names is None else [values[name] for name in names]
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
        # Statements are constants, so an id is never given to another one.
        self._compiled[id(statement)] = str(compiled), getattr(compiled, "positiontup", None)
        return self._compiled[id(statement)]

    def _fetch(self, text: str, given: Any, fetch: str) -> Any:
        connection = getattr(self._thread, "connection", None) or self._enter_thread()
        return getattr(connection.execute(text, given), fetch)()

    def _enter_thread(self) -> Any:
        """Open this thread's own connection, which no pool takes back."""
        with self.errors("cannot be read"):
            pooled = self.engine.raw_connection()
        connection: Any = pooled.driver_connection
        pooled.detach()
        if not self.is_sqlite:
            connection.autocommit = True
        self._of_threads.add(pooled)
        self._thread.pooled, self._thread.connection = pooled, connection
        return connection

    def _leave_thread(self) -> None:
        pooled = getattr(self._thread, "pooled", None)
        if pooled is not None:
            self._of_threads.discard(pooled)
            pooled.invalidate()
        self._thread.pooled = self._thread.connection = None

    def close(self) -> None:
        """Close every connection."""
        while self._of_threads:
            self._of_threads.pop().close()
        self._thread = threading.local()
        self.engine.dispose()

    @contextmanager
    def errors(self, what: str) -> Iterator[None]:
        """Turn the database's errors into ``LedgerError``; a busy one is told apart."""
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise self._explained(what, error) from error

    def _explained(self, what: str, error: Exception) -> LedgerError:
        cause = getattr(error, "orig", None) or error
        name = self.url.render_as_string(hide_password=True)
        reason = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
        return LedgerError(f"the ledger {name} {what}: {reason}.")

    def _autocommit(self) -> Engine:
        return self.engine.execution_options(isolation_level="AUTOCOMMIT")

    def _prepare(self, *, create: bool) -> None:
        with self._autocommit().connect() as connection:
            known = sa.inspect(connection).has_table(META.name)
            version = _version(connection) if known else None
        where = self.url.render_as_string(hide_password=True)
        if version is None:
            if not create:
                raise LedgerError(
                    f"{where}: there is no ledger yet. Run `omnibasket ingest` first."
                )
            with self.engine.connect() as connection, self.transaction(connection, alone=True):
                METADATA.create_all(connection)
                if _version(connection) is None:
                    row = {"key": "schema_version", "value": str(SCHEMA_VERSION)}
                    connection.execute(META.insert(), row)
                version = _version(connection)
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
            version = _version(connection)
            while version in UPGRADES:
                for change in UPGRADES[version]:
                    change(connection)
                version += 1
            METADATA.create_all(connection)
            row = {"value": str(version)}
            connection.execute(META.update().where(META.c.key == "schema_version"), row)
        return version


def _version(connection: Connection) -> int | None:
    found = connection.execute(
        sa.select(META.c.value).where(META.c.key == "schema_version")
    ).scalar_one_or_none()
    return int(found) if found is not None else None


def _checked(text: str) -> URL:
    try:
        url = make_url(text)
    except ArgumentError:
        raise LedgerError(
            "[ledger] url is no SQLAlchemy URL: write sqlite:///path or postgresql://user@host/name."
        ) from None
    backend = url.get_backend_name()
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite":
        if not url.database or url.database == ":memory:":
            raise LedgerError("[ledger] url: the ledger needs a file, not SQLite in memory.")
        return url.set(drivername="sqlite+pysqlite")
    raise LedgerError(f"[ledger] url: `{backend}` is not supported; use sqlite or postgresql.")


def _engine(url: URL, *, create: bool) -> Engine:
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "")
        if create:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise LedgerError(f"{path}: the ledger cannot be made: {error.strerror}.") from None
        elif not path.exists():
            raise LedgerError(f"{path}: there is no ledger yet. Run `omnibasket ingest` first.")
        engine = sa.create_engine(url, hide_parameters=True, connect_args={"timeout": WAIT_SECONDS})
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        options = {"connect_timeout": 10, "options": f"-c lock_timeout={int(WAIT_SECONDS)}s"}
        return sa.create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=options)
    except (ModuleNotFoundError, NoSuchModuleError):
        raise LedgerError(
            "[ledger] url: PostgreSQL needs psycopg: pip install 'omnibasket[postgres]'."
        ) from None


def _set_up_sqlite(connection: Any, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions begin where we say so
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = FULL")  # an accepted event survives a power cut
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(_WRITER) else "BEGIN")


def _log_ahead(path: Path) -> None:
    """Switch the file to write-ahead logging, which lets readers and one writer go on at once.

    The switch needs the file for itself and does not wait for it, so it is tried again.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            with sqlite3.connect(path, timeout=1.0) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
            connection.close()
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
