import numpy as np

from recsys.config.model_settings import BprSettings as Settings
from recsys.datasets.interactions import VIEW, Interactions
from recsys.models.base import Batch, Context
from recsys.models.bpr import Bpr
from tests.recsys.models.contract import ModelContract
from tests.recsys.models.worlds import AS_OF, DAY, Order, batch, history, train


class TestBpr(ModelContract):
    @classmethod
    def make(cls):
        return Bpr(Settings(factors=4, iterations=200, regularization=0.01))


def shop(**more):
    orders = [Order(f"c{n}", [f"p{n % 5}", f"p{(n + 1) % 5}"]) for n in range(20)]
    return train(orders, more=["never"], seed=4, **more)


def test_a_customer_is_the_mean_of_what_they_like():
    model = Bpr(Settings(factors=3, iterations=20, half_life_days=10.0)).fit(shop())
    row = history(("p1", AS_OF - 10 * DAY), ("p3", AS_OF - 20 * DAY), ("gone", AS_OF - 5))
    people = batch(shop(), row)
    asked = Batch(people, Context.of(1, AS_OF))
    one, three = (model.factors_[model.place_[ix]] for ix in shop().index.ix_of(["p1", "p3"]))
    mean = model.factors_[:, :-1].mean(axis=0)
    x = (0.5 * (one[:-1] - mean) + 0.25 * (three[:-1] - mean)) / 1.75
    np.testing.assert_allclose(model.fold_in(asked)[0], [*x, 1.0], rtol=1e-5, atol=1e-6)
    items = shop().index.ix_of(["p2"])
    two = model.factors_[model.place_[items[0]]]
    found = model.recommend(people, 5, Context.of(1, AS_OF))
    score = found.row(0)[1][found.row(0)[0] == items[0]]
    np.testing.assert_allclose(score, [x @ two[:-1] + two[-1]], rtol=1e-4, atol=1e-6)


def test_what_nobody_liked_has_no_vector():
    done = Interactions.of(
        np.arange(1), shop().index.ix_of(["never"]), np.array([AS_OF - 9]), np.array([VIEW]), 20
    )
    never = shop().index.ix_of(["never"])[0]
    assert Bpr(Settings(factors=3, iterations=2)).fit(shop()).place_[never] < 0
    seen = Bpr(Settings(factors=3, iterations=2)).fit(shop(interactions=done))
    assert seen.place_[never] >= 0


def test_customers_who_cannot_be_named_teach_nothing():
    training = train([Order(None, ["p1", "p2"]), Order(None, ["p1"])])
    model = Bpr().fit(training)
    found = model.recommend(batch(training, history(("p1",))), 5, Context.of(1, AS_OF))
    assert found.item_ix.tolist() == []


def test_two_tastes_are_found_again():
    """Half of the customers take of one shelf and half of the other; nobody of all of a shelf."""
    rng = np.random.default_rng(3)
    shelves = [[f"a{n}" for n in range(12)], [f"b{n}" for n in range(12)]]
    orders = [
        Order(f"c{n}", list(rng.choice(shelves[n % 2], 5, replace=False)), AS_OF - DAY)
        for n in range(120)
    ]
    training = train(orders, seed=4)
    model = Bpr(Settings(factors=8, iterations=150, regularization=0.01)).fit(training)
    right = total = 0
    for taste in (0, 1):
        bought = shelves[taste][:3]
        found = model.recommend(
            batch(training, history(*((item, AS_OF - DAY) for item in bought))),
            24,
            Context.of(1, AS_OF),
        )
        names = [training.index.item_ids[ix] for ix in found.item_ix]
        scores = dict(zip(names, found.scores.tolist(), strict=True))
        lowest = min(scores.values())
        for mine in set(shelves[taste]) - set(bought):
            for other in shelves[1 - taste]:
                right += scores.get(mine, lowest) > scores.get(other, lowest - 1)
                total += 1
    assert right / total > 0.95
