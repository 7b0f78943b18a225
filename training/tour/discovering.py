"""Judges what answers show that is new, what is for adults, and what they say over it.

A ``Talk``, a person and the history come in, checks go out. Called by ``checks``.
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
from training.tour.people import Person
from training.tour.talk import Talk

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


def of_new(talk: Talk, person: Person, config: Config, history: History) -> Iterator[Check]:
    """Whether pages for discovering show as much that is new as their placements ask for."""
    lines = history.table("lines")
    own = lines.filter(pc.equal(lines["customer_id"], person.customer_id))
    newest = own.sort_by([("occurred_at", "descending")])["item_id"].to_pylist()
    # So many products are remembered of everybody, at least.
    bought = set(list(dict.fromkeys(newest))[: customer_history.MAX_LINES])
    for turn in (talk.product, talk.cart):
        placement = config.placement(turn.request["placement"])
        share = placement.new_share if placement is not None else 0.0
        new = [item["item_id"] for item in turn.items if item.get("new")]
        least = math.ceil(round(share * len(turn.items), 6))
        yield Check(
            f"{turn.title}: a share of it is new to the customer",
            len(new) >= least and not bought & set(new),
            f"{len(new)} of {len(turn.items)}, {least} at least",
        )
    everything = all(item.get("new") for item in talk.stranger.items)
    yield Check("to a stranger everything is new", everything, f"{len(talk.stranger.items)} items")


def of_age(talk: Talk, config: Config, history: History) -> Iterator[Check]:
    """Whether goods with a minimum age stay where they are allowed."""
    products = history.table("products").select(["item_id", "attributes"]).to_pylist()
    told = {row["item_id"]: json.loads(row["attributes"] or "{}") for row in products}
    adult = {
        item_id
        for item_id, said in told.items()
        if any(is_restricted(str(said.get(name) or "")) for name in AGE_ATTRIBUTES)
    }
    shown: set[str] = set()
    for turn in (*talk.turns, talk.screen_for_person):
        placement = config.placement(turn.request["placement"])
        if placement is not None and not placement.age_restricted:
            shown |= adult & {item["item_id"] for item in turn.items}
    yield Check(
        "goods with a minimum age are not shown",
        not shown,
        ", ".join(sorted(shown)) or f"{len(adult)} have one",
    )


def of_headings(talk: Talk) -> Iterator[Check]:
    """Whether every item bears out what stands over its list."""
    for turn in talk.turns:
        heading = (turn.reply.body or {}).get("heading") or {}
        reasons = {(item.get("reason") or {}).get("code") for item in turn.items}
        wanted = _BORNE_OUT.get(heading.get("code", ""), reasons)
        yield Check(
            f"{turn.title}: its heading fits every item",
            bool(heading.get("text")) == bool(turn.items) and reasons <= wanted,
            f"{heading.get('text')}",
        )
