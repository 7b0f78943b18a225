"""One connection of a client: its bytes become requests, one at a time, each with a deadline.

``server`` makes one for every socket that it accepts. httptools reads HTTP/1; the connection keeps
the deadlines and the order: what a client sends while it is being answered is held back.
"""

import asyncio
import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import httptools

from serving.http.request_handler import RequestHandler, encode_answer, refusal
from serving.http.request_limits import (
    HEADER_SECONDS,
    IDLE_SECONDS,
    MAX_HEADER_BYTES,
    WRITE_SECONDS,
)
from serving.http.wsgi_gateway import Request

if TYPE_CHECKING:
    from serving.http.server import Server

_log = logging.getLogger("omnibasket.service")

#: How long to drop what a client sends after something that is no request. Seconds.
_DROPPING_SECONDS: Final = 1.0
#: Bytes held back for later requests; beyond, the client is not read until their turn comes.
_MAX_HELD_BYTES: Final = 64 * 1024
_MAX_HELD_PARTS: Final = 100


class _Held(NamedTuple):
    """A part of a later request."""

    what: str
    of: Any


class Connection(asyncio.Protocol):
    """A connection and the request that it carries.

    Parameters
    ----------
    server : Server
    address : tuple or str
        Of the client, as the socket gives it.

    Attributes
    ----------
    is_last : bool
        Whether the connection is closed after the present answer.
    """

    def __init__(self, server: "Server", address: Any) -> None:
        self.address = address
        self.is_last = False
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._closing = False
        # Reading
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._headers: dict[str, str] = {}
        self._in_headers = True
        self._header_bytes = 0  # of the headers so far
        self._empty_bytes = 0  # since something was handed over
        self._held: deque[_Held] = deque()
        self._held_bytes = 0
        # The present request
        self._handler: RequestHandler | None = None
        self._read_whole = False
        self._answered = self._going_on = False
        # Sending
        self._lags = False  # the client has not taken all that it was sent
        self._caught_up: asyncio.Future[None] | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        # Waiting for a request
        self._waits_until = 0.0
        self._wait_timer: asyncio.TimerHandle | None = None

    # The transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a request."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("only streams are served")
        self._transport = transport
        transport.set_write_buffer_limits(high=0)  # call `pause_writing` whenever the client lags
        self._waits_until = time.monotonic() + HEADER_SECONDS
        self._check_wait()
        self._server.on_idle(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Forget the connection and its request."""
        self._closing = True
        for timer in (self._wait_timer, self._write_timer):
            if timer is not None:
                timer.cancel()
        if self._caught_up is not None and not self._caught_up.done():
            self._caught_up.set_exception(ConnectionResetError("the client is gone"))
        if self._handler is not None:
            self._handler.on_connection_close()
        self._held.clear()
        self._server.on_close(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes of a request, or of several."""
        if self._closing:
            return
        self._empty_bytes += len(data)
        if self._is_held_back:
            self._held_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # it is answered in HTTP/1, and is the last: see ``Request.keep_alive``
        except httptools.HttpParserError:
            self._hand_over("bad-request")
        if self._empty_bytes > MAX_HEADER_BYTES:  # of headers, a chunk's extension or a trailer
            self._hand_over("headers-too-large" if self._in_headers else "bad-request")
        held_enough = self._held_bytes > _MAX_HELD_BYTES or len(self._held) > _MAX_HELD_PARTS
        if held_enough and self._transport is not None:
            self._transport.pause_reading()

    def pause_writing(self) -> None:
        """Note that the client lags behind; it has a while to catch up."""
        self._lags = True
        self._write_timer = self._server.loop.call_later(WRITE_SECONDS, self.abort)

    def resume_writing(self) -> None:
        """Note that the client took all that it was sent."""
        self._lags = False
        if self._write_timer is not None:
            self._write_timer.cancel()
        if self._caught_up is not None and not self._caught_up.done():
            self._caught_up.set_result(None)
        if self._answered:
            self._go_on()

    def _check_wait(self) -> None:
        """Close a connection that has waited too long for a request; otherwise check again."""
        now = time.monotonic()
        waits = self._handler is None and not self._closing
        if waits and now >= self._waits_until:
            self.abort()
            return
        later = self._waits_until - now if waits else HEADER_SECONDS
        self._wait_timer = self._server.loop.call_later(later, self._check_wait)

    # The parser

    def on_message_begin(self) -> None:
        """Begin to read headers."""
        self._url, self._headers = b"", {}
        self._in_headers, self._header_bytes = True, 0
        self._waits_until = max(self._waits_until, time.monotonic() + HEADER_SECONDS)

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        self._header_bytes += len(url)
        if self._header_bytes <= MAX_HEADER_BYTES:
            self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; values of equal names are joined. Trailers are no headers."""
        self._header_bytes += len(name) + len(value)
        if not self._in_headers or self._header_bytes > MAX_HEADER_BYTES:
            return
        key, said = name.lower().decode("latin-1"), value.decode("latin-1")
        earlier = self._headers.get(key)
        if earlier is not None:
            said = f"{earlier}{'; ' if key == 'cookie' else ','}{said}"
        self._headers[key] = said

    def on_headers_complete(self) -> None:
        """Hand the first line and the headers over."""
        self._in_headers = False
        if self._header_bytes > MAX_HEADER_BYTES:
            self._hand_over("headers-too-large")
            return
        parser = self._parser
        encoding = self._headers.get("transfer-encoding")
        if encoding is not None and (
            encoding.strip().lower() != "chunked" or parser.get_http_version() != "1.1"
        ):
            self._hand_over("bad-request")  # where the body ends would be a guess
            return
        host = self._headers.get("host")
        if "," in (host or "") or (host is None and parser.get_http_version() == "1.1"):
            self._hand_over("bad-request")  # RFC 9112, section 3.2: exactly one
            return
        request = Request(
            parser.get_method().decode("latin-1"),
            self._url.decode("latin-1"),
            f"HTTP/{parser.get_http_version()}",
            self._headers,
            parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self._server.moves(self),
        )
        self._hand_over("headers", request)

    def on_body(self, body: bytes) -> None:
        """Hand a part of the body over."""
        self._hand_over("body", body)

    def on_message_complete(self) -> None:
        """Hand the end of the request over."""
        self._hand_over("end")

    # Requests, in order

    @property
    def _is_held_back(self) -> bool:
        return self._read_whole or bool(self._held)

    @property
    def _may_take(self) -> bool:
        return not (self._read_whole or self._closing)

    def _hand_over(self, what: str, of: Any = None) -> None:
        """Hand something over to the present request, or hold it back for a later one."""
        self._empty_bytes = 0
        if self._closing:
            return
        if self._is_held_back:
            self._held.append(_Held(what, of))
        else:
            self._take(what, of)

    def _take(self, what: str, of: Any) -> None:
        """Hand something over; whatever fails, the client is not left without an end."""
        try:
            self._do_take(what, of)
        except Exception:
            _log.exception("a connection failed")
            self.abort()

    def _do_take(self, what: str, of: Any) -> None:
        handler = self._handler
        if what == "headers":
            self._server.on_idle(self)  # the newest: it is not closed to make room for others
            self._handler = handler = RequestHandler(self._server, self, of)
            self.is_last = self.is_last or not of.keep_alive
            handler.headers_received()
        elif what == "body" and handler is not None:
            handler.data_received(of)
        elif what == "end" and handler is not None:
            self._read_whole = True
            self._server.on_request(self)
            handler.finish()
        elif what in ("bad-request", "headers-too-large"):
            self._turn_away(what)

    def _turn_away(self, kind: str) -> None:
        """Answer what is no request, then drop for a moment what the client still sends.

        Closing a connection with unread bytes would discard the answer.
        """
        if self._handler is not None:  # it is bad in the middle of a body
            self._handler.on_connection_close()
        status, headers, body = refusal(kind)
        self.write(encode_answer(status, [*headers, ("Connection", "close")], body))
        self._closing = True
        if self._transport is not None:
            self._transport.write_eof()
        self._server.loop.call_later(_DROPPING_SECONDS, self.abort)

    # Answers

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._closing or self._transport is None or self._transport.is_closing()

    def write(self, part: bytes) -> None:
        """Send a part of an answer."""
        if self._transport is not None:
            self._transport.write(part)

    async def catch_up(self) -> None:
        """Wait until the client took all that it was sent.

        Raises
        ------
        ConnectionError
            When it is gone, or did not take it in time.
        """
        if self.is_closed:
            raise ConnectionResetError("the client is gone")
        if self._lags:
            self._caught_up = self._server.loop.create_future()
            await self._caught_up

    def end_answer(self) -> None:
        """Go on with the next request once the client took the answer, or close."""
        self._answered = True
        if not self._lags:
            self._go_on()

    def abort(self) -> None:
        """Close the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Close the connection once the client took what it was sent."""
        self._closing = True
        if self._transport is not None:
            self._transport.close()

    def _go_on(self) -> None:
        """Take what was held back, request by request, as long as each is answered at once."""
        if self._going_on:  # by an answer within the loop below, which goes on
            return
        self._going_on = True
        while self._answered and not self._lags and not self._closing:
            if self.is_last or not self._read_whole:  # the rest of a refused body is not read
                self.close()
                break
            self._handler, self._read_whole, self._answered = None, False, False
            self._waits_until = time.monotonic() + IDLE_SECONDS
            self._server.on_idle(self)
            while self._held and self._may_take:
                self._take(*self._held.popleft())
        self._going_on = False
        if not self._held and self._transport is not None:
            self._held_bytes = 0
            self._transport.resume_reading()
