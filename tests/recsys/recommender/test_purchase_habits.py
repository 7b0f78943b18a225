"""What is said of a customer's habits is what their own purchases say."""

import statistics
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.datasets.ragged import Lists
from recsys.models.repeat_timing import REGULAR_SPREAD
from recsys.ranking.choices import Choices
from recsys.recommender.purchase_habits import habits_of
from tests.recsys.models.worlds import AS_OF, DAY, Order, batch, history, train

NAMES = ["milk", "milk_too", "bread", "tea"]
TRAINING = train([Order("c", NAMES)])
MILK, TWIN, BREAD, TEA = TRAINING.index.ix_of(NAMES).tolist()
#: Two milks are one choice.
OF = np.arange(len(NAMES), dtype=np.int32)
OF[[MILK, TWIN]] = min(MILK, TWIN)
CHOICES = Choices(OF, np.zeros(len(NAMES), np.int64))


def habits(*purchases):
    """Of milk, bread and tea, by (name, days ago)."""
    row = history(*((name, AS_OF - int(days * DAY)) for name, days in purchases))
    shown = Lists.of_rows([np.array([MILK, BREAD, TEA], np.int32)])
    found = habits_of(shown, batch(TRAINING, row), np.array([AS_OF]), CHOICES)
    return {("milk", "bread", "tea")[place]: habit for place, habit in found.items()}


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["milk", "milk_too", "bread"]), st.integers(1, 300)),
        min_size=1,
        max_size=25,
    )
)
def test_the_numbers_are_those_of_counting_days(purchases):
    found = habits(*sorted(purchases, key=lambda each: -each[1]))
    of = {"milk": ("milk", "milk_too"), "bread": ("bread",), "tea": ("tea",)}
    for name, twins in of.items():
        days = sorted({days for item, days in purchases if item in twins}, reverse=True)
        assert (name in found) == bool(days)
        if not days:
            continue
        gaps = [before - after for before, after in pairwise(days)]
        habit = found[name]
        assert habit.purchases == len(days)
        assert habit.elapsed_days == pytest.approx(days[-1])
        if gaps:
            assert habit.interval_days == pytest.approx(statistics.median(gaps))
        else:
            assert habit.interval_days is None
        spread = statistics.stdev(np.log(gaps)) if len(gaps) > 1 else np.inf
        assert habit.regular == (spread < REGULAR_SPREAD)


def test_two_ways_to_the_shop_on_one_day_are_one_purchase():
    found = habits(("milk", 8.1), ("milk_too", 8.0), ("milk", 1))
    assert found["milk"].purchases == 2
    assert found["milk"].interval_days == pytest.approx(7.1)


def test_of_nothing_bought_there_is_no_habit():
    assert habits(("tea", 3)).keys() == {"tea"}
    shown = Lists.of_rows([np.array([MILK], np.int32)])
    assert habits_of(shown, batch(TRAINING, history()), np.array([AS_OF]), CHOICES) == {}
