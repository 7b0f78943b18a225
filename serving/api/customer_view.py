"""``/v1/customers`` and ``/v1/customers/{id}``: everything that is known about one customer.

For people who serve or support them. Every look is noted before it is answered.
"""

import time
from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Blueprint, Response, current_app, request

from recsys import history as kept_history
from recsys.decisions import ContactState, described
from recsys.errors import DataError
from recsys.languages import language_of
from recsys.ledger import Exposure
from recsys.ledger.customers import Look
from recsys.ledger.events import order_ids, seal_identifier
from recsys.recommender import Catalogue, orders_document, views_document
from serving.access import admission, session
from serving.api.customers import consent_document, consents_document
from serving.http import PROBLEM_KINDS, FieldError, Refusal, reply
from serving.requests import context, find_language, read_query, request_warnings
from serving.schemas import CustomerView, FoundCustomers, LookReason, LookupQuery, documented
from serving.state import State

blueprint = Blueprint("customer_view", __name__)

_WHO = ("channel-forbidden", "location-forbidden", "browser-key", "ledger-unavailable")
#: Visits that are told.
_MOST_VISITS = 20
_OF_CODES = ("code", "qr", "qr_public")
_SHOWN_SIGNS = 4
_SHOWN_DIGITS = 8
_ALL = "everything about a customer is the same"


@blueprint.get("/v1/customers")
@documented(
    "Find a customer",
    tag="people",
    scope="customers",
    query=LookupQuery,
    answers={200: FoundCustomers},
    problems=("bad-request", "invalid-request", "customer-unknown", "erased", *_WHO),
)
def find() -> Response:
    """Find a customer by a card, an address, an order number or an offer's code."""
    state: State = current_app.extensions["omnibasket"]
    asked = read_query(request.args, LookupQuery)
    given = [name for name in LookupQuery.__struct_fields__ if getattr(asked, name) is not None]
    if len(given) != 1:
        detail = "give one of `identifier_type` with `identifier_value`, `order_id` and `offer`."
        raise Refusal("invalid-request", "One name is needed.", [FieldError("", detail)])
    admission.refuse_screens()
    named = {"/identifier_value": asked.identifier, "/order_id": asked.order_id}
    admission.check_no_customer({**named, "/offer": asked.offer})
    admission.refuse_restricted_key(_ALL)
    if asked.identifier is not None:
        identifier = seal_identifier(asked.identifier, state.keyed_hash, state.config.identity)
        found = []
        if identifier is not None:
            customer = state.ledger.customer(identifier=identifier, as_of_ts=state.now_ts() + 1)
            if customer.erased:
                raise Refusal("erased", PROBLEM_KINDS["erased"].advice)
            found = [customer.customer_id]
    elif asked.order_id is not None:
        found = [*customers_of_order(state, asked.order_id)]
    else:
        offer = state.ledger.offers.find(asked.offer or "")
        found = [] if offer is None else [state.ledger.resolve_id(offer.owner)]
    ids = sorted({customer_id for customer_id in found if customer_id is not None})
    if not ids:
        raise Refusal("customer-unknown", PROBLEM_KINDS["customer-unknown"].advice)
    return reply(orjson.dumps({"customer_ids": ids}))


def customers_of_order(state: State, number: str) -> set[str | None]:
    """Return whose an order is, of live events and of exports.

    Parameters
    ----------
    state : State
    number : str
        As shop or till print it.
    """
    ids = state.ledger.records.owners_of_order(number)
    try:
        systems = orjson.loads(state.ledger.meta().get("systems", "[]"))
        exported = [number, *order_ids("online", number, systems)]
        # Its modules are loaded here, when they are needed: they are large.
        current = kept_history.History.open(state.config)
        ids += kept_history.customers_of_order(current, exported)
    except DataError:
        pass  # there is no history here: only live orders are known
    return {state.ledger.resolve_id(each) for each in ids}


@blueprint.get("/v1/customers/<customer_id>")
@documented(
    "Everything about one customer",
    tag="people",
    scope="customers",
    query=LookReason,
    answers={200: CustomerView},
    problems=("bad-request", "invalid-request", "customer-unknown", "erased", "no-model", *_WHO),
)
def one(customer_id: str) -> Response:
    """Tell identifiers, orders, returns, carts, what was shown and why, offers and consents.

    The look is noted first: `GET /v1/looks` lists who looked, at whom, when and why.
    """
    state: State = current_app.extensions["omnibasket"]
    asked = read_query(request.args, LookReason)
    owners = context.find_owners(state, customer_id)
    admission.refuse_restricted_key(_ALL)
    catalogue = state.loaded().catalogue
    language = find_language(state, asked.lang)
    note_look(state, owners[0], asked.reason)
    now_ts = state.now_ts()
    ledger = state.ledger
    contact = ledger.contacts.state(owners[0])
    history = ledger.history(owners[0])
    currency = state.config.workspace.currency
    shown = [
        _shown(state, catalogue, each, language.lang)
        for each in ledger.exposures.of_customer(owners, asked.shown)
    ]
    changes = ledger.contacts.consent_changes(owners)
    answer: dict[str, Any] = {
        "customer_id": owners[0],
        "as_of": _at(now_ts),
        "lang": language.lang,
        "identifiers": [
            {"type": each.type, **masked(state, each.type, each.value)}
            for each in ledger.records.identifiers(owners)
        ],
        "orders": orders_document(history, catalogue, currency, asked.orders),
        "cart": cart_document(catalogue, contact),
        "views": views_document(history, catalogue),
        "visits": [
            {"last_at": _at(visit.seen_ts), "cart": [*visit.state.cart]}
            for visit in ledger.records.visits(owners, now_ts, _MOST_VISITS)
        ],
        "shown": shown,
        "messages": _messages(contact),
        "offers": [
            _without_code(state.links.document(offer, catalogue))
            for offer in ledger.offers.of_customer(owners, now_ts, asked.shown)
        ],
        "dismissals": dismissals_document(catalogue, contact),
        "consents": {
            **consents_document(state, owners[0], contact),
            "history": [
                {
                    **consent_document(change.consent),
                    "noted_at": _at(change.noted_ts),
                    "noted_by": change.noted_by or None,
                }
                for change in changes
            ],
        },
        "holdouts": [
            {"holdout": arm.holdout, "held_out": arm.held_out, "since": _at(arm.at_ts)}
            for arm in contact.arms
        ],
    }
    request_warnings.add(answer, [*language.warnings])
    return reply(orjson.dumps(answer))


