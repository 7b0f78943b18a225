"""``/v1/decisions``: what an answer showed and left out, and why, as of then."""

from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Blueprint, Response, current_app, request

from recsys.decisions import described
from recsys.languages import language_of
from recsys.ledger import Exposure
from recsys.recommender import bought_before
from serving.access import admission
from serving.http import PROBLEM_KINDS, Refusal, reply
from serving.requests import find_language, read_query, request_warnings
from serving.schemas import DecisionAnswer, LanguageQuery, documented
from serving.state import State

blueprint = Blueprint("decisions", __name__)


@blueprint.get("/v1/decisions/<recommendation_id>")
@documented(
    "What was shown and what was not, and why",
    tag="channels",
    scope="customers",
    query=LanguageQuery,
    answers={200: DecisionAnswer},
    problems=(
        "bad-request",
        "invalid-request",
        "decision-unknown",
        "channel-forbidden",
        "location-forbidden",
        "ledger-unavailable",
    ),
)
def get(recommendation_id: str) -> Response:
    """Tell what was decided for an answer, by its `recommendation_id`.

    It is written within a second of the answer, and kept as long as `[ledger] exposure_days`
    says. Nothing was decided for a `dry_run`.
    """
    state: State = current_app.extensions["omnibasket"]
    admission.refuse_screens()
    if admission.is_browser():
        raise Refusal("browser-key", PROBLEM_KINDS["browser-key"].advice)
    language = find_language(state, read_query(request.args, LanguageQuery).lang)
    shown = state.exposures.waits(recommendation_id) or state.ledger.exposures.find(
        recommendation_id
    )
    if shown is None:
        raise Refusal("decision-unknown", PROBLEM_KINDS["decision-unknown"].advice)
    decision, placement = shown.decision, state.config.placement(shown.placement)
    channel = placement.channel if placement is not None else ""
    channel = channel if decision is None else decision.channel
    admission.check_channel(channel, "/recommendation_id")
    if shown.location_id is not None:
        admission.check_location(shown.location_id, "/recommendation_id")
    zone = state.config.workspace.time_zone
    answer: dict[str, Any] = {
        "recommendation_id": shown.recommendation_id,
        "decided_at": _at(shown.shown_ts),
        "placement": shown.placement,
        "channel": None if decision is None else decision.channel,
        "model_version": shown.model_version,
        "customer_id": shown.customer_id,
        "location_id": shown.location_id,
        "items": shown.items,
        "lang": language.lang,
        **described(decision, state.config.caps, zone, language_of(language.lang)),
        "known_late": _known_late(state, shown),
    }
    request_warnings.add(answer, [*language.warnings])
    return reply(orjson.dumps(answer))


def _known_late(state: State, shown: Exposure) -> list[str]:
    """Return what was shown although it had just been bought, which was not known by then."""
    settings = state.config.placement(shown.placement)
    if state.engine is None or settings is None or not settings.personal:
        return []
    owner = None if shown.customer_id is None else state.ledger.resolve_id(shown.customer_id)
    if owner is None:
        return []
    history = state.ledger.history(owner)
    return bought_before(
        state.engine, history, shown.items, shown.shown_ts, settings.hide_bought_days
    )


def _at(ts: int) -> str:
    return f"{datetime.fromtimestamp(ts, UTC):%Y-%m-%dT%H:%M:%SZ}"
