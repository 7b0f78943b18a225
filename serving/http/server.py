"""The HTTP server of a worker: reads requests with deadlines, and runs them in queues.

Connections come in on a socket that all workers share. An event loop reads each request whole,
checks it against ``request_limits``, hands it to the WSGI application in a thread of its queue, and
sends the answer. The loop never blocks: a slow client ties up only its own connection.
"""

import asyncio
import contextlib
import http.client
import logging
import socket
import time
from typing import Any, Final

from tornado import httputil
from tornado.http1connection import (
    HTTP1Connection,
    HTTP1ConnectionParameters,
    HTTP1ServerConnection,
)
from tornado.iostream import IOStream, UnsatisfiableReadError

from serving.http.connection_balance import ABSENT, ConnectionBalance
from serving.http.queues import RequestQueues
from serving.http.request_handler import RequestHandler, refusal
from serving.http.request_limits import (
    HEADER_SECONDS,
    IDLE_SECONDS,
    MAX_CONNECTIONS,
    MAX_HEADER_BYTES,
)
from serving.http.wsgi_gateway import Application

_log = logging.getLogger("omnibasket.service")

#: Bytes read from a connection at a time.
_CHUNK_BYTES: Final = 64 * 1024
#: How long a worker with more connections than another leaves a new one to it. Seconds.
_YIELD_SECONDS: Final = 0.01
#: The library's message for headers that are too large.
_OF_HEADERS: Final = f"within {MAX_HEADER_BYTES} bytes"
#: How long to drop what a client sends after headers that are too large. Seconds.
_DROPPING_SECONDS: Final = 1.0
#: How often to log how many requests were refused. Seconds.
_LOG_SECONDS: Final = 10.0


class _Stream(IOStream):
    """A connection; if its headers are too large, it gets an answer before it is closed."""

    def set_nodelay(self, value: bool) -> None:
        """Leave the socket as it is: it never delays, and the library asks twice an answer."""

    def close(self, exc_info: Any = False) -> None:
        """Close it."""
        too_large = isinstance(exc_info, UnsatisfiableReadError) and _OF_HEADERS in str(exc_info)
        if too_large and not self.closed():
            _refuse_large_headers(self.socket)
        super().close(exc_info)


def _refuse_large_headers(taken: socket.socket) -> None:
    """Answer that the headers are too large, then drop for a moment what the client still sends.

    Closing a connection with unread bytes would discard the answer.
    """
    loop, left = asyncio.get_running_loop(), taken.dup()
    status, headers, body = refusal("headers-too-large")
    lines = [f"HTTP/1.1 {status} {http.client.responses[status]}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]

    def close() -> None:
        ending.cancel()
        loop.remove_reader(left.fileno())
        left.close()

    def drop() -> None:
        try:
            came = left.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            came = b""
        if not came:
            close()

    left.setblocking(False)
    with contextlib.suppress(OSError):  # nobody is there any more
        left.send("\r\n".join([*lines, "", ""]).encode() + body)
        left.shutdown(socket.SHUT_WR)
    ending = loop.call_later(_DROPPING_SECONDS, close)
    loop.add_reader(left.fileno(), drop)


class Server(httputil.HTTPServerConnectionDelegate):
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
        self._connections: set[HTTP1ServerConnection] = set()
        self._idle: dict[
            object, HTTP1ServerConnection
        ] = {}  # without a request, the longest idle first
        self._sockets: list[socket.socket] = []
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
            self._balance.publish(len(self._connections) if self._sockets else ABSENT)

    def _serve(self, taken: socket.socket, address: Any) -> None:
        while len(self._connections) >= self._most and self._idle:
            self._evict()
        if len(self._connections) >= self._most:  # all of them are being answered
            taken.close()
            return
        taken.setblocking(False)
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = _Stream(taken, max_buffer_size=4 * _CHUNK_BYTES, read_chunk_size=_CHUNK_BYTES)
        params = HTTP1ConnectionParameters(
            chunk_size=_CHUNK_BYTES,
            max_header_size=MAX_HEADER_BYTES,
            header_timeout=HEADER_SECONDS,
        )
        connection = HTTP1ServerConnection(stream, params, address)
        self._connections.add(connection)
        self._count()
        connection.start_serving(self)

    def _evict(self) -> None:
        """Close the connection that has been idle for the longest time."""
        longest = next(iter(self._idle.values()), None)
        if longest is not None:
            self.on_close(longest)
            longest.stream.close()

    def start_request(
        self, server_conn: object, request_conn: httputil.HTTPConnection
    ) -> httputil.HTTPMessageDelegate:
        """Begin to wait for a request of a connection."""
        if not isinstance(server_conn, HTTP1ServerConnection) or not isinstance(
            request_conn, HTTP1Connection
        ):
            raise TypeError("only HTTP/1 is served")
        self._idle.pop(server_conn, None)
        self._idle[server_conn] = server_conn
        return RequestHandler(self, server_conn, request_conn)

    def on_headers(self, connection: HTTP1ServerConnection) -> None:
        """Note that a connection sent its headers in time; from now on it may be kept."""
        connection.params.header_timeout = IDLE_SECONDS

    def on_request(self, connection: HTTP1ServerConnection) -> None:
        """Note that a connection waits for an answer and must not be closed to make room."""
        self._idle.pop(connection, None)

    def on_close(self, server_conn: object) -> None:
        """Forget a connection."""
        self._idle.pop(server_conn, None)
        self._connections.discard(server_conn)
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
            connection.stream.close()

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
