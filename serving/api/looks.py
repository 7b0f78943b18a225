"""``/v1/looks``: who looked at which customer, for whoever guards privacy."""

from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Blueprint, Response, current_app, request

from serving.access import admission
from serving.http import reply
from serving.requests import context, read_query
from serving.schemas import LookList, LooksQuery, documented
from serving.state import State

blueprint = Blueprint("looks", __name__)


@blueprint.get("/v1/looks")
@documented(
    "Who looked at whom",
    tag="people",
    scope="privacy",
    query=LooksQuery,
    answers={200: LookList},
    problems=(
        "bad-request",
        "invalid-request",
        "customer-unknown",
        "erased",
        "channel-forbidden",
        "location-forbidden",
        "browser-key",
        "ledger-unavailable",
    ),
)
def looks() -> Response:
    """List who looked at customers, when and why, the latest first; of one customer, or of all.

    `[ledger] look_days` says how long it is kept.
    """
    state: State = current_app.extensions["omnibasket"]
    asked = read_query(request.args, LooksQuery)
    admission.refuse_screens()
    admission.refuse_restricted_key("who looked is listed")
    own_ids = None
    if asked.customer_id is not None:
        own_ids = context.find_owners(state, asked.customer_id)
    found = state.ledger.looks.read(own_ids, asked.cursor, asked.limit + 1)
    told: list[dict[str, Any]] = [
        {
            "at": f"{datetime.fromtimestamp(look.looked_ts, UTC):%Y-%m-%dT%H:%M:%SZ}",
            "by": look.looked_by,
            "key_id": look.key_id,
            "page": look.page,
            "reason": look.reason,
            "customer_id": look.own_id,
        }
        for look in found[: asked.limit]
    ]
    following = found[asked.limit - 1].seq if len(found) > asked.limit else None
    return reply(orjson.dumps({"looks": told, "next": following}))
