"""Between HTTP and WSGI: a request's first line, headers and body become an ``environ``.

Called by ``request_handler``; the application is called in a thread of a queue.
"""

import io
import sys
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final, NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

Application = Callable[..., Iterable[bytes]]

_PLAIN: Final = {"CONTENT_TYPE", "CONTENT_LENGTH"}
#: Not for applications: the server has dealt with them.
_OF_CONNECTION: Final = {"HTTP_TRANSFER_ENCODING"}


class Request(NamedTuple):
    """A request without its body."""

    method: str
    target: str
    """Path and query as sent."""
    version: str
    """``HTTP/1.1`` or ``HTTP/1.0``."""
    headers: dict[str, str]
    """By name in lower case."""
    keep_alive: bool
    """Whether the client may send another request on the connection."""


class AppResponse(NamedTuple):
    """What an application answered."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    parts: Iterable[bytes]
    is_complete: bool
    """Whether the length of the body is known, and it may be sent at once."""

    def close(self) -> None:
        """Let the application end what it began."""
        close = getattr(self.parts, "close", None)
        if close is not None:
            close()


def environ_of(request: Request, body: bytes, address: object) -> dict[str, Any]:
    """Make the ``environ`` of PEP 3333.

    Parameters
    ----------
    request : Request
        Headers with ``_`` in their names are left out: they would be taken for those with ``-``.
    body : bytes
        All of it.
    address : tuple or str
        Of whoever sent it, as the socket gives it.
    """
    path, _, query = request.target.partition("?")
    if not path.startswith("/"):  # the whole address, as a proxy would be asked
        path = urlsplit(path).path or "/"
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": request.version,
        "REMOTE_ADDR": address[0] if isinstance(address, tuple) else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        key = _environ_key(name)
        if key is not None:
            environ[key] = value
    if body:
        environ["CONTENT_LENGTH"] = str(len(body))
    return environ


@lru_cache(maxsize=256)
def _environ_key(name: str) -> str | None:
    """Return where a header stands in the environ; None if it is not for applications."""
    if "_" in name:
        return None
    key = name.upper().replace("-", "_")
    key = key if key in _PLAIN else f"HTTP_{key}"
    return None if key in _OF_CONNECTION else key


def call_app(app: Application, environ: dict[str, Any]) -> AppResponse:
    """Call an application.

    Raises
    ------
    Exception
        Whatever it raises.
    """
    started: list[Any] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], _error: object = None
    ) -> Callable[[bytes], object]:
        started[:] = status, headers
        return _no_write

    parts = app(environ, start_response)
    code, _, reason = started[0].partition(" ")
    headers = [(name, value) for name, value in started[1] if name.lower() != "connection"]
    is_complete = (
        any(name.lower() == "content-length" for name, _ in headers)
        or code in ("204", "304")
        or environ["REQUEST_METHOD"] == "HEAD"
    )
    return AppResponse(int(code), reason, headers, parts, is_complete)


def _no_write(_: bytes) -> None:
    raise RuntimeError("write() of PEP 3333 is not offered: return the body.")
