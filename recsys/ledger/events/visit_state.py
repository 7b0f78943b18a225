"""Updates the views and the cart of a visit by its events.

In: a state and an event. Out: the next state; nothing else changes. The ledger stores the states
and uses them for requests with a ``session_id``. Views before a login count for the visit, and for
the customer after the login.
"""

from typing import Final

import msgspec

from recsys.datasets import Structured
from recsys.ledger.events.event_types import Event
from recsys.ledger.events.views_and_carts import ViewOrCart, structured, views_and_carts
from recsys.units import DAY

#: A visit's cart and views are forgotten this long after its latest event.
SESSION_DAYS: Final = 30
#: On a shared device, such as a kiosk, so long after it the customer's visit is over.
SHARED_SECONDS: Final = 60
SHARED_CHANNELS: Final = ("store_screen",)
_MAX_CART: Final = 200
_MAX_LOOKS: Final = 50


class VisitState(msgspec.Struct, frozen=True, omit_defaults=True):
    """One visit."""

    cart: dict[str, float] = {}
    """Item → quantity, in the order of adding."""
    looks: tuple[ViewOrCart, ...] = ()
    """The latest view and the latest cart event of each item, newest first."""

    shared: bool = False
    """Whether it happens on a shared device, such as a kiosk."""

    def events(self) -> Structured:
        """Return views and cart events in the format of a history."""
        return structured(self.looks)


def state_after(state: VisitState, event: Event) -> VisitState:
    """Return the state of a visit after ``event``.

    ``view_cart`` and ``begin_checkout`` with items list the whole cart, as in GA4; a purchase
    removes the purchased items.
    """
    latest = {(look.kind, look.item_id): look for look in state.looks}
    for look in views_and_carts(event):
        known = latest.get((look.kind, look.item_id), look)
        latest[look.kind, look.item_id] = max(known, look, key=_when)
    newest = sorted(latest.values(), key=_when, reverse=True)[:_MAX_LOOKS]
    return msgspec.structs.replace(
        state, looks=tuple(newest), cart=_cart(state, event), shared=is_shared(state, event)
    )


def is_shared(state: VisitState, event: Event) -> bool:
    """Return whether a visit happens on a shared device, with ``event`` as its latest."""
    return state.shared or event.channel in SHARED_CHANNELS


def is_over(state: VisitState, seen_ts: int, now_ts: int) -> bool:
    """Return whether a visit is over, so that neither its customer nor its cart is known any more.

    Parameters
    ----------
    state : VisitState
    seen_ts : int
        Time of its latest event, UTC epoch seconds.
    now_ts : int
        UTC epoch seconds.
    """
    return now_ts - seen_ts > (SHARED_SECONDS if state.shared else SESSION_DAYS * DAY)


def _when(look: ViewOrCart) -> tuple[int, int, str, int]:
    return look.ts, look.kind, look.item_id, look.channel


def _cart(state: VisitState, event: Event) -> dict[str, float]:
    cart = dict(state.cart)
    if event.event == "add_to_cart":
        for item in event.items:
            cart[item.item_id] = cart.pop(item.item_id, 0.0) + item.quantity
    elif event.event == "remove_from_cart":
        for item in event.items:
            left = cart.pop(item.item_id, 0.0) - item.quantity
            if left > 0:
                cart[item.item_id] = left
    elif event.event in ("view_cart", "begin_checkout") and event.items:
        cart = {item.item_id: item.quantity for item in event.items}
    elif event.event == "purchase":
        for item in event.items:
            cart.pop(item.item_id, None)
    return dict(list(cart.items())[-_MAX_CART:])


def encode(state: VisitState) -> bytes:
    """Encode a state for the ledger."""
    return msgspec.json.encode(state)


_decoder = msgspec.json.Decoder(VisitState)


def decode(body: bytes) -> VisitState:
    """Decode a stored state."""
    return _decoder.decode(body)
