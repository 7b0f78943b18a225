"""Finds pairs of products that lie in one basket more often than chance explains.

A ``AssociationData`` comes in, the pairs that hold come out. Called by ``mining``.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from recsys.bundles import significance
from recsys.bundles.association_data import AssociationData
from recsys.bundles.pair_statistics import pair_statistics
from recsys.bundles.tested_sets import LEAST, TestedSets
from recsys.bundles.variants import Same
from recsys.config import BundleSettings as Settings
from recsys.models.kernels import PairCounts, pair_counts

#: Chance baskets of customers who had the choice from which on their mean choice is believed.
_ENOUGH: Final = 10.0


def find_pairs(data: AssociationData, settings: Settings, threads: int, same: Same) -> TestedSets:
    """Find pairs.

    Parameters
    ----------
    data : AssociationData
    settings : recsys.config.settings.BundleSettings
    threads : int
        As of ``pairs.count``.
    same : callable
        As of ``variants.same_thing``.

    Returns
    -------
    TestedSets
        Those that are reported at ``false_discovery_rate``, sorted by their products; neither
        one thing twice, nor things that are bought instead of one another.
    """
    counted = pair_counts.count_pairs(data.baskets.items, settings.min_support, threads=threads)
    tested = [_tested(data, part, settings.false_discovery_rate, same) for part in counted]
    whole = TestedSets.joined([TestedSets.nothing(2), *tested])
    # All pairs that could have had the support were tested, seen or not.
    frequent = int((data.counts >= settings.min_support).sum())
    q_value = significance.discovery_rates(whole.p_value, frequent * (frequent - 1) // 2)
    whole = replace(whole, q_value=q_value)
    found = whole.only(np.flatnonzero(q_value <= settings.false_discovery_rate))
    return found.only(np.lexsort(found.item_ix.T[::-1]))


def _tested(data: AssociationData, part: PairCounts, rate: float, same: Same) -> TestedSets:
    """Test the pairs of a block that are seen more often than baskets explain."""
    a, b, support = part.a, part.b, part.support.astype(np.int64)
    expected = data.null_model.together(a, b)
    some = np.flatnonzero(significance.at_least(support, expected) <= rate)
    a, b, support, expected = a[some], b[some], support[some], expected[some]
    # The more popular one first: what is gone through for each pair are the orders of the other.
    turn = data.counts[a] < data.counts[b]
    a, b = np.where(turn, b, a), np.where(turn, a, b)
    order = np.lexsort((b, a))
    a, b, support, expected = a[order], b[order], support[order], expected[order]
    met = pair_statistics(a, b, data.held, data.customers, data.share, data.kinds)
    has_expectation, by_chance = met.by_chance > 0, data.by_chance(a, b, met)
    expected *= data.factor(a, b, support, met.inside)
    expected = np.maximum(expected, LEAST)
    p_value = significance.at_least(support / met.repeats, expected / met.repeats)
    complement = np.where(
        has_expectation, met.chosen / np.where(has_expectation, by_chance, 1.0), np.nan
    )
    _, high = significance.interval(met.chosen / met.repeats)
    instead = has_expectation & (high * met.repeats < by_chance)
    instead |= (by_chance >= _ENOUGH) & (met.chosen < by_chance)
    keep = np.flatnonzero((p_value <= rate) & ~instead)
    keep = keep[~same(a[keep], b[keep])]
    items = np.stack([np.minimum(a, b), np.maximum(a, b)], axis=1)
    tested = TestedSets(items, support, expected, met.repeats, complement, p_value, p_value)
    return tested.only(keep)
