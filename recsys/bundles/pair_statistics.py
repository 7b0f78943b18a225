"""Who bought two products together, and who had the choice.

Pairs of products come in; out comes what their common baskets say of customers: how many bought
both at once, how much the same ones did again and again, and how often those who buy both put them
into one basket beside how often they would by chance. Called by ``associated_pairs``.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.bundles.evidence import OrderLists
from recsys.bundles.strata import Strata
from recsys.datasets import IntArray, IxArray, compiled

Floats = npt.NDArray[np.float64]


class PairStatistics(NamedTuple):
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
    inside : ndarray of shape (n, n_kinds), float64
        Sums of the weights of the groups of the baskets with both, for each kind of groups.
    """

    customers: IntArray
    repeats: Floats
    chosen: Floats
    by_chance: Floats
    inside: Floats


def pair_statistics(
    a: IxArray,
    b: IxArray,
    held: OrderLists,
    customers: Strata,
    share: Floats,
    kinds: Sequence[Strata],
) -> PairStatistics:
    """Look at the baskets that hold both products of each pair.

    Parameters
    ----------
    a, b : ndarray of shape (n,), int32
        Sorted by ``a``.
    held : OrderLists
        Of each product.
    customers : Strata
    share : ndarray of shape (n_ways, n_customers), float64
        As of ``AssociationData``.
    kinds : sequence of Strata
        Other ways to put the orders into groups.
    """
    n_of = np.bincount(customers.of[customers.of >= 0], minlength=len(customers.weight))
    return PairStatistics(
        *_meetings(
            a,
            b,
            held.indptr,
            held.order,
            customers.of,
            customers.indptr,
            customers.group,
            customers.times,
            n_of.astype(np.float64),
            customers.weight,
            share,
            np.stack([np.append(kind.weight, 0.0)[kind.of] for kind in kinds], axis=1),
        )
    )


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
    weights: Floats,
) -> tuple[IntArray, Floats, Floats, Floats, Floats]:
    """Work out the fields of ``PairStatistics``, pair by pair.

    For all pairs of one ``a``, ``held`` marks its baskets and ``first`` counts those of each
    customer. A walk over the baskets of ``b`` fills ``both``, the baskets with both of each
    customer; a walk over its buyers adds up what they say and clears it. With ``k`` baskets, of
    which customer ``c`` filled ``k_c`` and has a share ``w_c``, ``repeats`` is the sum of
    ``(k_c - k w_c)^2 / k``, multiplied out, for the way of ``share`` that makes it smallest; a
    basket of nobody known is a customer of its own. Compiled because all five come from one walk
    over the baskets, which no array of pairs × customers could hold.
    """
    n = len(a)
    customers, repeats = np.zeros(n, np.int64), np.ones(n)
    chosen, by_chance = np.zeros(n), np.zeros(n)
    inside = np.zeros((n, weights.shape[1]))
    held = np.zeros(len(customer), np.bool_)
    first, both = np.zeros(len(n_of)), np.zeros(len(n_of))
    n_ways = len(share)
    evenly = (share * share).sum(axis=1)
    likely = np.zeros(n_ways)
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
            for kind in range(weights.shape[1]):
                inside[pair, kind] += weights[basket, kind]
            if customer[basket] >= 0:
                both[customer[basket]] += 1.0
            else:
                unknown += 1.0
        # Var(k) by customers: sum of (k_c - k w_c)^2, w_c a customer's share.
        squares = unknown
        likely[:] = 0.0
        for at in range(buyers[b[pair]], buyers[b[pair] + 1]):
            who = buyer[at]
            if first[who] == 0.0:
                continue
            met = both[who]
            both[who] = 0.0
            if met > 0.0:
                customers[pair] += 1
                squares += met * met
                for way in range(n_ways):
                    likely[way] += met * share[way, who]
            if first[who] < n_of[who] and times[at] < n_of[who]:
                chosen[pair] += met
                # Of all ways, those that put both into one basket.
                usual = first[who] * times[at] * weight[who] / (1.0 + weight[who])
                by_chance[pair] += min(usual, first[who], times[at])
        if support > 0.0:
            beside = (support * evenly - 2.0 * likely).min()
            repeats[pair] = max(squares / support + beside, 1.0)
    return customers, repeats, chosen, by_chance, inside
