"""Which language fits a tag."""

import pytest

from recsys.languages import ENGLISH, fit_language, language_of


@pytest.mark.parametrize(
    ("tag", "fitting"),
    [("de", "de"), ("de-AT", "de"), ("DE-ch", "de"), ("ar-EG", "ar"), ("en-GB", "en")],
)
def test_a_tag_with_a_region_fits_its_language(tag: str, fitting: str) -> None:
    assert fit_language(tag) is language_of(fitting)


@pytest.mark.parametrize("tag", ["nl", "zh-Hant", "", "-", "x", "e n", "deutsch"])
def test_nothing_fits_what_is_not_offered(tag: str) -> None:
    assert fit_language(tag) is None


def test_english_is_the_language_of_the_source() -> None:
    assert ENGLISH is language_of("en")
