import numpy as np
import pytest
from scipy import stats

from recsys.config.model_settings import TrendingSettings as Settings
from recsys.datasets.customer_history import EMPTY
from recsys.datasets.ragged import Lists
from recsys.models.base import Context
from recsys.models.trending import RecentCounts, Trending, rise_of, significant
from tests.recsys.models.contract import ModelContract
from tests.recsys.models.worlds import AS_OF, DAY, Order, batch, train


class TestTrending(ModelContract):
    finds_new = False  # on the checkerboard everything sells as it always did

    @classmethod
    def make(cls):
        return Trending(Settings(min_lines=10))


def shown(model, training, n=5, **context):
    found = model.recommend(batch(training, EMPTY), n, Context.of(1, AS_OF, **context))
    return [training.index.item_ids[ix] for ix in found.item_ix]


def noise(rng, days=180, a_day=40, products=300, channel=0, location=0):
    """Products of all sizes, each sold at its own steady pace."""
    share = 1 / np.arange(1, products + 1)
    drawn = rng.choice(products, (days, a_day), p=share / share.sum())
    return [
        Order(None, [f"p{product:03}"], AS_OF - day * DAY + n, channel, location)
        for day, products_of_day in enumerate(drawn, start=1)
        for n, product in enumerate(products_of_day)
    ]


def steady_and_rising(location=0, rising="rising"):
    """Every day's sales are the same, but one product sells four times as often of late."""
    return [
        order
        for day in range(1, 181)
        for order in [
            *[Order(None, [f"s{n}"], AS_OF - day * DAY, 0, location) for n in range(10)],
            *[Order(None, [rising], AS_OF - day * DAY, 0, location)] * (4 if day <= 14 else 1),
            *[Order(None, ["falling"], AS_OF - day * DAY, 0, location)] * (1 if day <= 14 else 4),
        ]
    ]


def sold(orders):
    return train(sorted(orders, key=lambda order: order.ts))


def test_what_rises_against_its_own_past_trends():
    training = sold(steady_and_rising())
    assert shown(Trending().fit(training), training) == ["rising"]


@pytest.mark.parametrize("seed", range(3))
def test_noise_does_not_trend(seed):
    training = sold(noise(np.random.default_rng(seed)))
    assert len(Trending().fit(training).order_) <= 1  # of 300 products, most of them rare


def test_a_rare_product_bought_a_few_times_does_not_trend():
    orders = steady_and_rising()
    orders += [Order(None, ["rare"], AS_OF - day * DAY) for day in (1, 2, 100)]
    training = sold(orders)
    assert shown(Trending().fit(training), training) == ["rising"]


def test_a_new_product_that_sells_trends():
    orders = noise(np.random.default_rng(9))
    orders += [Order(None, ["new"], AS_OF - day * DAY) for day in range(1, 8) for _ in range(6)]
    training = sold(orders)
    assert shown(Trending().fit(training), training)[0] == "new"


def test_more_of_everything_is_no_trend():
    orders = [
        Order(None, [f"p{n}"], AS_OF - day * DAY)
        for day in range(1, 181)
        for n in range(10)
        for _ in range(5 if day <= 14 else 1)
    ]
    training = sold(orders)
    assert shown(Trending().fit(training), training) == []


def test_a_location_has_trends_of_its_own():
    orders = [
        *steady_and_rising(11, "skates"),
        *noise(np.random.default_rng(1), location=22, channel=1),
    ]
    training = sold(orders)
    model = Trending(Settings(min_lines=500)).fit(training)
    assert shown(model, training, location=11)[0] == "skates"
    items = Lists.of_rows([training.index.ix_of(["skates", "s1"])] * 2)
    told = model.rises_there(Context.of(2, AS_OF, location=[11, 22]), items)
    assert told.tolist() == [True, False, False, False]
    # Where nothing of its own rises, the channel answers, and then everything.
    assert shown(model, training, location=33, channel=0)[0] == "skates"
    strict = Trending(Settings(min_lines=10**6)).fit(training)
    assert strict.group_keys_.tolist() == []
    assert shown(strict, training, location=11)[0] == "skates"
    assert not strict.rises_there(Context.of(2, AS_OF, location=[11, 22]), items).any()


def test_a_share_that_is_kept_is_no_rise():
    past = np.array([100.0, 1.0, 0.0, 50.0])
    np.testing.assert_allclose(rise_of(past / 10, past), 0, atol=1e-12)
    few, many = rise_of(np.array([1.0, 30.0, 100.0]), np.array([0.1, 3.0, 100.0]))[:2]
    assert 0 < few < many  # the same ratio, with less and more behind it


def test_significance_needs_numbers():
    past = np.array([1.0, 100.0, 1000.0])
    now = np.array([2.0, 200.0, 1000.0])
    counts = RecentCounts(now, past, now, past)
    assert significant(counts, 0.05).tolist() == [False, True, False]
    nothing = np.zeros(3)
    assert not significant(RecentCounts(nothing, past, nothing, past), 0.05).any()
    long_ago = np.full(3, 1e-200)  # its square is 0
    assert not significant(RecentCounts(long_ago, past, long_ago**2, past), 0.05).any()


@pytest.mark.parametrize(("late", "early"), [((9, 1, 30), (40, 40, 300)), ((3, 5, 2), (6, 9, 60))])
def test_the_chance_is_the_tail_of_a_negative_binomial(late, early):
    """Whole purchases that all count one: the library's distribution says how likely they are."""
    now, past = np.array(late, float), np.array(early, float)
    counts = RecentCounts(now, past, now, past)
    share = now.sum() / (now.sum() + past.sum())
    chance = stats.nbinom.sf(now - 1, past + 0.5, 1 - share)
    by_library = stats.false_discovery_control(chance)
    for false_share in (0.01, 0.05, 0.2, 0.29):
        found = significant(counts, false_share)
        np.testing.assert_array_equal(found, by_library <= false_share)
