from dataclasses import replace

import numpy as np
import pytest
from implicit.cpu.als import AlternatingLeastSquares
from scipy import sparse
from threadpoolctl import threadpool_limits

from recsys.config.model_settings import AlsSettings as Settings
from recsys.config.model_settings import InteractionWeights
from recsys.datasets.customer_history import add_events
from recsys.datasets.interactions import CART, EVENTS, RETURN, VIEW, Interactions
from recsys.datasets.item_index import item_key
from recsys.datasets.ragged import Lists
from recsys.models.als import Als
from recsys.models.base import Batch, Context
from tests.recsys.models.contract import ModelContract
from tests.recsys.models.worlds import AS_OF, DAY, Order, batch, customers_of, history, train


class TestAls(ModelContract):
    @classmethod
    def make(cls):
        return Als(Settings(factors=8, iterations=10))


def looks(*seen):
    """Events of (item, kind)."""
    return np.array([(item_key(item), AS_OF - 60, kind, 1) for item, kind in seen], EVENTS)


@pytest.fixture(scope="module")
def shop():
    random = np.random.default_rng(5)
    orders = [
        Order(
            f"c{n % 60:02}",
            [f"p{i:03}" for i in set(random.zipf(1.4, 9).tolist()) if i < 400],
            AS_OF - int(random.integers(1, 200)) * DAY,
        )
        for n in range(300)
    ]
    return train(orders, more=["never"], seed=1)


def test_folding_in_is_what_implicit_would_compute(shop):
    settings = Settings(factors=16, iterations=5, regularization=0.03, alpha=3.0)
    model = Als(settings).fit(shop)
    with threadpool_limits(1, "blas"):
        peer = AlternatingLeastSquares(
            factors=16, regularization=float(model.ridge_), alpha=1.0, num_threads=1
        )
    peer.item_factors = np.zeros((shop.n_items, 16), np.float32)
    peer.item_factors[model.items_] = model.factors_
    weight = shop.baskets.decay(AS_OF, settings.half_life_days)
    confidence = sparse.csr_matrix(shop.baskets.by_customer(weight), dtype=np.float32)
    confidence.data = 1 + 3 * confidence.data
    theirs = peer.recalculate_user(np.arange(confidence.shape[0]), confidence)
    everyone = customers_of(shop)
    ours = model.fold_in(Batch(everyone, Context.of(len(everyone), AS_OF)))
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_what_somebody_looked_at_or_returned_counts(shop):
    weights = InteractionWeights(cart=0.5, view=0.2, returned=0.5)
    model = Als(Settings(factors=16, iterations=5, weights=weights)).fit(shop)
    bought = history(("p001",), ("p002",))
    looked = add_events(bought, looks(("p037", VIEW)))
    put = add_events(bought, looks(("p037", CART)))
    returned = history(("p001",), ("p002",), ("p037", AS_OF - 9, 1.0), ("p037", AS_OF - 8, -1.0))
    wanted = Lists.of_rows([shop.index.ix_of(["p037"])] * 4)
    people = batch(shop, bought, looked, put, returned)
    plain, seen, carried, refused = model.score(people, Context.of(4, AS_OF), wanted)
    assert refused < plain < seen < carried
    only_looked = batch(shop, add_events(history(), looks(("p037", VIEW))))
    assert len(model.recommend(only_looked, 5, Context.of(1, AS_OF)).item_ix) == 5
    ignored = Als(Settings(factors=16, iterations=5, weights=InteractionWeights(view=0.0))).fit(
        shop
    )
    same = ignored.score(people[:2], Context.of(2, AS_OF), Lists.of_rows([wanted.item_ix[:1]] * 2))
    assert same[0] == same[1]
    assert ignored.recommend(only_looked, 5, Context.of(1, AS_OF)).item_ix.tolist() == []


def test_interactions_teach_too(shop):
    done = Interactions.of(
        np.arange(40) % 20,
        shop.index.ix_of(["never"] * 20 + ["p001"] * 20),
        np.full(40, AS_OF - DAY),
        np.repeat([VIEW, RETURN], 20),
        60,
    )
    weights = InteractionWeights(returned=0.5)
    model = Als(Settings(factors=8, weights=weights)).fit(replace(shop, interactions=done))
    never = shop.index.ix_of(["never"])
    assert model.place_[never] >= 0
    assert Als(Settings(factors=8)).fit(shop).place_[never] < 0


def test_regularization_follows_the_scale_of_the_data(shop):
    once, twice = (Als(Settings(factors=4, alpha=alpha)).fit(shop) for alpha in (1.0, 1e6))
    assert 0 < float(once.ridge_) * 1e5 < float(twice.ridge_)


def test_the_scan_that_ends_early_finds_the_best(shop):
    model = Als(Settings(factors=16, iterations=5)).fit(shop)
    everyone = customers_of(shop)
    context = Context.of(len(everyone), AS_OF)
    every = Lists.of_rows([model.items_] * len(everyone))
    scores = model.score(everyone, context, every).reshape(len(everyone), -1)
    for n in (1, 3, 20):
        found = model.recommend(everyone, n, context)
        for r in range(len(everyone)):
            order = np.lexsort((model.items_, -scores[r]))[:n]
            np.testing.assert_array_equal(found.row(r)[0], model.items_[order])
            np.testing.assert_array_equal(found.row(r)[1], scores[r][order])


def test_a_purchase_a_second_ago_counts_now(shop):
    model = Als(Settings(factors=16)).fit(shop)
    before = history(("p001", AS_OF - 90 * DAY), ("p002", AS_OF - 80 * DAY))
    after = history(("p001", AS_OF - 90 * DAY), ("p002", AS_OF - 80 * DAY), ("p037", AS_OF - 1))
    people, context = batch(shop, before, after), Context.of(2, AS_OF)
    found = model.recommend(people, 20, context)
    assert found.row(0)[0].tolist() != found.row(1)[0].tolist()


def test_equal_vectors_keep_the_order_of_the_items():
    # Eleven products that were always bought together cannot be told apart.
    orders = [Order(f"c{n}", [f"p{i:02}" for i in range(11)]) for n in range(4)]
    training = train([*orders, Order("x", ["other"]), Order("y", ["other"])])
    model = Als(Settings(factors=4)).fit(training)
    model.factors_[:], model.norms_[:] = model.factors_[0], model.norms_[0]
    people = batch(training, history(("p00",)))
    for n in range(1, 12):
        found = model.recommend(people, n, Context.of(1, AS_OF))
        assert found.item_ix.tolist() == sorted(found.item_ix.tolist()) == list(range(n))


def test_no_regularization_is_no_division_by_zero():
    training = train([Order("a", ["p1", "p2"]), Order("b", ["p1"])])
    model = Als(Settings(factors=32, regularization=0.0)).fit(training)
    found = model.recommend(customers_of(training), 5, Context.of(2, AS_OF))
    assert np.isfinite(found.scores).all()


def test_customers_who_cannot_be_named_teach_nothing():
    training = train([Order(None, ["p1", "p2"]), Order(None, ["p1"])])
    model = Als().fit(training)
    found = model.recommend(batch(training, history(("p1",))), 5, Context.of(1, AS_OF))
    assert found.item_ix.tolist() == []
