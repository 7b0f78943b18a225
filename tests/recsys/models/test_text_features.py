from math import log
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.datasets.products import Products
from recsys.models.text_features import text_features_of, tokens, unsized


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


def described(*titles):
    none = np.full(len(titles), -1, np.int32)
    products = Products(titles, [""] * len(titles), none, none, none)
    training = SimpleNamespace(products=products, n_items=len(titles), category=none)
    return text_features_of(training, (1.0, 0.0, 0.0))


def test_rarer_words_count_more_and_words_of_one_title_shorten_it():
    found = described("Green tea", "tea tea, black", "Green tea cup", "")
    # Columns are in alphabetical order: green, tea. `black` and `cup` are no features.
    green, tea, alone = (1 + log(5 / (1 + titles)) for titles in (2, 3, 1))
    both = np.hypot(green, tea)
    expected = [[green / both, tea / both], [0, 1], [green / both, tea / both], [0, 0]]
    np.testing.assert_allclose(found.matrix.toarray(), expected, rtol=1e-6)
    common = [1, tea / np.hypot(tea, alone), both / np.hypot(both, alone), 0]
    np.testing.assert_allclose(found.common, common, rtol=1e-6)


@pytest.mark.parametrize("titles", [["", ""], ["tea", "cup"], ["12", "7 / 8"]])
def test_titles_that_share_no_word_have_no_features(titles):
    found = described(*titles)
    assert found.matrix.nnz == 0
    assert found.common.tolist() == [0, 0]


@given(st.lists(st.lists(st.sampled_from(["zoo", "ärmel", "b", "茶"])), min_size=1, max_size=9))
def test_the_order_of_titles_does_not_matter(drawn):
    titles = [" ".join(words) for words in drawn]
    one, other = described(*titles), described(*titles[::-1])
    np.testing.assert_array_equal(one.matrix.toarray(), other.matrix.toarray()[::-1])
    np.testing.assert_array_equal(one.common, other.common[::-1])
