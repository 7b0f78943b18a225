"""Puts pairs together to sets of three and four that are bought as a whole.

Pairs that hold come in; sets come out that lie in one basket more often than any split of them
into smaller parts explains [1]_. Called by ``mining``.

References
----------
.. [1] Webb (2010), Self-sufficient itemsets: an approach to screening potentially interesting
   associations between items, ACM TKDD.
"""

from dataclasses import replace
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.bundles import evidence, significance
from recsys.bundles.association_data import AssociationData, ItemRates
from recsys.bundles.tested_sets import LEAST, TestedSets
from recsys.config import BundleSettings as Settings
from recsys.datasets import IxArray

Floats = npt.NDArray[np.float64]

#: Pairs that sets are made of, those with the strongest evidence.
_PAIRS: Final = 20_000
#: Sets of one size that are looked at.
_SETS: Final = 50_000
#: Orders, one behind the other, that are looked at in one step.
_ORDERS: Final = 2_000_000


def find_sets(data: AssociationData, settings: Settings, pairs: TestedSets) -> list[TestedSets]:
    """Find sets of three, and of those sets of four.

    Parameters
    ----------
    data : AssociationData
    settings : recsys.config.settings.BundleSettings
    pairs : TestedSets
        All products of a set are in pairs with each other among these.

    Returns
    -------
    list of TestedSets
        One for each size from 3 to ``settings.max_size``, those that are reported at
        ``false_discovery_rate``.
    """
    best = np.sort(np.argsort(-pairs.strength, kind="stable")[:_PAIRS])
    pairs = pairs.only(best)
    lift_of = dict(
        zip(
            map(tuple, pairs.item_ix.tolist()),
            zip(pairs.support / pairs.expected, pairs.complement, strict=True),
            strict=True,
        )
    )
    by_size, last = [], pairs
    for size in range(3, settings.max_size + 1):
        candidates = _joined(last.item_ix)
        last = (
            _tested(data, settings, candidates, lift_of)
            if len(candidates)
            else TestedSets.nothing(size)
        )
        by_size.append(last)
    return by_size


def _joined(smaller: IxArray) -> IxArray:
    """Sets all of whose parts with one product less are among the given ones."""
    size = smaller.shape[1] + 1
    known = set(map(tuple, smaller.tolist()))
    following: dict[tuple[int, ...], list[int]] = {}
    for *first, last in sorted(known):
        following.setdefault(tuple(first), []).append(last)
    joined_sets: list[tuple[int, ...]] = []
    for shared, lasts in following.items():
        for one, other in combinations(lasts, 2):
            joined = (*shared, one, other)
            if all(part in known for part in combinations(joined, size - 1)):
                joined_sets.append(joined)
                if len(joined_sets) == _SETS:
                    return np.array(joined_sets, np.int32)
    return np.array(joined_sets, np.int32).reshape(-1, size)


def _tested(
    data: AssociationData,
    settings: Settings,
    candidates: IxArray,
    known: dict[tuple[int, ...], tuple[float, float]],
) -> TestedSets:
    rates = ItemRates(data, candidates)
    # For each set as many as its second rarest product has, at most.
    work = np.cumsum(np.sort(data.counts[candidates], axis=1)[:, 1])
    parts = [
        _part(data, settings, part, known, rates)
        for part in np.split(candidates, np.flatnonzero(np.diff(work // _ORDERS)) + 1)
    ]
    whole = TestedSets.joined(parts)
    q_value = significance.discovery_rates(whole.p_value, len(candidates))
    return replace(whole, q_value=q_value).only(
        np.flatnonzero(q_value <= settings.false_discovery_rate)
    )


def _part(
    data: AssociationData,
    settings: Settings,
    sets: IxArray,
    known: dict[tuple[int, ...], tuple[float, float]],
    rates: ItemRates,
) -> TestedSets:
    """Test sets; those without the support are left out."""
    together = evidence.orders_holding(data.held, *evidence.ragged_sets(sets))
    enough = np.flatnonzero(np.diff(together.indptr) >= settings.min_support)
    sets, together = sets[enough], evidence.only_lists(together, enough)
    support = np.diff(together.indptr)
    size = sets.shape[1]
    expected = np.full(len(sets), LEAST)
    for one in range(size):
        others = np.delete(sets, one, axis=1)
        orders = evidence.orders_holding(data.held, *evidence.ragged_sets(others))
        chances = rates.beside(others, sets[:, one], orders)
        np.maximum(expected, np.bincount(orders.rows(), chances, len(sets)), out=expected)
    if size == 4:
        for half in combinations(range(size), 2):
            rest = [at for at in range(size) if at not in half]
            orders = evidence.orders_holding(data.held, *evidence.ragged_sets(sets[:, half]))
            lift = np.array([known[tuple(pair)][0] for pair in sets[:, rest].tolist()])
            a, b = (rates.of(sets[orders.rows(), at], orders.order) for at in rest)
            chances = np.minimum(a * b * lift[orders.rows()], np.minimum(a, b))
            np.maximum(expected, np.bincount(orders.rows(), chances, len(sets)), out=expected)
    complement = np.full(len(sets), np.inf)
    for pair in combinations(range(size), 2):
        of_pair = [known[tuple(items)][1] for items in sets[:, pair].tolist()]
        complement = np.fmin(complement, of_pair)
    complement[np.isinf(complement)] = np.nan
    repeats = data.repeats(together)
    p_value = significance.at_least(support / repeats, expected / repeats)
    return TestedSets(sets, support, expected, repeats, complement, p_value, p_value)
