"""Why an item stands in an answer: a code for machines, words for people.

The model whose evidence weighed most, and what it points at, come in; out comes the ``reason``
of an answer's item. Called by ``engine``. Without a customer's history there is nothing of it to
reveal: what a public screen says comes from the location and the cart alone.
"""

from collections.abc import Sequence
from typing import Final

from recsys.wording import isolated

#: Purchases from which on somebody buys a thing often.
OFTEN: Final = 3

#: Intervals after which a habit is given up, and no longer spoken of.
LOST: Final = 4.0
#: How intervals are told: unit, its days, and from how many days on.
UNITS: Final = (("month", 30.4, 59.5), ("week", 7.0, 5.5), ("day", 1.0, 0.0))

#: Model → code of its reason.
CODES: Final = {
    "popular": "popular",
    "trending": "trending",
    "repeat": "repeat",
    "copurchase": "bought_together",
    "transitions": "bought_next",
    "als": "similar_taste",
    "bpr": "similar_taste",
    "neighbours": "similar_customers",
    "content": "similar_item",
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


def trending(*, in_store: bool) -> Reason:
    """It sells better and better, in the store that is asked for or everywhere."""
    text = "Trending in this store" if in_store else "More and more people buy this"
    return {"code": CODES["trending"], "text": text}


def available() -> Reason:
    """Nothing speaks for it but that it can be had: little else is left."""
    return {"code": "available", "text": "Available now"}


def repeat(
    purchases: int, interval_days: float | None = None, elapsed_days: float | None = None
) -> Reason:
    """The customer bought it before.

    Parameters
    ----------
    purchases : int
        How often.
    interval_days : float, optional
        Their own typical interval, where they have the habit.
    elapsed_days : float, optional
        Since the last time, where it should have been bought by now.
    """
    text = "You buy this often" if purchases >= OFTEN else "You bought this before"
    if interval_days is not None and (elapsed_days or 0.0) <= LOST * interval_days:
        unit, length = next(
            (unit, length) for unit, length, from_days in UNITS if interval_days >= from_days
        )
        every = max(1, round(interval_days / length))
        text = f"You usually buy this every {f'{every} {unit}s' if every > 1 else unit}"
        passed = round((elapsed_days or 0.0) / length)
        if passed > every:
            text += f" - it has been {passed}"
    return {"code": CODES["repeat"], "text": text}


def bought_together(titles: Sequence[str], item_ids: Sequence[str]) -> Reason:
    """It is often bought with items of the cart, the page or the history.

    Parameters
    ----------
    titles, item_ids : sequence of str
        The items that say so, the weightiest first; at least one.
    """
    return {
        "code": CODES["copurchase"],
        "text": f"Often bought with {isolated(titles[0] or item_ids[0])}",
        "because_of": list(item_ids),
    }


def bought_next(title: str | None, item_id: str) -> Reason:
    """It is often bought after something that the customer bought lately.

    Parameters
    ----------
    title, item_id : str
        Of that.
    """
    return {
        "code": CODES["transitions"],
        "text": f"Often bought after {isolated(title or item_id)}",
        "because_of": [item_id],
    }


def similar_taste() -> Reason:
    """Customers with a like history bought it."""
    return {"code": CODES["als"], "text": "Customers like you also buy this"}


def similar_customers() -> Reason:
    """Customers with a similar recent history buy it."""
    return {"code": CODES["neighbours"], "text": "Customers with a similar basket buy this"}


def similar_item(kind: str | None, title: str | None, item_id: str) -> Reason:
    """It is like something the customer bought.

    Parameters
    ----------
    kind : str or None
        The category or brand that both are of; None where the titles say it better.
    title, item_id : str
        Of what was bought.
    """
    name = isolated(kind or title or item_id)
    text = f"Because you buy {name}" if kind else f"Similar to {name}"
    return {"code": CODES["content"], "text": text, "because_of": [item_id]}
