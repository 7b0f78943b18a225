"""Is the process alive, and can it answer? For load balancers and people."""

import orjson
from flask import Blueprint, Response, current_app

from recsys.errors import LedgerError
from serving.openapi import documented
from serving.replies import JSON, reply
from serving.state import State
from serving.wire import Alive, Readiness

blueprint = Blueprint("health", __name__)


@blueprint.get("/livez")
@documented("The process answers", tag="operators", answers={200: Alive})
def livez() -> Response:
    """Say that the process answers; says nothing of its model or ledger."""
    return reply(b'{"status":"alive"}')


@blueprint.get("/readyz")
@documented(
    "Questions can be answered",
    tag="operators",
    answers={200: Readiness, 503: Readiness},
)
def readyz() -> Response:
    """Say whether a model is loaded and the ledger answers; 503 with what is missing otherwise."""
    state: State = current_app.extensions["omnibasket"]
    checks = {"model": "ok", "ledger": "ok"}
    if state.engine is None:
        checks["model"] = state.trouble or "none is loaded; run `omnibasket train`."
    try:
        state.ledger.ping()
    except LedgerError as error:
        checks["ledger"] = str(error)
    ready = all(found == "ok" for found in checks.values())
    body = {
        "status": "ready" if ready else "not_ready",
        "model_version": state.engine.version if state.engine is not None else None,
        "checks": checks,
    }
    headers = [] if ready else [("Retry-After", "5")]
    return reply(orjson.dumps(body), 200 if ready else 503, JSON, headers)
