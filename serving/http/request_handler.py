"""One request and its answer: read whole with a deadline, run in a queue, sent with a deadline.

``server`` makes one handler for each request of a connection. Reading and sending run in the event
loop; the application runs in a thread of the request's queue.
"""

import asyncio
import contextlib
import functools
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
    MAX_BODIES_BYTES,
    MAX_DROPPED_BYTES,
    WRITE_SECONDS,
    limits_of,
)
from serving.http.responses import JSON, fixed_headers, request_id_of
from serving.http.wsgi_gateway import AppResponse, call_app, environ_of

if TYPE_CHECKING:
    from serving.http.server import Server

_ALIVE: Final = b'{"status":"alive"}'
#: Turns off the library's own limit: the handler refuses large bodies itself.
_NO_LIMIT: Final = 1 << 62
_REASONS: Final = http.client.responses


def refusal(kind: str, sent_id: str = "") -> tuple[int, list[tuple[str, str]], bytes]:
    """Make the answer to a request that is refused before the application sees it.

    Pages of every origin may read it: it says only why, and when to try again.

    Parameters
    ----------
    kind : str
        A key of ``PROBLEM_KINDS``.
    sent_id : str
        ``X-Request-Id`` as it was sent.

    Returns
    -------
    status : int
    headers : list of (str, str)
    body : bytes
    """
    request_id = request_id_of(sent_id)
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


