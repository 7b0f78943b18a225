"""Responses with the headers that every one of them has.

Every view answers through ``reply``; ``defend`` adds the headers to what Flask makes by itself.
"""

from collections.abc import Sequence
from typing import Final

from flask import Response

JSON: Final = "application/json"
#: Nothing that is answered may be framed, sniffed, or load anything from elsewhere.
_HEADERS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
_NO_CONTENT_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
_PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_NOT_STORED: Final = ("Cache-Control", "no-store")


def reply(
    body: bytes,
    status: int = 200,
    content_type: str = JSON,
    headers: Sequence[tuple[str, str]] = (),
    *,
    cache_seconds: int = 0,
) -> Response:
    """Make a response.

    Parameters
    ----------
    body : bytes
    status : int
    content_type : str
    headers : sequence of (str, str)
        In addition to those that every response has.
    cache_seconds : int
        How long browsers may keep it; 0: not at all.
    """
    page = content_type.startswith("text/html")
    policy = _PAGE_POLICY if page else _NO_CONTENT_POLICY
    kept = ("Cache-Control", f"max-age={cache_seconds}") if cache_seconds else _NOT_STORED
    return Response(
        body,
        status,
        [*_HEADERS, ("Content-Security-Policy", policy), kept, *headers],
        content_type=content_type,
    )


def defend(response: Response) -> Response:
    """Add the headers to a response that ``reply`` did not make."""
    if "X-Content-Type-Options" not in response.headers:
        response.headers.extend([*_HEADERS, _NOT_STORED])
        response.headers["Content-Security-Policy"] = _NO_CONTENT_POLICY
    return response
