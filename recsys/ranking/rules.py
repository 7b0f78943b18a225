"""Rules that keep candidates from being shown, whatever their score.

In: candidates and the limits of each request. Out: for every candidate the first rule that forbids
it, so that what was left out can be counted. Called by ``Ranker``.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from recsys.config import Filter
from recsys.datasets import (
    Histories,
    IntArray,
    IxArray,
    Lists,
    Ragged,
    all_fixed,
    pointers,
    rows_contain,
    rows_of,
    zeroed,
)
from recsys.models import Repeat
from recsys.ranking import rule_kernels
from recsys.ranking.availability import Availability
from recsys.ranking.choices import Choices
from recsys.ranking.just_bought import UntilDue, just_bought
from recsys.ranking.product_filter import FilterData, Items
from recsys.ranking.rule_kernels import FILTERED, SCARCE
from recsys.ranking.scarcity import scarce
from recsys.ranking.suppressed import Suppressed

#: Rules in the order in which they apply; a candidate's code is its rule's position + 1.
RULES: Final = (
    "inactive",
    "excluded",
    "in_cart",
    "age_restricted",
    "filtered",
    "not_new",
    "just_bought",
    "not_interested",
    "capped",
    "out_of_stock",
    "scarce",
)

_NO_ITEMS: Final = np.empty(0, np.int32)
_NO_CODES: Final = np.empty(0, np.uint8)


@dataclass(frozen=True)
class Limits:
    """What must not be shown for each of ``n`` requests.

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
        Nothing that the customer bought at or after this time and kept, UTC epoch seconds.
    location_keys : ndarray of shape (n,), int64
        ``item_index.location_key``; 0 for none.
    in_stock : ndarray of shape (n,), bool
        Nothing that the location has not on hand, where its stock is known.
    filters : tuple of length n of (Filter or None), optional
        Nothing that the filter does not let through; none by default.
    of_age : ndarray of shape (n,), bool, optional
        Whether goods with a minimum age may be shown; no by default.
    suppressed : Suppressed, optional
        What the customers do not want, or have been shown often enough; nothing by default.
    as_of_ts : ndarray of shape (n,), int64, optional
        When they are asked, UTC epoch seconds; needed where stock has a greatest age, and by
        filters that ask for an age.
    scarce_below : ndarray of shape (n,), float64, optional
        Nothing of which fewer pieces than this can be sold, at the location or, without one, at all
        locations together, where that is known; 0: no such rule, which is the default.
    until_due : UntilDue, optional
        For how long what was bought is not shown, by how soon it is bought again; by default only
        ``hidden_since_ts`` counts.
    """

    exclude: Lists
    cart: Lists
    new_only: npt.NDArray[np.bool_]
    hidden_since_ts: npt.NDArray[np.int64]
    location_keys: npt.NDArray[np.int64]
    in_stock: npt.NDArray[np.bool_]
    filters: tuple[Filter | None, ...] = ()
    of_age: npt.NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, bool))
    suppressed: Suppressed | None = None
    as_of_ts: IntArray | None = None
    scarce_below: npt.NDArray[np.float64] | None = None
    until_due: UntilDue | None = None

    def row(self, r: int) -> "Limits":
        """Cut out one request.

        Parameters
        ----------
        r : int
            In ``[0, n)``.

        Returns
        -------
        Limits
            Of one request, views of the same arrays.
        """
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
            None if self.suppressed is None else self.suppressed.row(r),
            None if self.as_of_ts is None else self.as_of_ts[part],
            None if self.scarce_below is None else self.scarce_below[part],
            None if self.until_due is None else self.until_due.row(r),
        )


@dataclass(frozen=True, eq=False)
class Rules:
    """Rules for ``n`` requests, prepared once for all candidates.

    Attributes
    ----------
    histories, availability, limits, filter_data, choices
        As of ``of``.
    arrays : tuple of ndarray
        All of it as the compiled loops take it.
    """

    histories: Histories
    availability: Availability
    limits: Limits
    filter_data: FilterData | None
    choices: Choices
    arrays: tuple[npt.NDArray[Any], ...]

    @classmethod
    def of(
        cls,
        histories: Histories,
        availability: Availability,
        limits: Limits,
        filter_data: FilterData | None = None,
        choices: Choices | None = None,
        age_restricted: npt.NDArray[np.bool_] | None = None,
        repeat: Repeat | None = None,
    ) -> Self:
        """Prepare the rules of ``n`` requests.

        Parameters
        ----------
        histories : Histories
            What the ``n`` customers bought; empty where it must not matter.
        availability : Availability
        limits : Limits
        filter_data : FilterData, optional
            What filters ask of products; needed where there are any.
        choices : Choices, optional
            What a shopper cannot tell apart: what was bought, is in the cart or excluded of a
            choice counts for all of it. By default every product is alone.
        age_restricted : ndarray of shape (n_items,), bool, optional
            Which products have a minimum age; none by default.
        repeat : Repeat, optional
            Knows when what was bought is due again; needed where ``limits.until_due`` is given.

        Raises
        ------
        ValueError
            When it is needed, and missing.
        """
        n_items = len(availability.active)
        choices = Choices.alone(n_items) if choices is None else choices
        places = availability.position(np.where(limits.in_stock, limits.location_keys, 0))
        since_ts = availability.trusted_since(limits.as_of_ts)
        of_age = limits.of_age if len(limits.of_age) else np.zeros(len(limits.new_only), bool)
        adult = np.zeros(n_items, bool) if age_restricted is None else age_restricted
        lately = just_bought(
            histories, limits.hidden_since_ts, limits.until_due, repeat, choices.of
        )
        arrays = (
            histories.indptr,
            histories.item_ix,
            lately.indptr,
            limits.exclude.indptr,
            limits.exclude.item_ix,
            limits.cart.indptr,
            limits.cart.item_ix,
            limits.new_only,
            lately.item_ix,
            of_age,
            adult,
            places,
            availability.active,
            *availability.stock[:4],
            choices.of,
            *(limits.suppressed or Suppressed.none(len(limits.new_only))),
            *availability.stock[4:],
            np.broadcast_to(since_ts, len(limits.new_only)).astype(np.int64),
        )
        return cls(histories, availability, limits, filter_data, choices, all_fixed(*arrays))

    def forbid(self, items: Ragged) -> npt.NDArray[np.uint8]:
        """Find the first rule that forbids each product.

        Parameters
        ----------
        items : Ragged
            ``m`` products of ``n`` requests.

        Returns
        -------
        ndarray of shape (m,), uint8
            0: may be shown; otherwise 1 + the rule's position in ``RULES``.

        Raises
        ------
        ValueError
            When there are filters but no facts.
        """
        lists = _lists(items)
        kept_out = self._kept_out(lists)
        with zeroed((len(self.choices), np.uint8)) as (mark,):
            arguments = *all_fixed(lists.indptr, lists.item_ix, kept_out), self.arrays
            code: npt.NDArray[np.uint8] = rule_kernels.first_rule(mark, *arguments)
        return code

    def forbid_choices(self, items: Ragged) -> npt.NDArray[np.uint8]:
        """Find the rule that forbids every product of each product's choice.

        Parameters
        ----------
        items : Ragged
            ``m`` products of ``n`` requests.

        Returns
        -------
        ndarray of shape (m,), uint8
            0 where any product of the choice may be shown, else the product's own code.
        """
        n, lists = len(self.choices), _lists(items)
        with zeroed((n, np.uint8), (n, np.uint8)) as scratch:
            arguments = (*scratch, *self._with_choices(lists), self.arrays)
            code: npt.NDArray[np.uint8] = rule_kernels.first_rule_of_choice(*arguments)
        return code

    def representatives(self, leaders: Ragged) -> IxArray:
        """Choose the product that is shown for each choice.

        Of the products that may be shown, prefer those known to be in stock, then those whose stock
        is unknown; of these, the one that the customer bought before; then the best-selling one.

        Parameters
        ----------
        leaders : Ragged
            ``k`` products of ``n`` requests, one of each choice in a row.

        Returns
        -------
        ndarray of shape (k,), int32
            The leader itself where no product of its choice may be shown.
        """
        lists = _lists(leaders)
        if not self.choices.several:
            return lists.item_ix
        more = all_fixed(self.availability.position(self.limits.location_keys), self.choices.bought)
        arguments = (*self._with_choices(lists), *more, self.arrays)
        kinds = (np.uint8, np.uint8, np.uint8)
        with zeroed(*((len(self.choices), kind) for kind in kinds)) as scratch:
            shown: IxArray = rule_kernels.choose_representatives(*(*scratch, *arguments))
        return shown

    def _with_choices(self, lists: Lists) -> tuple[Any, ...]:
        """Return the products, what is kept out of their choices and why, and the choices."""
        barred, by = Lists(np.zeros(len(lists.indptr), np.int64), _NO_ITEMS), _NO_CODES
        if self._asks_each:
            wide = self.choices.widened(lists)
            kept_out = self._kept_out(wide)
            at = np.flatnonzero(kept_out)
            if len(at):
                rows = pointers(rows_of(wide)[at], len(lists.indptr) - 1)
                barred, by = Lists(rows, wide.item_ix[at]), kept_out[at]
        arguments = lists.indptr, lists.item_ix, barred.indptr, barred.item_ix, by
        arrays: tuple[Any, ...] = all_fixed(*arguments, *self.choices.members)
        return arrays

    @property
    def _asks_each(self) -> bool:
        """Whether a request asks something of each product: a filter, or how many are left."""
        return any(self.limits.filters) or self._scarce_below is not None

    @property
    def _scarce_below(self) -> npt.NDArray[np.float64] | None:
        """Of how many pieces fewer are scarce; None where no stock is known."""
        return self.limits.scarce_below if len(self.availability.location_keys) else None

    def _kept_out(self, items: Lists) -> npt.NDArray[np.uint8]:
        """Return why a request keeps each product out: ``FILTERED``, ``SCARCE``, or 0."""
        out = np.zeros(len(items.item_ix), np.uint8)
        below = self._scarce_below
        if below is not None:
            limits = self.limits
            asked = limits.location_keys, limits.as_of_ts, below
            out[scarce(self.availability, items, *asked)] = SCARCE
        if any(self.limits.filters):
            out[self._filtered(items)] = FILTERED
        return out

    def passing(self, given: Filter, items: Ragged) -> npt.NDArray[np.bool_]:
        """Say which products a filter lets through, whatever else forbids them.

        Parameters
        ----------
        given : Filter
        items : Ragged
            ``m`` products of ``n`` requests.

        Returns
        -------
        ndarray of shape (m,), bool

        Raises
        ------
        ValueError
            When there are no facts.
        """
        lists = _lists(items)
        return self._passing(given, rows_of(lists), lists.item_ix)

    def _filtered(self, items: Lists) -> npt.NDArray[np.bool_]:
        """Return whether its request's filter removes each product."""
        out = np.zeros(len(items.item_ix), bool)
        if not any(self.limits.filters):
            return out
        rows = rows_of(items)
        # A batch has few distinct filters: evaluate each once.
        kinds = {one: number for number, one in enumerate(dict.fromkeys(self.limits.filters))}
        kind = np.array([kinds[one] for one in self.limits.filters])[rows]
        for one, number in kinds.items():
            if one is not None:
                at = np.flatnonzero(kind == number)
                out[at] = ~self._passing(one, rows[at], items.item_ix[at])
        return out

    def _passing(self, given: Filter, rows: IntArray, items: IxArray) -> npt.NDArray[np.bool_]:
        if self.filter_data is None:
            raise ValueError("filters need facts to ask.")
        facts, limits = self.filter_data, self.limits

        def numbers(name: str, part: Items) -> npt.NDArray[np.float64]:
            of = rows[part]
            when = None if limits.as_of_ts is None else limits.as_of_ts[of]
            places = limits.location_keys[of], items[part], when
            return facts.number(name, self.availability, *places)

        def new(part: Items) -> npt.NDArray[np.bool_]:
            of = self.choices.of
            return ~rows_contain(self._past, rows[part], of[items[part]])

        return facts.allows(given, items, numbers, new)

    @cached_property
    def _past(self) -> Lists:
        """Choices of what each customer bought."""
        bought = self.histories
        return Lists(np.asarray(bought.indptr, np.int64), self.choices.of[bought.item_ix])


def _lists(items: Ragged) -> Lists:
    return Lists(np.asarray(items.indptr, np.int64), np.asarray(items.item_ix, np.int32))
