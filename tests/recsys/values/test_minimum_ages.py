"""What catalogues write as a minimum age."""

import pytest

from recsys.values.minimum_ages import is_restricted


@pytest.mark.parametrize(
    "text",
    [
        "18",
        "16+",
        "21",
        "FSK 18",
        "USK 12",
        "ab 16 Jahren",
        "yes",
        "TRUE",
        "1",
        "ja",
        "oui",
        "adults only",
        "18.0",
        "16,0",
        "from 18 years",
    ],
)
def test_an_age_of_sale_restricts(text):
    assert is_restricted(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "0",
        "3+",
        "FSK 0",
        "6",
        "6.0",
        "3,5",
        "18 months",
        "36 Monate",
        "no",
        "FALSE",
        "nein",
        "non",
        "all ages",
        "Everyone",
        "-",
    ],
)
def test_advice_and_no_do_not(text):
    assert not is_restricted(text)
