"""``/v1/recommendations``: the main question."""

import difflib
import logging
import secrets
import time

import orjson
from flask import Blueprint, Response, current_app, request

from recsys.config import Placement
from recsys.errors import LedgerError
from recsys.responses.placements import Question, placements
from recsys.tracking.events import Identifier, seal_session
from recsys.tracking.ledger import Customer, Exposure
from serving import access
from serving.openapi import documented
from serving.problems import FieldError, Refusal
from serving.reading import read_body, read_query
from serving.replies import JSON, reply
from serving.state import State
from serving.wire import RecommendationRequest, Recommendations

blueprint = Blueprint("recommendations", __name__)

_log = logging.getLogger("omnibasket.service")
_PROBLEMS = (
    "invalid-request", "channel-forbidden", "location-forbidden", "browser-key", "no-model",
)  # fmt: skip
#: Parameters of GET that may be repeated; of a cart they are the items.
_LISTS: dict[str, str | None] = {"item_ids": None, "exclude": None, "cart": "item_id"}
_NOBODY = Customer()
_FIRST_YEAR, _LAST_YEAR = 1970, 9999


@blueprint.post("/v1/recommendations")
@documented(
    "What to show one customer",
    tag="channels",
    scope="recommend",
    body=RecommendationRequest,
    example={
        "placement": "web_home",
        "identifier": {"type": "email", "value": "ada@example.org"},
        "count": 5,
    },
    answers={200: Recommendations},
    problems=("malformed-body", "body-too-large", "not-json", *_PROBLEMS),
)
def post() -> Response:
    """Answer with items for one placement and one customer, visit or stranger."""
    return _answer(read_body(request, RecommendationRequest))


@blueprint.get("/v1/recommendations")
@documented(
    "What to show one customer",
    tag="channels",
    scope="recommend",
    query=RecommendationRequest,
    lists=_LISTS,
    answers={200: Recommendations},
    problems=_PROBLEMS,
)
def get() -> Response:
    """Answer as POST does, for simple cases.

    `identifier_type` and `identifier_value` name somebody; `item_ids`, `exclude` and `cart`
    (item ids) may be repeated.
    """
    return _answer(read_query(request.args, RecommendationRequest, lists=_LISTS))


def _as_of(asked: RecommendationRequest) -> int:
    if asked.as_of is None:
        # A history ends before `as_of`; what happened in this very second counts too.
        return int(time.time()) + 1
    if not _FIRST_YEAR <= asked.as_of.year < _LAST_YEAR:
        detail = f"is not between the years {_FIRST_YEAR} and {_LAST_YEAR}."
        raise Refusal("invalid-request", "No such time.", [FieldError("/as_of", detail)])
    return int(asked.as_of.timestamp())


def _answer(asked: RecommendationRequest) -> Response:
    state: State = current_app.extensions["omnibasket"]
    settings = _placement(state, asked)
    if asked.customer_id is not None and asked.identifier is not None:
        detail = "give `customer_id` or `identifier`, not both."
        raise Refusal(
            "invalid-request", "Two names for one customer.", [FieldError("/customer_id", detail)]
        )
    access.check_placement(settings)
    access.check_names({"/customer_id": asked.customer_id, "/identifier": asked.identifier})
    location_id = access.check_location(asked.location_id)
    if asked.as_of is not None:
        access.need_scope("admin")
    engine = state.loaded()
    as_of_ts = _as_of(asked)
    session_id = asked.session_id and seal_session(asked.session_id, state.keyed_hash)
    # A public placement must not show whom it is asked for, so nobody is looked up for it.
    customer = _customer(state, asked, session_id, as_of_ts) if settings.personal else _NOBODY
    if asked.cart is not None:
        cart = tuple(line.item_id for line in asked.cart)
    else:
        cart = tuple(customer.visit.cart)
    question = Question(
        placement=asked.placement,
        settings=settings,
        as_of_ts=as_of_ts,
        recommendation_id=secrets.token_hex(12),
        count=asked.count,
        location_id=location_id,
        item_ids=tuple(asked.item_ids),
        cart=cart,
        exclude=tuple(asked.exclude),
        explain=asked.explain,
        customer_known=customer.customer_id is not None,
    )
    (answer,) = engine.recommend([question], [customer.history])
    state.expose(
        Exposure(
            recommendation_id=question.recommendation_id,
            shown_ts=as_of_ts,
            placement=asked.placement,
            model_version=engine.version,
            items=[item["item_id"] for item in answer["items"]],
            customer_id=customer.customer_id,
            session_id=session_id if settings.personal else None,
            location_id=location_id,
        )
    )
    return reply(orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), 200, JSON)


def _placement(state: State, asked: RecommendationRequest) -> Placement:
    found = state.config.placement(asked.placement)
    if found is None:
        known = placements(state.config)
        near = difflib.get_close_matches(asked.placement, known, 1)
        hint = f" Did you mean `{near[0]}`?" if near else ""
        raise Refusal(
            "invalid-request",
            "There is no such placement.",
            [FieldError("/placement", f"is unknown.{hint} Known: {', '.join(known)}.")],
        )
    return found


def _customer(
    state: State, asked: RecommendationRequest, session_id: str | None, as_of_ts: int
) -> Customer:
    """Read whom the request names; a ledger that fails must not leave the placement empty."""
    identifier = asked.identifier
    if identifier is not None:
        stored = state.keyed_hash.identifier(identifier.type, identifier.value)
        identifier = Identifier(type=identifier.type, value=stored) if stored else None
    if identifier is None and asked.customer_id is None and session_id is None:
        return _NOBODY
    try:
        return state.ledger.customer(
            customer_id=asked.customer_id,
            identifier=identifier,
            session_id=session_id,
            as_of_ts=as_of_ts,
        )
    except LedgerError as error:
        _log.error("answered without the ledger", extra={"reason": str(error)})
        return _NOBODY
