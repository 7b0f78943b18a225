"""``/v1/screens/{id}``: what the screens of a store show.

A screen shows public lists only. At a kiosk a customer who scans their card sees for a minute what
is for them, without a word about what they bought.
"""

import base64
import logging
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from flask import Blueprint, Response, current_app, g, request

from recsys.bundles import Decision
from recsys.datasets import EMPTY
from recsys.errors import LedgerError
from recsys.ledger.events import SHARED_SECONDS, Identifier
from recsys.recommender import KIOSK, Engine, Question, draw_item
from recsys.values import aisle_path
from serving.access import admission, session
from serving.http import PROBLEM_KINDS, Refusal, reply
from serving.requests import (
    Recipient,
    context,
    deciding,
    public_bundles,
    read_body,
    read_query,
    request_warnings,
)
from serving.schemas import (
    GuestCard,
    GuestList,
    Playlist,
    PlaylistQuery,
    documented,
)
from serving.state import State, qr_links

blueprint = Blueprint("screens", __name__)

_log = logging.getLogger("omnibasket.service")

#: Placement of what everybody sees.
WALL: Final = "store_screen"
#: How often a screen asks anew.
_REFRESH_SECONDS: Final = 120
#: Attribute of a product that says where in the store it lies.
_SHELF: Final = "shelf"
#: From so many times the products that are wanted, those of the time of day are chosen.
_WIDER: Final = 3
#: Bundles of which one is that of the day.
_MOST_BUNDLES: Final = 31
#: Signs of a code of ``POST /v1/handovers``.
_HANDOVER_LENGTH: Final = 22
_BODY: Final = ("malformed-body", "body-too-large", "not-json", "invalid-request")
_PLACES: Final = ("channel-forbidden", "location-forbidden")
Json = dict[str, Any]


@blueprint.get("/v1/screens/<location_id>/playlist")
@documented(
    "What the screens of a store show now",
    tag="channels",
    scope="recommend",
    query=PlaylistQuery,
    answers={200: Playlist},
    problems=(
        "bad-request",
        "invalid-request",
        "location-unknown",
        "no-model",
        "browser-key",
        *_PLACES,
    ),
)
def playlist(location_id: str) -> Response:
    """List products that the store has in stock, and the bundle of the day; the same for everybody.

    A paired screen is noted as seen. What was on the wall counts when the screen reports it:
    `view_item_list` with the `recommendation_id`.
    """
    state: State = current_app.extensions["omnibasket"]
    asked = read_query(request.args, PlaylistQuery)
    if admission.is_browser():
        raise Refusal("browser-key", PROBLEM_KINDS["browser-key"].advice)
    settings = context.find_placement(state, WALL)
    admission.check_location(location_id, "/location_id")
    engine = _engine_of(state, location_id)
    delivery = deciding.Delivery(WALL, settings)
    decided, answer = _answer(
        state, engine, delivery, Recipient(), location_id, asked.lang, _WIDER * asked.count
    )
    _order_by_daypart(state, engine, decided.question, answer, asked.count)
    state.expose(deciding.to_exposure(decided, answer, []))
    items = [_item(engine, item) for item in answer["items"]]
    now_ts = state.now_ts()
    _note_seen(state, [item["item_id"] for item in answer["items"]])
    place = engine.catalogue.place(engine.catalogue.location(location_id))
    told: Json = {
        "recommendation_id": answer["recommendation_id"],
        "placement": WALL,
        "location_id": location_id,
        "location_name": place["name"],
        "made_at": _at(now_ts),
        "refresh_seconds": _REFRESH_SECONDS,
        "lang": answer["lang"],
        "heading": (answer["heading"] or {}).get("text"),
        "items": items,
        "bundle": _bundle_of_the_day(state, engine, location_id, now_ts),
        "card_type": _card_type(state),
    }
    request_warnings.add(told, [*decided.warnings])
    return reply(orjson.dumps(told, option=orjson.OPT_SERIALIZE_NUMPY))


