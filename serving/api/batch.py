"""``/v1/recommendations/batch``: one placement for many customers, an answer a line."""

import logging
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec
import orjson
from flask import Blueprint, Response, current_app, request

from recsys.errors import LedgerError
from recsys.recommender import Engine, Question
from recsys.recommender.offers import NO_BUNDLES, OfferableBundles
from serving.access import admission
from serving.http import PROBLEM_KINDS, FieldError, Refusal, problem, reply, responses
from serving.requests import Recipient, context, decode, read_body, read_filter, request_warnings
from serving.schemas import BatchCustomer, BatchRequest, documented
from serving.state import OfferContext, State

blueprint = Blueprint("batch", __name__)

_log = logging.getLogger("omnibasket.service")
#: Questions that are answered at once: enough to be quick, few enough to begin soon.
_CHUNK: Final = 25

#: What a line asks, for whom, and what is promised to them; or the problem that it ends in.
Line = tuple[Question, Recipient, OfferContext] | bytes


class Seen(NamedTuple):
    """Whether somebody gets to see the answers."""

    exposed: bool
    """They are exposures."""
    counts: bool
    """They count towards caps; a replay does not."""


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
    lines: list[Line] = []
    for ix, raw in enumerate(params.customers):
        try:
            one = decode(bytes(raw), BatchCustomer)
            location_id = admission.check_location(one.location_id or params.location_id)
            recipient = context.find_customer(
                state, settings, one.customer_id, one.identifier, one.session_id, as_of_ts
            )
            unknown = (
                recipient.is_named and recipient.customer.customer_id is None and settings.personal
            )
            recipient = context.hold_to_consents(state, settings, recipient)
            if unknown and params.unknown == "problem":
                raise Refusal("customer-unknown", PROBLEM_KINDS["customer-unknown"].advice)
        except Refusal as refusal:
            lines.append(_refused(refusal, f"/customers/{ix}"))
            continue
        question = context.to_question(
            state,
            params.placement,
            settings,
            recipient,
            as_of_ts,
            count=params.count,
            location_id=location_id,
            item_ids=one.item_ids,
            cart=one.cart,
            exclude=(*params.exclude, *one.exclude),
            item_filter=item_filter,
            attributes=params.attributes,
            explain=params.explain,
        )
        question, offer_context = state.offer_issuer.prepare(
            question,
            recipient.customer.customer_id,
            recipient.session_id,
            offerable,
            shown=not params.dry_run,
        )
        lines.append((question, recipient, offer_context))
    warnings = request_warnings.of_filter(engine, item_filter)
    failed, away = (
        _refused(Refusal(kind, PROBLEM_KINDS[kind].advice), "")
        for kind in ("internal-error", "ledger-unavailable")
    )
    seen = Seen(not params.dry_run, not params.dry_run and params.as_of is None)
    return reply(
        _answers(state, engine, offerable, lines, (failed, away), warnings, seen),
        200,
        responses.NDJSON,
    )


def _refused(refusal: Refusal, pointer: str) -> bytes:
    errors = [FieldError(pointer + error.pointer, error.detail) for error in refusal.errors]
    return msgspec.json.encode(problem(refusal.kind, refusal.detail, errors)) + b"\n"


def _answers(
    state: State,
    engine: Engine,
    offerable: OfferableBundles,
    lines: list[Line],
    problems: tuple[bytes, bytes],
    warnings: list[FieldError],
    seen: Seen,
) -> Iterator[bytes]:
    """Yield the lines of the answer, a chunk at a time."""
    for start in range(0, len(lines), _CHUNK):
        state.yield_to_answers()  # whoever waits for one answer
        chunk = lines[start : start + _CHUNK]
        questions = [line for line in chunk if not isinstance(line, bytes)]
        try:
            answered = state.contact_policy.recommend(
                engine,
                [question for question, _, _ in questions],
                [recipient.customer.history for _, recipient, _ in questions],
                offerable,
            )
            taken_out: list[list[str]] = [[] for _ in answered]
            if seen.counts:
                taken_out = state.contact_policy.note(
                    [
                        (answer, context.to_showing(question, recipient, answer))
                        for (question, answer), (_, recipient, _) in zip(
                            answered, questions, strict=True
                        )
                    ]
                )
        except Exception as error:  # the status is sent by now: the lines must tell
            _log.error("a part of a batch failed", exc_info=error)
            yield problems[isinstance(error, LedgerError)] * len(chunk)
            continue
        answers = iter(zip(answered, taken_out, strict=True))
        out = []
        for line in chunk:
            if isinstance(line, bytes):
                out.append(line)
                continue
            _, recipient, offer_context = line
            (question, answer), gone = next(answers)
            now_ts = state.now_ts()
            answer["offers"] = state.offer_issuer.issue(
                answer["offers"], offer_context, engine, now_ts
            )
            if recipient.no_consent:
                answer["no_consent"] = recipient.no_consent
            request_warnings.add(answer, warnings)
            if seen.exposed:
                state.expose(context.to_exposure(question, recipient, answer, gone))
            options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
            out.append(orjson.dumps(answer, option=options))
        yield b"".join(out)
