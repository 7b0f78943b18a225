"""What must not be shown, whatever the models say.

Candidates and the limits of each request come in; out comes, for every candidate, the first rule
that forbids it, so that what was left out can be counted. Called by ``rank``.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.filters import Filter
from recsys.matrices.histories import Histories
from recsys.matrices.lists import Lists, Ragged, contains, rows_of
from recsys.ranking.filtering import Facts, Items
from recsys.ranking.shelf import Shelf

#: Rules in the order in which they are asked; a candidate's code is its rule's position + 1.
RULES: Final = (
    "inactive",
    "excluded",
    "in_cart",
    "filtered",
    "not_new",
    "recently_bought",
    "out_of_stock",
)

DAY: Final = 86_400


@dataclass(frozen=True)
class Limits:
    """What each of ``n`` requests forbids.

    Parameters
    ----------
    exclude : Lists
        Products that the request excludes, and those being looked at.
    cart : Lists
        Products in the cart.
    new_only : ndarray of shape (n,), bool
        Nothing that the customer ever bought.
    hidden_since_ts : ndarray of shape (n,), int64
        Nothing that the customer bought or returned at or after this time, UTC epoch seconds.
    location_keys : ndarray of shape (n,), int64
        ``ids.location_key``; 0 for none.
    in_stock : ndarray of shape (n,), bool
        Nothing that the location has not on hand, where its stock is known.
    filters : tuple of length n of (Filter or None), optional
        Nothing that the filter does not let through; none by default.
    """

    exclude: Lists
    cart: Lists
    new_only: npt.NDArray[np.bool_]
    hidden_since_ts: npt.NDArray[np.int64]
    location_keys: npt.NDArray[np.int64]
    in_stock: npt.NDArray[np.bool_]
    filters: tuple[Filter | None, ...] = ()

    def row(self, r: int) -> "Limits":
        """Limits of one request."""
        part = slice(r, r + 1)
        return Limits(
            self.exclude.row(r),
            self.cart.row(r),
            self.new_only[part],
            self.hidden_since_ts[part],
            self.location_keys[part],
            self.in_stock[part],
            self.filters[part],
        )


def forbid(
    candidates: Ragged,
    histories: Histories,
    shelf: Shelf,
    limits: Limits,
    facts: Facts | None = None,
) -> npt.NDArray[np.uint8]:
    """Find the first rule that forbids each candidate.

    Parameters
    ----------
    candidates : Ragged
        ``m`` candidates of ``n`` requests.
    histories : Histories
        What the ``n`` customers bought; empty where it must not matter.
    shelf : Shelf
    limits : Limits
    facts : Facts, optional
        What filters ask of products; needed where there are any.

    Returns
    -------
    ndarray of shape (m,), uint8
        0: may be shown; otherwise 1 + the rule's position in ``RULES``.
    """
    rows, items = rows_of(candidates), candidates.item_ix
    line_rows = rows_of(histories)
    recent = histories.ts >= limits.hidden_since_ts[line_rows]
    n = len(candidates.indptr) - 1
    recently = Lists.of_pairs(line_rows[recent], histories.item_ix[recent], n)
    asks_stock = limits.in_stock[rows]
    on_hand = shelf.on_hand_at(np.where(asks_stock, limits.location_keys[rows], 0), items)
    new_only = limits.new_only[rows]
    forbidden = (
        ~shelf.active[items],
        contains(limits.exclude, rows, items),
        contains(limits.cart, rows, items),
        _filtered(rows, items.astype(np.int32, copy=False), histories, shelf, limits, facts),
        new_only & contains(histories, rows, items) if new_only.any() else new_only,
        contains(recently, rows, items),
        on_hand <= 0,
    )
    code = np.zeros(len(items), dtype=np.uint8)
    for position in range(len(RULES), 0, -1):
        code[forbidden[position - 1]] = position
    return code


def _filtered(
    rows: npt.NDArray[np.int64],
    items: npt.NDArray[np.int32],
    histories: Histories,
    shelf: Shelf,
    limits: Limits,
    facts: Facts | None,
) -> npt.NDArray[np.bool_]:
    """Whether the filter of its request keeps each candidate out."""
    out = np.zeros(len(items), bool)
    if not any(limits.filters):
        return out
    if facts is None:
        raise ValueError("filters need facts to ask.")
    # A batch has few filters: one turn for each.
    kinds = {given: number for number, given in enumerate(dict.fromkeys(limits.filters))}
    kind = np.array([kinds[given] for given in limits.filters])[rows]
    for given, number in kinds.items():
        if given is None:
            continue
        at = np.flatnonzero(kind == number)

        def on_hand(part: Items, at: npt.NDArray[np.intp] = at) -> npt.NDArray[np.float32]:
            return shelf.on_hand_at(limits.location_keys[rows[at[part]]], items[at[part]])

        def new(part: Items, at: npt.NDArray[np.intp] = at) -> npt.NDArray[np.bool_]:
            return ~contains(histories, rows[at[part]], items[at[part]])

        out[at] = ~facts.allows(given, items[at], on_hand, new)
    return out
