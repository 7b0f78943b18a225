"""What is bought in the order after."""

import pytest

from recsys.model_settings import Transitions as Settings
from recsys.models.base import Context
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
    names = [town.index.item_ids[ix] for ix in model.because(histories, context, found)]
    assert set(names) == {"paint"}


def test_a_product_does_not_follow_itself(town):
    assert "bread" not in shown(town, ("bread", AS_OF - DAY))
