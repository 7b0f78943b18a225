"""A world in which the right answer is known: evaluation finds who gives it."""

import numpy as np
import pytest

from recsys.matrices.baskets import Training
from recsys.models import from_settings
from recsys.models.base import Context
from recsys.ranking.rank import Ranker
from recsys.ranking.shelf import Shelf
from recsys.settings import Als, CoPurchase, Models
from recsys.validation import baselines, carts, panel
from recsys.validation.evaluate import evaluate, show
from recsys.validation.learning import learn
from recsys.validation.splits import DAY, Window

PAIRS = [(f"a{n}", f"b{n}") for n in range(8)]
FIRST, SECOND = Window(60 * DAY, 80 * DAY), Window(80 * DAY, 100 * DAY)
CUSTOMERS = 80


def lines():
    """Everybody buys one pair for life; before the windows some bought half of another one.

    In each window they buy their pair again, and the other half of what they had tried before.
    """
    rows = []

    def buy(customer, day, channel, *items):
        order = f"{customer}-{day}"
        rows.extend(
            {
                "order_id": order, "customer_id": f"c{customer:02}", "ts": day * DAY + customer,
                "item_id": item, "channel": channel, "line_no": number + 1,
            }
            for number, item in enumerate(items)
        )  # fmt: skip

    for customer in range(CUSTOMERS):
        own, other = PAIRS[customer % 8], PAIRS[(customer + 1 + customer // 8) % 8]
        channel = "web" if customer % 4 == 0 else "pos"
        for day in (10, 30, 50, 70, 90):
            buy(customer, day, channel, *own)
        buy(customer, 55, channel, other[0])
        buy(customer, 65, channel, other[1])
        buy(customer, 75, channel, PAIRS[(customer + 3) % 8][0])
        buy(customer, 85, channel, PAIRS[(customer + 3) % 8][1])
    return rows


@pytest.fixture
def history(write_history):
    return write_history(lines())


def fitted(history, at):
    training = Training.read(history, at)
    settings = Models(
        als=Als(factors=4, iterations=3), copurchase=CoPurchase(min_support=2, shrinkage=0.0)
    )
    return training, {name: m.fit(training) for name, m in from_settings(settings).items()}


@pytest.fixture
def ranker(history):
    training, models = fitted(history, FIRST.start_ts)
    people = panel.read(history, training.index, FIRST, active=200, lapsed=50)
    orders = carts.read(history, people, at_most=60)
    plain, cart = learn(models, people, orders, [{"copurchase": 3.0}])
    training, models = fitted(history, SECOND.start_ts)
    none = np.empty(0, np.int64)
    shelf = Shelf.build(
        np.ones(len(training.index), bool), none, none.astype(np.int32), none.astype(float)
    )
    return training, Ranker(training.index, models, plain, cart, shelf)


def test_it_finds_what_is_bought_again_and_what_is_new(history, ranker):
    training, ranks = ranker
    people = panel.read(history, training.index, SECOND, active=200)
    popular = baselines.popular(training, 14.0, 200)
    found = evaluate(ranks, popular, 30.0, people, 3, seed=1)
    assert found.value("omnibasket", "ndcg@3") > found.value("own_frequency", "ndcg@3")
    assert found.value("omnibasket", "recall@3") > 0.9
    assert found.value("omnibasket", "new_ndcg@3") > 2 * found.value("popular", "new_ndcg@3")
    ahead = {(row.segment, row.metric): row for row in found.differences}
    assert ahead["all", "ndcg@3"].other == "own_frequency"
    assert ahead["all", "ndcg@3"].low > 0
    assert found == evaluate(ranks, popular, 30.0, people, 3, seed=1)
    counted = {row.segment: row.n for row in found.figures if row.metric == "ndcg@3"}
    assert counted == {"all": 80, "pos": 60, "web": 20}


def test_the_future_changes_nothing_that_was_learned(write_history):
    """The same figures and the same lists, whatever happens in the window and after it."""
    ends = [row for row in lines() if row["ts"] < SECOND.start_ts]
    after = [
        {**row, "item_id": "a0", "order_id": f"later-{row['order_id']}", "ts": row["ts"] + 30 * DAY}
        for row in lines()
        if row["ts"] >= FIRST.start_ts
    ]
    shown = []
    for known in (lines(), ends + after):
        history = write_history(known)
        training, models = fitted(history, SECOND.start_ts)
        arrays = {name: model.arrays() for name, model in models.items()}
        people = panel.read(history, training.index, SECOND, active=200)
        learning = panel.read(history, training.index, FIRST, active=200, lapsed=50)
        plain, cart = learn(models, learning, carts.read(history, learning, at_most=60))
        shown.append((arrays, plain.arrays(), cart.arrays(), people.rows, learning.item_ix))
    first, second = shown
    for name, model in first[0].items():
        for array, values in model.items():
            np.testing.assert_array_equal(values, second[0][name][array])
    for one, other in zip(first[1:3], second[1:3], strict=True):
        for name, values in one.items():
            np.testing.assert_array_equal(values, other[name])
    assert first[3] == second[3]
    np.testing.assert_array_equal(first[4], second[4])


def test_many_are_shown_what_each_is_shown(history, ranker, monkeypatch):
    training, ranks = ranker
    people = panel.read(history, training.index, SECOND, active=200)
    context = Context.of(len(people), SECOND.start_ts)
    whole = show(ranks, people.histories, context, 5)
    monkeypatch.setattr("recsys.validation.evaluate.BATCH", 7)
    parts = show(ranks, people.histories, context, 5)
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one.indptr, other.indptr)
        np.testing.assert_array_equal(one.item_ix, other.item_ix)


def test_chances_are_those_of_everybody_not_only_of_who_came_back(history, write_history):
    training, models = fitted(history, FIRST.start_ts)
    gone = [
        {**row, "customer_id": "gone" + row["customer_id"], "order_id": "x" + row["order_id"]}
        for row in lines()
        if row["ts"] < FIRST.start_ts
    ]
    far = [
        {**row, "customer_id": "far" + row["customer_id"], "order_id": "y" + row["order_id"]}
        for row in gone
    ]

    def chance(known):
        people = panel.read(known, training.index, FIRST, active=200, lapsed=200)
        plain, _ = learn(models, people, carts.read(known, people, at_most=10))
        scores = np.full((1, 4), 100.0)
        return plain.chance(plain.evidence(scores), np.ones(4))[0]

    of_those_who_came = chance(history)
    of_everybody = chance(write_history(lines() + gone + far))
    assert of_everybody == pytest.approx(of_those_who_came / 3, rel=0.1)
