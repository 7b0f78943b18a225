"""Judges what answers show that is new, what is for adults, and what they say over it.

A ``Conversation``, a customer and the history come in, checks go out. Called by ``checks``.
"""

import json
import math
from collections.abc import Iterator

import pyarrow.compute as pc

from recsys.config import Config
from recsys.datasets import customer_history
from recsys.history import History
from recsys.values import AGE_ATTRIBUTES, is_restricted
from training.tour.check import Check
from training.tour.conversation import Conversation
from training.tour.customer import Customer

#: Headings that say one thing of every item, and the reasons that bear them out.
_BORNE_OUT = {
    "goes_with_item": {"bought_together", "bought_next"},
    "goes_with_cart": {"bought_together", "bought_next"},
    "buy_again": {"repeat"},
    "popular": {"popular"},
    "popular_on_channel": {"popular_on_channel"},
    "popular_at_location": {"popular_at_location"},
    "available": {"available"},
}


def of_new(
    conversation: Conversation, customer: Customer, config: Config, history: History
) -> Iterator[Check]:
    """Whether pages for discovering show as much that is new as their placements ask for."""
    lines = history.table("lines")
    own = lines.filter(pc.equal(lines["customer_id"], customer.customer_id))
    newest = own.sort_by([("occurred_at", "descending")])["item_id"].to_pylist()
    # So many products are remembered of everybody, at least.
    bought = set(list(dict.fromkeys(newest))[: customer_history.MAX_LINES])
    for turn in (conversation.product, conversation.cart):
        placement = config.placement(turn.request["placement"])
        share = placement.new_share if placement is not None else 0.0
        new = [item["item_id"] for item in turn.items if item.get("new")]
        least = math.ceil(round(share * len(turn.items), 6))
        yield Check(
            f"{turn.title}: a share of it is new to the customer",
            len(new) >= least and not bought & set(new),
            f"{len(new)} of {len(turn.items)}, {least} at least",
        )
    everything = all(item.get("new") for item in conversation.stranger.items)
    yield Check(
        "to a stranger everything is new", everything, f"{len(conversation.stranger.items)} items"
    )


def of_age(conversation: Conversation, config: Config, history: History) -> Iterator[Check]:
    """Whether goods with a minimum age stay where they are allowed."""
    products = history.table("products").select(["item_id", "attributes"]).to_pylist()
    attributes = {row["item_id"]: json.loads(row["attributes"] or "{}") for row in products}
    adult = {
        item_id
        for item_id, values in attributes.items()
        if any(is_restricted(str(values.get(name) or "")) for name in AGE_ATTRIBUTES)
    }
    shown: set[str] = set()
    for turn in (*conversation.turns, conversation.screen_for_customer):
        placement = config.placement(turn.request["placement"])
        if placement is not None and not placement.age_restricted:
            shown |= adult & {item["item_id"] for item in turn.items}
    yield Check(
        "goods with a minimum age are not shown",
        not shown,
        ", ".join(sorted(shown)) or f"{len(adult)} have one",
    )


def of_headings(conversation: Conversation) -> Iterator[Check]:
    """Whether every item bears out what stands over its list."""
    for turn in conversation.turns:
        heading = (turn.reply.body or {}).get("heading") or {}
        reasons = {(item.get("reason") or {}).get("code") for item in turn.items}
        allowed = _BORNE_OUT.get(heading.get("code", ""), reasons)
        yield Check(
            f"{turn.title}: its heading fits every item",
            bool(heading.get("text")) == bool(turn.items) and reasons <= allowed,
            f"{heading.get('text')}",
        )
