"""How often, and at which intervals, customers bought the items they are shown.

Shown items and histories come in; for each item, the number of purchases, the intervals between
them and the time since the last one come out. Purchases of every product of the item's choice
count. Called by ``explanations``.
"""

from typing import NamedTuple

import numpy as np

from recsys.datasets import Floats, Histories, IntArray, IxArray, Ragged, compiled, fixed
from recsys.models import purchase_intervals, repeat_timing
from recsys.ranking import Choices
from recsys.units import DAY


class Habit(NamedTuple):
    """What one customer did with one choice.

    Attributes
    ----------
    purchases : int
        So many; several within half a day are one.
    elapsed_days : float
        Since the last one.
    interval_days : float or None
        Median of the days between one and the next; None where there was one only.
    regular : bool
        Whether there were several intervals, and they are alike.
    """

    purchases: int
    elapsed_days: float
    interval_days: float | None = None
    regular: bool = False


def habits_of(
    shown: Ragged, histories: Histories, as_of_ts: IntArray, choices: Choices
) -> dict[int, Habit]:
    """Measure how customers bought the items they are shown.

    Parameters
    ----------
    shown : Ragged
        Products of ``n`` answers.
    histories : Histories
        Of the ``n`` customers; returned purchases do not count.
    as_of_ts : ndarray of shape (n,), int64
        UTC epoch seconds.
    choices : Choices

    Returns
    -------
    dict of int to Habit
        By position in ``shown.item_ix``; items that the customer never bought have none.
    """
    past = histories.purchases
    given = (
        shown.indptr,
        shown.item_ix,
        past.indptr,
        past.item_ix,
        past.ts,
        past.count,
        as_of_ts,
        choices.of,
    )
    times, elapsed, n_gaps, interval, spread = _purchase_times(
        purchase_intervals.APART_DAYS, DAY, *map(fixed, given)
    )
    habits = {}
    for place in np.flatnonzero(times).tolist():
        gaps = int(n_gaps[place])
        habits[place] = Habit(
            int(times[place]),
            float(elapsed[place]),
            float(interval[place]) if gaps else None,
            gaps >= repeat_timing.REGULAR_GAPS
            and float(spread[place]) < repeat_timing.REGULAR_SPREAD,
        )
    return habits


@compiled
def _purchase_times(
    apart_days: float,
    day: int,
    indptr: IntArray,
    shown: IxArray,
    past_indptr: IntArray,
    past: IxArray,
    ts: IntArray,
    count: IxArray,
    as_of_ts: IntArray,
    of: IxArray,
) -> tuple[IntArray, Floats, IntArray, Floats, Floats]:
    """Return purchases, days since the last, number of intervals, their median and log spread.

    Walks each row's purchases once for each shown item, oldest first; purchases that are less than
    ``apart_days`` after the one before belong to the same trip. Compiled because numpy would need
    an array of (items shown, purchases) and cannot carry the time of the last trip along.
    """
    n = len(shown)
    times, n_gaps = np.zeros(n, np.int64), np.zeros(n, np.int64)
    elapsed, interval, spread = np.zeros(n), np.zeros(n), np.zeros(n)
    for r in range(len(indptr) - 1):
        first, end = past_indptr[r], past_indptr[r + 1]
        gaps = np.empty(end - first, np.float64)
        for place in range(indptr[r], indptr[r + 1]):
            choice, k = of[shown[place]], 0
            before = last = 0.0
            for at in range(first, end):
                if of[past[at]] != choice:
                    continue
                age = max(as_of_ts[r] - ts[at], 0) / day
                known = times[place] > 0
                apart = not known or before - age >= apart_days
                before = age
                if not apart:  # only the first of a trip counts
                    continue
                times[place] += count[at]
                if known:
                    gaps[k] = last - age
                    k += 1
                last = age
            elapsed[place], n_gaps[place] = max(last, apart_days), k
            if k == 0:
                continue
            mine = np.sort(gaps[:k])
            interval[place] = (mine[(k - 1) // 2] + mine[k // 2]) / 2
            mean = squares = 0.0
            for gap in mine:
                mean += np.log(gap) / k
            for gap in mine:
                squares += (np.log(gap) - mean) ** 2
            spread[place] = np.sqrt(squares / (k - 1)) if k > 1 else 0.0
    return times, elapsed, n_gaps, interval, spread
