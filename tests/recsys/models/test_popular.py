import numpy as np
import pytest

from recsys.config.model_settings import PopularSettings as Settings
from recsys.datasets.customer_history import EMPTY, Histories
from recsys.models.base import Batch, Context
from recsys.models.popular import POPULAR_LEVELS, Popular
from tests.recsys.models.contract import ModelContract
from tests.recsys.models.worlds import AS_OF, DAY, Order, batch, train


class TestPopular(ModelContract):
    knows_strangers = True

    @classmethod
    def make(cls):
        return Popular(Settings(min_lines=10))


def shown(model, training, n=5, **context):
    people = batch(training, EMPTY)
    found = model.recommend(people, n, Context.of(1, AS_OF, **context))
    return [training.index.item_ids[ix] for ix in found.item_ix], found.scores.tolist()


def test_baskets_count_and_not_what_is_in_them_twice():
    orders = [Order("a", ["tea"]), Order("b", ["tea"]), Order("c", ["rice"]), Order(None, ["tea"])]
    training = train(orders, more=["never sold"])
    items, scores = shown(Popular().fit(training), training)
    assert items == ["tea", "rice"]
    assert scores == pytest.approx([0.75, 0.25])


def test_a_basket_counts_half_after_the_half_life():
    orders = [Order("a", ["new"], AS_OF), Order("b", ["old"], AS_OF - 14 * DAY)]
    training = train(orders)
    assert shown(Popular(Settings(half_life_days=14)).fit(training), training)[1] == pytest.approx(
        [2 / 3, 1 / 3]
    )


@pytest.fixture
def places():
    """Location 11 buys tea on the web, location 22 rice; 33 is too small to be heard."""
    orders = [
        *[Order("a", ["tea"], AS_OF, 1, 11)] * 6,
        *[Order("b", ["rice"], AS_OF, 0, 22)] * 8,
        *[Order("b", ["salt"], AS_OF, 0, 33)] * 2,
    ]
    training = train(orders)
    return Popular(Settings(min_lines=4)).fit(training), training


@pytest.mark.parametrize(
    ("context", "level", "first"),
    [
        ({"location": 11}, "popular_at_location", "tea"),
        ({"location": 22, "channel": 1}, "popular_at_location", "rice"),
        ({"location": 33, "channel": 1}, "popular_on_channel", "tea"),
        ({"location": 33, "channel": 0}, "popular_on_channel", "rice"),
        ({"location": 99}, "popular", "rice"),
        ({}, "popular", "rice"),
        ({"channel": 5}, "popular", "rice"),
    ],
)
def test_the_nearest_place_with_enough_lines_answers(places, context, level, first):
    model, training = places
    nobody = Histories.nobody(1, len(training.index))
    asked = Batch(nobody, Context.of(1, AS_OF, **context))
    assert POPULAR_LEVELS[model.level(asked)[0]] == level
    assert shown(model, training, **context)[0][0] == first


def test_a_place_falls_back_on_the_whole(places):
    model, training = places
    items, scores = shown(model, training, location=11)
    assert items == ["tea", "rice", "salt"]
    # (c + m p) / (C + m): six lines of tea of six, and four lines of the whole's habits
    assert scores == pytest.approx([(6 + 4 * 6 / 16) / 10, 4 * 8 / 16 / 10, 4 * 2 / 16 / 10])


def test_only_the_best_of_a_place_are_stored():
    orders = [Order("a", [f"p{n}" for n in range(700)], AS_OF, 0, 11)]
    model = Popular(Settings(min_lines=1)).fit(train(orders))
    assert np.diff(model.indptr_).tolist() == [500, 500]


def test_an_old_history_still_has_its_popular():
    training = train([Order("a", ["tea"], AS_OF - 20_000 * DAY)])
    items, scores = shown(Popular().fit(training), training)
    assert items in (["tea"], [])
    assert np.isfinite(scores).all()
