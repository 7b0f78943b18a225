"""Stretches in which nothing was sold although much was to come.

Counts by day and ``[checks]`` come in, sales gaps come out. Called by ``data_checks``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from recsys.config import CheckSettings
from recsys.evaluation.sales_activity import Counts

#: Orders that should have come in a silence before it counts as one.
EXPECTED: Final = 10.0
#: Share of the periods before a silence in which something was sold.
_REGULAR: Final = 0.75


@dataclass(frozen=True)
class SalesGap:
    """Days without orders between two ages in days, and the orders that were to be expected."""

    since: int
    until: int
    expected: float

    @property
    def lasts(self) -> bool:
        """Whether nothing was sold after it."""
        return self.until < 0


def find_sales_gaps(
    by_day: Counts, shortest: int, settings: CheckSettings, expected: float = EXPECTED
) -> Iterator[SalesGap]:
    """Find stretches of ``shortest`` days and more without orders, where many were to come.

    What was to come is said by the periods before: of a shop that sells now and then, and of
    one that closed for good, a silence is no news.

    Parameters
    ----------
    by_day : ndarray
        Orders by age in days.
    shortest : int
        Days.
    settings : CheckSettings
    expected : float
        Orders that were to come, at least.
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
