"""Why an item stands in an answer: a code and its parameters for machines, words for people.

The model whose evidence weighed most, and what it points at, come in; out comes the ``reason``
of an answer's item. Called by ``explanations``. Without a customer's history there is nothing of it
to reveal: what a public screen says comes from the location and the cart alone.

``text`` is the wording in the language of the question. Whoever words reasons anew takes ``code``
and the parameters beside it: every number and name of ``text`` is among them, the same in every
language. A parameter of which nothing is known is missing.
"""

from typing import Final

from recsys.languages import ENGLISH, Language
from recsys.recommender.purchase_habits import Habit

#: Purchases from which on somebody buys a thing often.
OFTEN: Final = 3

#: Intervals after which a habit is given up, and no longer spoken of.
LOST: Final = 4.0
#: How intervals are worded: unit, its days, and from how many days on.
UNITS: Final = (("months", 30.4, 59.5), ("weeks", 7.0, 5.5), ("days", 1.0, 0.0))

Reason = dict[str, object]


def popular(language: Language = ENGLISH) -> Reason:
    """Many bought it lately, anywhere."""
    return {"code": "popular", "text": language.gettext("Popular right now")}


def popular_at_location(
    location_id: str, name: str | None, language: Language = ENGLISH, *, store: bool
) -> Reason:
    """Many bought it lately at one location.

    Parameters
    ----------
    location_id : str
    name : str or None
    language : Language
    store : bool
        Whether customers come there; a warehouse is the web shop to them.
    """
    say = language.gettext
    text = say("Popular in your store") if store else say("Popular online")
    return {"code": "popular_at_location", "text": text, **_place(location_id, name)}


def popular_on_channel(channel: str, language: Language = ENGLISH) -> Reason:
    """Many bought it lately on one channel."""
    say = language.gettext
    text = say("Popular in our stores") if channel == "pos" else say("Popular online")
    return {"code": "popular_on_channel", "text": text, "channel": channel}


def trending(language: Language = ENGLISH) -> Reason:
    """It sells better and better."""
    return {"code": "trending", "text": language.gettext("More and more people buy this")}


def trending_at_location(
    location_id: str, name: str | None, language: Language = ENGLISH
) -> Reason:
    """It sells better and better in a store."""
    text = language.gettext("Trending in this store")
    return {"code": "trending_at_location", "text": text, **_place(location_id, name)}


def available(language: Language = ENGLISH) -> Reason:
    """Nothing speaks for it but that it can be had: little else is left."""
    return {"code": "available", "text": language.gettext("Available now")}


def repeat(habit: Habit, language: Language = ENGLISH, *, overdue: bool = False) -> Reason:
    """The customer bought it before.

    Parameters
    ----------
    habit : Habit
    language : Language
    overdue : bool
        Whether it should have been bought by now.
    """
    parameters: Reason = {"purchases": habit.purchases, "elapsed_days": round(habit.elapsed_days)}
    interval = habit.interval_days
    often = habit.purchases >= OFTEN
    if interval is None or habit.elapsed_days > LOST * interval or not (habit.regular or often):
        text = language.gettext("You bought this before")
        return {"code": "repeat", "text": text, **parameters}
    if not habit.regular:
        text = language.gettext("You buy this often")
        return {"code": "repeat", "text": text, **parameters}
    unit, length = next(
        (unit, length) for unit, length, from_days in UNITS if interval >= from_days
    )
    every = max(1, round(interval / length))
    text = _every(unit, every, language)
    parameters |= {"interval_days": round(interval, 1), f"every_{unit}": every}
    passed = round(habit.elapsed_days / length)
    if overdue and passed > every:
        # Two sentences, each with a number, so that each has the plural form that it needs.
        parts = {"habit": text, "since": _since(unit, passed, language)}
        text = language.gettext("%(habit)s - %(since)s") % parts
        parameters[f"since_{unit}"] = passed
    return {"code": "repeat", "text": text, **parameters}


def _every(unit: str, every: int, language: Language) -> str:
    if unit == "months":
        text = language.ngettext(
            "You usually buy this every month", "You usually buy this every %(every)s months", every
        )
    elif unit == "weeks":
        text = language.ngettext(
            "You usually buy this every week", "You usually buy this every %(every)s weeks", every
        )
    else:
        text = language.ngettext(
            "You usually buy this every day", "You usually buy this every %(every)s days", every
        )
    return text % {"every": language.number(every)}


def _since(unit: str, passed: int, language: Language) -> str:
    if unit == "months":
        text = language.npgettext(
            "months", "it has been %(since)s", "it has been %(since)s", passed
        )
    elif unit == "weeks":
        text = language.npgettext("weeks", "it has been %(since)s", "it has been %(since)s", passed)
    else:
        text = language.npgettext("days", "it has been %(since)s", "it has been %(since)s", passed)
    return text % {"since": language.number(passed)}


def bought_together(title: str | None, item_id: str, language: Language = ENGLISH) -> Reason:
    """It is often bought with an item of the cart, the page or the history.

    Parameters
    ----------
    title, item_id : str
        Of that.
    language : Language
    """
    name = language.isolated(title or item_id)
    text = language.gettext("Often bought with %(title)s") % {"title": name}
    return {"code": "bought_together", "text": text, **_source(title, item_id)}


def bought_next(title: str | None, item_id: str, language: Language = ENGLISH) -> Reason:
    """It is often bought after something that the customer bought lately.

    Parameters
    ----------
    title, item_id : str
        Of that.
    language : Language
    """
    name = language.isolated(title or item_id)
    text = language.gettext("Often bought after %(title)s") % {"title": name}
    return {"code": "bought_next", "text": text, **_source(title, item_id)}


def similar_taste(language: Language = ENGLISH) -> Reason:
    """Customers with a like history bought it."""
    return {"code": "similar_taste", "text": language.gettext("Customers like you also buy this")}


def similar_customers(language: Language = ENGLISH) -> Reason:
    """Customers with a similar recent history buy it."""
    text = language.gettext("Customers with a similar basket buy this")
    return {"code": "similar_customers", "text": text}


def similar_item(
    title: str | None,
    item_id: str,
    language: Language = ENGLISH,
    *,
    category: str | None = None,
    brand: str | None = None,
) -> Reason:
    """It is like something the customer bought.

    Parameters
    ----------
    title, item_id : str
        Of what was bought.
    language : Language
    category, brand : str, optional
        What both are of, where that says it better than the title: one of them.
    """
    kind = category or brand
    name = language.isolated(kind or title or item_id)
    if kind:
        text = language.gettext("Because you buy %(kind)s") % {"kind": name}
    else:
        text = language.gettext("Similar to %(title)s") % {"title": name}
    shared = {"category": category, "brand": brand}
    parameters = {name: label for name, label in shared.items() if label}
    return {"code": "similar_item", "text": text, **_source(title, item_id), **parameters}


def _source(title: str | None, item_id: str) -> Reason:
    known = {} if title is None else {"title": title}
    return {"item_id": item_id, **known, "because_of": [item_id]}


def _place(location_id: str, name: str | None) -> Reason:
    return {"location_id": location_id, **({"location": name} if name else {})}
