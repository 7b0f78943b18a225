"""``/v1/customers/…/offers`` and ``/v1/offers``: what stands, issued once and redeemed once."""

from typing import Final

import orjson
from flask import Blueprint, Response, current_app, request

from recsys.bundles import Offer, offered_members
from recsys.errors import OfferError
from recsys.ledger.customers import session_own_id
from recsys.ledger.events import seal_identifier, seal_session
from recsys.ledger.offers import OfferUse
from recsys.ledger.offers import Refusal as NoOffer
from recsys.recommender.offers import documents as words
from serving.access import admission
from serving.http import PROBLEM_KINDS, FieldError, Refusal, etag_of, is_held, reply
from serving.requests import context, offer_orders, read_body, read_query
from serving.schemas import (
    Combination,
    CombinationRequest,
    CustomerOffers,
    OfferRequest,
    OffersQuery,
    RedemptionRequest,
    UndoQuery,
    documented,
)
from serving.schemas import Offer as OfferAnswer
from serving.state import State, bounds_of, qr_links

blueprint = Blueprint("offers", __name__)

SVG: Final = "image/svg+xml"
#: How long the drawing of a code may be shown without asking again; it never changes.
_QR_CACHE_SECONDS: Final = 86_400
_WHO: Final = ("channel-forbidden", "ledger-unavailable")
_BODY: Final = ("malformed-body", "body-too-large", "not-json", "invalid-request")


@blueprint.get("/v1/customers/<customer_id>/offers")
@documented(
    "The offers that stand for a customer",
    tag="channels",
    scope="offers",
    answers={200: CustomerOffers},
    problems=("customer-unknown", "erased", *_WHO),
)
def standing(customer_id: str) -> Response:
    """List the offers that stand for a customer, the oldest first, the same in all channels."""
    state: State = current_app.extensions["omnibasket"]
    return _standing(state, context.find_owners(state, customer_id))


@blueprint.post("/v1/customers/<customer_id>/offers")
@documented(
    "Offer a bundle to a customer",
    tag="channels",
    scope="offers",
    body=OfferRequest,
    example={"bundle_id": "b0123456789abcdef"},
    answers={201: OfferAnswer, 200: OfferAnswer},
    problems=(
        *_BODY,
        "customer-unknown",
        "erased",
        "bundle-unknown",
        "bundle-inactive",
        "not-offered",
        "offer-below-floor",
        "budget-spent",
        "customer-limit",
        "no-model",
        *_WHO,
    ),
)
def issue(customer_id: str) -> Response:
    """Promise an approved bundle to a customer, at its price, until a time.

    Asked again, the answer is the offer that stands already, with status 200. What stands reserves
    its discount of the bundle's budget.
    """
    state: State = current_app.extensions["omnibasket"]
    owners = context.find_owners(state, customer_id)
    bundle_id = read_body(request, OfferRequest).bundle_id
    engine = state.loaded()
    suggestions = state.decision_cache.suggestions(engine)
    if not suggestions.known(bundle_id):
        raise Refusal("bundle-unknown", PROBLEM_KINDS["bundle-unknown"].advice)
    if not _reaches(state, bundle_id):
        detail = "This bundle's offers cannot be used where this key is for."
        raise Refusal("channel-forbidden", detail)
    bundle, now_ts, ledger = suggestions.get(bundle_id), state.now_ts(), state.ledger.offers
    mine = state.links.codes.new()
    before = {offer.bundle_id: offer for offer in ledger.standing(owners, now_ts)}.get(bundle_id)
    if before is not None:
        return reply(orjson.dumps(_document(state, before)))
    idle = [
        name
        for name, ix in zip(bundle.item_ids, bundle.item_ix, strict=True)
        if not suggestions.active(ix)
    ]
    if idle:
        detail = f"{', '.join(idle)}: not in the catalogue, or no longer sold."
        raise Refusal("bundle-inactive", detail)
    item_ids = offered_members(bundle.kind, bundle.item_ids)
    items = words.priced(item_ids, bundle.terms.currency, engine.catalogue)
    if items is None:
        raise Refusal("not-offered", PROBLEM_KINDS["not-offered"].advice)
    made = ledger.issue(
        bundle_id,
        owners[0],
        items,
        name=mine,
        now_ts=now_ts,
        owners=owners,
        bounds=bounds_of(state.config, engine),
    )
    if isinstance(made, NoOffer):
        kind = made.reason.replace("_", "-")
        raise Refusal(kind, PROBLEM_KINDS[kind].advice)
    if made.offer_id != mine.offer_id:  # somebody else was as quick
        return reply(orjson.dumps(_document(state, made)))
    where = ("Location", f"/v1/offers/{made.offer_id}")
    return reply(orjson.dumps(_document(state, made)), 201, headers=[where])


