"""How fast and at what intervals products are bought again by those who have them.

Pairs of customer and product come in, one number a product comes out, shrunk towards its
category and that towards everything. Called by ``repeat`` when it fits.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from recsys.datasets import Floats, IxArray
from recsys.models.purchase_intervals import PurchaseIntervals

#: Buyers of doubt: how many a product needs to count as much as its category, and a category as
#: much as everything.
BUYERS: Final = 20.0
#: The same for typical intervals, in intervals.
GAPS: Final = 5.0
#: Interval and its spread where no customer ever came back; logarithms of days.
FIRST_GUESS: Final = (float(np.log(30.0)), 1.0)
#: No habit is sharper: a tenth more or less.
MIN_SPREAD: Final = 0.1


@dataclass(frozen=True, slots=True)
class RepurchaseRates:
    """How products are bought again.

    Attributes
    ----------
    rate : ndarray of shape (n_items,), float64
        Repeats per buyer and day, > 0.
    overall : float
        The same of everything.
    log_interval : ndarray of shape (n_items,), float64
        Mean logarithm of the days between two purchases by one customer.
    spread : ndarray of shape (n_items,), float64
        Standard deviation of that logarithm around each customer's own mean, > 0.
    """

    rate: Floats
    overall: float
    log_interval: Floats
    spread: Floats

    @classmethod
    def learn(cls, found: PurchaseIntervals, item_ix: IxArray, category: IxArray) -> Self:
        """Count who bought again, and when.

        Parameters
        ----------
        found : PurchaseIntervals
        item_ix : ndarray of shape (n_pairs,), integer
            Product of each pair.
        category : ndarray of shape (n_items,), integer
            See ``TrainingSet``.
        """
        n = len(category)
        # Products without a category share one, the last.
        of = np.where(category < 0, category.max(initial=-1) + 1, category)
        again = found.gaps()
        ones = np.ones(len(found))
        buyers, repeats, days = (
            _summed(item_ix, part, n) for part in (ones, again, found.known_days)
        )
        overall = (repeats.sum() + 1.0) / (days.sum() + 1.0)
        # Doubt is in buyers; a buyer is as many days as one was watched on average.
        doubt = BUYERS * max(days.sum(), 1.0) / max(buyers.sum(), 1.0)
        rate = _shrunk(repeats, days, of, overall, doubt)
        gap_item = item_ix[found.gap_of]
        gaps = _summed(gap_item, np.ones(len(gap_item)), n)
        middle, width = FIRST_GUESS
        logs = _summed(gap_item, found.log_gap, n)
        middle = (logs.sum() + middle) / (gaps.sum() + 1.0)
        log_interval = _shrunk(logs, gaps, of, middle, GAPS)
        # Around the customer's own mean: a customer with g gaps leaves g - 1 to judge it by.
        own = found.log_gaps() / np.maximum(again, 1.0)
        squares = _summed(gap_item, (found.log_gap - own[found.gap_of]) ** 2, n)
        free = _summed(item_ix, np.maximum(again - 1.0, 0.0), n)
        width = (squares.sum() + width) / (free.sum() + 1.0)
        variance = _shrunk(squares, free, of, width, GAPS)
        spread = np.maximum(np.sqrt(variance), MIN_SPREAD)
        return cls(rate, float(overall), log_interval, spread)


def _summed(ix: IxArray, part: Floats, n: int) -> Floats:
    return np.asarray(np.bincount(ix, part, n), np.float64)


def _shrunk(part: Floats, whole: Floats, category: IxArray, overall: float, doubt: float) -> Floats:
    """Each product's ``part / whole``, drawn to its category's, and that to ``overall``."""
    of = np.bincount(category, part), np.bincount(category, whole)
    prior = (of[0] + doubt * overall) / (of[1] + doubt)
    return np.asarray((part + doubt * prior[category]) / (whole + doubt), np.float64)
