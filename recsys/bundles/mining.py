"""Finds products that sell together more often than chance explains.

A training comes in, ``Bundles`` with their evidence come out. Called by ``omnibasket train``, which
keeps them in the artefact.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from recsys.bundles import describing, following, pairing, sets
from recsys.bundles.chosen import chosen
from recsys.bundles.found import AFTER, TOGETHER, Bundles
from recsys.bundles.ground import Ground
from recsys.bundles.later import Later
from recsys.bundles.tested import Tested
from recsys.bundles.variants import same_thing
from recsys.matrices.baskets import Training
from recsys.matrices.ids import IntArray
from recsys.ranking.diversity import Alike
from recsys.settings import Bundles as Settings

#: Shares of the list that are kept for larger sets and for what is bought later, where there are
#: so many: pairs have more support, and would take all places.
_SETS, _AFTER = 0.25, 0.15
#: So many times the list is looked at for what discounts alone brought together.
_SPARE: Final = 2


def mine(
    training: Training,
    settings: Settings,
    *,
    regions: Mapping[int, str] | None = None,
    alike: Alike | None = None,
) -> Bundles:
    """Find products worth selling together.

    Parameters
    ----------
    training : Training
    settings : recsys.settings.Bundles
    regions : mapping of int to str, optional
        Name of the group of locations that each location belongs to, by ``ids.location_key``.
    alike : Alike, optional
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
    ground, same = Ground.of(training.baskets), same_thing(training, alike)
    pairs = pairing.find(ground, settings, training.threads, same)
    larger = sets.find(ground, settings, pairs)
    later = Later.of(training.baskets, training.as_of_ts, settings.within_days, training.seed)
    after = following.find(training, ground, later, settings, same)
    kinds = [(TOGETHER, pairs), *((TOGETHER, size) for size in larger), (AFTER, after)]
    families = [[pairs], larger, [after]]
    order = _strongest(families, _SPARE * settings.max_bundles)
    found = chosen(ground, later, kinds, order)
    _, promoted = describing.undiscounted(ground, found)
    order = order[~promoted]
    if len(order) > settings.max_bundles:
        order = order[np.isin(order, _strongest(families, settings.max_bundles, order))]
    found = chosen(ground, later, kinds, order)
    lift, _ = describing.undiscounted(ground, found)
    return describing.describe(ground, later, found, regions or {}, settings, lift)


def _strongest(
    families: Sequence[Sequence[Tested]], n: int, among: IntArray | None = None
) -> IntArray:
    """Choose those with the strongest evidence, a share of them from each family."""
    strength = np.concatenate([tested.strength for family in families for tested in family])
    family = np.repeat(np.arange(len(families)), [sum(map(len, family)) for family in families])
    allowed = np.ones(len(strength), bool)
    if among is not None:
        allowed[:] = False
        allowed[among] = True
    order = np.lexsort((np.arange(len(strength)), -strength))
    order = order[allowed[order]]
    sure = [order[family[order] == at][: int(share * n)] for at, share in ((1, _SETS), (2, _AFTER))]
    taken = np.concatenate(sure)
    rest = order[~np.isin(order, taken)][: n - len(taken)]
    kept = np.zeros(len(strength), bool)
    kept[taken] = kept[rest] = True
    return order[kept[order]].astype(np.int64)
