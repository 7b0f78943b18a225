"""Numbers as the documents write them."""

import pytest

from benchmarks._figures import Figure, markdown


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0594, ".059"), (0, "0"), (1, "1"), (0.9999, "1.000"), (-0.02, "-.020"), (-0.0001, ".000")],
)
def test_shares(value, text):
    assert markdown.share(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.174, ".17"), (1.74, "1.7"), (0.997, "1.0"), (43.2, "43"), (9.97, "10")]
)
def test_ratios(value, text):
    assert markdown.ratio(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(4712.0, "4,700"), (613.4, "613"), (15.94, "15.9"), (2.1, "2.10")]
)
def test_about_three_digits(value, text):
    assert markdown.three_digits(value) == text


def test_intervals():
    figure = Figure(0.26401, 0.25, 0.2762, 10)
    assert markdown.interval(figure) == ".264 [.250, .276]"
    assert markdown.plus_minus(figure, 4) == ".2640 ± .0131"


def test_differences_have_a_sign():
    assert [markdown.signed(value) for value in (0.0058, -0.0019, -0.00001)] == [
        "+.0058",
        "-.0019",
        "+.0000",
    ]


def test_a_table():
    assert markdown.table(("a", "b"), [("1", ""), ("", "2")]) == (
        "| a | b |\n|---|---|\n| 1 | |\n| | 2 |\n"
    )


def test_lists_are_wrapped_within_words():
    text = markdown.items(["word " * 40, "`one-two`"])
    assert all(len(line) <= 108 for line in text.splitlines())
    assert text.startswith("- word")
    assert "\n  word" in text
    assert text.endswith("\n- `one-two`\n")
