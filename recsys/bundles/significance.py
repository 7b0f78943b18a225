"""How sure a count is that was seen more often than chance would have it.

Counts and what chance would give come in; chances, intervals and shares of false discoveries come
out. Called by the modules that find bundles.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]

#: What is left on either side of an interval.
_TAIL: Final = 0.025


def at_least(seen: npt.ArrayLike, expected: npt.ArrayLike) -> Floats:
    """Chance of a Poisson count of at least ``seen`` where ``expected`` is its mean.

    Parameters
    ----------
    seen : array_like
        Counts, at least 0; need not be whole, where several count as less than one each.
    expected : array_like
        Above 0.
    """
    seen = np.asarray(seen, np.float64)
    tail = special.gammainc(np.maximum(seen, 1e-12), np.asarray(expected, np.float64))
    return np.where(seen <= 0, 1.0, tail)


def interval(seen: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Between which means a Poisson count lies in 95 of 100 cases (Garwood).

    Parameters
    ----------
    seen : array_like
        Counts, at least 0.

    Returns
    -------
    low, high : ndarray of float64
    """
    seen = np.asarray(seen, np.float64)
    low = np.where(seen > 0, special.gammaincinv(np.maximum(seen, 1e-12), _TAIL), 0.0)
    return low, special.gammaincinv(seen + 1.0, 1.0 - _TAIL)


def discovery_rates(p_values: Floats, n_tests: int) -> Floats:
    """Smallest share of false discoveries at which each test would be reported [1]_.

    Parameters
    ----------
    p_values : ndarray of shape (n,), float64
    n_tests : int
        Tests made; those that are not among ``p_values`` count with a chance of 1.

    Returns
    -------
    ndarray of shape (n,), float64

    References
    ----------
    .. [1] Benjamini, Hochberg (1995), Controlling the false discovery rate, JRSS B.
    """
    order = np.argsort(p_values, kind="stable")
    rates = p_values[order] * max(n_tests, len(p_values)) / np.arange(1, len(p_values) + 1)
    found = np.empty(len(p_values))
    found[order] = np.minimum(np.minimum.accumulate(rates[::-1])[::-1], 1.0)
    return found
