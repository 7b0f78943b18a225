"""One request and its answer: read whole with a deadline, answered in a lane, sent with another.

Made by ``front`` for each request of a connection. What reads and sends runs in the loop, what
answers in a thread of the request's lane.
"""

import asyncio
import contextlib
import http.client
import time
from collections.abc import Callable, Coroutine
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final

import msgspec
from tornado import httputil
from tornado.http1connection import HTTP1Connection, HTTP1ServerConnection
from tornado.httputil import HTTPHeaders, RequestStartLine, ResponseStartLine
from tornado.iostream import StreamClosedError

from serving.http.problems import PROBLEM_KINDS, PROBLEM_TYPE, problem
from serving.http.queues import Job
from serving.http.request_limits import (
    BODY_SECONDS,
    MOST_BODY_BYTES,
    MOST_DROPPED_BYTES,
    WRITE_SECONDS,
    limits_of,
)
from serving.http.responses import JSON, fixed_headers, request_id_of
from serving.http.wsgi_gateway import Answer, ask, environ_of

if TYPE_CHECKING:
    from serving.http.server import Front

_ALIVE: Final = b'{"status":"alive"}'
#: No limit of the library's own: we say what is too large, and how.
_ANY: Final = 1 << 62
_REASONS: Final = http.client.responses


def refusal(kind: str, asked_id: str = "") -> tuple[int, list[tuple[str, str]], bytes]:
    """Make the answer to what is refused before the application sees it.

    Pages of every origin may read it: it tells nothing but why, and when to ask again.

    Parameters
    ----------
    kind : str
        One of ``problems.KINDS``.
    asked_id : str
        ``X-Request-Id`` as it was sent.

    Returns
    -------
    status : int
    headers : list of (str, str)
    body : bytes
    """
    request_id = request_id_of(asked_id)
    body = msgspec.json.encode(problem(kind, PROBLEM_KINDS[kind].advice, request_id=request_id))
    headers = [
        *fixed_headers(PROBLEM_TYPE),
        ("X-Request-Id", request_id),
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Expose-Headers", "Retry-After, X-Request-Id"),
    ]
    if PROBLEM_KINDS[kind].status == 503:
        headers.append(("Retry-After", "1"))
    return PROBLEM_KINDS[kind].status, [*headers, ("Content-Length", str(len(body)))], body


