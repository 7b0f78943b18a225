"""Ragged lists keep rows apart and order as it was."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.datasets.ragged import Lists, positions_of, rows_contain, rows_of, without_items


def lists(*rows):
    return Lists.of_rows([np.array(row, dtype=np.int32) for row in rows])


def test_pairs_are_gathered_once_a_row():
    gathered = Lists.of_pairs(np.array([2, 0, 2, 2]), np.array([5, 1, 5, 3]), 4)
    assert gathered.indptr.tolist() == [0, 1, 1, 3, 3]
    assert gathered.item_ix.tolist() == [1, 3, 5]


def test_what_is_taken_is_dropped_from_the_same_row_only_and_the_order_stays():
    left = without_items(lists([9, 3, 7], [3], []), lists([3, 3, 1], [], [3]))
    assert left.indptr.tolist() == [0, 2, 3, 3]
    assert left.item_ix.tolist() == [9, 7, 3]


def test_every_entry_knows_its_row_and_its_place():
    ragged = lists([4, 5], [], [6, 7, 8])
    assert rows_of(ragged).tolist() == [0, 0, 2, 2, 2]
    assert positions_of(ragged).tolist() == [0, 1, 0, 1, 2]


rows = st.lists(st.lists(st.integers(0, 9), max_size=6), min_size=1, max_size=4)


@given(rows, st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20)), max_size=8))
def test_contains_is_python_s_in(rows, asked):
    asked = [(row % len(rows), item) for row, item in asked]
    found = rows_contain(
        lists(*rows),
        np.array([row for row, _ in asked], dtype=np.int64),
        np.array([item for _, item in asked], dtype=np.int32),
    )
    assert found.tolist() == [item in rows[row] for row, item in asked]
