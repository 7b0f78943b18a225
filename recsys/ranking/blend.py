"""How much each model's opinion counts, learned from what customers then bought.

Candidates with the models' scores, and which of them were bought, come in; out come curves and
weights that turn the scores into one number, and that number into a chance of purchase. Learned
by training, stored in the artefact, read by ``rank``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from recsys.errors import NotFittedError
from recsys.ranking.candidates import Candidates
from recsys.ranking.curves import Curve, Floats, fit_rising, stack

#: Length of each stored curve, at most.
KNOTS: Final = 64
_SMALLEST: Final = 1e-9


class Blend:
    """Weighted evidence of several models, in log-odds, and its chance of coming true.

    A model's evidence for a product is how much more likely a purchase is, in log-odds, at that
    score and at that place of the model's list than for a product that the model did not name.
    It is never negative, and zero where the model is silent, so that models with scores of any
    scale can be added, and a placement can let one of them count more.

    Parameters
    ----------
    models : sequence of str
        Names, in the order of the candidates' columns.
    l2 : float
        Penalty on the squared weights; a trifle that settles ties between equal models.

    Attributes
    ----------
    score_x_, score_y_ : ndarray of shape (n_models, KNOTS), float64
        Score → evidence.
    place_x_, place_y_ : ndarray of shape (n_models, KNOTS), float64
        One over the place → evidence.
    weights_ : ndarray of shape (n_models, 2), float64
        What the evidence of the score and that of the place count, >= 0.
    intercept_ : float
        Log-odds of a product that no model has evidence for.
    factors_ : ndarray of shape (n_curves, n_models), float64
        Factors on the models' evidence for which a curve of chances was learned; the first are
        all one.
    chance_x_, chance_y_ : ndarray of shape (n_curves, KNOTS), float64
        Blended evidence → chance of purchase within the window it was learned on.
    """

    _ARRAYS: Final = (
        "score_x_", "score_y_", "place_x_", "place_y_", "weights_", "intercept_", "factors_",
        "chance_x_", "chance_y_",
    )  # fmt: skip

    def __init__(self, models: Sequence[str], l2: float = 1.0) -> None:
        self.models = models
        self.l2 = l2

    def fit(
        self,
        candidates: Candidates,
        bought: npt.NDArray[np.bool_],
        weights: npt.NDArray[np.float64] | None = None,
        factors: Sequence[Mapping[str, float]] = (),
    ) -> Self:
        """Learn curves, weights and chances; replaces what was learned before.

        Parameters
        ----------
        candidates : Candidates
            Of customers as they were at one moment; at least one candidate.
        bought : ndarray of shape (m,), bool
            Which of them were bought after that moment.
        weights : ndarray of shape (m,), float64, optional
            How many cases each candidate stands for; one by default.
        factors : sequence of mappings
            Factors by model, as placements set them; each gets its own curve of chances.
        """
        mass = np.ones(len(bought)) if weights is None else weights
        self._fit_curves(candidates, bought, mass)
        parts = self._parts(candidates)
        shape = (len(self.models), 2)
        weights_, self.intercept_ = _fit_weights(
            parts.reshape(len(bought), -1), bought, mass, self.l2
        )
        self.weights_ = weights_.reshape(shape)
        evidence = self._weigh(parts)
        rows = np.stack([self.factors({}), *(self.factors(given) for given in factors)])
        _, first = np.unique(rows, axis=0, return_index=True)
        self.factors_ = rows[np.sort(first)]
        self.chance_x_, self.chance_y_ = stack(
            [fit_rising(self.total(evidence, row), bought, mass, KNOTS) for row in self.factors_],
            KNOTS,
        )
        return self

    def factors(self, by_model: Mapping[str, float]) -> Floats:
        """Put factors by model into an array of shape (n_models,); one where none is given."""
        return np.array([by_model.get(name, 1.0) for name in self.models])

    def evidence(self, candidates: Candidates) -> Floats:
        """Weigh what each model says about each candidate.

        Returns
        -------
        ndarray of shape (m, n_models), float64
            Log-odds, >= 0.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        """
        if not hasattr(self, "weights_"):
            raise NotFittedError("the blend has learned nothing yet: call `fit` first.")
        return self._weigh(self._parts(candidates))

    def total(self, evidence: Floats, factors: Floats) -> Floats:
        """Add up the evidence of all models.

        Parameters
        ----------
        evidence : ndarray of shape (m, n_models)
        factors : ndarray of shape (n_models,) or (m, n_models)
            What each model counts on the placement.

        Returns
        -------
        ndarray of shape (m,), float64
            Comparable between all candidates of one placement.
        """
        factors = np.broadcast_to(factors, evidence.shape)
        out = np.full(len(evidence), self.intercept_)
        # Column by column: adding in this order whatever the number of rows keeps batch and
        # single answers equal to the last bit.
        for model in range(evidence.shape[1]):
            out += evidence[:, model] * factors[:, model]
        return out

    def chance(self, evidence: Floats, factors: Floats) -> Floats:
        """Chance of purchase of candidates that were blended with ``factors``.

        Parameters
        ----------
        evidence : ndarray of shape (m, n_models)
        factors : ndarray of shape (n_models,)

        Returns
        -------
        ndarray of shape (m,), float64
            In (0, 1). Factors for which no curve was learned give the chance without factors,
            which does not fall with the rank then.
        """
        known = np.flatnonzero((self.factors_ == factors).all(axis=1))
        at = int(known[0]) if known.size else 0
        return _curve(self.chance_x_, self.chance_y_, at)(self.total(evidence, self.factors_[at]))

    def arrays(self) -> dict[str, npt.NDArray[np.float64]]:
        """What was learned, by name."""
        return {name.rstrip("_"): np.asarray(getattr(self, name)) for name in self._ARRAYS}

    @classmethod
    def from_arrays(cls, models: Sequence[str], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Rebuild a blend from what ``arrays`` gave."""
        blend = cls(models)
        for name in cls._ARRAYS:
            setattr(blend, name, arrays[name.rstrip("_")])
        blend.intercept_ = float(blend.intercept_)
        return blend

    def _fit_curves(
        self, candidates: Candidates, bought: npt.NDArray[np.bool_], mass: Floats
    ) -> None:
        by_score: list[Curve] = []
        by_place: list[Curve] = []
        for column in range(len(self.models)):
            named = candidates.places[:, column] > 0
            silent = _log_odds(_chance(bought[~named], mass[~named]))
            for kind, x in (
                (by_score, candidates.scores[named, column].astype(np.float64)),
                (by_place, 1.0 / candidates.places[named, column]),
            ):
                if not named.any():
                    kind.append(Curve(np.zeros(1), np.zeros(1)))
                    continue
                rising = fit_rising(x, bought[named], mass[named], KNOTS)
                kind.append(Curve(rising.x, np.maximum(_log_odds(rising.y) - silent, 0.0)))
        self.score_x_, self.score_y_ = stack(by_score, KNOTS)
        self.place_x_, self.place_y_ = stack(by_place, KNOTS)

    def _parts(self, candidates: Candidates) -> Floats:
        """Evidence of score and of place before weighing, shape (m, n_models, 2)."""
        out = np.zeros((*candidates.scores.shape, 2))
        for column in range(len(self.models)):
            at = np.flatnonzero(candidates.places[:, column])
            score = _curve(self.score_x_, self.score_y_, column)
            place = _curve(self.place_x_, self.place_y_, column)
            out[at, column, 0] = score(candidates.scores[at, column])
            out[at, column, 1] = place(1.0 / candidates.places[at, column])
        return out

    def _weigh(self, parts: Floats) -> Floats:
        weighed: Floats = (
            parts[:, :, 0] * self.weights_[:, 0] + parts[:, :, 1] * self.weights_[:, 1]
        )
        return weighed


