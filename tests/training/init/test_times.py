"""The time format is detected from the whole column."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.init.conftest import Propose
from training.init.times import readable, reading


@pytest.mark.parametrize(
    ("texts", "patterns"),
    [
        (["28-02-2014", "1/3/2014"], ["%d-%m-%Y", "%d/%m/%Y"]),
        (["02/28/2014 9:13 AM", "3-1-2014 9:13 AM"], ["%m/%d/%Y %I:%M %p", "%m-%d-%Y %I:%M %p"]),
        (["2014-02-28", "13.03.2014"], ["%Y-%m-%d", "%d.%m.%Y"]),
        (["28/02/2014", "01/03/2014 10:15"], ["%d/%m/%Y", "%d/%m/%Y %H:%M"]),
        (["1.3.2014"], ["%d.%m.%Y"]),
        (["28/02/14"], ["%d/%m/%y"]),
        (["Feb 28, 2014"], ["%b %d, %Y"]),
        (["2014年2月28日"], ["%Y年%m月%d日"]),
    ],
)
def test_formats_that_read_the_column(texts: list[str], patterns: list[str]) -> None:
    found = reading(texts, day_first=False)
    assert found.patterns == patterns
    assert not found.ambiguous
    assert found.contradictory is None


def test_any_value_tells_for_all() -> None:
    """The order of day and month in dates with dashes applies to dates with slashes."""
    assert reading(["01/03/2014", "28-02-2014"], day_first=False).patterns[0] == "%d/%m/%Y"
    assert reading(["01/03/2014", "02-28-2014"], day_first=True).patterns[0] == "%m/%d/%Y"


@pytest.mark.parametrize("day_first", [True, False])
def test_what_nothing_tells_is_said(*, day_first: bool) -> None:
    found = reading(["01/03/2014", "02/03/2014"], day_first=day_first)
    assert found.ambiguous
    assert found.patterns == ["%d/%m/%Y" if day_first else "%m/%d/%Y"]


def test_the_order_of_rows_tells_in_doubt() -> None:
    texts = ["5/1/2014", "6/1/2014", "7/1/2014", "1/2/2014", "2/2/2014", "3/2/2014"]
    found = reading(texts, day_first=False)
    assert found.patterns == ["%d/%m/%Y"]
    assert found.ambiguous  # it is noted all the same


def test_two_ways_at_once_contradict_each_other() -> None:
    found = reading(["28/02/2014", "02/28/2014", "01/03/2014"], day_first=True)
    assert found.contradictory == ("28/02/2014", "02/28/2014")


def test_what_nothing_reads_is_named() -> None:
    found = reading(["28/02/2014", "Tuesday"], day_first=True)
    assert found.patterns == ["%d/%m/%Y"]
    assert found.unread == ("Tuesday",)
    assert reading(["Tuesday"], day_first=True).patterns == []


@given(
    day=st.dates(datetime.date(1990, 1, 1), datetime.date(2049, 12, 31)).filter(
        lambda day: day.day > 12
    ),
    pattern=st.sampled_from(["%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y"]),
    first=st.booleans(),
)
def test_a_day_above_twelve_settles_it(day: datetime.date, pattern: str, first: bool) -> None:
    found = reading([day.strftime(pattern)], day_first=first)
    assert readable(day.strftime(pattern), found.patterns)[:10] == day.isoformat()


@pytest.mark.parametrize(("text", "end"), [("09h13", " %Hh%M"), ("9時13分", " %H時%M分")])
def test_hours_are_written_in_words_too(proposed: Propose, text: str, end: str) -> None:
    found = proposed(
        "ticket;date;heure;article;qté;prix\n"
        f"12;2024/05/02;{text};A;1;5,00\n13;2024/05/02;{text};A;1;5,00\n"
    )
    assert found.settings["time_format"] == "%Y/%m/%d" + end
