"""Popular, own and own then popular, worked out by hand."""

import numpy as np

from benchmarks._problem import Purchases
from benchmarks.baselines import frequency
from recsys.units import DAY

#: Customer 0 bought 0 twice long ago and 1 now; 2 and 3 are what the others buy.
CUSTOMER = np.array([0, 0, 0, 1, 1, 2, 2, 3])
ITEM = np.array([0, 0, 1, 2, 3, 2, 3, 2])
DAYS = np.array([0, 1, 100, 100, 0, 100, 0, 100])


def purchases():
    return Purchases.of(4, 4, CUSTOMER, ITEM, DAYS * DAY)


def rows(lists):
    return [lists.row(row).item_ix.tolist() for row in range(len(lists.indptr) - 1)]


def test_popular_counts_everybody_and_forgets():
    asked = np.array([0, 3])
    assert rows(frequency.fit_popular(purchases(), 0, None)(asked, 2, False)) == [[2, 0], [2, 0]]
    assert rows(frequency.fit_popular(purchases(), 0, 1.0)(asked, 2, False)) == [[2, 1], [2, 1]]
    assert rows(frequency.fit_popular(purchases(), 0, None)(asked, 2, True)) == [[2, 3], [0, 3]]


def test_own_frequency_counts_ones_own_and_forgets():
    asked = np.array([0, 3])
    assert rows(frequency.fit_own(purchases(), 0, None)(asked, 3, False)) == [[0, 1], [2]]
    assert rows(frequency.fit_own(purchases(), 0, 1.0)(asked, 3, False)) == [[1, 0], [2]]
    assert rows(frequency.fit_own(purchases(), 0, 1.0)(asked, 3, True)) == [[], []]


def test_what_is_popular_follows_ones_own():
    show = frequency.fit_own_then_popular(purchases(), 0, None, None)
    assert rows(show(np.array([0, 3]), 3, False)) == [[0, 1, 2], [2, 0, 3]]
    top = frequency.fit_gp_top_frequency(purchases(), 0)
    assert rows(top(np.array([0, 3]), 3, False)) == [[0, 1, 2], [2, 0, 3]]


def test_equal_own_counts_stand_by_what_is_popular():
    bought = Purchases.of(3, 3, np.array([0, 0, 1, 2]), np.array([0, 2, 2, 2]), np.arange(4) * DAY)
    show = frequency.fit_own_then_popular(bought, 0, None, None)
    assert rows(show(np.array([0]), 2, False)) == [[2, 0]]
