import dataclasses
import functools
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.config.model_settings import RepeatSettings as Settings
from recsys.datasets.baskets import Baskets
from recsys.datasets.customer_history import EMPTY, Histories
from recsys.datasets.ragged import Lists
from recsys.models.base import Batch, Context
from recsys.models.repeat import KNOTS, Repeat, _curve
from tests.recsys.models.contract import ModelContract
from tests.recsys.models.worlds import AS_OF, DAY, Order, batch, history, train


class TestRepeat(ModelContract):
    finds_new = False

    @classmethod
    def make(cls):
        return Repeat()


def shown(model, training, *purchases, as_of_ts=AS_OF):
    people = Histories.from_rows([history(*purchases)], training.index, as_of_ts)
    found = model.recommend(people, 10, Context.of(1, as_of_ts))
    return {
        training.index.item_ids[ix]: score
        for ix, score in zip(found.item_ix, found.scores.tolist(), strict=True)
    }


def timed(model, training, *purchases, as_of_ts=AS_OF):
    """What ``timing`` says of one customer, by product."""
    people = Histories.from_rows([history(*purchases)], training.index, as_of_ts)
    timing = model.timing(people, Context.of(1, as_of_ts))
    assert timing.indptr.tolist() == [0, len(timing.item_ix)]
    return {
        training.index.item_ids[ix]: {
            name: getattr(timing, name)[at].item() for name in timing._fields[2:]
        }
        for at, ix in enumerate(timing.item_ix)
    }


def weekly(item, *, since=70, until=7, every=7):
    return [(item, AS_OF - days * DAY) for days in range(since, until - 1, -every)]


@pytest.fixture(scope="module")
def shop():
    return made()


@functools.cache
def made():
    """Everyone buys milk every week, on a day of their own, and many one fridge or one stove."""
    orders = [
        Order(f"c{n:03}", ["milk"], AS_OF - (week * 7 + n % 7 + 1) * DAY)
        for n in range(140)
        for week in range(13)
    ]
    orders += [
        Order(f"c{n:03}", ["stove" if n % 20 == 0 else "fridge"], AS_OF - (20 + n % 70) * DAY)
        for n in range(140)
    ]
    orders += [Order(f"d{n:03}", ["fridge"], AS_OF - (10 + n % 90) * DAY) for n in range(400)]
    orders.append(Order("c001", ["cream"], AS_OF - 80 * DAY))
    category = {"milk": 0, "cream": 0, "fridge": 1, "stove": 1}
    orders.sort(key=lambda order: order.ts)
    return train(orders, category=category, more=["new milk"])


@pytest.fixture(scope="module")
def model(shop):
    return Repeat(Settings(horizon_days=3.0, due=1.0)).fit(shop)


def test_what_is_bought_once_in_a_lifetime_is_not_repeated(shop):
    model = Repeat().fit(shop)
    once = [("fridge", AS_OF - 30 * DAY), ("stove", AS_OF - 30 * DAY)]
    assert list(shown(model, shop, *weekly("milk"), *once)) == ["milk"]
    assert list(timed(model, shop, *weekly("milk"), *once)) == ["milk"]


def test_without_the_rule_it_still_scores_next_to_nothing(shop):
    model = Repeat(Settings(once_below=0.0)).fit(shop)
    scores = shown(model, shop, ("milk", AS_OF - 7 * DAY), ("fridge", AS_OF - 7 * DAY))
    assert list(scores) == ["milk", "fridge"]
    assert scores["milk"] > 5 * scores["fridge"]


def test_a_rare_product_takes_the_habits_of_its_category(model, shop):
    rate = dict(zip(shop.index.item_ids, model.rate_.tolist(), strict=True))
    assert rate["cream"] > 0.5 * rate["milk"]
    assert rate["stove"] == rate["fridge"] == 0
    assert rate["new milk"] > 0  # in no category, bought by nobody: like everything
    days = dict(zip(shop.index.item_ids, np.exp(model.log_interval_).tolist(), strict=True))
    assert days["milk"] == pytest.approx(7, rel=0.02)
    assert days["cream"] == pytest.approx(7, rel=0.1)


