"""What is bought in the order after."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from recsys.config.model_settings import TransitionsSettings as Settings
from recsys.models.base import Batch, Context
from recsys.models.transitions import Transitions
from tests.recsys.models.contract import ModelContract
from tests.recsys.models.worlds import AS_OF, DAY, Order, batch, history, square, train

LOOSE = Settings(min_support=2, shrinkage=0.0)


class TestTransitions(ModelContract):
    @classmethod
    def make(cls):
        return Transitions(LOOSE)

    @pytest.fixture(scope="class")
    @classmethod
    def world(cls):
        """Two orders a customer, of every product of their own colour but one."""
        orders = [
            Order(f"c{u:02}", [square(i) for i in range(u % 2, 20, 2) if i != u], ts)
            for u in range(20)
            for ts in (AS_OF - 9 * DAY, AS_OF - DAY)
        ]
        return train(orders, more=["never1", "never2"], seed=3, threads=2)


@pytest.fixture
def town():
    """Paint is followed by a brush, never the other way round; everyone buys bread each time."""
    orders = []
    for n in range(12):
        orders += [
            Order(f"c{n}", ["paint", "bread"], AS_OF - 20 * DAY),
            Order(f"c{n}", ["brush", "bread"], AS_OF - 10 * DAY),
        ]
    return train(orders, more=["easel"])


def shown(training, *purchases):
    model = Transitions(LOOSE).fit(training)
    found = model.recommend(batch(training, history(*purchases)), 10, Context.of(1, AS_OF))
    return [training.index.item_ids[ix] for ix in found.item_ix]


def test_what_follows_has_a_direction(town):
    assert "brush" in shown(town, ("paint", AS_OF - DAY))
    assert "paint" not in shown(town, ("brush", AS_OF - DAY))


def test_the_last_order_speaks_loudest_and_the_fourth_is_silent(town):
    model = Transitions(LOOSE).fit(town)

    def score(*purchases):
        found = model.recommend(batch(town, history(*purchases)), 10, Context.of(1, AS_OF))
        names = [town.index.item_ids[ix] for ix in found.item_ix]
        return dict(zip(names, found.scores.tolist(), strict=True)).get("brush", 0.0)

    late = ("easel", AS_OF - 3 * DAY), ("easel", AS_OF - 2 * DAY), ("easel", AS_OF - DAY)
    paint = ("paint", AS_OF - 8 * DAY)
    assert score(paint) > score(paint, *late[:1]) > score(paint, *late[:2]) > 0
    assert score(paint, *late) == 0


def test_a_reason_names_what_came_before(town):
    model = Transitions(LOOSE).fit(town)
    histories = batch(town, history(("paint", AS_OF - DAY)))
    context = Context.of(1, AS_OF)
    found = model.recommend(histories, 5, context)
    names = [town.index.item_ids[ix] for ix in model.because(Batch(histories, context), found)]
    assert set(names) == {"paint"}


def test_of_what_does_not_follow_there_is_no_lift(town):
    model = Transitions(LOOSE).fit(town)
    paint, brush, easel = town.index.ix_of(["paint", "brush", "easel"])
    found = model.lifts(np.array([paint, brush, brush]), np.array([brush, paint, easel]))
    assert np.isnan(found).tolist() == [False, True, True]


def test_a_product_does_not_follow_itself(town):
    assert "bread" not in shown(town, ("bread", AS_OF - DAY))


def test_successors_are_those_of_a_plain_loop():
    rng = np.random.default_rng(5)
    orders = [
        Order(
            f"c{rng.integers(12)}" if rng.random() < 0.9 else None,
            sorted({f"p{ix}" for ix in rng.integers(0, 7, rng.integers(1, 5))}),
            AS_OF - (200 - number) * DAY,
        )
        for number in range(150)
    ]
    training = train(orders)
    settings = Settings(min_support=2, shrinkage=3.0, neighbours=4)
    model = Transitions(settings).fit(training)

    before, after, both, n_pairs = Counter(), Counter(), Counter(), 0
    for customer in {order.customer for order in orders} - {None}:
        mine = [order for order in orders if order.customer == customer]  # in time order
        for one, other in pairwise(mine):
            n_pairs += 1
            before.update(one.items)
            after.update(other.items)
            both.update((i, j) for i in one.items for j in other.items if i != j)
    for item in training.index.item_ids:
        found = {}
        for (i, j), n in both.items():
            if i == item and n >= 2:
                found[j] = n / (before[i] ** 0.75 * after[j] ** 0.5) * n / (n + 3.0)
        best = sorted(found, key=lambda j: (-np.float32(found[j]), j))[:4]
        (ix,) = training.index.ix_of([item])
        part = slice(model.indptr_[ix], model.indptr_[ix + 1])
        names = [training.index.item_ids[at] for at in model.indices_[part]]
        assert names == sorted(best)
        expected = [found[name] for name in names]
        np.testing.assert_allclose(model.scores_[part], expected, rtol=1e-6)
        lifts = [both[item, name] * n_pairs / (before[item] * after[name]) for name in names]
        np.testing.assert_allclose(model.lift_[part], lifts, rtol=1e-6)
        others = training.index.ix_of(names)
        found = model.lifts(np.full(len(names), ix), others)
        np.testing.assert_array_equal(found, model.lift_[part])
