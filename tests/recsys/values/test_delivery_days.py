"""Lead times are whole days, or nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.values.delivery_days import MOST_DAYS, read_days


@pytest.mark.parametrize("days", [0, 1, 14, MOST_DAYS])
def test_a_number_of_days_is_read_as_systems_write_it(days: int) -> None:
    for text in (f"{days}", f" {days} ", f"{days}.0", f"{days},00"):
        assert read_days(text) == days


@pytest.mark.parametrize(
    "text", ["", "2-3", "48 h", "-1", "1.5", "soon", "366", "1000", "1 2", "٣"]
)
def test_anything_else_is_no_lead_time(text: str) -> None:
    assert read_days(text) is None


@given(st.text(max_size=6))
def test_what_is_read_is_a_number_of_days(text: str) -> None:
    found = read_days(text)
    assert found is None or 0 <= found <= MOST_DAYS
