"""Every pair with its test: what was reported, and why the others were not."""

import dataclasses

import numpy as np
import pytest

from recsys.analysis.all_pairs import AllPairs
from recsys.bundles.bundle_table import AFTER
from recsys.config.settings import BundleSettings as Settings
from tests.recsys.bundles.shopping import alone, mined, names, products, trips, with_items
from tests.recsys.models.worlds import AS_OF, DAY, Order, train

A, B = "apples", "brie"


def by_name(training, found):
    """The pairs by their products."""
    for column in ("a", "b"):
        found[column] = [training.index.item_ids[ix] for ix in found[column]]
    return found.set_index(["a", "b"])


def test_what_holds_is_what_was_mined_with_the_same_figures():
    orders = trips(5, 2500)
    for at in range(4):
        orders = with_items(orders, 20 + at, 0.012, f"p{at}a", f"p{at}b")
        for number, name in enumerate("ab"):
            orders = alone(orders, 40 + 2 * at + number, f"p{at}{name}", 50)
    training = train(orders)
    found = mined(training, max_size=2)
    pairs = by_name(training, AllPairs(training, Settings()).pairs())
    held = pairs[pairs["verdict"] == "holds"]
    assert {("together", *pair) for pair in held.index} == set(names(training, found))
    assert len(held) >= 4
    for at, (_, a, b) in enumerate(names(training, found)):
        for column in ("support", "lift", "lift_low", "lift_high", "p_value", "q_value"):
            assert held.loc[(a, b), column] == pytest.approx(getattr(found, column)[at], rel=1e-5)
    by_luck = pairs[pairs["verdict"] == "chance"]
    assert len(by_luck) > 100
    assert (by_luck["q_value"] > Settings().false_discovery_rate).all()


def test_large_baskets_alone_raise_the_plain_lift():
    pairs = AllPairs(train(trips(6, sizes=(1, 2, 3, 10))), Settings()).pairs()
    assert pairs["plain_lift"].median() > 1.4
    assert pairs["sizes_lift"].median() == pytest.approx(1, abs=0.1)
    assert (pairs["verdict"] == "holds").mean() < 0.05


def test_one_thing_twice_and_one_instead_of_the_other_are_told_apart():
    # Some customers drink either juice, and seldom both; cups and lids are variants of one thing.
    orders, chosen = with_items(trips(17, 4000), 1, 0.02, "cups", "lids"), np.random.default_rng(18)
    for at, order in enumerate(orders):
        if order.customer < "c0030":
            juice = [[A], [B], [A, B]][chosen.choice(3, p=[0.5, 0.4, 0.1])]
            orders[at] = order._replace(items=[*order.items, *juice])
    training = products(train(orders), {}, family=["cups", "lids"])
    pairs = by_name(training, AllPairs(training, Settings()).pairs())
    assert pairs.loc[("cups", "lids"), "verdict"] == "one thing"
    juices = pairs.loc[(A, B)]
    assert juices["verdict"] == "instead"
    assert juices["plain_lift"] > 1.5
    assert np.isnan(juices["lift"])


def test_pairs_lie_in_the_large_baskets():
    orders = [Order("c0", [f"i{at}" for at in range(size)], AS_OF - DAY) for size in (1, 2, 2, 10)]
    sizes = AllPairs(train(orders), Settings()).baskets()
    assert sizes["baskets"].to_dict() == {1: 1, 2: 2, 10: 1}
    assert sizes["pairs"].to_dict() == {1: 0, 2: 2, 10: 45}


def test_what_comes_after_is_counted_the_other_way_round_too():
    orders = with_items(with_items(trips(8, 1500, customers=60), 1, 0.05, A), 2, 0.05, B)
    orders = sorted(with_items(orders, 3, 0.05, A, B), key=lambda order: order.ts)
    training, days = train(orders), Settings().within_days * DAY
    found = mined(training)
    assert names(training, found) == [("together", A, B)]
    after = dataclasses.replace(found, kind=np.full(1, AFTER, np.uint8))
    begin = min(order.ts for order in orders)
    expected = sum(
        any(
            B in before.items
            and before.customer == order.customer
            and 0 < order.ts - before.ts <= days
            for before in orders
        )
        for order in orders
        if A in order.items and B not in order.items and order.ts - days >= begin
    )
    pairs = AllPairs(training, Settings())
    assert pairs.turned(after).tolist() == [expected]
    assert expected > 10
    assert pairs.turned(found).size == 0
