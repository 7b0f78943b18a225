import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.models.text_features import tokens, unsized


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Grüner Tee, BIO", ["grüner", "tee", "bio"]),
        ("Cafe\u0301 Crème", ["café", "crème"]),
        ("Кофе молотый 250 г", ["кофе", "молотый", "г"]),
        ("हिन्दी चाय", ["हिन्दी", "चाय"]),
        ("緑茶", ["緑茶"]),
        ("緑茶飲料", ["緑茶", "茶飲", "飲料"]),
        ("ＡＢＣ 123", ["abc"]),
        ("B12_vitamin", ["b12", "vitamin"]),
        ("", []),
        ("12 / 34", []),
    ],
)
def test_titles_of_any_language_are_cut_into_words(title, words):
    assert list(tokens(title)) == words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ham, 6 oz, own brand", "Ham, 16 oz, own brand"),
        ("Cola 6x330ml", "Cola 1,5 L"),
        ("Кофе 250 г", "Кофе 1 кг"),
        ("可乐330毫升", "可乐2升"),
        ("Paint white 1 l", "Paint 5 l white"),
    ],
)
def test_sizes_are_told_from_names(one, other):
    assert unsized(one) == unsized(other) != ()


def test_a_title_without_a_size_is_no_size_of_anything():
    assert unsized("Ham, own brand") == ()
    assert unsized("Ham 6 oz") != unsized("Cola 6 oz")


@given(st.text(max_size=40))
def test_no_title_is_too_odd(title):
    assert all(any(letter.isalpha() for letter in word) for word in tokens(title))
    assert isinstance(unsized(title), tuple)
