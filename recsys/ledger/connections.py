"""A database's engine: its URL checked, its file made, SQLite and PostgreSQL set up alike.

Used by ``database`` only.
"""

import os
import sqlite3
import time
from contextlib import suppress
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

#: How long a writer waits for another one before it gives up. Seconds.
WAIT_SECONDS: Final = 20.0
#: Execution option of a connection whose transaction writes.
WRITER: Final = "omnibasket_writer"


def checked(text: str) -> URL:
    """Read a URL, with the driver that is used for it."""
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


def make_engine(url: URL, *, create: bool, timeouts: Timeouts | None) -> Engine:
    """Make an engine; opens nothing yet."""
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
    """Close an older ledger, which was made readable to everybody on the machine.

    SQLite makes the files beside it like it.
    """
    for suffix in ("", "-wal", "-shm"):
        file = path.with_name(path.name + suffix)
        with suppress(OSError):  # another user's, who may have given it to a group
            if file.stat().st_mode & 0o007:
                file.chmod(0o600)


def _set_up_sqlite(connection: Any, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions begin where we say so
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = FULL")  # an accepted event survives a power cut
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(WRITER) else "BEGIN")


def log_ahead(path: Path, seconds: float) -> None:
    """Switch the file to write-ahead logging, which lets readers and one writer go on at once.

    The switch needs the file for itself and does not wait for it, so it is tried again.
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
    """Whether the database itself is fine, as far as is known, and only does not answer now."""
    if isinstance(error, sqlite3.Error):
        return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)
    return type(error).__module__.startswith("psycopg") and any(
        kind.__name__ == "OperationalError" for kind in type(error).__mro__
    )


def busy(seconds: float) -> str:
    """Write how long SQLite waits for others."""
    return f"PRAGMA busy_timeout = {max(1, int(1000 * seconds))}"


def version_of(connection: Connection) -> int | None:
    """Return the schema that a database says it has; None where it says none."""
    found = connection.execute(
        sa.select(META.c.value).where(META.c.key == "schema_version")
    ).scalar_one_or_none()
    return int(found) if found is not None else None
