"""Pages for people: what this is, how to ask it, and what its problems mean.

Every page is whole: no script, style, font or picture comes from another host.
"""

from pathlib import Path
from typing import Final

import swagger_ui_bundle
from flask import Blueprint, Response, abort, current_app, render_template, request

from recsys.recommender import all_placements
from recsys.units import DAY
from serving.access import admission
from serving.http import PROBLEM_KINDS, reply
from serving.pages.localization import show
from serving.schemas import documented
from serving.state import State

blueprint = Blueprint("pages", __name__)

_HTML: Final = "text/html; charset=utf-8"
#: The files of Swagger UI that its page needs; nothing else of that folder is served.
_ASSETS: Final = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
}
_START: Final = b"""\
window.onload = () => {
  window.ui = SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    validatorUrl: null,
    defaultModelsExpandDepth: 0,
    presets: [SwaggerUIBundle.presets.apis],
  });
};
"""


@blueprint.get("/")
@documented("What this is", tag="pages", answers={200: "text/html"})
def home() -> Response:
    """Say what answers here, how to ask it and, to whoever may know, with which model."""
    state: State = current_app.extensions["omnibasket"]
    return show(
        "home.html",
        state=state,
        known=not admission.is_anonymous(),
        placements=all_placements(state.config),
        example="SKU-1"
        if state.engine is None or admission.is_anonymous()
        else state.engine.item(0)["item_id"],
        origin=request.host_url.rstrip("/"),
    )


@blueprint.get("/problems")
@documented("What its problems mean", tag="pages", answers={200: "text/html"})
def problems() -> Response:
    """Explain every kind of problem; the `type` of a problem leads here."""
    return show("problems.html", kinds=PROBLEM_KINDS)


@blueprint.get("/docs")
@documented("Every call, to read and to try", tag="pages", answers={200: "text/html"})
def docs() -> Response:
    """Show the OpenAPI document as a page."""
    return reply(render_template("docs.html").encode(), 200, _HTML)


@blueprint.get("/docs/<name>")
@documented(
    "A file of the page under /docs",
    tag="pages",
    answers={200: "text/javascript"},
    problems=("not-found",),
    also=("text/css",),
)
def asset(name: str) -> Response:
    """Serve a script or style of the page under `/docs`."""
    if name == "start.js":
        return reply(_START, 200, "text/javascript; charset=utf-8", cache_seconds=DAY)
    if name not in _ASSETS:
        abort(404)
    content = Path(str(swagger_ui_bundle.swagger_ui_path), name).read_bytes()
    return reply(content, 200, _ASSETS[name], cache_seconds=DAY)
