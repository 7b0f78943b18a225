"""Who bought two products together, and who had the choice.

Pairs of products come in; out comes what their common baskets say of customers: how many bought
both at once, how much the same ones did again and again, and how often those who buy both put them
into one basket beside how often they would by chance. Called by ``pairing``.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.bundles.evidence import Orders
from recsys.bundles.groups import Groups
from recsys.matrices.compiled import compiled
from recsys.matrices.ids import IntArray, IxArray

Floats = npt.NDArray[np.float64]


class Meetings(NamedTuple):
    """Of each pair.

    Attributes
    ----------
    customers : ndarray of shape (n,), int64
        Known customers who bought both at once.
    repeats : ndarray of shape (n,), float64
        How many baskets count as one, at least 1, because the same customers filled them.
    chosen, by_chance : ndarray of shape (n,), float64
        Baskets with both of customers who bought both and could have bought them apart, and how
        many there would be if they had put both into their own baskets at random.
    in_weeks, in_places : ndarray of shape (n,), float64
        Sums of the weights of the groups of the baskets with both.
    """

    customers: IntArray
    repeats: Floats
    chosen: Floats
    by_chance: Floats
    in_weeks: Floats
    in_places: Floats


def meetings(
    a: IxArray,
    b: IxArray,
    held: Orders,
    customers: Groups,
    share: Floats,
    weeks: Groups,
    places: Groups,
) -> Meetings:
    """Look at the baskets that hold both products of each pair.

    Parameters
    ----------
    a, b : ndarray of shape (n,), int32
        Sorted by ``a``.
    held : Orders
        Of each product.
    customers, weeks, places : Groups
        Of the orders.
    share : ndarray of shape (n_customers,), float64
        Of all chances that two products meet, the share that lies with each customer.
    """
    n_of = np.bincount(customers.of[customers.of >= 0], minlength=len(customers.weight))
    return Meetings(
        *_meetings(
            a, b, held.indptr, held.order, customers.of, customers.indptr, customers.group,
            customers.times, n_of.astype(np.float64), customers.weight, share,
            _of_order(weeks), _of_order(places),
        )
    )  # fmt: skip


def _of_order(groups: Groups) -> Floats:
    """Weight of each order's group."""
    return np.append(groups.weight, 0.0)[groups.of]


@compiled
def _meetings(
    a: IxArray,
    b: IxArray,
    indptr: IntArray,
    order: IxArray,
    customer: IxArray,
    buyers: IntArray,
    buyer: IxArray,
    times: Floats,
    n_of: Floats,
    weight: Floats,
    share: Floats,
    of_week: Floats,
    of_place: Floats,
) -> tuple[IntArray, Floats, Floats, Floats, Floats, Floats]:
    n = len(a)
    customers, repeats = np.zeros(n, np.int64), np.ones(n)
    chosen, by_chance = np.zeros(n), np.zeros(n)
    in_weeks, in_places = np.zeros(n), np.zeros(n)
    held = np.zeros(len(customer), np.bool_)
    first, both = np.zeros(len(n_of)), np.zeros(len(n_of))
    evenly = (share * share).sum()
    for pair in range(n):
        if pair == 0 or a[pair] != a[pair - 1]:
            if pair:
                for at in range(indptr[a[pair - 1]], indptr[a[pair - 1] + 1]):
                    held[order[at]] = False
                for at in range(buyers[a[pair - 1]], buyers[a[pair - 1] + 1]):
                    first[buyer[at]] = 0.0
            for at in range(indptr[a[pair]], indptr[a[pair] + 1]):
                held[order[at]] = True
            for at in range(buyers[a[pair]], buyers[a[pair] + 1]):
                first[buyer[at]] = times[at]
        support, unknown = 0.0, 0.0
        for at in range(indptr[b[pair]], indptr[b[pair] + 1]):
            basket = order[at]
            if not held[basket]:
                continue
            support += 1.0
            in_weeks[pair] += of_week[basket]
            in_places[pair] += of_place[basket]
            if customer[basket] >= 0:
                both[customer[basket]] += 1.0
            else:
                unknown += 1.0
        # Var(k) by customers: sum of (k_c - k w_c)^2, w_c a customer's share of all chances.
        spread = unknown + support * support * evenly
        for at in range(buyers[b[pair]], buyers[b[pair] + 1]):
            who = buyer[at]
            if first[who] == 0.0:
                continue
            met = both[who]
            both[who] = 0.0
            if met > 0.0:
                customers[pair] += 1
                spread += met * met - 2.0 * support * met * share[who]
            if first[who] < n_of[who] and times[at] < n_of[who]:
                chosen[pair] += met
                # Of all ways, those that put both into one basket.
                usual = first[who] * times[at] * weight[who] / (1.0 + weight[who])
                by_chance[pair] += min(usual, first[who], times[at])
        if support > 0.0:
            repeats[pair] = max(spread / support, 1.0)
    return customers, repeats, chosen, by_chance, in_weeks, in_places
