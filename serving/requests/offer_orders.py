"""Turns the order that a till or a shop reports into what the ledger redeems offers with.

Called by ``api.offers``.
"""

from collections.abc import Sequence
from typing import Any

from flask import g

from recsys.ledger.events import IN_STORE, number_fault, scope_of
from recsys.ledger.offers import OrderItem, Outcome, Undo
from recsys.recommender.bundles import documents
from serving.access import admission
from serving.http import FieldError, Refusal
from serving.requests.placeholder_ids import refuse_placeholder_ids
from serving.schemas import OrderLine, RedemptionRequest, UndoQuery
from serving.state import State, bounds_of


def order_of(state: State, params: RedemptionRequest) -> dict[str, Any]:
    """Return the order that a redemption is for.

    Returns
    -------
    dict
        Arguments of ``Offers.redeem``: the order, and the bounds that it must keep.

    Raises
    ------
    Refusal
        When the caller may not redeem there, or a needed field is missing.
    """
    refuse_placeholder_ids([("/transaction_id", params.transaction_id)], number_fault)
    admission.check_channel(params.channel, "/channel")
    location_id = admission.check_location(params.location_id)
    if params.channel in IN_STORE and location_id is None:
        detail = "is needed in stores, where an order's number is one of its store."
        raise Refusal(
            "invalid-request", "The location is missing.", [FieldError("/location_id", detail)]
        )
    items, currency = _items(params)
    engine = state.engine
    return {
        "transaction_id": params.transaction_id,
        "channel": params.channel,
        "location_id": location_id,
        "items": items,
        "currency": currency,
        "till": till_of(params.till_id),
        "choice_of": str if engine is None else engine.choice_of,
        "bounds": bounds_of(state.config, engine),
    }


def undo_of(state: State, transaction_id: str, params: UndoQuery) -> Undo:
    """Return the redemption that a till wants to undo.

    Raises
    ------
    Refusal
        When the caller may not redeem there.
    """
    admission.check_channel(params.channel, "/channel")
    location_id = admission.check_location(params.location_id)
    scope = scope_of(params.channel, location_id)
    return Undo(transaction_id, scope, till_of(params.till_id), state.now_ts())


def till_of(till_id: str | None) -> str:
    """Name who redeems: the caller's key, and the till that the request names."""
    caller = g.get("caller")
    return f"{'' if caller is None else caller.key_id} {till_id or ''}"


def _items(params: RedemptionRequest) -> tuple[list[OrderItem] | None, str | None]:
    """Return the items of the order, and the currency of its prices."""
    if params.items is None:
        if params.item_ids is None:
            return None, None
        return [OrderItem(item_id) for item_id in params.item_ids], None
    if params.item_ids is not None:
        detail = "give `items` or `item_ids`, not both."
        raise Refusal(
            "invalid-request", "Two lists of products.", [FieldError("/item_ids", detail)]
        )
    errors = list(_wrong_prices(params.items))
    if errors:
        raise Refusal("invalid-request", "Prices are wrong.", errors)
    currencies = {line.price.currency for line in params.items if line.price is not None}
    items = [
        OrderItem(
            line.item_id, line.quantity, None if line.price is None else line.price.amount_minor
        )
        for line in params.items
    ]
    return items, next(iter(currencies), None)


def _wrong_prices(lines: Sequence[OrderLine]) -> Sequence[FieldError]:
    first = next((line.price.currency for line in lines if line.price is not None), None)
    wrong = []
    for number, line in enumerate(lines):
        if line.price is None:
            continue
        if line.price.amount_minor < 0:
            pointer = f"/items/{number}/price/amount_minor"
            wrong.append(FieldError(pointer, "must not be below 0."))
        if line.price.currency != first:
            pointer = f"/items/{number}/price/currency"
            wrong.append(FieldError(pointer, f"must be {first}, as the first one."))
    return wrong


def combined(state: State, codes: Sequence[str], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the outcome of several offers, and the discount that they give together."""
    catalogue = None if state.engine is None else state.engine.catalogue
    answers: list[dict[str, Any]] = []
    total_minor, currency = 0, None
    for code, (redeemed, refused) in zip(codes, outcomes, strict=True):
        one: dict[str, Any] = {"code": code, "used": redeemed is not None}
        if redeemed is not None and redeemed.offer.redemption is not None:
            made = redeemed.offer
            one["offer"] = state.links.document(made, catalogue)
            one["discount"] = one["offer"]["redemption"]["discount"]
        if refused is not None:
            detail = sentence(str(refused))
            one["problem"] = {"type": f"/problems#{refused.kind}", "detail": detail}
        answers.append(one)
    used = {
        found.redeemed.offer.offer_id: found.redeemed.offer
        for found in outcomes
        if found.redeemed is not None
    }
    for made in used.values():
        total_minor += 0 if made.redemption is None else made.redemption.discount_minor
        currency = made.currency
    return {
        "discount": None if currency is None else documents.money(total_minor, currency),
        "codes": answers,
    }


def sentence(message: str) -> str:
    """Return a message with a capital first letter."""
    return message[:1].upper() + message[1:]