@blueprint.post("/v1/screens/<location_id>/guests")
@documented(
    "What is for a customer who scanned their card at a kiosk",
    tag="channels",
    scope="recommend",
    body=GuestCard,
    example={"card": "2983113735101"},
    answers={200: GuestList},
    problems=(
        *_BODY,
        "location-unknown",
        "no-model",
        "browser-key",
        "not-a-kiosk",
        "too-many-requests",
        "ledger-unavailable",
        *_PLACES,
    ),
)
def guest(location_id: str) -> Response:
    """List what is for the customer, for as long as the screen may show it.

    The items carry no reasons: others look on. A customer who does not consent to it, or whom
    nobody knows, gets what everybody sees.
    """
    state: State = current_app.extensions["omnibasket"]
    params = read_body(request, GuestCard)
    if admission.is_browser():
        raise Refusal("browser-key", PROBLEM_KINDS["browser-key"].advice)
    admission.check_location(location_id, "/location_id")
    card_type = _card_type(state)
    settings = state.config.placement(KIOSK)
    if card_type is None or settings is None:
        raise Refusal("not-a-kiosk", PROBLEM_KINDS["not-a-kiosk"].advice)
    admission.check_channel(settings.channel, "/card")
    # Numbers of cards can be tried out; a customer scans one.
    state.rates.count_sign_in(f"kiosk {g.caller.key_id if g.caller is not None else location_id}")
    engine = _engine_of(state, location_id)
    now_ts = state.now_ts()
    customer_id = _handed_over(state, params.card, now_ts)
    identifier = None if customer_id else Identifier(type=card_type, value=params.card)
    recipient = context.find_customer_or_nobody(
        state, settings, customer_id, identifier, None, now_ts + 1
    )
    delivery = deciding.Delivery(KIOSK, settings)
    decided, answer = _answer(state, engine, delivery, recipient, location_id, params.lang, None)
    if decided.verdict.held_out is not None:
        deciding.show_nothing(answer, decided.verdict.held_out)
    noted = state.contact_policy.note_or_say_so(
        answer, deciding.to_showing(decided, answer, state.contact_policy)
    )
    state.expose(deciding.to_exposure(decided, answer, noted.taken_out))
    told: Json = {
        "recommendation_id": answer["recommendation_id"],
        "placement": KIOSK,
        "known": decided.recipient.customer.customer_id is not None
        and not decided.recipient.no_consent,
        "ends_after_seconds": SHARED_SECONDS,
        "lang": answer["lang"],
        "items": [_item(engine, item) for item in answer["items"]],
    }
    request_warnings.add(told, [*decided.warnings])
    return reply(orjson.dumps(told, option=orjson.OPT_SERIALIZE_NUMPY))


def _note_seen(state: State, item_ids: list[str]) -> None:
    """Note that the caller's screen asked; the wall goes on where that cannot be written."""
    if g.caller is None:
        return
    try:
        with state.ledger.hurrying("screens"):
            state.ledger.screens.note_seen(g.caller.key_id, item_ids, int(time.time()))
    except LedgerError as error:
        _log.error("a screen was not noted as seen", extra={"reason": str(error)})


def _order_by_daypart(
    state: State, engine: Engine, question: Question, answer: Json, count: int
) -> None:
    """Let products lead that sell better at this time of the store's day, and keep the first ones.

    Where the placement has rules, its own order stays: they say what leads when.
    """
    items = answer["items"]
    if not question.settings.rules:
        catalogue = engine.catalogue
        zone = catalogue.zones.get(catalogue.location(question.location_id))
        at = engine.index.ix_of([item["item_id"] for item in items])
        factors = catalogue.dayparts.at(
            at, question.as_of_ts, zone or state.config.workspace.time_zone
        )
        # The list's own order counts, which keeps likes apart; its chances only say how far.
        falling = sorted((item["score"] for item in items), reverse=True)
        chances = [chance * factor for chance, factor in zip(falling, factors, strict=True)]
        order = sorted(range(len(items)), key=lambda place: -chances[place])
        items = [items[place] for place in order]
    answer["items"] = [{**item, "rank": rank} for rank, item in enumerate(items[:count], start=1)]


