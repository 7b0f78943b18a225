"""A query that keeps failing is suspended; a single slow one is not."""

import itertools
import resource
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import LedgerAwayError
from recsys.ledger import circuit_breaker
from recsys.ledger.circuit_breaker import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    TOLERATED,
    CircuitBreaker,
    CircuitBreakers,
    Timeouts,
    left,
    within,
)
from recsys.ledger.database import Database
from recsys.ledger.schema import META

_CHANGE = sa.update(META).where(META.c.key == sa.bindparam("row")).values(value=META.c.value)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(circuit_breaker, "time", made)
    return made


def fails(breaker: CircuitBreaker, clock: Clock, seconds: float = 0.1) -> bool:
    """Whether a query was admitted, which then failed after ``seconds``."""
    try:
        admitted = breaker.admit()
    except LedgerAwayError:
        return False
    clock.now += seconds
    breaker.fail("no answer", admitted)
    return True


def test_one_slow_query_suspends_nothing(clock: Clock) -> None:
    breaker = CircuitBreaker()
    begun = [breaker.admit() for _ in range(8)]  # eight threads wait for the same lock
    clock.now += 0.1
    for admitted in begun:
        breaker.fail("no answer", admitted)
    breaker.admit()
    assert breaker.trouble is None


def test_queries_that_keep_failing_are_suspended(clock: Clock) -> None:
    breaker = CircuitBreaker()
    begun = clock.now
    while fails(breaker, clock):
        pass
    assert clock.now - begun == pytest.approx(TOLERATED, abs=0.1)
    assert breaker.trouble == "no answer"


def test_a_long_wait_counts_from_its_beginning(clock: Clock) -> None:
    breaker = CircuitBreaker()
    assert fails(breaker, clock, seconds=2.0)
    assert not fails(breaker, clock)


def test_one_query_is_tried_after_each_pause_and_pauses_double(clock: Clock) -> None:
    breaker = CircuitBreaker()
    assert fails(breaker, clock, seconds=2.0)
    pauses = []
    for _ in range(6):
        begun = clock.now
        while not (admitted := _admitted(breaker)):
            clock.now += 0.01
        assert not _admitted(breaker)  # the others wait for that one
        pauses.append(clock.now - begun)
        breaker.fail("no answer", admitted)
    longest = LONGEST_PAUSE
    right = [min(FIRST_PAUSE * 2**n, longest) for n in range(6)]
    assert pauses == pytest.approx(right, abs=0.02)


def test_what_failed_beside_it_does_not_double_the_pause(clock: Clock) -> None:
    breaker = CircuitBreaker()
    begun = [breaker.admit() for _ in range(8)]
    clock.now += 2.0
    for admitted in begun:
        breaker.fail("no answer", admitted)
    clock.now += FIRST_PAUSE + 0.001
    assert _admitted(breaker)


def test_a_success_closes_it(clock: Clock) -> None:
    breaker = CircuitBreaker()
    early = breaker.admit()
    assert fails(breaker, clock, seconds=2.0)
    assert early
    breaker.succeed()
    assert breaker.trouble is None
    assert fails(breaker, clock)
    breaker.admit()


def test_nobody_hears_of_failures_of_long_ago(clock: Clock) -> None:
    breaker = CircuitBreaker()
    assert fails(breaker, clock, seconds=2.0)
    assert breaker.trouble == "no answer"
    clock.now += 60
    assert breaker.trouble is None


def test_rare_failures_suspend_nothing(clock: Clock) -> None:
    breaker = CircuitBreaker()
    for _ in range(5):
        assert fails(breaker, clock)
        clock.now += 60


