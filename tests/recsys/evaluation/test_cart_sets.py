"""Orders are cut into a cart and what joined it."""

import numpy as np

from recsys.evaluation import cart_sets, evaluation_set
from tests.recsys.evaluation.test_evaluation_set import DAY, INDEX, WINDOW, crowd, line


def baskets(n=60):
    return [
        line(f"a{number:02}", item, 110 + number % 9, order=f"o{number}")
        for number in range(n)
        for item in ("apple", "bread", "cheese")
    ]


def test_an_order_is_cut_into_a_cart_and_the_rest(write_history):
    history = write_history(crowd(60) + baskets())
    customers = evaluation_set.read(history, INDEX, WINDOW, active=100)
    found = cart_sets.read(history, customers, at_most=40, seed=2)
    assert len(found.customer_ix) == 40
    for r in range(40):
        cart, rest = (set(lists.row(r).item_ix.tolist()) for lists in (found.cart, found.rest))
        assert cart
        assert rest
        assert not cart & rest
        assert cart | rest == {0, 1, 2}
    assert set(found.as_of_ts) <= {day * DAY for day in range(110, 119)}
    again = cart_sets.read(history, customers, at_most=40, seed=2)
    np.testing.assert_array_equal(again.cart.item_ix, found.cart.item_ix)


def test_where_orders_hold_one_product_all_of_a_customer_s_are_one(write_history):
    single = [line(f"a{number:02}", "cheese", 120) for number in range(12)]
    history = write_history(crowd() + single)
    customers = evaluation_set.read(history, INDEX, WINDOW, active=50)
    found = cart_sets.read(history, customers, at_most=40)
    assert len(found.customer_ix) == 12
    assert cart_sets.read(write_history(crowd()), customers, at_most=40).customer_ix.size == 0