def _handed_over(state: State, card: str, now_ts: int) -> str | None:
    """Return whose code for a hand-over was scanned; None where it is none, or nobody's."""
    if len(card) != _HANDOVER_LENGTH:
        return None
    return state.ledger.handovers.take(card, now_ts)


def _answer(
    state: State,
    engine: Engine,
    delivery: deciding.Delivery,
    recipient: Recipient,
    location_id: str,
    lang: str | None,
    count: int | None,
) -> tuple[deciding.Asked, Json]:
    decided = deciding.ask(
        state,
        engine,
        delivery,
        recipient,
        state.now_ts() + 1,
        lang=lang,
        count=count,
        location_id=location_id,
        item_ids=(),
        cart=None,
        exclude=(),
        item_filter=None,
        attributes=(_SHELF,),
        explain=False,
    )
    history = decided.recipient.customer.history if delivery.settings.personal else EMPTY
    ((question, answer),) = state.contact_policy.recommend(engine, [decided.question], [history])
    return replace(decided, question=question), answer


def _engine_of(state: State, location_id: str) -> Engine:
    """Return the engine, if it knows the location."""
    engine = state.loaded()
    if not engine.catalogue.location(location_id):
        raise Refusal("location-unknown", PROBLEM_KINDS["location-unknown"].advice)
    return engine


def _card_type(state: State) -> str | None:
    """Return what the caller's customers scan; without keys, whoever tries it out has cards."""
    if g.caller is not None:
        found: str | None = g.caller.grant.card_type
        return found
    return next((kind for kind in ("loyalty_card",) if kind in state.identifier_types), None)


def _item(engine: Engine, item: Json) -> Json:
    """Say what a screen shows of an item of an answer."""
    (ix,) = engine.index.ix_of([item["item_id"]]).tolist()
    department = engine.catalogue.labels["department"]
    code = int(department.code[ix])
    shelf = (item.get("attributes") or {}).get(_SHELF)
    picture = item.get("image_url")
    if picture is None:
        drawn = base64.b64encode(draw_item(engine, ix).encode()).decode()
        picture = f"data:image/svg+xml;base64,{drawn}"
    return {
        "item_id": item["item_id"],
        "title": item["title"] or item["item_id"],
        "price": item["price"],
        "picture": picture,
        "place": shelf or (department.names[code] if code >= 0 else None),
    }


def _bundle_of_the_day(state: State, engine: Engine, location_id: str, now_ts: int) -> Json | None:
    """Choose one of the bundles that anybody may ask for in the store, another one every day."""
    found = public_bundles.of_store(state, engine, location_id, now_ts, most=_MOST_BUNDLES)
    if not found:
        return None
    zone = engine.catalogue.zones.get(engine.catalogue.location(location_id))
    own = ZoneInfo(zone or state.config.workspace.time_zone)
    day = datetime.fromtimestamp(now_ts, own).toordinal()
    decision: Decision = sorted(found, key=lambda one: one.bundle_id)[day % len(found)]
    terms = decision.terms
    first = decision.item_ids[0]
    items = [engine.item(ix) for ix in engine.index.ix_of(decision.item_ids).tolist()]
    address = items[0].get("url")
    if state.config.serve.aisle_pages:
        address = session.own_origin() + aisle_path(first, location_id)
    full_minor = public_bundles.full_minor(engine, decision)
    return {
        "bundle_id": decision.bundle_id,
        "items": [_item(engine, item) for item in items],
        "price": {"amount_minor": terms.price_minor, "currency": terms.currency},
        "full_price": {"amount_minor": full_minor, "currency": terms.currency},
        "qr": None if address is None else qr_links.inlined(address),
        "until": None if terms.ends_ts is None else _at(terms.ends_ts),
    }


def _at(ts: int) -> str:
    return f"{datetime.fromtimestamp(ts, UTC):%Y-%m-%dT%H:%M:%SZ}"
