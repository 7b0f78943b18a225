from collections import Counter
from itertools import permutations

import numpy as np
import pytest

from recsys.config.model_settings import CoPurchaseSettings as Settings
from recsys.datasets.ragged import Lists
from recsys.models.base import Batch, Context
from recsys.models.copurchase import _SIZE, CoPurchase
from recsys.models.kernels.pair_counts import MAX_WEIGHT
from tests.recsys.models.contract import ModelContract
from tests.recsys.models.worlds import AS_OF, DAY, Order, batch, history, train


class TestCoPurchase(ModelContract):
    @classmethod
    def make(cls):
        return CoPurchase(Settings(min_support=2))


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
    of_sauce = 8 / (9**0.75 * 8**0.5) * 8 / 18
    assert of_pasta["sauce"] == pytest.approx((8, 8 / 9, 8 * 22 / (9 * 8), of_sauce))
    of_milk = 6 / (9**0.75 * 19**0.5) * 6 / 16
    assert of_pasta["milk"] == pytest.approx((6, 6 / 9, 6 * 22 / (9 * 19), of_milk))
    assert neighbours(model, shop, "sauce")["pasta"][1] == 1  # nobody buys sauce without pasta


def test_what_is_in_every_basket_goes_with_nothing_in_particular():
    often = [Order(None, ["bananas", f"p{n % 7}", f"q{n % 7}"]) for n in range(70)]
    shop = train([*often, *[Order(None, ["bananas", f"x{n}"]) for n in range(200)]])
    model = CoPurchase(Settings(min_support=2)).fit(shop)
    first = model.bought_together(int(shop.index.ix_of(["p3"])[0]), 2)
    assert [shop.index.item_ids[ix] for ix in first.item_ix] == ["q3", "bananas"]
    assert first.confidence.tolist() == [1, 1]


def test_few_baskets_are_doubted():
    shop = train([Order(None, ["a", "twice"])] * 2 + [Order(None, ["b", "often"])] * 40)
    score = {}
    for shrinkage in (0, 10):
        model = CoPurchase(Settings(min_support=1, shrinkage=shrinkage)).fit(shop)
        of_a, of_b = (model.bought_together(int(ix), 1) for ix in shop.index.ix_of(["a", "b"]))
        score[shrinkage] = of_a.score[0] / of_b.score[0]
    assert score[10] == pytest.approx(score[0] * (2 / 12) / (40 / 50))


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


def scores(model, training, row, cart=()):
    context = Context.of(1, AS_OF, cart=[training.index.ix_of(cart)])
    found = model.recommend(batch(training, row), 10, context)
    return {
        training.index.item_ids[ix]: score
        for ix, score in zip(found.item_ix, found.scores.tolist(), strict=True)
    }


def test_a_history_speaks_half_as_loud_after_its_half_life(shop):
    model = CoPurchase(Settings(min_support=2, half_life_days=60)).fit(shop)
    now = scores(model, shop, history(("pasta", AS_OF - 1)))
    assert list(now) == ["sauce", "milk"]
    before = scores(model, shop, history(("pasta", AS_OF - 60 * DAY)))
    assert before["sauce"] == pytest.approx(now["sauce"] / 2, rel=1e-4)
    twice = scores(model, shop, history(("pasta", AS_OF - 60 * DAY), ("pasta", AS_OF - 1)))
    assert twice == now  # once a product, at its latest


def test_the_cart_speaks_for_what_joins_it_in_baskets(shop):
    model = CoPurchase(Settings(min_support=2)).fit(shop)
    now = scores(model, shop, history(), ["pasta", "unknown"])
    page = model.bought_together(int(shop.index.ix_of(["pasta"])[0]), 5)
    assert list(now) == ["sauce", "milk"]
    assert list(now.values()) == page.score.tolist()
    both = scores(model, shop, history(("pasta", AS_OF - 60 * DAY)), ["pasta"])
    assert both == now  # what lies in the cart does not speak twice


def customers(n, *purchases):
    """Each of ``n`` customers buys one product an order, ``days`` before as_of."""
    return [
        Order(f"{purchases}{number}", [item], AS_OF - days * DAY)
        for number in range(n)
        for item, days in purchases
    ]


def test_a_window_joins_what_one_customer_bought():
    shop = train(
        [
            *customers(6, ("tent", 1), ("lamp", 20)),
            *customers(6, ("tent", 2), ("skis", 40)),
            *customers(6, ("pan", 3)),
        ]
    )
    model = CoPurchase(Settings(window_days=28)).fit(shop)
    assert list(scores(model, shop, history(("tent",)))) == ["lamp"]
    assert scores(model, shop, history(), ["tent"]) == {}  # never in one basket
    longer = CoPurchase(Settings(window_days=50)).fit(shop)
    assert set(scores(longer, shop, history(("tent",)))) == {"lamp", "skis"}


def test_new_windows_count_more():
    shop = train(
        [
            *customers(6, ("tent", 1), ("lamp", 2)),
            *customers(6, ("tent", 91), ("torch", 92)),
        ]
    )
    found = {}
    for memory_days in (30, 100_000):
        model = CoPurchase(Settings(memory_days=memory_days)).fit(shop)
        found[memory_days] = scores(model, shop, history(("tent",)))
    assert found[30]["lamp"] > 2 * found[30]["torch"]
    assert found[100_000]["lamp"] == pytest.approx(found[100_000]["torch"])


