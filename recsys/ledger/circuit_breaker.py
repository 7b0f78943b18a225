"""Limits how long the service waits for the ledger, and suspends queries after failures.

``Timeouts`` limit every wait for a ``Database`` to the thread's deadline (``within``), and a query
that keeps failing is suspended for a pause (``CircuitBreaker``). The ingest and the commands have
no timeouts. Used by ``database``.
"""

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from recsys.errors import LedgerAwayError, LedgerError

#: How long queries may fail before they are suspended. Seconds.
TOLERATED: Final = 0.3
#: Length of the first pause; each failure after a pause doubles it. Seconds.
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 4.0
#: Failures longer ago say nothing of the present. Seconds.
_LATELY_SECONDS: Final = 10.0
_SUSPENDED: Final = "queries to the ledger are suspended: "
_NEVER: Final = float("-inf")
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
    """Prevents repetition of a query that keeps failing. Threads may share it.

    One slow query does not open it: it opens when all queries have failed for a while.

    Attributes
    ----------
    reason : str or None
        Why it is open; None while it is closed.
    """

    def __init__(self) -> None:
        self.reason: str | None = None
        self._lock = threading.Lock()
        self._failing_since = self._failed_at = self._opened_at = _NEVER
        self._pause = 0.0
        self._until = _NEVER  # the end of the pause, if it is open

    @property
    def trouble(self) -> str | None:
        """Why it is open, if a query has failed lately; None otherwise.

        An open one that nobody asks says nothing of the ledger's present state.
        """
        lately = time.monotonic() < self._failed_at + _LATELY_SECONDS
        return self.reason if lately else None

    def admit(self) -> float:
        """Admit a query, and return the time; while open, one after each pause.

        Raises
        ------
        LedgerAwayError
            When it is open.
        """
        now = time.monotonic()
        if self.reason is None:
            return now
        with self._lock:
            if self.reason is not None and now < self._until:
                raise LedgerAwayError(f"{_SUSPENDED}{self.reason}")
            self._until = now + self._pause  # other queries wait for this one
        return now

    def succeed(self) -> None:
        """Close it."""
        if self._failing_since != _NEVER:
            with self._lock:
                self.reason, self._pause = None, 0.0
                self._failing_since = _NEVER

    def fail(self, reason: str, admitted: float) -> None:
        """Note a failure; open it if no query has succeeded for ``TOLERATED`` seconds.

        Parameters
        ----------
        reason : str
        admitted : float
            What ``admit`` returned for the query that failed.
        """
        with self._lock:
            now = time.monotonic()
            if self._failing_since == _NEVER or (
                self.reason is None and now > self._failed_at + _LATELY_SECONDS
            ):
                self._failing_since = admitted
            self._failed_at = now
            if self.reason is None:
                if now < self._failing_since + TOLERATED:
                    return
                self._pause = FIRST_PAUSE
            elif admitted < self._opened_at:
                return  # it was admitted before it opened: that tells nothing new
            else:
                self._pause = min(2 * self._pause, LONGEST_PAUSE)
            self._opened_at, self._until = now, now + self._pause
            self.reason = reason.removeprefix(_SUSPENDED)  # by a breaker of one of its queries


class CircuitBreakers:
    """One circuit breaker for each query, or kind of query. Threads may share them."""

    def __init__(self) -> None:
        self._of: dict[Hashable, CircuitBreaker] = {}

    @property
    def trouble(self) -> str | None:
        """Why some queries fail at present; None if none do."""
        reasons = (breaker.trouble for breaker in list(self._of.values()))
        return next((reason for reason in reasons if reason is not None), None)

    @contextmanager
    def within(self, seconds: float, name: Hashable) -> Iterator[None]:
        """Run a block of queries within ``seconds``, unless its name is suspended.

        Raises
        ------
        LedgerAwayError
            While it is suspended.
        """
        breaker = self._of.get(name) or self._of.setdefault(name, CircuitBreaker())
        admitted = breaker.admit()
        try:
            with within(seconds):
                yield
        except LedgerError as error:
            breaker.fail(str(error), admitted)
            raise
        breaker.succeed()

    @contextmanager
    def unless_away(self, name: str, full_seconds: float) -> Iterator[None]:
        """Run a block of queries, unless its name is suspended after the ledger was away.

        A failure counts only if the queries had ``full_seconds``, and not just what an answer has
        left.

        Raises
        ------
        LedgerAwayError
            While it is suspended.
        """
        breaker = self._of.get(name) or self._of.setdefault(name, CircuitBreaker())
        admitted = breaker.admit()
        whole = left(full_seconds) >= full_seconds
        try:
            yield
        except LedgerAwayError as error:
            if whole:
                breaker.fail(str(error), admitted)
            raise
        breaker.succeed()


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
