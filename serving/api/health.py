"""Is the process alive, and can it answer? For load balancers and people."""

import orjson
from flask import Blueprint, Response, current_app

from serving.access import admission
from serving.http import reply, responses
from serving.schemas import Alive, Readiness, documented
from serving.state import State, readiness

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
    """Say whether questions are answered, 503 while they are not, and what is not as it should be.

    Asks nobody: what it tells was looked at within the last seconds. Where keys are needed, only a
    caller with a key that is no page's hears more than `status`.
    """
    state: State = current_app.extensions["omnibasket"]
    engine = state.engine
    writes = state.exposures.error is None
    checks = state.health.checks(engine, state.public_model_error, state.now_ts(), writes=writes)
    status = "not_ready" if engine is None else "degraded"
    if all(found == readiness.OK for found in checks.values()):
        status = "ready"
    body: dict[str, object] = {"status": status}
    if not admission.is_anonymous():
        version = engine.version if engine is not None else None
        body |= {"model_version": version, "checks": checks}
    ready = engine is not None
    headers = [] if ready else [("Retry-After", "5")]
    return reply(orjson.dumps(body), 200 if ready else 503, responses.JSON, headers)
