"""What chance puts together: the model of it, beside shops left to chance."""

import numpy as np
import pytest

from recsys.bundles.association_data import AssociationData
from recsys.bundles.null_model import NullModel
from recsys.bundles.pair_statistics import pair_statistics
from recsys.bundles.strata import place_strata, size_strata, week_spans
from recsys.models.kernels import pair_counts
from tests.recsys.bundles.shopping import shuffled, train, trips
from tests.recsys.models.worlds import DAY, Order

#: Few products and full baskets: here chance is hardest to say.
FULL = {"n": 800, "items": 12, "sizes": (1, 2, 4, 8)}


def counted(training):
    parts = list(pair_counts.count_pairs(training.baskets.items, 1))
    return tuple(np.concatenate([part[column] for part in parts]) for column in range(3))


def test_chances_add_up_to_what_was_bought():
    training = train(trips(1))
    null_model = NullModel.of(training.baskets)
    counts = np.bincount(training.baskets.items.indices, minlength=training.n_items)
    in_all = null_model.share @ null_model.n_of_size
    assert in_all[null_model.count_of] == pytest.approx(counts, rel=1e-5)
    per_basket = np.bincount(null_model.count_of) @ null_model.share
    assert per_basket == pytest.approx(null_model.sizes, rel=1e-5)
    assert (
        null_model.sizes[null_model.size_of].tolist()
        == np.diff(training.baskets.items.indptr).tolist()
    )


@pytest.mark.parametrize("world", [{}, FULL], ids=["wide", "full"])
def test_chance_tells_how_often_two_meet_in_shops_left_to_chance(world):
    training = train(trips(2, **world))
    null_model = NullModel.of(training.baskets)
    n = training.n_items
    met = np.zeros((n, n))
    for seed in range(12):
        a, b, support = counted(shuffled(training, seed))
        met[a, b] += support / 12
    a, b = np.triu_indices(n, 1)
    a, b = a.astype(np.int32), b.astype(np.int32)
    expected = null_model.together(a, b)
    often = expected >= 20
    assert often.sum() > 10
    assert met[a, b][often].sum() == pytest.approx(expected[often].sum(), rel=0.02)
    assert met[a, b][often] == pytest.approx(expected[often], rel=0.2)


def test_where_all_is_left_to_chance_customers_choose_as_by_chance():
    training = shuffled(train(trips(3, 4000, customers=100)), 4)
    data = AssociationData.of(training.baskets)
    a, b, support = counted(training)
    often = support >= 30
    a, b, support = a[often], b[often], support[often]
    met = pair_statistics(a, b, data.held, data.customers, data.share, data.kinds)
    by_chance = data.by_chance(a, b, met)
    assert met.chosen.sum() / by_chance.sum() == pytest.approx(1.0, abs=0.08)
    assert met.repeats.mean() < 1.3
    assert data.factor(a, b, support, met.inside).mean() == pytest.approx(1.0, abs=0.08)


def test_repeats_say_how_many_baskets_count_as_one():
    orders = [Order("a", ["x", "y"], DAY * n) for n in range(10)]
    orders += [Order(f"b{n}", ["x", "y"], DAY * n) for n in range(10)]
    training = train([*orders, *trips(5)])
    data = AssociationData.of(training.baskets)
    one, other = (np.array([ix], np.int32) for ix in training.index.ix_of(["x", "y"]))
    met = pair_statistics(one, other, data.held, data.customers, data.share, data.kinds)
    # Ten baskets of one customer and ten of others: (10² + 10) / 20, less what chance allows.
    assert met.repeats == pytest.approx([5.5], rel=0.1)
    assert met.customers.tolist() == [11]


def test_weeks_are_put_together_until_they_hold_enough():
    ts = np.repeat(np.arange(30) * 7 * DAY, 30)
    assert np.bincount(week_spans(ts)).tolist() == [120] * 6 + [180]
    assert week_spans(np.zeros(5, np.int64)).tolist() == [0] * 5
    assert len(week_spans(np.zeros(0, np.int64))) == 0


def test_small_places_count_as_one_for_each_channel():
    orders = [Order(None, ["x"], channel=0, location=7)] * 300
    orders += [Order(None, ["x"], channel=n % 2, location=8 + n) for n in range(20)]
    of = place_strata(train(orders).baskets)
    assert len(set(of[:300].tolist())) == 1
    assert len(set(of.tolist())) == 3


def test_sizes_are_grouped_by_half_doublings():
    assert size_strata(np.array([1, 1, 2, 3, 4, 5, 6, 7, 8, 60])).tolist() == [
        0,
        0,
        1,
        2,
        3,
        3,
        4,
        4,
        5,
        6,
    ]