class RequestHandler(httputil.HTTPMessageDelegate):
    """One request and its answer.

    Parameters
    ----------
    server : Server
    server_conn : HTTP1ServerConnection
        The connection, which may bring more requests.
    connection : HTTP1Connection
        The same connection while it carries this request.
    """

    def __init__(
        self, server: "Server", server_conn: HTTP1ServerConnection, connection: HTTP1Connection
    ) -> None:
        self._server = server
        self._server_conn = server_conn
        self._connection = connection
        self._body: list[bytes] = []
        self._size = self._received_bytes = 0
        self._ended = False  # answered, or the client is gone
        self._too_large = False
        self._body_timeout: asyncio.TimerHandle | None = None

    # Reading

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        """Check a request against its limits before its body is read."""
        if not isinstance(start_line, RequestStartLine):
            raise TypeError("a server reads requests")
        self._server.on_headers(self._server_conn)
        self._line, self._headers = start_line, headers
        self._path = start_line.path.partition("?")[0]
        self._limits = limits_of(start_line.method, self._path)
        self._connection.set_max_body_size(_NO_LIMIT)
        declared = headers.get("Content-Length", "")
        length = int(declared[:20]) if declared.isascii() and declared.isdigit() else 0
        self._too_large = length > self._limits.body_bytes
        if length > MAX_DROPPED_BYTES:
            self.refuse("body-too-large")
        elif (declared and declared != "0") or "Transfer-Encoding" in headers:
            self._body_timeout = self._server.loop.call_later(BODY_SECONDS, self.refuse, "too-slow")

    def data_received(self, chunk: bytes) -> None:
        """Take a part of the body."""
        if self._ended:
            return
        self._received_bytes += len(chunk)
        if self._received_bytes > MAX_DROPPED_BYTES:
            self.refuse("body-too-large")
            return
        if self._too_large or self._received_bytes > self._limits.body_bytes:
            # Drop it; answer once all of it has arrived: a client that still sends does not read.
            self._too_large, self._body = True, []
            return
        self._size += len(chunk)
        self._server.body_bytes += len(chunk)
        self._body.append(chunk)
        if self._server.body_bytes > MAX_BODIES_BYTES:
            self.refuse("overloaded")

    def finish(self) -> None:
        """Queue a request that was read whole."""
        if self._ended:
            return
        self._cancel_timeout()
        self._server.on_request(self._server_conn)
        if self._too_large:
            self.refuse("body-too-large")
            return
        if self._path == "/livez" and self._line.method in ("GET", "HEAD"):
            length = ("Content-Length", str(len(_ALIVE)))
            headers = [*fixed_headers(JSON), self._request_id_header(), length]
            self._send(self._encode(200, "OK", headers, _ALIVE))
            return
        environ = environ_of(
            self._line, self._headers, b"".join(self._body), self._server_conn.context
        )
        self._body = []
        job = Job(
            lambda: self._run(environ),
            lambda: self._call_soon(self.refuse, "overloaded"),
            time.monotonic() + self._limits.wait_seconds,
        )
        if not self._server.queues.by_name[self._limits.queue].offer(job):
            self.refuse("overloaded")

    def on_connection_close(self) -> None:
        """Release a request that was not sent to its end."""
        self._release()

    def _cancel_timeout(self) -> None:
        if self._body_timeout is not None:
            self._body_timeout.cancel()
            self._body_timeout = None

    def _release(self) -> None:
        self._cancel_timeout()
        self._ended = True
        self._body = []
        self._server.body_bytes -= self._size
        self._size = 0

    def refuse(self, kind: str) -> None:
        """Answer with a problem at once; the rest of the body is not read."""
        if self._ended:
            return
        status, headers, body = refusal(kind, self._headers.get("X-Request-Id", ""))
        if status == 503:
            self._server.log_refusals()
        self._send(self._encode(status, _REASONS[status], headers, body))

    def _request_id_header(self) -> tuple[str, str]:
        return "X-Request-Id", request_id_of(self._headers.get("X-Request-Id", ""))

    # Answering, in a thread of a queue

    def _run(self, environ: dict[str, Any]) -> None:
        if self._ended:  # the client is gone
            return
        try:
            answer = call_app(self._server.app, environ)
            with contextlib.closing(answer):
                if not answer.is_complete:
                    self._stream(answer)
                    return
                body = b"".join(answer.parts)
                answered = self._encode(answer.status, answer.reason, answer.headers, body)
            self._call_soon(self._send, answered)
        except BaseException:
            self._call_soon(self.refuse, "internal-error")  # unless parts were sent already
            raise

    def _stream(self, answer: AppResponse) -> None:
        """Send parts as they are made; stop making them if the client does not take them."""
        try:
            self._wait_for(self._begin(answer))
            for part in answer.parts:
                if part:
                    self._wait_for(self._write(part))
        except (TimeoutError, StreamClosedError, asyncio.CancelledError):
            self._call_soon(self._abort)
        except BaseException:
            self._call_soon(self._abort)
            raise
        else:
            self._call_soon(self._complete)

    def _call_soon(self, do: Callable[..., None], *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._server.loop.call_soon_threadsafe(do, *arguments)

    def _wait_for(self, sending: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(sending, self._server.loop).result(WRITE_SECONDS + 5)

    # Sending

    def _encode(
        self, status: int, reason: str, headers: list[tuple[str, str]], body: bytes
    ) -> bytes:
        """Return a whole answer as it is sent, without its body to HEAD.

        The library writes headers too, in four times the time.

        Raises
        ------
        ValueError
            When a header would end before its end.
        """
        lines = [f"HTTP/1.1 {status} {reason}", f"Date: {_date(int(time.time()))}"]
        lines += [f"{name}: {value}" for name, value in headers]
        wanted = self._headers.get("Connection", "").lower()
        if wanted == ("close" if self._line.version == "HTTP/1.1" else "keep-alive"):
            lines.append(f"Connection: {wanted}")
        head = "\r\n".join(lines)
        if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
            raise ValueError("a header contains a line break")
        sent = head.encode("latin-1") + b"\r\n\r\n"
        return sent if self._line.method == "HEAD" else sent + body

    def _send(self, answered: bytes) -> None:
        """Send a whole answer; close the connection if it does not take the answer in time."""
        if self._ended or self._connection.stream.closed():
            self._release()
            return
        self._release()
        sent = self._connection.write(answered)
        self._connection.finish()
        stream = self._connection.stream
        if stream is not None and not stream.closed() and stream.writing():
            stuck = self._server.loop.call_later(WRITE_SECONDS, stream.close)
            sent.add_done_callback(lambda _: stuck.cancel())

    async def _begin(self, answer: AppResponse) -> None:
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
        self._release()
        if not self._connection.stream.closed():
            self._connection.finish()

    def _abort(self) -> None:
        self._release()
        self._connection.close()


def _headers(pairs: list[tuple[str, str]]) -> HTTPHeaders:
    headers = HTTPHeaders()
    for name, value in pairs:
        headers.add(name, value)
    headers.add("Date", _date(int(time.time())))
    return headers


@functools.lru_cache(maxsize=1)
def _date(now_ts: int) -> str:
    """Return the value of ``Date``, written once a second."""
    return formatdate(now_ts, usegmt=True)
