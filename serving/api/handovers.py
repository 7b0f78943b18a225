"""``/v1/handovers``: a visit goes on on another device, by a code that works once."""

from datetime import UTC, datetime

import msgspec
import orjson
from flask import Blueprint, Response, current_app, request

from recsys.decisions import CartLine
from recsys.ledger.events import SHARED_CHANNELS, SHARED_SECONDS, seal_session
from recsys.recommender import cart_document
from serving.access import admission, session
from serving.http import PROBLEM_KINDS, FieldError, Refusal, reply
from serving.requests import context, read_body
from serving.schemas import HandedOver, Handover, HandoverRequest, HandoverUse, documented
from serving.state import State, qr_links

blueprint = Blueprint("handovers", __name__)

_PROBLEMS = (
    "malformed-body",
    "body-too-large",
    "not-json",
    "invalid-request",
    "channel-forbidden",
    "browser-key",
    "ledger-unavailable",
)


@blueprint.post("/v1/handovers")
@documented(
    "Hand a visit over to another device",
    tag="channels",
    scope="recommend",
    body=HandoverRequest,
    example={"session_id": "visit-1"},
    answers={201: Handover},
    problems=_PROBLEMS,
)
def post() -> Response:
    """Make a code for a customer or a visit. A page's key hands over its own visits only."""
    state: State = current_app.extensions["omnibasket"]
    admission.refuse_screens()
    params = read_body(request, HandoverRequest)
    now_ts = state.now_ts()
    found = context.find_named(
        state, params.customer_id, params.identifier, params.session_id, now_ts + 1
    )
    customer = found.customer
    if customer.customer_id is None and found.session_id is None:
        raise Refusal(
            "invalid-request",
            "There is nothing to hand over.",
            [FieldError("", "name a customer who is known, or a visit.")],
        )
    seconds = state.config.contact.handover_seconds
    code = state.ledger.handovers.issue(customer.customer_id, customer.visit, now_ts, seconds)
    ends = datetime.fromtimestamp(now_ts + seconds, UTC)
    shop = state.config.contact.handover_url
    origin = session.own_origin() if shop.startswith("/") else ""
    url = origin + shop.replace("{code}", code) if shop else None
    made = Handover(
        code=code,
        expires_at=f"{ends:%Y-%m-%dT%H:%M:%SZ}",
        url=url,
        qr=qr_links.inlined(url or code),
    )
    return reply(msgspec.json.encode(made), 201)


@blueprint.post("/v1/handovers/<code>")
@documented(
    "Go on with a visit that was handed over",
    tag="channels",
    scope="recommend",
    body=HandoverUse,
    example={"session_id": "tablet-7", "channel": "associate"},
    answers={200: HandedOver},
    problems=("handover-unknown", *_PROBLEMS),
)
def use(code: str) -> Response:
    """Give another visit the customer and the cart; the code then works no more.

    The other visit forgets what it was before. On a shared device it ends by itself.
    """
    state: State = current_app.extensions["omnibasket"]
    admission.refuse_screens()
    if admission.is_browser():
        raise Refusal("browser-key", PROBLEM_KINDS["browser-key"].advice)
    params = read_body(request, HandoverUse)
    admission.check_channel(params.channel, "/channel")
    session_id = seal_session(params.session_id, state.keyed_hash)
    if session_id is None:
        detail = f"`{params.session_id}` is a placeholder, not the id of a visit."
        raise Refusal("invalid-request", "No such visit.", [FieldError("/session_id", detail)])
    shared = params.channel in SHARED_CHANNELS
    found = state.ledger.handovers.use(code, session_id, state.now_ts(), shared=shared)
    if found is None:
        raise Refusal("handover-unknown", PROBLEM_KINDS["handover-unknown"].advice)
    engine = state.loaded()
    lines = [
        CartLine(item_id, quantity, 0)
        for item_id, quantity in found.visit.cart.items()
        if engine.index.ix_of([item_id])[0] >= 0
    ]
    answer = {
        "customer_known": found.own_id is not None,
        "cart": cart_document(engine, lines),
        "ends_after_seconds": SHARED_SECONDS if shared else None,
    }
    return reply(orjson.dumps(answer))
