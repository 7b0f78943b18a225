"""``DELETE /v1/customers/{id}``: erases a customer for good."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import orjson
from flask import Blueprint, Response, current_app

from serving.access import admission
from serving.http import reply
from serving.requests import context
from serving.schemas import ErasedAnswer, documented
from serving.state import State

blueprint = Blueprint("erasures", __name__)


@blueprint.delete("/v1/customers/<customer_id>")
@documented(
    "Erase a customer",
    tag="channels",
    scope="customers",
    answers={200: ErasedAnswer},
    problems=(
        "customer-unknown",
        "channel-forbidden",
        "location-forbidden",
        "ledger-unavailable",
    ),
)
def erase(customer_id: str) -> Response:
    """Remove everything about a customer, under all their identifiers, at once and for good.

    Orders, events and offers stay for products and money, without the person. From now on the
    customer is a stranger, gets no message (`erased`), and neither events nor exports bring them
    back. The history's files are without them after the next ingest. A repeated call changes
    nothing.
    """
    state: State = current_app.extensions["omnibasket"]
    admission.refuse_restricted_key("erasing holds")
    owners = context.find_erasable(state, customer_id)
    now_ts = state.now_ts()
    removed = state.ledger.erasures.erase(owners, now_ts, state.marks)
    answer: dict[str, Any] = {
        "customer_id": customer_id,
        "erased_at": f"{datetime.fromtimestamp(now_ts, UTC):%Y-%m-%dT%H:%M:%SZ}",
        **msgspec.structs.asdict(removed),
    }
    return reply(orjson.dumps(answer))
