"""Purchases before a moment, customers who are asked about, and what they bought after it.

The loaders of this folder make problems; every baseline of ``benchmarks.baselines`` learns from
``Purchases`` and answers with ``Lists``. Nothing of what came after the moment is in ``Purchases``
but what a task says may be used.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recsys.datasets import Lists, pointers

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

DAY = 86_400


@dataclass(frozen=True, eq=False)
class Purchases:
    """Each product of each basket once.

    Attributes
    ----------
    n_customers, n_items : int
    customer, basket, item : ndarray of shape (m,), int64
        Sorted by customer, then basket; a customer's baskets are numbered in time order.
    age_days : ndarray of shape (m,), float64
        At the latest moment that is known; never negative.
    """

    n_customers: int
    n_items: int
    customer: Ints
    basket: Ints
    item: Ints
    age_days: Floats

    @classmethod
    def of(
        cls,
        n_customers: int,
        n_items: int,
        customer: Ints,
        item: Ints,
        ts: Ints,
        basket: Ints | None = None,
    ) -> "Purchases":
        """Gather purchases in any order.

        Parameters
        ----------
        n_customers, n_items : int
        customer, item : ndarray of shape (m,), int64
        ts : ndarray of shape (m,), int64
            UTC epoch seconds.
        basket : ndarray of shape (m,), int64, optional
            Purchases of a customer with the same number are one basket; by default those of the
            same time.
        """
        basket = ts if basket is None else basket
        order = np.lexsort((item, basket, ts, customer))
        customer, item, ts, basket = customer[order], item[order], ts[order], basket[order]
        new = np.ones(len(customer), bool)
        new[1:] = (np.diff(customer) != 0) | (np.diff(basket) != 0)
        number = np.cumsum(new) - 1
        first = np.ones(len(customer), bool)
        first[1:] = (np.diff(number) != 0) | (np.diff(item) != 0)
        age_days = (ts.max(initial=0) - ts) / DAY
        return cls(
            n_customers, n_items, customer[first], number[first], item[first], age_days[first]
        )

    def weight(self, half_life_days: float | None) -> Floats:
        """What each purchase counts: one, or half after ``half_life_days``."""
        if half_life_days is None:
            return np.ones(len(self.item))
        return np.asarray(np.exp2(-self.age_days / half_life_days), np.float64)

    def matrix(self, half_life_days: float | None = None) -> sparse.csr_matrix:
        """Add purchases up, customers x items, float32, indices sorted."""
        found = sparse.csr_matrix(
            (self.weight(half_life_days).astype(np.float32), (self.customer, self.item)),
            shape=(self.n_customers, self.n_items),
        )
        found.sort_indices()
        return found

    def popularity(self, half_life_days: float | None = None) -> Floats:
        """Add purchases up by item."""
        weight = self.weight(half_life_days)
        return np.asarray(np.bincount(self.item, weight, self.n_items), np.float64)

    @cached_property
    def owned(self) -> sparse.csr_matrix:
        """Which customer ever bought what."""
        found = self.matrix()
        found.data[:] = 1
        return found


@dataclass(frozen=True, eq=False)
class Problem:
    """A question with its answer.

    Attributes
    ----------
    purchases : Purchases
        All that may be learned from.
    asked : ndarray of shape (n,), int64
        Customers.
    wanted : Lists
        What each bought then. Items from ``purchases.n_items`` on, where a task has any, were
        not known before: wanted, but out of reach.
    """

    purchases: Purchases
    asked: Ints
    wanted: Lists

    @property
    def owned(self) -> Lists:
        """What each asked customer had bought before."""
        held = self.purchases.owned[self.asked]
        return Lists(held.indptr.astype(np.int64), held.indices.astype(np.int32))

    def sample(self, at_most: int, seed: int) -> "Problem":
        """Return the problem with some of the asked customers, the same for one seed."""
        if len(self.asked) <= at_most:
            return self
        rows = np.random.default_rng(seed).choice(len(self.asked), at_most, replace=False)
        return self.only(np.sort(rows))

    def only(self, rows: Ints) -> "Problem":
        """Return the problem with the asked customers in these places."""
        wanted = [self.wanted.row(row).item_ix for row in rows.tolist()]
        return Problem(self.purchases, self.asked[rows], Lists.of_rows(wanted))

    def save(self, path: Path) -> None:
        """Write the arrays to one file."""
        bought = self.purchases
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(path.name + ".part.npz")
        np.savez(
            beside,
            shape=np.array([bought.n_customers, bought.n_items]),
            customer=bought.customer,
            basket=bought.basket,
            item=bought.item,
            age_days=bought.age_days,
            asked=self.asked,
            indptr=self.wanted.indptr,
            wanted=self.wanted.item_ix,
        )
        beside.replace(path)

    @classmethod
    def load(cls, path: Path) -> "Problem":
        """Read what ``save`` wrote."""
        with np.load(path) as held:
            n_customers, n_items = held["shape"].tolist()
            bought = Purchases(
                n_customers,
                n_items,
                *(held[name] for name in ("customer", "basket", "item", "age_days")),
            )
            return cls(bought, held["asked"], Lists(held["indptr"], held["wanted"]))


def by_window(
    customer: Ints, item: Ints, ts: Ints, basket: Ints, start_ts: int, end_ts: int
) -> Problem:
    """Cut purchases at a moment: learn before, ask those who came back, want the window.

    Wanted is what was known before; who came back for new products alone is not asked.

    Parameters
    ----------
    customer, item, ts, basket : ndarray of shape (m,), int64
        Every purchase, those after the window too. Items are numbered so that a smaller number
        was bought earlier or as early, see ``numbered``.
    start_ts, end_ts : int
        The window, half-open, UTC epoch seconds.

    Returns
    -------
    Problem
        With all customers' numbers, and the items that were bought before the window.
    """
    before = ts < start_ts
    n_items = int(item[before].max(initial=-1)) + 1
    bought = Purchases.of(
        int(customer.max(initial=-1)) + 1,
        n_items,
        customer[before],
        item[before],
        ts[before],
        basket[before],
    )
    within = (ts >= start_ts) & (ts < end_ts) & np.isin(customer, customer[before])
    within &= item < n_items
    asked, row = np.unique(customer[within], return_inverse=True)
    return Problem(bought, asked, Lists.of_pairs(row, item[within], len(asked)))


def numbered(values: NDArray[np.generic], ts: Ints) -> tuple[Ints, list[str]]:
    """Number values by when they were first seen, so that what is known is a range of numbers.

    Parameters
    ----------
    values : ndarray of shape (m,)
    ts : ndarray of shape (m,), int64

    Returns
    -------
    number : ndarray of shape (m,), int64
    names : list of str
        The value of each number.
    """
    found, of = np.unique(values, return_inverse=True)
    first = np.full(len(found), np.iinfo(np.int64).max)
    np.minimum.at(first, of, ts)
    order = np.argsort(first, kind="stable")
    place = np.empty(len(found), np.int64)
    place[order] = np.arange(len(found))
    return place[of], [str(value) for value in found[order]]


def best_of(scores: NDArray[np.floating], k: int, least: float = 0.0) -> Lists:
    """Turn dense scores into lists.

    Parameters
    ----------
    scores : ndarray of shape (n, n_items)
    k : int
    least : float
        Only what scores more is named.

    Returns
    -------
    Lists
        Best first, equal ones by item; short where fewer than ``k`` score.
    """
    n, n_items = scores.shape
    k = min(k, n_items)
    if k == 0 or n == 0:
        return Lists(np.zeros(n + 1, np.int64), np.empty(0, np.int32))
    first = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    held = np.take_along_axis(scores, first, 1)
    order = np.lexsort((first, -held))
    first = np.take_along_axis(first, order, 1)
    named = np.take_along_axis(held, order, 1) > least
    return Lists(
        pointers(np.repeat(np.arange(n), named.sum(axis=1)), n), first[named].astype(np.int32)
    )
