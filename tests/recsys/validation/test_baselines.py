"""What one would otherwise use."""

import numpy as np
import pytest

from recsys.matrices.lists import Lists
from recsys.models.base import Context
from recsys.validation.baselines import own_frequency, popular, tune
from tests.recsys.models.worlds import AS_OF, DAY, Order, batch, history, train


@pytest.fixture
def training():
    old = [Order(f"c{n}", ["apple"], AS_OF - 60 * DAY) for n in range(9)]
    return train([*old, *(Order("x", ["bread"], AS_OF - DAY) for _ in range(3))], more=["cheese"])


def shown(training, lists, r=0):
    return [training.index.item_ids[ix] for ix in lists.row(r).item_ix]


def test_own_frequency_decays_and_stays_short(training):
    often_long_ago = [("apple", AS_OF - 50 * DAY), ("apple", AS_OF - 49 * DAY)]
    lately = [("bread", AS_OF - DAY)]
    people = batch(training, history(*often_long_ago, *lately), history())
    assert shown(training, own_frequency(people, AS_OF, 300.0, 10)) == ["apple", "bread"]
    assert shown(training, own_frequency(people, AS_OF, 5.0, 10)) == ["bread", "apple"]
    assert shown(training, own_frequency(people, AS_OF, 5.0, 1)) == ["bread"]
    assert shown(training, own_frequency(people, AS_OF, 5.0, 10), 1) == []


def test_what_was_returned_was_not_bought(training):
    people = batch(training, history(("apple", AS_OF - 9 * DAY), ("apple", AS_OF - DAY, -1.0)))
    assert shown(training, own_frequency(people, AS_OF, 30.0, 10)) == []


def test_popular_depends_on_the_half_life(training):
    people, context = batch(training, history()), Context.of(1, AS_OF)
    for days, first in ((1000.0, "apple"), (3.0, "bread")):
        found = popular(training, days, 200).recommend(people, 1, context)
        assert training.index.item_ids[found.item_ix[0]] == first


def test_the_best_half_life_wins_and_the_first_of_equals():
    right, wrong = (Lists.of_rows([np.array([item], dtype=np.int32)]) for item in (1, 2))
    assert tune({7.0: wrong, 14.0: right, 28.0: right}.get, right, (7.0, 14.0, 28.0), 10) == 14.0
