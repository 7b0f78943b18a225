"""Asks whether a customer is in the audience of a rule.

In: an audience as settings write it, and what is known of who asks. Out: yes or no. Called by
``rules_in_force``.
"""

import operator
from typing import Any, Final, NamedTuple

import numpy as np

from recsys.config import Condition, Filter
from recsys.datasets import Histories
from recsys.recommender.catalogue import Catalogue
from recsys.schema import CHANNELS
from recsys.units import DAY

_BOUGHT: Final = "bought_"


class Asker(NamedTuple):
    """Who asks, as far as the placement may know."""

    history: Histories
    """One row; empty where nothing of the customer may count."""
    known: bool
    """Whether the question names somebody who is known."""
    as_of_ts: int
    """UTC epoch seconds."""
    catalogue: Catalogue


def is_in_audience(given: Filter, asker: Asker) -> bool:
    """Say whether somebody is in an audience.

    Parameters
    ----------
    given : Filter
        In the language ``filters.CUSTOMERS``.
    asker : Asker

    Returns
    -------
    bool

    Notes
    -----
    What is not known is equal to nothing, as in filters on products: it passes ``ne`` and
    ``not_in``, and no other comparison. Returned purchases do not count.
    """
    if isinstance(given, Condition):
        return _holds(given, asker)
    parts = (is_in_audience(part, asker) for part in given.parts)
    if given.kind == "and":
        return all(parts)
    return any(parts) if given.kind == "or" else not next(parts)


def _holds(one: Condition, asker: Asker) -> bool:
    if one.op in ("ne", "not_in"):
        positive = {"ne": "eq", "not_in": "in"}[one.op]
        return not _holds(Condition(one.field, positive, one.value, one.within_days), asker)
    if one.field == "known":
        return asker.known is one.value
    if one.field.startswith(_BOUGHT):
        return _bought(one, asker)
    return _compared(one.op, one.value, _number(one.field, asker))


def _number(name: str, asker: Asker) -> float | None:
    """Return the number of orders, or the days since the last one; None without any."""
    bought = asker.history.purchases
    if name == "orders":
        orders = bought.order[bought.order != 0]  # a summary has none
        return float(len(np.unique(orders)))
    return (asker.as_of_ts - int(bought.ts.max())) / DAY if len(bought.ts) else None


def _compared(op: str, value: Any, number: float | None) -> bool:
    if op == "exists":
        return (number is not None) is value
    if number is None:
        return False
    if op == "in":
        return number in value
    return bool(getattr(operator, op)(number, value))  # eq, lt, le, gt, ge


def _bought(one: Condition, asker: Asker) -> bool:
    """Whether anything that was bought, lately if it says so, has the label."""
    names = _labels(one, asker)
    if one.op == "exists":
        return bool(names) is one.value
    if one.op == "contains":
        wanted = one.value.casefold()
        return any(wanted in name.casefold() for name in names)
    return not names.isdisjoint(one.value if one.op == "in" else (one.value,))


def _labels(one: Condition, asker: Asker) -> set[str]:
    """Return what was bought by its id, label or channel."""
    bought = asker.history.purchases
    lately = np.ones(len(bought.ts), bool)
    if one.within_days is not None:
        lately = bought.ts >= asker.as_of_ts - one.within_days * DAY
    name = one.field.removeprefix(_BOUGHT)
    if name == "channel":
        codes = np.unique(bought.channel[lately]).tolist()
        return {CHANNELS[code] for code in codes if code < len(CHANNELS)}
    items = np.unique(bought.item_ix[lately])
    if name == "item":
        return {asker.catalogue.index.item_ids[ix] for ix in items.tolist()}
    column = asker.catalogue.labels[name]
    return {column.names[code] for code in np.unique(column.code[items]).tolist() if code >= 0}
