"""Adds live purchases and refunds to a customer's history.

In: a history and an event. Out: the next history; nothing else changes. Orders already present from
an export or an earlier event are not added again, so events can be applied any number of times.
Called by the ledger when an event arrives, and when ingest replaces the histories.

Until the next ingest an order is known by its number in one customer's row alone;
``ingest.orders.live_orders`` then judges the times, places and customers of all orders.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recsys.datasets import (
    CustomerHistory,
    IntArray,
    add_lines,
    customer_history,
    item_key,
    location_key,
    order_key,
)
from recsys.ledger.events.event_types import Event, EventItem, Money, order_ids
from recsys.schema import CHANNELS
from recsys.units import LEAST_QUANTITY
from recsys.values import currency_digits

Structured = npt.NDArray[np.void]

_LARGEST = 2**31 - 1


def history_after(
    history: CustomerHistory,
    event: Event,
    *,
    systems: Sequence[str],
    currency: str,
    scope: str | None = None,
) -> CustomerHistory:
    """Return a history after a purchase or a refund.

    Parameters
    ----------
    history : CustomerHistory
        Not changed.
    event : Event
        A ``purchase`` or ``refund`` with its ``transaction_id``.
    systems : sequence of str
        Systems whose orders are exported, with ids of the form ``<system>:<number>``.
    currency : str
        Currency of prices without one.
    scope : str, optional
        ``Event.scope`` of the refunded purchase; the refund's own by default.

    Returns
    -------
    CustomerHistory
        The same object if nothing is new.
    """
    keys = order_keys(event, systems, scope)
    if event.event == "refund":
        lines = _returned(history, event, keys, currency)
    else:
        sold = history.lines["quantity"] > 0
        if np.isin(history.lines["order"][sold], keys).any():
            return history
        lines = _lines(event, int(keys[-1]), currency)
    return add_lines(history, lines) if len(lines) else history


def order_keys(event: Event, systems: Sequence[str], scope: str | None = None) -> IntArray:
    """Return all possible keys of the event's order in a history; the live one is last."""
    number = event.transaction_id or event.event_id
    names = order_ids(scope or event.scope, number, systems)
    return np.array([order_key(name) for name in names], np.int64)


def minor(item: EventItem, currency: str) -> int:
    """Return the unit price in minor units; 0 if not reported."""
    if isinstance(item.price, Money):
        return item.price.amount_minor
    return round((item.price or 0.0) * 10.0 ** currency_digits(currency))


def _lines(event: Event, order: int, currency: str) -> Structured:
    lines = np.zeros(len(event.items), customer_history.LINES)
    lines["ts"] = event.occurred_ts
    lines["order"] = order
    lines["channel"] = CHANNELS.index(event.channel)
    for ix, item in enumerate(event.items):
        lines["item_key"][ix] = item_key(item.item_id)
        lines["quantity"][ix] = item.quantity
        lines["location"][ix] = location_key(item.location_id or event.location_id)
        paid = minor(item, event.currency or currency) * item.quantity
        lines["amount_minor"][ix] = _bounded(paid)
    return lines


def _bounded(amount_minor: float) -> int:
    """Round an amount and limit it to the range of a line."""
    return max(-_LARGEST, min(_LARGEST, round(amount_minor)))


def _returned(history: CustomerHistory, event: Event, keys: IntArray, currency: str) -> Structured:
    """Return the return lines of a refund: the listed items, or all remaining ones."""
    order_lines = history.lines[np.isin(history.lines["order"], keys)]
    if not (order_lines["quantity"] > 0).any():
        return _returned_of_unknown(event, order_lines, int(keys[-1]), currency)
    sold: dict[int, np.void] = {}
    left: dict[int, float] = {}
    for line in order_lines:
        key = int(line["item_key"])
        left[key] = left.get(key, 0.0) + float(line["quantity"])
        if line["quantity"] > 0:
            sold.setdefault(key, line)
    quantities: dict[int, float] = {}
    for item in event.items:
        key = item_key(item.item_id)
        quantities[key] = quantities.get(key, 0.0) + item.quantity
    back = []
    for key in quantities or left:
        quantity = min(left.get(key, 0.0), quantities.get(key, np.inf))
        if quantity > LEAST_QUANTITY and key in sold:
            line = sold[key].copy()
            unit = int(line["amount_minor"]) / float(line["quantity"])
            line["ts"] = event.occurred_ts
            line["channel"] = CHANNELS.index(event.channel)
            line["location"] = location_key(event.location_id)
            line["quantity"] = -quantity
            line["amount_minor"] = _bounded(-unit * quantity)
            back.append(line)
    return np.array(back, customer_history.LINES) if back else np.empty(0, customer_history.LINES)


def _returned_of_unknown(
    event: Event, order_lines: Structured, order: int, currency: str
) -> Structured:
    """Return the lines of a refund whose purchase the row lacks: all of them, once.

    The purchase may be older than the row, or unknown, so nothing says how much is left of it.
    """
    lines = _lines(event, order, currency)
    lines["quantity"] *= -1
    lines["amount_minor"] *= -1
    applied = order_lines[order_lines["ts"] == event.occurred_ts][["item_key", "quantity"]].tolist()
    is_applied = all(pair in applied for pair in lines[["item_key", "quantity"]].tolist())
    return lines[:0] if is_applied else lines
