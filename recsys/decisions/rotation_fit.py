"""Learns from exposures and clicks how much ignored showings lower the odds of a click.

In: for each showing how tired its customer was of the product, and whether they clicked. Out:
``FittedRotation``. Called by training, and by ``benchmarks.rotation``.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from scipy import optimize

from recsys.datasets import Floats, IntArray
from recsys.decisions.past_showings import Bools, PastShowings

#: Standard deviation of what is believed of ``log(decay)`` before anything is seen: a factor of a
#: half or of two is one of it. So what few clicks say changes little.
PRIOR_SPREAD: Final = 0.7
#: The same of the coefficients of places, weakly.
_PLACE_SPREAD: Final = 1.0
#: Log-odds of a click of the kinds of interest that there may be; how many are of each is learned.
_INTEREST: Final = np.linspace(-9.0, 2.0, 23)
#: Series of doubt: as many are believed to be of each kind before anything is seen.
_DOUBT: Final = 0.5
#: Showings to learn from, at most; of more, those of every second, third … series are taken.
MAX_SHOWINGS: Final = 100_000


class FittedRotation(NamedTuple):
    """What was learned of ignored showings.

    Attributes
    ----------
    decay : float
        See ``Rotation``; never above 1.
    log_decay_error : float
        Standard error of its logarithm.
    showings, clicks : int
        That it was learned from.
    """

    decay: float
    log_decay_error: float
    showings: int
    clicks: int


def fit_rotation(showings: PastShowings, prior_decay: float) -> FittedRotation:
    """Learn the decay.

    Customers differ in what they like, and what they like they click on before they tire of it: a
    product that was ignored often is one that was never liked. So each series has an interest of
    its own, and the likelihood is the sum over all that it may be: a logistic regression whose
    intercept has whatever distribution fits best [1]_.

    Parameters
    ----------
    showings : PastShowings
        All showings of each series from its first one on, earlier ones first.
    prior_decay : float
        What is believed before, in (0, 1]; it stays where nothing was shown twice or clicked.

    Returns
    -------
    FittedRotation

    References
    ----------
    .. [1] Heckman and Singer (1984), A method for minimizing the impact of distributional
       assumptions in econometric models for duration data, Econometrica 52.
    """
    showings = _thinned(showings)
    order = np.argsort(showings.series, kind="stable")
    series, clicked = showings.series[order], showings.clicked[order]
    starts = np.flatnonzero(np.diff(series, prepend=series[:1] - 1))
    place = np.log(showings.place[order])
    # What is liked stands first: the first place of a series speaks of its interest.
    interest = np.repeat(place[starts], np.diff(np.append(starts, len(place))))
    design = np.column_stack([showings.tired[order], place, interest])
    believed = np.log(prior_decay)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        return _loss(parameters, design, clicked, starts, believed)

    first = np.array([believed, *np.zeros(2 + len(_INTEREST))])
    found = optimize.minimize(loss, first, jac=True, method="L-BFGS-B").x
    return FittedRotation(
        min(1.0, float(np.exp(found[0]))),
        float(np.sqrt(np.linalg.pinv(_curvature(loss, found))[0, 0])),
        len(clicked),
        int(clicked.sum()),
    )


def _thinned(showings: PastShowings) -> PastShowings:
    every = len(showings.series) // MAX_SHOWINGS + 1
    _, number = np.unique(showings.series, return_inverse=True)
    kept = number % every == 0
    series, tired, place, clicked = showings
    return PastShowings(series[kept], tired[kept], place[kept], clicked[kept])


def _loss(
    parameters: Floats, design: Floats, clicked: Bools, starts: IntArray, believed: float
) -> tuple[float, Floats]:
    """Return the negative logarithm of the posterior and its gradient.

    Parameters are the coefficients of ``design``, and a logarithm for the share of series of each
    kind of interest.
    """
    columns = design.shape[1]
    kinds = parameters[columns:] - np.logaddexp.reduce(parameters[columns:])
    odds = (design @ parameters[:columns])[:, None] + _INTEREST  # log-odds, showing x kind
    sign = np.where(clicked, 1.0, -1.0)[:, None]
    log_chance = -np.logaddexp(0.0, -sign * odds)
    joint = np.add.reduceat(log_chance, starts, axis=0) if len(starts) else log_chance
    joint = joint + kinds
    top = joint.max(axis=1, keepdims=True)
    given = np.exp(joint - top)
    whole = given.sum(axis=1, keepdims=True)
    likely = float((np.log(whole) + top).sum()) + _DOUBT * float(kinds.sum())
    # Each kind's share of a series, times what one more unit of log-odds would add.
    shares = given / whole
    of_showing = np.repeat(shares, np.diff(np.append(starts, len(clicked))), axis=0)
    pull = of_showing * sign * np.exp(-np.logaddexp(0.0, sign * odds))
    series = len(starts) + _DOUBT * len(kinds)
    gradient = np.append(
        design.T @ pull.sum(axis=1), shares.sum(axis=0) + _DOUBT - series * np.exp(kinds)
    )
    spread = np.repeat([PRIOR_SPREAD, _PLACE_SPREAD, np.inf], [1, columns - 1, len(kinds)])
    off = parameters / spread
    off[0] = (parameters[0] - believed) / PRIOR_SPREAD
    return 0.5 * float(off @ off) - likely, off / spread - gradient


def _curvature(
    loss: Callable[[Floats], tuple[float, Floats]], at: Floats, step: float = 1e-4
) -> Floats:
    """Return the second derivatives, from differences of the gradient."""
    axes = np.eye(len(at)) * step
    rows = [(loss(at + axis)[1] - loss(at - axis)[1]) / (2 * step) for axis in axes]
    square = np.array(rows)
    return np.asarray((square + square.T) / 2, np.float64)
