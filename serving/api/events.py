"""``/v1/events``: what happened, written durably and once."""

from datetime import timedelta
from itertools import chain, islice
from typing import Any

import msgspec
from flask import Blueprint, Response, current_app, request

from recsys.ledger import Outcome
from recsys.ledger.events import OF_MESSAGES, Event, faults, limit_faults, seal
from serving.access import admission
from serving.http import PROBLEM_KINDS, FieldError, Refusal, problem, reply, responses
from serving.requests import decode, placeholder_ids, read_body, request_warnings
from serving.schemas import EventOutcome, Events, EventsAnswer, documented
from serving.state import State

blueprint = Blueprint("events", __name__)

#: Clocks differ; an event further ahead than this is wrong. Seconds.
_AHEAD_SECONDS = 300


@blueprint.post("/v1/events")
@documented(
    "What was shown, clicked, bought and returned",
    tag="channels",
    scope="events",
    body=Events,
    example={
        "events": [
            {
                "event_id": "web-1001",
                "event": "purchase",
                "occurred_at": "2024-03-01T12:00:00Z",
                "identifier": {"type": "email", "value": "ada@example.org"},
                "transaction_id": "1001",
                "items": [{"item_id": "SKU-1", "quantity": 1, "price": 3.49}],
            }
        ]
    },
    answers={200: EventsAnswer, 207: EventsAnswer},
    problems=(
        "malformed-body",
        "body-too-large",
        "not-json",
        "invalid-request",
        "channel-forbidden",
        "location-forbidden",
        "browser-key",
        "event-forbidden",
        "ledger-unavailable",
    ),
)
def post() -> Response:
    """Write up to 1,000 events.

    Each is answered for itself: `accepted` (it survives a power cut), `duplicate` (it, or its
    order, was counted before), or `refused` with a problem; then the status is 207. What was
    refused does not keep the others from being written. `warnings` name what is probably wrong
    with an event that was taken, such as an unknown product. Where the key is not for the channel
    or location of an event, or is a page's and an event names somebody, nothing is written.

    A page's key can be read by anybody, and a screen stands where anybody is. Their refunds are
    refused; their purchases are accepted and wait, as `detail` says, until a key of another kind or
    an order export tells of the same order: until then they count for nobody and claim no order's
    number.
    """
    state: State = current_app.extensions["omnibasket"]
    sent = read_body(request, Events).events
    state.rates.count("events", len(sent))
    page = admission.is_browser() or admission.sees_public_only()
    now_ts = state.now_ts()
    outcomes: list[EventOutcome | None] = [None] * len(sent)
    checked: list[Event] = []
    warnings: list[list[FieldError]] = []
    positions: list[int] = []
    for ix, raw in enumerate(sent):
        try:
            event = _checked(raw, f"/events/{ix}", now_ts, state)
            if page and event.event in ("refund", *OF_MESSAGES):
                at = FieldError(f"/events/{ix}/event", "must not be sent with this key.")
                raise Refusal("event-forbidden", PROBLEM_KINDS["event-forbidden"].advice, [at])
        except Refusal as refusal:
            outcomes[ix] = _refused(raw, refusal)
        else:
            _admit(event, f"/events/{ix}")
            found = request_warnings.of_event(state, event, f"/events/{ix}", now_ts)
            warnings.append(list(islice(found, placeholder_ids.MAX_ERRORS)))
            checked.append(seal(event, state.keyed_hash, state.config.identity))
            positions.append(ix)
    written = state.ledger.add_events(checked, now_ts, page=page) if checked else []
    for ix, event, outcome, warned in zip(positions, checked, written, warnings, strict=True):
        outcomes[ix] = _outcome(event, outcome, f"/events/{ix}", warned)
    reported = [outcome for outcome in outcomes if outcome is not None]
    counts = {
        name: sum(o.status == name for o in reported)
        for name in ("accepted", "duplicate", "refused")
    }
    body = msgspec.json.encode(EventsAnswer(**counts, events=reported))
    return reply(body, 207 if counts["refused"] else 200, responses.JSON)


def _admit(event: Event, pointer: str) -> None:
    """Refuse the whole request where its key may not report an event of it.

    An event that names no location is one of the key's own.
    """
    admission.check_no_customer(
        {f"{pointer}/customer_id": event.customer_id, f"{pointer}/identifier": event.identifier}
    )
    if admission.sees_public_only() and (event.customer_id or event.identifier):
        errors = [FieldError(pointer, "names a customer.")]
        raise Refusal("channel-forbidden", "A screen's key reports what names nobody.", errors)
    channel = "email" if event.event in OF_MESSAGES else event.channel
    admission.check_channel(channel, f"{pointer}/channel")
    positions = {f"{pointer}/location_id": event.location_id}
    for position, item in enumerate(event.items):
        positions[f"{pointer}/items/{position}/location_id"] = item.location_id
    for at, location_id in positions.items():
        if location_id is not None:
            admission.check_location(location_id, at)


def _checked(raw: msgspec.Raw, pointer: str, now_ts: int, state: State) -> Event:
    try:
        event = decode(bytes(raw), Event)
    except Refusal as refusal:
        inside = [FieldError(pointer + error.pointer, error.detail) for error in refusal.errors]
        raise Refusal(refusal.kind, "The event is not valid.", inside) from None
    if state.shift_seconds < 0 and event.occurred_ts > now_ts + _AHEAD_SECONDS:
        # The workspace's clock stands in the past, and the sender's does not.
        moved = event.occurred_at + timedelta(seconds=state.shift_seconds)
        event = msgspec.structs.replace(event, occurred_at=moved)
    misfit = ((wrong.pointer, wrong.detail) for wrong in limit_faults(event, state.ledger.currency))
    found = islice(chain(faults(event), misfit), placeholder_ids.MAX_ERRORS)
    errors = [FieldError(pointer + at, detail) for at, detail in found]
    if not errors and event.occurred_ts > now_ts + _AHEAD_SECONDS:
        errors = [FieldError(f"{pointer}/occurred_at", "is in the future.")]
    if errors:
        raise Refusal("invalid-request", "The event is not valid.", errors)
    return event


def _outcome(
    event: Event, outcome: Outcome, pointer: str, warnings: list[FieldError]
) -> EventOutcome:
    if outcome.status in ("accepted", "duplicate"):
        return EventOutcome(
            event.event_id, outcome.status, outcome.detail or None, warnings=warnings
        )
    if outcome.status == "conflict":
        described = problem("event-id-taken", outcome.detail)
    else:
        errors = [FieldError(f"{pointer}/customer_id", outcome.detail)]
        described = problem("invalid-request", "The event names nobody we know.", errors)
    return EventOutcome(event.event_id, "refused", problem=msgspec.to_builtins(described))


def _refused(raw: msgspec.Raw, refusal: Refusal) -> EventOutcome:
    described = problem(refusal.kind, refusal.detail, refusal.errors)
    return EventOutcome(_event_id(raw), "refused", problem=msgspec.to_builtins(described))


def _event_id(raw: msgspec.Raw) -> str | None:
    """Return the id of an event that is not valid, where it can be told."""
    try:
        found: Any = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    event_id = found.get("event_id") if isinstance(found, dict) else None
    return event_id[:200] if isinstance(event_id, str) else None
