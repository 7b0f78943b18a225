import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recsys.config.model_settings import NeighboursSettings as Settings
from recsys.models.base import Context
from recsys.models.neighbours import Neighbours
from tests.recsys.models.contract import ModelContract
from tests.recsys.models.worlds import AS_OF, DAY, Order, batch, history, train


class TestNeighbours(ModelContract):
    @classmethod
    def make(cls):
        return Neighbours()


def shown(model, training, *purchases, n=10):
    found = model.recommend(batch(training, history(*purchases)), n, Context.of(1, AS_OF))
    names = [training.index.item_ids[ix] for ix in found.item_ix]
    return dict(zip(names, found.scores.tolist(), strict=True))


@pytest.fixture
def town():
    """Some buy tea, scones and jam, others beer and crisps; everyone buys milk."""
    orders = []
    for n in range(12):
        orders += [Order(f"t{n}", ["milk", "tea"]), Order(f"t{n}", ["scones", "jam"][: 1 + n % 2])]
        orders.append(Order(f"b{n}", ["milk", "beer", *["crisps"][: n % 3]]))
    return train(orders, more=["caviar"])


def test_customers_alike_speak_for_what_else_they_buy(town):
    model = Neighbours().fit(town)
    found = shown(model, town, ("tea",), ("milk",))
    assert next(iter(found)) == "scones"
    assert found["jam"] > found.get("crisps", 0)
    assert "caviar" not in found
    # To buy the one is not to buy the other.
    assert {"beer", "crisps"}.isdisjoint(shown(model, town, ("tea",)))


def test_a_product_does_not_speak_for_itself(town):
    model = Neighbours().fit(town)
    assert "beer" not in shown(model, town, ("beer",))


def test_old_habits_fade(town):
    model = Neighbours(Settings(half_life_days=30)).fit(town)
    found = shown(model, town, ("tea", AS_OF - 300 * DAY), ("beer",))
    assert found["crisps"] > found.get("scones", 0)


def test_only_what_most_customers_bought_takes_part(town):
    model = Neighbours(Settings(products=2)).fit(town)
    assert [town.index.item_ids[ix] for ix in model.items_] == ["beer", "milk"]
    assert shown(model, town, ("scones",)) == {}
    assert len(model.indices_) <= 2


@given(
    hnp.arrays(bool, st.tuples(st.integers(2, 12), st.just(6))).filter(lambda X: X.any()),
    st.floats(0.1, 10),
)
def test_the_weights_are_the_closed_form(bought, ridge):
    names = [f"p{n}" for n in range(6)]
    orders = [
        Order(f"c{n:02}", [name for name, on in zip(names, row, strict=True) if on], AS_OF)
        for n, row in enumerate(bought)
        if row.any()
    ]
    training = train(orders)
    model = Neighbours(Settings(regularization=ridge)).fit(training)
    # Every habit is log 2, so a row of length 1 shares out evenly.
    X = bought[bought.any(axis=1)][:, bought.any(axis=0)].astype(float)
    X /= np.sqrt(X.sum(axis=1, keepdims=True))
    gram = X.T @ X
    P = np.linalg.inv(gram + ridge * gram.diagonal().mean() * np.eye(len(gram)))
    expected = -P / P.diagonal()
    np.fill_diagonal(expected, 0)
    found = np.zeros_like(expected)
    rows = np.repeat(np.arange(len(gram)), np.diff(model.indptr_))
    found[rows, model.indices_] = model.weights_
    np.testing.assert_allclose(found, expected, atol=2e-4)


def test_a_product_keeps_its_strongest_weights(town):
    every = Neighbours(Settings(neighbours=50)).fit(town)
    few = Neighbours(Settings(neighbours=2)).fit(town)
    assert np.diff(few.indptr_).max() == 2
    for row in range(len(few.items_)):
        strong = np.abs(few.weights_[few.indptr_[row] : few.indptr_[row + 1]])
        all_of = np.abs(every.weights_[every.indptr_[row] : every.indptr_[row + 1]])
        assert strong.min() >= np.sort(all_of)[-2]


def test_nobody_known_leaves_nothing_to_say():
    training = train([Order(None, ["tea", "milk"])])
    model = Neighbours().fit(training)
    assert shown(model, training, ("tea",)) == {}
