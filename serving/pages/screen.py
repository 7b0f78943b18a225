"""``/screens/{location_id}``: the screen on the wall of a store, and how it gets its key.

The page is the same for everybody and knows nobody. Its script (``static/screen.js``) shows a code
until somebody types it, then asks ``/v1/screens`` with the key that it got, and keeps the last
lists, so that it goes on without a network.
"""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from flask import Blueprint, Response, current_app, g, request

from recsys.languages import language_of
from serving.access import session
from serving.http import PROBLEM_KINDS, Refusal, reply
from serving.pages.localization import show
from serving.requests import read_body
from serving.schemas import PairedKey, Pairing, PairingRequest, PairingSecret, documented
from serving.state import State

blueprint = Blueprint("screen_page", __name__)

_WORKER: Final = Path(__file__).with_name("static") / "screen-worker.js"
_BODY: Final = ("malformed-body", "body-too-large", "not-json", "invalid-request", "cross-site")
#: Pictures of products are wherever the catalogue says.
_PICTURES: Final = ("img-src 'self' data:", "img-src 'self' data: https:")
_WORKER_POLICY: Final = "default-src 'none'; connect-src 'self' https:"
_POLICY: Final = "Content-Security-Policy"


@blueprint.get("/screens/<location_id>")
@documented("A screen in a store", tag="pages", answers={200: "text/html", 404: "text/html"})
def page(location_id: str) -> Response:
    """Show products on the wall; without its key, a code to pair the screen.

    `?lang=` says the language; otherwise it is that of the placement `store_screen`.
    """
    state: State = current_app.extensions["omnibasket"]
    if "lang" not in request.args:
        settings = state.config.placement("store_screen")
        own = None if settings is None else settings.lang
        g.language = language_of(own or state.config.workspace.language)
    unknown = state.engine is not None and not state.engine.catalogue.location(location_id)
    answer = show(
        "screen.html",
        scripts=("screen", "dashboard-dom"),
        status=404 if unknown else 200,
        location_id=location_id,
        unknown=unknown,
        open=not state.key_cache.is_required,
    )
    answer.headers[_POLICY] = answer.headers[_POLICY].replace(*_PICTURES)
    return answer


@blueprint.get("/screens/worker.js")
@documented("What keeps a screen going", tag="pages", answers={200: "text/javascript"})
def worker() -> Response:
    """Serve the worker that keeps the page and its pictures for when the network is away."""
    answer = reply(_WORKER.read_bytes(), 200, "text/javascript; charset=utf-8")
    answer.headers[_POLICY] = _WORKER_POLICY
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@blueprint.post("/screens/pairings")
@documented(
    "Begin to pair a screen",
    tag="pages",
    body=PairingRequest,
    example={"location_id": "S1"},
    answers={201: Pairing},
    problems=(
        *_BODY,
        "location-unknown",
        "keys-needed",
        "no-model",
        "too-many-requests",
        "ledger-unavailable",
    ),
)
def begin() -> Response:
    """Make a code that the screen shows until somebody types it at `/dashboard`."""
    state = _guarded()
    asked = read_body(request, PairingRequest)
    if not state.key_cache.is_required:
        raise Refusal("keys-needed", PROBLEM_KINDS["keys-needed"].advice)
    if not state.loaded().catalogue.location(asked.location_id):
        raise Refusal("location-unknown", PROBLEM_KINDS["location-unknown"].advice)
    waiting = state.ledger.screens.begin(asked.location_id, int(time.time()))
    if waiting is None:
        detail = "Too many screens wait to be paired. Try again in some minutes."
        raise Refusal("too-many-requests", detail, retry_seconds=60)
    ends = datetime.fromtimestamp(waiting.expires_ts, UTC)
    made = Pairing(
        code=waiting.code, secret=waiting.secret, expires_at=f"{ends:%Y-%m-%dT%H:%M:%SZ}"
    )
    return reply(msgspec.json.encode(made), 201)


@blueprint.post("/screens/pairings/key")
@documented(
    "Fetch the key of a paired screen",
    tag="pages",
    body=PairingSecret,
    example={"secret": "…"},
    answers={200: PairedKey},
    problems=(*_BODY, "pairing-waits", "code-unknown", "too-many-requests", "ledger-unavailable"),
)
def fetch() -> Response:
    """Give the screen its key, once somebody typed its code."""
    state = _guarded()
    asked = read_body(request, PairingSecret)
    found = state.ledger.screens.fetch(asked.secret, int(time.time()))
    if found == "waiting":
        raise Refusal("pairing-waits", PROBLEM_KINDS["pairing-waits"].advice)
    if found == "over":
        raise Refusal("code-unknown", PROBLEM_KINDS["code-unknown"].advice)
    key = PairedKey(
        screen_id=found.key_id, key=found.secret, name=found.name, card_type=found.card_type
    )
    return reply(msgspec.json.encode(key))


def _guarded() -> State:
    """Return the state, for a caller that may pair and does not ask too often."""
    state: State = current_app.extensions["omnibasket"]
    if session.from_browser():
        session.check_own_page()
    state.rates.count_visitor(state.addresses.of_request())
    return state
