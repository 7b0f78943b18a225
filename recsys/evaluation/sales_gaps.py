"""Finds periods without sales in which many sales were expected.

In: counts by day and ``[checks]``. Out: sales gaps. Called by ``data_checks``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from recsys.config import CheckSettings
from recsys.evaluation.sales_activity import Counts

#: Minimum number of expected orders for a gap to count.
EXPECTED: Final = 10.0
#: Minimum share of the preceding periods with sales.
_REGULAR: Final = 0.75


@dataclass(frozen=True)
class SalesGap:
    """A period without orders, between two ages in days, and the expected number of orders."""

    since: int
    until: int
    expected: float

    @property
    def lasts(self) -> bool:
        """Whether there were no sales after it."""
        return self.until < 0


def find_sales_gaps(
    by_day: Counts, shortest: int, settings: CheckSettings, expected: float = EXPECTED
) -> Iterator[SalesGap]:
    """Find periods of at least ``shortest`` days without orders where many were expected.

    The preceding periods determine the expectation, so gaps of shops that sell rarely or have
    closed are not reported.

    Parameters
    ----------
    by_day : ndarray
        Orders by age in days.
    shortest : int
        Minimum length in days.
    settings : CheckSettings
    expected : float
        Minimum number of expected orders.
    """
    periods, length = settings.past_periods, settings.recent_days
    ages = np.flatnonzero(by_day)[::-1]
    for since, until in zip(ages, [*ages[1:], -1], strict=False):
        silent = int(since - until - 1)
        if silent < shortest or silent > periods * length:
            continue
        before = by_day[since : since + periods * length]
        sold = [before[k : k + length].sum() > 0 for k in range(0, len(before), length)]
        missed = float(before.mean()) * silent
        if len(before) >= length * periods / 2 and np.mean(sold) >= _REGULAR and missed >= expected:
            yield SalesGap(int(since), int(until), missed)
