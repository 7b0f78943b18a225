"""The search finds what a loop over all products finds, in the same order, and is quick."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.datasets.item_index import ItemIndex
from recsys.ranking.product_filter import LabelColumn
from recsys.recommender.product_attributes import Attributes, ChangedAttributes
from recsys.recommender.product_search import ProductSearch
from recsys.values.search_words import query_words, text_words

WORDS = ["tea", "team", "Thé", "te", "Grün", "grüner", "緑茶", "茶", "چای", "چايخانه", "x-1", "100"]
texts = st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join)
labels = st.none() | texts.filter(bool)
typed = st.lists(
    st.sampled_from([*WORDS, "t", "T", "gru", "چای", "1"]) | st.text(max_size=3), max_size=3
).map(" ".join)


@dataclass
class Shelf:
    """As much of a catalogue as a search looks at."""

    index: ItemIndex
    titles: Sequence[str]
    labels: dict[str, LabelColumn]
    attributes: Attributes


def column(values: Sequence[str | None], names: Sequence[str] = ()) -> LabelColumn:
    position = dict.fromkeys([*names, *(value for value in values if value is not None)])
    known = {name: ix for ix, name in enumerate(position)}
    code = [-1 if value is None else known[value] for value in values]
    return LabelColumn(list(known), np.array(code, np.int32))


def shelf(titles: Sequence[str], brands: Any, categories: Any) -> Shelf:
    index = ItemIndex([f"p{n}" for n in range(len(titles))])
    nothing = Attributes({}, [""] * len(titles))
    return Shelf(index, titles, {"brand": brands, "category": categories}, nothing)


def in_a_loop(of: Shelf, shares: Any, text: str) -> list[int]:
    """What is to be found, one product and one word at a time."""
    found = []
    for item_ix, title in enumerate(of.titles):
        names = [
            one.names[one.code[item_ix]] for one in of.labels.values() if one.code[item_ix] >= 0
        ]
        in_title, in_label = text_words(title), set().union(*map(text_words, names))
        fits = []
        for word in query_words(text):
            begins_title = any(each.startswith(word) for each in in_title)
            begins_label = any(each.startswith(word) for each in in_label)
            tests = (word in in_title, word in in_label, begins_title, begins_label, True)
            fits.append(tests.index(True))
        if fits and max(fits) < 4:
            found.append((max(fits), -shares[item_ix], item_ix))
    first = [ix for ix, name in enumerate(of.index.item_ids) if name == text.strip()]
    return first + [ix for *_, ix in sorted(found) if ix not in first]


@given(
    products=st.lists(st.tuples(texts, labels, labels), min_size=1, max_size=8),
    changes=st.dictionaries(st.integers(0, 7), st.tuples(texts, labels, labels), max_size=3),
    again=st.dictionaries(st.integers(0, 7), texts, max_size=2),
    asked=typed | st.sampled_from(["p0", " p1 "]),
    seed=st.integers(0, 99),
)
def test_it_finds_what_a_loop_finds(
    products: Any, changes: Any, again: Any, asked: str, seed: int
) -> None:
    titles, brands, categories = map(list, zip(*products, strict=True))
    # Two of equal sales stand in the order of the catalogue.
    shares = np.random.default_rng(seed).choice([0.0, 0.1, 0.2], len(titles))
    before = shelf(titles, column(brands), column(categories))
    search = ProductSearch(before, shares)  # type: ignore[arg-type]
    assert search.find(asked).tolist() == in_a_loop(before, shares, asked)
    for item_ix, (_, brand, category) in changes.items():
        if item_ix < len(titles):
            brands[item_ix], categories[item_ix] = brand, category
    updated = {ix: title for ix, (title, *_) in changes.items() if ix < len(titles)}
    once_more = {ix: title for ix, title in again.items() if ix < len(titles)}
    after = shelf(
        ChangedAttributes(ChangedAttributes(titles, updated), once_more),
        column(brands, before.labels["brand"].names),
        column(categories, before.labels["category"].names),
    )
    newer = search.over(after)  # type: ignore[arg-type]
    assert newer.find(asked).tolist() == in_a_loop(after, shares, asked)
    assert search.find(asked).tolist() == in_a_loop(before, shares, asked)


def test_a_search_of_65_000_products_is_quick() -> None:
    chosen = random.Random(5)
    letters = "abcdefghijklmnopqrstuvwxyzäé"
    words = ["".join(chosen.choices(letters, k=chosen.randint(2, 9))) for _ in range(5_000)]
    titles = [" ".join(chosen.choices(words, k=6)) for _ in range(65_000)]
    names = [" ".join(chosen.choices(words, k=2)) for _ in range(3_000)]
    brands, categories = (
        LabelColumn(names, np.random.default_rng(n).integers(-1, 3_000, 65_000).astype(np.int32))
        for n in range(2)
    )
    search = ProductSearch(
        shelf(titles, brands, categories),  # type: ignore[arg-type]
        np.random.default_rng(3).random(65_000),
    )
    search.find("a")  # reads the words

    def seconds(text: str) -> float:
        begin = time.perf_counter()
        search.find(text)
        return time.perf_counter() - begin

    for text in ("a", titles[0], titles[1][:9], "a b c d", "zzzz"):
        assert min(seconds(text) for _ in range(5)) < 0.02, text
