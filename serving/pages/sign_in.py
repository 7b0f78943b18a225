"""Signing in to the pages of people: a key is exchanged for a cookie, each page asks for its scope.

A page calls ``visitor_of`` first, and answers with ``ask_for_key`` where there is none.
"""

import logging
import time
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from flask import Blueprint, Response, current_app, request
from msgspec import Meta

from recsys.errors import LedgerError
from recsys.ledger import Grant, Key
from serving.access import PAGE_SCOPE, session
from serving.http import PROBLEM_KINDS, Refusal, reply
from serving.pages.localization import page_language, show
from serving.requests import read_body
from serving.schemas import Body, documented
from serving.state import State

_log = logging.getLogger("omnibasket.service")

blueprint = Blueprint("sign_in", __name__)

_HTML: Final = "text/html; charset=utf-8"
#: The quota that all wrong keys share, so that guessing is no faster than one key's attempts.
_GUESSING: Final = "sign-in"
#: Scripts that these pages share, and that have texts.
SHARED_SCRIPTS: Final = ("dashboard-api", "dashboard-dom")
#: Page → scopes that a key needs for it.
SCOPES: Final[dict[str, tuple[str, ...]]] = {
    "dashboard": (PAGE_SCOPE,),
    "till": ("offers",),
    "customers": ("customers",),
    "associate": ("associate", "recommend", "offers", "events"),
}


class Visitor(NamedTuple):
    """Who uses a page."""

    name: str | None
    """Of their key; None where no key is needed."""
    csrf_token: str
    grant: Grant | None
    """What their key grants; None where no key is needed."""


def visitor_of(page: str) -> Visitor | None:
    """Return who uses a page now; None where they have to sign in with another key first.

    Parameters
    ----------
    page : str
        One of ``SCOPES``.
    """
    state = _state()
    if not state.key_cache.is_required:
        return Visitor(None, state.sessions.token(""), None)
    cookie = request.cookies.get(session.COOKIE, "")
    key = _key_of(state, cookie)
    if key is None or not {*SCOPES[page]} <= {*key.grant.scopes}:
        return None
    return Visitor(key.grant.name or key.key_id, state.sessions.token(cookie), key.grant)


def ask_for_key(page: str) -> Response:
    """Show the form for a page's key; say so where another session is over, or not for the page.

    Parameters
    ----------
    page : str
        One of ``SCOPES``.
    """
    cookie = request.cookies.get(session.COOKIE, "")
    trouble = ""
    if cookie and _key_of(_state(), cookie) is None:
        trouble = page_language().gettext("Your session is over. Please sign in again.")
    elif cookie:
        trouble = page_language().gettext("You are signed in with a key that is not for this page.")
    return show("sign_in.html", page=page, scope=", ".join(SCOPES[page]), trouble=trouble)


class SignIn(Body, frozen=True):
    """Who wants to use the pages."""

    key: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            description="A key of the page's scopes, as `omnibasket keys create` shows it: "
            "`marketing` for the dashboard, `offers` for the till, `customers` for customers, "
            "`associate`, `recommend`, `offers` and `events` for the associate's tablet.",
        ),
    ]
    page: Annotated[
        Literal["dashboard", "till", "customers", "associate"],
        Meta(description="The page that is to be used."),
    ] = "dashboard"


class SignedIn(Body, frozen=True):
    """A cookie was set."""

    csrf_token: Annotated[
        str,
        Meta(description="To be sent as `X-CSRF-Token` with whatever is changed under the cookie."),
    ]


class SignedOut(Body, frozen=True):
    """The cookie was taken back."""

    signed_in: bool


