"""What placements show that is new to customers, and what their share of it costs, in words.

What ``train`` found comes in; rows of a table and a sentence come out. Called by ``page`` and by
``output``.
"""

from collections.abc import Iterable
from typing import Any, Final

#: What placements are asked with, for readers.
ASKED: Final = {
    "customer": "a customer alone",
    "product": "a product's page",
    "cart": "a cart",
}
HEADS: Final = (
    "placement",
    "asked with",
    "share",
    "new",
    "without",
    "NDCG",
    "without",
    "cost",
    "found",
    "without",
)


def rows(found: Iterable[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Lay what was found out as cells, in the order of ``HEADS``."""
    return [
        (
            one["placement"],
            one["asked"],
            f"{one['new_share']:.0%}" if one["new_share"] else "none",
            f"{one['shown_new']:.1%}",
            f"{one['shown_new_without']:.1%}",
            f"{one['ndcg']:.4f}",
            f"{one['ndcg_without']:.4f}",
            cost(one),
            f"{one['found_new']:.1%}",
            f"{one['found_new_without']:.1%}",
        )
        for one in found
    ]


def cost(one: dict[str, Any]) -> str:
    """Say what a share costs, with half of its 95% interval; nothing where there is none."""
    if not one["new_share"]:
        return "–"
    half = (one["cost_high"] - one["cost_low"]) / 2
    share = f", {100 * one['cost'] / one['ndcg_without']:.1f}%" if one["ndcg_without"] else ""
    return f"{one['cost']:.4f} ±{half:.4f}{share}"


def sentence(one: dict[str, Any]) -> str:
    """Say in one sentence what a placement's share does."""
    return (
        f"{one['placement']}, asked with {ASKED[one['asked']]}: {one['shown_new']:.0%} of what a "
        f"known customer is shown is new to them, {one['shown_new_without']:.0%} without its share "
        f"of {one['new_share']:.0%}, which costs {cost(one)} NDCG@{one['k']} by choice on the "
        f"validation window; a new product of the list was bought {one['found_new']:.1%} of the "
        f"times, {one['found_new_without']:.1%} without."
    )
