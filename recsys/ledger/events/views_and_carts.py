"""Converts live views and carts to events of a customer's history.

In: an event. Out: the viewed products and those added to the cart. Called when events arrive, when
ingest replaces the histories, and by ``visit_state``.
"""

from collections.abc import Iterable

import msgspec
import numpy as np

from recsys.datasets import Structured, interactions, item_key
from recsys.ledger.events.event_types import Event
from recsys.schema import CHANNELS


class ViewOrCart(msgspec.Struct, frozen=True, array_like=True):
    """One product that was viewed or added to the cart."""

    item_id: str
    ts: int
    """UTC epoch seconds."""
    kind: int
    """``interactions.VIEW`` or ``CART``."""
    channel: int
    """Index into ``schema.CHANNELS``."""


def views_and_carts(event: Event) -> list[ViewOrCart]:
    """Return the views and carts of an event; empty for other kinds of events."""
    kind = interactions.KIND_OF.get(event.event)
    if kind is None:
        return []
    channel = CHANNELS.index(event.channel)
    return [ViewOrCart(item.item_id, event.occurred_ts, kind, channel) for item in event.items]


def structured(looks: Iterable[ViewOrCart]) -> Structured:
    """Convert views and carts to an array of ``interactions.EVENTS``, as in a history."""
    rows = [(item_key(look.item_id), look.ts, look.kind, look.channel) for look in looks]
    return np.array(rows, interactions.EVENTS)
