"""What every search for bundles stands on: orders by product, chances, groups and customers.

A training comes in; what is worked out of it once comes out. Called by ``mining``, which hands it
to the modules that look for pairs, larger sets and what is bought later.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.bundles import evidence
from recsys.bundles.evidence import OrderLists
from recsys.bundles.null_model import NullModel
from recsys.bundles.pair_statistics import PairStatistics
from recsys.bundles.strata import Strata, place_strata, size_strata, strata_of, week_spans
from recsys.datasets import Baskets, IntArray, IxArray, compiled

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AssociationData:
    """Purchases, ready to be searched.

    Attributes
    ----------
    baskets : Baskets
    held : OrderLists
        Of each product.
    counts : ndarray of shape (n_items,), int64
        Orders that hold each.
    null_model : NullModel
    weeks, places, sizes, customers : Strata
    share : ndarray of shape (n_ways, n_customers), float64
        Each customer's share of what brings two products together: of all chances that they meet,
        where it is chance; of all that draws products, where one is bought for the other.
    """

    baskets: Baskets
    held: OrderLists
    counts: IntArray
    null_model: NullModel
    weeks: Strata
    places: Strata
    sizes: Strata
    customers: Strata
    share: Floats

    @classmethod
    def of(cls, baskets: Baskets) -> "AssociationData":
        """Work it out.

        Parameters
        ----------
        baskets : Baskets
            All orders that bundles are searched in.

        Returns
        -------
        AssociationData
        """
        items, null_model = baskets.items, NullModel.of(baskets)
        held = evidence.postings(items.indices, items.indptr, items.shape)
        pull = null_model.pull
        customers = strata_of(held, pull, baskets.customer)
        known = np.flatnonzero(baskets.customer >= 0)
        squares = np.bincount(
            baskets.customer[known], pull[known] ** 2, minlength=len(customers.weight)
        )
        by_chance = squares / max(float((pull**2).sum()), 1e-300)
        return cls(
            baskets=baskets,
            held=held,
            counts=np.diff(held.indptr),
            null_model=null_model,
            weeks=strata_of(held, pull, week_spans(baskets.ts)),
            places=strata_of(held, pull, place_strata(baskets)),
            sizes=strata_of(held, pull, size_strata(np.diff(items.indptr))),
            customers=customers,
            share=np.stack([by_chance, customers.share]),
        )

    @property
    def kinds(self) -> tuple[Strata, Strata, Strata]:
        """Groups that have their own products: weeks, places, and sizes of baskets."""
        return self.weeks, self.places, self.sizes

    def factor(self, a: IxArray, b: IxArray, support: IntArray, inside: Floats) -> Floats:
        """How many times as often two products meet because of weeks, places and sizes.

        Parameters
        ----------
        a, b : ndarray of shape (n,), int32
            Pairs, sorted by ``a``.
        support : ndarray of shape (n,), int64
        inside : ndarray of shape (n, 3), float64
            As of ``PairStatistics``, for ``kinds``.

        Returns
        -------
        ndarray of shape (n,), float64
        """
        apart = self.counts[a].astype(np.float64) * self.counts[b] - support
        factor = np.ones(len(a))
        for at, kind in enumerate(self.kinds[:2]):
            factor *= kind.factor(a, b, inside[:, at], apart * kind.whole)
        # Sizes are known to chance already: usual is what it says of them.
        rows = self.null_model.count_of[a], self.null_model.count_of[b]
        usual = _matched(*rows, self._by_size(), self.sizes.weight)
        usual -= self.null_model.together(a, b, self._of_size(self.sizes.weight))
        return factor * self.sizes.factor(a, b, inside[:, 2], usual)

    def by_chance(self, a: IxArray, b: IxArray, met: PairStatistics) -> Floats:
        """Baskets of customers who had the choice that would hold both products by chance.

        Parameters
        ----------
        a, b : ndarray of shape (n,), int32
            Pairs, positions in the catalogue.
        met : PairStatistics
            Of the same pairs.

        Returns
        -------
        ndarray of shape (n,), float64
            Numbers of baskets.
        """
        # Large baskets do not draw popular products as much more as they are larger.
        drawn = self.counts[a].astype(np.float64) * self.counts[b] * self.customers.whole
        drawn /= 1.0 + self.customers.whole
        full = self.null_model.together(a, b) / np.where(drawn > 0, drawn, 1.0)
        return met.by_chance * full

    def usual(self, item_ix: IxArray) -> tuple[Floats, Floats, Floats]:
        """Orders of each group that hold products where groups buy alike, for ``kinds``.

        Parameters
        ----------
        item_ix : ndarray of shape (n,), int32
            Products, positions in the catalogue.

        Returns
        -------
        weeks, places, sizes : ndarray of shape (n, n_groups), float64
            Numbers of orders; each kind has its own number of groups.
        """
        counts = self.counts[item_ix][:, None]
        by_size = self._by_size()[self.null_model.count_of[item_ix]]
        return counts * self.weeks.share, counts * self.places.share, by_size

    def _of_size(self, of_group: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """What each size's group has."""
        found = np.zeros(len(self.null_model.sizes), of_group.dtype)
        found[self.null_model.size_of] = of_group[self.sizes.of]
        return found

    def _by_size(self) -> Floats:
        n_groups = len(self.sizes.weight)
        return self.null_model.by_size(self._of_size(np.arange(n_groups)), n_groups)

    def repeats(self, orders: OrderLists) -> Floats:
        """How many orders of each list count as one because the same customers made them.

        Parameters
        ----------
        orders : OrderLists
            ``n`` lists of rows of ``baskets``.

        Returns
        -------
        ndarray of shape (n,), float64
            At least 1: the variance of what customers have of a list, beside that of chance; around
            whichever of their shares explains most.
        """
        n, customer = len(orders.indptr) - 1, self.baskets.customer[orders.order]
        known = np.flatnonzero(customer >= 0)
        n_customers = max(self.share.shape[1], 1)
        cells, met = np.unique(
            orders.rows()[known] * n_customers + customer[known], return_counts=True
        )
        row, who = np.divmod(cells, n_customers)
        support = np.diff(orders.indptr).astype(np.float64)
        squares = support - np.bincount(row, met, n)  # the unknown are somebody else each time
        squares += np.bincount(row, met**2, n)
        beside = np.stack(
            [
                support * (share**2).sum() - 2.0 * np.bincount(row, met * share[who], n)
                for share in self.share
            ]
        ).min(axis=0)
        found: Floats = np.maximum(squares / np.maximum(support, 1.0) + beside, 1.0)
        return found


