import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.ranking.margins import UNKNOWN_MINOR, Costs, Margins, expected

NOWHERE, CITY, VILLAGE = 0, 11, 22
#: Of each product: price, cost, category; -1 where unknown.
PRODUCTS = [
    (400, 300, 0),  # a quarter is earned
    (200, 100, 0),  # half of it
    (100, -1, 0),
    (100, -1, 1),
    (-1, 90, 0),
    (-1, -1, -1),
    (500, 600, 1),  # sold below its cost
]


def column(number):
    return np.array([product[number] for product in PRODUCTS])


def costs(*rows):
    """Costs with rows of (location, product, cost)."""
    place, item, cost = np.array(rows or np.empty((0, 3), int)).T
    return Costs.build(column(1), place, item.astype(np.int32), cost)


def margins(*rows):
    return Margins.of(costs(*rows), column(0), column(2).astype(np.int32))


def at(made, place, *items):
    return made.at(np.full(len(items), place), np.array(items, np.int32)).tolist()


def test_a_margin_is_price_less_cost():
    assert at(margins(), NOWHERE, 0, 1, 6) == [100, 100, -100]


def test_a_location_may_have_a_cost_of_its_own():
    made = margins((CITY, 0, 350), (CITY, 1, UNKNOWN_MINOR), (VILLAGE, 1, 120), (VILLAGE, 1, 150))
    assert at(made, CITY, 0, 1) == [50, 100]
    assert at(made, VILLAGE, 0, 1) == [100, 50]  # the later row counts
    assert at(made, NOWHERE, 0, 1) == [100, 100]
    assert at(made, 999, 0, 1) == [100, 100]
    mixed = made.at(np.array([VILLAGE, CITY, NOWHERE]), np.array([1, 0, 1], np.int32))
    assert mixed.tolist() == [50, 50, 100]


def test_a_cost_known_at_one_location_only_counts_there():
    made = margins((CITY, 2, 10))
    assert at(made, CITY, 2) == [90]
    assert at(made, NOWHERE, 2) != [90]


def test_an_unknown_cost_is_what_is_usual_in_the_category():
    good, poor = at(margins(), NOWHERE, 2, 3)
    assert 0 < poor < good < 50  # categories of few products lean on all the others


def test_an_unknown_price_is_what_is_usual_in_the_category():
    assert at(margins(), NOWHERE, 4) == [200 - 90]
    (unknown,) = at(margins(), NOWHERE, 5)
    assert 0 < unknown < 200


def test_where_no_cost_is_known_dearer_products_earn_more():
    n = len(PRODUCTS)
    nothing = Costs.build(np.full(n, -1), *(np.empty(0, kind) for kind in ("i8", "i4", "i8")))
    made = Margins.of(nothing, column(0), np.full(n, -1, np.int32))
    earned = at(made, NOWHERE, 0, 1, 2)
    assert earned == sorted(earned, reverse=True)
    assert min(earned) > 0


def test_what_was_told_since_counts():
    made = costs((CITY, 0, 350))
    newer = made.changed(np.array([0, 2]), np.array([200, 40]))
    assert newer.at(np.array([NOWHERE, CITY, NOWHERE]), np.array([0, 0, 2])).tolist() == [
        200,
        350,
        40,
    ]
    assert made.item_minor.tolist() == column(1).tolist()


def test_costs_come_back_from_their_arrays():
    made = costs((CITY, 0, 350))
    again = Costs.from_arrays(made.arrays())
    assert at(Margins.of(again, column(0), column(2).astype(np.int32)), CITY, 0) == [50]


chances = st.floats(1e-6, 1)


@given(st.lists(st.tuples(chances, st.integers(-500, 500)), min_size=1, max_size=20))
def test_the_order_is_that_of_the_expected_margin_and_losses_come_last(rows):
    chance, margin = (np.array(values, float) for values in zip(*rows, strict=True))
    order = np.argsort(-expected(chance, margin), kind="stable")
    earns = margin[order] > 0
    assert (np.diff(earns.astype(int)) <= 0).all()  # nothing that earns behind what does not
    gained = (chance * margin)[order][earns]
    assert (np.diff(gained) <= 1e-9 * np.abs(gained[:-1])).all()
    assert (np.diff(chance[order][~earns]) <= 1e-7 * chance[order][~earns][:-1]).all()


def test_a_loss_stands_behind_the_faintest_gain():
    keys = expected(np.array([1.0, 1e-7]), np.array([0.0, 1.0]))
    assert keys[1] > keys[0]
    assert expected(np.array([0.0]), np.array([5.0])) == pytest.approx(np.log(1e-9 * 5))
