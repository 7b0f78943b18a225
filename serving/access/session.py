"""Sessions of people who signed in to the pages: a signed cookie, and a CSRF token.

Signing in with a key makes a cookie that names the key and an end time. Nothing is stored, except
which sessions people signed out of before that time (``KeyCache``). ``admission`` reads the cookie
if a request brings no key, and checks here that a change comes from one of our own pages: a browser
sends the cookie no matter who wrote the page.
"""

import hashlib
import hmac
import secrets
from typing import Final, NamedTuple

import msgspec
from flask import Response, request
from itsdangerous import BadData, URLSafeSerializer

from serving.http import PROBLEM_KINDS, Refusal

COOKIE: Final = "omnibasket_session"
TOKEN_HEADER: Final = "X-CSRF-Token"  # noqa: S105 - the name of a header
#: How long a person stays signed in.
SESSION_HOURS: Final = 12
#: Prefix of the tokens of the example shop's pages.
SHOP_TOKEN: Final = "omnibasket-shop."  # noqa: S105 - a prefix
#: HTTP methods that change nothing.
SAFE_METHODS: Final = frozenset(("GET", "HEAD", "OPTIONS"))
#: Headers that only a browser sends.
_OF_BROWSERS: Final = ("HTTP_ORIGIN", "HTTP_SEC_FETCH_SITE", "HTTP_COOKIE")


class Session(NamedTuple):
    """The session of a person who signed in."""

    key_id: str
    """The key whose rights they have."""
    ends_ts: int
    """UTC epoch seconds."""
    session_id: str


class Sessions:
    """Makes and reads the cookies of one workspace; every replica reads those of the others.

    Parameters
    ----------
    secret : str
        The workspace's key; signatures are made with keys derived from it.
    """

    def __init__(self, secret: str) -> None:
        self._token_key = _derived(secret, "csrf")
        self._serializer = _signing(secret, "session")
        self._shop_serializer = _signing(secret, "shop")

    def issue(self, key_id: str, now_ts: float) -> str:
        """Make the content of a cookie.

        Parameters
        ----------
        key_id : str
            Key whose rights the session has, as long as that key is valid.
        now_ts : float
            UTC epoch seconds; it ends ``SESSION_HOURS`` later.
        """
        content = [key_id, int(now_ts) + SESSION_HOURS * 3_600, secrets.token_hex(8)]
        return str(self._serializer.dumps(content))

    def read(self, cookie: str, now_ts: float) -> Session | None:
        """Return the session of a cookie; None if the cookie is not ours or has expired."""
        try:
            session = msgspec.convert(self._serializer.loads(cookie), Session)
        except (BadData, msgspec.ValidationError):
            return None
        return session if session.ends_ts > now_ts else None

    def shop_token(self, origin: str, now_ts: float) -> str:
        """Make the token that a page of the example shop sends where keys are needed.

        Parameters
        ----------
        origin : str
            The web origin of that page.
        now_ts : float
            UTC epoch seconds; it ends ``SESSION_HOURS`` later.
        """
        content = [origin, int(now_ts) + SESSION_HOURS * 3_600]
        return f"{SHOP_TOKEN}{self._shop_serializer.dumps(content)}"

    def shop_origin(self, given: str, now_ts: float) -> str | None:
        """Return the origin that a token is for; None if the token is not ours or has expired."""
        try:
            origin, ends_ts = self._shop_serializer.loads(given.removeprefix(SHOP_TOKEN))
        except (BadData, ValueError, TypeError):
            return None
        if not isinstance(origin, str) or not isinstance(ends_ts, int) or ends_ts <= now_ts:
            return None
        return origin

    def token(self, cookie: str) -> str:
        """Return the CSRF token that a page must send with every change.

        Parameters
        ----------
        cookie : str
            Cookie of the session; empty where no key is needed.
        """
        return hmac.new(self._token_key, cookie.encode(), hashlib.sha256).hexdigest()

    def check_csrf_token(self, cookie: str) -> None:
        """Refuse a change without the CSRF token of its session.

        Raises
        ------
        Refusal
        """
        given = request.headers.get(TOKEN_HEADER, "")
        if not hmac.compare_digest(given.encode(), self.token(cookie).encode()):
            raise Refusal("csrf-missing", PROBLEM_KINDS["csrf-missing"].advice)


def from_browser() -> bool:
    """Whether a browser sent the current request."""
    return any(name in request.environ for name in _OF_BROWSERS)


def check_own_page() -> None:
    """Refuse a request that a browser sends for another site's page.

    Browsers name the site of the page in ``Sec-Fetch-Site``, at least over HTTPS. Older browsers,
    and all of them over plain HTTP, name it in ``Origin``.

    Raises
    ------
    Refusal
    """
    site = request.environ.get("HTTP_SEC_FETCH_SITE")
    origin = request.environ.get("HTTP_ORIGIN")
    if site is None:
        # Compare only the host: if a proxy ends TLS, the scheme is not known here.
        own = origin is None or origin.partition("://")[2] == request.host
    else:
        own = site == "same-origin"
    if not own:
        raise Refusal("cross-site", PROBLEM_KINDS["cross-site"].advice)


def set_cookie(response: Response, content: str) -> None:
    """Set the session cookie; closing the browser removes it."""
    response.set_cookie(
        COOKIE, content, path="/", httponly=True, samesite="Strict", secure=is_secure()
    )


def clear_cookie(response: Response) -> None:
    """Remove the session cookie."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="Strict", secure=is_secure())


def is_secure() -> bool:
    """Whether the browser uses HTTPS; a proxy that ends TLS says so in a header."""
    return request.is_secure or request.headers.get("X-Forwarded-Proto") == "https"


def own_origin() -> str:
    """Return the web origin that the current request was sent to."""
    return f"{'https' if is_secure() else 'http'}://{request.host}"


def _signing(secret: str, purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(
        _derived(secret, purpose),
        salt=f"omnibasket.{purpose}",
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )


def _derived(secret: str, purpose: str) -> bytes:
    return hmac.new(secret.encode(), f"omnibasket.{purpose}".encode(), hashlib.sha256).digest()
