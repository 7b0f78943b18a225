"""Live purchases and refunds become lines of a customer's history.

Pure: a history and an event in, the next history out. Whatever the order export or an earlier
event already brought is not added again, so the same events can be applied any number of times.
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
    """Return a history once a purchase or a refund has happened.

    Parameters
    ----------
    history : CustomerHistory
        Left as it is.
    event : Event
        A ``purchase`` or ``refund`` with its ``transaction_id``.
    systems : sequence of str
        Systems whose order exports are ingested; they name an order ``<system>:<number>``.
    currency : str
        Of prices that do not say theirs.
    scope : str, optional
        ``Event.scope`` of the purchase that a refund takes back; the refund's own by default.

    Returns
    -------
    CustomerHistory
        The same object where nothing is new.
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
    """Return every key that the event's order may have in a history; the live one comes last."""
    number = event.transaction_id or event.event_id
    names = order_ids(scope or event.scope, number, systems)
    return np.array([order_key(name) for name in names], np.int64)


def minor(item: EventItem, currency: str) -> int:
    """Return the price of one, in minor units; 0 where the event does not say it."""
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
    """Round an amount to what a line can hold."""
    return max(-_LARGEST, min(_LARGEST, round(amount_minor)))


def _returned(history: CustomerHistory, event: Event, keys: IntArray, currency: str) -> Structured:
    """Lines that take back what of the order is left: all of it, or the items named."""
    mine = history.lines[np.isin(history.lines["order"], keys)]
    if not len(mine):  # bought too long ago to be in the row: believe the event
        lines = _lines(event, int(keys[-1]), currency)
        lines["quantity"] *= -1
        lines["amount_minor"] *= -1
        return lines
    sold: dict[int, np.void] = {}
    left: dict[int, float] = {}
    for line in mine:
        key = int(line["item_key"])
        left[key] = left.get(key, 0.0) + float(line["quantity"])
        if line["quantity"] > 0:
            sold.setdefault(key, line)
    wanted: dict[int, float] = {}
    for item in event.items:
        key = item_key(item.item_id)
        wanted[key] = wanted.get(key, 0.0) + item.quantity
    back = []
    for key in wanted or left:
        quantity = min(left.get(key, 0.0), wanted.get(key, np.inf))
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
