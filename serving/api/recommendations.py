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
    "no-consent",
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
    recipient = context.hold_to_consents(state, settings, recipient)
    question = context.to_question(
        state,
        params.placement,
        settings,
        recipient,
        as_of_ts,
        count=params.count,
        location_id=location_id,
        item_ids=params.item_ids,
        cart=params.cart,
        exclude=params.exclude,
        item_filter=item_filter,
        attributes=params.attributes,
        explain=params.explain,
    )
    taken_out: list[str] = []
    if params.as_of is not None:  # a replay promises nothing
        ((question, answer),) = state.contact_policy.recommend(
            engine, [question], [recipient.customer.history]
        )
    else:
        offerable = state.offer_issuer.offerable(engine)
        question, offer_context = state.offer_issuer.prepare(
            question,
            recipient.customer.customer_id,
            recipient.session_id,
            offerable,
            shown=shown,
            address=state.addresses.of_page(),
        )
        ((question, answer),) = state.contact_policy.recommend(
            engine, [question], [recipient.customer.history], offerable
        )
        if not params.dry_run:
            showing = context.to_showing(question, recipient, answer)
            taken_out = state.contact_policy.note_or_say_so(answer, showing)
        answer["offers"] = state.offer_issuer.issue(
            answer["offers"], offer_context, engine, state.now_ts()
        )
    if recipient.is_unread:
        answer["without_ledger"] = True
    if recipient.no_consent:
        answer["no_consent"] = recipient.no_consent
    warnings = [*request_warnings.of_filter(engine, item_filter)]
    warnings += request_warnings.of_identifier(state, params.identifier, "/identifier")
    request_warnings.add(answer, warnings)
    if not params.dry_run:
        state.expose(context.to_exposure(question, recipient, answer, taken_out))
    return reply(orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY))
