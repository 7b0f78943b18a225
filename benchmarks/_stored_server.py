"""The service's own server over an application of ``_stored``.

    python -m benchmarks._stored_server NAME PORT N

Starts N workers on one socket, as ``omnibasket serve`` does, until it is told to stop.
"""

import asyncio
import contextlib
import multiprocessing
import socket
import sys
from typing import Any

from benchmarks import _stored
from serving.http import RequestQueues, Server


def work(name: str, listening: socket.socket) -> None:
    """Answer in this process."""

    async def serve(app: Any) -> None:
        Server(app, RequestQueues()).listen(listening)
        await asyncio.Event().wait()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(getattr(_stored, name)))


def main() -> None:
    """Listen, start workers, wait."""
    name, port, n_workers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    listening = socket.create_server(("127.0.0.1", port), backlog=1024)
    spawned = multiprocessing.get_context("spawn")
    workers = [
        spawned.Process(target=work, args=(name, listening), daemon=True) for _ in range(n_workers)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main()
