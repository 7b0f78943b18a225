"""``PUT /v1/items``, ``/v1/stock``, ``/v1/locations``: what changes between two exports."""

import time
from collections.abc import Sequence

import msgspec
from flask import Blueprint, Response, current_app, request

from recsys.ledger import Written
from recsys.ledger.events import Money, item_fault, location_fault
from recsys.recommender import LiveItem, LiveLocation, LiveStock
from recsys.values import (
    ADDRESSES,
    DELIVERY_DAYS,
    MOST_DAYS,
    is_address,
    is_no_id,
    is_time_zone,
    read_days,
)
from serving.access import admission
from serving.http import FieldError, Refusal, reply, responses
from serving.requests import read_body, refuse_placeholder_ids
from serving.schemas import (
    ItemsUpdate,
    ItemUpdate,
    LocationsUpdate,
    LocationUpdate,
    StockUpdate,
    UpdateAnswer,
    documented,
)
from serving.state import State

blueprint = Blueprint("backoffice", __name__)

_PROBLEMS = (
    "malformed-body",
    "body-too-large",
    "not-json",
    "invalid-request",
    "channel-forbidden",
    "location-forbidden",
    "ledger-unavailable",
)
#: Ids named in an answer, at most.
_NAMED = 20


@blueprint.put("/v1/items")
@documented(
    "What changed about products",
    tag="back office",
    scope="catalogue",
    body=ItemsUpdate,
    example={
        "items": [
            {"item_id": "SKU-1", "price": {"amount_minor": 349, "currency": "EUR"}},
            {"item_id": "SKU-2", "active": False},
        ]
    },
    answers={200: UpdateAnswer},
    problems=_PROBLEMS,
)
def items() -> Response:
    """Tell of up to 5,000 products; fields that are not sent stay as they are.

    Shown within a second. A product that no model knows yet is counted under `not_in_model`: it
    is shown from the next training on, which learns of it here. An export that is newer than what
    was told takes its place.
    """
    state: State = current_app.extensions["omnibasket"]
    admission.refuse_restricted_key("a product is the same")
    update = read_body(request, ItemsUpdate)
    _check_prices(update)
    _check_addresses(update)
    _check_delivery(update)
    _check_codes(update)
    sent = update.items
    for name in ("item_id", "parent_id"):
        refuse_placeholder_ids(
            ((f"/items/{ix}/{name}", getattr(item, name)) for ix, item in enumerate(sent)),
            item_fault,
        )
    records = [
        LiveItem(
            item_id=item.item_id,
            title=item.title,
            price_minor=_minor(item.price),
            currency=item.price.currency if item.price else None,
            cost_minor=_minor(item.cost),
            active=item.active,
            department=item.department,
            category=item.category,
            brand=item.brand,
            parent_id=item.parent_id,
            attributes=_texts(item),
        )
        for item in sent
    ]
    written = state.ledger.backoffice.put_items(records, int(time.time()))
    return _answer(state, len(sent), written, [item.item_id for item in sent])


@blueprint.put("/v1/stock")
@documented(
    "What lies where",
    tag="back office",
    scope="catalogue",
    body=StockUpdate,
    example={"stock": [{"location_id": "S1", "item_id": "SKU-1", "on_hand": 0}]},
    answers={200: UpdateAnswer},
    problems=_PROBLEMS,
)
def stock() -> Response:
    """Tell how many of up to 10,000 products there are at locations, and how many are put aside.

    Shown within a second: what is sold out somewhere is shown there no more. Of a location that no
    stock export names, what was not told stays unknown, and may be shown.
    """
    state: State = current_app.extensions["omnibasket"]
    admission.refuse_restricted_key("stock is the same", locations=False)
    sent = read_body(request, StockUpdate).stock
    refuse_placeholder_ids(
        ((f"/stock/{ix}/item_id", row.item_id) for ix, row in enumerate(sent)), item_fault
    )
    _check_locations([row.location_id for row in sent], "/stock")
    _own_locations([row.location_id for row in sent], "/stock")
    records = [
        LiveStock(
            location_id=row.location_id,
            item_id=row.item_id,
            on_hand=row.on_hand,
            reserved=row.reserved,
        )
        for row in sent
    ]
    written = state.ledger.backoffice.put_stock(records, int(time.time()))
    return _answer(state, len(sent), written, [row.item_id for row in sent])


@blueprint.put("/v1/locations")
@documented(
    "Stores and warehouses",
    tag="back office",
    scope="catalogue",
    body=LocationsUpdate,
    example={"locations": [{"location_id": "S9", "name": "Harbour", "kind": "store"}]},
    answers={200: UpdateAnswer},
    problems=_PROBLEMS,
)
def locations() -> Response:
    """Tell of up to 5,000 stores and warehouses; fields that are not sent stay as they are."""
    state: State = current_app.extensions["omnibasket"]
    admission.refuse_restricted_key("a location is the same", locations=False)
    sent = read_body(request, LocationsUpdate).locations
    _check_locations([row.location_id for row in sent], "/locations")
    _own_locations([row.location_id for row in sent], "/locations")
    _check_positions(sent)
    _check_zones(sent)
    records = [LiveLocation(**msgspec.structs.asdict(row)) for row in sent]
    written = state.ledger.backoffice.put_locations(records, int(time.time()))
    return _answer(state, len(sent), written, [])


