"""Validation windows for tuning: before every test window, with enough training data left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import DataError
from recsys.evaluation.splits import rolling
from recsys.units import DAY
from training.tune.windows import folds


def test_the_latest_comes_first_and_ends_where_the_first_test_window_starts():
    plan = rolling(0, 364 * DAY - 1, 28, 28, tests=2)
    newest, older = folds(plan, 2, 28)
    assert newest.judge.end_ts == plan[0].test.start_ts
    assert newest.judge.start_ts == newest.learn.end_ts
    assert older.judge == newest.learn
    assert older.learn.end_ts == older.judge.start_ts


@given(
    days=st.integers(3, 800),
    test=st.integers(1, 60),
    validation=st.integers(1, 60),
    tests=st.integers(1, 4),
    wanted=st.integers(1, 6),
)
def test_no_test_window_is_touched_and_half_is_left(days, test, validation, tests, wanted):
    plan = rolling(0, days * DAY - 1, test, validation, tests=tests)
    try:
        found = folds(plan, wanted, test)
    except DataError:
        return
    first = plan[0]
    assert 1 <= len(found) <= wanted
    for fold in found:
        for window in fold:
            assert window.end_ts <= first.test.start_ts
            assert window.days == first.validation.days
            assert window.start_ts >= first.test.start_ts / 2


@given(days=st.integers(20, 400), wanted=st.integers(20, 60))
def test_a_history_that_is_too_short_is_told_what_would_fit(days, wanted):
    try:
        folds(rolling(0, days * DAY - 1, wanted, wanted), 1, wanted)
    except DataError as error:
        fits = int(str(error).split("validation_days=")[1].split("`")[0])
        plan = rolling(0, days * DAY - 1, wanted, fits)
        assert folds(plan, 1, wanted)


def test_a_history_of_some_days_is_too_short():
    with pytest.raises(DataError, match=r"2 days before the test window.*Add older exports"):
        folds(rolling(0, 3 * DAY - 1, 28, 28), 1, 28)
