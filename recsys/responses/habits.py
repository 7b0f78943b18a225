"""How often, and at which intervals, customers bought what they are shown again.

Items that are shown and histories come in; purchases of each, what lies between them, and how long
ago the last one was come out. Called by ``explaining``, which says no more than is so: numbers are
those of the customer, of all products of the item's choice.
"""

from math import exp, fsum, sqrt
from statistics import median
from typing import NamedTuple

import numpy as np

from recsys.matrices.histories import Histories
from recsys.matrices.ids import IntArray
from recsys.matrices.lists import Ragged, rows_of
from recsys.models.renewal import pairs
from recsys.models.timing import REGULAR_GAPS, REGULAR_SPREAD
from recsys.ranking.choices import Choices

#: Age at which a repeat counts half, of which nothing is told here. Days.
_ANY: float = 365.0


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
    """Look at what customers did with what they are shown.

    Parameters
    ----------
    shown : Ragged
        Products of ``n`` answers.
    histories : Histories
        Of the ``n`` customers; what was brought back was not bought.
    as_of_ts : ndarray of shape (n,), int64
        UTC epoch seconds.
    choices : Choices

    Returns
    -------
    dict of int to Habit
        By place in ``shown.item_ix``; of what the customer never bought there is none.
    """
    of, n = choices.of, max(1, len(choices))
    wanted = rows_of(shown) * n + of[shown.item_ix]
    past = histories.purchases
    keys = past.row * n + of[past.item_ix]
    mine = np.flatnonzero(np.isin(keys, wanted))
    if not len(mine):
        return {}
    found = pairs(keys[mine], past.ts[mine], past.count[mine], as_of_ts[past.row[mine]], _ANY)
    ends = np.searchsorted(found.gap_of, np.arange(len(found) + 1))
    at = np.minimum(np.searchsorted(found.key, wanted), len(found) - 1)
    habits = {}
    for place in np.flatnonzero(found.key[at] == wanted).tolist():
        pair = int(at[place])
        gaps = found.log_gap[ends[pair] : ends[pair + 1]].tolist()
        habits[place] = Habit(
            int(found.times[pair]),
            float(found.elapsed_days[pair]),
            median(map(exp, gaps)) if gaps else None,
            len(gaps) >= REGULAR_GAPS and _spread(gaps) < REGULAR_SPREAD,
        )
    return habits


def _spread(few: list[float]) -> float:
    """Return the standard deviation of a few numbers, for which a NumPy call costs most."""
    mean = fsum(few) / len(few)
    return sqrt(fsum((number - mean) ** 2 for number in few) / (len(few) - 1))
