"""Every test behind the bundles, also of what was not reported.

What an artefact's bundles were found in comes in; data frames come out, one row a pair of products
that could have been one, made by the same tests. Called by ``studied_bundles``.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np
import numpy.typing as npt

from recsys.bundles import (
    AFTER,
    AssociationData,
    Bundles,
    LaterPurchases,
    associated_pairs,
    evidence,
    same_product,
)
from recsys.config import BundleSettings as Settings
from recsys.datasets import IntArray, TrainingSet
from recsys.models import Content
from recsys.models.kernels import pair_counts
from recsys.ranking import ItemSimilarity

if TYPE_CHECKING:
    import pandas as pd

#: What became of a pair.
VERDICTS: Final = ("holds", "chance", "one thing", "instead")
_HOLDS, _CHANCE, _ONE_THING, _INSTEAD = range(4)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AllPairs:
    """All pairs of a training.

    Attributes
    ----------
    training : TrainingSet
    settings : recsys.config.settings.BundleSettings
        That the bundles were found with.
    content : Content, optional
        Tells which titles are nearly the same.
    """

    training: TrainingSet
    settings: Settings
    content: Content | None = None

    def baskets(self) -> "pd.DataFrame":
        """Say which baskets the pairs come from.

        Returns
        -------
        DataFrame
            By number of ``products``: how many ``baskets`` have as many, and how many ``pairs``
            lie in them.
        """
        import pandas as pd

        sizes, many = np.unique(np.diff(self.training.baskets.items.indptr), return_counts=True)
        sizes = sizes.astype(np.int64)
        columns = {"baskets": many, "pairs": many * sizes * (sizes - 1) // 2}
        return pd.DataFrame(columns, index=pd.Index(sizes, name="products"))

    def pairs(self) -> "pd.DataFrame":
        """Test all pairs that enough baskets hold, in the order of their products.

        Returns
        -------
        DataFrame
            ``a, b`` (positions in the catalogue), ``support``, ``confidence`` (share of the
            baskets with the rarer one that hold both), ``plain_lift`` (over chance if all baskets
            were alike), ``sizes_lift`` (if they held anything, as much as they do), ``lift,
            lift_low, lift_high`` (over all that chance explains, as of a bundle), ``repeats``
            (baskets that count as one because the same customers filled them), ``complement,
            p_value, q_value``, and the ``verdict``, one of ``VERDICTS``. What is one thing twice,
            or bought instead of one another, was not tested further: NaN from ``lift`` on.
        """
        import pandas as pd

        data, settings = self._data, self.settings
        items, threads = self.training.baskets.items, self.training.threads
        parts = list(pair_counts.count_pairs(items, settings.min_support, threads=threads))
        none = np.zeros(0, np.int32)
        a, b, support = (
            np.concatenate([none, *(part[column] for part in parts)]) for column in range(3)
        )
        counts = data.counts.astype(np.float64)
        content = self.content
        same = same_product(self.training, None if content is None else ItemSimilarity.of(content))
        # Where every rate of false discoveries will do, all pairs are reported.
        every = msgspec.structs.replace(settings, false_discovery_rate=1.0)
        tested = associated_pairs.find_pairs(data, every, threads, same)
        keys = a.astype(np.int64) * self.training.n_items + b
        at = np.searchsorted(keys, tested.item_ix.astype(np.int64) @ [self.training.n_items, 1])
        verdict = np.full(len(a), _INSTEAD)
        verdict[at] = np.where(tested.q_value <= settings.false_discovery_rate, _HOLDS, _CHANCE)
        rest = np.flatnonzero(verdict == _INSTEAD)
        verdict[rest[same(a[rest], b[rest])]] = _ONE_THING
        low, high = tested.bounds

        def spread(values: Floats) -> Floats:
            whole = np.full(len(a), np.nan)
            whole[at] = values
            return whole

        return pd.DataFrame(
            {
                "a": a,
                "b": b,
                "support": support,
                "confidence": support / np.minimum(counts[a], counts[b]),
                "plain_lift": support * items.shape[0] / (counts[a] * counts[b]),
                "sizes_lift": support / data.null_model.together(a, b),
                "lift": spread(tested.support / tested.expected),
                "lift_low": spread(low),
                "lift_high": spread(high),
                "repeats": spread(tested.repeats),
                "complement": spread(tested.complement),
                "p_value": spread(tested.p_value),
                "q_value": spread(tested.q_value),
                "verdict": pd.Categorical(np.array(VERDICTS)[verdict], list(VERDICTS)),
            }
        )

    def turned(self, found: Bundles) -> IntArray:
        """Count for bundles of kind ``after`` how often they were bought the other way round.

        Returns
        -------
        ndarray of the length of the bundles of that kind, int64
            Baskets with the first product before which, within the same days, the same customer
            bought the second one.
        """
        rows = np.flatnonzero(found.kind == AFTER)
        if not len(rows):
            return np.zeros(0, np.int64)
        at = self.training
        days = self.settings.within_days
        before = LaterPurchases.of(at.baskets, at.as_of_ts, days, at.seed, backwards=True)
        members = np.stack([found.members(row) for row in rows.tolist()])
        members[:, 1] += at.n_items
        bounds = np.arange(len(rows) + 1, dtype=np.int64) * 2
        orders = evidence.orders_holding(before.held, bounds, members.ravel())
        return np.diff(orders.indptr)

    @cached_property
    def _data(self) -> AssociationData:
        return AssociationData.of(self.training.baskets)
