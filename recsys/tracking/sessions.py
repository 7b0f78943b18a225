"""What a visit looked at and put into its cart, kept up to date by its events.

Pure: a state and an event in, the next state out. The ledger stores states; a request that
names a ``session_id`` is answered from them.
"""

from typing import Final

import msgspec

from recsys.tracking.events import Event

#: A visit's cart and views are forgotten this long after its latest event.
SESSION_DAYS: Final = 30
_MAX_CART: Final = 200
_MAX_VIEWED: Final = 20


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """One visit."""

    cart: dict[str, float] = {}
    """Item → quantity, in the order in which they were put in."""
    viewed: tuple[str, ...] = ()
    """Items looked at, the latest first."""


def after(state: State, event: Event) -> State:
    """Return the state of a visit once ``event`` has happened in it.

    ``view_cart`` and ``begin_checkout`` with items name the whole cart, as in GA4; a purchase
    takes what was bought out of it.
    """
    ids = [item.item_id for item in event.items]
    if event.event in ("view_item", "select_item"):
        seen = dict.fromkeys([*ids, *state.viewed])
        return msgspec.structs.replace(state, viewed=tuple(seen)[:_MAX_VIEWED])
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
        for item_id in ids:
            cart.pop(item_id, None)
    else:
        return state
    latest = list(cart.items())[-_MAX_CART:]
    return msgspec.structs.replace(state, cart=dict(latest))


def encode(state: State) -> bytes:
    """Return a state as the ledger stores it."""
    return msgspec.json.encode(state)


_decoder = msgspec.json.Decoder(State)


def decode(body: bytes) -> State:
    """Read a stored state."""
    return _decoder.decode(body)