def note_look(state: State, customer_id: str, reason: str, page: str | None = None) -> None:
    """Write down that the caller looks at a customer.

    Parameters
    ----------
    state : State
    customer_id : str
        The present id.
    reason : str
    page : str, optional
        Where; by default ``customers`` in a browser, else ``api``.

    Raises
    ------
    LedgerError
        When it cannot be written; then the customer is not shown.
    """
    look = Look(
        looked_ts=int(time.time()),  # whatever clock the workspace goes by
        looked_by=admission.caller_name(),
        key_id=admission.caller_key_id(),
        page=page or ("customers" if session.from_browser() else "api"),
        reason=reason,
        own_id=customer_id,
    )
    state.ledger.looks.note(look)


def masked(state: State, kind: str, value: str) -> dict[str, Any]:
    """Tell an identifier so that it can be recognised, and not be used.

    Parameters
    ----------
    state : State
    kind, value : str
        As stored.
    """
    if kind not in state.config.identity.plain:
        return {"masked": f"{value[:_SHOWN_DIGITS]}…", "hashed": True}
    kept = value[-_SHOWN_SIGNS:] if len(value) > _SHOWN_SIGNS * 2 else ""
    return {"masked": f"…{kept}", "hashed": False}


def dismissals_document(catalogue: Catalogue, contact: ContactState) -> list[dict[str, Any]]:
    """Tell what a customer refused, and what they took back, the latest first."""
    return [
        _named(catalogue, one.item_id)
        | {
            "extent": "category" if one.whole_category else "item",
            "at": _at(one.at_ts),
            "stands": one.stands,
        }
        for one in contact.refusals
    ]


def cart_document(catalogue: Catalogue, contact: ContactState) -> list[dict[str, Any]]:
    """Tell what lies in a customer's cart, over all devices."""
    return [
        _named(catalogue, line.item_id) | {"quantity": line.quantity, "at": _at(line.at_ts)}
        for line in contact.cart
        if line.quantity
    ]


def _without_code(offer: dict[str, Any]) -> dict[str, Any]:
    """Leave out what an offer is redeemed by: that takes a key with the scope ``offers``."""
    return {name: told for name, told in offer.items() if name not in _OF_CODES}


def _messages(contact: ContactState) -> list[dict[str, Any]]:
    return [
        {
            "recommendation_id": one.recommendation_id,
            "placement": one.placement,
            "channel": one.channel,
            "decided_at": _at(one.decided_ts),
            "send_at": _at(one.send_ts),
            "state": one.state,
        }
        for one in contact.reservations
        if one.message
    ]


def _shown(state: State, catalogue: Catalogue, shown: Exposure, lang: str) -> dict[str, Any]:
    config = state.config
    told = described(shown.decision, config.caps, config.workspace.time_zone, language_of(lang))
    reasons = told["reasons"] or [None] * len(shown.items)
    return {
        "recommendation_id": shown.recommendation_id,
        "decided_at": _at(shown.shown_ts),
        "placement": shown.placement,
        "channel": None if shown.decision is None else shown.decision.channel,
        "location_id": shown.location_id,
        "items": [
            _named(catalogue, item_id) | {"reason": reason}
            for item_id, reason in zip(shown.items, reasons, strict=True)
        ],
        "fallback": told["fallback"],
        "held": told["held"],
        "withheld": [
            _named(catalogue, one["item_id"]) | {"code": one["code"], "text": one["text"]}
            for one in told["withheld"]
        ],
        "text": told["text"],
    }


def _named(catalogue: Catalogue, item_id: str) -> dict[str, Any]:
    ix = int(catalogue.index.ix_of([item_id])[0])
    return {"item_id": item_id, "title": None if ix < 0 else catalogue.titles[ix] or None}


def _at(ts: int) -> str:
    return f"{datetime.fromtimestamp(ts, UTC):%Y-%m-%dT%H:%M:%SZ}"
