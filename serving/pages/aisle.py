"""``/p/{item_id}``: the page behind the code on a shelf's label, on the phone of whoever scans it.

It shows public facts: the product, where it can be had, what goes well with it, and bundles that
anybody may ask for. It reads no session and no history, promises nothing, and writes nothing.
"""

import base64
from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, Response, abort, current_app, request

from recsys.bundles import Decision
from recsys.languages import Language
from recsys.recommender import AislePage, Engine, aisle_page, draw_item
from recsys.values import aisle_path, currency_digits
from serving.pages.localization import page_language, show
from serving.requests import public_bundles
from serving.schemas import documented
from serving.state import State

blueprint = Blueprint("aisle", __name__)

_RETRY_SECONDS: Final = 5

Json = dict[str, Any]


@blueprint.get("/p/<item:item_id>")
@documented(
    "A product's page in a store's aisle",
    tag="pages",
    answers={200: "text/html", 404: "text/html", 503: "text/html"},
    problems=("not-found", "too-many-requests"),
)
def page(item_id: str) -> Response:
    """Show what anybody may know of a product in the store that `?location=` names.

    No key is needed where `[serve] aisle_pages` is set; otherwise there is no such page. The
    command `omnibasket labels` writes the labels that lead here.
    """
    state: State = current_app.extensions["omnibasket"]
    if not state.config.serve.aisle_pages:
        abort(404)
    state.rates.count_visitor(state.addresses.of_request())
    location_id = request.args.get("location")
    kept = {} if location_id is None else {"location": location_id}
    engine = state.engine
    if engine is None:
        headers = (("Retry-After", str(_RETRY_SECONDS)),)
        return show("aisle_empty.html", status=503, headers=headers, kept=kept, kind="no-model")
    (item_ix,) = engine.index.ix_of([item_id]).tolist()
    if item_ix < 0:
        return show("aisle_empty.html", status=404, kept=kept, kind="unknown")
    now_ts, language = state.now_ts(), page_language()
    found = aisle_page(engine, item_ix, location_id, now_ts, language.tag)
    here = None if found.location is None else found.location["location_id"]
    pictures: list[str] = []
    goods = [
        _good(engine, related, here, pictures)
        for related in ({**found.item, "availability": None}, *found.related["items"])
    ]
    bundles = public_bundles.of_store(state, engine, here, now_ts, item_ix)
    return show(
        "aisle.html",
        pictures=pictures,
        kept=kept,
        found=found,
        stock=_stock(found, language),
        good=goods[0],
        related=goods[1:],
        bundles=[_told(engine, decision, item_ix, here, language) for decision in bundles],
        money=_money(language),
        number=language.decimal,
    )


def _stock(found: AislePage, language: Language) -> str:
    """Say in words what a store has of a product."""
    say, known = language.gettext, found.availability
    if not found.sold:
        return say("No longer sold")
    sellable = known.get("sellable", known.get("on_hand"))
    if sellable is None:
        return say("Stock unknown at the moment")
    if sellable <= 0:
        return say("Sold out here")
    return say("In stock: %(number)s") % {"number": language.decimal(sellable)}


def _good(engine: Engine, item: Json, location_id: str | None, pictures: list[str]) -> Json:
    """Say what a page shows of a product; adds the address of a picture that is elsewhere."""
    picture = item.get("image_url")
    if picture is not None:
        pictures.append(picture)
    else:
        (item_ix,) = engine.index.ix_of([item["item_id"]]).tolist()
        drawn = base64.b64encode(draw_item(engine, item_ix).encode()).decode()
        picture = f"data:image/svg+xml;base64,{drawn}"
    return {
        "title": item["title"] or item["item_id"],
        "price": item["price"],
        "picture": picture,
        "path": aisle_path(item["item_id"], location_id),
    }


def _told(
    engine: Engine, decision: Decision, item_ix: int, location_id: str | None, language: Language
) -> Json:
    """Say what a page shows of a bundle: its products, first the page's own without a link."""
    say, write = language.gettext, _money(language)
    amounts = {
        "price": decision.terms.price_minor,
        "full": public_bundles.full_minor(engine, decision),
    }
    prices = {
        name: language.isolated(write({"amount_minor": minor, "currency": decision.terms.currency}))
        for name, minor in amounts.items()
    }
    items = engine.index.ix_of(decision.item_ids).tolist()
    items.sort(key=lambda ix: ix != item_ix)
    names = engine.index.item_ids
    return {
        "items": [
            {
                "title": engine.catalogue.titles[ix] or names[ix],
                "path": None if ix == item_ix else aisle_path(names[ix], location_id),
            }
            for ix in items
        ],
        "price": say("%(price)s instead of %(full)s") % prices,
    }


def _money(language: Language) -> Callable[[Json], str]:
    """Return how the language writes amounts."""

    def write(price: Json) -> str:
        digits = currency_digits(price["currency"])
        return language.money(price["amount_minor"] / 10**digits, price["currency"])

    return write
