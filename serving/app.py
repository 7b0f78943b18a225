"""The HTTP service as a Flask application.

``serving.wsgi`` calls ``create_app(config)`` for a worker; tests call it themselves. Views are
thin: they read a request, ask ``State``, and answer.
"""

import time

from flask import Flask, Response, current_app, g, request

from recsys.config import Config
from recsys.messages import isolated
from serving.access import admission, rate_limits
from serving.api import (
    associate,
    backoffice,
    batch,
    bundles,
    customer_corrections,
    customer_view,
    customers,
    decisions,
    erasures,
    events,
    handovers,
    health,
    items,
    links,
    looks,
    offers,
    paired_screens,
    products,
    recommendations,
    screens,
)
from serving.http import ItemIdConverter, log, problems, request_id_of, request_limits, responses
from serving.pages import aisle, dashboard, home, localization, screen, shop, sign_in, till
from serving.pages import associate as associate_page
from serving.pages import customers as customers_page
from serving.schemas import openapi
from serving.state import State


def create_app(config: Config, *, background: bool = True) -> Flask:
    """Make the service of a workspace.

    Parameters
    ----------
    config : Config
        Settings of the workspace.
    background : bool
        Load new artefacts and write exposures in background threads. If False, the caller must
        call ``State.refresh`` and ``State.flush``.

    Returns
    -------
    Flask
        ``extensions["omnibasket"]`` is the ``State``; close it at the end.

    Raises
    ------
    LedgerError, ConfigError
        When the ledger or the key cannot be opened. A missing artefact is not an error: until
        there is one, the service says what to do.
    """
    app = Flask("serving", static_folder=None, template_folder="pages/templates")
    app.jinja_env.filters["isolated"] = isolated
    app.config["MAX_CONTENT_LENGTH"] = request_limits.MAX_BODY_BYTES
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # a product id may begin with a slash
    app.url_map.converters["item"] = ItemIdConverter
    state = State(config)
    app.extensions["omnibasket"] = state
    app.before_request(_begin)
    app.after_request(_end)
    log.register(app)
    problems.register(app)
    localization.register(app)
    for part in (
        recommendations,
        batch,
        items,
        products,
        events,
        customers,
        customer_view,
        customer_corrections,
        associate,
        looks,
        decisions,
        handovers,
        erasures,
        bundles,
        offers,
        screens,
        paired_screens,
        links,
        backoffice,
        health,
        openapi,
        home,
        dashboard,
        sign_in,
        till,
        customers_page,
        associate_page,
        screen,
        shop,
        aisle,
        localization,
    ):
        app.register_blueprint(part.blueprint)
    if background:
        state.start()
    return app


def _begin() -> Response | None:
    g.begun = time.perf_counter()
    g.request_id = request_id_of(request.environ.get("HTTP_X_REQUEST_ID", ""))
    state = _state()
    answer = admission.admit(state.key_cache, state.sessions)
    if answer is None:
        state.rates.count("requests")
    return answer


def _end(response: Response) -> Response:
    response.headers.add("X-Request-Id", g.request_id)
    admission.add_cors_headers(response, _state().key_cache)
    rate_limits.add_rate_limit_headers(response)
    return responses.add_security_headers(response)


def _state() -> State:
    state: State = current_app.extensions["omnibasket"]
    return state
