"""What a sale earns: price less cost, where the cost is known, and what is usual where it is not.

Costs of a catalogue and its prices come in; out come margins of candidates at the locations that
ask, and the keys of an order by expected margin. Costs are built by training and stored in the
artefact; ``Ranker`` asks. No answer tells any of it: what a product costs is nobody else's
business.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from recsys.datasets import IntArray, IxArray

Floats = npt.NDArray[np.float64]

#: Cost of a product whose cost is not known.
UNKNOWN_MINOR: Final = -1
#: So many products of all categories stand beside those of one, so that one is not all.
_PRIOR: Final = 5.0
#: Share of the price that is earned where nothing costs anything known; any share orders alike.
_SHARE: Final = 0.3
#: Chances below this are alike.
_LEAST: Final = 1e-9
#: Logarithms of expected margins are far above it.
_LOSS: Final = -1e6


@dataclass(frozen=True)
class Costs:
    """What the products of one catalogue cost, and where they cost something else.

    Parameters
    ----------
    item_minor : ndarray of shape (n_items,), int64
        ``UNKNOWN_MINOR`` where unknown.
    location_keys : ndarray of shape (n_locations,), int64
        ``item_index.location_key`` of locations with costs of their own, ascending.
    indptr : ndarray of shape (n_locations + 1,), int64
        Location ``i`` lies in ``[indptr[i], indptr[i + 1])`` of the next two.
    item_ix : ndarray, int32
        Ascending within a location.
    local_minor : ndarray, int64
    """

    item_minor: IntArray
    location_keys: IntArray
    indptr: IntArray
    item_ix: IxArray
    local_minor: IntArray

    @classmethod
    def build(
        cls, item_minor: IntArray, location_keys: IntArray, item_ix: IxArray, cost_minor: IntArray
    ) -> Self:
        """Lay out costs at locations; of several of one product at one the last one counts.

        Parameters
        ----------
        item_minor : ndarray of shape (n_items,), int64
        location_keys, item_ix, cost_minor : ndarray of shape (n_rows,)
            Where, what, and how much; rows of unknown cost are left out.
        """
        known = cost_minor >= 0
        keys, location = np.unique(location_keys[known], return_inverse=True)
        flat = (location * len(item_minor) + item_ix[known])[::-1]
        flat, last = np.unique(flat, return_index=True)
        bounds = np.arange(len(keys) + 1) * len(item_minor)
        return cls(
            item_minor,
            keys,
            np.searchsorted(flat, bounds).astype(np.int64),
            (flat % max(1, len(item_minor))).astype(np.int32),
            cost_minor[known][::-1][last],
        )

    def changed(self, item_ix: npt.NDArray[np.integer], cost_minor: IntArray) -> Self:
        """Return other costs of some products; the present ones stay as they are.

        Parameters
        ----------
        item_ix : ndarray of shape (m,), integer
            Products whose cost changes.
        cost_minor : ndarray of shape (m,), int64
            New cost of each, minor units; ``UNKNOWN_MINOR`` where unknown. Costs of locations stay.

        Returns
        -------
        Self
        """
        item_minor = np.array(self.item_minor)
        item_minor[item_ix] = cost_minor
        return replace(self, item_minor=item_minor)

    def at(self, location_keys: IntArray, item_ix: IxArray) -> IntArray:
        """Say what products cost at locations; elsewhere what they cost otherwise.

        Parameters
        ----------
        location_keys, item_ix : ndarray of the same shape (m,)
            0: no location.

        Returns
        -------
        ndarray of shape (m,), int64
            ``UNKNOWN_MINOR`` where unknown.
        """
        out: IntArray = self.item_minor[item_ix]
        # A request has one location, a batch a handful: one slice of the costs for each.
        for key in np.unique(location_keys).tolist():
            place = int(np.searchsorted(self.location_keys, key))
            if place == len(self.location_keys) or self.location_keys[place] != key:
                continue
            part = slice(self.indptr[place], self.indptr[place + 1])
            items, rows = self.item_ix[part], np.flatnonzero(location_keys == key)
            found = np.minimum(np.searchsorted(items, item_ix[rows]), len(items) - 1)
            own = items[found] == item_ix[rows]
            out[rows[own]] = self.local_minor[part][found[own]]
        return out

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything, by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Rebuild from what ``arrays`` gave.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            What ``arrays`` returned, for example memory-mapped.

        Returns
        -------
        Self
        """
        return cls(**{name: arrays[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Margins:
    """What a sale of each product earns.

    Where its cost is unknown, a product earns the mean share of the price that its category
    earns; where its price is unknown, it has the median price of its category.

    Parameters
    ----------
    costs : Costs
    prices_minor : ndarray of shape (n_items,), float64
        Of every product, as told or as usual.
    usual : ndarray of shape (n_items,), float64
        What it earns where its cost is not known, minor units.
    """

    costs: Costs
    prices_minor: Floats
    usual: Floats

    @classmethod
    def of(cls, costs: Costs, prices_minor: IntArray, category: IxArray) -> Self:
        """Learn what is usual.

        Parameters
        ----------
        costs : Costs
        prices_minor : ndarray of shape (n_items,), int64
            Below 0 where unknown.
        category : ndarray of shape (n_items,), int32
            -1 where unknown.
        """
        prices = _prices(prices_minor, category)
        known = np.flatnonzero((prices_minor > 0) & (costs.item_minor >= 0))
        share = 1 - costs.item_minor[known] / prices_minor[known]
        overall = float(share.mean()) if len(known) else _SHARE
        n = int(category.max(initial=-1)) + 1
        of, named = category[known], category[known] >= 0
        total = np.bincount(of[named], share[named], minlength=n) + _PRIOR * overall
        usual = total / (np.bincount(of[named], minlength=n) + _PRIOR)
        return cls(costs, prices, prices * np.append(usual, overall)[category])

    def at(self, location_keys: IntArray, item_ix: IxArray) -> Floats:
        """Say what a sale of products at locations earns.

        Parameters
        ----------
        location_keys, item_ix : ndarray of the same shape (m,)
            0: no location.

        Returns
        -------
        ndarray of shape (m,), float64
            Minor units; below 0 where a sale loses money.
        """
        cost = self.costs.at(location_keys, item_ix)
        return np.where(cost >= 0, self.prices_minor[item_ix] - cost, self.usual[item_ix])


def expected(chance: Floats, margin: Floats) -> Floats:
    """Return keys of an order by expected margin.

    Parameters
    ----------
    chance : ndarray of shape (m,), float64
        Of purchase.
    margin : ndarray of shape (m,), float64
        What a sale earns, minor units.

    Returns
    -------
    ndarray of shape (m,), float64
        Logarithm of chance times margin. What earns nothing, or loses money, stands behind all
        that earns something, by its chance.
    """
    likely = np.log(np.maximum(chance, _LEAST))
    earns = margin > 0
    return likely + np.where(earns, np.log(np.where(earns, margin, 1.0)), _LOSS)


def _prices(prices_minor: IntArray, category: IxArray) -> Floats:
    """Fill unknown prices with what is usual."""
    prices = prices_minor.astype(np.float64)
    missing = prices_minor < 0
    if missing.any():
        known = np.flatnonzero(~missing)
        overall = float(np.median(prices[known])) if len(known) else 1.0
        usual = np.full(int(category.max(initial=-1)) + 2, overall)
        order = known[np.argsort(category[known], kind="stable")]
        groups, first = np.unique(category[order], return_index=True)
        for group, part in zip(groups.tolist(), np.split(order, first[1:]), strict=False):
            if group >= 0:
                usual[group] = np.median(prices[part])
        prices[missing] = usual[category[missing]]
    return prices
