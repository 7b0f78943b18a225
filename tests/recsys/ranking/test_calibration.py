"""Rising curves from outcomes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize
from sklearn.isotonic import IsotonicRegression

from recsys.ranking.calibration import fit_isotonic, read_curve, stack_curves


def test_the_chance_is_the_share_that_happened():
    x = np.repeat([1.0, 2.0, 3.0], 1000)
    happened = np.concatenate([np.arange(1000) < n for n in (100, 300, 600)])
    curve = fit_isotonic(x, happened, np.ones(3000), knots=8)
    assert curve(np.array([1.0, 2.0, 3.0])) == pytest.approx([0.1, 0.3, 0.6], abs=1e-3)
    assert curve(np.array([2.5])) == pytest.approx([0.45], abs=1e-3)


def test_neighbours_that_would_fall_are_pooled():
    x = np.repeat([1.0, 2.0], 1000)
    happened = np.concatenate([np.arange(1000) < n for n in (400, 200)])
    curve = fit_isotonic(x, happened, np.ones(2000), knots=8)
    assert curve(x) == pytest.approx(0.3, abs=1e-3)


def test_a_weight_stands_for_that_many_cases():
    weighed = fit_isotonic(
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
    curve = fit_isotonic(x, happened, np.ones(len(x)), knots)
    read = curve(np.linspace(-10, 10, 50))
    assert (np.diff(read) >= 0).all()
    if 0 < happened.sum() < len(x):
        assert ((read > 0) & (read < 1)).all()
    long_x, long_y = stack_curves([curve], knots)
    np.testing.assert_array_equal(np.interp(x, long_x[0], long_y[0]), curve(x))
    np.testing.assert_array_equal(
        [read_curve(long_x[0], long_y[0], one) for one in [*x, *x + 0.1]], curve([*x, *x + 0.1])
    )


@given(st.integers(0, 2**32 - 1))
def test_steps_are_those_of_the_estimator(seed):
    """But for the one case of doubt, the curve is what scikit-learn predicts."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 12, 60).astype(float)
    happened = rng.random(60) < x / 14
    weights = rng.integers(1, 50, 60) * 1e6  # so many cases that one more is nothing
    curve = fit_isotonic(x, happened, weights, knots=100)
    other = IsotonicRegression().fit(x, happened, sample_weight=weights)
    for start in np.unique(other.predict(x)):
        same = other.predict(x) == start  # one step: the curve passes its weighed middle
        middle = np.average(x[same], weights=weights[same])
        assert curve(np.array([middle]))[0] == pytest.approx(start, abs=1e-5)


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.integers(1, 9)), min_size=1))
def test_a_curve_has_a_knot_for_each_block(cases):
    x, happened, weights = (np.array([case[at] for case in cases], float) for at in range(3))
    values, group = np.unique(x, return_inverse=True)
    weight = np.bincount(group, weights)
    chance = np.bincount(group, weights * happened) / weight
    blocks = optimize.isotonic_regression(chance, weights=weight).blocks
    curve = fit_isotonic(x, happened.astype(bool), weights, knots=100)
    middles = np.add.reduceat(weight * values, blocks[:-1]) / np.add.reduceat(weight, blocks[:-1])
    np.testing.assert_array_equal(curve.x, middles)
