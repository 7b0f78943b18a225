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
#: A worker is told to stop, and then killed. Seconds.
STOP_SECONDS: Final = 30.0
#: Workers are looked at so often. Seconds.
_LOOK_SECONDS: Final = 0.1
#: A worker that ends is replaced at once; one that ends again and again, later and later. Seconds.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
#: The count of connections of a worker that takes none, see ``serving.http.connection_balance``.
_ABSENT: Final = ((1 << 63) - 1).to_bytes(8, sys.byteorder)
#: Whoever lived for so long is not one that cannot start. Seconds.
_HEALTHY_SECONDS: Final = 60.0


class Worker:
    """A place for one process, whichever is in it now."""

    def __init__(self, descriptor: int, counts: int, place: int) -> None:
        self._descriptor = descriptor
        self._counts, self._place = counts, place
        self._absent()
        self.process: subprocess.Popen[bytes] | None = None
        self._begun = self._due = 0.0
        self._ends = 0  # in a row

    def start(self) -> None:
        """Start a process."""
        handed = self._descriptor, self._counts
        command = [sys.executable, "-m", TARGET, *map(str, (*handed, self._place))]
        self.process = subprocess.Popen(  # noqa: S603 - our own module
            command, pass_fds=handed, start_new_session=True
        )
        self._begun = time.monotonic()

    def _absent(self) -> None:
        """Say that nobody takes connections here, so that none is left to them."""
        size = len(_ABSENT)
        os.pwrite(self._counts, _ABSENT, self._place * size)

    def look(self, tell: Callable[[str], None]) -> None:
        """Replace the process where it has ended, after a pause that grows."""
        now = time.monotonic()
        if self.process is not None and (code := self.process.poll()) is not None:
            self._ends = 1 if now - self._begun > _HEALTHY_SECONDS else self._ends + 1
            pause = 0.0
            if self._ends > 1:
                pause = min(_FIRST_PAUSE * 2 ** (self._ends - 2), _LONGEST_PAUSE)
            how = f"signal {-code}" if code < 0 else f"code {code}"
            tell(f"A worker ended ({how}); another one starts{f' in {pause:g} s' * (pause > 0)}.")
            self.process, self._due = None, now + pause
            self._absent()
        if self.process is None and now >= self._due:
            self.start()


def run(listening: socket.socket, n_workers: int, tell: Callable[[str], None]) -> None:
    """Keep workers running until SIGTERM or SIGINT.

    Parameters
    ----------
    listening : socket
        Bound and listening.
    n_workers : int
    tell : callable
        Gets what an operator should know, as text.
    """
    told = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        told.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    with tempfile.TemporaryFile() as counts:  # of each worker's connections
        given = listening.fileno(), counts.fileno()
        workers = [Worker(*given, place) for place in range(n_workers)]
        try:
            while not told.is_set():
                for worker in workers:
                    worker.look(tell)
                told.wait(_LOOK_SECONDS)
        finally:
            _end([worker.process for worker in workers if worker.process is not None])
            for number, handler in before.items():
                signal.signal(number, handler)


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    until = time.monotonic() + STOP_SECONDS
    for process in processes:
        try:
            process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            process.wait()