@blueprint.get("/v1/offers")
@documented(
    "The offers that stand for whoever an identifier names",
    tag="channels",
    scope="offers",
    query=OffersQuery,
    answers={200: CustomerOffers},
    problems=("invalid-request", "customer-unknown", *_WHO),
)
def of_identifier() -> Response:
    """List what stands for a customer by their card, e-mail or phone, as a till has it."""
    state: State = current_app.extensions["omnibasket"]
    admission.refuse_screens()
    params = read_query(request.args, OffersQuery)
    admission.check_no_customer({"/identifier_value": params.identifier})
    identifier = seal_identifier(params.identifier, state.keyed_hash, state.config.identity)
    customer = None
    if identifier is not None:
        customer = state.ledger.customer(identifier=identifier, as_of_ts=state.now_ts() + 1)
    if customer is None or customer.customer_id is None:
        raise Refusal("customer-unknown", PROBLEM_KINDS["customer-unknown"].advice)
    return _standing(state, state.ledger.offers.owners(customer.customer_id))


@blueprint.get("/v1/offers/<offer_id>")
@documented(
    "One offer",
    tag="channels",
    scope="offers",
    answers={200: OfferAnswer},
    problems=("offer-unknown", *_WHO),
)
def one(offer_id: str) -> Response:
    """Show an offer by its id, or by its code however it is typed, whatever became of it."""
    state: State = current_app.extensions["omnibasket"]
    return reply(orjson.dumps(_document(state, _find_offer(state, offer_id))))


@blueprint.post("/v1/offers/<offer_id>/redemptions")
@documented(
    "Redeem an offer",
    tag="channels",
    scope="offers",
    body=RedemptionRequest,
    example={
        "transaction_id": "1001",
        "channel": "pos",
        "location_id": "S1",
        "items": [{"item_id": "SKU1", "quantity": 1}],
    },
    answers={201: OfferAnswer, 200: OfferAnswer},
    problems=(
        *_BODY,
        "offer-unknown",
        "offer-code-needed",
        "offer-redeemed",
        "offer-of-another",
        "offer-expired",
        "offer-withdrawn",
        "offer-elsewhere",
        "offer-incomplete",
        "offer-overlaps",
        "offer-not-cheaper",
        "offer-below-floor",
        "order-limit",
        "location-forbidden",
        *_WHO,
    ),
)
def redeem(offer_id: str) -> Response:
    """Let an order use an offer, by its code: once, whoever asks first.

    Its id does as well where `customer_id`, `identifier` or `session_id` says whose it is.

    Each piece of the order carries one offer. Where `items` tell prices, the pieces cost the
    offer's price then: `redemption.discount` says what was taken off.

    The same order asking again gets the same answer, with status 200. When this answers, the
    redemption survives a power cut.
    """
    state: State = current_app.extensions["omnibasket"]
    admission.refuse_screens()
    params = read_body(request, RedemptionRequest)
    owners = _users(state, params)
    order = offer_orders.order_of(state, params)
    try:
        done = state.ledger.offers.redeem(offer_id, owners=owners, now_ts=state.now_ts(), **order)
    except OfferError as error:
        raise Refusal(error.kind, offer_orders.sentence(str(error))) from None
    return reply(orjson.dumps(_document(state, done.offer)), 201 if done.first else 200)


@blueprint.delete("/v1/offers/<offer_id>/redemptions/<transaction_id>")
@documented(
    "Undo a redemption",
    tag="channels",
    scope="offers",
    query=UndoQuery,
    answers={200: OfferAnswer},
    problems=(
        "invalid-request",
        "offer-unknown",
        "offer-redeemed",
        "redemption-of-another",
        "redemption-final",
        "location-forbidden",
        "browser-key",
        *_WHO,
    ),
)
def undo(offer_id: str, transaction_id: str) -> Response:
    """Take a redemption back within a minute, on the till that made it.

    The offer stands again, with its part of the budget, as if it had never been used. Asked again,
    the answer is the same.
    """
    state: State = current_app.extensions["omnibasket"]
    admission.refuse_screens()
    admission.refuse_pages()
    wanted = offer_orders.undo_of(state, transaction_id, read_query(request.args, UndoQuery))
    try:
        found = state.ledger.offers.undo(offer_id, wanted)
    except OfferError as error:
        raise Refusal(error.kind, offer_orders.sentence(str(error))) from None
    return reply(orjson.dumps(_document(state, found)))


