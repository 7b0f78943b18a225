"""Authentication and authorisation: keys, scopes, channels, locations, web origins.

Every request passes ``admit`` before its view. Views that take a placement, a location or a
customer check here whether the caller may name it. A person who signed in to the pages has the
rights of their key (``session``). While the ledger has no keys, everything is allowed, but only
from this machine.
"""

import logging
import re
import time
from collections.abc import Collection, Mapping
from typing import Any, Final

from flask import Response, current_app, g, request

from recsys.config import PlacementSettings
from recsys.ledger import BROWSER_SCOPES, Grant, Key
from serving.access import session
from serving.access.key_cache import KeyCache
from serving.access.session import Sessions
from serving.http import PROBLEM_KINDS, FieldError, Refusal, reply
from serving.schemas import scope_of

_log = logging.getLogger("omnibasket.service")

#: The scope that a key needs to sign in to the pages.
PAGE_SCOPE: Final = "marketing"
#: Key id under which the example shop is logged.
_SHOP_KEY: Final = "example-shop"
_PUBLIC_CHANNELS: Final = frozenset(("store_screen",))
#: Without keys only this machine is answered, even if another site misleads its browser.
_LOCAL_HOSTS: Final = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_PREFLIGHT_SECONDS: Final = 600
_CROSS_ORIGIN: Final = (
    (
        "Access-Control-Expose-Headers",
        "ETag, RateLimit, RateLimit-Policy, Retry-After, X-Next-Cursor, X-Request-Id",
    ),
    ("Vary", "Origin"),
)
_PREFLIGHT: Final = (
    ("Access-Control-Allow-Methods", "GET, POST"),
    ("Access-Control-Allow-Headers", "Authorization, Content-Type, If-None-Match, X-Request-Id"),
    ("Access-Control-Max-Age", str(_PREFLIGHT_SECONDS)),
)


def admit(key_cache: KeyCache, sessions: Sessions) -> Response | None:
    """Admit or refuse the current request; sets ``g.caller`` to the caller's key.

    Parameters
    ----------
    keyring : KeyCache
    sessions : Sessions
        The sessions of people who signed in to the pages.

    Returns
    -------
    Response or None
        The answer to a browser's CORS preflight; None for any other request.

    Raises
    ------
    Refusal
        When the caller may not make this request.
    """
    g.caller = None
    key_cache.refresh_if_due()
    environ = request.environ
    if not key_cache.is_required:
        if not _LOCAL_HOSTS.fullmatch(environ.get("HTTP_HOST", "")):
            raise Refusal("misdirected", PROBLEM_KINDS["misdirected"].advice)
        if request.method not in session.SAFE_METHODS and session.from_browser():
            session.check_own_page()
            if _scope() == PAGE_SCOPE:
                sessions.check_csrf_token("")
        return None
    scope = _scope()
    if scope is None and not request.path.startswith("/v1"):
        return None
    if not key_cache.is_loaded:
        detail = "It is not known yet which keys there are: the ledger does not answer."
        raise Refusal("ledger-unavailable", detail, retry_seconds=1)
    origin = environ.get("HTTP_ORIGIN")
    if request.method == "OPTIONS":
        return _preflight(key_cache, origin)
    header, cookie = environ.get("HTTP_AUTHORIZATION"), None
    if header is None:
        cookie = request.cookies.get(session.COOKIE)
    if cookie is not None:
        key = _key_of_cookie(key_cache, sessions, cookie)
    else:
        key = _key_of_header(key_cache, sessions, header)
    g.caller = key
    if origin is not None and key.grant.origins and origin not in key.grant.origins:
        raise Refusal("origin-forbidden", f"This key is not for pages of {origin[:200]}.")
    if scope is not None:
        need_scope(scope)
    return None


def is_anonymous() -> bool:
    """Whether the caller of a page or call that needs no key is unknown.

    Where keys are needed, a session identifies a person and a key identifies a program. A page's
    key identifies nobody, because anybody can read it.
    """
    state = current_app.extensions["omnibasket"]
    key_cache: KeyCache = state.key_cache
    if not key_cache.is_required:
        return False
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    now = time.time()
    if secret and scheme.lower() == "bearer":
        if key_cache.is_starter(secret.strip()):
            return False
        key = key_cache.find(secret.strip())
    else:
        cookie = request.cookies.get(session.COOKIE, "")
        key = key_cache.session_key(state.sessions.read(cookie, now))
    return key is None or key.state(now) != "valid" or bool(key.grant.origins)


