"""Answers that hold only what may be shown, and what is kept of them.

In: an answer or a showing. Out: the same with less, or with the means to write it.
Called by ``contact_policy`` and by the routes.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import orjson

from recsys.ledger.customers import Showing


def keep_only(answer: dict[str, Any], item_ids: Sequence[str], bundle_ids: Sequence[str]) -> None:
    """Take all other products and bundles out of an answer.

    Parameters
    ----------
    answer : dict
        As of ``Engine.recommend``; it changes.
    item_ids, bundle_ids : sequence of str
        What stays.
    """
    if len(item_ids) < len(answer["items"]):
        kept = set(item_ids)
        answer["items"] = [item for item in answer["items"] if item["item_id"] in kept]
        for rank, item in enumerate(answer["items"], start=1):
            item["rank"] = rank
        if not answer["items"]:
            answer["heading"] = None
    if len(bundle_ids) < len(answer["offers"]):
        answer["offers"] = [one for one in answer["offers"] if one["bundle_id"] in bundle_ids]


def with_answer(showing: Showing, answer: dict[str, Any]) -> Showing:
    """Return a showing that can write the answer it is of."""
    if not showing.slot:
        return showing

    def written(item_ids: Sequence[str], bundle_ids: Sequence[str]) -> bytes:
        kept = {**answer, "left_out": dict(answer["left_out"])}
        keep_only(kept, item_ids, bundle_ids)
        return orjson.dumps(kept, option=orjson.OPT_SERIALIZE_NUMPY)

    return msgspec.structs.replace(showing, written=written)
