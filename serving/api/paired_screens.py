"""``/v1/screens``: which screens there are, and how one is paired."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import orjson
from flask import Blueprint, Response, current_app, g, request

from recsys.ledger import Approval
from serving.access import admission
from serving.http import PROBLEM_KINDS, FieldError, Refusal, reply
from serving.requests import read_body
from serving.schemas import ApprovedScreen, RevokedScreen, ScreenApproval, ScreenList, documented
from serving.state import State

blueprint = Blueprint("paired_screens", __name__)

_BODY: Final = ("malformed-body", "body-too-large", "not-json", "invalid-request")
#: Types of identifiers that anybody may know of somebody else.
_KNOWN_TO_OTHERS: Final = ("email", "phone")
_PLACES: Final = ("channel-forbidden", "location-forbidden")


@blueprint.get("/v1/screens")
@documented(
    "The paired screens",
    tag="marketers",
    scope="marketing",
    answers={200: ScreenList},
    problems=("channel-forbidden", "browser-key", "ledger-unavailable"),
)
def screens() -> Response:
    """List screens with when each was last seen, and what it shows; of the key's locations."""
    state: State = current_app.extensions["omnibasket"]
    admission.refuse_screens()
    titles = _titles(state)
    told = [
        {
            "screen_id": one.key_id,
            "location_id": one.location_id,
            "name": one.name,
            "card_type": one.card_type,
            "paired_at": _at(one.paired_ts),
            "paired_by": one.paired_by,
            "seen_at": None if one.seen_ts is None else _at(one.seen_ts),
            "shows": [titles(item_id) for item_id in one.shown],
        }
        for one in state.ledger.screens.all()
        if admission.reaches(("store_screen",), (one.location_id,))
    ]
    return reply(orjson.dumps({"screens": told}))


@blueprint.post("/v1/screens")
@documented(
    "Pair a screen by the code that it shows",
    tag="marketers",
    scope="marketing",
    body=ScreenApproval,
    example={"code": "K7M2QX", "name": "Entrance"},
    answers={201: ApprovedScreen},
    problems=(
        *_BODY,
        "code-unknown",
        "keys-needed",
        "too-many-requests",
        "browser-key",
        "ledger-unavailable",
        *_PLACES,
    ),
)
def approve() -> Response:
    """Give a screen a key of its own: public lists and reports of its store, nothing else."""
    state: State = current_app.extensions["omnibasket"]
    admission.refuse_screens()
    asked = read_body(request, ScreenApproval)
    if not state.key_cache.is_required:
        raise Refusal("keys-needed", PROBLEM_KINDS["keys-needed"].advice)
    admission.check_channel("store_screen", "/code")
    if asked.card_type in _KNOWN_TO_OTHERS:
        errors = [FieldError("/card_type", "is what others know of a customer, and no card.")]
        raise Refusal("invalid-request", "Nobody scans that at a kiosk.", errors)
    if asked.card_type is not None and asked.card_type not in state.identifier_types:
        known = ", ".join(sorted(state.identifier_types))
        errors = [FieldError("/card_type", f"is no type of identifier here. Known: {known}.")]
        raise Refusal("invalid-request", "Nobody has such a card.", errors)
    state.rates.count_sign_in(f"codes {g.caller.key_id if g.caller is not None else ''}")
    now_ts = int(time.time())
    location_id = state.ledger.screens.location_of(asked.code, now_ts)
    if location_id is None:
        raise Refusal("code-unknown", PROBLEM_KINDS["code-unknown"].advice)
    admission.check_location(location_id, "/code")
    approval = Approval(asked.name, admission.caller_name(), asked.card_type)
    if not state.ledger.screens.approve(asked.code, approval, now_ts):
        raise Refusal("code-unknown", PROBLEM_KINDS["code-unknown"].advice)
    told = {"location_id": location_id, "name": asked.name, "card_type": asked.card_type}
    return reply(orjson.dumps(told), 201)


@blueprint.delete("/v1/screens/<screen_id>")
@documented(
    "Take a screen's key back",
    tag="marketers",
    scope="marketing",
    answers={200: RevokedScreen},
    problems=("screen-unknown", "browser-key", "ledger-unavailable", *_PLACES),
)
def revoke(screen_id: str) -> Response:
    """Revoke the key; within a second or two the screen shows a code for pairing again."""
    state: State = current_app.extensions["omnibasket"]
    admission.refuse_screens()
    admission.check_channel("store_screen", "/screen_id")
    found = [one for one in state.ledger.screens.all() if one.key_id == screen_id]
    if not found:
        raise Refusal("screen-unknown", PROBLEM_KINDS["screen-unknown"].advice)
    admission.check_location(found[0].location_id, "/screen_id")
    revoked = state.ledger.keys.revoke(screen_id, int(time.time()))
    return reply(orjson.dumps({"screen_id": screen_id, "revoked": revoked}))


def _titles(state: State) -> Callable[[str], str]:
    engine = state.engine

    def title(item_id: str) -> str:
        if engine is None:
            return item_id
        ix = int(engine.index.ix_of([item_id])[0])
        return item_id if ix < 0 else engine.catalogue.titles[ix] or item_id

    return title


def _at(ts: int) -> str:
    return f"{datetime.fromtimestamp(ts, UTC):%Y-%m-%dT%H:%M:%SZ}"
