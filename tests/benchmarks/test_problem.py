"""Problems hold no future, and come back from their file as they were."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from benchmarks._problem import Problem, Purchases, best_of, by_window, numbered
from recsys.datasets.ragged import Lists
from recsys.units import DAY

events = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 6), st.integers(0, 9)), min_size=1, max_size=40
)


def columns(rows):
    customer, item, day = np.array(rows, np.int64).T
    ts = day * DAY
    number, _ = numbered(item, ts)
    return customer, number, ts


@given(events, events, st.integers(1, 9))
def test_what_is_learned_from_does_not_depend_on_the_future(known, later, day):
    start = day * DAY
    before = [row for row in known if row[2] < day]
    if not before:
        return
    futures = ([], [(customer, item, 9) for customer, item, _ in later])
    found = [
        by_window(
            *columns(before + future), np.zeros(len(before + future), np.int64), start, 99 * DAY
        )
        for future in futures
    ]
    for name in ("customer", "basket", "item", "age_days"):
        one, other = (getattr(problem.purchases, name) for problem in found)
        assert one.tolist() == other.tolist()
    assert found[0].purchases.n_items == found[1].purchases.n_items


def test_a_window_asks_those_who_came_back():
    # Customer 0 comes back for 1 (known) and 2 (new in the window), customer 3 for 2 alone.
    customer = np.array([0, 1, 3, 0, 0, 2, 3])
    item = np.array([0, 1, 1, 1, 2, 0, 2])
    ts = np.array([0, 0, 0, 5, 5, 5, 5]) * DAY
    problem = by_window(customer, item, ts, ts, 5 * DAY, 6 * DAY)
    assert problem.asked.tolist() == [0]
    assert problem.wanted.item_ix.tolist() == [1]
    assert problem.purchases.n_items == 2
    assert problem.owned.item_ix.tolist() == [0]


def test_a_product_counts_once_a_basket():
    bought = Purchases.of(1, 2, np.array([0, 0, 0]), np.array([1, 1, 1]), np.array([0, 0, DAY]))
    assert bought.item.tolist() == [1, 1]
    assert bought.age_days.tolist() == [1, 0]
    assert bought.matrix(1.0).toarray().tolist() == [[0, 1.5]]


def test_a_problem_comes_back_from_its_file(tmp_path):
    bought = Purchases.of(2, 3, np.array([0, 1]), np.array([2, 1]), np.array([0, DAY]))
    problem = Problem(bought, np.array([1]), Lists.of_rows([np.array([2])]))
    problem.save(tmp_path / "kept" / "problem.npz")
    again = Problem.load(tmp_path / "kept" / "problem.npz")
    assert again.purchases.matrix().toarray().tolist() == bought.matrix().toarray().tolist()
    assert again.wanted.item_ix.tolist() == [2]


def test_best_first_and_short_where_nothing_scores():
    lists = best_of(np.array([[0.1, 0.9, 0.0], [0.0, 0.0, 0.0]]), 3)
    assert lists.indptr.tolist() == [0, 2, 2]
    assert lists.item_ix.tolist() == [1, 0]