def _scope() -> str | None:
    """Return the scope that the requested route needs."""
    rule = request.url_rule
    return None if rule is None else scope_of(current_app.view_functions[rule.endpoint])


def _preflight(key_cache: KeyCache, origin: str | None) -> Response | None:
    if origin is None or "Access-Control-Request-Method" not in request.headers:
        return None
    if not key_cache.admits_origin(origin):
        raise Refusal("origin-forbidden", f"No key is for pages of {origin[:200]}.")
    return reply(b"", 204, headers=_PREFLIGHT)


def _key_of_header(key_cache: KeyCache, sessions: Sessions, header: str | None) -> Key:
    scheme, _, secret = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise _challenge("key-missing")
    if secret.startswith(session.SHOP_TOKEN):
        return _shop_key(sessions, secret.strip())
    return _require_valid(key_cache.find(secret.strip()))


def _shop_key(sessions: Sessions, given: str) -> Key:
    """Return the example shop's key: that of a page, which may also redeem offers by their code."""
    open_shop = current_app.extensions["omnibasket"].config.serve.example_shop
    now = time.time()
    origin = sessions.shop_origin(given, now) if open_shop else None
    if origin is None:
        raise _challenge("key-unknown")
    grant = Grant(
        ("recommend", "events", "offers"), "example shop", channels=("web",), origins=(origin,)
    )
    return Key(_SHOP_KEY, b"", int(now), None, grant)


def _key_of_cookie(key_cache: KeyCache, sessions: Sessions, cookie: str) -> Key:
    """Return the key that a person signed in with; a change also needs the CSRF token."""
    key = key_cache.session_key(sessions.read(cookie, time.time()))
    if key is None:
        raise _challenge("session-ended")
    key = _require_valid(key)
    if request.method not in session.SAFE_METHODS:
        session.check_own_page()
        sessions.check_csrf_token(cookie)
    return key


def _require_valid(key: Key | None) -> Key:
    state = "unknown" if key is None else key.state(time.time())
    if key is None or state != "valid":
        raise _challenge("key-expired" if state == "expired" else "key-unknown")
    return key


def _challenge(kind: str) -> Refusal:
    error = "" if kind == "key-missing" else ', error="invalid_token"'
    header = ("WWW-Authenticate", f'Bearer realm="omnibasket"{error}')
    return Refusal(kind, PROBLEM_KINDS[kind].advice, headers=[header])


def add_cors_headers(response: Response, key_cache: KeyCache) -> None:
    """Allow pages of an origin that has a key to read the answer (CORS)."""
    origin = request.environ.get("HTTP_ORIGIN")
    if origin is None or not key_cache.is_required:
        return
    caller: Key | None = g.get("caller")
    # If the caller is not known yet, as in a refusal, pages of any key's origin may read why.
    allowed = origin in caller.grant.origins if caller else key_cache.admits_origin(origin)
    if allowed:
        response.headers.extend([("Access-Control-Allow-Origin", origin), *_CROSS_ORIGIN])


def need_scope(scope: str) -> None:
    """Refuse a caller whose key lacks a scope."""
    caller: Key | None = g.caller
    if caller is not None and scope not in caller.grant.scopes:
        has = ", ".join(caller.grant.scopes)
        header = (
            "WWW-Authenticate",
            f'Bearer realm="omnibasket", error="insufficient_scope", scope="{scope}"',
        )
        detail = f"This needs a key with the scope `{scope}`; yours has {has}."
        raise Refusal("scope-missing", detail, headers=[header])
    of_page = caller is not None and is_browser() and caller.key_id != _SHOP_KEY
    if of_page and scope not in BROWSER_SCOPES:
        raise Refusal("browser-key", f"Anybody can read a page's key, so it is not for `{scope}`.")


def is_browser() -> bool:
    """Whether the caller's key is in a page, where anybody can read it."""
    return g.caller is not None and bool(g.caller.grant.origins)


