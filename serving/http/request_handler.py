"""One request and its answer: read whole with a deadline, run in a queue, sent with a deadline.

``connection`` makes one handler for each request. Reading and sending run in the event loop; the
application runs in a thread of the request's queue.
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

from serving.http.problem_kinds import PROBLEM_KINDS
from serving.http.problems import PROBLEM_TYPE, problem
from serving.http.queues import Job
from serving.http.request_limits import (
    BODY_SECONDS,
    MAX_BODIES_BYTES,
    MAX_DROPPED_BYTES,
    WRITE_SECONDS,
    limits_of,
)
from serving.http.responses import JSON, fixed_headers, request_id_of
from serving.http.wsgi_gateway import AppResponse, Request, call_app, environ_of

if TYPE_CHECKING:
    from serving.http.connection import Connection
    from serving.http.server import Server

_ALIVE: Final = b'{"status":"alive"}'
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
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


def encode_answer(
    status: int, headers: list[tuple[str, str]], body: bytes = b"", reason: str = ""
) -> bytes:
    """Return an answer, or the beginning of one, as it is sent.

    Parameters
    ----------
    status : int
    headers : list of (str, str)
        But for ``Date``.
    body : bytes
    reason : str
        The words of the status; by default the usual ones.

    Raises
    ------
    ValueError
        When a header has a line break.
    """
    lines = [f"HTTP/1.1 {status} {reason or _REASONS.get(status, '')}", _date(int(time.time()))]
    lines += [f"{name}: {value}" for name, value in headers]
    head = "\r\n".join(lines)
    if head.count("\n") != len(headers) + 1 or head.count("\r") != len(headers) + 1:
        raise ValueError("a header has a line break")
    return head.encode("latin-1") + b"\r\n\r\n" + body


class RequestHandler:
    """One request and its answer.

    Parameters
    ----------
    server : Server
    connection : Connection
    request : Request
    """

    def __init__(self, server: "Server", connection: "Connection", request: Request) -> None:
        self._server = server
        self._connection = connection
        self._request = request
        self._path = request.target.partition("?")[0]
        self._limits = limits_of(request.method, self._path)
        self._body = bytearray()
        self._is_whole = False  # all of the request was read
        self._size = self._received_bytes = 0
        self._ended = False  # answered, or the client is gone
        self._too_large = False
        self._body_timeout: asyncio.TimerHandle | None = None

    # Reading

    def headers_received(self) -> None:
        """Check a request against its limits before its body is read."""
        headers = self._request.headers
        declared = headers.get("content-length", "")
        length = int(declared[:20]) if declared.isascii() and declared.isdigit() else 0
        self._too_large = length > self._limits.body_bytes
        if length > MAX_DROPPED_BYTES:
            self.refuse("body-too-large")
        elif (declared and declared != "0") or "transfer-encoding" in headers:
            self._body_timeout = self._server.loop.call_later(BODY_SECONDS, self.refuse, "too-slow")
            if headers.get("expect", "").lower() == "100-continue":
                self._connection.write(_CONTINUE)

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
            self._too_large, self._body = True, bytearray()
            return
        self._size += len(chunk)
        self._server.body_bytes += len(chunk)
        self._body += chunk
        if self._server.body_bytes > MAX_BODIES_BYTES:
            self.refuse("overloaded")

    def finish(self) -> None:
        """Queue a request that was read whole."""
        self._is_whole = True
        if self._ended:
            return
        self._cancel_timeout()
        if self._too_large:
            self.refuse("body-too-large")
            return
        if self._path == "/livez" and self._request.method in ("GET", "HEAD"):
            request_id = request_id_of(self._request.headers.get("x-request-id", ""))
            own = ("X-Request-Id", request_id), ("Content-Length", str(len(_ALIVE)))
            self._send(self._encoded(200, [*fixed_headers(JSON), *own], _ALIVE))
            return
        try:
            environ = environ_of(self._request, bytes(self._body), self._connection.address)
        except ValueError:  # an address that is none
            self.refuse("bad-request")
            return
        self._body = bytearray()
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
        self._body = bytearray()
        self._server.body_bytes -= self._size
        self._size = 0

    def refuse(self, kind: str) -> None:
        """Answer with a problem at once; the rest of the body is not read."""
        if self._ended:
            return
        status, headers, body = refusal(kind, self._request.headers.get("x-request-id", ""))
        if status == 503:
            self._server.log_refusals()
        self._send(self._encoded(status, headers, body))

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
                answered = self._encoded(answer.status, answer.headers, body, answer.reason)
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
        except (TimeoutError, ConnectionError, asyncio.CancelledError):
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

    def _encoded(
        self, status: int, headers: list[tuple[str, str]], body: bytes, reason: str = ""
    ) -> bytes:
        """Return a whole answer as it is sent, without its body to HEAD."""
        if self._request.method == "HEAD":
            body = b""
        return encode_answer(status, [*headers, *self._of_connection()], body, reason)

    def _of_connection(self) -> list[tuple[str, str]]:
        """Return the header that says whether the connection stays, where it must be said."""
        if not self._is_whole:  # the rest of the body is not read
            return [("Connection", "close")]
        if self._request.version == "HTTP/1.1":
            return [] if self._request.keep_alive else [("Connection", "close")]
        return [("Connection", "keep-alive")] if self._request.keep_alive else []

    def _send(self, answered: bytes) -> None:
        """Send a whole answer."""
        gone = self._ended or self._connection.is_closed
        self._release()
        if not gone:
            self._connection.write(answered)
            self._connection.end_answer()

    async def _begin(self, answer: AppResponse) -> None:
        if self._ended or self._connection.is_closed:
            raise ConnectionResetError("the client is gone")
        if self._is_chunked:
            of_connection = [("Transfer-Encoding", "chunked"), *self._of_connection()]
        else:  # the end of the connection is the end of the answer
            self._connection.is_last = True
            of_connection = []
        headers = [*answer.headers, *of_connection]
        self._connection.write(encode_answer(answer.status, headers, reason=answer.reason))
        await self._connection.catch_up()

    async def _write(self, part: bytes) -> None:
        self._connection.write(b"%x\r\n%b\r\n" % (len(part), part) if self._is_chunked else part)
        await self._connection.catch_up()

    @property
    def _is_chunked(self) -> bool:
        return self._request.version == "HTTP/1.1"

    def _complete(self) -> None:
        gone = self._ended or self._connection.is_closed
        self._release()
        if not gone:
            if self._is_chunked:
                self._connection.write(b"0\r\n\r\n")
            self._connection.end_answer()

    def _abort(self) -> None:
        self._release()
        self._connection.abort()


@functools.lru_cache(maxsize=1)
def _date(now_ts: int) -> str:
    """Return the header ``Date``, written once a second."""
    return f"Date: {formatdate(now_ts, usegmt=True)}"
