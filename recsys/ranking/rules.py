"""What must not be shown, whatever the models say.

Candidates and the limits of each request come in; out comes, for every candidate, the first rule
that forbids it, so that what was left out can be counted. Called by ``rank``.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.matrices.histories import Histories
from recsys.matrices.lists import Lists, Ragged, contains, rows_of
from recsys.ranking.shelf import Shelf

#: Rules in the order in which they are asked; a candidate's code is its rule's position + 1.
RULES: Final = (
    "inactive",
    "excluded",
    "in_cart",
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
    """

    exclude: Lists
    cart: Lists
    new_only: npt.NDArray[np.bool_]
    hidden_since_ts: npt.NDArray[np.int64]
    location_keys: npt.NDArray[np.int64]
    in_stock: npt.NDArray[np.bool_]

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
        )


def forbid(
    candidates: Ragged, histories: Histories, shelf: Shelf, limits: Limits
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
        new_only & contains(histories, rows, items) if new_only.any() else new_only,
        contains(recently, rows, items),
        on_hand <= 0,
    )
    code = np.zeros(len(items), dtype=np.uint8)
    for position in range(len(RULES), 0, -1):
        code[forbidden[position - 1]] = position
    return code
