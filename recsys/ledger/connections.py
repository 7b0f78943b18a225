"""Creates a database's engine: checks the URL, creates the file, configures the database.

Used by ``database`` only.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry

from recsys.errors import LedgerError
from recsys.ledger.circuit_breaker import Timeouts, postgres_options
from recsys.ledger.schema import META

#: How long a writer waits for another one. Seconds.
WAIT_SECONDS: Final = 20.0
#: Execution option of a connection whose transaction writes.
WRITER: Final = "omnibasket_writer"
#: Another connection has the lock, or the disk is full or does not answer.
_AWAY_OF_SQLITE: Final = frozenset(
    (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL)
)
# Of a connection of SQLite: an accepted event survives a power failure, or a commit does not wait
# for the disk.
_DURABLE: Final = "PRAGMA synchronous = FULL"
_NOT_DURABLE: Final = "PRAGMA synchronous = NORMAL"


def checked(text: str) -> URL:
    """Parse a URL and add its driver."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise LedgerError(
            "[ledger] url is not an SQLAlchemy URL: write sqlite:///path or postgresql://user@host/name."
        ) from None
    backend = url.get_backend_name()
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite":
        if not url.database or url.database == ":memory:":
            raise LedgerError("[ledger] url: the ledger needs a file, not SQLite in memory.")
        return url.set(drivername="sqlite+pysqlite")
    raise LedgerError(f"[ledger] url: `{backend}` is not supported; use sqlite or postgresql.")


def make_engine(url: URL, *, create: bool, timeouts: Timeouts | None) -> Engine:
    """Create an engine without opening a connection."""
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "")
        if create:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                if not str(path).startswith("file:"):
                    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            except OSError as error:
                raise LedgerError(f"{path}: the ledger cannot be made: {error.strerror}.") from None
        elif not path.exists():
            raise LedgerError(f"{path}: there is no ledger yet. Run `omnibasket ingest` first.")
        _keep_from_others(path)
        engine = sa.create_engine(url, hide_parameters=True, connect_args={"timeout": WAIT_SECONDS})
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        options: dict[str, object] = {
            "connect_timeout": 10,
            "options": f"-c lock_timeout={int(WAIT_SECONDS)}s",
        }
        if timeouts is not None:
            options = postgres_options(timeouts)
        return sa.create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=options)
    except (ModuleNotFoundError, NoSuchModuleError):
        raise LedgerError(
            "[ledger] url: PostgreSQL needs psycopg: pip install 'omnibasket[postgres]'."
        ) from None


def _keep_from_others(path: Path) -> None:
    """Restrict an older ledger file that every user of the machine can read.

    SQLite gives its other files the same permissions.
    """
    for suffix in ("", "-wal", "-shm"):
        file = path.with_name(path.name + suffix)
        with suppress(OSError):  # owned by another user, who may share it with a group
            if file.stat().st_mode & 0o007:
                file.chmod(0o600)


def _set_up_sqlite(connection: Any, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # begin transactions explicitly
    cursor = connection.cursor()
    cursor.execute(_DURABLE)
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(WRITER) else "BEGIN")


@contextmanager
def not_durable(connection: Connection) -> Iterator[None]:
    """Let commits of the block wait for no disk, on SQLite."""
    raw: Any = connection.connection.driver_connection
    raw.execute(_NOT_DURABLE)
    try:
        yield
    finally:
        raw.execute(_DURABLE)


def commit_alone(raw: Any, *, is_sqlite: bool) -> None:
    """Let each statement of a driver's connection be a transaction, and wait for no disk."""
    if is_sqlite:
        raw.isolation_level = None  # the pool may have set another one
        raw.execute(_NOT_DURABLE)
    else:
        raw.autocommit = True
        raw.execute("SET synchronous_commit = off")


def log_ahead(path: Path, seconds: float) -> None:
    """Switch the file to write-ahead logging, which allows readers beside one writer.

    The switch needs exclusive access and does not wait for it, so it is retried.
    """
    deadline = time.monotonic() + seconds
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


def is_away(error: BaseException) -> bool:
    """Return whether an error only means that the database does not respond at present."""
    if isinstance(error, sqlite3.Error):
        return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _AWAY_OF_SQLITE
    return type(error).__module__.startswith("psycopg") and any(
        kind.__name__ == "OperationalError" for kind in type(error).__mro__
    )


def busy(seconds: float) -> str:
    """Return the statement that sets SQLite's wait for other connections."""
    return f"PRAGMA busy_timeout = {max(1, int(1000 * seconds))}"


def version_of(connection: Connection) -> int | None:
    """Return the schema version of a database; None if it has none."""
    row = connection.execute(
        sa.select(META.c.value).where(META.c.key == "schema_version")
    ).scalar_one_or_none()
    return int(row) if row is not None else None