class Exchange(httputil.HTTPMessageDelegate):
    """One request and its answer.

    Parameters
    ----------
    front : Front
    server_conn : HTTP1ServerConnection
        The connection, which may bring more requests.
    connection : HTTP1Connection
        What it is for this one.
    """

    def __init__(
        self, front: "Front", server_conn: HTTP1ServerConnection, connection: HTTP1Connection
    ) -> None:
        self._front = front
        self._server_conn = server_conn
        self._connection = connection
        self._body: list[bytes] = []
        self._size = self._came_bytes = 0
        self._ended = False  # answered, or nobody is there any more
        self._too_large = False
        self._slow: asyncio.TimerHandle | None = None

    # Reading

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        """Hold a request to its limits before its body is read."""
        if not isinstance(start_line, RequestStartLine):
            raise TypeError("a server reads requests")
        self._front.begun(self._server_conn)
        self._line, self._headers = start_line, headers
        self._path = start_line.path.partition("?")[0]
        self._limits = limits_of(start_line.method, self._path)
        self._connection.set_max_body_size(_ANY)
        said = headers.get("Content-Length", "")
        length = int(said[:20]) if said.isascii() and said.isdigit() else 0
        self._too_large = length > self._limits.body_bytes
        if length > MOST_DROPPED_BYTES:
            self.refuse("body-too-large")
        elif (said and said != "0") or "Transfer-Encoding" in headers:
            self._slow = self._front.loop.call_later(BODY_SECONDS, self.refuse, "too-slow")

    def data_received(self, chunk: bytes) -> None:
        """Take a part of the body."""
        if self._ended:
            return
        self._came_bytes += len(chunk)
        if self._came_bytes > MOST_DROPPED_BYTES:
            self.refuse("body-too-large")
            return
        if self._too_large or self._came_bytes > self._limits.body_bytes:
            # Dropped, and answered once it is all there: whoever still sends does not listen.
            self._too_large, self._body = True, []
            return
        self._size += len(chunk)
        self._front.body_bytes += len(chunk)
        self._body.append(chunk)
        if self._front.body_bytes > MOST_BODY_BYTES:
            self.refuse("overloaded")

    def finish(self) -> None:
        """Have a request answered that was read whole."""
        if self._ended:
            return
        self._came()
        self._front.asked(self._server_conn)
        if self._too_large:
            self.refuse("body-too-large")
            return
        if self._path == "/livez" and self._line.method in ("GET", "HEAD"):
            alive = _ALIVE if self._line.method == "GET" else b""
            length = ("Content-Length", str(len(_ALIVE)))
            self._send(200, "OK", [*fixed_headers(JSON), self._named(), length], alive)
            return
        environ = environ_of(
            self._line, self._headers, b"".join(self._body), self._server_conn.context
        )
        self._body = []
        job = Job(
            lambda: self._run(environ),
            lambda: self._soon(self.refuse, "overloaded"),
            time.monotonic() + self._limits.wait_seconds,
        )
        if not self._front.lanes.by_name[self._limits.lane].offer(job):
            self.refuse("overloaded")

    def on_connection_close(self) -> None:
        """Let go of a request that was not sent to its end."""
        self._end()

    def _came(self) -> None:
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None

    def _end(self) -> None:
        self._came()
        self._ended = True
        self._body = []
        self._front.body_bytes -= self._size
        self._size = 0

    def refuse(self, kind: str) -> None:
        """Answer with a problem at once; what is left of the body is not read."""
        if self._ended:
            return
        status, headers, body = refusal(kind, self._headers.get("X-Request-Id", ""))
        if status == 503:
            self._front.tell()
        self._send(status, _REASONS[status], headers, b"" if self._line.method == "HEAD" else body)

    def _named(self) -> tuple[str, str]:
        return "X-Request-Id", request_id_of(self._headers.get("X-Request-Id", ""))

    # Answering, in a thread of a lane

    def _run(self, environ: dict[str, Any]) -> None:
        if self._ended:  # nobody is there any more
            return
        try:
            answer = ask(self._front.app, environ)
        except BaseException:
            self._soon(self.refuse, "internal-error")
            raise
        try:
            if answer.whole:
                body = b"".join(answer.parts)
                self._soon(self._send, answer.status, answer.reason, answer.headers, body)
            else:
                self._stream(answer)
        finally:
            answer.close()

    def _stream(self, answer: Answer) -> None:
        """Send parts as they are made; whoever does not take them ends their making."""
        try:
            self._wait_for(self._begin(answer))
            for part in answer.parts:
                if part:
                    self._wait_for(self._write(part))
        except (TimeoutError, StreamClosedError, asyncio.CancelledError):
            self._soon(self._break_off)
        except BaseException:
            self._soon(self._break_off)
            raise
        else:
            self._soon(self._complete)

    def _soon(self, do: Callable[..., None], *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._front.loop.call_soon_threadsafe(do, *arguments)

    def _wait_for(self, sending: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(sending, self._front.loop).result(WRITE_SECONDS + 5)

    # Sending

    def _send(self, status: int, reason: str, headers: list[tuple[str, str]], body: bytes) -> None:
        """Send a whole answer; a connection that does not take it in time is closed."""
        if self._ended or self._connection.stream.closed():
            self._end()
            return
        self._end()
        sent = self._connection.write_headers(
            ResponseStartLine("HTTP/1.1", status, reason), _headers(headers), body
        )
        self._connection.finish()
        stream = self._connection.stream
        if stream is not None and not stream.closed() and stream.writing():
            stuck = self._front.loop.call_later(WRITE_SECONDS, stream.close)
            sent.add_done_callback(lambda _: stuck.cancel())

    async def _begin(self, answer: Answer) -> None:
        if self._ended or self._connection.stream.closed():
            raise StreamClosedError
        start = ResponseStartLine("HTTP/1.1", answer.status, answer.reason)
        sent = self._connection.write_headers(start, _headers(answer.headers))
        await asyncio.wait_for(sent, WRITE_SECONDS)

    async def _write(self, part: bytes) -> None:
        if self._connection.stream is None or self._connection.stream.closed():
            raise StreamClosedError
        await asyncio.wait_for(self._connection.write(part), WRITE_SECONDS)

    def _complete(self) -> None:
        self._end()
        if not self._connection.stream.closed():
            self._connection.finish()

    def _break_off(self) -> None:
        self._end()
        self._connection.close()


def _headers(pairs: list[tuple[str, str]]) -> HTTPHeaders:
    headers = HTTPHeaders()
    for name, value in pairs:
        headers.add(name, value)
    headers.add("Date", formatdate(usegmt=True))
    return headers
