"""``/v1/recommendations/batch``: one placement for many customers, an answer a line."""

import logging
from collections.abc import Iterator
from typing import Final

import msgspec
import orjson
from flask import Blueprint, Response, current_app, request

from recsys.recommender import Engine, Question
from recsys.recommender.offers import NO_BUNDLES, OfferableBundles
from serving.access import admission
from serving.http import PROBLEM_KINDS, FieldError, Refusal, problem, reply, responses
from serving.requests import Who, context, decode, read_body, read_filter, request_warnings
from serving.schemas import BatchCustomer, BatchRequest, documented
from serving.state import Promised, State

blueprint = Blueprint("batch", __name__)

_log = logging.getLogger("omnibasket.service")
#: Questions that are answered at once: enough to be quick, few enough to begin soon.
_CHUNK: Final = 25

#: What a line asks, for whom, and what is promised to them; or the problem that it ends in.
Line = tuple[Question, Who, Promised] | bytes


@blueprint.post("/v1/recommendations/batch")
@documented(
    "What to show many customers",
    tag="channels",
    scope="recommend",
    body=BatchRequest,
    example={
        "placement": "email_weekly",
        "count": 5,
        "customers": [
            {"identifier": {"type": "email", "value": "ada@example.org"}},
            {"identifier": {"type": "loyalty_card", "value": "21-000017"}, "exclude": ["SKU-1"]},
        ],
    },
    answers={200: responses.NDJSON},
    problems=(
        "malformed-body",
        "body-too-large",
        "not-json",
        "invalid-request",
        "channel-forbidden",
        "location-forbidden",
        "browser-key",
        "no-model",
        "ledger-unavailable",
    ),
)
def post() -> Response:
    """Answer up to 1,000 customers on one placement, one JSON document a line, in their order.

    Each line is what `POST /v1/recommendations` answers for that customer, or, for a line that is
    not valid or names somebody unknown, a problem. Without the ledger nothing is answered.
    """
    state: State = current_app.extensions["omnibasket"]
    asked = read_body(request, BatchRequest)
    if admission.is_browser():
        raise Refusal("browser-key", "Ask for one visit at a time from a page.")
    settings = context.find_placement(state, asked.placement)
    as_of_ts = context.find_time(state, asked.as_of)
    engine = state.loaded()
    given = read_filter(asked.filter, engine.catalogue.attributes.columns)
    # A replay promises nothing.
    offering = NO_BUNDLES if asked.as_of is not None else state.promises.offering(engine)
    lines: list[Line] = []
    for ix, raw in enumerate(asked.customers):
        try:
            one = decode(bytes(raw), BatchCustomer)
            location_id = admission.check_location(one.location_id or asked.location_id)
            who = context.find_customer(
                state, settings, one.customer_id, one.identifier, one.session_id, as_of_ts
            )
            unknown = who.named and who.customer.customer_id is None and settings.personal
            if unknown and asked.unknown == "problem":
                raise Refusal("customer-unknown", PROBLEM_KINDS["customer-unknown"].advice)
        except Refusal as refusal:
            lines.append(_refused(refusal, f"/customers/{ix}"))
            continue
        question = context.to_question(
            asked.placement,
            settings,
            who,
            as_of_ts,
            count=asked.count,
            location_id=location_id,
            item_ids=one.item_ids,
            cart=one.cart,
            exclude=(*asked.exclude, *one.exclude),
            given=given,
            attributes=asked.attributes,
            explain=asked.explain,
        )
        question, promised = state.promises.ask(
            question, who.customer.customer_id, who.session_id, offering, shown=not asked.dry_run
        )
        lines.append((question, who, promised))
    failed = _refused(Refusal("internal-error", PROBLEM_KINDS["internal-error"].advice), "")
    doubted, shown = request_warnings.of_filter(engine, given), not asked.dry_run
    return reply(
        _answers(state, engine, offering, lines, failed, doubted, shown), 200, responses.NDJSON
    )


def _refused(refusal: Refusal, pointer: str) -> bytes:
    errors = [FieldError(pointer + error.pointer, error.detail) for error in refusal.errors]
    return msgspec.json.encode(problem(refusal.kind, refusal.detail, errors)) + b"\n"


def _answers(
    state: State,
    engine: Engine,
    offering: OfferableBundles,
    lines: list[Line],
    failed: bytes,
    doubted: list[FieldError],
    shown: bool,
) -> Iterator[bytes]:
    """Yield the lines of the answer, a chunk at a time."""
    for start in range(0, len(lines), _CHUNK):
        state.give_way()  # whoever waits for one answer
        chunk = lines[start : start + _CHUNK]
        asked = [line for line in chunk if not isinstance(line, bytes)]
        try:
            answers = iter(
                engine.recommend(
                    [question for question, _, _ in asked],
                    [who.customer.history for _, who, _ in asked],
                    offering,
                )
            )
        except Exception as error:  # the status is sent by now: the lines must tell
            _log.error("a part of a batch failed", exc_info=error)
            yield failed * len(chunk)
            continue
        out = []
        for line in chunk:
            if isinstance(line, bytes):
                out.append(line)
                continue
            question, who, promised = line
            answer = next(answers)
            now_ts = state.now_ts()
            answer["offers"] = state.promises.keep(answer["offers"], promised, engine, now_ts)
            request_warnings.add(answer, doubted)
            if shown:
                state.expose(context.to_exposure(question, who, answer))
            options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
            out.append(orjson.dumps(answer, option=options))
        yield b"".join(out)
