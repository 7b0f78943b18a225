"""Numbers of each product, counted by a plain loop."""

import math
from itertools import pairwise

import numpy as np
import pytest

from recsys.ranking.features.item_statistics import (
    COLUMNS,
    HALF_LIVES,
    SEASON_DAYS,
    SHRINKAGE,
    UNKNOWN,
    YEAR_DAYS,
    ItemStatistics,
    _season,
)
from tests.recsys.models.worlds import AS_OF, DAY, Order, train

START = AS_OF - 90 * DAY


@pytest.fixture(scope="module")
def orders():
    rng = np.random.default_rng(11)
    moments = np.sort(rng.integers(START, AS_OF, 220))
    return [
        Order(
            f"c{rng.integers(20)}" if rng.random() < 0.85 else None,
            sorted({f"p{ix}" for ix in rng.integers(0, 9, rng.integers(1, 5))}),
            int(ts),
            channel=int(rng.integers(0, 3)),
        )
        for ts in moments
    ]


@pytest.fixture(scope="module")
def training(orders):
    return train(orders, more=["never"])


def of(training, name):
    columns = ItemStatistics.fit(training).columns
    return dict(zip(training.index.item_ids, columns[:, COLUMNS.index(name)].tolist(), strict=True))


@pytest.mark.parametrize("days", HALF_LIVES)
def test_shares_of_recent_purchases(orders, training, days):
    sold = dict.fromkeys(training.index.item_ids, 0.0)
    for order in orders:
        for item in order.items:
            sold[item] += 0.5 ** ((AS_OF - order.ts) / DAY / days)
    whole = sum(sold.values())
    found = of(training, f"log_share_{days:.0f}")
    for item, each in sold.items():
        assert found[item] == pytest.approx(math.log((each + 0.05) / whole), abs=1e-5)


def test_who_buys_it_again_and_how_soon(orders, training):
    times: dict[tuple[str, str], list[int]] = {}
    for order in orders:
        for item in order.items:
            if order.customer:
                times.setdefault((item, order.customer), []).append(order.ts)
    customers = {order.customer for order in orders} - {None}
    names = ("log_buyers", "repeat_share", "fresh_buyers", "log_interval")
    found = {name: of(training, name) for name in names}
    for item in training.index.item_ids:
        mine = [moments for (bought, _), moments in times.items() if bought == item]
        n = sum(map(len, mine))
        gaps = [
            math.log1p((later - before) / DAY)
            for moments in mine
            for before, later in pairwise(moments)
        ]
        newly = sum(moments[0] >= AS_OF - 28 * DAY for moments in mine)
        rest = len(customers) - (len(mine) - newly)
        assert found["log_buyers"][item] == pytest.approx(math.log1p(len(mine)))
        assert found["repeat_share"][item] == pytest.approx((n - len(mine) + 1) / (n + 5))
        fresh = math.log((newly + 0.05) / max(rest, 1))
        assert found["fresh_buyers"][item] == pytest.approx(fresh, abs=1e-5)
        interval = sum(gaps) / len(gaps) if gaps else UNKNOWN
        assert found["log_interval"][item] == pytest.approx(interval, abs=1e-5)


def test_age_and_the_size_of_orders(orders, training):
    age, size = of(training, "log_age_days"), of(training, "basket_size")
    for item in training.index.item_ids:
        mine = [order for order in orders if item in order.items]
        days = (AS_OF - mine[0].ts) / DAY if mine else 0.0
        assert age[item] == pytest.approx(math.log1p(days), abs=1e-5)
        sizes = [math.log1p(len(order.items)) for order in mine]
        assert size[item] == pytest.approx(np.mean(sizes) if sizes else 0.0, abs=1e-5)


@pytest.mark.parametrize("what", ["on_channel", "on_weekday"])
def test_where_and_when_it_sells_more_than_others(orders, training, what):
    def group(order):
        return order.channel if what == "on_channel" else order.ts // DAY % 7

    lifts = getattr(ItemStatistics.fit(training), what)
    lines = [(item, group(order)) for order in orders for item in order.items]
    for ix, item in enumerate(training.index.item_ids):
        total = sum(bought == item for bought, _ in lines)
        for number in range(lifts.shape[1]):
            usual = sum(at == number for _, at in lines) / len(lines)
            here = sum(line == (item, number) for line in lines)
            share = (here + SHRINKAGE * usual) / (total + SHRINKAGE)
            expected = math.log(max(share / usual, 1e-3)) if usual else 0.0
            assert lifts[ix, number] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("shut", [False, True])
def test_the_season_a_year_ago_by_a_plain_loop(shut):
    rng = np.random.default_rng(5)
    ts = np.sort(rng.integers(AS_OF - 500 * DAY, AS_OF, 400))
    begin, end = AS_OF - YEAR_DAYS * DAY, AS_OF - (YEAR_DAYS - SEASON_DAYS) * DAY
    if shut:  # nothing was sold in that season, of anything
        ts = ts[(ts < begin) | (ts >= end)]
    items = rng.integers(0, 4, len(ts))
    found = _season(items, ts, AS_OF, 5)
    last_year = [(item, at) for item, at in zip(items, ts, strict=True) if at >= begin]
    season = [(item, at) for item, at in last_year if at < end]
    share = len(season) / len(last_year)
    for item in range(5):
        own = sum(each == item for each, _ in season) + SHRINKAGE * share
        usual = (sum(each == item for each, _ in last_year) + SHRINKAGE) * share
        expected = 0.0 if shut else math.log(own / usual)
        assert found[item] == pytest.approx(expected)
