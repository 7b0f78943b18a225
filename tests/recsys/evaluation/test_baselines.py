"""What one would otherwise use: each shows what it stands for, and is tuned within its budget."""

import numpy as np
import pytest

from recsys.datasets.baskets import TrainingSet
from recsys.datasets.customer_history import NO_CHANNEL
from recsys.evaluation import evaluation_set
from recsys.evaluation.baselines import (
    BASELINES,
    Als,
    ItemKnn,
    MostPopular,
    OwnFrequency,
    tune_baseline,
)
from recsys.evaluation.baselines.own_frequency import own_frequency
from recsys.models.base import Context
from recsys.schema import CHANNELS
from tests.recsys.evaluation.test_evaluation_set import WINDOW, crowd, line
from tests.recsys.models.worlds import AS_OF, DAY, Order, batch, history, train


@pytest.fixture
def training():
    old = [Order(f"c{n}", ["apple"], AS_OF - 60 * DAY) for n in range(9)]
    return train([*old, *(Order("x", ["bread"], AS_OF - DAY) for _ in range(3))], more=["cheese"])


def names(training, lists, r=0):
    return [training.index.item_ids[ix] for ix in lists.row(r).item_ix]


def test_own_frequency_decays_and_stays_short(training):
    often_long_ago = [("apple", AS_OF - 50 * DAY), ("apple", AS_OF - 49 * DAY)]
    lately = [("bread", AS_OF - DAY)]
    people = batch(training, history(*often_long_ago, *lately), history())
    assert names(training, own_frequency(people, AS_OF, 300.0, 10)) == ["apple", "bread"]
    assert names(training, own_frequency(people, AS_OF, 5.0, 10)) == ["bread", "apple"]
    assert names(training, own_frequency(people, AS_OF, 5.0, 1)) == ["bread"]
    assert names(training, own_frequency(people, AS_OF, 5.0, 10), 1) == []
    shown = OwnFrequency(5.0).fit(training).show(people, Context.of(2, AS_OF), 10)
    assert names(training, shown.own) == names(training, shown.mixed) == ["bread", "apple"]
    assert names(training, shown.new) == []


def test_what_was_returned_was_not_bought(training):
    people = batch(training, history(("apple", AS_OF - 9 * DAY), ("apple", AS_OF - DAY, -1.0)))
    assert names(training, own_frequency(people, AS_OF, 30.0, 10)) == []


def test_popular_depends_on_the_half_life(training):
    people, context = batch(training, history(("bread", AS_OF - DAY))), Context.of(1, AS_OF)
    for days, first in ((1000.0, "apple"), (3.0, "bread")):
        shown = MostPopular(days).fit(training).show(people, context, 2)
        assert names(training, shown.mixed)[0] == first
        assert names(training, shown.new) == ["apple"]  # nobody ever bought cheese
        assert names(training, shown.own) == ["bread"]


def test_popular_is_that_of_the_channel_that_is_asked_for():
    web = CHANNELS.index("web")
    orders = [Order("a", ["apple"], AS_OF - DAY, channel=web)]
    orders += [Order("b", ["bread"], AS_OF - DAY)] * 3
    training = train(orders, more=["cheese"])
    people = batch(training, history(), history())
    shown = (
        MostPopular()
        .fit(training)
        .show(people, Context.of(2, AS_OF, channel=[web, NO_CHANNEL]), 10)
    )
    assert names(training, shown.mixed, 0) == ["apple", "bread"]
    assert names(training, shown.mixed, 1) == ["bread", "apple"]


def circles():
    """Two circles of customers, each with products of its own; nobody has bought all of them."""
    return train(
        [
            Order(f"{circle}{c}", [f"{circle}{i}" for i in range(6) if i != c % 6], AS_OF - DAY)
            for circle in "ab"
            for c in range(24)
        ]
    )


@pytest.mark.parametrize(
    "peer",
    [
        Als(factors=4, iterations=10, regularization=0.1),
        ItemKnn("cosine"),
        ItemKnn("tfidf"),
        ItemKnn("bm25", b=0.5),
    ],
)
def test_what_others_of_the_circle_have_is_found(peer):
    training = circles()
    bought = [(f"a{i}", AS_OF - DAY) for i in range(5)]
    people = batch(training, history(*bought), history())
    shown = peer.fit(training).show(people, Context.of(2, AS_OF), 3)
    assert names(training, shown.new)[0] == "a5"
    assert set(names(training, shown.own)) <= {f"a{i}" for i in range(5)}
    assert len(names(training, shown.own)) == len(names(training, shown.mixed)) == 3
    assert names(training, shown.mixed, 1) == []  # of somebody unknown it has nothing to say


@pytest.mark.parametrize("name", BASELINES)
def test_the_same_is_shown_alone_and_among_others(name):
    training = circles()
    people = batch(
        training, history(("a1", AS_OF - DAY)), history(("b1", AS_OF - DAY), ("b2", AS_OF - DAY))
    )
    peer = BASELINES[name](**BASELINES[name].grid[0]).fit(training)
    both = peer.show(people, Context.of(2, AS_OF), 4)
    for r in range(2):
        alone = peer.show(people[r : r + 1], Context.of(1, AS_OF), 4)
        for kind in ("mixed", "new", "own"):
            together = getattr(both, kind).row(r).item_ix
            np.testing.assert_array_equal(getattr(alone, kind).item_ix, together)


@pytest.mark.parametrize("name", BASELINES)
def test_every_peer_tries_as_many_settings_as_the_budget_says(write_history, name):
    weeks = [line(f"a{n:02}", item, 70 + 3 * n) for n in range(12) for item in ("apple", "bread")]
    history = write_history(crowd() + weeks)
    training = TrainingSet.read(history, WINDOW.start_ts)
    people = evaluation_set.read(history, training.index, WINDOW, active=50)
    found = tune_baseline(name, training, people, 3, 10)
    assert [settings for settings, _ in found.tried] == list(BASELINES[name].grid[:3])
    best = max(figure for _, figure in found.tried)
    first = next(settings for settings, figure in found.tried if figure == best)
    assert found.settings == first  # of equally good ones the first
    assert isinstance(found.fit(training), BASELINES[name])
    assert len(BASELINES[name].grid) == 8
