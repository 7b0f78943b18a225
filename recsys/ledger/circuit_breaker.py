"""Limits how long the service waits for the ledger, and suspends queries after failures.

``Timeouts`` limit every wait for a ``Database`` to the thread's deadline (``within``), and a failed
query is suspended for a pause (``CircuitBreaker``). The ingest and the commands have no timeouts.
Used by ``database``.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from recsys.errors import LedgerAwayError

#: Pause after a failure; each further failure doubles it. Seconds.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 4.0
#: Timeout of opening a connection. Seconds.
_CONNECT_SECONDS: Final = 3


class Timeouts(msgspec.Struct, frozen=True):
    """Time limits of the ledger."""

    read_seconds: float = 0.1
    """For the reads of an answer; after a timeout the customer is treated as unknown."""
    write_seconds: float = 2.0
    """For writes that must be durable before the reply, and for other reads."""


_thread = threading.local()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Set a deadline for this thread's queries on a database with timeouts.

    A nested deadline is never later than the outer one.
    """
    before = getattr(_thread, "until", None)
    until = time.monotonic() + seconds
    _thread.until = until if before is None else min(until, before)
    try:
        yield
    finally:
        _thread.until = before


def left(otherwise: float) -> float:
    """Return how many seconds this thread may wait; at least a thousandth."""
    until = getattr(_thread, "until", None)
    return otherwise if until is None else max(0.001, until - time.monotonic())


class CircuitBreaker:
    """Prevents immediate repetition of a failed query. Threads may share it.

    Attributes
    ----------
    reason : str or None
        Why it is open; None while it is closed.
    """

    def __init__(self) -> None:
        self.reason: str | None = None
        self._lock = threading.Lock()
        self._pause = 0.0
        self._until = 0.0

    def admit(self) -> None:
        """Admit a query; while open, one after each pause.

        Raises
        ------
        LedgerAwayError
            When it is open.
        """
        if self.reason is None:
            return
        with self._lock:
            if self.reason is not None and time.monotonic() < self._until:
                raise LedgerAwayError(f"queries to the ledger are suspended: {self.reason}")
            self._until = time.monotonic() + self._pause  # other queries wait for this one

    def succeed(self) -> None:
        """Close it."""
        if self.reason is not None:
            with self._lock:
                self.reason, self._pause = None, 0.0

    def fail(self, reason: str) -> None:
        """Open it, for longer than last time if it has not closed since."""
        with self._lock:
            self._pause = min(max(FIRST_PAUSE, 2 * self._pause), LONGEST_PAUSE)
            self._until = time.monotonic() + self._pause
            self.reason = reason


class Connector:
    """Opens connections in its own threads, so that callers can limit their wait."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="ledger-connect")
        self._begun: set[Future[Any]] = set()

    def begin(self, connect: Callable[[], Any]) -> "Future[Any]":
        """Start opening a connection."""
        begun = self._threads.submit(connect)
        self._begun.add(begun)
        return begun

    def wait(self, begun: "Future[Any]", seconds: float) -> Any:
        """Wait for a connection whose opening was started.

        Raises
        ------
        LedgerAwayError
            When it is not open in time; it may still open later.
        """
        if not wait([begun], seconds).done:
            raise LedgerAwayError("the ledger cannot be reached: it does not answer.")
        self._begun.discard(begun)
        return begun.result()

    def within(self, connect: Callable[[], Any], seconds: float) -> Any:
        """Open a connection within a time limit; a late connection is closed."""
        begun = self.begin(connect)
        try:
            return self.wait(begun, seconds)
        except LedgerAwayError:
            self._begun.discard(begun)
            begun.add_done_callback(_close)
            raise

    def stop(self) -> None:
        """Stop opening connections, and close unused ones."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        while self._begun:
            self._begun.pop().add_done_callback(_close)


def _close(begun: "Future[Any]") -> None:
    if not begun.cancelled() and begun.exception() is None:
        begun.result().close()


def postgres_options(timeouts: Timeouts) -> dict[str, object]:
    """Return connection options that set PostgreSQL's own timeouts."""
    wait_ms = int(1000 * timeouts.write_seconds)
    return {
        "connect_timeout": _CONNECT_SECONDS,
        "options": f"-c lock_timeout={wait_ms} -c statement_timeout={10 * wait_ms}",
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
    }


def connect_postgres(timeouts: Timeouts, arguments: Any, options: Any) -> Any:
    """Open a connection to PostgreSQL on which every wait is limited.

    A connection with a late response is closed, because it would return that response next.
    """
    import psycopg

    class TimedConnection(psycopg.Connection[Any]):
        def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
            seconds = min(left(timeouts.write_seconds), timeout or timeouts.write_seconds)
            try:
                return super().wait(gen, min(interval, seconds), seconds)
            except psycopg.errors._WaitTimeout:
                self.pgconn.finish()
                message = f"no answer within {seconds:.3g} s"
                raise psycopg.OperationalError(message) from None

    return TimedConnection.connect(*arguments, **options)
