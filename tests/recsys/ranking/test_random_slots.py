"""Drawn places: who may come there, how often, and that the said chances are the real ones."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.ranking.merchandising import ItemRule, Merchandising, RandomSlots
from recsys.ranking.random_slots import draw, draw_pool
from tests.recsys.ranking.grocer import PAIRS, SIZES, bought, names, rank, training

REGULAR = bought(*((item, days) for item in PAIRS[0] for days in (2, 9, 16)), ("bread", 3))


def drawn(seed, count=2, within=0.5, rules=(), **fields):
    slots = RandomSlots(count, within, seed)
    ranked = rank([REGULAR], merchandising=[Merchandising(rules, slots)], **fields)
    return ranked, ranked.merchandised[0].draws


def test_the_same_seed_draws_the_same_and_another_one_differs():
    one, other = drawn("a", within=0.1), drawn("a", within=0.1)
    assert names(one[0]) == names(other[0])
    assert one[1] == other[1]
    assert len({tuple(names(drawn(str(seed), within=0.1)[0])) for seed in range(20)}) > 5


def test_the_places_before_are_those_of_the_list_without():
    usual = names(rank([REGULAR], counts=6))
    for seed in range(20):
        ranked, draws = drawn(str(seed), counts=6)
        assert names(ranked)[:4] == usual[:4]
        assert [one.place for one in draws] == [4, 5]
        assert len(set(names(ranked))) == 6


def test_what_is_drawn_is_nearly_as_good_as_the_best_that_is_left():
    everything = rank([REGULAR], counts=400)
    chance = dict(zip(names(everything), everything.chance, strict=True))
    for within in (0.9, 0.5, 0.1):
        ranked, draws = drawn("x", count=1, within=within, counts=5)
        best = max(value for name, value in chance.items() if name not in names(ranked)[:4])
        near = [n for n, v in chance.items() if v >= within * best and n not in names(ranked)[:4]]
        assert names(ranked)[4] in near
        assert draws[0].propensity == pytest.approx(1 / len(near))


def test_propensities_are_how_often_products_come_to_places():
    times = 3000
    slots = [Merchandising((), RandomSlots(3, 0.2, f"r{n}")) for n in range(times)]
    ranked = rank([REGULAR] * times, counts=6, merchandising=slots)
    counted = [Counter() for _ in range(3)]
    said = {}
    for r, done in enumerate(ranked.merchandised):
        for one in done.draws:
            name = names(ranked, r)[one.place]
            counted[one.place - 3][name] += 1
            said[one.place - 3, name] = one.propensity
    for place, counts in enumerate(counted):
        pool = {name for (at, name) in said if at == place}
        assert len(pool) > 4
        for name in pool:
            expected = said[place, name]
            spread = 5 * np.sqrt(expected * (1 - expected) / times)
            assert abs(counts[name] / times - expected) < spread
    # Of a place the chances of all candidates add up to one.
    assert sum(said[0, name] for (at, name) in said if at == 0) == pytest.approx(1.0)


def test_pins_hold_their_places_and_are_never_drawn():
    pins = tuple(
        ItemRule(name, "pin", tuple(training().index.ix_of([name]).tolist()), position=place)
        for name, place in (("tea", 6), ("milk", 1))
    )
    for seed in range(10):
        ranked, draws = drawn(str(seed), count=2, rules=pins, counts=6, within=0.1)
        assert (names(ranked)[0], names(ranked)[5]) == ("milk", "tea")
        assert [one.place for one in draws] == [3, 4]
    ranked, draws = drawn("x", count=6, rules=pins, counts=6)
    assert len(draws) == 4


def test_a_list_may_be_drawn_as_a_whole_and_a_short_one_stays_full():
    ranked, draws = drawn("x", count=4, counts=4)
    assert [one.place for one in draws] == [0, 1, 2, 3]
    left = {"tea", "milk", "beer"}
    others = [[name for name in training().index.item_ids if name not in left]]
    ranked, draws = drawn("x", count=2, counts=5, exclude=others)
    assert set(names(ranked)) == left


def test_two_sizes_of_one_thing_are_not_drawn_together():
    for seed in range(30):
        ranked, _ = drawn(str(seed), count=4, within=0.01, counts=6, diversity=1.0)
        assert len(set(names(ranked)) & set(SIZES)) <= 1


def test_new_products_keep_their_share():
    known = {*PAIRS[0], "bread"}
    for seed in range(10):
        ranked, _ = drawn(str(seed), count=2, counts=4, within=0.001, new_share=0.5)
        assert sum(name not in known for name in names(ranked)) >= 2


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.floats(-20, 0), max_size=30),
    st.integers(1, 6),
    st.floats(0.05, 1.0),
)
def test_a_pool_is_what_is_near_the_best_and_has_room_for_the_places(values, slots, within):
    pool = draw_pool(np.array(values), slots, within)
    best = max(values, default=0.0)
    near = {at for at, value in enumerate(values) if np.exp(value - best) >= within * (1 + 1e-12)}
    assert near <= set(pool.tolist())
    assert len(pool) >= min(slots, len(values))
    worst = min((values[at] for at in pool.tolist()), default=0.0)
    assert all(values[at] <= worst for at in set(range(len(values))) - set(pool.tolist()))


def test_every_order_of_a_small_pool_is_as_likely_as_any_other():
    times = 6000
    found = Counter(tuple(draw(np.arange(3), f"{n}", 3)[0].tolist()) for n in range(times))
    assert len(found) == 6
    assert max(abs(count / times - 1 / 6) for count in found.values()) < 0.025
