"""What a location has on hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    assert availability().stock_at(at, np.arange(4)).on_hand.tolist() == [0, 5, 0, 6]


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
    assert np.isnan(availability().stock_at(np.array([UNHEARD, 0]), np.array([1, 1])).on_hand).all()


def test_locations_are_asked_side_by_side():
    asked = availability().stock_at(np.array([SOUTH, NORTH, UNHEARD]), np.ones(3, int)).on_hand
    assert asked.tolist()[:2] == [0, 5]
    assert np.isnan(asked[2])


def test_without_stock_nothing_is_known():
    empty = np.array([], dtype=np.int64)
    bare = Availability.build(
        np.ones(3, dtype=bool), empty, empty.astype(np.int32), empty.astype(float)
    )
    assert np.isnan(bare.stock_at(np.array([NORTH]), np.array([0])).on_hand).all()


def test_it_comes_back_from_its_arrays():
    again = Availability.from_arrays(availability().arrays())
    assert again.stock_at(np.array([NORTH]), np.array([1])).on_hand.tolist() == [5]


def on_hand(of, location, items=(0, 1, 2, 3)):
    return of.stock_at(np.full(len(items), location), np.array(items)).on_hand.tolist()


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


def test_a_location_that_told_of_every_product_is_known_whatever_its_last_list_was():
    newer = told(availability(), *((UNHEARD, item, item) for item in range(4)))
    assert newer.held_at(UNHEARD).tolist() == [1, 2, 3]
    listed = _built([(NORTH, 0, 2.0, np.nan, 0), (NORTH, 2, 1.0, np.nan, 0)])
    asked = replace(listed, max_age_seconds=5).with_stock(
        np.full(N_ITEMS, NORTH),
        np.arange(N_ITEMS, dtype=np.int32),
        np.ones(N_ITEMS),
        reported_ts=np.full(N_ITEMS, 9),
    )
    assert asked.held_at(NORTH, 10).tolist() == list(range(N_ITEMS))
    assert asked.held_at(NORTH, 15) is None


def test_arrays_that_an_older_artefact_lacks_are_unknown():
    new = ("reserved", "reported_ts", "complete_ts")
    older = {name: array for name, array in availability().arrays().items() if name not in new}
    read = Availability.from_arrays(older)
    known = read.stock_at(np.array([NORTH]), np.array([3]))
    assert [*known.on_hand, *known.sellable, *known.reported_ts] == [6, 6, 0]
    assert np.isnan(known.reserved)
    # a time that nobody knows is older than any
    assert (
        replace(read, max_age_seconds=60)
        .stock_at(np.array([NORTH]), np.array([3]), 1_700_000_000)
        .stale
    )


def test_a_greatest_age_needs_a_time():
    aging = replace(availability(), max_age_seconds=60)
    for ask in (
        lambda: aging.stock_at(np.array([NORTH]), np.array([1])),
        lambda: aging.held_at(NORTH),
        aging.sellable_anywhere,
        lambda: aging.first_having(np.array([1]), np.array([0])),
    ):
        with pytest.raises(ValueError, match="greatest age"):
            ask()


N_ITEMS, PLACES = 5, (11, 22, 33)
row = st.tuples(
    st.sampled_from(PLACES),
    st.integers(0, N_ITEMS - 1),
    st.sampled_from([-1.0, 0.0, 0.4, 1.0, 2.0, 7.0]),
    st.sampled_from([np.nan, 0.0, 0.1, 1.0, 9.0]),
    st.integers(0, 20),
)
by_place_and_item = {"unique_by": lambda r: r[:2]}


@given(
    lists=st.lists(row, max_size=10, **by_place_and_item),
    news=st.lists(row, max_size=4, **by_place_and_item),
    max_age=st.sampled_from([0, 1, 6]),
    as_of=st.lists(st.integers(0, 25), min_size=1, max_size=3),
    order=st.permutations(range(len(PLACES))),
)
def test_what_is_known_of_stock_is_what_a_plain_loop_finds(lists, news, max_age, as_of, order):
    """Lists of whole locations, then single updates, asked at several times."""
    listed_ts = {r[0]: min(x[4] for x in lists if x[0] == r[0]) for r in lists}
    told = {r[:2]: r[2:] for r in lists} | {r[:2]: r[2:] for r in news}
    made = replace(_built(lists), max_age_seconds=max_age)
    if news:
        keys, items, counts, aside, when = zip(*news, strict=True)
        made = made.with_stock(
            np.array(keys),
            np.array(items, np.int32),
            np.array(counts),
            np.array(aside),
            np.array(when),
        )
    made = Availability.from_arrays(made.arrays(), max_age)
    grid = [(place, item) for place in (*PLACES, 44) for item in range(N_ITEMS)]
    keys, items = (np.array(side) for side in zip(*grid, strict=True))
    for now in as_of:
        plain = [_plainly(told, listed_ts, now, max_age, *pair) for pair in grid]
        found = made.stock_at(keys, items, now)
        for at, (on_hand, reserved, sellable, when, stale) in enumerate(plain):
            assert _same(found.on_hand[at], on_hand)
            assert _same(found.reserved[at], reserved)
            assert _same(found.sellable[at], sellable)
            assert (found.reported_ts[at], found.stale[at]) == (when, stale)
        sold = {pair: one[2] for pair, one in zip(grid, plain, strict=True)}
        anywhere = made.sellable_anywhere(now)
        for item in range(N_ITEMS):
            known = [sold[place, item] for place in PLACES if sold[place, item] is not None]
            assert _same(anywhere[item], sum(known) if known else None)
        positions = made.position(np.array(PLACES))[list(order)]
        first = made.first_having(np.arange(N_ITEMS), positions, now)
        for item in range(N_ITEMS):
            having = [n for n, at in enumerate(order) if (sold[PLACES[at], item] or 0) > 0]
            assert first[item] == (having[0] if having else -1)
        for place in PLACES:
            held = made.held_at(place, now)
            if any(sold[place, item] is None for item in range(N_ITEMS)):
                assert held is None
            else:
                assert held.tolist() == [i for i in range(N_ITEMS) if sold[place, i] > 0]


def _built(rows):
    columns = list(zip(*rows, strict=True)) if rows else [()] * 5
    keys, items, on_hand, reserved, when = columns
    return Availability.build(
        np.ones(N_ITEMS, bool),
        np.array(keys, np.int64),
        np.array(items, np.int32),
        np.array(on_hand, np.float64),
        (),
        np.array(reserved, np.float64),
        np.array(when, np.int64),
    )


def _plainly(told, listed_ts, now, max_age, place, item):
    """On hand, reserved, sellable, when, stale; None where nothing is known."""
    if (place, item) in told:
        on_hand, reserved, when = told[place, item]
    elif place in listed_ts:
        on_hand, reserved, when = 0.0, np.nan, listed_ts[place]
    else:
        return None, None, None, 0, False
    if max_age and now - when > max_age:
        return None, None, None, when, True
    aside = None if np.isnan(reserved) else reserved
    return on_hand, aside, max(0.0, on_hand - (aside or 0.0)), when, False


def _same(found, expected):
    return np.isnan(found) if expected is None else abs(found - expected) < 1e-9