def sees_public_only() -> bool:
    """Whether the caller's key is that of a screen in a store."""
    return (
        g.caller is not None
        and bool(g.caller.grant.channels)
        and _PUBLIC_CHANNELS.issuperset(g.caller.grant.channels)
    )


def caller_name() -> str:
    """Return the caller's name for the audit trail: the name of their key, or its id."""
    return "local" if g.caller is None else g.caller.grant.name or g.caller.key_id


def caller_key_id() -> str | None:
    """Return the id of the caller's key for the audit trail; None where no key is needed."""
    return None if g.caller is None else str(g.caller.key_id)


def refuse_screens() -> None:
    """Refuse a screen's key where answers are not public."""
    if sees_public_only():
        detail = "This key is a screen's: it sees public placements only."
        raise Refusal("channel-forbidden", detail)


def refuse_pages() -> None:
    """Refuse a page's key: its visitors share it, so it does not tell who did something before."""
    if is_browser():
        raise Refusal("browser-key", PROBLEM_KINDS["browser-key"].advice)


def check_placement(settings: PlacementSettings) -> None:
    """Refuse a placement on a channel that the caller's key is not for."""
    check_channel(settings.channel, "/placement")
    if settings.personal and sees_public_only():
        detail = "This key is a screen's: it sees public placements only (`personal = false`)."
        raise Refusal("channel-forbidden", detail, [FieldError("/placement", "is not public.")])


def check_channel(channel: str, pointer: str) -> None:
    """Refuse a channel that the caller's key is not for."""
    channels = g.caller.grant.channels if g.caller is not None else ()
    if channels and channel not in channels:
        detail = f"This key is for {', '.join(channels)} only."
        raise Refusal("channel-forbidden", detail, [FieldError(pointer, f"is on {channel}.")])


def check_location(location_id: str | None, pointer: str = "/location_id") -> str | None:
    """Return the location that a request is for: the key's own if it has only one.

    Raises
    ------
    Refusal
        When the key is for other locations, or has several and the request names none.
    """
    own = g.caller.grant.locations if g.caller is not None else ()
    if not own or location_id in own:
        return location_id
    if location_id is None and len(own) == 1:
        (only,) = own
        return str(only)
    wrong = "is missing." if location_id is None else "is not one of them."
    detail = f"This key is for the locations {', '.join(own)} only."
    raise Refusal("location-forbidden", detail, [FieldError(pointer, wrong)])


def own_locations() -> tuple[str, ...]:
    """Return the locations that the caller's key is for; empty: all."""
    return () if g.caller is None else tuple(g.caller.grant.locations)


def refuse_restricted_key(what: str, *, locations: bool = True) -> None:
    """Refuse a key that is limited to channels or locations if a change affects others too.

    Parameters
    ----------
    what : str
        What the change affects everywhere, for the problem's detail.
    locations : bool
        Whether it affects all locations; if not, ``check_location`` checks them.
    """
    grant = g.caller.grant if g.caller is not None else Grant(())
    if grant.channels:
        detail = f"This key is for {', '.join(grant.channels)} only; {what} on every channel."
        raise Refusal("channel-forbidden", detail)
    if grant.locations and locations:
        detail = f"This key is for the locations {', '.join(grant.locations)} only; {what} at all."
        raise Refusal("location-forbidden", detail)


def reaches(channels: Collection[str], locations: Collection[str]) -> bool:
    """Whether the caller's key covers some of these channels and some of these locations.

    Parameters
    ----------
    channels, locations : collection of str
        Empty: all.
    """
    grant = g.caller.grant if g.caller is not None else Grant(())
    return all(
        not own or not there or not own.isdisjoint(there)
        for own, there in (({*grant.channels}, channels), ({*grant.locations}, locations))
    )


def check_no_customer(fields: Mapping[str, Any]) -> None:
    """Refuse a page's key if the request names a customer.

    Parameters
    ----------
    fields : mapping
        JSON pointer → the value there; None if the field was not sent.
    """
    present = [pointer for pointer, value in fields.items() if value is not None]
    if not present:
        return
    if is_browser():
        errors = [FieldError(pointer, "must not be sent from a page.") for pointer in present]
        raise Refusal("browser-key", PROBLEM_KINDS["browser-key"].advice, errors)
