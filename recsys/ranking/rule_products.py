"""Finds the products that placements' rules are about, so that they become candidates.

In: the rules of requests. Out: products that pins and boosts name, and of those that fit their
filters the best-selling ones, since no model need propose them. Called by ``Ranker``.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.config import Filter
from recsys.datasets import IxArray, Lists
from recsys.ranking.availability import Availability
from recsys.ranking.choices import Choices
from recsys.ranking.merchandising import Merchandising
from recsys.ranking.product_filter import FilterData
from recsys.ranking.rules import Limits
from recsys.units import DAY

#: Products that a filter adds to the candidates, at most.
MOST: Final = 200
#: Filters whose products are kept.
_MOST_KEPT: Final = 1_000

Floats = npt.NDArray[np.float64]


class RuleProducts:
    """Products of rules, over one catalogue and its stock.

    Parameters
    ----------
    availability : Availability
    filter_data : FilterData or None
        None: rules have no filters.
    choices : Choices
        Knows what sells best.
    """

    def __init__(
        self, availability: Availability, filter_data: FilterData | None, choices: Choices
    ) -> None:
        self._availability = availability
        self._filter_data = filter_data
        self._choices = choices
        self._kept: dict[tuple[object, int, int], IxArray] = {}

    def of(self, given: Sequence[Merchandising | None], limits: Limits) -> Lists:
        """Return the products that must be candidates.

        Parameters
        ----------
        given : sequence of length n of (Merchandising or None)
        limits : Limits
            Where and when the ``n`` requests are made.

        Returns
        -------
        Lists
            ``n`` rows, ascending, each product once. Exclusions and what is buried add none.
        """
        rows = []
        for r, one in enumerate(given):
            found: list[IxArray] = [np.empty(0, np.int32)]
            for rule in one.rules if one is not None else ():
                if rule.action not in ("pin", "boost"):
                    continue
                if rule.filter is None:
                    found.append(np.array(rule.item_ix, np.int32))
                else:
                    found.append(self._fitting(rule.filter, r, limits))
            rows.append(np.unique(np.concatenate(found)))
        return Lists.of_rows(rows)

    def _fitting(self, given: Filter, r: int, limits: Limits) -> IxArray:
        """Return the best-selling products that fit a filter, to somebody who never bought any."""
        key = int(limits.location_keys[r])
        as_of_ts = 0 if limits.as_of_ts is None else int(limits.as_of_ts[r])
        kept = self._kept.get((given, key, as_of_ts // DAY))
        if kept is None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            kept = self._kept[given, key, as_of_ts // DAY] = self._found(given, key, as_of_ts)
        return kept

    def _found(self, given: Filter, key: int, as_of_ts: int) -> IxArray:
        facts = self._filter_data
        if facts is None:
            raise ValueError("filters need facts to ask.")
        items = np.flatnonzero(self._availability.active).astype(np.int32)
        where, when = np.full(len(items), key), np.full(len(items), as_of_ts)

        def numbers(name: str, at: IxArray) -> Floats:
            places = where[at], items[at], when[at]
            return facts.number(name, self._availability, *places)

        fit = facts.allows(given, items, numbers, lambda at: np.ones(len(at), bool))
        fitting = items[fit]
        order = np.argsort(-self._choices.bought[fitting], kind="stable")
        return fitting[order[:MOST]]
