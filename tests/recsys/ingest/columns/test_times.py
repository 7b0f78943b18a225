"""Time formats: which ones fit, and which one a message suggests."""

import pytest

from recsys.ingest.columns.times import fitting, hint, number_kind


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["28/02/2014", "1/3/2014"], ["%d/%m/%Y"]),
        (["1/3/2014"], ["%d/%m/%Y", "%m/%d/%Y"]),
        (["3/3/2014"], ["%d/%m/%Y"]),
        (["01.02.2026 10:15"], ["%d.%m.%Y %H:%M"]),
        (["7/13/2026 2:00 PM"], ["%m/%d/%Y %I:%M %p"]),
        (["20260131"], ["%Y%m%d"]),
        (["45413.4"], []),
        ([], []),
    ],
)
def test_formats_that_fit(texts: list[str], expected: list[str]) -> None:
    assert fitting(texts) == expected


def test_a_proposal_covers_most_texts_or_says_nothing() -> None:
    mixed = hint(["28-02-2014", "13/3/2014", "31-01-2014"])
    assert mixed == ': set `time_format` to ["%d-%m-%Y", "%d/%m/%Y"]'
    assert hint(["2014-02-31", "tomorrow", "28-02-2014"]) == ""


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1767225600", "1767312000"], "unix"),
        (["1767225600000"], "unix_ms"),
        (["1767225600000000"], "unix_us"),
        (["46023", "46024.25"], "excel"),
        (["2026020110", "2026020211"], None),  # the first of February, ten o'clock
        (["1767225600", "46023"], None),
        (["20260201", "20260202"], None),
        (["12345", "77"], None),
        ([], None),
    ],
)
def test_numbers_that_count_from_a_moment(texts: list[str], expected: str | None) -> None:
    assert number_kind(texts) == expected
