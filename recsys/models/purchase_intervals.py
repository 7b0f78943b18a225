"""When customers bought a product, and when again: pairs of customer and product.

Purchases in time order come in; how often, how long ago and at what intervals each pair came
back comes out. Called by ``repeat``, by the same code for all customers when it fits and for one
when they ask.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.datasets import IntArray, IxArray, compiled, fixed
from recsys.units import DAY

Floats = npt.NDArray[np.float64]

#: Purchases of a product less than half a day apart are one: two tickets of one way to the shop,
#: or two orders of a day where the export holds dates only.
APART_DAYS: Final = 0.5


@dataclass(frozen=True)
class PurchaseIntervals:
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
        return self._counted

    def log_gaps(self) -> Floats:
        """Return the sum of each pair's logarithms of intervals."""
        return self._added

    @cached_property
    def _counted(self) -> Floats:
        return np.bincount(self.gap_of, minlength=len(self)).astype(np.float64)

    @cached_property
    def _added(self) -> Floats:
        return np.asarray(np.bincount(self.gap_of, self.log_gap, len(self)), np.float64)


def purchase_intervals(
    key: npt.NDArray[np.integer],
    ts: IntArray,
    count: IxArray,
    as_of_ts: int | IntArray,
    half_life_days: float,
) -> PurchaseIntervals:
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
    PurchaseIntervals
    """
    order = np.argsort(key, kind="stable")
    key = key[order]
    new = np.ones(len(key), bool)
    new[1:] = key[1:] != key[:-1]
    starts = np.append(np.flatnonzero(new), len(key))
    at_ts = np.broadcast_to(np.asarray(as_of_ts, np.int64), ts.shape)[order[starts[:-1]]]
    return intervals_of_sorted(key[starts[:-1]], (starts, order), ts, count, at_ts, half_life_days)


def intervals_of_sorted(
    key: npt.NDArray[np.integer],
    lines: tuple[IntArray, IntArray],
    ts: IntArray,
    count: IxArray,
    as_of_ts: IntArray,
    half_life_days: float,
) -> PurchaseIntervals:
    """Make pairs of purchases that are sorted already.

    Parameters
    ----------
    key : ndarray of shape (n_pairs,), integer
        Ascending.
    lines : tuple of ndarray
        Pair ``p`` was bought in the purchases ``lines[1][lines[0][p]:lines[0][p + 1]]``, at
        least one; by time.
    ts, count : ndarray of shape (n,)
        Of each purchase, as of ``pairs``; a time after ``as_of_ts`` counts as that.
    as_of_ts : ndarray of shape (n_pairs,), int64
    half_life_days : float
    """
    given = lines[0], lines[1], ts, count, as_of_ts
    columns = _gathered(float(half_life_days), APART_DAYS, DAY, *map(fixed, given))
    return PurchaseIntervals(key, *columns)


@compiled
def _gathered(
    half_life_days: float,
    apart_days: float,
    day: int,
    starts: IntArray,
    line: IntArray,
    ts: IntArray,
    count: IxArray,
    as_of_ts: IntArray,
) -> tuple[Floats, Floats, Floats, Floats, IntArray, Floats]:
    """Walk each pair's purchases in time order: counts, decayed repeats, intervals.

    A purchase within ``apart_days`` of the one before it belongs to the same trip and adds
    nothing. Compiled, because whether it does depends on the purchase before, which numpy cannot
    say.
    """
    n = len(starts) - 1
    times, repeats = np.zeros(n, np.float64), np.zeros(n, np.float64)
    elapsed_days, known_days = np.empty(n, np.float64), np.empty(n, np.float64)
    gap_of, log_gap = np.empty(len(line), np.int64), np.empty(len(line), np.float64)
    n_gaps = 0
    for p in range(n):
        before = last = weight = decayed = 0.0
        for at in range(starts[p], starts[p + 1]):
            age = max(as_of_ts[p] - ts[line[at]], 0) / day
            first = at == starts[p]
            apart = first or before - age >= apart_days
            before = age
            if not apart:  # only the first of a trip counts
                continue
            now = np.exp2(-age / half_life_days)
            times[p] += count[line[at]]
            decayed += now * count[line[at]]
            if first:
                weight = now
                known_days[p] = max(age, apart_days)
            else:
                gap_of[n_gaps], log_gap[n_gaps] = p, np.log(last - age)
                n_gaps += 1
            last = age
        repeats[p] = decayed - weight
        elapsed_days[p] = max(last, apart_days)
    return (
        times,
        repeats,
        elapsed_days,
        known_days,
        gap_of[:n_gaps].copy(),
        log_gap[:n_gaps].copy(),
    )
