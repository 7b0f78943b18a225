"""What one would otherwise use, tuned on the same data with the same budget as ours."""

from typing import Final

from benchmarks.baselines import baskets, frequency, items
from benchmarks.baselines.base import Baseline

BASELINES: Final[tuple[Baseline, ...]] = (
    *frequency.BASELINES,
    *baskets.BASELINES,
    *items.BASELINES,
)
