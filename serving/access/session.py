"""A person signed in to the pages: a signed cookie, and the token that proves a page is ours.

A key that was shown at sign-in becomes a cookie that names the key and an end. Nothing is stored
but, until then, which sessions people signed out of (``access.KeyCache``).
``access`` reads the cookie where a request brings no key, and asks here whether a change comes
from one of our own pages: a browser sends the cookie along whoever wrote the page.
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
#: Begins what a page of the example shop asks with.
SHOP_TOKEN: Final = "omnibasket-shop."  # noqa: S105 - how it begins
#: Methods that change nothing.
SAFE_METHODS: Final = frozenset(("GET", "HEAD", "OPTIONS"))
#: What only a browser sends.
_OF_BROWSERS: Final = ("HTTP_ORIGIN", "HTTP_SEC_FETCH_SITE", "HTTP_COOKIE")


class Session(NamedTuple):
    """A person is signed in."""

    key_id: str
    """Whose rights they have."""
    ends_ts: int
    """UTC epoch seconds."""
    session_id: str


class Sessions:
    """Makes and reads the cookies of one workspace; every replica reads those of the others.

    Parameters
    ----------
    secret : str
        The workspace's key; what is signed here is signed under keys derived from it.
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
            Whose rights it has, as long as that key is valid.
        now_ts : float
            UTC epoch seconds; it ends ``SESSION_HOURS`` later.
        """
        content = [key_id, int(now_ts) + SESSION_HOURS * 3_600, secrets.token_hex(8)]
        return str(self._serializer.dumps(content))

    def read(self, cookie: str, now_ts: float) -> Session | None:
        """Return the session that a cookie stands for; None where it is not ours or is over."""
        try:
            session = msgspec.convert(self._serializer.loads(cookie), Session)
        except (BadData, msgspec.ValidationError):
            return None
        return session if session.ends_ts > now_ts else None

    def shop_token(self, origin: str, now_ts: float) -> str:
        """Make what a page of the example shop asks with where keys are needed.

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
        """Return the origin that a pass is for; None where it is not ours or has ended."""
        try:
            origin, ends_ts = self._shop_serializer.loads(given.removeprefix(SHOP_TOKEN))
        except (BadData, ValueError, TypeError):
            return None
        if not isinstance(origin, str) or not isinstance(ends_ts, int) or ends_ts <= now_ts:
            return None
        return origin

    def token(self, cookie: str) -> str:
        """Return what a page must send with every change.

        Parameters
        ----------
        cookie : str
            Of the session; empty where no key is needed.
        """
        return hmac.new(self._token_key, cookie.encode(), hashlib.sha256).hexdigest()

    def check_csrf_token(self, cookie: str) -> None:
        """Refuse a change that does not bring the token of its session.

        Raises
        ------
        Refusal
        """
        given = request.headers.get(TOKEN_HEADER, "")
        if not hmac.compare_digest(given.encode(), self.token(cookie).encode()):
            raise Refusal("csrf-missing", PROBLEM_KINDS["csrf-missing"].advice)


def from_browser() -> bool:
    """Whether a browser sends the present request."""
    return any(name in request.environ for name in _OF_BROWSERS)


def check_own_page() -> None:
    """Refuse what a browser sends for another site's page.

    A browser says which site's page asks in ``Sec-Fetch-Site``, to a secure address at least; older
    ones, and those that ask over plain HTTP, in ``Origin``.

    Raises
    ------
    Refusal
    """
    site = request.environ.get("HTTP_SEC_FETCH_SITE")
    origin = request.environ.get("HTTP_ORIGIN")
    if site is None:
        # Only the host: whoever ends TLS before us knows the scheme, we do not.
        own = origin is None or origin.partition("://")[2] == request.host
    else:
        own = site == "same-origin"
    if not own:
        raise Refusal("cross-site", PROBLEM_KINDS["cross-site"].advice)


def set_cookie(response: Response, content: str) -> None:
    """Sign a browser in; closing the browser signs out."""
    response.set_cookie(
        COOKIE, content, path="/", httponly=True, samesite="Strict", secure=_is_secure()
    )


def clear_cookie(response: Response) -> None:
    """Sign a browser out."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="Strict", secure=_is_secure())


def _is_secure() -> bool:
    """Whether the browser came over HTTPS; who ends it before us says so in a header."""
    return request.is_secure or request.headers.get("X-Forwarded-Proto") == "https"


def own_origin() -> str:
    """Return the web origin that the present request was sent to."""
    return f"{'https' if _is_secure() else 'http'}://{request.host}"


def _signing(secret: str, purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(
        _derived(secret, purpose),
        salt=f"omnibasket.{purpose}",
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )


def _derived(secret: str, purpose: str) -> bytes:
    return hmac.new(secret.encode(), f"omnibasket.{purpose}".encode(), hashlib.sha256).digest()
