"""What people type finds what is written, in whatever script, case and accents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.values.search_words import LONGEST, query_words, text_words


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("creme brul", "Crème brûlée"),
        ("CREME", "crème"),
        ("strasse", "Hauptstraße STRASSE"),
        ("oko", "Øko-Æbler"),
        ("aebler", "Øko-Æbler"),
        ("lodz", "Łódź"),
        ("istanbul", "İSTANBUL ışık"),
        ("isik", "İstanbul ışık"),
        ("чай", "Зелёный ЧАЙ"),
        ("зеленый", "Зелёный чай"),
        ("σοφος", "ΣΟΦΌΣ"),
        ("ჩაი", "ᲩᲐᲘ შავი"),
        ("كتاب", "كِتَابٌ"),  # with its vowels
        ("کتاب", "كتاب"),  # a Persian kaf for an Arabic one
        ("چای", "چاي سبز"),
        ("کتاب", "کتاب\u200cها"),
        ("שלום", "שָׁלוֹם"),
        ("चाय", "हरी चाय"),
        ("500", "چای ۵۰۰ گرم"),
        ("緑茶", "有機緑茶ラテ"),
        ("ラテ", "有機緑茶ﾗﾃ"),
        ("usb", "ＵＳＢケーブル"),
        ("ケーブル", "USBケーブル"),
        ("ชา", "เครื่องดื่มชาเขียว"),
        ("녹차", "유기농 녹차"),
        ("x2", "Tee x² (2er)"),
    ],
)
def test_it_is_found(typed: str, written: str) -> None:
    words = text_words(written)
    assert all(any(each.startswith(word) for each in words) for word in query_words(typed))
    assert query_words(typed)


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("tea", "steam"),  # no word begins so
        ("की", "कि"),  # the vowels of Devanagari are letters
        ("か", "が"),
        ("茶緑", "緑茶"),
        ("ea", "tea"),
    ],
)
def test_it_is_something_else(typed: str, written: str) -> None:
    words = text_words(written)
    assert not all(any(each.startswith(word) for each in words) for word in query_words(typed))


@pytest.mark.parametrize("text", ["", " ", "-", "!?…", "\u200b", "́"])
def test_without_a_letter_there_are_no_words(text: str) -> None:
    assert query_words(text) == []
    assert text_words(text) == set()


def test_a_word_counts_once_and_no_longer_than_it_may() -> None:
    assert query_words("Tea, TEA téa") == ["tea"]
    assert query_words("x" * 100) == ["x" * LONGEST]
    assert text_words("x" * 100) == {"x" * LONGEST}


@given(st.text(max_size=30))
def test_every_text_is_found_by_itself_and_by_each_of_its_words(text: str) -> None:
    words = text_words(text)
    assert set(query_words(text)) <= words
    for word in words:
        assert query_words(word) in ([word], query_words(word)[:1])
    assert query_words(text.upper()) == query_words(text.upper().lower())
