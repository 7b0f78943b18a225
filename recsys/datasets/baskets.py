"""Orders × products: what every model fits on.

``training_set`` fills a ``TrainingSet`` from an encoded history; models take from it the sparse
matrices they need, all of them sums over one pass through the lines.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recsys.config import InteractionWeights
from recsys.datasets.interactions import Interactions, decay, strength
from recsys.datasets.item_index import IntArray, ItemIndex, IxArray
from recsys.datasets.products import Products
from recsys.units import DAY

if TYPE_CHECKING:
    from recsys.datasets.encoded_history import EncodedHistory
    from recsys.history import History

__all__ = ["DAY", "Baskets", "TrainingSet"]


@dataclass(frozen=True, eq=False)
class Baskets:
    """What each order held and kept, who bought it, when and where.

    Attributes
    ----------
    items : csr_array of shape (n_orders, n_items), float32
        1 for each product that the order kept, once returns are taken off (the rule of
        ``Histories.purchases``). Rows are sorted by time, then order id.
    ts : ndarray of shape (n_orders,), int64
        UTC epoch seconds.
    customer : ndarray of shape (n_orders,), int32
        Index into ``customer_ids``; -1 where nobody could be named.
    channel : ndarray of shape (n_orders,), uint8
        Index into ``schema.CHANNELS``.
    location : ndarray of shape (n_orders,), int64
        ``item_index.location_key``; 0 for none.
    customer_ids : list of str
        In the order of ``shuffled_customers``.
    discounted : ndarray of the length of ``items.indices``, bool, optional
        Whether something was taken off the price; None where nothing was ever discounted.
    """

    items: sparse.csr_array
    ts: IntArray
    customer: IxArray
    channel: npt.NDArray[np.uint8]
    location: IntArray
    customer_ids: list[str]
    discounted: npt.NDArray[np.bool_] | None = None

    def decay(self, as_of_ts: int, half_life_days: float) -> npt.NDArray[np.float64]:
        """Return what each order counts at one time: 1 when new, half after the half-life.

        Parameters
        ----------
        as_of_ts : int
            UTC epoch seconds; orders after it count 1.
        half_life_days : float
            Age at which an order counts half. Days, > 0.

        Returns
        -------
        ndarray of shape (n_orders,), float64
            In [0, 1].
        """
        return decay(self.ts, as_of_ts, half_life_days)

    def summed(
        self, group: npt.NDArray[np.integer], n_groups: int, weight: npt.NDArray[np.float64]
    ) -> sparse.csr_array:
        """Add up the orders of each group.

        Parameters
        ----------
        group : ndarray of shape (n_orders,), integer
            Which group an order belongs to; -1 for none.
        n_groups : int
        weight : ndarray of shape (n_orders,), float64
            What each order counts.

        Returns
        -------
        csr_array of shape (n_groups, n_items), float64
            Indices sorted.
        """
        n_orders = self.items.shape[0]
        of = np.flatnonzero(group >= 0)
        groups = sparse.csr_array((weight[of], (group[of], of)), shape=(n_groups, n_orders))
        total = sparse.csr_array(groups @ self.items)
        total.sort_indices()
        return total

    def by_customer(self, weight: npt.NDArray[np.float64]) -> sparse.csr_array:
        """Add up each customer's orders; those of nobody known are left out.

        Parameters
        ----------
        weight : ndarray of shape (n_orders,), float64
            What each order counts, for example its ``decay``.

        Returns
        -------
        csr_array of shape (n_customers, n_items), float64
            Rows in the order of ``customer_ids``, indices sorted.
        """
        return self.summed(self.customer, len(self.customer_ids), weight)


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Everything a model's ``fit`` may look at.

    Attributes
    ----------
    index : ItemIndex
        Every product of the catalogue, and every one sold before ``as_of_ts``.
    baskets : Baskets
        The orders before ``as_of_ts``.
    as_of_ts : int
        UTC epoch seconds; nothing at or after it is seen.
    category : ndarray of shape (n_items,), int32
        Number of each product's category (or department); -1 where it has none.
    seed : int
        Of everything random.
    threads : int
        Threads that a model may use.
    products : Products, optional
        What the catalogue says of each product; None where it says nothing.
    interactions : Interactions, optional
        Views, carts and returns before ``as_of_ts``: of ``baskets.customer_ids`` first, then of
        customers who never ordered. None where there are none.
    """

    index: ItemIndex
    baskets: Baskets
    as_of_ts: int
    category: IxArray
    seed: int = 0
    threads: int = 2
    products: Products | None = None
    interactions: Interactions | None = None

    @classmethod
    def read(
        cls,
        history: "History | EncodedHistory",
        as_of_ts: int,
        *,
        since_ts: int | None = None,
        seed: int = 0,
        threads: int = 2,
    ) -> "TrainingSet":
        """Read a history as it was known at one time.

        Parameters
        ----------
        history : History or EncodedHistory
            Encoded where several trainings are cut from one history, which is read once then.
        as_of_ts : int
            UTC epoch seconds. Only lines before it count.
        since_ts : int, optional
            Only lines at or after it count; products sold before it stay in the catalogue.
        seed, threads : int
            As the attributes.

        Raises
        ------
        DataError
            When no order is left to learn from.
        """
        # Parquet is not loaded where only arrays are used.
        from recsys.datasets import training_set
        from recsys.datasets.encoded_history import EncodedHistory

        numbers = history if isinstance(history, EncodedHistory) else EncodedHistory.read(history)
        return training_set.training_at(
            numbers, as_of_ts, since_ts=since_ts, seed=seed, threads=threads
        )

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return len(self.index)

    def interest(self, half_life_days: float, weights: InteractionWeights) -> sparse.csr_array:
        """Say how much each customer likes each product, as ``Batch.interest`` does.

        Parameters
        ----------
        half_life_days : float
            Age at which a purchase or another interaction counts half. Days, > 0.
        weights : InteractionWeights
            What each kind counts.

        Returns
        -------
        csr_array of shape (n_customers, n_items), float64
            Below zero where returns outweigh the rest; no explicit zeros, indices sorted. Those
            who never ordered come last.
        """
        bought = self.baskets.by_customer(self.baskets.decay(self.as_of_ts, half_life_days))
        bought.data *= weights.purchase
        done = self.interactions
        if done is None or not len(done.item_ix):
            return bought
        worth = strength(done.ts, done.kind, self.as_of_ts, half_life_days, weights)
        shape = (len(done), self.n_items)
        besides = sparse.csr_array((worth, (done.row, done.item_ix)), shape=shape)
        bought.resize(shape)
        total = sparse.csr_array(bought + besides)
        total.eliminate_zeros()
        total.sort_indices()
        return total