def test_a_weekly_buyer_is_due_on_the_seventh_day_and_not_on_the_second(model, shop):
    on_the_second = timed(model, shop, *weekly("milk", until=7), as_of_ts=AS_OF - 5 * DAY)["milk"]
    on_the_seventh = timed(model, shop, *weekly("milk", until=7), as_of_ts=AS_OF)["milk"]
    assert (on_the_second["due"], on_the_second["overdue"]) == (False, False)
    assert (on_the_seventh["due"], on_the_seventh["overdue"]) == (True, False)
    assert on_the_second["interval_days"] == pytest.approx(7, rel=0.05)
    assert on_the_second["due_ts"] == pytest.approx(AS_OF, abs=DAY / 2)
    assert on_the_second["next_ts"] == pytest.approx(AS_OF, abs=DAY / 2)
    assert on_the_second["regular"]
    scores = [
        shown(model, shop, *weekly("milk"), as_of_ts=AS_OF - days * DAY)["milk"] for days in (5, 0)
    ]
    assert scores[1] > 2 * scores[0]  # within three days of the seventh, but not of the second


def test_overdue_long_ago_fades(shop):
    model = Repeat().fit(shop)
    bought = weekly("milk", since=98, until=90)
    scores, found = [], []
    for days in (70, 40, 0):
        scores.append(shown(model, shop, *bought, as_of_ts=AS_OF - days * DAY)["milk"])
        found.append(timed(model, shop, *bought, as_of_ts=AS_OF - days * DAY)["milk"])
    assert scores[0] > scores[1] > scores[2]
    assert scores[0] > 2 * scores[2]
    assert [each["overdue"] for each in found] == [True, True, True]
    for days, each in zip((70, 40, 0), found, strict=True):
        assert each["next_ts"] > AS_OF - days * DAY  # never in the past
    waits = [each["next_ts"] + days * DAY for days, each in zip((70, 40, 0), found, strict=True)]
    assert waits == sorted(waits)  # the longer overdue, the longer it may still take


def test_one_purchase_is_judged_by_the_product(model, shop):
    found = timed(model, shop, ("milk", AS_OF - 3 * DAY))["milk"]
    assert (found["times"], found["intervals"], found["own_interval_days"]) == (1, 0, 0.0)
    assert found["interval_days"] == pytest.approx(7, rel=0.02)
    assert not found["due"]
    assert not found["regular"]


def test_own_intervals_move_the_typical_one(model, shop):
    every_three = timed(model, shop, *weekly("milk", since=84, every=21))["milk"]
    assert every_three["intervals"] == 3
    assert every_three["own_interval_days"] == pytest.approx(21)
    assert 7 < every_three["interval_days"] < 21


def test_who_buys_more_often_is_expected_to_buy_more(shop):
    model = Repeat().fit(shop)
    often = shown(model, shop, *weekly("milk"))["milk"]
    seldom = shown(model, shop, *weekly("milk", since=70, until=7, every=21))["milk"]
    assert often > 1.5 * seldom
    assert often == pytest.approx(4, rel=0.3)  # a purchase a week in 28 days


def test_several_baskets_of_one_day_are_one_purchase(model, shop):
    once = [("milk", AS_OF - 14 * DAY), ("milk", AS_OF - 7 * DAY)]
    thrice = [once[0], once[1], once[1], ("milk", AS_OF - 7 * DAY + 3_600)]
    assert timed(model, shop, *once) == timed(model, shop, *thrice)
    assert shown(model, shop, *once) == shown(model, shop, *thrice)


