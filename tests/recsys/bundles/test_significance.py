"""Chances, intervals and false discoveries, beside what is known of them."""

import numpy as np
import pytest
from scipy import stats

from recsys.bundles.significance import at_least, discovery_rates, interval


def test_the_chance_of_a_count_is_poissons():
    seen, expected = np.array([0, 1, 5, 20, 200]), np.array([3.0, 0.01, 2.0, 20.0, 100.0])
    assert at_least(seen, expected) == pytest.approx(stats.poisson.sf(seen - 1, expected))


def test_the_interval_is_garwoods():
    low, high = interval([0, 1, 10])
    assert low == pytest.approx([0.0, 0.0253, 4.7954], abs=1e-4)
    assert high == pytest.approx([3.6889, 5.5716, 18.3904], abs=1e-4)


def test_false_discoveries_are_counted_over_all_tests():
    p_values = np.array([0.04, 0.001, 0.2, 0.01])
    assert discovery_rates(p_values, 4) == pytest.approx(stats.false_discovery_control(p_values))
    among = np.concatenate([p_values, np.ones(96)])
    expected = stats.false_discovery_control(among)[:4]
    assert discovery_rates(p_values, 100) == pytest.approx(expected)
    assert len(discovery_rates(np.zeros(0), 10)) == 0
