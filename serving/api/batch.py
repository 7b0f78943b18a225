"""``/v1/recommendations/batch``: one placement for many customers, an answer a line."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
import orjson
from flask import Blueprint, Response, current_app, request

from recsys.decisions import HeldMessage
from recsys.errors import LedgerError
from recsys.recommender import Engine
from recsys.recommender.offers import NO_BUNDLES, OfferableBundles
from serving.access import admission
from serving.http import PROBLEM_KINDS, FieldError, Refusal, problem, reply, responses
from serving.requests import context, deciding, decode, read_body, read_filter, request_warnings
from serving.schemas import BatchCustomer, BatchRequest, documented
from serving.state import Noted, OfferContext, State

blueprint = Blueprint("batch", __name__)

_log = logging.getLogger("omnibasket.service")
#: Questions that are answered at once: enough to be quick, few enough to begin soon.
_CHUNK: Final = 25

#: What a line asks, and what is promised to its customer; or the problem that it ends in.
Line = tuple[deciding.Asked, OfferContext] | bytes


@dataclass(frozen=True)
class _Batch:
    """What the lines of a batch share."""

    state: State
    engine: Engine
    delivery: deciding.Delivery
    offerable: OfferableBundles
    problems: tuple[bytes, bytes]
    """Lines for a failure of our own, and of the ledger."""
    warnings: list[FieldError]


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
    params = read_body(request, BatchRequest)
    if admission.is_browser():
        raise Refusal("browser-key", "Ask for one visit at a time from a page.")
    settings = context.find_placement(state, params.placement)
    as_of_ts = context.find_time(state, params.as_of)
    engine = state.loaded()
    item_filter = read_filter(params.filter, engine.catalogue.attributes.columns)
    # A replay promises nothing.
    offerable = NO_BUNDLES if params.as_of is not None else state.offer_issuer.offerable(engine)
    delivery = deciding.Delivery(
        params.placement,
        settings,
        params.mailing_id,
        send_at=params.send_at,
        is_shown=not params.dry_run,
        is_replay=params.as_of is not None,
    )
    lines: list[Line] = []
    for ix, raw in enumerate(params.customers):
        try:
            one = decode(bytes(raw), BatchCustomer)
            location_id = admission.check_location(one.location_id or params.location_id)
            recipient = context.find_customer(
                state, settings, one.customer_id, one.identifier, one.session_id, as_of_ts
            )
            is_unknown = (
                recipient.is_named and recipient.customer.customer_id is None and settings.personal
            )
            if is_unknown and not recipient.customer.erased and params.unknown == "problem":
                raise Refusal("customer-unknown", PROBLEM_KINDS["customer-unknown"].advice)
            asked = deciding.ask(
                state,
                engine,
                delivery._replace(slot=one.slot),
                recipient,
                as_of_ts,
                lang=one.lang or params.lang,
                count=params.count,
                location_id=location_id,
                item_ids=one.item_ids,
                cart=one.cart,
                exclude=(*params.exclude, *one.exclude),
                item_filter=item_filter,
                attributes=params.attributes,
                explain=params.explain,
            )
        except Refusal as refusal:
            lines.append(_refused(refusal, f"/customers/{ix}"))
            continue
        question, offer_context = state.offer_issuer.prepare(
            asked.question,
            asked.recipient.customer.customer_id,
            asked.recipient.session_id,
            offerable,
            shown=delivery.is_shown,
        )
        lines.append((replace(asked, question=question), offer_context))
    warnings = request_warnings.of_filter(engine, item_filter)
    failed, away = (
        _refused(Refusal(kind, PROBLEM_KINDS[kind].advice), "")
        for kind in ("internal-error", "ledger-unavailable")
    )
    batch = _Batch(state, engine, delivery, offerable, (failed, away), warnings)
    return reply(_answers(batch, lines), 200, responses.NDJSON)


def _refused(refusal: Refusal, pointer: str) -> bytes:
    errors = [FieldError(pointer + error.pointer, error.detail) for error in refusal.errors]
    return (
        msgspec.json.encode(problem(refusal.kind, refusal.detail, errors, **refusal.more)) + b"\n"
    )


def _answers(batch: _Batch, lines: list[Line]) -> Iterator[bytes]:
    """Yield the lines of the answer, a chunk at a time."""
    for start in range(0, len(lines), _CHUNK):
        batch.state.yield_to_answers()  # whoever waits for one answer
        chunk = lines[start : start + _CHUNK]
        questions = [line for line in chunk if not isinstance(line, bytes)]
        try:
            found = _decide(batch, [asked for asked, _ in questions])
        except Exception as error:  # the status is sent by now: the lines must tell
            _log.error("a part of a batch failed", exc_info=error)
            yield batch.problems[isinstance(error, LedgerError)] * len(chunk)
            continue
        answers = iter(found)
        yield b"".join(
            line if isinstance(line, bytes) else _line(batch, line[1], *next(answers))
            for line in chunk
        )


def _decide(
    batch: _Batch, questions: Sequence[deciding.Asked]
) -> list[tuple[deciding.Asked, dict[str, Any], Noted]]:
    """Answer questions, and write down what is shown; kept answers are not made again."""
    policy = batch.state.contact_policy
    new = [asked for asked in questions if asked.kept is None]
    answered = policy.recommend(
        batch.engine,
        [asked.question for asked in new],
        [asked.recipient.customer.history for asked in new],
        batch.offerable,
    )
    new = [
        replace(asked, question=question)
        for asked, (question, _) in zip(new, answered, strict=True)
    ]
    answers = [answer for _, answer in answered]
    for asked, answer in zip(new, answers, strict=True):
        if asked.verdict.held_out is not None:
            deciding.show_nothing(answer, asked.verdict.held_out)
    noted = [Noted() for _ in new]
    if batch.delivery.is_shown and not batch.delivery.is_replay:
        noted = policy.note(
            [
                (
                    answer,
                    None if "withdrawn" in answer else deciding.to_showing(asked, answer, policy),
                )
                for asked, answer in zip(new, answers, strict=True)
            ]
        )
    made = iter(zip(new, answers, noted, strict=True))
    return [
        next(made) if asked.kept is None else (asked, {}, Noted(kept=asked.kept))
        for asked in questions
    ]


def _line(
    batch: _Batch,
    offer_context: OfferContext,
    asked: deciding.Asked,
    answer: dict[str, Any],
    noted: Noted,
) -> bytes:
    """Write the answer for one customer."""
    state, engine = batch.state, batch.engine
    try:
        if noted.cap is not None:
            held = HeldMessage("capped", cap=noted.cap)
            as_of_ts = asked.question.as_of_ts
            raise deciding.hold_back(state, engine, batch.delivery, asked.recipient, as_of_ts, held)
        deciding.refuse_withdrawn(state, engine, batch.delivery, asked, answer)
        if noted.kept is not None:
            answer = deciding.answer_again(state, engine, asked, noted.kept)
    except Refusal as refusal:
        return _refused(refusal, "")
    if noted.kept is None and batch.delivery.is_shown:
        state.expose(deciding.to_exposure(asked, answer, noted.taken_out))
    answer["offers"] = state.offer_issuer.issue(
        answer["offers"], offer_context, engine, state.now_ts()
    )
    deciding.complete(engine, asked, answer)
    request_warnings.add(answer, [*asked.warnings, *batch.warnings])
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE)
