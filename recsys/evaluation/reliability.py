"""Measures whether predicted chances of purchase are calibrated.

In: ranked items with their predicted chances, and what was bought. Out: bins of predicted chances
with the observed shares. Called by ``Evaluator`` and by training, for its report.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recsys.datasets import Floats, Ragged, positions_of, rows_contain, rows_of
from recsys.ranking import RankedLists

BINS: Final = 10


@dataclass(frozen=True)
class Bin:
    """Shown items of nearly the same chance.

    Attributes
    ----------
    told, happened : float
        Mean predicted chance, and share that was bought.
    low, high : float
        95% interval of ``happened`` (Wilson).
    weight : float
        Sum of the sample weights of its items.
    """

    told: float
    happened: float
    low: float
    high: float
    weight: float


@dataclass(frozen=True)
class Reliability:
    """Bins of predicted chances, and the calibration error.

    Attributes
    ----------
    bins : list of Bin
        By rising chance, each with about as many items as the others.
    error : float
        Expected calibration error: mean distance between ``told`` and ``happened``, by weight.
    told, happened : float
        Over all bins.
    """

    bins: list[Bin]
    error: float
    told: float
    happened: float


@dataclass(frozen=True, eq=False)
class PredictedChances:
    """Predicted chances and their outcomes.

    Attributes
    ----------
    chance : ndarray of shape (m,), float64
    happened : ndarray of shape (m,), bool
    sample_weight : ndarray of shape (m,), float64
        Number of cases that each represents, > 0.
    """

    chance: Floats
    happened: NDArray[np.bool_]
    sample_weight: Floats

    @classmethod
    def of(
        cls, parts: Sequence[RankedLists], relevant: Ragged, sample_weight: Floats, k: int
    ) -> "PredictedChances":
        """Collect the predictions for the first ``k`` places of ranked lists.

        Parameters
        ----------
        parts : sequence of RankedLists
            Together ``n`` customers.
        relevant : Ragged
            What each customer bought in the window.
        sample_weight : ndarray of shape (n,), float64
            Number of customers that each represents.
        k : int
        """
        row, taken = 0, []
        for part in parts:
            first = positions_of(part) < k
            rows = row + rows_of(part)[first]
            happened = rows_contain(relevant, rows, part.item_ix[first])
            taken.append((part.chance[first], happened, sample_weight[rows]))
            row += len(part.indptr) - 1
        return cls(*(np.concatenate(column) for column in zip(*taken, strict=True)))

    def __add__(self, other: "PredictedChances") -> "PredictedChances":
        """Append the predictions for other customers or another window."""
        return PredictedChances(
            np.concatenate([self.chance, other.chance]),
            np.concatenate([self.happened, other.happened]),
            np.concatenate([self.sample_weight, other.sample_weight]),
        )


def reliability_of(found: PredictedChances, bins: int = BINS) -> Reliability:
    """Put chances into bins of equal mass, and compute the observed share of each.

    Parameters
    ----------
    found : PredictedChances
        Of customers who bought in the window and of those who did not. Without the latter, chances
        look too low.
    bins : int
        Maximum number of bins; equal chances stay in one bin.

    Notes
    -----
    ``sum_b w_b / w |told_b - happened_b|`` [1]_.

    References
    ----------
    .. [1] Naeini, Cooper, Hauskrecht (2015), Obtaining well calibrated probabilities using
       Bayesian binning, AAAI.
    .. [2] Kish (1965), Survey sampling.
    """
    if not len(found.chance):
        return Reliability([], float("nan"), float("nan"), float("nan"))
    order = np.argsort(found.chance, kind="stable")
    predicted, happened, sample_weight = (
        found.chance[order],
        found.happened[order],
        found.sample_weight[order],
    )
    middle = np.cumsum(sample_weight) - sample_weight / 2
    number = np.minimum((middle / sample_weight.sum() * bins).astype(np.int64), bins - 1)
    new = np.append(True, predicted[1:] != predicted[:-1])
    number = number[np.maximum.accumulate(np.where(new, np.arange(len(predicted)), 0))]
    steps = []
    for of in np.unique(number):
        at = number == of
        weight = float(sample_weight[at].sum())
        cases = weight**2 / float((sample_weight[at] ** 2).sum())  # effective sample size [2]_
        share = float((sample_weight[at] * happened[at]).sum() / weight)
        low, high = _wilson(share, cases)
        steps.append(
            Bin(float((sample_weight[at] * predicted[at]).sum() / weight), share, low, high, weight)
        )
    total = float(sample_weight.sum())
    error = sum(one.weight * abs(one.told - one.happened) for one in steps) / total
    return Reliability(
        steps,
        error,
        float((sample_weight * predicted).sum() / total),
        float((sample_weight * happened).sum() / total),
    )


def _wilson(share: float, n: float) -> tuple[float, float]:
    """Return the 95% interval of a share of ``n`` cases."""
    z = 1.959964
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    return max(0.0, middle - half), min(1.0, middle + half)