@blueprint.post("/dashboard/session")
@documented(
    "Sign in",
    tag="pages",
    body=SignIn,
    example={"key": "omnibasket_…"},
    answers={200: SignedIn, **dict.fromkeys((303, 401, 403, 429), "text/html")},
    problems=(
        "malformed-body",
        "body-too-large",
        "not-json",
        "invalid-request",
        "key-unknown",
        "key-expired",
        "scope-missing",
        "cross-site",
        "too-many-requests",
    ),
)
def sign_in() -> Response:
    """Exchange a key for a cookie of twelve hours, which `/v1` takes in the key's place.

    JSON, or the form of the page, which is answered with the page.
    """
    state = _state()
    if session.from_browser():
        session.check_own_page()
    if request.mimetype != "application/x-www-form-urlencoded":
        asked = read_body(request, SignIn)
        key = _admitted(state, asked.key, asked.page)
        cookie = _cookie(state, key)
        answer = msgspec.json.encode(SignedIn(csrf_token=state.sessions.token(cookie)))
        response = reply(answer)
    else:
        given = request.form.get("page", "dashboard")
        page = given if given in SCOPES else "dashboard"
        try:
            key = _admitted(state, request.form.get("key", ""), page)
        except Refusal as refusal:
            return _refused(page, refusal)
        cookie = _cookie(state, key)
        response = reply(b"", 303, _HTML, [("Location", f"/{page}")])
    if cookie:
        session.set_cookie(response, cookie)
    return response


@blueprint.delete("/dashboard/session")
@documented(
    "Sign out",
    tag="pages",
    answers={200: SignedOut},
    problems=("csrf-missing", "cross-site", "ledger-unavailable"),
)
def sign_out() -> Response:
    """End the session: its cookie opens nothing more, wherever a copy of it is."""
    state, cookie = _state(), request.cookies.get(session.COOKIE)
    if cookie is not None:
        session.check_own_page()
        state.sessions.check_csrf_token(cookie)
        signed_in = state.sessions.read(cookie, time.time())
        if signed_in is not None:
            _end(state, signed_in)
    response = reply(msgspec.json.encode(SignedOut(signed_in=False)))
    session.clear_cookie(response)
    return response


def _end(state: State, signed_in: session.Session) -> None:
    try:
        state.key_cache.end_session(signed_in, int(time.time()))
    except LedgerError as error:
        _log.error("a session was not ended", extra={"reason": str(error)})
        detail = "You are still signed in: the ledger does not answer. Try again in a moment."
        raise Refusal("ledger-unavailable", detail, retry_seconds=1) from None


def _key_of(state: State, cookie: str) -> Key | None:
    """Return the valid key behind a cookie."""
    now = time.time()
    key = state.key_cache.session_key(state.sessions.read(cookie, now))
    return key if key is not None and key.state(now) == "valid" else None


def _admitted(state: State, secret: str, page: str) -> Key | None:
    """Return the key that a person gave for a page; None where none is needed.

    Raises
    ------
    Refusal
        When it is none of ours, not valid, not for the page, or tried too often.
    """
    if not state.key_cache.is_required:
        return None
    key = state.key_cache.find(secret.strip())
    state.rates.count_sign_in(key.key_id if key is not None else _GUESSING)
    key_state = "unknown" if key is None else key.state(time.time())
    if key is None or key_state not in ("valid", "expired"):
        raise Refusal("key-unknown", "This key is not valid. Check that it was copied whole.")
    if key_state == "expired":
        raise Refusal("key-expired", "This key has expired. Ask for a new one.")
    if missing := [scope for scope in SCOPES[page] if scope not in key.grant.scopes]:
        has, lacks = ", ".join(key.grant.scopes), ", ".join(missing)
        detail = f"This key is for {has}; this page needs the scope {lacks}."
        raise Refusal("scope-missing", detail)
    return key


def _cookie(state: State, key: Key | None) -> str:
    return state.sessions.issue(key.key_id, time.time()) if key is not None else ""


def _refused(page: str, refusal: Refusal) -> Response:
    """Show the form for a key, with what was wrong about the last one."""
    kind, language = PROBLEM_KINDS[refusal.kind], page_language()
    wait = refusal.retry_seconds
    # The detail is English; in other languages it stands beneath what is translated.
    title = language.gettext(kind.title)
    said = (str(refusal), "") if language.tag == "en" else (f"{title}.", str(refusal))
    return show(
        "sign_in.html",
        page=page,
        scope=", ".join(SCOPES[page]),
        status=kind.status,
        headers=(("Retry-After", str(wait)),) if wait is not None else (),
        trouble=said[0],
        detail=said[1],
    )


def _state() -> State:
    state: State = current_app.extensions["omnibasket"]
    return state
