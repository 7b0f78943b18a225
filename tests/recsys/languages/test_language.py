"""Texts, numbers and names as each language has them."""

import pytest

from recsys.languages import ENGLISH, TAGS, language_of


@pytest.mark.parametrize(
    ("tag", "name", "direction"),
    [("en", "English", "ltr"), ("de", "Deutsch", "ltr"), ("ar", "العربية", "rtl")],
)
def test_a_language_knows_its_name_and_direction(tag: str, name: str, direction: str) -> None:
    assert (language_of(tag).name, language_of(tag).direction) == (name, direction)


def test_english_texts_are_the_source_s_own() -> None:
    assert ENGLISH.gettext("Popular right now") == "Popular right now"
    assert ENGLISH.ngettext("one", "many", 1) == "one"
    assert ENGLISH.npgettext("days", "one", "many", 2) == "many"


def test_a_text_that_no_catalogue_has_stays_english() -> None:
    assert language_of("de").gettext("Nobody ever said this") == "Nobody ever said this"


@pytest.mark.parametrize(
    ("tag", "written"), [("en", "12,345"), ("de", "12.345"), ("fa", "۱۲٬۳۴۵"), ("ar", "12,345")]
)
def test_numbers_are_written_as_the_language_writes_them(tag: str, written: str) -> None:
    assert language_of(tag).number(12_345) == written


def test_shares_and_amounts_are_too() -> None:
    german, persian = language_of("de"), language_of("fa")
    assert german.percent(0.1234, 2) == "12,34\xa0%"
    assert ENGLISH.percent(0.12) == "12%"
    assert german.decimal(1.5) == "1,5"
    assert german.money(1234.5, "EUR") == "1.234,50\xa0€"
    assert persian.decimal(1.5) == "۱٫۵"
    assert "۱٬۲۳۴" in persian.money(1234.5, "EUR")


@pytest.mark.parametrize("tag", TAGS)
def test_a_name_of_the_other_direction_keeps_to_itself(tag: str) -> None:
    language = language_of(tag)
    latin, arabic = language.isolated("Tea 5%"), language.isolated("شاي")
    assert arabic == "\u2068شاي\u2069"
    assert latin == ("\u2068Tea 5%\u2069" if language.direction == "rtl" else "Tea 5%")
