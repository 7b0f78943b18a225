import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.models.purchase_intervals import APART_DAYS, purchase_intervals
from recsys.models.repurchase_rates import BUYERS, RepurchaseRates
from recsys.units import DAY

NOW = 1_000 * DAY


def found(*bought, half_life_days=10.0):
    """Pairs of (key, days ago) or (key, days ago, count), in any order."""
    bought = sorted(bought, key=lambda each: -each[1])
    key = np.array([each[0] for each in bought], np.int64)
    ts = np.array([NOW - round(each[1] * DAY) for each in bought], np.int64)
    count = np.array([each[2] if len(each) > 2 else 1 for each in bought], np.int32)
    return purchase_intervals(key, ts, count, NOW, half_life_days)


def test_repeats_intervals_and_ages():
    seen = found((7, 30), (7, 20), (7, 10), (3, 4))
    assert seen.key.tolist() == [3, 7]
    assert seen.times.tolist() == [1, 3]
    assert seen.repeats.tolist() == pytest.approx([0, 1 / 4 + 1 / 2])
    assert seen.elapsed_days.tolist() == [4, 10]
    assert seen.known_days.tolist() == [4, 30]
    assert seen.gaps().tolist() == [0, 2]
    assert np.exp(seen.log_gap).tolist() == pytest.approx([10, 10])
    assert seen.log_gaps().tolist() == pytest.approx([0, 2 * np.log(10)])


def test_purchases_of_one_trip_are_one():
    one, other = found((1, 10), (1, 3)), found((1, 10), (1, 10), (1, 9.8), (1, 3), (1, 3))
    assert one.times.tolist() == other.times.tolist() == [2]
    assert one.log_gap.tolist() == other.log_gap.tolist()


def test_a_summary_counts_as_often_as_it_stands_for():
    seen = found((1, 20, 5), (1, 10))
    assert seen.times.tolist() == [6]
    assert seen.repeats.tolist() == pytest.approx([4 / 4 + 1 / 2])
    assert seen.gaps().tolist() == [1]


def test_nothing_bought_is_no_error():
    assert len(found()) == 0
    assert found().gaps().tolist() == []


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 400)), max_size=40))
def test_intervals_fill_the_time_between_first_and_last(bought):
    seen = found(*((key, days / 4) for key, days in bought))
    assert seen.key.tolist() == sorted({key for key, _ in bought})
    assert (np.exp(seen.log_gap) >= APART_DAYS - 1e-9).all()
    filled = np.bincount(seen.gap_of, np.exp(seen.log_gap), len(seen))
    wide = np.maximum(seen.known_days - APART_DAYS, 0)
    assert (filled <= seen.known_days + 1e-6).all()
    assert (filled >= wide - seen.elapsed_days - 1e-6).all()
    np.testing.assert_array_equal(seen.gaps() + 1, seen.times)


def test_products_are_drawn_to_their_category():
    # Product 0: 30 buyers with a repeat after 10 days; 1: one buyer, same category; 2: another one.
    bought = [(buyer * 3, days) for buyer in range(30) for days in (20, 10)]
    bought += [(100 * 3 + 1, 20), *((buyer * 3 + 2, 20) for buyer in range(30))]
    seen = found(*bought)
    item_ix = (seen.key % 3).astype(np.int32)
    learned = RepurchaseRates.learn(seen, item_ix, np.array([0, 0, 1], np.int32))
    doubt = BUYERS * 20
    assert learned.overall == pytest.approx(31 / (61 * 20 + 1))
    food = (30 + doubt * learned.overall) / (31 * 20 + doubt)
    assert learned.rate[1] == pytest.approx(doubt * food / (20 + doubt))
    assert learned.rate[0] > learned.rate[1] > learned.overall > learned.rate[2]
    assert np.exp(learned.log_interval) == pytest.approx([10, 10, 10], rel=0.05)
    assert (learned.spread > 0).all()
