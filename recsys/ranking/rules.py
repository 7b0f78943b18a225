"""What must not be shown, whatever the models say.

Candidates and the limits of each request come in; out comes, for every candidate, the first rule
that forbids it, so that what was left out can be counted. Called by ``rank``.
"""

from dataclasses import dataclass, field
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from recsys.filters import Filter
from recsys.matrices.compiled import all_fixed, compiled, fixed
from recsys.matrices.histories import Histories
from recsys.matrices.ids import IntArray, IxArray
from recsys.matrices.lists import Lists, Ragged, contains, rows_of
from recsys.matrices.scratch import room
from recsys.ranking.choices import Choices
from recsys.ranking.filtering import Facts, Items
from recsys.ranking.shelf import Shelf

#: Rules in the order in which they are asked; a candidate's code is its rule's position + 1.
RULES: Final = (
    "inactive",
    "excluded",
    "in_cart",
    "age_restricted",
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
        Products that the request excludes, and those being looked at; this and the next three
        hold for all products of a choice.
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
    of_age : ndarray of shape (n,), bool, optional
        Whether goods with a minimum age may be shown; no by default.
    """

    exclude: Lists
    cart: Lists
    new_only: npt.NDArray[np.bool_]
    hidden_since_ts: npt.NDArray[np.int64]
    location_keys: npt.NDArray[np.int64]
    in_stock: npt.NDArray[np.bool_]
    filters: tuple[Filter | None, ...] = ()
    of_age: npt.NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, bool))

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
            self.of_age[part],
        )


def forbid(
    candidates: Ragged,
    histories: Histories,
    shelf: Shelf,
    limits: Limits,
    facts: Facts | None = None,
    choices: Choices | None = None,
    age_restricted: npt.NDArray[np.bool_] | None = None,
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
    choices : Choices, optional
        What a shopper cannot tell apart: what was bought, is in the cart or excluded of a choice
        counts for all of it. By default every product is alone.
    age_restricted : ndarray of shape (n_items,), bool, optional
        Which products have a minimum age; none by default.

    Returns
    -------
    ndarray of shape (m,), uint8
        0: may be shown; otherwise 1 + the rule's position in ``RULES``.
    """
    return Rules.of(histories, shelf, limits, facts, choices, age_restricted).forbid(candidates)


@dataclass(frozen=True, eq=False)
class Rules:
    """What must not be shown to ``n`` customers, laid out once for all that is asked about it.

    Attributes
    ----------
    histories, shelf, limits, facts
        As of ``forbid``.
    choices : ndarray of shape (n_items,), int32
        Choice of each product.
    laid : tuple of ndarray
        All of it as the loop takes it.
    """

    histories: Histories
    shelf: Shelf
    limits: Limits
    facts: Facts | None
    choices: IxArray
    laid: tuple[npt.NDArray[Any], ...]

    @classmethod
    def of(
        cls,
        histories: Histories,
        shelf: Shelf,
        limits: Limits,
        facts: Facts | None = None,
        choices: Choices | None = None,
        age_restricted: npt.NDArray[np.bool_] | None = None,
    ) -> Self:
        """Lay rules out; parameters as of ``forbid``."""
        n_items = len(shelf.active)
        of = np.arange(n_items, dtype=np.int32) if choices is None else choices.of
        stock = shelf.position(np.where(limits.in_stock, limits.location_keys, 0))
        of_age = limits.of_age if len(limits.of_age) else np.zeros(len(limits.new_only), bool)
        adult = np.zeros(n_items, bool) if age_restricted is None else age_restricted
        laid = (
            histories.indptr, histories.item_ix, histories.ts,
            limits.exclude.indptr, limits.exclude.item_ix, limits.cart.indptr, limits.cart.item_ix,
            limits.new_only, limits.hidden_since_ts, of_age, adult, stock,
            shelf.active, shelf.indptr, shelf.item_ix, shelf.on_hand, shelf.complete, of,
        )  # fmt: skip
        return cls(histories, shelf, limits, facts, of, all_fixed(*laid))

    def forbid(self, candidates: Ragged) -> npt.NDArray[np.uint8]:
        """Find the first rule that forbids each candidate, see ``forbid``."""
        indptr = np.asarray(candidates.indptr, np.int64)
        items = np.asarray(candidates.item_ix, np.int32)
        filtered = _filtered(
            indptr, items, self.histories, self.shelf, self.limits, self.facts, self.choices
        )
        given = fixed(indptr), fixed(items), fixed(filtered), self.laid
        with room((len(self.choices), np.uint8)) as (mark,):
            code: npt.NDArray[np.uint8] = _forbid(mark, *given)
        return code


#: What is marked of a choice while one request is looked at.
_EXCLUDED, _IN_CART, _HAD, _LATELY = 1, 2, 4, 8


@compiled
def _forbid(
    mark: npt.NDArray[np.uint8], indptr: IntArray, items: IxArray, filtered: npt.NDArray[np.bool_],
    laid: Any,
) -> npt.NDArray[np.uint8]:  # fmt: skip
    (
        past_indptr, past, ts, exclude_indptr, exclude, cart_indptr, cart,
        new_only, hidden_since, of_age, adult, stock,
        active, stock_indptr, stocked, on_hand, complete, of,
    ) = laid  # fmt: skip
    code = np.zeros(len(items), np.uint8)
    for r in range(len(indptr) - 1):
        for at in range(exclude_indptr[r], exclude_indptr[r + 1]):
            mark[of[exclude[at]]] |= _EXCLUDED
        for at in range(cart_indptr[r], cart_indptr[r + 1]):
            mark[of[cart[at]]] |= _IN_CART
        for at in range(past_indptr[r], past_indptr[r + 1]):
            mark[of[past[at]]] |= _HAD | (_LATELY if ts[at] >= hidden_since[r] else 0)
        place = stock[r]
        for at in range(indptr[r], indptr[r + 1]):
            item = items[at]
            known = mark[of[item]]
            if not active[item]:
                code[at] = 1
            elif known & _EXCLUDED:
                code[at] = 2
            elif known & _IN_CART:
                code[at] = 3
            elif adult[item] and not of_age[r]:
                code[at] = 4
            elif filtered[at]:
                code[at] = 5
            elif new_only[r] and known & _HAD:
                code[at] = 6
            elif known & _LATELY:
                code[at] = 7
            elif place >= 0:
                low, end = stock_indptr[place], stock_indptr[place + 1]
                high = end
                while low < high:
                    middle = (low + high) >> 1
                    if stocked[middle] < item:
                        low = middle + 1
                    else:
                        high = middle
                if low < end and stocked[low] == item:
                    code[at] = 8 if on_hand[low] <= 0 else 0
                elif complete[place]:
                    code[at] = 8
        for at in range(exclude_indptr[r], exclude_indptr[r + 1]):
            mark[of[exclude[at]]] = 0
        for at in range(cart_indptr[r], cart_indptr[r + 1]):
            mark[of[cart[at]]] = 0
        for at in range(past_indptr[r], past_indptr[r + 1]):
            mark[of[past[at]]] = 0
    return code


def _filtered(
    indptr: IntArray,
    items: npt.NDArray[np.int32],
    histories: Histories,
    shelf: Shelf,
    limits: Limits,
    facts: Facts | None,
    of: IxArray,
) -> npt.NDArray[np.bool_]:
    """Whether the filter of its request keeps each candidate out."""
    out = np.zeros(len(items), bool)
    if not any(limits.filters):
        return out
    if facts is None:
        raise ValueError("filters need facts to ask.")
    rows = rows_of(Lists(indptr, items))
    # A batch has few filters: one turn for each.
    kinds = {given: number for number, given in enumerate(dict.fromkeys(limits.filters))}
    kind = np.array([kinds[given] for given in limits.filters])[rows]
    past = Lists(np.asarray(histories.indptr, np.int64), of[histories.item_ix])
    for given, number in kinds.items():
        if given is None:
            continue
        at = np.flatnonzero(kind == number)

        def on_hand(part: Items, at: npt.NDArray[np.intp] = at) -> npt.NDArray[np.float64]:
            return shelf.on_hand_at(limits.location_keys[rows[at[part]]], items[at[part]])

        def new(part: Items, at: npt.NDArray[np.intp] = at) -> npt.NDArray[np.bool_]:
            return ~contains(past, rows[at[part]], of[items[at[part]]])

        out[at] = ~facts.allows(given, items[at], on_hand, new)
    return out
