"""Tunes the weights of a blend for the NDCG of the first places.

In: evidence of candidates, row by row, and which were bought. Out: better weights. The likelihood
that the blend is fitted by weighs all candidates alike, although customers see only the first
places. Called by ``blend``.

scikit-learn fits neither: its logistic regression has no weights >= 0, its models no NDCG to rise.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: Cutoff of the NDCG.
PLACES: Final = 10
#: Minimum number of rows with a purchase to tune weights.
MIN_ROWS: Final = 100
#: Maximum number of rows used; more do not improve the weights.
MAX_ROWS: Final = 800

_STEPS: Final = (0.5, 0.7, 0.85, 1.2, 1.5, 2.0)
_FURTHEST: Final = 8.0
_ROUNDS: Final = 3
_WORTH: Final = 1e-3


def refine_weights(
    parts: Floats, weights: Floats, bought: Bools, rows: npt.NDArray[np.integer]
) -> Floats:
    """Search for better weights around given ones, by coordinate ascent.

    Parameters
    ----------
    parts : ndarray of shape (m, n_columns), float64
        Evidence before weighing; a candidate's total is ``parts @ weights``.
    weights : ndarray of shape (n_columns,), float64
        Initial weights, >= 0.
    bought : ndarray of shape (m,), bool
    rows : ndarray of shape (m,), integer
        Row of each candidate, ascending.

    Returns
    -------
    ndarray of shape (n_columns,), float64
        At most eight times larger or smaller than ``weights``; the same where fewer than
        ``MIN_ROWS`` rows have a purchase.

    Notes
    -----
    One weight at a time, a few rounds, no randomness. The objective is the mean NDCG at
    ``PLACES`` over the rows.
    """
    if len(np.unique(rows[bought])) < MIN_ROWS:
        return weights
    mean_ndcg = ndcg_of(bought, rows)
    found, best = weights.copy(), mean_ndcg(parts @ weights)
    for _ in range(_ROUNDS):
        before = best
        for column in np.flatnonzero(weights):
            for weight in found[column] * np.array(_STEPS):
                if not 1 / _FURTHEST <= weight / weights[column] <= _FURTHEST:
                    continue
                trial = found.copy()
                trial[column] = weight
                reached = mean_ndcg(parts @ trial)
                if reached > best * (1 + _WORTH):
                    found, best = trial, reached
        if best == before:
            break
    return found


def some_rows(bought: Bools, rows: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Positions of the candidates of ``MAX_ROWS`` rows with a purchase, spread over all of them.

    Rows may be of several windows, one behind the other.
    """
    came = np.unique(rows[bought])
    if len(came) > MAX_ROWS:
        came = came[np.linspace(0, len(came) - 1, MAX_ROWS).astype(np.int64)]
    return np.flatnonzero(np.isin(rows, came))


def ndcg_of(bought: Bools, rows: npt.NDArray[np.integer]) -> Callable[[Floats], float]:
    """Return the mean NDCG of rows that bought something as a function of candidates' totals.

    Parameters
    ----------
    bought : ndarray of shape (m,), bool
    rows : ndarray of shape (m,), integer
        Row of each candidate, ascending.
    """
    ids, row = np.unique(rows, return_inverse=True)
    place = np.arange(len(row)) - np.searchsorted(row, row)
    width = max(PLACES, int(place.max()) + 1)
    relevant = np.zeros((len(ids), width), dtype=bool)
    relevant[row, place] = bought
    discount = 1.0 / np.log2(np.arange(2, PLACES + 2))
    ideal = np.append(0.0, np.cumsum(discount))[np.minimum(relevant.sum(axis=1), PLACES)]
    counts = ideal > 0
    falling = np.full((len(ids), width), np.inf)  # negative totals: the best comes first
    at = row * width + place

    def mean_ndcg(totals: Floats) -> float:
        falling.ravel()[at] = -totals
        first = np.argpartition(falling, PLACES - 1, axis=1)[:, :PLACES]
        order = np.argsort(np.take_along_axis(falling, first, 1), axis=1, kind="stable")
        hit = np.take_along_axis(relevant, np.take_along_axis(first, order, 1), 1)
        gain = np.where(hit, discount, 0.0).sum(axis=1)
        return float((gain[counts] / ideal[counts]).mean())

    return mean_ndcg
