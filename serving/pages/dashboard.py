"""``/dashboard``: the marketers' page.

The page itself is empty: its script (``static/dashboard.js``) calls ``/v1`` with the session cookie
and draws the answers. It can do nothing that a key of the same scope cannot do.
"""

from typing import Any

import orjson
from flask import Blueprint, Response, current_app

from recsys.recommender.bundles import offering_channels
from recsys.schema import CHANNELS
from serving.pages import sign_in
from serving.pages.localization import show
from serving.schemas import documented
from serving.state import State

blueprint = Blueprint("dashboard", __name__)


@blueprint.get("/dashboard")
@documented("The marketers' page", tag="pages", answers={200: "text/html"})
def page() -> Response:
    """Show bundles to decide about; first ask for a key, where keys are needed."""
    visitor = sign_in.visitor_of("dashboard")
    if visitor is None:
        return sign_in.ask_for_key("dashboard")
    state: State = current_app.extensions["omnibasket"]
    return show(
        "dashboard.html",
        scripts=("dashboard",),
        workspace=state.config.workspace.name,
        who=visitor.name,
        csrf=visitor.csrf_token,
        shift_seconds=state.shift_seconds,
        choices=orjson.dumps(_choices(state)).decode(),
    )


def _choices(state: State) -> dict[str, Any]:
    """Return the choices that the page offers and that no answer of ``/v1`` contains."""
    engine, currency = state.engine, state.config.workspace.currency
    if engine is None:
        engine_says: dict[str, Any] = {"categories": [], "segments": []}
    else:
        engine_says = {
            "categories": list(engine.catalogue.labels["category"].names),
            "segments": [name.decode() for name in engine.bundles.segment_names.tolist()],
        }
    return {
        "channels": CHANNELS,
        "offering": offering_channels(state.config),
        "currency": currency,
        "identifiers": sorted(state.identifier_types),
        **engine_says,
    }
