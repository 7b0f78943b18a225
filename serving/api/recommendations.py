"""``/v1/recommendations``: the main question."""

from dataclasses import replace
from typing import Any, Final

import orjson
from flask import Blueprint, Response, current_app, request

from recsys.decisions import HeldMessage
from recsys.recommender import Engine
from serving.access import admission
from serving.http import reply
from serving.requests import context, deciding, read_body, read_filter, read_query, request_warnings
from serving.schemas import RecommendationRequest, Recommendations, documented
from serving.state import State

blueprint = Blueprint("recommendations", __name__)

_PROBLEMS = (
    "invalid-request",
    "channel-forbidden",
    "location-forbidden",
    "browser-key",
    "no-consent",
    "erased",
    "message-held",
    "ledger-unavailable",
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
    params = read_body(request, RecommendationRequest)
    return _answer(params, shown=not params.dry_run)


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


def _answer(params: RecommendationRequest, *, shown: bool) -> Response:
    state: State = current_app.extensions["omnibasket"]
    settings = context.find_placement(state, params.placement)
    location_id = admission.check_location(params.location_id)
    as_of_ts = context.find_time(state, params.as_of)
    engine = state.loaded()
    item_filter = read_filter(params.filter, engine.catalogue.attributes.columns)
    recipient = context.find_customer_or_nobody(
        state, settings, params.customer_id, params.identifier, params.session_id, as_of_ts
    )
    is_replay = params.as_of is not None
    delivery = deciding.Delivery(
        params.placement,
        settings,
        params.mailing_id,
        params.slot,
        params.send_at,
        is_shown=not params.dry_run,
        is_replay=is_replay,
    )
    asked = deciding.ask(
        state,
        engine,
        delivery,
        recipient,
        as_of_ts,
        lang=params.lang,
        count=params.count,
        location_id=location_id,
        item_ids=params.item_ids,
        cart=params.cart,
        exclude=params.exclude,
        item_filter=item_filter,
        attributes=params.attributes,
        explain=params.explain,
    )
    if is_replay:  # it promises nothing
        history = asked.recipient.customer.history
        ((question, answer),) = state.contact_policy.recommend(engine, [asked.question], [history])
        asked = replace(asked, question=question)
        if delivery.is_shown:
            state.expose(deciding.to_exposure(asked, answer, []))
    else:
        answer = _decide(state, engine, delivery, asked, promises=shown)
    if recipient.is_unread:
        answer["without_ledger"] = True
    deciding.complete(engine, asked, answer)
    warnings = [*asked.warnings, *request_warnings.of_filter(engine, item_filter)]
    warnings += request_warnings.of_identifier(state, params.identifier, "/identifier")
    request_warnings.add(answer, warnings)
    return reply(orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY))


def _decide(
    state: State,
    engine: Engine,
    delivery: deciding.Delivery,
    asked: deciding.Asked,
    *,
    promises: bool,
) -> dict[str, Any]:
    """Answer a question as of now, and write down what is shown, or give the kept answer again."""
    recipient = asked.recipient
    offerable = state.offer_issuer.offerable(engine)
    question, offer_context = state.offer_issuer.prepare(
        asked.question,
        recipient.customer.customer_id,
        recipient.session_id,
        offerable,
        shown=promises,
        address=state.addresses.of_page(),
    )
    asked = replace(asked, question=question)
    kept = asked.kept
    answer: dict[str, Any] = {}
    if kept is None:
        ((question, answer),) = state.contact_policy.recommend(
            engine, [question], [recipient.customer.history], offerable
        )
        asked = replace(asked, question=question)
        deciding.refuse_withdrawn(state, engine, delivery, asked, answer)
        if asked.verdict.held_out is not None:
            deciding.show_nothing(answer, asked.verdict.held_out)
        if delivery.is_shown:
            showing = deciding.to_showing(asked, answer, state.contact_policy)
            noted = state.contact_policy.note_or_say_so(answer, showing)
            kept = noted.kept
            if noted.cap is not None:
                held = HeldMessage("capped", cap=noted.cap)
                raise deciding.hold_back(
                    state, engine, delivery, recipient, question.as_of_ts, held
                )
            if kept is None:
                state.expose(deciding.to_exposure(asked, answer, noted.taken_out))
    if kept is not None:
        answer = deciding.answer_again(state, engine, asked, kept)
    answer["offers"] = state.offer_issuer.issue(
        answer["offers"], offer_context, engine, state.now_ts()
    )
    return answer