def test_purchases_that_only_a_summary_knows_count(model, shop):
    lines = history(*weekly("milk", since=560, until=1, every=1))  # longer than a row's lines
    assert len(lines.older) == 1
    people = batch(shop, lines)
    timing = model.timing(people, Context.of(1, AS_OF))
    assert timing.times.tolist() == [560]
    assert timing.own_interval_days.tolist() == pytest.approx([1.0], rel=1e-3)


def test_timing_of_many_is_that_of_each(model, shop):
    rows = [history(*weekly("milk")), EMPTY, history(("cream",), ("milk",)), EMPTY]
    people = batch(shop, *rows)
    together = model.timing(people, Context.of(4, AS_OF))
    assert together.indptr.tolist() == [0, 1, 1, 3, 3]
    for r in (0, 2):
        alone = model.timing(people[r : r + 1], Context.of(1, AS_OF))
        part = slice(*together.indptr[r : r + 2])
        for one, other in zip(alone[1:], together[1:], strict=True):
            np.testing.assert_array_equal(one, other[part])
    nobody = model.timing(people[:0], Context.of(0, AS_OF))
    assert [len(column) for column in nobody] == [1, *[0] * 12]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["milk", "cream"]), st.integers(1, 400)), max_size=12),
        min_size=1,
        max_size=3,
    )
)
def test_overdue_is_what_timing_says_is_overdue(bought):
    shop = made()
    model = Repeat().fit(shop)
    rows = [
        history(*((name, AS_OF - days * DAY) for name, days in sorted(row, key=lambda it: -it[1])))
        for row in bought
    ]
    asked = Batch(batch(shop, *rows), Context.of(len(rows), AS_OF))
    every = np.arange(len(shop.index), dtype=np.int32)
    timing = model.timing(asked.histories, asked.context)
    told = model.overdue(asked, Lists.of_rows([every] * len(rows))).reshape(len(rows), -1)
    expected = np.zeros_like(told)
    expected[np.repeat(np.arange(len(rows)), np.diff(timing.indptr)), timing.item_ix] = (
        timing.overdue
    )
    np.testing.assert_array_equal(told, expected)


def test_what_is_expected_is_the_score(model, shop):
    bought = [*weekly("milk"), ("cream", AS_OF - 9 * DAY)]
    scores, found = shown(model, shop, *bought), timed(model, shop, *bought)
    assert {item: each["expected"] for item, each in found.items()} == scores


def test_a_product_in_fashion_is_expected_more(shop):
    # Where cream has sold ever more lately, it counts more; the customer's history is the same.
    new = [Order(f"n{n}", ["cream"], AS_OF - DAY) for n in range(50)]
    old = [Order(f"n{n}", ["cream"], AS_OF - 80 * DAY) for n in range(50)]
    scores = []
    for more in (new, old):
        orders = [Order(f"c{n}", ["milk"], AS_OF - n * DAY) for n in range(90)] + more
        world = train(sorted(orders, key=lambda order: order.ts))
        model = Repeat(Settings(due=0.0, now=1.0)).fit(world)
        scores.append(model.now_[world.index.ix_of(["cream"])[0]])
    assert scores[0] > 1.3 > 1 > scores[1]


def test_the_future_changes_nothing(shop):
    """What is learned at a moment is the same whatever was bought after it."""
    cut = AS_OF - 30 * DAY
    baskets = shop.baskets
    before = np.flatnonzero(baskets.ts < cut)
    rng = np.random.default_rng(0)
    found = []
    for _ in range(2):
        after = rng.permutation(np.flatnonzero(baskets.ts >= cut))
        known = np.concatenate([before, after])[: len(before)]
        past = Baskets(
            baskets.items[known],
            baskets.ts[known],
            baskets.customer[known],
            baskets.channel[known],
            baskets.location[known],
            baskets.customer_ids,
        )
        training = dataclasses.replace(shop, baskets=past, as_of_ts=cut)
        found.append(Repeat().fit(training).arrays())
    for name, array in found[0].items():
        np.testing.assert_array_equal(array, found[1][name])
    # Nor does a question see what comes after it.
    model = Repeat().fit(shop)
    later = [("milk", AS_OF + DAY), ("cream", AS_OF)]
    assert shown(model, shop, *weekly("milk"), *later) == shown(model, shop, *weekly("milk"))


