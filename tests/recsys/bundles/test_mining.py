"""What is found to sell together, and what only looks like it."""

import dataclasses
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from recsys.bundles.bundle_table import Bundles
from tests.recsys.bundles.shopping import (
    alone,
    item,
    mined,
    names,
    products,
    shuffled,
    together,
    train,
    trips,
    with_items,
)
from tests.recsys.models.worlds import AS_OF, DAY, Order

A, B, C, D = "apples", "brie", "cider", "dates"


def planted(seed=1, support=40, each=60, orders=None):
    """``A`` and ``B`` in ``each`` baskets, ``support`` of them the same."""
    orders = trips(seed) if orders is None else orders
    chosen = np.random.default_rng(seed + 99).permutation(len(orders))
    with_a = set(chosen[:each].tolist())
    with_b = set(chosen[each - support : 2 * each - support].tolist())
    return [
        order._replace(
            items=[*order.items, *([A] if at in with_a else []), *([B] if at in with_b else [])]
        )
        for at, order in enumerate(orders)
    ]


def test_a_pair_comes_with_its_evidence():
    training = train(planted())
    found = mined(training)
    assert names(training, found) == [("together", A, B)]
    assert found.support[0] == 40
    assert found.cases[0] == 3000
    assert found.with_item.tolist() == [60, 60]
    assert found.confidence == pytest.approx([40 / 60, 40 / 60])
    # By plain counts 1.2 baskets would hold both; large baskets hold more of everything.
    assert 1.2 < found.expected[0] < 3
    assert found.lift[0] == pytest.approx(40 / found.expected[0], rel=1e-3)
    assert found.lift_low[0] < found.lift[0] < found.lift_high[0]
    assert found.p_value[0] <= found.q_value[0] < 1e-12
    assert found.complement[0] > 1.2
    assert 35 <= found.customers[0] <= 40
    assert np.isnan(found.undiscounted_lift[0])
    assert found.monthly.sum() == found.by_channel.sum() == found.place_support.sum() == 40
    assert found.items_monthly.sum(axis=1).tolist() == [60, 60]
    assert found.items_by_channel.sum(axis=1).tolist() == [60, 60]
    assert found.month_cases.sum() == found.channel_cases.sum() == 3000
    assert found.stability[0] == 1.0
    months = found.month_ts.astype("datetime64[s]").astype(str)
    assert months[0] == "1970-01-01T00:00:00"
    assert months[1] == "1970-02-01T00:00:00"


def test_planted_pairs_are_found_and_little_else():
    orders, pairs = trips(3, 4000, items=150), []
    for at in range(25):
        pair = (f"p{at:02}a", f"p{at:02}b")
        pairs.append(pair)
        orders = with_items(orders, 10 + at, 0.008, *pair)
        for number, name in enumerate(pair):
            orders = alone(orders, 100 + 2 * at + number, name, 70)
    found = together(orders)
    assert len(found & set(pairs)) >= 24
    assert len(found - set(pairs)) <= 1


def test_nothing_is_found_where_nothing_goes_together():
    # Sizes and counts of a shop with strong pairs and big baskets; the rest is left to chance.
    orders = with_items(trips(5, 1500, items=25, sizes=(1, 2, 5, 12)), 6, 0.05, A, B, C)
    training = train(orders)
    assert (A, B) in together(training)
    reports = [len(mined(shuffled(training, seed), min_support=5)) for seed in range(20)]
    assert sum(number > 0 for number in reports) <= 1


def test_what_big_baskets_hold_is_no_bundle():
    chosen = np.random.default_rng(7)
    orders = trips(8, 4000, sizes=(1, 2), items=80)
    # Once in a while a big shopping trip, on which all of these are bought, each for itself.
    big = [f"big{n:02}" for n in range(40)]
    for at in range(0, len(orders), 10):
        bought = [name for name in big if chosen.random() < 0.4]
        orders[at] = orders[at]._replace(items=[*orders[at].items, *bought])
    training = train(orders)
    counts = np.bincount(training.baskets.items.indices, minlength=training.n_items)
    one, other = training.index.ix_of(big[:2])
    both = training.baskets.items[:, [one, other]].sum(axis=1) == 2
    assert both.sum() * 4000 / (counts[one] * counts[other]) > 5  # what a plain lift says
    assert not together(training)


def test_one_households_habit_is_no_evidence():
    orders = trips(11)
    habit = [at for at, order in enumerate(orders) if order.customer == "c0007"]
    weekly = [
        Order("c0007", [A, B, item(n % 9)], AS_OF - (n + 1) * 2 * DAY, location=1)
        for n in range(30)
    ]
    others = alone(alone(orders, 1, A, 40), 2, B, 40)
    assert habit
    assert (A, B) not in together([*others, *weekly])
    spread = [order._replace(customer=f"c{n:04}") for n, order in enumerate(weekly)]
    assert (A, B) in together([*others, *spread])


def test_promoted_in_one_week_is_no_evidence():
    orders = trips(13, 6000)
    begin = AS_OF - 40 * DAY
    chosen = np.random.default_rng(14)
    for at, order in enumerate(orders):
        if begin <= order.ts < begin + 7 * DAY:
            promoted = [name for name in (A, B, C) if chosen.random() < 0.3]
            orders[at] = order._replace(items=[*order.items, *promoted])
    assert not together(orders)


def test_sold_in_one_store_alone_is_no_evidence():
    orders = trips(15, 6000)
    chosen = np.random.default_rng(16)
    for at, order in enumerate(orders):
        place = int(chosen.integers(1, 20))
        local = [name for name in (A, B) if place == 7 and chosen.random() < 0.3]
        orders[at] = order._replace(items=[*order.items, *local], location=place)
    assert not together(orders)


