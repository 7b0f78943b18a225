"""TIFU-KNN and UP-CF against figures worked out by hand."""

import numpy as np
import pytest

from benchmarks._problem import Purchases
from benchmarks.baselines import baskets
from recsys.units import DAY


def of(histories):
    """Purchases of customers whose baskets lie a day apart."""
    rows = [
        (customer, item, time * DAY)
        for customer, held in enumerate(histories)
        for time, basket in enumerate(held)
        for item in basket
    ]
    customer, item, ts = np.array(rows, np.int64).T
    return Purchases.of(len(histories), int(item.max()) + 1, customer, item, ts)


def test_positions_count_a_customers_baskets():
    place, n = baskets.positions(of([[[0, 1], [1]], [[2]]]))
    assert place.tolist() == [0, 0, 1, 0]
    assert n.tolist() == [2, 2, 2, 1]


def test_a_vector_decays_within_groups_and_between_them():
    # Five baskets in groups of two, from the latest back: {e, d}, {c, b}, {a}.
    purchases = of([[[0], [1], [2], [3], [4]]])
    vector = baskets.tifu_vectors(purchases, 0.5, 0.1, 2).toarray()[0]
    last, middle, first = 1 / 3, 0.1 / 3, 0.01 / 3
    expected = [first, middle * 0.5 / 2, middle / 2, last * 0.5 / 2, last / 2]
    assert vector == pytest.approx(expected)


def test_what_is_bought_twice_counts_twice():
    vector = baskets.tifu_vectors(of([[[0], [0, 1]]]), 0.5, 0.9, 7).toarray()[0]
    assert vector == pytest.approx([(0.5 + 1) / 2, 1 / 2])


def test_tifu_knn_mixes_in_the_nearest():
    # The second customer is nearer to the first than the third.
    purchases = of([[[0]], [[0], [0, 1]], [[2], [2]]])
    show = baskets.fit_tifu_knn(purchases, 0, 1.0, 1.0, 7, 1, 0.5)
    lists = show(np.array([0]), 3, False)
    assert lists.item_ix.tolist() == [0, 1]


def test_tifu_knn_takes_only_given_teachers():
    purchases = of([[[0]], [[0], [0, 1]], [[2], [2]]])
    show = baskets.fit_tifu_knn(purchases, 0, 1.0, 1.0, 1, 1, 0.4, np.array([0, 2]))
    assert show(np.array([0]), 3, False).item_ix.tolist() == [2, 0]


def test_up_cf_weighs_customers_by_their_likeness():
    # Likeness of 0 to itself 1, to customer 1: 1 shared of 1 and 4 items, cosine 1 / 2.
    purchases = of([[[0]], [[0, 1], [2], [3, 1]]])
    show = baskets.fit_up_cf(purchases, 0, 2, 1, 0.5)
    # Of customer 1 the last two baskets count: item 2 one half, 3 and 1 one half each.
    lists = show(np.array([0]), 4, False)
    assert lists.item_ix.tolist() == [0, 1, 2, 3]
    closer = baskets.fit_up_cf(purchases, 0, 3, 1, 0.5)
    assert closer(np.array([0]), 2, False).item_ix.tolist() == [0, 1]


def test_only_new_items_are_shown_where_that_is_asked():
    purchases = of([[[0]], [[0, 1]]])
    show = baskets.fit_up_cf(purchases, 0, 5, 1, 0.5)
    assert show(np.array([0, 1]), 4, True).item_ix.tolist() == [1]
