"""When customers bought a product, and when again: pairs of customer and product.

Purchases in time order come in; how often, how long ago and at what intervals each pair came
back comes out. Called by ``repeat``, by the same code for all customers when it fits and for one
when they ask.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.matrices.ids import IntArray, IxArray

Floats = npt.NDArray[np.float64]

DAY: Final = 86_400
#: Purchases of a product less than half a day apart are one: two tickets of one way to the shop,
#: or two orders of a day where the export holds dates only.
APART_DAYS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of customer and product, ascending by key, and when they were bought.

    Attributes
    ----------
    key : ndarray of shape (n_pairs,), integer
        What ``pairs`` was given.
    times : ndarray of shape (n_pairs,), float64
        Purchases, half a day apart at least; those that a summary stands for included.
    repeats : ndarray of shape (n_pairs,), float64
        Purchases after the first, each half after the half-life.
    elapsed_days : ndarray of shape (n_pairs,), float64
        Since the last purchase; ``APART_DAYS`` at least.
    known_days : ndarray of shape (n_pairs,), float64
        Since the first purchase; ``APART_DAYS`` at least.
    gap_of : ndarray of shape (n_gaps,), int64
        Pair of each interval between two purchases of it.
    log_gap : ndarray of shape (n_gaps,), float64
        Its natural logarithm; days.
    """

    key: npt.NDArray[np.integer]
    times: Floats
    repeats: Floats
    elapsed_days: Floats
    known_days: Floats
    gap_of: IntArray
    log_gap: Floats

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.key)

    def gaps(self) -> Floats:
        """Return the number of intervals of each pair."""
        return _counted(self.gap_of, len(self))

    def log_gaps(self) -> Floats:
        """Return the sum of each pair's logarithms of intervals."""
        return np.asarray(np.bincount(self.gap_of, self.log_gap, len(self)), np.float64)


def pairs(
    key: npt.NDArray[np.integer],
    ts: IntArray,
    count: IxArray,
    as_of_ts: int | IntArray,
    half_life_days: float,
) -> Pairs:
    """Gather purchases into pairs.

    Parameters
    ----------
    key : ndarray of shape (n,), integer
        Which pair of customer and product was bought.
    ts : ndarray of shape (n,), int64
        UTC epoch seconds; never falling within a key.
    count : ndarray of shape (n,), int32
        Purchases that each stands for.
    as_of_ts : int, or ndarray of shape (n,)
        UTC epoch seconds, after all of ``ts``.
    half_life_days : float
        Age at which a repeat counts half.

    Returns
    -------
    Pairs
    """
    order = np.argsort(key, kind="stable")
    key, age, count = key[order], ((as_of_ts - ts) / DAY)[order], count[order]
    gap = age[:-1] - age[1:]
    same = key[1:] == key[:-1]
    # Of purchases that are too close to the one before only the first counts.
    apart = np.append(True, ~same | (gap >= APART_DAYS))[: len(key)]
    if not apart.all():
        key, age, count = key[apart], age[apart], count[apart]
        same = key[1:] == key[:-1]
        gap = age[:-1] - age[1:]
    starts = np.flatnonzero(np.append(True, ~same)[: len(key)])
    n = len(starts)
    pair = np.repeat(np.arange(n), np.diff(np.append(starts, len(key))))
    weight = np.exp2(-age / half_life_days)
    decayed = np.bincount(pair, weight * count, n) - weight[starts]
    last = np.append(starts[1:], len(key))[:n] - 1
    return Pairs(
        key[starts],
        np.asarray(np.bincount(pair, count, n), np.float64),
        np.asarray(decayed, np.float64),
        np.maximum(age[last], APART_DAYS),
        np.maximum(age[starts], APART_DAYS),
        pair[1:][same],
        np.log(gap[same]),
    )


def _counted(ix: IntArray, n: int) -> Floats:
    return np.bincount(ix, minlength=n).astype(np.float64)
