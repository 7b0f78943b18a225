import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.config.model_settings import ContentSettings as Settings
from recsys.datasets.products import Products
from recsys.models import Content
from recsys.ranking.diversity import diversify
from recsys.ranking.item_similarity import ItemSimilarity
from tests.recsys.models.worlds import Order, batch, history, train

SHELF = {
    # item: title, category, family
    "cola_6": ("Soft drink cola, 6 pk", 0, -1),
    "cola_12": ("Soft drink cola, 12 pk", 0, -1),
    "cola_a": ("Soft drink cola cans", 0, -1),
    "cola_b": ("Soft drink cola cans", 0, -1),
    "lemon": ("Lemonade of lemons", 0, -1),
    "lemon_too": ("Lemonade of lemons and some more words", 0, -1),
    "toy": ("Soft drink cola cans", 1, -1),
    "red": ("Chair", 2, 7),
    "blue": ("Stool", 2, 7),
    "quiet": ("", 2, -1),
    "mute": ("", 2, -1),
    "loose_a": ("Yoghurt with cherries", -1, -1),
    "loose_b": ("Yoghurt with cherries", -1, -1),
}
NAMES = sorted(SHELF)


def _training():
    title, category, family = zip(*(SHELF[name] for name in NAMES), strict=True)
    nothing = np.full(len(NAMES), -1, np.int32)
    return train(
        [Order("c", NAMES)],
        category=dict(zip(NAMES, category, strict=True)),
        products=Products(title, [""] * len(NAMES), nothing, nothing, np.array(family, np.int32)),
    )


TRAINING = _training()
ALIKE = ItemSimilarity.of(Content().fit(TRAINING))
NOBODY = history()


def ix(*names):
    return TRAINING.index.ix_of(names)


def like(one, other, alike=ALIKE):
    return alike.of_pair(*ix(one, other).tolist())


def order(keys, *, diversity=0.5, count=10, bought=NOBODY):
    """Names in the order in which they are shown, of a mapping of name to key."""
    ranked = sorted(keys, key=lambda name: -keys[name])
    _, at = diversify(
        np.array([0, len(ranked)]),
        ix(*ranked),
        np.array([float(keys[name]) for name in ranked]),
        np.array([count]),
        np.array([diversity]),
        batch(TRAINING, bought).purchases,
        ALIKE,
    )
    return [ranked[place] for place in at]


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("cola_6", "cola_12", 1.0),  # one thing in two sizes
        ("red", "blue", 1.0),  # said to be variants, whatever their titles
        ("cola_a", "cola_b", 1.0),  # one title
        ("loose_a", "loose_b", 1.0),  # one title, and no category said
        ("cola_a", "toy", 0.0),  # one title in two categories
        ("cola_a", "lemon", 0.0),
        ("lemon", "lemon_too", 0.0),  # some words alike make no near-duplicate
        ("quiet", "mute", 0.0),  # nothing is known of either
        ("quiet", "red", 0.0),
    ],
)
def test_what_is_alike(one, other, alike):
    assert like(one, other) == like(other, one) == pytest.approx(alike, abs=1e-6)


def test_likeness_does_not_hang_on_what_words_count_in_the_model():
    for given_ in (Settings(words=1, category=0, brand=0), Settings(words=0.1, category=3.0)):
        alike = ItemSimilarity.of(Content(given_).fit(TRAINING))
        assert like("cola_a", "cola_b", alike) == pytest.approx(1.0, abs=1e-5)
        assert like("cola_a", "toy", alike) == 0.0
    without = ItemSimilarity.of(Content(Settings(words=0.0)).fit(TRAINING))
    assert like("cola_a", "cola_b", without) == 0.0
    assert like("red", "blue", without) == 1.0


def test_a_second_one_of_a_kind_loses_odds():
    half = math.log(0.5)
    assert order({"cola_a": 0, "cola_b": -0.1, "lemon": half}) == ["cola_a", "lemon", "cola_b"]
    keys = {"cola_a": 0, "cola_b": -0.1, "lemon": half - 0.2}
    assert order(keys) == ["cola_a", "cola_b", "lemon"]
    assert order(keys, diversity=0.9) == ["cola_a", "lemon", "cola_b"]