def test_who_buys_everything_says_less():
    everything = [(f"z{n}", 3) for n in range(40)]
    shop = train(
        [
            *customers(6, ("tent", 1), ("lamp", 2)),
            *customers(6, ("tent", 1), ("torch", 2), *everything),
        ]
    )
    found = scores(CoPurchase().fit(shop), shop, history(("tent",)))
    assert found["lamp"] > found["torch"]


def test_a_reason_names_what_speaks_loudest(shop):
    model = CoPurchase(Settings(min_support=2)).fit(shop)
    pasta, sauce, milk, never = shop.index.ix_of(["pasta", "sauce", "milk", "never"])
    people = batch(shop, history(("pasta",), ("milk", AS_OF - 200 * DAY)), history())
    wanted = Lists.of_rows([np.array([sauce, never]), np.array([milk])])
    context = Context.of(2, AS_OF, cart=[[], [sauce]])
    assert model.because(Batch(people, context), wanted).tolist() == [pasta, -1, sauce]


def test_nothing_that_goes_together_is_no_error():
    training = train([Order("a", ["p1"]), Order("b", ["p2"])])
    model = CoPurchase().fit(training)
    assert scores(model, training, history(("p1",))) == {}


def random_orders(seed=9, n=160):
    rng = np.random.default_rng(seed)
    return [
        Order(
            f"c{rng.integers(15)}" if rng.random() < 0.8 else None,
            sorted({f"p{ix}" for ix in rng.integers(0, 8, rng.integers(1, 5))}),
            AS_OF - int(rng.integers(1, 90 * DAY)),
        )
        for _ in range(n)
    ]


def table_of(model, training, prefix=""):
    """Similarity of each product's neighbours, by name."""
    names = training.index.item_ids
    indptr, indices, scores = (
        getattr(model, f"{prefix}{part}_") for part in ("indptr", "indices", "scores")
    )
    return {
        (names[a], names[indices[at]]): float(scores[at])
        for a in range(len(names))
        for at in range(indptr[a], indptr[a + 1])
    }


def test_pairs_of_baskets_are_those_of_a_plain_loop():
    orders = sorted(random_orders(), key=lambda order: order.ts)
    training = train(orders)
    model = CoPurchase(Settings(min_support=3, shrinkage=4.0, neighbours=100)).fit(training)
    held = Counter(item for order in orders for item in order.items)
    both = Counter(pair for order in orders for pair in permutations(order.items, 2))
    expected = {
        (i, j): n / (held[i] ** 0.75 * held[j] ** 0.5) * n / (n + 4.0)
        for (i, j), n in both.items()
        if n >= 3
    }
    found = table_of(model, training)
    assert found.keys() == expected.keys()
    for pair, similarity in expected.items():
        assert found[pair] == pytest.approx(similarity, rel=1e-5)
    support = dict(zip(found, model.support_.tolist(), strict=True))
    lift = dict(zip(found, model.lift_.tolist(), strict=True))
    for (i, j), n in support.items():
        assert n == both[i, j]
        assert lift[i, j] == pytest.approx(n * len(orders) / (held[i] * held[j]), rel=1e-5)


def test_pairs_of_windows_are_those_of_a_plain_loop():
    """All that a customer bought in a window is one basket; weights are whole numbers to 255."""
    orders = sorted(random_orders(), key=lambda order: order.ts)
    training = train(orders)
    settings = Settings(min_support=2, neighbours=100, window_days=14, memory_days=30)
    model = CoPurchase(settings).fit(training)
    units: dict[object, set[str]] = {}
    for number, order in enumerate(orders):
        window = (AS_OF - order.ts) // DAY // 14
        units.setdefault((order.customer or number, window), set()).update(order.items)
    weight = {
        (who, window): 2.0 ** (-window * 14 / 30) * len(items) ** -_SIZE
        for (who, window), items in units.items()
    }
    most = max(weight[key] for key, items in units.items() if len(items) > 1)
    whole = {
        key: min(max(round(each / most * MAX_WEIGHT), 1), MAX_WEIGHT)
        for key, each in weight.items()
    }
    held, both, support = Counter(), Counter(), Counter()
    for key, items in units.items():
        held.update(dict.fromkeys(items, whole[key]))
        both.update(dict.fromkeys(permutations(sorted(items), 2), whole[key]))
        support.update(permutations(sorted(items), 2))
    expected = {
        (i, j): n / (held[i] * held[j]) ** 0.5 for (i, j), n in both.items() if support[i, j] >= 2
    }
    found = table_of(model, training, "within_")
    assert found.keys() == expected.keys()
    for pair, similarity in expected.items():
        assert found[pair] == pytest.approx(similarity, rel=1e-5)


def test_lifts_are_those_of_counting():
    baskets = [["a", "b"], ["a", "b"], ["a", "c"], ["b"], ["c"], ["d"]]
    training = train([Order("x", items) for items in baskets])
    model = CoPurchase(Settings(min_support=1)).fit(training)
    ix = training.index.ix_of
    pairs = [("a", "b"), ("b", "a"), ("a", "c"), ("a", "d"), ("d", "a")]
    found = model.lifts(ix([a for a, _ in pairs]), ix([b for _, b in pairs])).tolist()
    for (a, b), lift in zip(pairs, found, strict=True):
        both = sum(a in basket and b in basket for basket in baskets)
        one, other = (sum(x in basket for basket in baskets) for x in (a, b))
        if both:
            assert lift == pytest.approx(both * len(baskets) / (one * other))
        else:
            assert lift != lift