def _fit_weights(
    parts: Floats, bought: npt.NDArray[np.bool_], mass: Floats, l2: float
) -> tuple[Floats, float]:
    """Logistic regression with weights >= 0; returns weights and intercept."""
    from scipy.optimize import minimize  # training only; serving never loads it

    y = bought.astype(np.float64)

    def loss(beta: Floats) -> tuple[float, Floats]:
        z = parts @ beta[:-1] + beta[-1]
        value = (mass * (np.logaddexp(0.0, z) - y * z)).sum() + l2 / 2 * (beta[:-1] ** 2).sum()
        wrong = mass * (1.0 / (1.0 + np.exp(-z)) - y)
        slope = np.append(parts.T @ wrong + l2 * beta[:-1], wrong.sum())
        return float(value), slope

    n = parts.shape[1]
    start = np.append(np.full(n, 1.0 / n), _log_odds(_chance(bought, mass)))
    bounds = [(0.0, None)] * n + [(None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return found.x[:-1], float(found.x[-1])


def _chance(bought: npt.NDArray[np.bool_], mass: Floats) -> float:
    """Share that was bought, with half a purchase of doubt."""
    return float(((mass * bought).sum() + 0.5) / (mass.sum() + 1.0))


def _log_odds(chance: Any) -> Any:
    chance = np.clip(chance, _SMALLEST, 1 - _SMALLEST)
    return np.log(chance) - np.log1p(-chance)


def _curve(x: Floats, y: Floats, row: int) -> Curve:
    """Take one curve out of the stacked arrays, without the repeats of its last knot."""
    length = int(np.searchsorted(x[row], x[row, -1])) + 1
    return Curve(x[row, :length], y[row, :length])
