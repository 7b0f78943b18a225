"""Why an item stands in an answer: a code for machines, words for people.

The model whose evidence weighed most, and what it points at, come in; out comes the ``reason``
of an answer's item. Called by ``engine``. Without a customer's history there is nothing of it to
reveal: what a public screen says comes from the location and the cart alone.
"""

from collections.abc import Sequence
from typing import Final

#: Purchases from which on somebody buys a thing often.
OFTEN: Final = 3

#: Model → code of its reason.
CODES: Final = {
    "popular": "popular",
    "repeat": "repeat",
    "copurchase": "bought_together",
    "als": "similar_taste",
    "neighbours": "similar_customers",
}

Reason = dict[str, object]


def popular(where: str | None) -> Reason:
    """Many bought it lately.

    Parameters
    ----------
    where : str or None
        Whose purchases were counted: ``"store"``, one store's, ``"stores"``, ``"online"``, or
        None: all.
    """
    text = {
        "store": "Popular in your store this week",
        "stores": "Popular in our stores",
        "online": "Popular online",
    }.get(where or "", "Popular right now")
    return {"code": CODES["popular"], "text": text}


def available() -> Reason:
    """Nothing speaks for it but that it can be had: little else is left."""
    return {"code": "available", "text": "Available now"}


def repeat(purchases: int) -> Reason:
    """The customer bought it before, ``purchases`` times."""
    often = purchases >= OFTEN
    return {
        "code": CODES["repeat"],
        "text": "You buy this often" if often else "You bought this before",
    }


def bought_together(titles: Sequence[str], item_ids: Sequence[str]) -> Reason:
    """It is often bought with items of the cart, the page or the history.

    Parameters
    ----------
    titles, item_ids : sequence of str
        The items that say so, the weightiest first; at least one.
    """
    return {
        "code": CODES["copurchase"],
        "text": f"Often bought with {titles[0] or item_ids[0]}",
        "because_of": list(item_ids),
    }


def similar_taste() -> Reason:
    """Customers with a like history bought it."""
    return {"code": CODES["als"], "text": "Customers like you also buy this"}


def similar_customers() -> Reason:
    """Customers with a similar recent history buy it."""
    return {"code": CODES["neighbours"], "text": "Customers with a similar basket buy this"}