class ItemRates:
    """Chances of some products to lie in single orders.

    Parameters
    ----------
    data : AssociationData
    item_ix : ndarray, int32
        Products that will be asked for, any number of times.
    """

    def __init__(self, data: AssociationData, item_ix: IxArray) -> None:
        self.data = data
        self.items = np.unique(item_ix)
        self.rates = [
            kind.rates(self.items, usual)
            for kind, usual in zip(data.kinds, data.usual(self.items), strict=True)
        ]

    def of(self, item_ix: IxArray, order: IxArray) -> Floats:
        """Chance of each product to lie in each order, both of shape (n,)."""
        null_model, row = self.data.null_model, np.searchsorted(self.items, item_ix)
        share = null_model.share[null_model.count_of[item_ix], null_model.size_of[order]]
        for kind, rates in zip(self.data.kinds, self.rates, strict=True):
            share *= rates[row, kind.of[order]]
        found: Floats = np.minimum(share, 1.0)
        return found

    def beside(self, bundles: IxArray, item: IxArray, orders: OrderLists) -> Floats:
        """Chance of one product to lie in each order of a list, beside what lies there.

        Parameters
        ----------
        bundles : ndarray of shape (n, size), int32
            What the orders of each list hold.
        item : ndarray of shape (n,), int32
            The one that is asked for.
        orders : OrderLists
            ``n`` lists.

        Returns
        -------
        ndarray of the length of ``orders.order``, float64
        """
        null_model, row = self.data.null_model, orders.rows()
        size_of = null_model.size_of[orders.order]
        size = null_model.sizes[size_of].astype(np.float64)
        taken = np.zeros(len(row))
        for member in bundles.T:
            taken += null_model.share[null_model.count_of[member[row]], size_of]
        left = np.maximum(size - bundles.shape[1], 0.0)
        scale = np.minimum(left / np.maximum(size - taken, 1e-9), 1.0)
        return self.of(item[row], orders.order) * np.where(left > 0, scale, 0.0)


@compiled
def _matched(a: IxArray, b: IxArray, table: Floats, weight: Floats) -> Floats:
    """Multiply two rows of a table, column by column, and add up with the columns' weights.

    Pair by pair, columns in order. Compiled because numpy would copy two rows for every pair.
    """
    found = np.zeros(len(a))
    for pair in range(len(a)):
        for column in range(len(weight)):
            found[pair] += table[a[pair], column] * table[b[pair], column] * weight[column]
    return found
