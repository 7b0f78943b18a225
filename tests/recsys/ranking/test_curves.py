"""Rising curves from outcomes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.ranking.curves import fit_rising, stack


def test_the_chance_is_the_share_that_happened():
    x = np.repeat([1.0, 2.0, 3.0], 1000)
    happened = np.concatenate([np.arange(1000) < n for n in (100, 300, 600)])
    curve = fit_rising(x, happened, np.ones(3000), knots=8)
    assert curve(np.array([1.0, 2.0, 3.0])) == pytest.approx([0.1, 0.3, 0.6], abs=1e-3)
    assert curve(np.array([2.5])) == pytest.approx([0.45], abs=1e-3)


def test_neighbours_that_would_fall_are_pooled():
    x = np.repeat([1.0, 2.0], 1000)
    happened = np.concatenate([np.arange(1000) < n for n in (400, 200)])
    curve = fit_rising(x, happened, np.ones(2000), knots=8)
    assert curve(x) == pytest.approx(0.3, abs=1e-3)


def test_a_weight_stands_for_that_many_cases():
    weighed = fit_rising(
        np.array([1.0, 1.0]), np.array([True, False]), np.array([900.0, 100.0]), knots=2
    )
    assert weighed(np.array([1.0])) == pytest.approx([0.9], abs=1e-3)


@given(
    st.lists(st.tuples(st.floats(-9, 9), st.booleans()), min_size=1, max_size=60),
    st.integers(2, 9),
)
def test_curves_never_fall_and_never_promise_anything_for_certain(cases, knots):
    x = np.array([value for value, _ in cases])
    happened = np.array([outcome for _, outcome in cases])
    curve = fit_rising(x, happened, np.ones(len(x)), knots)
    read = curve(np.linspace(-10, 10, 50))
    assert (np.diff(read) >= 0).all()
    if 0 < happened.sum() < len(x):
        assert ((read > 0) & (read < 1)).all()
    long_x, long_y = stack([curve], knots)
    np.testing.assert_array_equal(np.interp(x, long_x[0], long_y[0]), curve(x))