@blueprint.post("/v1/redemptions")
@documented(
    "Redeem the best of several offers",
    tag="channels",
    scope="offers",
    body=CombinationRequest,
    example={
        "transaction_id": "1001",
        "channel": "pos",
        "location_id": "S1",
        "items": [{"item_id": "SKU1", "quantity": 2}],
        "codes": ["7Q4M-0X2K-D9AB-WT5C", "0123-4567-89AB-CDEF"],
        "dry_run": True,
    },
    answers={200: Combination},
    problems=(*_BODY, "location-forbidden", *_WHO),
)
def combine() -> Response:
    """Let an order use those of several offers that take off most together.

    Every combination that the order has pieces for is looked at: the largest discount wins, then
    the fewest offers, then those that are named first. All of it is one transaction. For each
    of the others the answer says why not; `dry_run` only says what would be.
    """
    state: State = current_app.extensions["omnibasket"]
    admission.refuse_screens()
    params = read_body(request, CombinationRequest)
    owners = _users(state, params)
    use = OfferUse(owners=owners, now_ts=state.now_ts(), **offer_orders.order_of(state, params))
    outcomes = state.ledger.offers.redeem_best(params.codes, use, dry_run=params.dry_run)
    told = offer_orders.combined(state, params.codes, outcomes)
    answer = {"transaction_id": params.transaction_id, "dry_run": params.dry_run, **told}
    return reply(orjson.dumps(answer))


@blueprint.get("/v1/offers/<offer_id>/qr.svg")
@documented(
    "The code of an offer as a QR code",
    tag="channels",
    scope="offers",
    answers={200: SVG, 304: SVG},
    problems=("offer-unknown", *_WHO),
)
def qr(offer_id: str) -> Response:
    """Draw the code of an offer, black on white, to be shown on a phone or printed."""
    state: State = current_app.extensions["omnibasket"]
    code = state.links.codes.of(_find_offer(state, offer_id))
    tag = etag_of(code)
    body = b"" if is_held(tag) else qr_links.draw(code, "svg")
    return reply(
        body, 200 if body else 304, SVG, cache_seconds=_QR_CACHE_SECONDS, private=True, etag=tag
    )


def _standing(state: State, owners: list[str]) -> Response:
    found = [
        offer
        for offer in state.ledger.offers.standing(owners, state.now_ts())
        if _reaches(state, offer.bundle_id)
    ]
    told = [_document(state, offer) for offer in found]
    return reply(orjson.dumps({"customer_id": owners[0], "offers": told}))


def _reaches(state: State, bundle_id: str) -> bool:
    """Whether a bundle's offers can be used on a channel and at a location of the caller's key."""
    decision = state.decision_cache.by_id.get(bundle_id)
    return decision is None or admission.reaches(decision.terms.channels, decision.terms.locations)


def _document(state: State, offer: Offer) -> dict[str, object]:
    return state.links.document(offer, None if state.engine is None else state.engine.catalogue)


def _find_offer(state: State, which: str) -> Offer:
    admission.refuse_screens()
    found = state.ledger.offers.find(which, state.now_ts())
    if found is None:
        raise Refusal("offer-unknown", PROBLEM_KINDS["offer-unknown"].advice)
    return found


def _users(state: State, params: RedemptionRequest) -> list[str] | None:
    """Return every id of whoever redeems; None where nobody is named, nobody's where unknown."""
    admission.check_no_customer(
        {"/customer_id": params.customer_id, "/identifier": params.identifier}
    )
    if params.customer_id is not None and params.identifier is not None:
        detail = "give `customer_id` or `identifier`, not both."
        raise Refusal(
            "invalid-request", "Two names for one customer.", [FieldError("/customer_id", detail)]
        )
    if (params.customer_id, params.identifier, params.session_id) == (None, None, None):
        return None
    keyed_hash, identifier, owners = state.keyed_hash, params.identifier, []
    session_id = params.session_id and seal_session(params.session_id, keyed_hash)
    if session_id:
        owners.append(session_own_id(session_id))
    if identifier is not None:
        identifier = seal_identifier(identifier, keyed_hash, state.config.identity)
    customer = state.ledger.customer(
        customer_id=params.customer_id,
        identifier=identifier,
        session_id=session_id,
        as_of_ts=state.now_ts() + 1,
    )
    if customer.customer_id is not None:
        owners += state.ledger.offers.owners(customer.customer_id)
    return owners
