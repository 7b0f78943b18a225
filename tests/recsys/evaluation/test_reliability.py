"""Told chances beside what happened."""

import numpy as np
import pytest

from recsys.datasets.ragged import Lists
from recsys.evaluation.reliability import PredictedChances, reliability_of
from recsys.ranking.ranked_lists import RankedLists


def told(chance, happened, sample_weight=None):
    n = len(chance)
    sample_weight = np.ones(n) if sample_weight is None else np.array(sample_weight, float)
    return PredictedChances(np.array(chance, float), np.array(happened, bool), sample_weight)


def test_bins_worked_by_hand():
    found = reliability_of(told([0.1, 0.3, 0.6, 0.8], [False, True, True, False]), bins=2)
    first, second = found.bins
    assert (first.told, first.happened) == (pytest.approx(0.2), 0.5)
    assert (second.told, second.happened) == (pytest.approx(0.7), 0.5)
    # two of four items 0.3 apart, two of four 0.2
    assert found.error == pytest.approx(0.5 * 0.3 + 0.5 * 0.2)
    assert (found.told, found.happened) == (pytest.approx(0.45), 0.5)
    assert first.low < 0.5 < first.high


def test_customers_who_were_not_drawn_count_through_those_who_were():
    found = reliability_of(told([0.5, 0.5], [True, False], [1, 3]), bins=1)
    assert found.happened == pytest.approx(1 / 4)
    assert found.error == pytest.approx(1 / 4)


def test_equal_chances_are_not_torn_apart():
    found = reliability_of(told([0.2] * 9 + [0.9], [False] * 9 + [True]), bins=5)
    assert [one.weight for one in found.bins] == [9.0, 1.0]


def test_true_chances_are_found_true():
    rng = np.random.default_rng(1)
    chance = rng.uniform(0, 0.4, 50_000)
    found = reliability_of(told(chance, rng.uniform(size=50_000) < chance))
    assert found.error < 0.01
    assert all(one.low - 0.01 < one.told < one.high + 0.01 for one in found.bins)
    assert reliability_of(told(chance / 2, rng.uniform(size=50_000) < chance)).error > 0.08


def test_of_each_customer_the_first_places_count():
    lists = Lists.of_rows([np.array([1, 2, 3]), np.array([4])])
    none = np.empty((4, 0))
    part = RankedLists(
        lists.indptr, lists.item_ix, np.array([0.4, 0.3, 0.2, 0.1]), none, none, none
    )
    relevant = Lists.of_rows([np.array([2, 3]), np.array([5])] * 2)
    found = PredictedChances.of([part, part], relevant, np.array([1.0, 2.0, 3.0, 4.0]), 2)
    assert found.chance.tolist() == [0.4, 0.3, 0.1] * 2
    assert found.happened.tolist() == [False, True, False] * 2
    assert found.sample_weight.tolist() == [1, 1, 2, 3, 3, 4]
    assert len((found + found).chance) == 12


def test_nothing_shown_is_nothing_told():
    assert reliability_of(told([], [])).bins == []


def test_a_few_who_stand_for_many_say_little():
    """The interval is as wide as that of so many equal cases as say as much (Kish)."""
    sample_weight = np.array([97.0, 1.0, 1.0, 1.0])
    (one,) = reliability_of(
        PredictedChances(np.full(4, 0.5), np.array([True, False, True, False]), sample_weight)
    ).bins
    n = sample_weight.sum() ** 2 / (sample_weight**2).sum()
    share = 98 / 100
    low, high = proportion(share, n)
    assert one.happened == pytest.approx(share)
    assert (one.low, one.high) == (pytest.approx(low, abs=1e-5), pytest.approx(high, abs=1e-5))


def proportion(share, n):
    """Wilson's interval, where the score test accepts: solved by bisection."""

    def accepts(chance):
        return abs(share - chance) <= 1.959964 * np.sqrt(chance * (1 - chance) / n)

    grid = np.linspace(0, 1, 200_001)
    inside = grid[[accepts(chance) for chance in grid]]
    return inside.min(), inside.max()