def test_a_third_one_loses_twice():
    keys = {"loose_a": 0, "loose_b": -0.1, "red": -0.9, "blue": -1.0, "cola_6": -1.65}
    assert order(keys) == ["loose_a", "loose_b", "red", "cola_6", "blue"]


def test_nothing_changes_without_diversity_or_without_likeness():
    keys = {"cola_a": 0, "cola_b": -0.1, "lemon": -0.2}
    assert order(keys, diversity=0.0) == ["cola_a", "cola_b", "lemon"]
    keys = {"cola_a": 0, "toy": -0.1, "lemon": -0.2, "quiet": -0.2, "mute": -0.3}
    assert order(keys, diversity=1.0) == list(keys)


def test_at_full_strength_a_second_one_stands_behind_everything_else():
    keys = {"cola_a": 9, "cola_b": 8.9, "lemon": -5, "mute": -7}
    assert order(keys, diversity=1.0) == ["cola_a", "lemon", "mute", "cola_b"]
    assert order(keys, diversity=1.0, count=2) == ["cola_a", "lemon"]


def test_lists_stay_as_long_as_they_were():
    assert order({"cola_a": 0, "cola_b": -0.1}, diversity=1.0) == ["cola_a", "cola_b"]


def test_who_buys_two_of_a_kind_again_and_again_is_shown_both():
    keys = {"cola_a": 0, "cola_b": -0.1, "lemon": -0.2}
    once = history(("cola_a",), ("cola_b",))
    again = history(("cola_a",), ("cola_b",), ("cola_b",))
    assert order(keys, bought=once) == ["cola_a", "lemon", "cola_b"]
    assert order(keys, bought=again) == ["cola_a", "cola_b", "lemon"]


cases = st.lists(
    st.tuples(
        st.lists(
            st.tuples(st.sampled_from(NAMES), st.integers(-8, 4)),
            unique_by=lambda pair: pair[0],
            max_size=len(NAMES),
        ),
        st.integers(1, 14),
        st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]),
        st.lists(st.sampled_from(NAMES), max_size=8),
    ),
    min_size=1,
    max_size=5,
)


def _asked(rows):
    """Arguments of ``diversify`` for several requests."""
    ranked = [sorted(row[0], key=lambda pair: -pair[1]) for row in rows]
    people = [history(*((name,) for name in row[3])) for row in rows]
    return (
        np.cumsum([0, *(len(row) for row in ranked)]),
        ix(*(name for row in ranked for name, _ in row)),
        np.array([key / 4 for row in ranked for _, key in row]),
        np.array([row[1] for row in rows]),
        np.array([row[2] for row in rows]),
        batch(TRAINING, *people).purchases,
    )


def _plainly(items, keys, count, diversity, own):
    """The same, one comparison after the other."""
    left, chosen = list(range(len(items))), []
    while left and len(chosen) < count:
        values = []
        for at in left:
            value = keys[at]
            if list(own).count(items[at]) < 2:
                for other in chosen:
                    likeness = ALIKE.of_pair(int(items[at]), int(items[other]))
                    value += np.log(max(1 - diversity * likeness, 1e-9)) if likeness else 0.0
            values.append(value)
        chosen.append(left.pop(int(np.argmax(values))))
    return chosen


@settings(max_examples=150, deadline=None)
@given(cases)
def test_it_is_the_best_choice_one_after_the_other(rows):
    indptr, items, keys, counts, diversity, bought = _asked(rows)
    bounds, at = diversify(indptr, items, keys, counts, diversity, bought, ALIKE)
    for r in range(len(rows)):
        part = slice(indptr[r], indptr[r + 1])
        own = bought.item_ix[bought.indptr[r] : bought.indptr[r + 1]]
        wanted = _plainly(items[part], keys[part], counts[r], diversity[r], own)
        assert (at[bounds[r] : bounds[r + 1]] - indptr[r]).tolist() == wanted


@settings(max_examples=60, deadline=None)
@given(cases)
def test_a_batch_is_its_rows(rows):
    bounds, at = diversify(*_asked(rows), ALIKE)
    start = 0
    for r, row in enumerate(rows):
        _, alone = diversify(*_asked([row]), ALIKE)
        assert (at[bounds[r] : bounds[r + 1]] - start).tolist() == alone.tolist()
        start += len(row[0])
