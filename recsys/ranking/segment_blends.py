"""Blends for products bought before, for products new to the customer, and for strangers.

Evidence that predicts a repeat purchase does not predict which new product a customer will buy, and
of a stranger only time and channel are known. A single set of weights would fit repeat purchases,
which are most purchases. Learned by training, stored in the artefact, read by ``Ranker``.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from recsys.ranking.blend import (
    KNOTS,
    Blend,
    Bools,
    Scores,
    Stacked,
    add_up_evidence,
    fit_weights,
    stacked,
    weigh_evidence,
)
from recsys.ranking.calibration import Floats, fit_isotonic, stack_curves
from recsys.ranking.weight_refinement import MIN_ROWS

#: Kinds of candidates by number, as arrays and reports name them.
KINDS: Final = ("bought_before", "new", "stranger")
NEW, STRANGER = KINDS.index("new"), KINDS.index("stranger")

Kinds = npt.NDArray[np.uint8]


class SegmentBlends:
    """Blends whose totals are the log-odds of a purchase, so that they rank together.

    Kinds with too few customers to learn from share a blend.

    Parameters
    ----------
    columns : sequence of str
        Names of the columns of scores.
    l2 : float
        As of ``Blend``.

    Attributes
    ----------
    blends : list of Blend
        One for each of ``KINDS``, with the same calibration curves.
    """

    def __init__(self, columns: Sequence[str], l2: float = 1.0) -> None:
        self.columns = columns
        self.l2 = l2
        self.blends = [Blend(columns, l2)] * len(KINDS)
        self._learned: tuple[list[Blend], Stacked] | None = None

    def fit(
        self,
        scores: Scores,
        bought: Bools,
        rows: npt.NDArray[np.integer],
        kind: Kinds,
        sample_weight: Floats | None = None,
        factors: Sequence[Floats] = (),
    ) -> Self:
        """Fit all blends; replaces an earlier fit.

        Parameters
        ----------
        scores, bought, rows, sample_weight, factors
            As of ``Blend.fit``.
        kind : ndarray of shape (m,), uint8
            Which of ``KINDS`` each candidate is.
        """
        sample_weight = np.ones(len(bought)) if sample_weight is None else sample_weight

        def learned(part: npt.NDArray[np.intp]) -> Blend:
            some = scores[part], bought[part], sample_weight[part]
            blend = Blend(self.columns, self.l2)
            return _scaled(blend.fit(some[0], some[1], rows[part], some[2], factors), *some)

        parts = [np.flatnonzero(kind == number) for number in range(len(KINDS))]
        *known, stranger = (len(np.unique(rows[part[bought[part]]])) >= MIN_ROWS for part in parts)
        some = np.flatnonzero(kind != STRANGER)
        pooled = learned(some if len(some) else np.arange(len(kind)))
        # The two kinds of a known customer rank together: separate blends for both, or for neither.
        self.blends = [
            learned(part) if apart else copy(pooled)
            for part, apart in zip(parts, (all(known), all(known), stranger), strict=True)
        ]
        evidence = self.evidence(scores, kind)
        chances = [
            fit_isotonic(self.total(evidence, kind, row), bought, sample_weight, KNOTS)
            for row in self.factors_
        ]
        for blend in self.blends:
            blend.chance_x_, blend.chance_y_ = stack_curves(chances, KNOTS)
        return self

    def evidence(self, scores: Scores, kind: Kinds) -> Floats:
        """Return the weighted evidence of each column for each candidate.

        Parameters
        ----------
        scores : ndarray of shape (m, n_columns)
        kind : ndarray of shape (m,), uint8

        Returns
        -------
        ndarray of shape (m, n_columns), float64
            Log-odds, >= 0.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        """
        if self._learned is None or self._learned[0] is not self.blends:
            self._learned = self.blends, stacked(self.blends)
        return weigh_evidence(self._learned[1], scores, kind)

    def total(self, evidence: Floats, kind: Kinds, factors: Floats) -> Floats:
        """Add up the evidence of all columns; see ``Blend.total``.

        Parameters
        ----------
        evidence : ndarray of shape (m, n_columns), float64
            What ``evidence`` returned.
        kind : ndarray of shape (m,), uint8
            Which of ``KINDS`` each candidate is.
        factors : ndarray of shape (n_columns,), float64
            Factor of each column on the placement.

        Returns
        -------
        ndarray of shape (m,), float64
            Log-odds, comparable between all kinds on one placement.
        """
        return add_up_evidence(self.blends, evidence, kind, factors)

    def chance(self, evidence: Floats, kind: Kinds, factors: Floats) -> Floats:
        """Chance of purchase of candidates; see ``Blend.chance``.

        Parameters
        ----------
        evidence : ndarray of shape (m, n_columns), float64
            What ``evidence`` returned.
        kind : ndarray of shape (m,), uint8
            Which of ``KINDS`` each candidate is.
        factors : ndarray of shape (n_columns,), float64
            Factor of each column on the placement.

        Returns
        -------
        ndarray of shape (m,), float64
            In [0, 1].
        """
        at, curve = self.blends[0].curve_of(factors)  # the same of all
        return curve(add_up_evidence(self.blends, evidence, kind, self.factors_[at]))

    @property
    def factors_(self) -> Floats:
        """Factors for which a curve of chances was learned."""
        learned: Floats = self.blends[0].factors_
        return learned

    @property
    def weights(self) -> dict[str, dict[str, float]]:
        """What the evidence of each column counts, by kind."""
        return {
            kind: dict(zip(self.columns, blend.weights_.round(4).tolist(), strict=True))
            for kind, blend in zip(KINDS, self.blends, strict=True)
        }

    def arrays(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return what was learned, by name."""
        return {
            f"{kind}_{name}": array
            for kind, blend in zip(KINDS, self.blends, strict=True)
            for name, array in blend.arrays().items()
        }

    @classmethod
    def from_arrays(cls, columns: Sequence[str], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Rebuild from what ``arrays`` gave.

        Parameters
        ----------
        columns : sequence of str
            Names of the columns of scores, in the order of the fit.
        arrays : mapping of str to ndarray
            What ``arrays`` returned, for example memory-mapped.

        Returns
        -------
        Self
        """
        parts = cls(columns)
        parts.blends = [
            Blend.from_arrays(columns, {name: arrays[f"{kind}_{name}"] for name in Blend.NAMES})
            for kind in KINDS
        ]
        return parts


def _scaled(blend: Blend, scores: Scores, bought: Bools, sample_weight: Floats) -> Blend:
    """Rescale a blend's totals to log-odds, by Platt scaling [1]_.

    References
    ----------
    .. [1] Platt (1999), Probabilistic outputs for support vector machines.
    """
    plain = np.ones(len(blend.columns))
    total = blend.total(blend.evidence(scores), plain)
    (slope,), offset = fit_weights(total[:, np.newaxis], bought, sample_weight, blend.l2)
    if slope > 0:
        blend.weights_ = blend.weights_ * slope
        blend.intercept_ = slope * blend.intercept_ + offset
    return blend
