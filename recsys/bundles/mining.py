"""Finds products that sell together more often than chance explains.

A training comes in, ``Bundles`` with their evidence come out. Called by ``omnibasket train``, which
keeps them in the artefact.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.bundles import associated_pairs, description, sequences, sets
from recsys.bundles.association_data import AssociationData
from recsys.bundles.bundle_table import AFTER, TOGETHER, Bundles
from recsys.bundles.later_purchases import LaterPurchases
from recsys.bundles.selection import SelectedBundles
from recsys.bundles.tested_sets import TestedSets
from recsys.bundles.variants import same_product
from recsys.config import BundleSettings as Settings
from recsys.datasets import IntArray, TrainingSet
from recsys.ranking import ItemSimilarity

Floats = npt.NDArray[np.float64]

#: Shares of the list that are kept for larger sets and for what is bought later, where there are
#: so many: pairs have more support, and would take all places.
_SETS, _AFTER = 0.25, 0.15
#: Candidates for each bundle that is kept: those that only discounts brought together are dropped.
_SPARE: Final = 2


def mine(
    training: TrainingSet,
    settings: Settings,
    *,
    regions: Mapping[int, str] | None = None,
    similarity: ItemSimilarity | None = None,
) -> Bundles:
    """Find products worth selling together.

    Parameters
    ----------
    training : TrainingSet
    settings : recsys.config.settings.BundleSettings
    regions : mapping of int to str, optional
        Name of the group of locations that each location belongs to, by ``location_key``.
    similarity : ItemSimilarity, optional
        Tells which products are one thing in several sizes; those are no bundle.

    Returns
    -------
    Bundles
        At most ``settings.max_bundles``, strongest evidence first; none where nothing sells
        together.

    Notes
    -----
    Pairs, larger sets and what is bought later are three families of tests; each keeps
    ``settings.false_discovery_rate`` by itself.
    """
    data, same = AssociationData.of(training.baskets), same_product(training, similarity)
    pairs = associated_pairs.find_pairs(data, settings, training.threads, same)
    larger = sets.find_sets(data, settings, pairs)
    later_purchases = LaterPurchases.of(
        training.baskets, training.as_of_ts, settings.within_days, training.seed
    )
    after = sequences.find_sequences(training, data, later_purchases, settings, same)
    families = [[pairs], larger, [after]]
    strength = np.concatenate([test.strength for family in families for test in family])
    family = np.repeat([0, 1, 2], [sum(map(len, family)) for family in families])
    best = _strongest(strength, family, _SPARE * settings.max_bundles)
    parts = [(TOGETHER, pairs), *((TOGETHER, size) for size in larger), (AFTER, after)]
    found = _taken(data, later_purchases, parts, best)
    lift, promoted = description.undiscounted(data, later_purchases, found)
    kept = np.flatnonzero(~promoted)
    kept = kept[_strongest(strength[best][kept], family[best][kept], settings.max_bundles)]
    return description.describe(
        data, later_purchases, found.only(kept), regions or {}, settings, lift[kept]
    )


def _taken(
    data: AssociationData,
    later_purchases: LaterPurchases,
    parts: Sequence[tuple[int, TestedSets]],
    best: IntArray,
) -> SelectedBundles:
    """Take some of all tested sets, one part behind the other, in this order."""
    ends = np.cumsum([0, *(len(tested) for _, tested in parts)])
    chosen = np.sort(best)
    found = SelectedBundles.joined(
        [
            SelectedBundles.of(
                data, later_purchases, kind, tested.only(chosen[(chosen >= a) & (chosen < b)] - a)
            )
            for (kind, tested), a, b in zip(parts, ends, ends[1:], strict=False)
        ]
    )
    return found.only(np.searchsorted(chosen, best))


def _strongest(strength: Floats, family: IntArray, n: int) -> IntArray:
    """Choose those with the strongest evidence, a share of them from each family."""
    order = np.argsort(-strength, kind="stable")
    sure = [order[family[order] == at][: int(share * n)] for at, share in ((1, _SETS), (2, _AFTER))]
    taken = np.concatenate(sure)
    rest = order[~np.isin(order, taken)][: n - len(taken)]
    kept = np.zeros(len(strength), bool)
    kept[taken] = kept[rest] = True
    found: IntArray = order[kept[order]]
    return found
