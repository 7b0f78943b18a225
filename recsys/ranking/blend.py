"""Blends the scores of several models into one log-odds and a chance of purchase.

In: candidates with one score per column, and which of them were bought. Out: curves and weights
that turn scores into log-odds, and log-odds into a chance. Learned by training, stored in the
artefact, read by ``Ranker``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from recsys.datasets import all_fixed, compiled, fixed
from recsys.errors import NotFittedError
from recsys.ranking.calibration import (
    CalibrationCurve,
    Floats,
    fit_isotonic,
    read_curve,
    stack_curves,
)
from recsys.ranking.weight_refinement import refine_weights, some_rows

#: Maximum length of each stored curve.
KNOTS: Final = 64
_SMALLEST: Final = 1e-9
#: Candidates without a purchase to learn curves and weights from; see ``_thinned``.
_ENOUGH: Final = 200_000

Scores = npt.NDArray[np.floating]
Bools = npt.NDArray[np.bool_]
Stacked = tuple[Floats, Floats, Floats]


class Blend:
    """Weighted sum of the evidence of several columns, in log-odds, with calibrated chances.

    The evidence of a column for a product is the increase in the log-odds of a purchase at its
    score over score 0, which a model gives to products it knows nothing about. Evidence is never
    negative, so columns of any scale add up and a placement can raise the weight of one of them.

    Parameters
    ----------
    columns : sequence of str
        Names of the columns of scores.
    l2 : float
        L2 penalty on the weights; small, it settles ties between equal columns.

    Attributes
    ----------
    score_x_, score_y_ : ndarray of shape (n_columns, KNOTS), float64
        Score → evidence.
    weights_ : ndarray of shape (n_columns,), float64
        Weight of the evidence of each column, >= 0.
    intercept_ : float
        Log-odds of a product without evidence.
    factors_ : ndarray of shape (n_curves, n_columns), float64
        Factors on the evidence of the columns for which a calibration curve was learned; the
        first row is all ones.
    chance_x_, chance_y_ : ndarray of shape (n_curves, KNOTS), float64
        Blended evidence → chance of purchase within the window it was learned on.
    """

    _LEARNED: Final = (
        "score_x_",
        "score_y_",
        "weights_",
        "intercept_",
        "factors_",
        "chance_x_",
        "chance_y_",
    )

    def __init__(self, columns: Sequence[str], l2: float = 1.0) -> None:
        self.columns = columns
        self.l2 = l2

    def fit(
        self,
        scores: Scores,
        bought: Bools,
        rows: npt.NDArray[np.integer],
        sample_weight: Floats | None = None,
        factors: Sequence[Floats] = (),
    ) -> Self:
        """Fit curves, weights and calibration; replaces an earlier fit.

        Parameters
        ----------
        scores : ndarray of shape (m, n_columns)
            Scores of candidates for customers as of one moment; ``m`` >= 1.
        bought : ndarray of shape (m,), bool
            Which of them were bought after that moment.
        rows : ndarray of shape (m,), integer
            Request of each candidate, ascending.
        sample_weight : ndarray of shape (m,), float64, optional
            Number of cases that each candidate represents; one by default.
        factors : sequence of ndarrays of shape (n_columns,)
            Factors that placements set; each gets its own calibration curve.
        """
        sample_weight = np.ones(len(bought)) if sample_weight is None else sample_weight
        whole, rows_of_all = (scores, bought), rows
        some, sample_weight = _thinned(bought, sample_weight)
        scores, bought = scores[some], bought[some]
        curves = [
            _evidence_curve(
                fit_isotonic(column.astype(np.float64), bought, sample_weight, KNOTS - 1)
            )
            for column in scores.T
        ]
        self.score_x_, self.score_y_ = stack_curves(curves, KNOTS)
        parts = self._parts(scores)
        likeliest, self.intercept_ = fit_weights(parts, bought, sample_weight, self.l2)
        likeliest[~parts.any(axis=0)] = 0.0  # columns without evidence were not learned
        first = some_rows(whole[1], rows_of_all)
        self.weights_ = refine_weights(
            self._parts(whole[0][first]), likeliest, whole[1][first], rows_of_all[first]
        )
        evidence = parts * self.weights_
        rows = np.stack([np.ones(len(self.columns)), *factors])
        _, first = np.unique(rows, axis=0, return_index=True)
        self.factors_ = rows[np.sort(first)]
        chances = [
            fit_isotonic(self.total(evidence, row), bought, sample_weight, KNOTS)
            for row in self.factors_
        ]
        self.chance_x_, self.chance_y_ = stack_curves(chances, KNOTS)
        return self

    def evidence(self, scores: Scores) -> Floats:
        """Return the weighted evidence of each column for each candidate.

        Parameters
        ----------
        scores : ndarray of shape (m, n_columns)

        Returns
        -------
        ndarray of shape (m, n_columns), float64
            Log-odds, >= 0.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        """
        return weigh_evidence(stacked([self]), scores, np.zeros(len(scores), np.uint8))

    def total(self, evidence: Floats, factors: Floats) -> Floats:
        """Add up the evidence of all columns.

        Parameters
        ----------
        evidence : ndarray of shape (m, n_columns)
        factors : ndarray of shape (n_columns,)
            Factor of each column on the placement.

        Returns
        -------
        ndarray of shape (m,), float64
            Comparable between all candidates of one placement.
        """
        return add_up_evidence([self], evidence, np.zeros(len(evidence), np.uint8), factors)

    def chance(self, evidence: Floats, factors: Floats) -> Floats:
        """Chance of purchase of candidates that were blended with ``factors``.

        Parameters
        ----------
        evidence : ndarray of shape (m, n_columns)
        factors : ndarray of shape (n_columns,)

        Returns
        -------
        ndarray of shape (m,), float64
            In (0, 1). Without a curve for these factors, the chance is that without factors,
            and may not fall with the rank.
        """
        at, curve = self.curve_of(factors)
        return curve(self.total(evidence, self.factors_[at]))

    def curve_of(self, factors: Floats) -> tuple[int, CalibrationCurve]:
        """Return the calibration curve learned for these factors, or else without factors.

        Parameters
        ----------
        factors : ndarray of shape (n_columns,), float64
            Factor of each column on the placement.

        Returns
        -------
        at : int
            Row of ``factors_``; 0 where none is equal.
        curve : CalibrationCurve
            Blended evidence → chance.
        """
        known = np.flatnonzero((self.factors_ == factors).all(axis=1))
        at = int(known[0]) if known.size else 0
        return at, CalibrationCurve.row(self.chance_x_, self.chance_y_, at)

    def arrays(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return the learned arrays by name."""
        return {name.rstrip("_"): np.asarray(getattr(self, name)) for name in self._LEARNED}

    #: Names of the arrays that ``arrays`` gives.
    NAMES: Final = tuple(name.rstrip("_") for name in _LEARNED)

    @classmethod
    def from_arrays(cls, columns: Sequence[str], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Rebuild a blend from the arrays that ``arrays`` returned.

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
        blend = cls(columns)
        for name in cls._LEARNED:
            setattr(blend, name, arrays[name.rstrip("_")])
        blend.intercept_ = float(blend.intercept_)
        return blend

    def _parts(self, scores: Scores) -> Floats:
        """Evidence of each column before weighing, shape (m, n_columns)."""
        x, y = (stacked[np.newaxis] for stacked in (self.score_x_, self.score_y_))
        return _weighed(
            *_plain(scores, np.zeros(len(scores), np.uint8)),
            *all_fixed(x, y, np.ones((1, len(x[0])))),
        )


def stacked(blends: Sequence[Blend]) -> Stacked:
    """Stack the curves and weights of several blends.

    Raises
    ------
    NotFittedError
        Before ``fit``.
    """
    if not all(hasattr(blend, "weights_") for blend in blends):
        raise NotFittedError("the blend has learned nothing yet: call `fit` first.")
    return (
        np.stack([blend.score_x_ for blend in blends]),
        np.stack([blend.score_y_ for blend in blends]),
        np.stack([blend.weights_ for blend in blends]),
    )


def weigh_evidence(learned: Stacked, scores: Scores, kind: npt.NDArray[np.uint8]) -> Floats:
    """Return the weighted evidence of each column, by the blend of each candidate's kind.

    Parameters
    ----------
    learned : tuple of ndarray
        Of several blends, see ``stacked``.
    scores : ndarray of shape (m, n_columns)
    kind : ndarray of shape (m,), uint8
        Index of the blend of each candidate.

    Returns
    -------
    ndarray of shape (m, n_columns), float64
        See ``Blend.evidence``.
    """
    return _weighed(*_plain(scores, kind), *all_fixed(*learned))


def add_up_evidence(
    blends: Sequence[Blend], evidence: Floats, kind: npt.NDArray[np.uint8], factors: Floats
) -> Floats:
    """Add up the evidence of all columns, by the blend for each candidate's kind.

    Parameters
    ----------
    blends : sequence of Blend
    kind : ndarray of shape (m,), uint8
        Index in ``blends`` of each candidate.
    evidence : ndarray of shape (m, n_columns)
    factors : ndarray of shape (n_columns,)

    Returns
    -------
    ndarray of shape (m,), float64
        See ``Blend.total``.
    """
    intercepts = np.array([blend.intercept_ for blend in blends])
    weights = np.ascontiguousarray(factors, np.float64)
    return _added(*all_fixed(np.ascontiguousarray(evidence), kind, weights, intercepts))


def _plain(scores: Scores, kind: npt.NDArray[np.uint8]) -> tuple[Any, Any]:
    return fixed(np.ascontiguousarray(scores, np.float32)), fixed(kind)


@compiled
def _weighed(
    scores: Scores, kind: npt.NDArray[np.uint8], x: Floats, y: Floats, weights: Floats
) -> Floats:
    """Interpolate each score on its column's curve and multiply by the weight, row by row.

    Compiled because the curve depends on both the column and the candidate's kind: numpy would
    need a pass and a copy for each pair.
    """
    m, width = scores.shape
    out = np.empty((m, width), np.float64)
    for i in range(m):
        k = kind[i]
        for c in range(width):
            out[i, c] = read_curve(x[k, c], y[k, c], np.float64(scores[i, c])) * weights[k, c]
    return out


@compiled
def _added(
    evidence: Floats, kind: npt.NDArray[np.uint8], factors: Floats, intercepts: Floats
) -> Floats:
    """Sum intercept and weighted evidence of each candidate, columns in order.

    Compiled to fix the order of the sum, so that a candidate gets the same bits in any batch.
    """
    out = np.empty(len(evidence), np.float64)
    for i in range(len(evidence)):
        total = intercepts[kind[i]]
        for c in range(len(factors)):
            total += evidence[i, c] * factors[c]
        out[i] = total
    return out


def _thinned(bought: Bools, sample_weight: Floats) -> tuple[npt.NDArray[np.int64], Floats]:
    """Choose the candidates to learn from: all that were bought, and a sample of the others.

    Returns
    -------
    some : ndarray, int64
        Positions, ascending.
    sample_weight : ndarray
        Weights of those, raised for the candidates left out.
    """
    others = np.flatnonzero(~bought)
    step = max(1, len(others) // _ENOUGH)
    chosen = bought.copy()
    chosen[others[::step]] = True
    some = np.flatnonzero(chosen)
    return some, np.where(bought[some], sample_weight[some], sample_weight[some] * step)


def _evidence_curve(chances: CalibrationCurve) -> CalibrationCurve:
    """Turn a curve of chances into one of evidence, which is 0 up to a score of 0."""
    nothing = chances(np.zeros(1))
    x = np.append(0.0, chances.x[chances.x > 0])
    y = np.append(nothing, chances.y[chances.x > 0])
    return CalibrationCurve(x, _log_odds(y) - _log_odds(nothing))


def fit_weights(
    parts: Floats, bought: Bools, sample_weight: Floats, l2: float
) -> tuple[Floats, float]:
    """Fit a logistic regression with weights >= 0; return weights and intercept."""
    from scipy.optimize import minimize  # training only; serving never loads it

    y = bought.astype(np.float64)

    def loss(beta: Floats) -> tuple[float, Floats]:
        z = parts @ beta[:-1] + beta[-1]
        softplus = np.log1p(np.exp(-np.abs(z))) + np.maximum(z, 0.0)  # log(1 + exp(z))
        value = (sample_weight * (softplus - y * z)).sum() + l2 / 2 * (beta[:-1] ** 2).sum()
        wrong = sample_weight * (1.0 / (1.0 + np.exp(-z)) - y)
        slope = np.append(parts.T @ wrong + l2 * beta[:-1], wrong.sum())
        return float(value), slope

    n = parts.shape[1]
    overall = ((sample_weight * bought).sum() + 0.5) / (sample_weight.sum() + 1.0)
    start = np.append(np.full(n, 1.0 / n), _log_odds(overall))
    bounds = [(0.0, None)] * n + [(None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return found.x[:-1], float(found.x[-1])


def _log_odds(chance: Any) -> Any:
    chance = np.clip(chance, _SMALLEST, 1 - _SMALLEST)
    return np.log(chance) - np.log1p(-chance)
