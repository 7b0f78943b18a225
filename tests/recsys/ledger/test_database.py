"""The ledger opens what it can read, and says what to do about the rest."""

import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from recsys.errors import LedgerError
from recsys.ledger.database import Database
from recsys.ledger.ledger import Ledger


def test_it_is_made_once_and_found_again(ledger_url: str) -> None:
    with pytest.raises(LedgerError, match="omnibasket ingest"):
        Ledger.open(ledger_url, create=False)
    Ledger.open(ledger_url).close()
    again = Ledger.open(ledger_url, create=False)
    assert again.mark() == 0
    again.close()


def test_a_newer_ledger_is_not_touched(ledger_url: str) -> None:
    Ledger.open(ledger_url).close()
    url = sa.make_url(ledger_url)
    if url.get_backend_name() == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE meta SET value = '999' WHERE key = 'schema_version'")
    engine.dispose()
    with pytest.raises(LedgerError, match=r"schema 999.*reads .*Install"):
        Ledger.open(ledger_url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("not a url", "SQLAlchemy URL"),
        ("mysql://u@h/db", "`mysql` is not supported"),
        ("sqlite://", "needs a file"),
        ("sqlite:////proc/nowhere/ledger.sqlite", "cannot be made"),
        ("postgresql://ada:secret@127.0.0.1:1/none", "cannot be opened"),
    ],
)
def test_a_url_that_cannot_be_opened_is_explained(url: str, message: str) -> None:
    with pytest.raises(LedgerError, match=message) as caught:
        Ledger.open(url)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"something else entirely " * 100)
    with pytest.raises(LedgerError, match="not a database"):
        Ledger.open(f"sqlite:///{path}")


def test_accepted_events_survive_a_power_cut(tmp_path: Path) -> None:
    """SQLite must wait for the disk at every commit, and log ahead so that readers go on."""
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    with ledger._database.writing(durable=False) as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1  # NORMAL
    with ledger._database.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    ledger.close()


def test_a_writer_that_waits_too_long_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("database", "connections"):
        monkeypatch.setattr(f"recsys.ledger.{module}.WAIT_SECONDS", 0.05)
    path = tmp_path / "ledger.sqlite"
    ledger = Ledger.open(f"sqlite:///{path}")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerError, match="locked"):
        ledger.mark()
    ledger.ping()  # readers go on
    other.close()
    ledger.close()


def test_a_server_that_was_started_anew_is_found_again(empty_postgres: str) -> None:
    ledger = Ledger.open(empty_postgres)
    assert ledger.customer(customer_id="c", as_of_ts=0).customer_id is None
    engine = sa.create_engine(sa.make_url(empty_postgres).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
    engine.dispose()
    assert ledger.customer(customer_id="c", as_of_ts=0).customer_id is None
    ledger.ping()
    ledger.close()


def test_every_thread_may_read(ledger_url: str) -> None:
    ledger = Ledger.open(ledger_url)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda n: ledger.history(f"c{n}"), range(200)))
    assert len(found) == 200
    ledger.close()


def test_the_file_is_its_users_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "ledger.sqlite"
    before = os.umask(0o022)
    try:
        ledger = Ledger.open(f"sqlite:///{path}")
        beside = sorted(path.parent.iterdir())
        assert len(beside) == 3  # while it is open, its log and index too
        assert {stat.S_IMODE(file.stat().st_mode) for file in beside} == {0o600}
        ledger.close()
        path.chmod(0o644)  # as earlier versions left it
        Ledger.open(f"sqlite:///{path}").close()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        path.chmod(0o660)  # given to a group on purpose
        Ledger.open(f"sqlite:///{path}").close()
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
    finally:
        os.umask(before)


def test_statements_made_one_after_the_other_are_not_mixed_up(ledger_url: str) -> None:
    database = Database(ledger_url)
    read = [database.one(sa.select(sa.literal_column(str(n)))) for n in range(100)]
    database.close()
    assert read == [(n,) for n in range(100)]
