"""Windows lie where they should, and a short history gives short windows."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import DataError
from recsys.evaluation.splits import MAX_SHARE, by_time, rolling
from recsys.units import DAY


def ts(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_the_last_days_are_for_judging_and_the_days_before_for_choosing():
    split = by_time(ts("2017-01-01T09:30"), ts("2017-12-30T18:00"), 28, 14)
    assert split.test.start_ts == ts("2017-12-03")
    assert split.test.end_ts == ts("2017-12-31")
    assert split.validation.start_ts == ts("2017-11-19")
    assert str(split.test) == "2017-12-03 to 2017-12-30"
    assert not split.note


def test_a_week_is_shared_out_and_said_so():
    split = by_time(ts("2020-09-16"), ts("2020-09-22"), 28, 28)
    assert (split.validation.days, split.test.days) == (1, 1)
    assert split.test.start_ts == ts("2020-09-22")
    assert "7 days" in split.note
    assert "1 instead of 28" in split.note


def test_windows_shrink_by_the_same_factor():
    split = by_time(ts("2020-01-01"), ts("2020-01-30"), 28, 14)
    assert (split.test.days, split.validation.days) == (10, 5)


def test_two_days_are_too_few():
    with pytest.raises(DataError, match=r"2 days .2020-09-16 to 2020-09-17.*older exports"):
        by_time(ts("2020-09-16T23:59"), ts("2020-09-17T00:00"), 28, 28)


@given(
    st.integers(0, 2_000_000_000),
    st.integers(3 * DAY, 900 * DAY),
    st.integers(1, 90),
    st.integers(1, 90),
)
def test_windows_follow_one_another_and_leave_enough_to_learn_from(first, span, test, validation):
    split = by_time(first, first + span, test, validation)
    assert split.validation.end_ts == split.test.start_ts
    assert split.test.start_ts <= first + span < split.test.end_ts
    assert 1 <= split.test.days <= test
    assert 1 <= split.validation.days <= validation
    learnt = split.validation.start_ts - first // DAY * DAY
    total = split.test.end_ts - first // DAY * DAY
    assert learnt >= (1 - MAX_SHARE) * total - DAY  # a window is never shorter than a day


def test_windows_roll_back_from_the_end():
    first, last = ts("2017-01-01"), ts("2017-12-30")
    older, newest = rolling(first, last, 28, 14, tests=2, validations=3)
    assert newest == replace(by_time(first, last, 28, 14), earlier=newest.earlier)
    assert older.test.end_ts == newest.test.start_ts
    assert [window.days for window in newest.validations] == [14, 14, 14]
    for split in (older, newest):
        ends = [window.end_ts for window in split.validations]
        assert [window.start_ts for window in (*split.validations[1:], split.test)] == ends


def test_windows_for_which_there_is_no_room_are_left_out_and_said_so():
    (split,) = rolling(ts("2020-01-01"), ts("2020-03-30"), 14, 14, tests=4, validations=3)
    assert [window.days for window in split.validations] == [14, 14]
    assert split.note.startswith("There is room for 1 test window instead of 4")
    assert "2 validation windows instead of 3" in split.note


@given(
    st.integers(3, 900),
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(1, 5),
    st.integers(1, 5),
)
def test_rolling_leaves_half_to_learn_from(days, test, validation, tests, validations):
    found = rolling(0, days * DAY - 1, test, validation, tests=tests, validations=validations)
    assert 1 <= len(found) <= tests
    assert len(found[-1].validations) <= validations
    assert found[0].validations[0].start_ts >= (1 - MAX_SHARE) * days * DAY - 2 * DAY
    assert found[-1].test.end_ts == days * DAY
