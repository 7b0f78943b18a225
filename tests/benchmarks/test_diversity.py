"""What the benchmark calls a crowded list."""

import numpy as np

from benchmarks.diversity import _crowded
from recsys.datasets.ragged import Lists
from tests.recsys.ranking.test_diversity import ALIKE, ix


def test_places_with_something_like_what_stands_before_are_counted():
    rows = [
        ix("cola_a", "lemon", "cola_b", "quiet"),
        ix("red", "blue"),
        ix("mute"),
        np.empty(0, np.int32),
    ]
    assert _crowded(Lists.of_rows(rows), ALIKE) == 2 / 4
    assert _crowded(Lists.of_rows(rows[2:]), ALIKE) == 0