def test_what_is_bought_instead_is_no_bundle():
    # Some customers drink cola, of the one brand or the other, and seldom both at once.
    orders, chosen = trips(17, 4000), np.random.default_rng(18)
    for at, order in enumerate(orders):
        if order.customer < "c0030":
            cola = [[A], [B], [A, B]][chosen.choice(3, p=[0.5, 0.4, 0.1])]
            orders[at] = order._replace(items=[*order.items, *cola])
    training = train(orders)
    one, other = training.index.ix_of([A, B])
    counts = np.bincount(training.baskets.items.indices, minlength=training.n_items)
    both = (training.baskets.items[:, [one, other]].sum(axis=1) == 2).sum()
    assert both * 4000 / (counts[one] * counts[other]) > 1.5
    assert (A, B) not in together(training)


def test_one_thing_twice_is_no_bundle():
    training = train(planted())
    assert together(products(training, {})) == {(A, B)}
    assert not together(products(training, {}, family=(A, B)))
    sizes = {A: "Cola, 1 l", B: "Cola, 2 l"}
    assert not together(products(training, sizes))
    assert not together(products(training, dict.fromkeys((A, B), "Cola")))


def test_only_together_when_discounted_is_no_bundle():
    orders = planted(support=60, each=200, orders=trips(21, 5000))
    training = train(orders)
    baskets = training.baskets
    one, other = training.index.ix_of([A, B])
    rows = np.repeat(np.arange(len(baskets.ts)), np.diff(baskets.items.indptr))
    both = np.flatnonzero(baskets.items[:, [one, other]].sum(axis=1) == 2)
    members = np.isin(baskets.items.indices, [one, other])
    lot = np.random.default_rng(22).random(len(rows))

    def lifts(discounted):
        told = dataclasses.replace(baskets, discounted=discounted)
        found = mined(dataclasses.replace(training, baskets=told))
        return [float(value) for value in found.undiscounted_lift]

    now_and_then = lifts(members & (lot < 0.3))
    assert now_and_then == [pytest.approx(float(mined(training).lift[0]), rel=0.5)]
    assert lifts(members & np.isin(rows, both)) == []


def test_three_that_are_bought_as_a_whole():
    orders = with_items(trips(23, 4000), 24, 0.01, A, B, C)
    for number, name in enumerate((A, B, C)):
        orders = alone(orders, 30 + number, name, 60)
    found = together(orders)
    assert (A, B, C) in found
    assert {(A, B), (A, C), (B, C)} <= found


def test_a_pair_and_something_popular_are_no_three():
    orders = with_items(trips(25, 4000), 26, 0.05, A, B)
    popular = alone(orders, 27, C, 1200)
    assert together(popular) == {(A, B)}


def test_four_that_are_two_pairs_are_no_four():
    orders = with_items(with_items(trips(29, 4000), 30, 0.15, A, B), 31, 0.15, C, D)
    assert together(orders) == {(A, B), (C, D)}
    whole = with_items(trips(29, 4000), 30, 0.01, A, B, C, D)
    for number, name in enumerate((A, B, C, D)):
        whole = alone(whole, 40 + number, name, 60)
    assert (A, B, C, D) in together(whole)
    assert max(map(len, together(whole, max_size=3))) == 3


def test_only_the_strongest_are_kept_and_come_first():
    orders = trips(33, 4000)
    for at, share in enumerate((0.03, 0.02, 0.01)):
        pair = (f"p{at}a", f"p{at}b")
        orders = with_items(orders, 34 + at, share, *pair)
        for number, name in enumerate(pair):
            orders = alone(orders, 50 + 2 * at + number, name, 60)
    training = train(orders)
    found = names(training, mined(training))
    assert found == [("together", f"p{at}a", f"p{at}b") for at in range(3)]
    assert names(training, mined(training, max_bundles=2)) == found[:2]


def test_places_and_customers_may_be_unknown():
    orders = [order._replace(customer=None, location=0) for order in planted()]
    found = mined(orders)
    assert found.support.tolist() == [40]
    assert found.customers.tolist() == [0]
    assert np.isnan(found.complement).all()
    assert found.place_indptr.tolist() == [0, 0]


@pytest.mark.parametrize(
    "orders", [[Order(None, [A])], [Order("c", [A, B])] * 3, trips(1, 40)], ids=["one", "few", "40"]
)
def test_nothing_is_found_in_next_to_nothing(orders):
    found = mined(orders)
    assert len(found) == 0
    kept = found.arrays()
    again = Bundles.from_arrays(kept)
    assert all((again.arrays()[name] == kept[name]).all() for name in kept)


def test_the_same_again():
    orders = with_items(planted(), 3, 0.01, C, D)
    first, second = (mined(orders).arrays() for _ in range(2))
    assert all(
        np.array_equal(first[name], second[name], equal_nan=first[name].dtype.kind == "f")
        for name in first
    )


@tries(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_neither_the_order_of_baskets_nor_names_matter(seed):
    random = Random(seed)
    orders = with_items(planted(), 3, 0.01, C, D)
    known = sorted({name for order in orders for name in order.items})
    called = dict(zip(known, random.sample(known, len(known)), strict=True))
    mixed = [
        order._replace(items=[called[name] for name in order.items])
        for order in random.sample(orders, len(orders))
    ]
    mixed.sort(key=lambda order: order.ts)
    renamed = {tuple(sorted(called[name] for name in pair)) for pair in together(orders)}
    assert together(mixed) == renamed
