"""Fills places of a list at random from nearly equal candidates, so that positions can be judged.

In: the values of the candidates that are left, and a seed. Out: which of them are drawn, in the
order of their places, and with which chance each came there. Called by ``steering``.

Every candidate in the pool has the same chance in every place, so that the propensity of a product
in a place is exactly one over the size of the pool.
"""

from hashlib import blake2b
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.datasets import IntArray

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

#: Chances below this are alike.
_LEAST: Final = 1e-9


def log_worth(keys: Floats, chance: Floats, log_factor: Floats, by_margin: Bools | None) -> Floats:
    """Return what candidates are worth: their chance of purchase, or margin, times the factors.

    Parameters
    ----------
    keys : ndarray of shape (m,), float64
        Logarithms of the expected margins, times the factors, where that is the order.
    chance : ndarray of shape (m,), float64
        Of purchase.
    log_factor : ndarray of shape (m,), float64
        Logarithm of what rules multiply each by.
    by_margin : ndarray of shape (m,), bool, or None
        Whether the order of each one's list is by margin; None: no list's is.

    Returns
    -------
    ndarray of shape (m,), float64
        Natural logarithms.
    """
    likely = np.log(np.maximum(chance, _LEAST)) + log_factor
    return likely if by_margin is None else np.where(by_margin, keys, likely)


def draw_pool(log_value: Floats, slots: int, within: float) -> IntArray:
    """Find the candidates that are nearly as good as the best one.

    Parameters
    ----------
    log_value : ndarray of shape (m,), float64
        Natural logarithm of what each candidate is worth.
    slots : int
        Places to fill: the pool has so many at least, where there are as many.
    within : float
        Share of the best value. In (0, 1].

    Returns
    -------
    ndarray, int64
        Positions, best first; of equals the first one.
    """
    order = np.argsort(-log_value, kind="stable").astype(np.int64)
    if not len(order):
        return order
    near = log_value[order] >= log_value[order[0]] + np.log(within)
    return order[: max(int(near.sum()), slots)]


def draw(pool: IntArray, seed: str, count: int) -> tuple[IntArray, float]:
    """Draw members of a pool, each at most once.

    Parameters
    ----------
    pool : ndarray, int64
        In an order that does not depend on the seed.
    seed : str
        The same draws the same.
    count : int
        Places to fill; fewer are, where the pool is smaller.

    Returns
    -------
    drawn : ndarray, int64
        Members in the order of their places.
    propensity : float
        Chance of each member in each place; 0 where the pool is empty.
    """
    left = pool.copy()
    n = min(count, len(left))
    for place in range(n):  # Fisher-Yates
        digest = blake2b(f"{seed}/{place}".encode(), digest_size=8).digest()
        other = place + int.from_bytes(digest, "big") % (len(left) - place)
        left[[place, other]] = left[[other, place]]
    return left[:n], 1.0 / len(pool) if len(pool) else 0.0
