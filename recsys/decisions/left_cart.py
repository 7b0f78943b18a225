"""The cart that a customer left, over all channels and devices.

In: what went into carts and out of them, in any order, and what was bought since. Out: what is
left. Called by ``contact_state``, and by the service at the moment of showing.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

#: Products of one customer's cart that are kept; beyond, those changed longest ago go.
MAX_CART: Final = 200


class CartLine(msgspec.Struct, frozen=True, array_like=True):
    """One product of a customer's cart."""

    item_id: str
    quantity: float
    """0 once it was taken out; kept, so that a late, older event changes nothing."""
    at_ts: int
    """When it last changed, UTC epoch seconds."""


class CartChange(msgspec.Struct, frozen=True):
    """What one event says of a cart."""

    at_ts: int
    """UTC epoch seconds."""
    quantities: tuple[tuple[str, float], ...]
    """Products and pieces: put in, or taken out where negative; in a whole cart, all of it."""
    whole: bool = False
    """Whether it lists the whole cart."""


def changed(cart: Iterable[CartLine], changes: Iterable[CartChange]) -> tuple[CartLine, ...]:
    """Return a cart after changes.

    Parameters
    ----------
    cart : iterable of CartLine
    changes : iterable of CartChange
        Of one product, a change that is older than the latest known changes nothing, but for
        pieces put in beside others.
    """
    lines = {line.item_id: line for line in cart}
    for change in sorted(changes, key=lambda one: one.at_ts):
        pieces = dict(change.quantities)
        if change.whole:
            for item_id, line in lines.items():
                if item_id not in pieces and line.at_ts <= change.at_ts:
                    lines[item_id] = CartLine(item_id, 0.0, change.at_ts)
        for item_id, quantity in pieces.items():
            known = lines.get(item_id, CartLine(item_id, 0.0, 0))
            late = known.at_ts > change.at_ts
            if late and (change.whole or quantity < 0 or not known.quantity):
                continue
            left = quantity if change.whole else max(0.0, known.quantity + quantity)
            lines[item_id] = CartLine(item_id, left, max(known.at_ts, change.at_ts))
    return _newest(lines.values())


def merged(carts: Sequence[Iterable[CartLine]]) -> tuple[CartLine, ...]:
    """Return the cart of a customer of whom several identifiers have carts.

    Parameters
    ----------
    carts : sequence of iterable of CartLine
        Of each product the latest change counts; of equal times the larger quantity.
    """
    lines: dict[str, CartLine] = {}
    for line in (line for cart in carts for line in cart):
        known = lines.get(line.item_id, line)
        lines[line.item_id] = max(known, line, key=lambda one: (one.at_ts, one.quantity))
    return _newest(lines.values())


def left_of(
    cart: Iterable[CartLine], last_bought: Mapping[str, int], now_ts: int, seconds: float
) -> tuple[CartLine, ...]:
    """Return what is left of a cart, the latest first.

    Parameters
    ----------
    cart : iterable of CartLine
    last_bought : mapping of str to int
        Product → when it, or another one of its choice, was last bought in any channel, UTC epoch
        seconds; what was bought after its last change is not left.
    now_ts : int
        UTC epoch seconds; later changes do not count.
    seconds : float
        A cart is forgotten so long after its latest change.
    """
    known = [line for line in cart if line.at_ts <= now_ts]
    if not known or now_ts - max(line.at_ts for line in known) > seconds:
        return ()
    return _newest(
        line for line in known if line.quantity and last_bought.get(line.item_id, -1) < line.at_ts
    )


def _newest(lines: Iterable[CartLine]) -> tuple[CartLine, ...]:
    ordered = sorted(lines, key=lambda line: (-line.at_ts, line.item_id))
    return tuple(ordered[:MAX_CART])
