"""Checks that an event's times, quantities and amounts fit into a history.

In: an event. Out: the values that exceed limits. Called by the service before it accepts an event,
and by ``live_source`` before an event enters a history, so that every accepted event can be
ingested.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from recsys.ledger.events.event_types import Event, EventItem
from recsys.ledger.events.purchases import minor
from recsys.units import LEAST_QUANTITY

#: Maximum of a price, a line and an order, in minor units: a billion euros.
MOST_MINOR: Final = 10**11
#: Maximum quantity of a whole event.
MOST_PIECES: Final = 10_000_000
#: UTC epoch seconds, half-open: from the year 2000 until the year 3000.
FIRST_TS: Final = 946_684_800
LAST_TS: Final = 32_503_680_000


class LimitFault(NamedTuple):
    """A value that exceeds a limit."""

    reason: str
    """``time``, ``quantity`` or ``amount``."""
    pointer: str
    """JSON pointer into the event."""
    detail: str


def limit_faults(event: Event, currency: str) -> Iterator[LimitFault]:
    """Yield the values of an event that exceed the limits of a history.

    Parameters
    ----------
    event : Event
    currency : str
        Currency of prices without one.
    """
    if not FIRST_TS <= event.occurred_at.timestamp() < LAST_TS:
        yield LimitFault("time", "/occurred_at", "is not between the years 2000 and 3000.")
    pieces, whole = 0.0, 0
    for ix, item in enumerate(event.items):
        at = f"/items/{ix}"
        if item.quantity < LEAST_QUANTITY:
            detail = f"is less than {LEAST_QUANTITY:f}, the least quantity."
            yield LimitFault("quantity", f"{at}/quantity", detail)
        pieces += item.quantity
        each, line = _amounts(item, event.currency or currency)
        whole += line
        if max(each, line) > MOST_MINOR:
            detail = f"is more than {MOST_MINOR:,} minor units{' in all' * (each <= MOST_MINOR)}."
            yield LimitFault("amount", f"{at}/price", detail)
    if pieces > MOST_PIECES:
        yield LimitFault("quantity", "/items", f"are more than {MOST_PIECES:,} pieces together.")
    if whole > MOST_MINOR:
        yield LimitFault("amount", "/items", f"cost more than {MOST_MINOR:,} minor units together.")


def _amounts(item: EventItem, currency: str) -> tuple[int, int]:
    """Return the unsigned price of one piece and of the line, in minor units."""
    price = abs(minor(item, currency))
    return price, round(price * item.quantity)
