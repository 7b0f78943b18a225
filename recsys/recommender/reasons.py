"""Why an item stands in an answer: a code and its parameters for machines, words for people.

The model whose evidence weighed most, and what it points at, come in; out comes the ``reason``
of an answer's item. Called by ``explanations``. Without a customer's history there is nothing of it
to reveal: what a public screen says comes from the location and the cart alone.

``text`` is the wording in English. Whoever words or translates reasons takes ``code`` and the
parameters beside it: every number and name of ``text`` is among them. A parameter of which nothing
is known is missing.
"""

from typing import Final

from recsys.messages import isolated
from recsys.recommender.purchase_habits import Habit

#: Purchases from which on somebody buys a thing often.
OFTEN: Final = 3

#: Intervals after which a habit is given up, and no longer spoken of.
LOST: Final = 4.0
#: How intervals are worded: unit, its days, and from how many days on.
UNITS: Final = (("month", 30.4, 59.5), ("week", 7.0, 5.5), ("day", 1.0, 0.0))

Reason = dict[str, object]


def popular() -> Reason:
    """Many bought it lately, anywhere."""
    return {"code": "popular", "text": "Popular right now"}


def popular_at_location(location_id: str, name: str | None, *, store: bool) -> Reason:
    """Many bought it lately at one location.

    Parameters
    ----------
    location_id : str
    name : str or None
    store : bool
        Whether customers come there; a warehouse is the web shop to them.
    """
    text = "Popular in your store" if store else "Popular online"
    return {"code": "popular_at_location", "text": text, **_place(location_id, name)}


def popular_on_channel(channel: str) -> Reason:
    """Many bought it lately on one channel."""
    text = "Popular in our stores" if channel == "pos" else "Popular online"
    return {"code": "popular_on_channel", "text": text, "channel": channel}


def trending() -> Reason:
    """It sells better and better."""
    return {"code": "trending", "text": "More and more people buy this"}


def trending_at_location(location_id: str, name: str | None) -> Reason:
    """It sells better and better in a store."""
    place = _place(location_id, name)
    return {"code": "trending_at_location", "text": "Trending in this store", **place}


def available() -> Reason:
    """Nothing speaks for it but that it can be had: little else is left."""
    return {"code": "available", "text": "Available now"}


def repeat(habit: Habit, *, overdue: bool = False) -> Reason:
    """The customer bought it before.

    Parameters
    ----------
    habit : Habit
    overdue : bool
        Whether it should have been bought by now.
    """
    parameters: Reason = {"purchases": habit.purchases, "elapsed_days": round(habit.elapsed_days)}
    interval = habit.interval_days
    if interval is None or habit.elapsed_days > LOST * interval:
        return {"code": "repeat", "text": "You bought this before", **parameters}
    if not habit.regular:
        often = habit.purchases >= OFTEN
        text = "You buy this often" if often else "You bought this before"
        return {"code": "repeat", "text": text, **parameters}
    unit, length = next(
        (unit, length) for unit, length, from_days in UNITS if interval >= from_days
    )
    every = max(1, round(interval / length))
    text = f"You usually buy this every {f'{every} {unit}s' if every > 1 else unit}"
    parameters |= {"interval_days": round(interval, 1), f"every_{unit}s": every}
    passed = round(habit.elapsed_days / length)
    if overdue and passed > every:
        text += f" - it has been {passed}"
        parameters[f"since_{unit}s"] = passed
    return {"code": "repeat", "text": text, **parameters}


def bought_together(title: str | None, item_id: str) -> Reason:
    """It is often bought with an item of the cart, the page or the history.

    Parameters
    ----------
    title, item_id : str
        Of that.
    """
    text = f"Often bought with {isolated(title or item_id)}"
    return {"code": "bought_together", "text": text, **_source(title, item_id)}


def bought_next(title: str | None, item_id: str) -> Reason:
    """It is often bought after something that the customer bought lately.

    Parameters
    ----------
    title, item_id : str
        Of that.
    """
    text = f"Often bought after {isolated(title or item_id)}"
    return {"code": "bought_next", "text": text, **_source(title, item_id)}


def similar_taste() -> Reason:
    """Customers with a like history bought it."""
    return {"code": "similar_taste", "text": "Customers like you also buy this"}


def similar_customers() -> Reason:
    """Customers with a similar recent history buy it."""
    return {"code": "similar_customers", "text": "Customers with a similar basket buy this"}


def similar_item(
    title: str | None, item_id: str, category: str | None = None, brand: str | None = None
) -> Reason:
    """It is like something the customer bought.

    Parameters
    ----------
    title, item_id : str
        Of what was bought.
    category, brand : str, optional
        What both are of, where that says it better than the title: one of them.
    """
    kind = category or brand
    name = isolated(kind or title or item_id)
    text = f"Because you buy {name}" if kind else f"Similar to {name}"
    shared = {"category": category, "brand": brand}
    parameters = {name: label for name, label in shared.items() if label}
    return {"code": "similar_item", "text": text, **_source(title, item_id), **parameters}


def _source(title: str | None, item_id: str) -> Reason:
    known = {} if title is None else {"title": title}
    return {"item_id": item_id, **known, "because_of": [item_id]}


def _place(location_id: str, name: str | None) -> Reason:
    return {"location_id": location_id, **({"location": name} if name else {})}
