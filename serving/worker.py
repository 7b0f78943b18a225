"""A worker's process: the workspace's service on a socket that it was handed.

``python -m serving.worker FD COUNTS PLACE`` answers on the listening socket of descriptor FD until
SIGTERM, and tells the other workers in COUNTS, at PLACE, how many connections it has (``balance``).
``omnibasket serve`` starts as many as the settings say and replaces those that end. SIGTERM lets
what is under way be answered first.
"""

import asyncio
import contextlib
import os
import resource
import signal
import socket
import sys
from typing import Final

from flask import Flask

from serving.http import ConnectionBalance, RequestQueues, Server, request_limits

#: What is under way when a worker is told to stop is answered within so long. Seconds.
STOP_SECONDS: Final = 25.0
#: Threads take turns so often; a part of a batch must not hold up an answer. Seconds.
_TURN_SECONDS: Final = 0.001
#: Descriptors that are not connections: files, the ledger's, the libraries'.
_OTHER_FILES: Final = 256
_LOG_SECONDS: Final = 10.0


def main() -> None:
    """Answer until told to stop."""
    descriptor, counts, place = map(int, sys.argv[1:4])
    listening, balance = socket.socket(fileno=descriptor), ConnectionBalance(counts, place)
    from serving.wsgi import app  # loads the workspace

    sys.setswitchinterval(_TURN_SECONDS)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(app, listening, balance))
    app.extensions["omnibasket"].close()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    # All that was under way is answered and all that waited is written by now, as far as the
    # ledger takes it; a thread that waits for one that hangs must not keep the process.
    os._exit(0)


async def _serve(app: Flask, listening: socket.socket, balance: ConnectionBalance) -> None:
    queues = RequestQueues()
    server = Server(
        app, queues, min(request_limits.MAX_CONNECTIONS, _files() - _OTHER_FILES), balance
    )
    app.extensions["omnibasket"].yield_to_answers = queues.yield_to_answers
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    server.listen(listening)
    while not stopped.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), _LOG_SECONDS)
        server.log_refusals()
    await server.stop(STOP_SECONDS)
    queues.stop()


def _files() -> int:
    """Raise the number of open files as far as it goes for connections, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = request_limits.MAX_CONNECTIONS + _OTHER_FILES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft


if __name__ == "__main__":
    main()
