"""``/till``: products and offers are scanned, and each offer gets a verdict.

For tills whose own program does not call ``/v1`` yet, or beside it. The page's script
(``static/till.js``) redeems and undoes under ``/v1`` with the session cookie. Here it finds scanned
products, by their ids or the numbers of their bar codes.
"""

from typing import Any

import orjson
from flask import Blueprint, Response, current_app

from recsys.ledger.offers import UNDO_SECONDS
from recsys.recommender import scanned_item
from serving.http import PROBLEM_KINDS, Refusal, reply
from serving.pages import sign_in
from serving.pages.localization import show
from serving.schemas import documented
from serving.state import State

blueprint = Blueprint("till", __name__)


@blueprint.get("/till")
@documented("The till's page", tag="pages", answers={200: "text/html"})
def page() -> Response:
    """Redeem offers at a till; first ask for a key of the scope `offers`, where keys are needed.

    A till's own program may hand over its order after the `#` of the address:
    `/till#receipt=1001&items=4711*2,4712&code=…`. The code waits for somebody to press Enter.
    """
    visitor = sign_in.visitor_of("till")
    if visitor is None:
        return sign_in.ask_for_key("till")
    state: State = current_app.extensions["omnibasket"]
    own = visitor.grant.locations if visitor.grant is not None else ()
    return show(
        "till.html",
        scripts=("till", *sign_in.SHARED_SCRIPTS),
        workspace=state.config.workspace.name,
        who=visitor.name,
        csrf=visitor.csrf_token,
        undo_seconds=UNDO_SECONDS,
        shift_seconds=state.shift_seconds,
        locations=orjson.dumps(stores(state, own)).decode(),
    )


@blueprint.get("/till/products/<item:text>")
@documented(
    "What was scanned at a till",
    tag="pages",
    answers={200: "application/json"},
    problems=("key-missing", "item-unknown", "no-model"),
)
def product(text: str) -> Response:
    """Find a product by its id, or by its GTIN as a bar code has it."""
    if sign_in.visitor_of("till") is None:
        raise Refusal("key-missing", "Sign in to the till's page first.")
    state: State = current_app.extensions["omnibasket"]
    engine = state.loaded()
    item_ix = scanned_item(engine.catalogue, text)
    if item_ix is None:
        raise Refusal("item-unknown", PROBLEM_KINDS["item-unknown"].advice)
    return reply(orjson.dumps(engine.item(item_ix), option=orjson.OPT_SERIALIZE_NUMPY))


def stores(state: State, own: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the stores that a till may be in, by name; those of its key where it names some."""
    if state.engine is None:
        return [{"location_id": location_id, "name": None} for location_id in own]
    catalogue = state.engine.catalogue
    keys = [key for key in catalogue.places if catalogue.is_store(key)]
    found = [catalogue.place(key) for key in keys]
    known = {place["location_id"] for place in found}
    found += [{"location_id": each, "name": None} for each in own if each not in known]
    allowed = [place for place in found if not own or place["location_id"] in own]
    return sorted(allowed, key=lambda place: str(place["name"] or place["location_id"]))
