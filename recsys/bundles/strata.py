"""Weeks, stores, customers and small or large baskets as groups, in which chance is asked again.

Baskets come in; out comes how much more often two products meet because the same groups bought
both: they were promoted in the same weeks, are on the shelf of the same stores, or are what one
buys on a big shopping trip and never alone. Called by the modules that find bundles.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.bundles.evidence import GroupCounts, OrderLists, sparse_by_group
from recsys.datasets import Baskets, IntArray, IxArray, compiled
from recsys.units import DAY

Floats = npt.NDArray[np.float64]

#: Orders of a span of weeks and of a location that is looked at by itself, at least.
_OF_SPAN, _OF_PLACE = 100, 200
#: Meetings in different baskets of one group, and purchases, that stand for knowing nothing.
_DOUBT: Final = 1.0


class Strata(NamedTuple):
    """Orders in groups, and how often each group bought each product.

    Attributes
    ----------
    of : ndarray of shape (n_orders,), int32
        Group of each order; -1 for none.
    weight : ndarray of shape (n_groups,), float64
        Share of the ways to put two products into baskets of the group, as strong as each basket
        draws, that puts both into one; over those that put them into different ones.
    share : ndarray of shape (n_groups,), float64
        Of all that draws products, what each group's baskets make.
    whole : float
        ``weight`` where all orders are one group.
    indptr : ndarray of shape (n_items + 1,), int64
    group : ndarray, int32
        Groups that bought each product.
    times : ndarray, float64
        In how many orders.
    """

    of: IxArray
    weight: Floats
    share: Floats
    whole: float
    indptr: IntArray
    group: IxArray
    times: Floats

    @property
    def typical(self) -> float:
        """Mean weight over the orders."""
        known = self.of[self.of >= 0]
        return float(self.weight[known].mean()) if len(known) else 0.0

    def factor(self, a: IxArray, b: IxArray, inside: Floats, usual: Floats) -> Floats:
        """How many times as often as usual two products meet because groups bought both.

        Parameters
        ----------
        a, b : ndarray of shape (n,), int32
            Pairs, sorted by ``a``.
        inside : ndarray of shape (n,), float64
            Sum of ``weight`` over the orders with both: they say nothing of their groups.
        usual : ndarray of shape (n,), float64
            What the ways to meet in one group add up to where groups buy alike.
        """
        typical = self.typical
        if len(self.weight) < 2 or typical <= 0:
            return np.ones(len(a))
        held = GroupCounts(self.indptr, self.group, self.times)
        seen = sum_products(a, b, held, held, self.weight) - inside
        seen, usual = np.maximum(seen, 0.0) / typical, np.maximum(usual, 0.0) / typical
        factor: Floats = (seen + _DOUBT) / (usual + _DOUBT)
        return factor

    def rates(self, item_ix: IxArray, usual: Floats) -> Floats:
        """How many times as often as usual each group bought some products.

        Parameters
        ----------
        item_ix : ndarray of shape (n,), int32
        usual : ndarray of shape (n, n_groups), float64
            Orders with each product where groups buy alike.

        Returns
        -------
        ndarray of shape (n, n_groups), float64
        """
        found = np.zeros((len(item_ix), len(self.weight)))
        for row, item in enumerate(item_ix.tolist()):
            part = slice(self.indptr[item], self.indptr[item + 1])
            found[row, self.group[part]] = self.times[part]
        rates: Floats = (found + _DOUBT) / (usual + _DOUBT)
        return rates


def strata_of(held: OrderLists, pull: Floats, of: IxArray) -> Strata:
    """Look at orders in groups.

    Parameters
    ----------
    held : OrderLists
        Of each product.
    pull : ndarray of shape (n_orders,), float64
        As of ``NullModel``.
    of : ndarray of shape (n_orders,), int32
        Group of each; -1 for none.
    """
    n_groups = int(of.max(initial=-1)) + 1
    known = np.flatnonzero(of >= 0)
    drawn, squares = (
        np.bincount(of[known], part, n_groups) for part in (pull[known], pull[known] ** 2)
    )
    return Strata(
        of,
        _same_basket(drawn, squares),
        drawn / max(float(pull.sum()), 1e-300),
        float(_same_basket(pull.sum(), (pull**2).sum())),
        *sparse_by_group(held, of, n_groups),
    )


def week_spans(ts: IntArray) -> IxArray:
    """Number weeks, or as many in a row as have enough orders together."""
    week = ts // (7 * DAY)
    if not len(week):
        return np.zeros(0, np.int32)
    week -= week.min()
    n_of_week = np.bincount(week)
    number, begun, span = np.zeros(len(n_of_week), np.int32), 0, 0
    for at, many in enumerate(n_of_week.tolist()):
        if begun >= _OF_SPAN:
            span, begun = span + 1, 0
        number[at] = span
        begun += many
    if begun < _OF_SPAN and span:
        number[number == span] = span - 1
    return number[week]


def place_strata(baskets: Baskets) -> IxArray:
    """Number locations; those with few orders count as one, for each channel."""
    _, of, many = np.unique(baskets.location, return_inverse=True, return_counts=True)
    of = of.ravel()
    small = (many[of] < _OF_PLACE) | (baskets.location == 0)
    of = np.where(small, len(many) + baskets.channel.astype(np.int64), of)
    return np.unique(of, return_inverse=True)[1].ravel().astype(np.int32)


def size_strata(lengths: npt.NDArray[np.integer]) -> IxArray:
    """Number baskets by their size, half a doubling a step."""
    step = np.floor(2.0 * np.log2(np.maximum(lengths, 1))).astype(np.int64)
    return np.unique(step, return_inverse=True)[1].ravel().astype(np.int32)


def _same_basket(total: npt.ArrayLike, squares: npt.ArrayLike) -> Floats:
    squares = np.asarray(squares, np.float64)
    apart = np.asarray(total, np.float64) ** 2 - squares
    some = apart > 1e-9 * squares
    return np.where(some, squares / np.where(some, apart, 1.0), 0.0)


def sum_products(
    a: IxArray,
    b: IxArray,
    first: GroupCounts,
    then: GroupCounts,
    weight: Floats,
) -> Floats:
    """Multiply, group by group, how often it has each of two products, and add up.

    Parameters
    ----------
    a, b : ndarray of shape (n,), int32
        Pairs; those with one ``a`` stand together.
    first, then : GroupCounts
        ``first`` is looked up for ``a``, ``then`` for ``b``.
    weight : ndarray of shape (n_groups,), float64
        What each group counts.
    """
    return _crossed(a, b, *first, *then, weight)


@compiled
def _crossed(
    a: IxArray,
    b: IxArray,
    indptr: IntArray,
    group: IxArray,
    count: Floats,
    then_indptr: IntArray,
    then_group: IxArray,
    then_count: Floats,
    weight: Floats,
) -> Floats:
    """Add up ``weight * count of a * count of b`` over groups, pair by pair: ``sum_products``.

    ``first`` has the weighted counts of ``a`` by group, laid out once for all its pairs; groups of
    ``b`` are walked in ascending order. Compiled because a sparse product would work out every
    pair of products, not those asked for.
    """
    found = np.zeros(len(a))
    first = np.zeros(len(weight))
    for pair in range(len(a)):
        if pair == 0 or a[pair] != a[pair - 1]:
            if pair:
                for at in range(indptr[a[pair - 1]], indptr[a[pair - 1] + 1]):
                    first[group[at]] = 0.0
            for at in range(indptr[a[pair]], indptr[a[pair] + 1]):
                first[group[at]] = count[at] * weight[group[at]]
        total = 0.0
        for at in range(then_indptr[b[pair]], then_indptr[b[pair] + 1]):
            total += first[then_group[at]] * then_count[at]
        found[pair] = total
    return found
