"""``/v1/customers/{id}/consents``: what a customer consents to."""

from datetime import UTC, datetime
from typing import Any, Final, get_args

import orjson
from flask import Blueprint, Response, current_app, request

from recsys.config import Purpose
from recsys.decisions import Consent, ContactState, consents_to
from recsys.schema import CHANNELS
from recsys.values import is_time_zone
from serving.access import admission
from serving.http import FieldError, Refusal, reply
from serving.requests import context, read_body
from serving.schemas import Consents, ConsentsUpdate, documented
from serving.state import State

blueprint = Blueprint("customers", __name__)

#: Clocks differ; what is said further ahead than this is wrong. Seconds.
_AHEAD_SECONDS: Final = 300


@blueprint.get("/v1/customers/<customer_id>/consents")
@documented(
    "What a customer consents to",
    tag="channels",
    scope="customers",
    answers={200: Consents},
    problems=("customer-unknown", "erased", "channel-forbidden", "ledger-unavailable"),
)
def consents(customer_id: str) -> Response:
    """Tell what a customer said, and what may be done by it."""
    state: State = current_app.extensions["omnibasket"]
    return _answer(state, context.find_owners(state, customer_id))


@blueprint.put("/v1/customers/<customer_id>/consents")
@documented(
    "Note what a customer consents to",
    tag="channels",
    scope="customers",
    body=ConsentsUpdate,
    example={
        "consents": [
            {"purpose": "marketing", "channel": "email", "given": False, "source": "account page"}
        ]
    },
    answers={200: Consents},
    problems=(
        "malformed-body",
        "body-too-large",
        "not-json",
        "invalid-request",
        "customer-unknown",
        "erased",
        "channel-forbidden",
        "location-forbidden",
        "ledger-unavailable",
    ),
)
def put(customer_id: str) -> Response:
    """Write down what a customer said; the next answer on any channel holds to it.

    The latest word about a purpose and a channel counts, by `at`. It is written for all identifiers
    of the customer. If they are linked to others later, any refusal refuses.
    """
    state: State = current_app.extensions["omnibasket"]
    owners = context.find_owners(state, customer_id)
    admission.refuse_restricted_key("consents hold")
    now_ts = state.now_ts()
    said, errors = [], []
    update = read_body(request, ConsentsUpdate)
    if update.time_zone is not None and not is_time_zone(update.time_zone):
        detail = f"`{update.time_zone}` is no IANA time zone. Use one such as Europe/Paris."
        errors.append(FieldError("/time_zone", detail))
    if not update.consents and update.time_zone is None:
        errors.append(FieldError("/consents", "is empty. Send what the customer said."))
    for ix, one in enumerate(update.consents):
        at_ts = now_ts if one.at is None else int(one.at.timestamp())
        if not 0 <= at_ts <= now_ts + _AHEAD_SECONDS:
            errors.append(FieldError(f"/consents/{ix}/at", "is in the future, or before 1970."))
        said.append(
            Consent(
                one.purpose,
                one.channel or "",
                one.given,
                min(at_ts, now_ts),  # a clock that is ahead gains nothing
                one.source,
                one.version,
            )
        )
    if errors:
        raise Refusal("invalid-request", "The consents are not valid.", errors)
    state.ledger.contacts.consent(
        owners, said, update.time_zone, noted_by=admission.caller_name(), noted_ts=now_ts
    )
    return _answer(state, owners)


def _answer(state: State, owners: list[str]) -> Response:
    contact = state.ledger.contacts.state(owners[0])
    return reply(orjson.dumps(consents_document(state, owners[0], contact)))


def consents_document(state: State, customer_id: str, contact: ContactState) -> dict[str, Any]:
    """Tell what a customer consents to.

    Parameters
    ----------
    state : State
    customer_id : str
    contact : ContactState
        Of the customer.
    """
    said = sorted({one for each in contact.said for one in each}, key=lambda one: -one.at_ts)
    now_ts, unsaid = state.now_ts(), state.config.consents
    return {
        "customer_id": customer_id,
        "time_zone": contact.time_zone or None,
        "consents": [consent_document(one) for one in said],
        "effective": {
            purpose: {
                channel: consents_to(contact.said, purpose, channel, now_ts, unsaid)
                for channel in CHANNELS
            }
            for purpose in get_args(Purpose)
        },
    }


def consent_document(one: Consent) -> dict[str, Any]:
    """Tell one word about one purpose."""
    return {
        "purpose": one.purpose,
        "channel": one.channel or None,
        "given": one.given,
        "at": f"{datetime.fromtimestamp(one.at_ts, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "source": one.source,
        "version": one.version,
    }
