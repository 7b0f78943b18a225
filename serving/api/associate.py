"""``/v1/associate/scans``: what somebody who serves customers scans, a product or a customer.

Every look at a customer is noted before it is answered.
"""

import base64
import re
from typing import Any, Final

import orjson
from flask import Blueprint, Response, current_app, request

from recsys.decisions import consents_to
from recsys.ledger.events import Identifier, seal_identifier
from recsys.recommender import (
    Engine,
    aisle_page,
    draw_item,
    orders_document,
    scanned_item,
    views_document,
)
from serving.access import admission
from serving.api.customer_view import cart_document, customers_of_order, note_look
from serving.http import PROBLEM_KINDS, Refusal, reply
from serving.requests import find_language, read_body
from serving.schemas import Scan, Scanned, documented
from serving.state import State

blueprint = Blueprint("associate", __name__)

#: Orders that are told one by one, and products that were looked at.
_ORDERS: Final = 5
_VIEWS: Final = 10
#: What a code of ``POST /v1/handovers`` looks like.
_HANDOVER: Final = re.compile(r"[A-Za-z0-9_-]{22}")
_PHONE: Final = re.compile(r"\+?[\d\s()/.-]{6,25}")
#: Types of identifiers by what a text looks like, as far as the workspace has them.
_BY_SIGN: Final = (("email", re.compile(r"[^@\s]+@[^@\s]+")), ("phone", _PHONE))
Json = dict[str, Any]


@blueprint.post("/v1/associate/scans")
@documented(
    "Find what was scanned: a product, or a customer",
    tag="people",
    scope="associate",
    body=Scan,
    example={"text": "2983113735101", "location_id": "S1"},
    answers={200: Scanned},
    problems=(
        "malformed-body",
        "body-too-large",
        "not-json",
        "invalid-request",
        "item-unknown",
        "customer-unknown",
        "erased",
        "no-model",
        "channel-forbidden",
        "location-forbidden",
        "browser-key",
        "too-many-requests",
        "ledger-unavailable",
    ),
)
def scan() -> Response:
    """Tell where a product can be had and what goes with it, or what whoever serves must know.

    Of a customer: the latest orders by channel, cart and views, without identifiers. What to
    recommend and which offers stand, the other calls say, with the `customer_id`.
    """
    state: State = current_app.extensions["omnibasket"]
    admission.refuse_screens()
    admission.check_channel("associate", "/text")
    params = read_body(request, Scan)
    location_id = admission.check_location(params.location_id)
    engine = state.loaded()
    text = params.text.strip()
    item_ix = None if params.of == "customer" else scanned_item(engine.catalogue, text)
    told: Json = {"item": None, "customer": None}
    if item_ix is not None:
        language = find_language(state, params.lang)
        told["item"] = _item(state, engine, item_ix, location_id, language.lang)
    elif params.of == "item":
        raise Refusal("item-unknown", PROBLEM_KINDS["item-unknown"].advice)
    else:
        told["customer"] = _customer(state, engine, _find(state, text), params.reason)
    return reply(orjson.dumps(told, option=orjson.OPT_SERIALIZE_NUMPY))


def _find(state: State, text: str) -> str:
    """Return the customer that a text names.

    Raises
    ------
    Refusal
        When it names nobody, or somebody who was erased.
    """
    now_ts = state.now_ts()
    if _HANDOVER.fullmatch(text):
        handed_over = state.ledger.handovers.take(text, now_ts)
        if handed_over is not None:
            return _present(state, handed_over)
    offer = state.ledger.offers.find(text)
    if offer is not None and (owner := state.ledger.resolve_id(offer.owner)) is not None:
        return owner
    signs = [kind for kind, form in _BY_SIGN if form.fullmatch(text)]
    others = sorted(state.identifier_types - {kind for kind, _ in _BY_SIGN} - {"device"})
    erased = False
    for kind in (*signs, *others):
        raw = Identifier(type=kind, value=text)
        identifier = seal_identifier(raw, state.keyed_hash, state.config.identity)
        if identifier is None or kind not in state.identifier_types:
            continue
        customer = state.ledger.customer(identifier=identifier, as_of_ts=now_ts + 1)
        erased |= customer.erased
        if customer.customer_id is not None:
            return customer.customer_id
    if erased:
        raise Refusal("erased", PROBLEM_KINDS["erased"].advice)
    # The whole history is searched for an order, so not for what cannot be a number of one.
    found = customers_of_order(state, text) if any(map(str.isdigit, text)) else set()
    owners = sorted(one for one in found if one is not None)
    if len(owners) > 1:
        detail = "Several customers have an order of this number. Scan their card."
        raise Refusal("customer-unknown", detail)
    if not owners:
        raise Refusal("customer-unknown", PROBLEM_KINDS["customer-unknown"].advice)
    return owners[0]


def _present(state: State, own_id: str) -> str:
    found = state.ledger.resolve_id(own_id)
    if found is None:
        raise Refusal("customer-unknown", PROBLEM_KINDS["customer-unknown"].advice)
    return found


def _customer(state: State, engine: Engine, customer_id: str, reason: str) -> Json:
    note_look(state, customer_id, reason, page="associate")
    contact = state.ledger.contacts.state(customer_id)
    history = state.ledger.history(customer_id)
    now_ts, unsaid, catalogue = state.now_ts(), state.config.consents, engine.catalogue

    def allowed(purpose: Any, channel: str) -> bool:
        return consents_to(contact.said, purpose, channel, now_ts, unsaid)

    personal = allowed("personalisation", "associate") and allowed("profiling", "associate")
    currency = state.config.workspace.currency
    return {
        "customer_id": customer_id,
        "personal": personal,
        "messages": allowed("marketing", "email"),
        "orders": orders_document(history, catalogue, currency, _ORDERS),
        "cart": cart_document(catalogue, contact),
        "views": views_document(history, catalogue)[:_VIEWS],
    }


def _item(state: State, engine: Engine, item_ix: int, location_id: str | None, lang: str) -> Json:
    found = aisle_page(engine, item_ix, location_id, state.now_ts(), lang)
    picture = found.item.get("image_url")
    if picture is None:
        drawn = base64.b64encode(draw_item(engine, item_ix).encode()).decode()
        picture = f"data:image/svg+xml;base64,{drawn}"
    return {
        "item_id": found.item["item_id"],
        "title": found.item["title"],
        "price": found.item["price"],
        "picture": picture,
        "labels": list(found.labels),
        "sold": found.sold,
        "availability": found.availability or None,
        "nearby": list(found.nearby),
        "goes_with": found.related["items"],
    }
