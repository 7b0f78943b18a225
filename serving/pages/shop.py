"""What a shop's page loads from here, and an example of such a shop.

``/static/omnibasket.js`` draws placements on any page and reports views and clicks; the pages
under ``/shop`` use it as a shop would. docs/shop.md explains both.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson
from flask import Blueprint, Response, abort, current_app, request

from recsys.recommender import draw_item
from serving.access import session
from serving.http import reply
from serving.pages.localization import page_language, show
from serving.schemas import documented
from serving.state import State

blueprint = Blueprint("shop", __name__)

_HTML: Final = "text/html; charset=utf-8"
SVG: Final = "image/svg+xml"
_FOLDER: Final = Path(__file__).with_name("static")
#: Short, because pages name no version: a new release reaches every shop within the hour. Until
#: then, a page that revalidates gets 304.
_FRESH_SECONDS: Final = 3_600
_TYPES: Final = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
_FILES: Final = {path.name: path.read_bytes() for path in sorted(_FOLDER.iterdir())}


@blueprint.get("/static/<name>")
@documented(
    "A file for a shop's page",
    tag="pages",
    answers={200: "text/javascript", 304: "text/javascript"},
    problems=("not-found",),
    also=("text/css",),
)
def file(name: str) -> Response:
    """Serve `omnibasket.js`, which draws placements and reports views and clicks, and its style.

    Pages of any origin may load them.
    """
    if name not in _FILES:
        abort(404)
    kind = _TYPES[Path(name).suffix]
    response = reply(_FILES[name], 200, kind, cache_seconds=_FRESH_SECONDS)
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Access-Control-Allow-Origin"] = "*"
    if not name.startswith("omnibasket"):
        # Files of our own pages depend on each other, so browsers must revalidate each.
        response.headers["Cache-Control"] = "public, no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response


@blueprint.get("/shop")
@documented("The example shop", tag="pages", answers={200: "text/html"}, problems=("not-found",))
def home() -> Response:
    """Show a shop's home page with the placement `web_home`."""
    return _page("home", page_language().gettext("Home"))


@blueprint.get("/shop/items/<item_id>")
@documented(
    "A product in the example shop",
    tag="pages",
    answers={200: "text/html"},
    problems=("not-found", "no-model"),
)
def item(item_id: str) -> Response:
    """Show a product with the placement `web_product`."""
    state = _open()
    engine = state.loaded()
    (item_ix,) = engine.index.ix_of([item_id]).tolist()
    if item_ix < 0:
        abort(404)
    return _page("item", item=engine.item(item_ix))


@blueprint.get("/shop/pictures/<item_id>")
@documented(
    "A picture of a product in the example shop",
    tag="pages",
    answers={200: SVG},
    problems=("not-found", "no-model"),
)
def picture(item_id: str) -> Response:
    """Draw a product after what its title and category say it is: a bottle, a bag, a fruit."""
    state = _open()
    engine = state.loaded()
    (item_ix,) = engine.index.ix_of([item_id]).tolist()
    if item_ix < 0:
        abort(404)
    drawn = draw_item(engine, item_ix)
    return reply(drawn.encode(), 200, SVG, cache_seconds=_FRESH_SECONDS)


@blueprint.get("/shop/cart")
@documented(
    "The cart of the example shop", tag="pages", answers={200: "text/html"}, problems=("not-found",)
)
def cart() -> Response:
    """Show the cart with the placement `web_cart`."""
    return _page("cart", page_language().gettext("Your cart"))


def _open() -> State:
    """Return the state; 404 if there is no example shop."""
    state: State = current_app.extensions["omnibasket"]
    if not state.config.serve.example_shop:
        abort(404)
    return state


def _page(kind: str, heading: str = "", item: Mapping[str, Any] | None = None) -> Response:
    state = _open()
    given: dict[str, Any] = {"kind": kind, "heading": heading, "key": ""}
    if state.key_cache.is_required:
        given["key"] = state.sessions.shop_token(session.own_origin(), time.time())
    if item is not None:
        price = item["price"] or {}
        told = {"item_id": item["item_id"], "title": item["title"] or item["item_id"], **price}
        given |= {
            "heading": told["title"],
            "item": told,
            "item_json": orjson.dumps(told).decode(),
        }
    return show("shop.html", scripts=("shop",), **given)
