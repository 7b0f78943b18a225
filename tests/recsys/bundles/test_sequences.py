"""What is bought one after the other, and what only seems to be."""

import numpy as np
import pytest

from tests.recsys.bundles.shopping import afterwards, item, mined, train, trips
from tests.recsys.models.worlds import AS_OF, DAY, Order

PRINTER, INK = "printer", "ink"


def habits(orders, seed, pairs, n=60, gap_days=(3, 20)):
    """Add ``n`` customers' purchases of each (first, then), so many days apart."""
    chosen = np.random.default_rng(seed)
    found = list(orders)
    for number, (first, then) in enumerate(pairs):
        for buyer in range(n):
            at = AS_OF - int(chosen.integers(40, 95)) * DAY
            later = at + int(chosen.uniform(*gap_days) * DAY)
            customer = f"c{chosen.integers(300):04}"
            filler = item(int(chosen.integers(20)))
            found.append(Order(customer, [first, filler], at, location=1))
            found.append(Order(customer, [then], later, channel=(number + buyer) % 2, location=1))
    return found


def test_what_is_bought_later_is_found_in_its_order():
    orders = habits(trips(1), 2, [(PRINTER, INK)])
    assert afterwards(orders) == {(PRINTER, INK)}
    training = train(orders)
    found = mined(training)
    (at,) = np.flatnonzero(found.kind == 1)
    members = slice(found.indptr[at], found.indptr[at + 1])
    assert [training.index.item_ids[ix] for ix in found.members(at)] == [PRINTER, INK]
    assert 55 <= found.support[at] <= 60
    # Ink follows the printer, and much else that its buyers bought in the weeks before.
    with_printer, before_ink = found.with_item[members].tolist()
    assert with_printer <= 62
    assert before_ink > 100
    confidence = [found.support[at] / before_ink, found.support[at] / with_printer]
    assert found.confidence[members] == pytest.approx(confidence)
    assert found.cases[at] < 3120  # the last days have nothing behind them
    assert found.lift_low[at] > 3
    assert np.isnan(found.complement[at])
    assert found.monthly[at].sum() == found.by_channel[at].sum() == found.support[at]


def test_too_late_is_not_after():
    orders = habits(trips(1), 2, [(PRINTER, INK)], gap_days=(21, 35))
    assert afterwards(orders, within_days=15.0) == set()


def test_either_after_the_other_is_only_taste():
    assert afterwards(habits(trips(3), 4, [(PRINTER, INK), (INK, PRINTER)])) == set()


def test_some_the_other_way_round_do_not_hide_an_order():
    orders = habits(trips(17), 18, [(PRINTER, INK)], n=24)
    assert afterwards(habits(orders, 19, [(INK, PRINTER)], n=4)) == {(PRINTER, INK)}


def test_among_many_that_are_only_taste_no_order_is_seen():
    ways = [(f"one{n}", f"other{n}") for n in range(30)]
    orders = habits(trips(21), 22, ways, n=15)
    assert afterwards(habits(orders, 23, [way[::-1] for way in ways], n=15)) == set()


def test_at_once_is_not_after():
    chosen, orders = np.random.default_rng(5), trips(5)
    for at in chosen.choice(len(orders), 80, replace=False):
        orders[at] = orders[at]._replace(items=[*orders[at].items, PRINTER, INK])
    assert afterwards(orders) == set()


def test_the_same_again_is_no_bundle():
    assert afterwards(habits(trips(7), 8, [(INK, INK)])) == set()


def test_one_customer_is_no_evidence():
    orders = trips(9)
    for turn in range(25):
        at = AS_OF - (95 - 3 * turn) * DAY
        orders.append(Order("c0001", [PRINTER], at, location=1))
        orders.append(Order("c0001", [INK], at + DAY, location=1))
    assert afterwards(orders) == set()


def test_what_replaced_something_is_not_bought_after_it():
    # One product is sold until day 50, the other from then on, to the same customers.
    chosen, orders = np.random.default_rng(11), trips(11, 6000)
    for at, order in enumerate(orders):
        if order.customer < "c0150" and chosen.random() < 0.4:
            name = "old" if order.ts < AS_OF - 50 * DAY else "new"
            orders[at] = order._replace(items=[*order.items, name])
    assert afterwards(orders) == set()


def test_strangers_have_no_later():
    orders = habits(trips(13), 14, [(PRINTER, INK)])
    assert afterwards([order._replace(customer=None) for order in orders]) == set()


def test_some_customers_are_enough(monkeypatch):
    orders = habits(trips(15), 16, [(PRINTER, INK)], n=150)
    monkeypatch.setattr("recsys.bundles.later_purchases._PURCHASES", 15_000)
    training = train(orders)
    fewer = mined(training)
    monkeypatch.undo()
    whole = mined(training)
    at, of = (np.flatnonzero(found.kind == 1) for found in (fewer, whole))
    assert len(at) == len(of) == 1
    assert 0 < fewer.support[at[0]] < whole.support[of[0]]
