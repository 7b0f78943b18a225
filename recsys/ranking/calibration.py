"""Monotone curves learned from what happened, kept as two short arrays.

Numbers with outcomes come in; a rising curve from number to chance comes out, read with
``numpy.interp``. Called by ``blend``.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

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
        """Read the curve at ``x``; the same at each number whatever stands beside it."""
        read: Floats = np.interp(x, self.x, self.y)
        return read

    @classmethod
    def row(cls, x: Floats, y: Floats, row: int) -> "CalibrationCurve":
        """Take one curve out of stacked arrays, without the repeats of its last knot."""
        length = int(np.searchsorted(x[row], x[row, -1])) + 1
        return cls(x[row, :length], y[row, :length])


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
        How many cases each one stands for, > 0.
    knots : int
        Length of the curve, at most.

    Returns
    -------
    CalibrationCurve
        With one case of doubt mixed into every step, so that no chance is exactly 0 or 1.

    Notes
    -----
    Isotonic regression: equal ``x`` are pooled first, then neighbours that would fall.
    """
    from scipy.optimize import isotonic_regression  # training only; serving never loads it

    values, group = np.unique(x, return_inverse=True)
    mass = np.bincount(group, weights=weights)
    chance = np.bincount(group, weights=weights * happened) / mass
    steps = isotonic_regression(chance, weights=mass)
    first = steps.blocks[:-1]
    mass_of = np.add.reduceat(mass, first)
    x_of = np.add.reduceat(mass * values, first) / mass_of
    y_of = np.add.reduceat(mass * chance, first) / mass_of
    overall = (mass * chance).sum() / mass.sum()
    y_of = np.maximum.accumulate((y_of * mass_of + overall) / (mass_of + 1.0))
    keep = np.unique(np.linspace(0, len(x_of) - 1, min(knots, len(x_of))).round().astype(int))
    return CalibrationCurve(x_of[keep], y_of[keep])


def stack_curves(curves: list[CalibrationCurve], knots: int) -> tuple[Floats, Floats]:
    """Put curves into two arrays of shape (n_curves, knots); short ones repeat their last knot."""
    at = [np.minimum(np.arange(knots), len(curve.x) - 1) for curve in curves]
    return (
        np.stack([curve.x[ix] for curve, ix in zip(curves, at, strict=True)]),
        np.stack([curve.y[ix] for curve, ix in zip(curves, at, strict=True)]),
    )
