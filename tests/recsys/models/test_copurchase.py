import numpy as np
import pytest

from recsys.matrices.lists import Lists
from recsys.models import copurchase
from recsys.models.base import Context
from recsys.models.copurchase import CoPurchase
from recsys.settings import CoPurchase as Settings
from tests.recsys.models.contract import ModelContract
from tests.recsys.models.worlds import AS_OF, DAY, Order, batch, history, train


class TestCoPurchase(ModelContract):
    @classmethod
    def make(cls):
        return CoPurchase(Settings(min_support=2))


class TestCoPurchaseSorting(TestCoPurchase):
    """The same for a large catalogue, where sums are kept for the products met only."""

    @pytest.fixture(autouse=True)
    def never_dense(self, monkeypatch):
        monkeypatch.setattr(copurchase, "_DENSE", 0)


@pytest.fixture
def shop():
    """Pasta and sauce go together; milk is in nearly every basket."""
    orders = [
        *[Order(None, ["pasta", "sauce", "milk"])] * 6,
        *[Order(None, ["pasta", "sauce"])] * 2,
        *[Order(None, ["milk"])] * 10,
        *[Order(None, ["milk", "tea"])] * 3,
        *[Order(None, ["pasta", "tea"])] * 1,
    ]
    return train(orders, more=["never"])


def neighbours(model, training, item):
    ix = training.index.ix_of([item])[0]
    part = slice(model.indptr_[ix], model.indptr_[ix + 1])
    names = [training.index.item_ids[other] for other in model.indices_[part]]
    evidence = ("support_", "confidence_", "lift_", "scores_")
    return {
        name: tuple(float(getattr(model, field)[part][at]) for field in evidence)
        for at, name in enumerate(names)
    }


def test_evidence_by_hand(shop):
    model = CoPurchase(Settings(min_support=2, shrinkage=10)).fit(shop)
    of_pasta = neighbours(model, shop, "pasta")
    assert set(of_pasta) == {"sauce", "milk"}  # tea: one basket only
    cosine = 8 / np.sqrt(9 * 8)
    assert of_pasta["sauce"] == pytest.approx((8, 8 / 9, 8 * 22 / (9 * 8), cosine * 8 / 18))
    assert of_pasta["milk"] == pytest.approx(
        (6, 6 / 9, 6 * 22 / (9 * 19), 6 / np.sqrt(9 * 19) * 6 / 16)
    )


def test_only_the_best_neighbours_are_kept(shop):
    model = CoPurchase(Settings(min_support=1, neighbours=1)).fit(shop)
    assert list(neighbours(model, shop, "pasta")) == ["sauce"]
    assert np.diff(model.indptr_).max() == 1


def test_a_product_page_shows_what_goes_with_it_best_first(shop):
    model = CoPurchase(Settings(min_support=2)).fit(shop)
    pasta, sauce, milk, never = shop.index.ix_of(["pasta", "sauce", "milk", "never"])
    found = model.bought_together(int(pasta), 5)
    assert found.item_ix.tolist() == [sauce, milk]
    assert found.support.tolist() == [8, 6]
    assert found.confidence == pytest.approx([8 / 9, 6 / 9])
    assert found.lift == pytest.approx([8 * 22 / 72, 6 * 22 / (9 * 19)])
    assert (np.diff(found.score) < 0).all()
    assert model.bought_together(int(pasta), 1).item_ix.tolist() == [sauce]
    assert model.bought_together(int(never), 5).item_ix.tolist() == []
    for unknown in (-1, shop.n_items):
        with pytest.raises(IndexError, match="of a catalogue of 5"):
            model.bought_together(unknown, 5)


def test_pairs_for_bundles(shop):
    pairs = CoPurchase(Settings(min_support=2)).fit(shop).pairs_
    names = [(shop.index.item_ids[p["item_a"]], shop.index.item_ids[p["item_b"]]) for p in pairs]
    # Milk is in every basket of note: nothing lifts it.
    assert names == [("pasta", "sauce")]
    (pair,) = pairs
    assert pair["support"] == 8
    assert pair["confidence_ab"] == pytest.approx(8 / 9)
    assert pair["confidence_ba"] == pytest.approx(1.0)
    assert pair["lift"] == pytest.approx(8 * 22 / 72)
    assert pair["score"] == pytest.approx(8 * np.log(8 * 22 / 72))


def test_the_strongest_pairs_are_kept(shop, monkeypatch):
    monkeypatch.setattr(copurchase, "MAX_PAIRS", 2)
    model = CoPurchase(Settings(min_support=1)).fit(shop)
    assert len(model.pairs_) <= 2
    assert (np.diff(model.pairs_["score"]) <= 0).all()


def scores(model, training, row, cart=()):
    context = Context.of(1, AS_OF, cart=[training.index.ix_of(cart)])
    found = model.recommend(batch(training, row), 10, context)
    return {
        training.index.item_ids[ix]: score
        for ix, score in zip(found.item_ix, found.scores.tolist(), strict=True)
    }


def test_the_cart_speaks_as_if_bought_now(shop):
    model = CoPurchase(Settings(min_support=2, half_life_days=60)).fit(shop)
    now = scores(model, shop, history(), ["pasta", "unknown"])
    assert list(now) == ["sauce", "milk"]
    before = scores(model, shop, history(("pasta", AS_OF - 60 * DAY)))
    assert before["sauce"] == pytest.approx(now["sauce"] / 2)
    both = scores(model, shop, history(("pasta", AS_OF - 60 * DAY)), ["pasta"])
    assert both == now  # once a product, at its latest


def test_a_reason_names_what_speaks_loudest(shop):
    model = CoPurchase(Settings(min_support=2)).fit(shop)
    pasta, sauce, milk, never = shop.index.ix_of(["pasta", "sauce", "milk", "never"])
    people = batch(shop, history(("pasta",), ("milk", AS_OF - 200 * DAY)), history())
    wanted = Lists.of_rows([np.array([sauce, never]), np.array([milk])])
    context = Context.of(2, AS_OF, cart=[[], [sauce]])
    assert model.because(people, context, wanted).tolist() == [pasta, -1, sauce]


def test_nothing_that_goes_together_is_no_error():
    training = train([Order("a", ["p1"]), Order("b", ["p2"])])
    model = CoPurchase().fit(training)
    assert len(model.pairs_) == 0
    assert scores(model, training, history(("p1",))) == {}