@given(st.lists(st.tuples(st.floats(0, 1), st.sampled_from([None, 0.001, 0.1, 2.0])), max_size=60))
def test_it_admits_all_queries_until_failures_last(steps: list[tuple[float, float | None]]) -> None:
    """Compare with a reading of the whole story: no success for the tolerated time, or a pause."""
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(circuit_breaker, "time", clock)
        breaker = CircuitBreaker()
        story: list[tuple[float, float, bool]] = []  # from, to, whether it failed
        for wait, failure in steps:
            clock.now += wait
            admitted = _admitted(breaker)
            since_success = list(itertools.takewhile(lambda query: query[2], reversed(story)))
            if not admitted:
                assert since_success
                assert clock.now - since_success[0][1] <= LONGEST_PAUSE
                assert since_success[0][1] - since_success[-1][0] >= TOLERATED
                continue
            clock.now += failure or 0
            story.append((admitted, clock.now, failure is not None))
            if failure is None:
                breaker.succeed()
            else:
                breaker.fail("no answer", admitted)


def _admitted(breaker: CircuitBreaker) -> float:
    try:
        return breaker.admit()
    except LedgerAwayError:
        return 0.0


def test_a_wait_in_what_is_left_of_an_answer_suspends_no_writes(clock: Clock) -> None:
    breakers = CircuitBreakers()

    def late(seconds: float) -> None:
        with breakers.unless_away("writes", full_seconds=2.0):
            clock.now += seconds
            raise LedgerAwayError("no answer")

    for _ in range(5):
        with within(0.1), pytest.raises(LedgerAwayError, match=r"^no answer"):
            late(0.2)
    with pytest.raises(LedgerAwayError, match=r"^no answer"):
        late(2.0)
    with pytest.raises(LedgerAwayError, match="suspended: no answer"):
        late(2.0)


def test_a_deadline_within_another_is_not_later() -> None:
    with within(0.5):
        with within(60):
            assert left(1) <= 0.5
        with within(0.01):
            assert left(1) <= 0.01
        assert left(1) > 0.01
    assert left(1) == 1


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the write lock of a ledger's file, as another process would."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.rollback()
        connection.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'ledger.sqlite'}", timeouts=Timeouts(0.1, 2.0))
    yield made
    made.close()


def test_a_writer_that_holds_the_lock_for_a_moment_suspends_nothing(
    database: Database, tmp_path: Path
) -> None:
    failed = []

    def change() -> None:
        try:
            with database.hurrying("contacts", 0.1):
                assert database.change(_CHANGE, row="schema_version")
        except LedgerAwayError as error:
            failed.append(str(error))

    with locked(tmp_path / "ledger.sqlite"):
        threads = [threading.Thread(target=change) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(failed) == 4
    assert database.change(_CHANGE, row="schema_version")
    with database.hurrying("contacts", 0.1):
        assert database.change(_CHANGE, row="schema_version")
    assert database.trouble is None


def test_a_lock_that_stays_suspends_the_writes_and_not_the_reads(
    database: Database, tmp_path: Path
) -> None:
    with locked(tmp_path / "ledger.sqlite"):
        begun, waits = time.monotonic(), []
        while time.monotonic() < begun + 0.8:
            at = time.monotonic()
            with pytest.raises(LedgerAwayError):
                database.change(_CHANGE, row="schema_version")
            waits.append(time.monotonic() - at)
            time.sleep(0.01)
        assert sum(wait > 0.05 for wait in waits) <= 6  # the others are not even tried
        assert len(waits) > 20
        assert "locked" in (database.trouble or "")
        with database.reading() as connection:
            assert connection.execute(sa.select(META.c.key)).first()
    deadline = time.monotonic() + 2 * FIRST_PAUSE
    while not _changes(database):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert database.trouble is None


def _changes(database: Database) -> bool:
    try:
        return database.change(_CHANGE, row="schema_version")
    except LedgerAwayError:
        return False


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process grow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_on_a_full_disk_it_is_away_until_there_is_room(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    Database(url).close()
    with full_disk():
        database = Database(url, timeouts=Timeouts(0.1, 0.2))
        assert not database.prepared
        with pytest.raises(LedgerAwayError, match="not been reached"):
            database.change(_CHANGE, row="schema_version")
        with pytest.raises(LedgerAwayError, match="cannot be opened"):
            database.prepare()
    database.prepare()
    assert database.change(_CHANGE, row="schema_version")
    database.close()
