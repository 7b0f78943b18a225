"""``/dashboard``: the marketers' page, and signing in to it.

The page itself is empty: its script (``static/dashboard.js``) calls ``/v1`` with the session cookie
and draws the answers. It can do nothing that a key of the same scope cannot do.
"""

import logging
import time
from typing import Annotated, Any, Final

import msgspec
import orjson
from flask import Blueprint, Response, current_app, request
from msgspec import Meta

from recsys.errors import LedgerError
from recsys.ledger import Key
from recsys.recommender.bundles import offering_channels
from recsys.schema import CHANNELS
from serving.access import PAGE_SCOPE, session
from serving.http import PROBLEM_KINDS, Refusal, reply
from serving.pages.localization import page_language, show
from serving.requests import read_body
from serving.schemas import Body, documented
from serving.state import State

_log = logging.getLogger("omnibasket.service")

blueprint = Blueprint("dashboard", __name__)

_HTML: Final = "text/html; charset=utf-8"
#: The quota that all wrong keys share, so that guessing is no faster than one key's attempts.
_GUESSING: Final = "sign-in"


class SignIn(Body, frozen=True):
    """Who wants to use the pages."""

    key: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            description="A key of the scope `marketing`, as `omnibasket keys create` shows it.",
        ),
    ]


class SignedIn(Body, frozen=True):
    """A cookie was set."""

    csrf_token: Annotated[
        str,
        Meta(description="To be sent as `X-CSRF-Token` with whatever is changed under the cookie."),
    ]


class SignedOut(Body, frozen=True):
    """The cookie was taken back."""

    signed_in: bool


@blueprint.get("/dashboard")
@documented("The marketers' page", tag="pages", answers={200: "text/html"})
def page() -> Response:
    """Show bundles to decide about; first ask for a key, where keys are needed."""
    state = _state()
    cookie = request.cookies.get(session.COOKIE, "")
    key = None
    if state.key_cache.is_required:
        key = _key_of(state, cookie)
        if key is None:
            over = page_language().gettext("Your session is over. Please sign in again.")
            return _ask_for_key(over if cookie else "")
    else:
        cookie = ""
    return show(
        "dashboard.html",
        scripts="dashboard",
        workspace=state.config.workspace.name,
        who=(key.grant.name or key.key_id) if key is not None else None,
        csrf=state.sessions.token(cookie),
        shift_seconds=state.shift_seconds,
        choices=orjson.dumps(_choices(state)).decode(),
    )


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
        key = _admitted(state, read_body(request, SignIn).key)
        cookie = _cookie(state, key)
        answer = msgspec.json.encode(SignedIn(csrf_token=state.sessions.token(cookie)))
        response = reply(answer)
    else:
        try:
            key = _admitted(state, request.form.get("key", ""))
        except Refusal as refusal:
            return _refused(refusal)
        cookie = _cookie(state, key)
        response = reply(b"", 303, _HTML, [("Location", "/dashboard")])
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


def _admitted(state: State, secret: str) -> Key | None:
    """Return the key that a person gave; None where none is needed.

    Raises
    ------
    Refusal
        When it is none of ours, not valid, not for the pages, or tried too often.
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
    if PAGE_SCOPE not in key.grant.scopes:
        has = ", ".join(key.grant.scopes)
        raise Refusal(
            "scope-missing", f"This key is for {has}; this page needs the scope {PAGE_SCOPE}."
        )
    return key


def _cookie(state: State, key: Key | None) -> str:
    return state.sessions.issue(key.key_id, time.time()) if key is not None else ""


def _ask_for_key(trouble: str) -> Response:
    """Show the form for a key."""
    return show("dashboard_sign_in.html", trouble=trouble)


def _refused(refusal: Refusal) -> Response:
    """Show the form for a key, with what was wrong about the last one."""
    kind, language = PROBLEM_KINDS[refusal.kind], page_language()
    wait = refusal.retry_seconds
    # The detail is English; in other languages it stands beneath what is translated.
    title = language.gettext(kind.title)
    said = (str(refusal), "") if language.tag == "en" else (f"{title}.", str(refusal))
    return show(
        "dashboard_sign_in.html",
        status=kind.status,
        headers=(("Retry-After", str(wait)),) if wait is not None else (),
        trouble=said[0],
        detail=said[1],
    )


def _choices(state: State) -> dict[str, Any]:
    """Return the choices that the page offers and that no answer of ``/v1`` contains."""
    engine, currency = state.engine, state.config.workspace.currency
    if engine is None:
        engine_says: dict[str, Any] = {"categories": [], "segments": []}
    else:
        engine_says = {
            "categories": list(engine.catalogue.labels["category"].names),
            "segments": [name.decode() for name in engine.bundles.segment_names.tolist()],
        }
    return {
        "channels": CHANNELS,
        "offering": offering_channels(state.config),
        "currency": currency,
        **engine_says,
    }


def _state() -> State:
    state: State = current_app.extensions["omnibasket"]
    return state
