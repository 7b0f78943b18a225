"""What every search for bundles stands on: orders by product, chances, groups and customers.

A training comes in; what is worked out of it once comes out. Called by ``mining``, which hands it
to the modules that look for pairs, larger sets and what is bought later.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.bundles import evidence
from recsys.bundles.chance import Chance
from recsys.bundles.evidence import Orders
from recsys.bundles.groups import Groups, groups, places, spans
from recsys.matrices.baskets import Baskets
from recsys.matrices.ids import IntArray, IxArray

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ground:
    """Purchases, ready to be searched.

    Attributes
    ----------
    baskets : Baskets
    held : Orders
        Of each product.
    counts : ndarray of shape (n_items,), int64
        Orders that hold each.
    chance : Chance
    weeks, places, customers : Groups
    share : ndarray of shape (n_customers,), float64
        Of all chances that two products meet, the share that lies with each customer.
    """

    baskets: Baskets
    held: Orders
    counts: IntArray
    chance: Chance
    weeks: Groups
    places: Groups
    customers: Groups
    share: Floats

    @classmethod
    def of(cls, baskets: Baskets) -> "Ground":
        """Work it out."""
        items, chance = baskets.items, Chance.of(baskets)
        held = evidence.postings(items.indices, items.indptr, items.shape)
        pull = chance.pull
        customers = groups(baskets, pull, baskets.customer)
        known = np.flatnonzero(baskets.customer >= 0)
        squares = np.bincount(
            baskets.customer[known], pull[known] ** 2, minlength=len(customers.weight)
        )
        return cls(
            baskets=baskets,
            held=held,
            counts=np.diff(held.indptr),
            chance=chance,
            weeks=groups(baskets, pull, spans(baskets.ts)),
            places=groups(baskets, pull, places(baskets)),
            customers=customers,
            share=squares / max(float((pull**2).sum()), 1e-300),
        )

    def repeats(self, orders: Orders) -> Floats:
        """How many orders of each list count as one because the same customers made them.

        Returns
        -------
        ndarray of shape (n,), float64
            At least 1: the variance of what customers have of a list, beside that of chance.
        """
        n, customer = len(orders.indptr) - 1, self.baskets.customer[orders.order]
        known = np.flatnonzero(customer >= 0)
        n_customers = max(len(self.share), 1)
        cells, met = np.unique(
            orders.rows()[known] * n_customers + customer[known], return_counts=True
        )
        row, who = np.divmod(cells, n_customers)
        support = np.diff(orders.indptr).astype(np.float64)
        spread = support - np.bincount(row, met, n)  # the unknown are somebody else each time
        spread += support**2 * (self.share**2).sum()
        if len(cells):
            spread += np.bincount(row, met * (met - 2.0 * support[row] * self.share[who]), n)
        return np.maximum(spread / np.maximum(support, 1.0), 1.0)


class Rates:
    """Chances of some products to lie in single orders.

    Parameters
    ----------
    ground : Ground
    item_ix : ndarray, int32
        Products that will be asked for, any number of times.
    """

    def __init__(self, ground: Ground, item_ix: IxArray) -> None:
        self.ground = ground
        self.items = np.unique(item_ix)
        self.weeks = ground.weeks.rates(self.items, ground.counts)
        self.places = ground.places.rates(self.items, ground.counts)

    def of(self, item_ix: IxArray, order: IxArray) -> Floats:
        """Chance of each product to lie in each order, both of shape (n,)."""
        chance, row = self.ground.chance, np.searchsorted(self.items, item_ix)
        share = chance.share[chance.count_of[item_ix], chance.size_of[order]]
        share *= self.weeks[row, self.ground.weeks.of[order]]
        share *= self.places[row, self.ground.places.of[order]]
        found: Floats = np.minimum(share, 1.0)
        return found

    def beside(self, bundles: IxArray, item: IxArray, orders: Orders) -> Floats:
        """Chance of one product to lie in each order of a list, beside what lies there.

        Parameters
        ----------
        bundles : ndarray of shape (n, size), int32
            What the orders of each list hold.
        item : ndarray of shape (n,), int32
            The one that is asked for.
        orders : Orders
            ``n`` lists.

        Returns
        -------
        ndarray of the length of ``orders.order``, float64
        """
        chance, row = self.ground.chance, orders.rows()
        size_of = chance.size_of[orders.order]
        size = chance.sizes[size_of].astype(np.float64)
        taken = np.zeros(len(row))
        for member in bundles.T:
            taken += chance.share[chance.count_of[member[row]], size_of]
        left = np.maximum(size - bundles.shape[1], 0.0)
        scale = np.minimum(left / np.maximum(size - taken, 1e-9), 1.0)
        return self.of(item[row], orders.order) * np.where(left > 0, scale, 0.0)
