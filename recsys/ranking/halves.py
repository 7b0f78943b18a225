"""One blend for what a customer bought before, another for what is new to them, on one scale.

What speaks for the next purchase of something bought every week says little about which new
product to show, and a single set of weights serves the first, since most of what is bought was
bought before. Learned by training, stored in the artefact, read by ``rank``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from recsys.ranking.blend import KNOTS, Blend, Bools, Scores, fit_weights
from recsys.ranking.curves import Floats, fit_rising, stack
from recsys.ranking.refine import MIN_ROWS

#: The two, as arrays and reports name them.
HALVES: Final = ("bought_before", "new")


class Halves:
    """Two blends whose totals are the log-odds of a purchase, so that they rank together.

    Where one of them would be learned from too few customers, both are the same one.

    Parameters
    ----------
    columns : sequence of str
        Names of the columns of scores.
    l2 : float
        As of ``Blend``.

    Attributes
    ----------
    bought_before, new : Blend
        With the same curves of chances.
    """

    def __init__(self, columns: Sequence[str], l2: float = 1.0) -> None:
        self.columns = columns
        self.l2 = l2
        self.bought_before = Blend(columns, l2)
        self.new = Blend(columns, l2)

    def fit(
        self,
        scores: Scores,
        bought: Bools,
        rows: npt.NDArray[np.integer],
        owned: Bools,
        mass: Floats | None = None,
        factors: Sequence[Floats] = (),
    ) -> Self:
        """Learn both; replaces what was learned before.

        Parameters
        ----------
        scores, bought, rows, mass, factors
            As of ``Blend.fit``.
        owned : ndarray of shape (m,), bool
            Which candidates their customer had bought before.
        """
        mass = np.ones(len(bought)) if mass is None else mass
        parts = [np.flatnonzero(owned), np.flatnonzero(~owned)]
        if min(len(np.unique(rows[part[bought[part]]])) for part in parts) < MIN_ROWS:
            blend = Blend(self.columns, self.l2).fit(scores, bought, rows, mass, factors)
            self.bought_before = self.new = blend
            return self
        self.bought_before, self.new = (
            _scaled(
                Blend(self.columns, self.l2).fit(
                    scores[part], bought[part], rows[part], mass[part], factors
                ),
                scores[part], bought[part], mass[part],
            )
            for part in parts
        )  # fmt: skip
        evidence = self.evidence(scores, owned)
        chances = [
            fit_rising(self.total(evidence, owned, row), bought, mass, KNOTS)
            for row in self.new.factors_
        ]
        for blend in (self.bought_before, self.new):
            blend.chance_x_, blend.chance_y_ = stack(chances, KNOTS)
        return self

    def evidence(self, scores: Scores, owned: Bools) -> Floats:
        """Weigh what each column says about each candidate.

        Parameters
        ----------
        scores : ndarray of shape (m, n_columns)
        owned : ndarray of shape (m,), bool

        Returns
        -------
        ndarray of shape (m, n_columns), float64
            Log-odds, >= 0.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        """
        out = np.empty(scores.shape)
        for blend, part in self._parts(owned):
            out[part] = blend.evidence(scores[part])
        return out

    def total(self, evidence: Floats, owned: Bools, factors: Floats) -> Floats:
        """Add up the evidence of all columns; see ``Blend.total``."""
        out = np.empty(len(evidence))
        for blend, part in self._parts(owned):
            out[part] = blend.total(evidence[part], factors)
        return out

    def chance(self, evidence: Floats, owned: Bools, factors: Floats) -> Floats:
        """Chance of purchase of candidates; see ``Blend.chance``."""
        out = np.empty(len(evidence))
        for blend, part in self._parts(owned):
            out[part] = blend.chance(evidence[part], factors)
        return out

    @property
    def factors_(self) -> Floats:
        """Factors for which a curve of chances was learned."""
        learned: Floats = self.new.factors_
        return learned

    @property
    def weights(self) -> dict[str, dict[str, float]]:
        """What the evidence of each column counts, for each half."""
        halves = dict(zip(HALVES, (self.bought_before, self.new), strict=True))
        return {
            half: dict(zip(self.columns, blend.weights_.round(4).tolist(), strict=True))
            for half, blend in halves.items()
        }

    def arrays(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return what was learned, by name."""
        halves = zip(HALVES, (self.bought_before, self.new), strict=True)
        return {
            f"{half}_{name}": array
            for half, blend in halves
            for name, array in blend.arrays().items()
        }

    @classmethod
    def from_arrays(cls, columns: Sequence[str], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Rebuild from what ``arrays`` gave."""
        halves = cls(columns)
        halves.bought_before, halves.new = (
            Blend.from_arrays(columns, {name: arrays[f"{half}_{name}"] for name in Blend.NAMES})
            for half in HALVES
        )
        return halves

    def _parts(self, owned: Bools) -> list[tuple[Blend, npt.NDArray[np.intp]]]:
        both = ((self.bought_before, owned), (self.new, ~owned))
        return [(blend, np.flatnonzero(part)) for blend, part in both]


def _scaled(blend: Blend, scores: Scores, bought: Bools, mass: Floats) -> Blend:
    """Stretch and move a blend's totals, in their order, to where they are log-odds [1]_.

    References
    ----------
    .. [1] Platt (1999), Probabilistic outputs for support vector machines.
    """
    plain = np.ones(len(blend.columns))
    total = blend.total(blend.evidence(scores), plain)
    (slope,), offset = fit_weights(total[:, np.newaxis], bought, mass, l2=0.0)
    if slope > 0:
        blend.weights_ = blend.weights_ * slope
        blend.intercept_ = slope * blend.intercept_ + offset
    return blend
