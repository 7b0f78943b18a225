"""What a location has on hand."""

import numpy as np

from recsys.ranking.availability import Availability

NORTH, SOUTH, UNHEARD = 77, 11, 5


def availability():
    """Four products; the north has some of two of them, in two stock rows for product 3."""
    return Availability.build(
        np.array([True, True, True, False]),
        np.array([NORTH, NORTH, SOUTH, NORTH]),
        np.array([3, 1, 1, 3], dtype=np.int32),
        np.array([2.0, 5.0, 0.0, 4.0]),
    )


def test_rows_of_one_product_add_up_and_what_is_not_carried_is_none():
    at = np.full(4, NORTH)
    assert availability().on_hand_at(at, np.arange(4)).tolist() == [0, 5, 0, 6]


def test_parts_are_what_was_told():
    parts = Availability.build(
        np.ones(4, bool),
        np.full(4, NORTH),
        np.array([0, 1, 2, 2], np.int32),
        np.array([0.4, 1.1, 0.1, 0.2]),
    )
    assert on_hand(parts, NORTH) == [0.4, 1.1, 0.3, 0.0]
    assert on_hand(told(parts, (NORTH, 1, 0.7), (SOUTH, 0, 2.3)), NORTH) == [0.4, 0.7, 0.3, 0.0]


def test_counts_of_an_older_artefact_are_read():
    arrays = availability().arrays()
    older = Availability.from_arrays({**arrays, "on_hand": arrays["on_hand"].astype(np.float32)})
    assert older.on_hand.dtype == np.float64
    assert on_hand(older, NORTH) == [0, 5, 0, 6]


def test_an_unheard_location_is_unknown_not_empty():
    assert np.isnan(availability().on_hand_at(np.array([UNHEARD, 0]), np.array([1, 1]))).all()


def test_locations_are_asked_side_by_side():
    asked = availability().on_hand_at(np.array([SOUTH, NORTH, UNHEARD]), np.array([1, 1, 1]))
    assert asked.tolist()[:2] == [0, 5]
    assert np.isnan(asked[2])


def test_without_stock_nothing_is_known():
    empty = np.array([], dtype=np.int64)
    bare = Availability.build(
        np.ones(3, dtype=bool), empty, empty.astype(np.int32), empty.astype(float)
    )
    assert np.isnan(bare.on_hand_at(np.array([NORTH]), np.array([0]))).all()


def test_it_comes_back_from_its_arrays():
    again = Availability.from_arrays(availability().arrays())
    assert again.on_hand_at(np.array([NORTH]), np.array([1])).tolist() == [5]


def on_hand(of, location, items=(0, 1, 2, 3)):
    return of.on_hand_at(np.full(len(items), location), np.array(items)).tolist()


def told(of, *rows):
    keys, items, counts = zip(*rows, strict=True)
    return of.with_stock(np.array(keys), np.array(items, np.int32), np.array(counts, np.float64))


def test_newer_stock_replaces_what_was_known_and_adds_what_was_not():
    newer = told(availability(), (NORTH, 1, 0), (NORTH, 2, 9))
    assert on_hand(newer, NORTH) == [0, 0, 9, 6]
    assert newer.held_at(NORTH).tolist() == [2, 3]
    assert on_hand(newer, SOUTH) == [0, 0, 0, 0]
    assert on_hand(availability(), NORTH) == [0, 5, 0, 6]


def test_a_location_that_told_of_some_products_is_not_empty_of_the_others():
    newer = told(availability(), (UNHEARD, 2, 4), (UNHEARD, 0, 0))
    assert on_hand(newer, UNHEARD, (0, 2)) == [0, 4]
    assert np.isnan(on_hand(newer, UNHEARD, (1, 3))).all()
    assert newer.held_at(UNHEARD) is None
    assert told(newer, (UNHEARD, 1, 3)).held_at(UNHEARD) is None
    again = Availability.from_arrays(newer.arrays())
    assert again.held_at(UNHEARD) is None
    assert again.held_at(NORTH).tolist() == [1, 3]
