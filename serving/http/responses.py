"""Responses with the headers that every one of them has.

Every view answers through ``reply``; ``defend`` adds the headers to what Flask makes by itself.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable, Sequence
from typing import Any, Final

import orjson
from flask import Response, request

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
#: No answer may be framed, sniffed, or load anything from elsewhere.
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
_NOT_STORED: Final = ("Cache-Control", "private, no-store")
_REVALIDATED: Final = ("Cache-Control", "private, no-cache")
#: Of an address by http or https, without a user and with a host that needs no escape.
_ORIGIN: Final = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?(?=[/?#]|$)", re.IGNORECASE)
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")


def reply(
    body: bytes | Iterable[bytes],
    status: int = 200,
    content_type: str = JSON,
    headers: Sequence[tuple[str, str]] = (),
    *,
    cache_seconds: int = 0,
    private: bool = False,
    etag: str | None = None,
    form: bool = False,
    pictures: Iterable[str] = (),
) -> Response:
    """Make a response.

    Parameters
    ----------
    body : bytes or iterable of bytes
        Parts are sent as they are made.
    status : int
    content_type : str
    headers : sequence of (str, str)
        In addition to those that every response has.
    cache_seconds : int
        How long it may be cached without revalidation; 0: not at all, or, with an ``etag``, only
        with revalidation.
    private : bool
        Cached only by the caller, not by shared caches.
    etag : str, optional
        As ``etag_of`` makes it.
    form : bool
        Whether it is a page with a form that is sent to us.
    pictures : iterable of str
        Web addresses of pictures on the page; it may load what comes from their origins.
    """
    page = content_type.startswith("text/html")
    policy = _PAGE_POLICY if page else _NO_CONTENT_POLICY
    if form:
        policy = policy.replace("form-action 'none'", "form-action 'self'")
    if origins := sorted({origin for origin in map(_origin_of, pictures) if origin}):
        policy = policy.replace("img-src 'self'", f"img-src 'self' {' '.join(origins)}")
    kept = _NOT_STORED
    if cache_seconds:
        whose = "private" if private else "public"
        kept = ("Cache-Control", f"{whose}, max-age={cache_seconds}")
    elif etag is not None:
        kept = _REVALIDATED
    tag = [("ETag", etag)] if etag is not None else []
    return Response(
        body,
        status,
        [*_HEADERS, ("Content-Security-Policy", policy), kept, *tag, *headers],
        content_type=content_type,
    )


def _origin_of(address: str) -> str | None:
    """Return the origin of a web address, if it can stand in a policy; None else."""
    found = _ORIGIN.match(address)
    return found[0].lower() if found is not None else None


def fixed_headers(content_type: str) -> list[tuple[str, str]]:
    """Return the headers of an answer that no view makes."""
    policy = ("Content-Security-Policy", _NO_CONTENT_POLICY)
    return [("Content-Type", content_type), *_HEADERS, policy, _NOT_STORED]


def request_id_of(given: str) -> str:
    """Return a request's id: the one that its sender gave it, or a new one."""
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(12)


def etag_of(*parts: Any) -> str:
    """Make a tag that changes whenever one of the parts does."""
    content = b"".join(part if isinstance(part, bytes) else orjson.dumps(part) for part in parts)
    return f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'


def is_held(etag: str) -> bool:
    """Whether the caller already holds this answer (``If-None-Match``), so that 304 is enough."""
    return request.if_none_match.contains(etag.strip('"'))


def add_security_headers(response: Response) -> Response:
    """Add the headers to a response that ``reply`` did not make."""
    if "X-Content-Type-Options" not in response.headers:
        response.headers.extend([*_HEADERS, _NOT_STORED])
        response.headers["Content-Security-Policy"] = _NO_CONTENT_POLICY
    return response
