"""Adds the trees' scores to the best candidates of requests.

In: candidates with their blended scores. Out: the scores with what the trees add, and what each
column contributed. Called by ``Ranker``.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.datasets import Batch, IntArray
from recsys.ranking.boosted_trees import BoostedTrees, Ensemble, choose_for_trees
from recsys.ranking.calibration import Floats
from recsys.ranking.candidates import Candidates
from recsys.ranking.features.table import Features
from recsys.ranking.scoring import ScoredCandidates

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class TreeScores:
    """Candidates that the trees scored.

    Attributes
    ----------
    boosted : BoostedTrees
    features : Features
        A row for each that was scored.
    place : ndarray of shape (m,), int64
        Row of each candidate in ``features``; -1 where it was not scored.
    parts : list of (Ensemble, ndarray of int64)
        Rows that each ensemble scored.
    """

    boosted: BoostedTrees
    features: Features
    place: npt.NDArray[np.int64]
    parts: list[tuple[Ensemble, npt.NDArray[np.int64]]]

    def credit(self, evidence: Floats, shown: npt.NDArray[np.int64]) -> None:
        """Add the trees' contribution of each column to the evidence of shown candidates.

        Parameters
        ----------
        evidence : ndarray of shape (k, n_columns), float64
            Changed in place.
        shown : ndarray of shape (k,), int64
            Positions in the candidates.
        """
        for ensemble, mine, given in self._looked_at(shown):
            evidence[mine] += self.boosted.contributions(ensemble, given)

    def _looked_at(
        self, of: npt.NDArray[np.int64]
    ) -> Iterator[tuple[Ensemble, npt.NDArray[np.int64], Features]]:
        """Yield the positions in ``of`` that each ensemble scored, and their features."""
        at = self.place[of]
        for ensemble, part in self.parts:
            mine = np.flatnonzero(at >= 0)
            if len(self.parts) > 1:
                mine = mine[np.isin(at[mine], part)]
            if len(mine):
                yield ensemble, mine, self.features[at[mine]]


def add_trees(
    boosted: BoostedTrees,
    candidates: Candidates,
    rows: IntArray,
    scored: ScoredCandidates,
    steered: tuple[Bools, Floats] | None,
    allowed: Bools,
    batch: Batch,
) -> TreeScores:
    """Add the trees' scores to the best candidates.

    Parameters
    ----------
    boosted : BoostedTrees
    candidates : Candidates
        ``m`` candidates of ``n`` requests.
    rows : ndarray of shape (m,), int64
        Request of each.
    scored : ScoredCandidates
        Changed in place.
    steered : tuple of ndarray, or None
        Where placements' rules hold: which candidates are so without them, and the order with
        them. What that chooses is scored as well, and changes no score of the others.
    allowed : ndarray of shape (m,), bool
        What may be shown.
    batch : Batch
        Of the ``n`` requests.

    Returns
    -------
    TreeScores
    """
    given = rows, scored.plain, batch.histories, batch.context
    usual = allowed if steered is None else allowed & steered[0]
    chosen = choose_for_trees(candidates, scored.total, usual)
    of = boosted.features(candidates, chosen, *given)
    if steered is not None:
        every = np.union1d(chosen, choose_for_trees(candidates, steered[1], allowed))
        wide = boosted.features(candidates, every, *given)
        wide[np.searchsorted(every, chosen)] = of
        chosen, of = every, wide
    place = np.full(len(rows), -1)
    place[chosen] = np.arange(len(chosen))
    has_cart = (np.diff(batch.context.cart.indptr) > 0)[rows[chosen]]
    shares = []
    for ensemble, part in (
        (boosted.plain, np.flatnonzero(~has_cart)),
        (boosted.cart, np.flatnonzero(has_cart)),
    ):
        if len(part):
            at = chosen[part]
            mine = np.ascontiguousarray(of[part]) if len(part) < len(of) else of
            likelier = ensemble.likely.add(mine)
            scored.total[at] += likelier + ensemble.order.add(mine)
            scored.chance[at] = ensemble.chance(scored.plain[at] + likelier)
            shares.append((ensemble, part))
    return TreeScores(boosted, of, place, shares)
