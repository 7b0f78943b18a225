"""``/v1/recommendations``: the main question."""

from typing import Final

import orjson
from flask import Blueprint, Response, current_app, request

from serving.access import admission
from serving.http import reply
from serving.requests import context, read_body, read_filter, read_query, request_warnings
from serving.schemas import RecommendationRequest, Recommendations, documented
from serving.state import State

blueprint = Blueprint("recommendations", __name__)

_PROBLEMS = (
    "invalid-request",
    "channel-forbidden",
    "location-forbidden",
    "browser-key",
    "no-model",
)
#: Parameters of GET that may be repeated; of a cart they are the items.
_LISTS: Final[dict[str, str | None]] = {
    "item_ids": None,
    "exclude": None,
    "cart": "item_id",
    "attributes": None,
}


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
    """Answer with items for one placement and one customer, visit or stranger.

    While the ledger does not answer, everybody is a stranger, and `without_ledger` says so.
    """
    asked = read_body(request, RecommendationRequest)
    return _answer(asked, shown=not asked.dry_run)


@blueprint.get("/v1/recommendations")
@documented(
    "What to show one customer",
    tag="channels",
    scope="recommend",
    query=RecommendationRequest,
    lists=_LISTS,
    answers={200: Recommendations},
    problems=("bad-request", *_PROBLEMS),
)
def get() -> Response:
    """Answer as POST does, for simple cases.

    `identifier_type` and `identifier_value` name somebody; `item_ids`, `exclude`, `attributes` and
    `cart` (item ids) may be repeated; `filter` is a JSON document. Offers are those that stand:
    GET promises nothing anew.
    """
    return _answer(read_query(request.args, RecommendationRequest, lists=_LISTS), shown=False)


def _answer(asked: RecommendationRequest, *, shown: bool) -> Response:
    state: State = current_app.extensions["omnibasket"]
    settings = context.find_placement(state, asked.placement)
    location_id = admission.check_location(asked.location_id)
    as_of_ts = context.find_time(state, asked.as_of)
    engine = state.loaded()
    given = read_filter(asked.filter, engine.catalogue.attributes.columns)
    who = context.find_customer_or_nobody(
        state, settings, asked.customer_id, asked.identifier, asked.session_id, as_of_ts
    )
    question = context.to_question(
        asked.placement,
        settings,
        who,
        as_of_ts,
        count=asked.count,
        location_id=location_id,
        item_ids=asked.item_ids,
        cart=asked.cart,
        exclude=asked.exclude,
        given=given,
        attributes=asked.attributes,
        explain=asked.explain,
    )
    if asked.as_of is not None:  # a replay promises nothing
        (answer,) = engine.recommend([question], [who.customer.history])
    else:
        offering = state.promises.offering(engine)
        question, promised = state.promises.ask(
            question,
            who.customer.customer_id,
            who.session_id,
            offering,
            shown=shown,
            address=state.addresses.of_page(),
        )
        (answer,) = engine.recommend([question], [who.customer.history], offering)
        answer["offers"] = state.promises.keep(answer["offers"], promised, engine, state.now_ts())
    if who.unread:
        answer["without_ledger"] = True
    doubted = [*request_warnings.of_filter(engine, given)]
    doubted += request_warnings.of_identifier(state, asked.identifier, "/identifier")
    request_warnings.add(answer, doubted)
    if not asked.dry_run:
        state.expose(context.to_exposure(question, who, answer))
    return reply(orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY))
