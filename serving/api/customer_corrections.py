"""What people who serve a customer correct: products that were refused, links between identifiers.

Consents are corrected by ``PUT /v1/customers/{id}/consents``.
"""

import secrets
from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Blueprint, Response, current_app, request

from recsys import history as kept_history
from recsys.errors import DataError
from recsys.identity import overrides
from recsys.ledger.events import Event, EventItem
from serving.access import admission
from serving.api.customer_view import dismissals_document, masked, note_look
from serving.http import PROBLEM_KINDS, FieldError, Refusal, reply
from serving.requests import context, read_body
from serving.schemas import (
    Dismissals,
    DismissalUpdate,
    LinkChange,
    LinkCorrection,
    Links,
    documented,
)
from serving.state import State

blueprint = Blueprint("customer_corrections", __name__)

_WHO = ("channel-forbidden", "location-forbidden", "browser-key")
_BODY = ("malformed-body", "body-too-large", "not-json", "invalid-request")
_ANYWHERE = "what is corrected holds"


@blueprint.put("/v1/customers/<customer_id>/dismissals")
@documented(
    "Correct what a customer does not want to see",
    tag="people",
    scope="customers",
    body=DismissalUpdate,
    example={"item_id": "SKU-1", "stands": False},
    answers={200: Dismissals},
    problems=(*_BODY, "customer-unknown", "erased", "no-model", *_WHO, "ledger-unavailable"),
)
def dismiss(customer_id: str) -> Response:
    """Note that a customer is not interested in a product, or wants to see it again.

    The same as the events `dismiss` and `undo_dismiss`, in the customer's name; the next answer on
    any channel holds to it.
    """
    state: State = current_app.extensions["omnibasket"]
    owners = context.find_owners(state, customer_id)
    admission.refuse_restricted_key(_ANYWHERE)
    asked = read_body(request, DismissalUpdate)
    note_look(state, owners[0], "dismissals")
    catalogue = state.loaded().catalogue
    contact = state.ledger.contacts.state(owners[0])
    whole = asked.extent == "category"
    known = any(one.item_id == asked.item_id for one in contact.refusals)
    if catalogue.index.ix_of([asked.item_id])[0] < 0 and not known:
        detail = "is not in the catalogue."
        raise Refusal("invalid-request", "No such product.", [FieldError("/item_id", detail)])
    same = (one for one in contact.refusals if one.item_id == asked.item_id)
    latest_ts = max((one.at_ts for one in same if one.whole_category == whole), default=0)
    # After the word that it corrects, even if both are of one second.
    at_ts = max(state.now_ts(), latest_ts + 1)
    event = Event(
        event_id=f"correction-{secrets.token_hex(12)}",
        event="dismiss" if asked.stands else "undo_dismiss",
        occurred_at=datetime.fromtimestamp(at_ts, UTC),
        customer_id=owners[0],
        channel="associate",
        items=[EventItem(item_id=asked.item_id)],
        extent=asked.extent,
    )
    state.ledger.add_events([event], at_ts)
    contact = state.ledger.contacts.state(owners[0])
    told = {"customer_id": owners[0], "dismissals": dismissals_document(catalogue, contact)}
    return reply(orjson.dumps(told))


@blueprint.get("/v1/customers/<customer_id>/links")
@documented(
    "Why the identifiers of a customer are one person's",
    tag="people",
    scope="customers",
    answers={200: Links},
    problems=("customer-unknown", "erased", "history-missing", *_WHO, "ledger-unavailable"),
)
def links(customer_id: str) -> Response:
    """List the links of the last ingest that have an end in the customer, joining or refused."""
    state: State = current_app.extensions["omnibasket"]
    owners = context.find_owners(state, customer_id)
    admission.refuse_restricted_key(_ANYWHERE)
    history = _history(state)
    note_look(state, owners[0], "links")
    identifiers = state.ledger.records.identifiers(owners)
    rows = kept_history.links_of(history, {(each.type, each.value) for each in identifiers})
    undone = {*overrides.undone_links(state.config)}
    told = [_link(state, row, row["link_id"] in undone) for row in rows]
    answer = {"customer_id": owners[0], "history": history.version, "links": told}
    return reply(orjson.dumps(answer))


@blueprint.delete("/v1/identities/links/<link_id>")
@documented(
    "Undo a link",
    tag="people",
    scope="customers",
    body=LinkCorrection,
    example={"reason": "ticket 4711: two sisters, one tablet"},
    answers={200: LinkChange},
    problems=(*_BODY, "link-unknown", "history-missing", *_WHO),
)
def undo(link_id: str) -> Response:
    """Say that two identifiers are not one person's: the next ingest splits the customer.

    What was shown, said and redeemed stays with the identifier that it came from.
    """
    state: State = current_app.extensions["omnibasket"]
    admission.refuse_screens()
    admission.refuse_restricted_key(_ANYWHERE)
    asked = read_body(request, LinkCorrection)
    _check_known(state, link_id)
    note = " ".join(f"{admission.caller_name()}: {asked.reason}".split())
    changed = overrides.undo(state.config, link_id, datetime.now(UTC), note)
    return _changed(state, link_id, changed)


@blueprint.put("/v1/identities/links/<link_id>")
@documented(
    "Let a link join again",
    tag="people",
    scope="customers",
    body=LinkCorrection,
    example={},
    answers={200: LinkChange},
    problems=(*_BODY, "link-unknown", "link-fixed", "history-missing", *_WHO),
)
def redo(link_id: str) -> Response:
    """Take back that a link was undone; the next ingest lets it join, where its rules do."""
    state: State = current_app.extensions["omnibasket"]
    admission.refuse_screens()
    admission.refuse_restricted_key(_ANYWHERE)
    read_body(request, LinkCorrection)
    _check_known(state, link_id)
    if link_id in state.config.identity.undone:
        raise Refusal("link-fixed", PROBLEM_KINDS["link-fixed"].advice)
    return _changed(state, link_id, overrides.redo(state.config, link_id))


def _history(state: State) -> "kept_history.History":
    # The room's modules are loaded here, when they are needed: they are large.
    try:
        return kept_history.History.open(state.config)
    except DataError:
        raise Refusal("history-missing", PROBLEM_KINDS["history-missing"].advice) from None


def _check_known(state: State, link_id: str) -> None:
    """Refuse a link that the history does not have."""
    if not kept_history.has_link(_history(state), link_id):
        raise Refusal("link-unknown", PROBLEM_KINDS["link-unknown"].advice)


def _changed(state: State, link_id: str, changed: bool) -> Response:
    undone = link_id in overrides.undone_links(state.config)
    return reply(orjson.dumps({"link_id": link_id, "undone": undone, "changed": changed}))


def _link(state: State, row: dict[str, Any], undone: bool) -> dict[str, Any]:
    ends = [(row[f"type_{side}"], row[f"value_{side}"]) for side in "ab"]
    last = row["last_at"]
    return {
        "link_id": row["link_id"],
        "ends": [
            {"type": kind, "masked": masked(state, kind, value)["masked"]} for kind, value in ends
        ],
        "evidence": row["evidence"],
        "seen": row["seen"],
        "last_at": None if last is None else f"{last:%Y-%m-%dT%H:%M:%SZ}",
        "joins": row["accepted"],
        "refused": row["refused"],
        "undone": undone,
    }
