"""``/associate``: the tablet of whoever serves customers in a store.

The page's script (``static/associate.js``) calls ``/v1`` with the session cookie. What a camera
sees is read here where the browser cannot read codes itself; no picture is kept.
"""

from typing import Annotated, Final

import numpy as np
import orjson
import zxingcpp
from flask import Blueprint, Response, current_app, request
from msgspec import Meta

from recsys.ledger.events import SHARED_SECONDS
from serving.access import session
from serving.http import Refusal, reply
from serving.pages import sign_in
from serving.pages.localization import show
from serving.pages.till import stores
from serving.requests import read_query
from serving.schemas import Body, documented
from serving.state import State

blueprint = Blueprint("associate_page", __name__)

#: Without a touch for so long, the tablet signs out. Seconds.
IDLE_SECONDS: Final = 180
#: Of a side of a picture.
_MOST_PIXELS: Final = 1_600


class Picture(Body, frozen=True):
    """The size of a picture of grey values."""

    width: Annotated[int, Meta(ge=16, le=_MOST_PIXELS)]
    height: Annotated[int, Meta(ge=16, le=_MOST_PIXELS)]


@blueprint.get("/associate")
@documented("The tablet of whoever serves customers", tag="pages", answers={200: "text/html"})
def page() -> Response:
    """Serve a customer in a store; first ask for a key, where keys are needed."""
    visitor = sign_in.visitor_of("associate")
    if visitor is None:
        return sign_in.ask_for_key("associate")
    state: State = current_app.extensions["omnibasket"]
    own = visitor.grant.locations if visitor.grant is not None else ()
    return show(
        "associate.html",
        scripts=("associate", *sign_in.SHARED_SCRIPTS),
        workspace=state.config.workspace.name,
        who=visitor.name,
        csrf=visitor.csrf_token,
        idle_seconds=IDLE_SECONDS,
        shared_seconds=SHARED_SECONDS,
        shift_seconds=state.shift_seconds,
        locations=orjson.dumps(stores(state, own)).decode(),
    )


@blueprint.post("/associate/codes")
@documented(
    "Read the codes of a picture",
    tag="pages",
    query=Picture,
    answers={200: "application/json"},
    problems=("bad-request", "invalid-request", "key-missing", "cross-site", "csrf-missing"),
)
def codes() -> Response:
    """Read bar codes and QR codes from grey values, a byte a pixel, row by row."""
    if sign_in.visitor_of("associate") is None:
        raise Refusal("key-missing", "Sign in to the page first.")
    if session.from_browser():
        session.check_own_page()
        state: State = current_app.extensions["omnibasket"]
        state.sessions.check_csrf_token(request.cookies.get(session.COOKIE, ""))
    size = read_query(request.args, Picture)
    grey = np.frombuffer(request.get_data(), np.uint8)
    if len(grey) != size.width * size.height:
        raise Refusal("bad-request", "The picture has another size than `width` × `height`.")
    found = zxingcpp.read_barcodes(grey.reshape(size.height, size.width))
    return reply(orjson.dumps({"codes": [one.text for one in found if one.valid]}))