def _minor(price: Money | None) -> int | None:
    return None if price is None else price.amount_minor


def _check_prices(sent: ItemsUpdate) -> None:
    """Refuse prices below zero."""
    wrong = [
        FieldError(f"/items/{ix}/{name}/amount_minor", "is below zero.")
        for ix, item in enumerate(sent.items)
        for name in ("price", "cost")
        if (money := getattr(item, name)) is not None and money.amount_minor < 0
    ]
    if wrong:
        raise Refusal("invalid-request", "Prices are not below zero.", wrong)


def _check_locations(location_ids: Sequence[str], pointer: str) -> None:
    named = ((f"{pointer}/{ix}/location_id", text) for ix, text in enumerate(location_ids))
    refuse_placeholder_ids(named, location_fault)


def _check_codes(sent: ItemsUpdate) -> None:
    """Refuse a GTIN of which a spreadsheet has left 5.01235E+12."""
    codes = (
        (f"/items/{ix}/attributes/gtin", said)
        for ix, item in enumerate(sent.items)
        if isinstance(said := (item.attributes or {}).get("gtin"), str)
    )
    refuse_placeholder_ids(codes, _code_fault)


def _code_fault(text: str) -> str | None:
    return f"`{text}` is no GTIN. Send its digits, as text." if is_no_id(text) else None


def _texts(item: ItemUpdate) -> dict[str, str | None] | None:
    """Attributes as texts, which is how a catalogue has them."""
    if item.attributes is None:
        return None
    return {
        name: said if said is None or isinstance(said, str) else msgspec.json.encode(said).decode()
        for name, said in item.attributes.items()
    }


def _check_addresses(sent: ItemsUpdate) -> None:
    """Refuse addresses that no page may follow."""
    wrong = [
        FieldError(f"/items/{ix}/attributes/{name}", "is no address by http or https.")
        for ix, item in enumerate(sent.items)
        for name in ADDRESSES
        if (said := (item.attributes or {}).get(name)) is not None
        and not (isinstance(said, str) and is_address(said))
    ]
    if wrong:
        raise Refusal("invalid-request", "Pages may follow http and https alone.", wrong)


def _check_delivery(sent: ItemsUpdate) -> None:
    """Refuse lead times that are no number of days."""
    wrong = [
        FieldError(
            f"/items/{ix}/attributes/{DELIVERY_DAYS}", f"is not 0 to {MOST_DAYS} whole days."
        )
        for ix, text in enumerate(map(_delivery_text, sent.items))
        if text is not None and read_days(text) is None
    ]
    if wrong:
        raise Refusal("invalid-request", "Lead times are whole days.", wrong)


def _delivery_text(item: ItemUpdate) -> str | None:
    return (_texts(item) or {}).get(DELIVERY_DAYS)


def _check_positions(sent: Sequence[LocationUpdate]) -> None:
    """Refuse half a position, and the one that stands for an unknown one."""
    wrong = []
    for ix, row in enumerate(sent):
        if (row.latitude is None) != (row.longitude is None):
            missing = "latitude" if row.latitude is None else "longitude"
            wrong.append(FieldError(f"/locations/{ix}/{missing}", "is missing beside the other."))
        elif row.latitude == row.longitude == 0:
            detail = "0, 0 lies in the sea. Leave out a position that is not known."
            wrong.append(FieldError(f"/locations/{ix}/latitude", detail))
    if wrong:
        raise Refusal("invalid-request", "Positions are a latitude and a longitude.", wrong)


def _check_zones(sent: Sequence[LocationUpdate]) -> None:
    """Refuse time zones that nobody can tell the time of."""
    wrong = [
        FieldError(
            f"/locations/{ix}/time_zone",
            f"`{zone}` is no IANA time zone. Use one such as Europe/Paris.",
        )
        for ix, row in enumerate(sent)
        if (zone := row.time_zone) is not None and not is_time_zone(zone)
    ]
    if wrong:
        raise Refusal("invalid-request", "Time zones are those of IANA.", wrong)


def _own_locations(location_ids: Sequence[str], pointer: str) -> None:
    for ix, location_id in enumerate(location_ids):
        admission.check_location(location_id, f"{pointer}/{ix}/location_id")


def _answer(state: State, received: int, written: Written, item_ids: Sequence[str]) -> Response:
    state.refresh_catalogue()
    unknown: list[str] = []
    if state.engine is not None and item_ids:
        named = list(dict.fromkeys(item_ids))
        found = state.engine.index.ix_of(named).tolist()
        unknown = [item_id for item_id, ix in zip(named, found, strict=True) if ix < 0]
    answer = UpdateAnswer(
        received=received,
        changed=written.changed,
        unchanged=written.unchanged,
        not_in_model=len(unknown),
        not_in_model_ids=unknown[:_NAMED],
    )
    return reply(msgspec.json.encode(answer), 200, responses.JSON)
