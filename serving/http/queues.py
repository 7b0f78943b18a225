"""Request queues, each with its own threads: a request that waits for the disk holds up no other.

Complete requests come in and run in the queue of their kind. A full queue refuses a request at
once, so that the requests it accepts are answered soon. Called by ``request_handler``.
"""

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

_log = logging.getLogger("omnibasket.service")

QueueName = Literal["answers", "desk", "durable", "batch", "health"]

#: A queue that was not empty for this long is a standing queue, not a burst. Seconds.
_STANDING_SECONDS: Final = 0.5


class Job(NamedTuple):
    """What a queue runs for a request, or, if its turn comes too late, how it refuses it."""

    run: Callable[[], None]
    refuse: Callable[[], None]
    deadline: float
    """Of ``time.monotonic``; the client has given up by then, or soon will."""


class RequestQueue:
    """A queue and the threads that empty it.

    Parameters
    ----------
    name : str
    threads : int
    burst : int
        Jobs that may wait for each thread while a burst passes.
    standing : int
        Jobs that may wait for each thread in a queue that does not empty; more would only make
        every client wait longer.
    """

    def __init__(self, name: QueueName, threads: int, burst: int, standing: int) -> None:
        self.name = name
        self.refused = 0
        self._burst, self._standing = burst * threads, standing * threads
        self._waiting: deque[Job] = deque()
        self._changed = threading.Condition()
        self._running = 0
        self._nonempty_since = 0.0
        self._stopped = False
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{n}", daemon=True)
            for n in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def offer(self, job: Job) -> bool:
        """Queue a job if it can be done in time; return whether it was queued."""
        with self._changed:
            if not self._waiting:
                self._nonempty_since = time.monotonic()
            room = self._standing if self._is_standing() else self._burst
            if self._stopped or len(self._waiting) >= room:
                self.refused += 1
                return False
            self._waiting.append(job)
            self._changed.notify()
            return True

    def _is_standing(self) -> bool:
        return time.monotonic() - self._nonempty_since > _STANDING_SECONDS

    @property
    def busy(self) -> bool:
        """Whether anything waits or runs."""
        return bool(self._waiting or self._running)

    def wait_until_idle(self, seconds: float) -> None:
        """Wait until nothing waits or runs, at most this long."""
        deadline = time.monotonic() + seconds
        while self.busy and time.monotonic() < deadline:
            time.sleep(0.001)

    def stop(self) -> None:
        """Accept no more jobs; the threads end once the queue is empty."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    if self._stopped:
                        return
                    self._changed.wait()
                job = self._waiting.popleft()
                self._running += 1
                # Drop what a burst left behind, so that later requests need not wait for it.
                late = time.monotonic() > job.deadline or (
                    self._is_standing() and len(self._waiting) > self._standing
                )
            try:
                (job.refuse if late else job.run)()
            except Exception:  # the thread must survive any error
                _log.exception("a request failed outside of its view")
            finally:
                with self._changed:
                    self._running -= 1
                    self.refused += late


class RequestQueues:
    """Every queue of a worker, by name.

    ``answers`` compute recommendations and wait for nothing but customers' rows; its eight threads
    let as many questions be answered together (``DynamicBatcher``). ``desk`` serves what people and
    back offices read, and may wait for the ledger. ``durable`` writes before it answers. ``batch``
    lets ``answers`` go first.
    """

    def __init__(self) -> None:
        self.by_name: dict[QueueName, RequestQueue] = {
            "answers": RequestQueue("answers", threads=8, burst=16, standing=1),
            "desk": RequestQueue("desk", threads=2, burst=64, standing=32),
            "durable": RequestQueue("durable", threads=4, burst=64, standing=32),
            "batch": RequestQueue("batch", threads=1, burst=4, standing=4),
            "health": RequestQueue("health", threads=1, burst=32, standing=32),
        }

    def yield_to_answers(self, seconds: float = 0.05) -> None:
        """Let answers go first, waiting at most this long; called between the parts of a batch."""
        self.by_name["answers"].wait_until_idle(seconds)

    @property
    def busy(self) -> bool:
        """Whether anything waits or runs."""
        return any(queue.busy for queue in self.by_name.values())

    def refused(self) -> int:
        """Return how many requests were refused so far because they could not be done in time."""
        return sum(queue.refused for queue in self.by_name.values())

    def stop(self) -> None:
        """Accept no more requests."""
        for queue in self.by_name.values():
            with contextlib.suppress(RuntimeError):
                queue.stop()
