"""Isotonic calibration curves, kept as two short arrays.

In: numbers with outcomes. Out: a rising curve from number to chance. ``numpy.interp`` reads one
curve for many numbers, ``read_curve`` a curve of its own for each number. Called by ``blend``,
``scoring``, ``segment_blends`` and ``learning.boosting``.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.datasets import compiled

Floats = npt.NDArray[np.float64]


class CalibrationCurve(NamedTuple):
    """A rising, piecewise linear curve, flat beyond its ends.

    Parameters
    ----------
    x : ndarray of shape (knots,), float64
        Ascending.
    y : ndarray of shape (knots,), float64
        Never falling.
    """

    x: Floats
    y: Floats

    def __call__(self, x: npt.NDArray[np.floating]) -> Floats:
        """Return the curve at ``x``."""
        read: Floats = np.interp(x, self.x, self.y)
        return read

    @classmethod
    def row(cls, x: Floats, y: Floats, row: int) -> "CalibrationCurve":
        """Return one curve of stacked arrays, without the repeats of its last knot."""
        length = int(np.searchsorted(x[row], x[row, -1])) + 1
        return cls(x[row, :length], y[row, :length])


@compiled
def read_curve(x: Floats, y: Floats, at: Any) -> Any:
    """Return a curve at one number, as ``numpy.interp`` does: flat beyond the curve's ends.

    Compiled for loops in which the curve changes from one number to the next.

    Parameters
    ----------
    x, y : ndarray of shape (knots,), float64
        The curve. It may repeat its last knot, as ``stack_curves`` leaves it.
    at : float
    """
    low, high = 0, len(x) - 1
    if at <= x[low]:
        return y[low]
    if at >= x[high]:
        return y[high]
    while high - low > 1:  # the first knot is not above it, the last one is
        middle = (low + high) >> 1
        if x[middle] <= at:
            low = middle
        else:
            high = middle
    slope = (y[high] - y[low]) / (x[high] - x[low])
    return slope * (at - x[low]) + y[low]


def fit_isotonic(
    x: npt.NDArray[np.floating], happened: npt.NDArray[np.bool_], weights: Floats, knots: int
) -> CalibrationCurve:
    """Fit the chance that something happens as a never falling function of ``x``.

    Parameters
    ----------
    x : ndarray of shape (m,)
        What the chance depends on; ``m`` >= 1.
    happened : ndarray of shape (m,), bool
        Outcomes.
    weights : ndarray of shape (m,), float64
        Number of cases that each represents, > 0.
    knots : int
        Maximum length of the curve.

    Returns
    -------
    CalibrationCurve
        Each step is shrunk towards the overall chance by one case, so that no chance is exactly
        0 or 1.

    Notes
    -----
    Isotonic regression (pool adjacent violators); equal ``x`` are pooled first.
    """
    from sklearn.isotonic import isotonic_regression  # training only; serving never loads it

    order = np.argsort(x, kind="stable")  # merges runs: most scores of a column are 0
    x, weights = x[order], weights[order]
    starts = np.append(True, x[1:] != x[:-1])
    values, group = x[starts], np.cumsum(starts) - 1
    weight = np.bincount(group, weights=weights)
    chance = np.bincount(group, weights=weights * happened[order]) / weight
    steps = isotonic_regression(chance, sample_weight=weight)
    first = np.flatnonzero(np.append(True, steps[1:] > steps[:-1]))
    block_weight = np.add.reduceat(weight, first)
    block_x = np.add.reduceat(weight * values, first) / block_weight
    block_y = np.add.reduceat(weight * chance, first) / block_weight
    overall = (weight * chance).sum() / weight.sum()
    block_y = np.maximum.accumulate((block_y * block_weight + overall) / (block_weight + 1.0))
    keep = np.unique(np.linspace(0, len(block_x) - 1, min(knots, len(block_x))).round().astype(int))
    return CalibrationCurve(block_x[keep], block_y[keep])


def stack_curves(curves: list[CalibrationCurve], knots: int) -> tuple[Floats, Floats]:
    """Put curves into two arrays of shape (n_curves, knots); short ones repeat their last knot."""
    at = [np.minimum(np.arange(knots), len(curve.x) - 1) for curve in curves]
    return (
        np.stack([curve.x[ix] for curve, ix in zip(curves, at, strict=True)]),
        np.stack([curve.y[ix] for curve, ix in zip(curves, at, strict=True)]),
    )