def test_a_history_without_any_repeat_is_no_error():
    orders = [Order(f"c{n}", [f"p{n % 5}"], AS_OF - n * DAY) for n in range(20, 0, -1)]
    training = train(orders)
    model = Repeat().fit(training)
    for array in model.arrays().values():
        assert np.isfinite(array).all()
    assert list(shown(model, training, ("p1", AS_OF - 5 * DAY))) == ["p1"]
    assert timed(model, training, ("p1", AS_OF - 5 * DAY))["p1"]["interval_days"] == pytest.approx(
        30, rel=0.01
    )


def test_nobody_named_is_no_error():
    training = train([Order(None, ["tea"])])
    model = Repeat().fit(training)
    assert list(shown(model, training, ("tea",))) == ["tea"]


@functools.cache
def learned():
    return made(), Repeat(Settings(half_life_days=60.0)).fit(made())


def plain_days(model, ix, ts):
    """Days ago of purchases, trips apart, and the middle of intervals; by a plain loop."""
    ages = sorted(((AS_OF - at) / DAY for at in ts), reverse=True)
    trips, before = [], None
    for age in ages:
        if before is None or before - age >= 0.5:
            trips.append(age)
        before = age
    logs = [np.log(a - b) for a, b in itertools.pairwise(trips)]
    middle = (sum(logs) + 2 * model.log_interval_[ix]) / (len(logs) + 2)
    return trips, middle


@given(st.lists(st.floats(0.6, 300.0), min_size=1, max_size=12))
@settings(max_examples=40, deadline=None)
def test_the_score_is_what_a_plain_loop_works_out(ages):
    training, model = learned()
    ix = training.index.ix_of(["milk"])[0]
    ts = [AS_OF - round(age * DAY) for age in ages]
    trips, middle = plain_days(model, ix, ts)
    asked = model.settings
    repeats = sum(2 ** (-age / asked.half_life_days) for age in trips[1:])
    # Days since the first purchase, each counting less the longer ago it is: a sum of short steps.
    steps = np.linspace(0, trips[0], 20_001)
    watched = np.trapezoid(2 ** (-steps / asked.half_life_days), steps)
    rate = float(model.rate_[ix])
    pace = (repeats + asked.doubt) / (watched + asked.doubt / rate)
    at = np.log(trips[-1]) - middle
    due = np.interp(at, KNOTS, model.due_)
    expected = asked.horizon_days * pace * due * model.now_[ix]
    found = shown(model, training, *(("milk", at_ts) for at_ts in sorted(ts)))
    assert found["milk"] == pytest.approx(expected, rel=1e-4)


@given(
    st.lists(
        st.tuples(st.floats(-5, 5), st.floats(0.01, 3), st.integers(0, 4)), min_size=1, max_size=60
    ),
    st.floats(0, 1),
)
@settings(max_examples=60, deadline=None)
def test_the_curve_is_bought_over_expected_by_a_plain_loop(pairs, power):
    x, expected, bought = (np.array(column, np.float64) for column in zip(*pairs, strict=True))
    hits, wanted = dict.fromkeys(KNOTS, 0.0), dict.fromkeys(KNOTS, 0.0)
    for at, might, did in pairs:
        nearest = min(KNOTS, key=lambda knot: (abs(knot - at), knot))
        hits[nearest] += did
        wanted[nearest] += might
    level = (sum(hits.values()) + 20) / (sum(wanted.values()) + 20)
    found = _curve(x, expected, bought, power)
    for knot, is_found in zip(KNOTS, found, strict=True):
        guess = 1 / (1 + np.exp(knot) / 6)
        relative = (hits[knot] / level + 20 * guess) / (wanted[knot] + 20)
        assert is_found == pytest.approx(level * relative**power, rel=1e-4)
