"""Live views and carts become events of a customer's history.

Pure: an event in, what it says somebody looked at out. Called when events arrive, when ingest
replaces the histories, and by ``visit_state``.
"""

from collections.abc import Iterable

import msgspec
import numpy as np

from recsys.datasets import Structured, interactions, item_key
from recsys.ledger.events.event_types import Event
from recsys.schema import CHANNELS


class ViewOrCart(msgspec.Struct, frozen=True, array_like=True):
    """One product that was looked at or put into the cart."""

    item_id: str
    ts: int
    """UTC epoch seconds."""
    kind: int
    """``interactions.VIEW`` or ``CART``."""
    channel: int
    """Index into ``schema.CHANNELS``."""


def views_and_carts(event: Event) -> list[ViewOrCart]:
    """Return what an event says was looked at; nothing for other kinds of events."""
    kind = interactions.KIND_OF.get(event.event)
    if kind is None:
        return []
    channel = CHANNELS.index(event.channel)
    return [ViewOrCart(item.item_id, event.occurred_ts, kind, channel) for item in event.items]


def structured(found: Iterable[ViewOrCart]) -> Structured:
    """Lay looks out as a history holds them: an array of ``interactions.EVENTS``."""
    rows = [(item_key(look.item_id), look.ts, look.kind, look.channel) for look in found]
    return np.array(rows, interactions.EVENTS)
