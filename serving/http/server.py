"""The HTTP server of a worker: reads requests with deadlines, and runs them in queues.

Connections come in on a socket that all workers share. An event loop reads each request whole,
checks it against ``request_limits``, hands it to the WSGI application in a thread of its queue, and
sends the answer. The loop never blocks: a slow client ties up only its own ``connection``.
"""

import asyncio
import logging
import socket
import time
from typing import Any, Final

from serving.http.connection import Connection
from serving.http.connection_balance import ABSENT, ConnectionBalance
from serving.http.queues import RequestQueues
from serving.http.request_limits import MAX_CONNECTIONS
from serving.http.wsgi_gateway import Application

_log = logging.getLogger("omnibasket.service")

#: How long a worker with more connections than another leaves a new one to it. Seconds.
_YIELD_SECONDS: Final = 0.01
#: How often a kept connection is ended for the sake of a worker with far fewer. Seconds.
_MOVE_SECONDS: Final = 0.1
#: How often to log how many requests were refused. Seconds.
_LOG_SECONDS: Final = 10.0


class Server:
    """A worker's connections.

    Parameters
    ----------
    app : callable
        WSGI application; called in threads of ``queues``.
    queues : RequestQueues
    most_connections : int
        Beyond this number, idle connections are closed, the longest idle first.
    balance : ConnectionBalance, optional
        The connections of the other workers on the same socket; none by default.
    """

    def __init__(
        self,
        app: Application,
        queues: RequestQueues,
        most_connections: int = MAX_CONNECTIONS,
        balance: ConnectionBalance | None = None,
    ) -> None:
        self.app = app
        self.queues = queues
        self.body_bytes = 0  # of requests that are being read or answered
        self.loop = asyncio.get_running_loop()
        self._most = most_connections
        self._balance = balance
        self._connections: set[Connection] = set()
        self._idle: dict[Connection, None] = {}  # without a request, the longest idle first
        self._opening: set[asyncio.Task[None]] = set()
        self._sockets: list[socket.socket] = []
        self._leaving: set[Connection] = set()  # they end after their answer
        self._moved_at = 0.0
        self._logged_at, self._logged = 0.0, 0

    # Connections

    def listen(self, listening: socket.socket) -> None:
        """Take connections from a listening socket, which other workers may share."""
        listening.setblocking(False)
        self._sockets.append(listening)
        self._count()
        self.loop.add_reader(listening.fileno(), self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        """Take one connection, unless another worker has fewer and takes it soon."""
        if self._balance is None or not self._balance.is_ahead:
            self._accept_now(listening)
            return
        self.loop.remove_reader(listening.fileno())
        self.loop.call_later(_YIELD_SECONDS, self._accept_later, listening)

    def _accept_later(self, listening: socket.socket) -> None:
        if listening.fileno() >= 0:  # not closed meanwhile
            self._accept_now(listening)
            self.loop.add_reader(listening.fileno(), self._accept, listening)

    def _accept_now(self, listening: socket.socket) -> None:
        try:
            taken, address = listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:  # no descriptors are left
            _log.error("a connection was not taken", extra={"reason": str(error)})
            self._evict()
            return
        self._serve(taken, address)

    def _count(self) -> None:
        if self._balance is not None:
            ours = len(self._connections) - len(self._leaving)
            self._balance.publish(ours if self._sockets else ABSENT)

    def moves(self, connection: Connection) -> bool:
        """Return whether a connection ends after its answer, for a worker with far fewer.

        The client's next connection goes there. One at a time: that worker may hang.
        """
        if self._balance is None or not self._balance.is_far_ahead:
            return False
        now = time.monotonic()
        if now < self._moved_at + _MOVE_SECONDS:
            return False
        self._moved_at = now
        self._leaving.add(connection)
        self._count()
        return True

    def _serve(self, taken: socket.socket, address: Any) -> None:
        while len(self._connections) >= self._most and self._idle:
            self._evict()
        if len(self._connections) >= self._most:  # all of them are being answered
            taken.close()
            return
        taken.setblocking(False)
        connection = Connection(self, address)
        self._connections.add(connection)
        self._count()
        opening = self.loop.create_task(self._open(connection, taken))
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)

    async def _open(self, connection: Connection, taken: socket.socket) -> None:
        try:
            await self.loop.connect_accepted_socket(lambda: connection, taken)
        except OSError:  # the client is gone
            taken.close()
            self.on_close(connection)

    def _evict(self) -> None:
        """Close the connection that has been idle for the longest time."""
        longest = next(iter(self._idle), None)
        if longest is not None:
            self.on_close(longest)
            longest.abort()

    def on_idle(self, connection: Connection) -> None:
        """Note that a connection waits for a request and may be closed to make room."""
        self._idle.pop(connection, None)
        self._idle[connection] = None

    def on_request(self, connection: Connection) -> None:
        """Note that a connection waits for an answer and must not be closed to make room."""
        self._idle.pop(connection, None)

    def on_close(self, connection: Connection) -> None:
        """Forget a connection."""
        self._idle.pop(connection, None)
        self._connections.discard(connection)
        self._leaving.discard(connection)
        self._count()

    async def stop(self, seconds: float) -> None:
        """Accept no more connections; wait at most this long for the requests under way."""
        for listening in self._sockets:
            self.loop.remove_reader(listening.fileno())
            listening.close()
        self._sockets.clear()
        self._count()
        until = time.monotonic() + seconds
        while (self.queues.busy or self._is_answering()) and time.monotonic() < until:
            await asyncio.sleep(0.02)
        for connection in list(self._connections):
            connection.close()

    def _is_answering(self) -> bool:
        return len(self._connections) > len(self._idle)

    def log_refusals(self) -> None:
        """Log how many requests were refused, every few seconds at most."""
        now, refused = time.monotonic(), self.queues.refused()
        if now - self._logged_at < _LOG_SECONDS or refused == self._logged:
            return
        _log.warning(
            "requests were refused, as there were too many",
            extra={"refused": refused - self._logged},
        )
        self._logged_at, self._logged = now, refused
