"""Processes that answer on one socket, each replaced when it ends, until the service is stopped.

A listening socket and a number of workers come in; ``run`` returns once it was told to stop and
the last worker has ended. Called by ``omnibasket serve``.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Final

#: What a worker runs; nothing of it is imported here.
TARGET: Final = "serving.worker"
#: How long a worker may take to stop before it is killed. Seconds.
STOP_SECONDS: Final = 30.0
#: How often workers are checked. Seconds.
_CHECK_SECONDS: Final = 0.1
#: A worker that ends is replaced at once; one that keeps ending, after growing pauses. Seconds.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
#: The count of connections of a worker that takes none, see ``serving.http.connection_balance``.
_ABSENT: Final = ((1 << 63) - 1).to_bytes(8, sys.byteorder)
#: A worker that ran for this long did not fail at its start. Seconds.
_HEALTHY_SECONDS: Final = 60.0


class Worker:
    """One place for a worker process; a process that ends is replaced by another."""

    def __init__(self, descriptor: int, counts: int, slot: int) -> None:
        self._descriptor = descriptor
        self._counts, self._slot = counts, slot
        self._mark_absent()
        self.process: subprocess.Popen[bytes] | None = None
        self._started_at = self._restart_at = 0.0
        self._n_ends = 0  # in a row

    def start(self) -> None:
        """Start a process."""
        descriptors = self._descriptor, self._counts
        command = [sys.executable, "-m", TARGET, *map(str, (*descriptors, self._slot))]
        self.process = subprocess.Popen(  # noqa: S603 - our own module
            command, pass_fds=descriptors, start_new_session=True
        )
        self._started_at = time.monotonic()

    def _mark_absent(self) -> None:
        """Mark this place as taking no connections, so that no worker leaves one to it."""
        size = len(_ABSENT)
        os.pwrite(self._counts, _ABSENT, self._slot * size)

    def check(self, report: Callable[[str], None]) -> None:
        """Replace the process where it has ended, after a pause that grows."""
        now = time.monotonic()
        if self.process is not None and (code := self.process.poll()) is not None:
            self._n_ends = 1 if now - self._started_at > _HEALTHY_SECONDS else self._n_ends + 1
            pause = 0.0
            if self._n_ends > 1:
                pause = min(_FIRST_PAUSE * 2 ** (self._n_ends - 2), _LONGEST_PAUSE)
            how = f"signal {-code}" if code < 0 else f"code {code}"
            report(f"A worker ended ({how}); another one starts{f' in {pause:g} s' * (pause > 0)}.")
            self.process, self._restart_at = None, now + pause
            self._mark_absent()
        if self.process is None and now >= self._restart_at:
            self.start()


def run(listening: socket.socket, n_workers: int, report: Callable[[str], None]) -> None:
    """Keep workers running until SIGTERM or SIGINT.

    Parameters
    ----------
    listening : socket
        Bound and listening.
    n_workers : int
    report : callable
        Called with each message for the operator.
    """
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    with tempfile.TemporaryFile() as counts:  # of each worker's connections
        descriptors = listening.fileno(), counts.fileno()
        workers = [Worker(*descriptors, slot) for slot in range(n_workers)]
        try:
            while not stopped.is_set():
                for worker in workers:
                    worker.check(report)
                stopped.wait(_CHECK_SECONDS)
        finally:
            _end([worker.process for worker in workers if worker.process is not None])
            for number, handler in before.items():
                signal.signal(number, handler)


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            process.wait()
