"""Boosted trees that correct the blend for the candidates of known customers.

In: the best candidates of the blend, with histories and contexts. Out: log-odds to add, the chance
of purchase, and the contribution of each column. Learned by ``learning.boosting``, stored in the
artefact, used by ``Ranker``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from recsys.datasets import Context, Histories, IntArray, IxArray, Lists, pointers
from recsys.ranking.calibration import CalibrationCurve, Floats
from recsys.ranking.candidates import EVIDENCE_COLUMNS, Candidates
from recsys.ranking.features.item_statistics import ItemStatistics
from recsys.ranking.features.table import Features, compute_features, evidence_column, feature_names
from recsys.ranking.segment_blends import KINDS, STRANGER
from recsys.ranking.selection import best_of_groups
from recsys.ranking.trees import Trees

#: Names of the features, and the column of evidence that each belongs to.
FEATURE_NAMES: Final = feature_names(EVIDENCE_COLUMNS)
EVIDENCE_COLUMN_OF: Final = evidence_column(EVIDENCE_COLUMNS)
#: Candidates of each customer that the trees score: the best of all, and at least so many of those
#: bought before and of the new ones.
CHOSEN: Final = 160
PER_KIND: Final = 60


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Trees that predict chances, and on top of them trees that order.

    Chances must be calibrated for everybody. The order is optimised for the first places of each
    list, and every customer has the same weight.

    Attributes
    ----------
    likely : Trees
        What is added to the blend's log-odds for the chance.
    order : Trees
        What is added to both for the order.
    chance_x, chance_y : ndarray
        Log-odds of blend and ``likely`` together → chance of purchase.
    """

    likely: Trees
    order: Trees
    chance_x: Floats
    chance_y: Floats

    def chance(self, total: Floats) -> Floats:
        """Return the chance of purchase of candidates.

        Parameters
        ----------
        total : ndarray of shape (m,), float64
            Log-odds of blend and ``likely`` together.

        Returns
        -------
        ndarray of shape (m,), float64
            In [0, 1].
        """
        return CalibrationCurve(self.chance_x, self.chance_y)(total)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return all arrays by name."""
        return {
            **{f"order_{name}": array for name, array in self.order.arrays().items()},
            **{f"likely_{name}": array for name, array in self.likely.arrays().items()},
            "chance_x": self.chance_x,
            "chance_y": self.chance_y,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Rebuild from the arrays that ``arrays`` returned.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            What ``arrays`` returned, for example memory-mapped.

        Returns
        -------
        Self
        """

        def trees(kind: str) -> Trees:
            start = f"{kind}_"
            return Trees.from_arrays(
                {
                    name.removeprefix(start): array
                    for name, array in arrays.items()
                    if name.startswith(start)
                }
            )

        return cls(trees("likely"), trees("order"), arrays["chance_x"], arrays["chance_y"])


@dataclass(frozen=True, eq=False)
class BoostedTrees:
    """Two ensembles, and the data that their features are computed from.

    Attributes
    ----------
    statistics : ItemStatistics
    baskets : tuple of (indptr int64, indices int32, scores float32)
        Co-purchase neighbours of each product.
    plain, cart : Ensemble
        For requests without and with a cart.
    """

    statistics: ItemStatistics
    baskets: tuple[IntArray, IxArray, npt.NDArray[np.float32]]
    plain: Ensemble
    cart: Ensemble

    def features(
        self,
        candidates: Candidates,
        at: IntArray,
        rows: IntArray,
        total: Floats,
        histories: Histories,
        context: Context,
    ) -> Features:
        """Compute the features of chosen candidates.

        Parameters
        ----------
        candidates : Candidates
        at : ndarray, int64
            Positions of the chosen ones, ascending.
        rows : ndarray, int64
            Row of every candidate.
        total : ndarray
            Log-odds of the blend, for every candidate.
        histories : Histories
        context : Context
        """
        lists = Lists(pointers(rows[at], len(context)), candidates.item_ix[at])
        return compute_features(
            lists,
            candidates.scores[at],
            total[at],
            histories,
            context,
            self.statistics,
            self.baskets,
        )

    def contributions(self, ensemble: Ensemble, features: Features) -> Floats:
        """Return the contribution of each column's features to candidates, in log-odds.

        Parameters
        ----------
        ensemble : Ensemble
            ``plain`` or ``cart``, by the request.
        features : ndarray of shape (m, n_features), float32
            What ``features`` gave for the candidates.

        Returns
        -------
        ndarray of shape (m, len(EVIDENCE_COLUMNS)), float64
        """
        both = (ensemble.likely, ensemble.order)
        contributions = sum(
            trees.shares(features, EVIDENCE_COLUMN_OF, len(EVIDENCE_COLUMNS) + 1) for trees in both
        )
        return np.asarray(contributions)[:, : len(EVIDENCE_COLUMNS)]


def choose_for_trees(
    candidates: Candidates, total: Floats, allowed: npt.NDArray[np.bool_]
) -> IntArray:
    """Choose the candidates that the trees score: the best of each kind that may be shown.

    Parameters
    ----------
    candidates : Candidates
    total : ndarray of shape (m,)
        Log-odds of the blend.
    allowed : ndarray of shape (m,), bool
        Whether each may be shown.

    Returns
    -------
    ndarray, int64
        Positions, ascending; none of strangers.
    """
    groups = [kind for kind in range(len(KINDS)) if kind != STRANGER]
    return best_of_groups(candidates, total, allowed, candidates.kind, groups, CHOSEN, PER_KIND)
