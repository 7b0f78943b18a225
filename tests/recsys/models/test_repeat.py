import pytest

from recsys.models.base import Context
from recsys.models.repeat import SHRINKAGE, Repeat
from recsys.settings import Repeat as Settings
from tests.recsys.models.contract import ModelContract
from tests.recsys.models.worlds import AS_OF, DAY, Order, batch, history, train


class TestRepeat(ModelContract):
    finds_new = False

    @classmethod
    def make(cls):
        return Repeat()


def shown(model, training, *purchases):
    people = batch(training, history(*purchases))
    found = model.recommend(people, 10, Context.of(1, AS_OF))
    return {
        training.index.item_ids[ix]: score
        for ix, score in zip(found.item_ix, found.scores.tolist(), strict=True)
    }


@pytest.fixture
def shop():
    """Everyone buys milk again and again, and one fridge."""
    orders = []
    for n in range(40):
        orders += [Order(f"c{n}", ["milk", "fridge"]), Order(f"c{n}", ["milk"])]
    orders.append(Order("x", ["cream", "stove"]))
    category = {"milk": 0, "cream": 0, "fridge": 1, "stove": 1}
    return train(orders, category=category, more=["new milk"])


def test_what_is_bought_once_in_a_lifetime_is_damped(shop):
    model = Repeat().fit(shop)
    scores = shown(model, shop, ("milk",), ("fridge",))
    assert list(scores) == ["milk", "fridge"]
    assert scores["milk"] > 2 * scores["fridge"]


def test_a_rare_product_takes_the_rate_of_its_category(shop):
    model = Repeat().fit(shop)
    rate = dict(zip(shop.index.item_ids, model.rate_.tolist(), strict=True))
    assert rate["cream"] > 2 * rate["stove"]
    overall = (40 + 1) / (82 + 2)
    assert rate["new milk"] == pytest.approx(overall)  # in no category, bought by nobody
    food = (40 + SHRINKAGE * overall) / (41 + SHRINKAGE)
    assert rate["cream"] == pytest.approx((0 + SHRINKAGE * food) / (1 + SHRINKAGE))


def test_own_frequency_decays(shop):
    model = Repeat(Settings(half_life_days=10)).fit(shop)
    one = shown(model, shop, ("milk", AS_OF - 1))["milk"]
    assert shown(model, shop, ("milk", AS_OF - 10 * DAY))["milk"] == pytest.approx(
        one / 2, rel=1e-5
    )
    often = shown(model, shop, ("milk", AS_OF - 1), ("milk", AS_OF - 10 * DAY))["milk"]
    assert often == pytest.approx(1.5 * one, rel=1e-5)


def test_what_is_too_old_to_count_is_not_shown(shop):
    model = Repeat(Settings(half_life_days=0.01)).fit(shop)
    assert shown(model, shop, ("milk", AS_OF - 90 * DAY)) == {}
