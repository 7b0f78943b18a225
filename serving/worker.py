"""A worker process: the service of a workspace on an inherited socket.

``python -m serving.worker FD COUNTS PLACE`` answers on the listening socket of descriptor FD until
SIGTERM, and publishes its number of connections in COUNTS, at PLACE (``connection_balance``).
``omnibasket serve`` starts as many as the settings say and replaces those that end. On SIGTERM a
worker first finishes the requests under way.
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

#: How long a stopping worker may take to finish the requests under way. Seconds.
STOP_SECONDS: Final = 25.0
#: The interpreter's switch interval: a part of a batch must not hold up an answer. Seconds.
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
    # By now every request is answered and every exposure is written, as far as the ledger takes
    # them; a thread that waits for a hanging ledger must not keep the process alive.
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
    """Raise the limit of open files as far as connections need it, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = request_limits.MAX_CONNECTIONS + _OTHER_FILES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft


if __name__ == "__main__":
    main()
