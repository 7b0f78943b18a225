"""Queues with threads of their own: what may wait for the disk never holds up what need not.

Requests that were read whole come in, and run in the queue of their kind; what a queue cannot take
is refused at once, so that whoever is answered is answered soon. Called by ``server``.
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

#: A queue that was never empty for so long is no burst that passes by itself. Seconds.
_STANDING_SECONDS: Final = 0.5


class Job(NamedTuple):
    """What a queue does, and what it says where it comes to it too late."""

    run: Callable[[], None]
    refuse: Callable[[], None]
    deadline: float
    """Of ``time.monotonic``; whoever asked has given up by then, or soon will."""


class RequestQueue:
    """A queue and the threads that empty it.

    Parameters
    ----------
    name : str
    threads : int
    burst : int
        Jobs that may wait for each thread while a burst passes.
    standing : int
        Jobs that may wait for each thread in a queue that does not empty: more would only make
        everybody wait longer.
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
        """Take a job where it can be done in time; say whether it was taken."""
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
        """Wait until nothing waits or runs, so long at most."""
        deadline = time.monotonic() + seconds
        while self.busy and time.monotonic() < deadline:
            time.sleep(0.001)

    def stop(self) -> None:
        """Take no more; threads end once nothing waits."""
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
                # What a burst left behind goes too: whoever comes after need not wait for it.
                late = time.monotonic() > job.deadline or (
                    self._is_standing() and len(self._waiting) > self._standing
                )
            try:
                (job.refuse if late else job.run)()
            except Exception:  # the thread must outlive whatever it meets
                _log.exception("a request failed outside of its view")
            finally:
                with self._changed:
                    self._running -= 1
                    self.refused += late


class RequestQueues:
    """Every queue of a worker, by name.

    ``answers`` are computed and wait for nothing; two threads, so that one slow read does not
    stop the rest. ``desk`` is what people and back offices read, and may wait for the ledger.
    ``durable`` is written before it is answered. ``batch`` gives way to ``answers``.
    """

    def __init__(self) -> None:
        self.by_name: dict[QueueName, RequestQueue] = {
            "answers": RequestQueue("answers", threads=2, burst=64, standing=6),
            "desk": RequestQueue("desk", threads=2, burst=64, standing=32),
            "durable": RequestQueue("durable", threads=4, burst=64, standing=32),
            "batch": RequestQueue("batch", threads=1, burst=4, standing=4),
            "health": RequestQueue("health", threads=1, burst=32, standing=32),
        }

    def yield_to_answers(self, seconds: float = 0.05) -> None:
        """Let answers go first, so long at most; called between the parts of a batch."""
        self.by_name["answers"].wait_until_idle(seconds)

    @property
    def busy(self) -> bool:
        """Whether anything waits or runs."""
        return any(queue.busy for queue in self.by_name.values())

    def refused(self) -> int:
        """Requests that were refused so far, since they could not be done in time."""
        return sum(queue.refused for queue in self.by_name.values())

    def stop(self) -> None:
        """Take no more."""
        for queue in self.by_name.values():
            with contextlib.suppress(RuntimeError):
                queue.stop()


#: The former name, which ``benchmarks`` still imports.
Lanes = RequestQueues
