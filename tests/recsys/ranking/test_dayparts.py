"""Factors by the time of day: against a brute-force count, and a planted morning product."""

from collections import Counter
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from recsys.datasets import Baskets
from recsys.ranking.dayparts import BEGINS, Dayparts, part_of
from recsys.schema import CHANNELS

POS, WEB = CHANNELS.index("pos"), CHANNELS.index("web")
ZONES = {1: "America/New_York", 2: "Asia/Tokyo"}
HOME = "Europe/Paris"
N_ITEMS = 4


def baskets(orders: list[tuple[int, int, int, set[int]]]) -> Baskets:
    """Orders of (time, channel, location, products)."""
    orders = sorted(orders, key=lambda order: order[0])
    rows = [row for row, (*_, items) in enumerate(orders) for _ in items]
    columns = [item for *_, items in orders for item in sorted(items)]
    matrix = sparse.csr_array(
        (np.ones(len(rows), np.float32), (rows, columns)), shape=(len(orders), N_ITEMS)
    )
    return Baskets(
        matrix,
        np.array([order[0] for order in orders], np.int64),
        np.full(len(orders), -1, np.int32),
        np.array([order[1] for order in orders], np.uint8),
        np.array([order[2] for order in orders], np.int64),
        [],
    )


def by_hand(orders: list[tuple[int, int, int, set[int]]], prior: float) -> np.ndarray:
    """The same, order by order."""
    sold: Counter[tuple[int, int]] = Counter()
    for ts, channel, location, items in orders:
        if channel == POS and location:
            middle = ts // 3600 * 3600 + 1800
            hour = datetime.fromtimestamp(middle, ZoneInfo(ZONES.get(location, HOME))).hour
            part = 3 if hour < 4 else 0 if hour < 11 else 1 if hour < 14 else 2 if hour < 17 else 3
            sold.update((item, part) for item in items)
    total = sum(sold.values())
    lift = np.ones((N_ITEMS, len(BEGINS)))
    for item in range(N_ITEMS):
        mine = sum(sold[item, part] for part in range(len(BEGINS)))
        for part in range(len(BEGINS)):
            share = sum(sold[each, part] for each in range(N_ITEMS)) / total if total else 0.0
            if share:
                lift[item, part] = (sold[item, part] + prior * share) / (mine + prior) / share
    return lift


ORDERS = st.lists(
    st.tuples(
        st.integers(1_700_000_000, 1_730_000_000),
        st.sampled_from([POS, WEB]),
        st.sampled_from([0, 1, 2, 3]),
        st.sets(st.integers(0, N_ITEMS - 1), min_size=1),
    ),
    min_size=1,
    max_size=40,
)


@given(orders=ORDERS, prior=st.sampled_from([1.0, 10.0, 100.0]))
@settings(max_examples=100, deadline=None)
def test_factors_are_those_counted_by_hand(
    orders: list[tuple[int, int, int, set[int]]], prior: float
) -> None:
    found = Dayparts.fit(baskets(orders), ZONES, HOME, prior).lift
    np.testing.assert_allclose(found, by_hand(orders, prior), rtol=1e-5)


def test_what_is_bought_in_the_morning_leads_then() -> None:
    def at(day: int, hour: int) -> int:
        return int(datetime(2026, 1, day, hour, 30, tzinfo=ZoneInfo(HOME)).timestamp())

    orders = [(at(day, 8), POS, 3, {0, 2}) for day in range(1, 29)] * 20
    orders += [(at(day, 19), POS, 3, {1, 2}) for day in range(1, 29)] * 20
    fitted = Dayparts.fit(baskets(orders), ZONES, HOME)
    items = np.arange(N_ITEMS, dtype=np.int32)
    morning = fitted.at(items, at(28, 9), HOME)
    assert morning[0] > 1.5 > 1.0 > 0.5 > morning[1]
    assert morning[2] == pytest.approx(1.0)
    assert morning[3] == pytest.approx(1.0)  # never sold
    tokyo = int(datetime(2026, 1, 28, 0, 30, tzinfo=UTC).timestamp())  # 9:30 there
    np.testing.assert_array_equal(fitted.at(items, tokyo, "Asia/Tokyo"), morning)


def test_artefacts_of_before_know_nothing() -> None:
    none = Dayparts.from_arrays({})
    np.testing.assert_array_equal(none.at(np.array([0, 5], np.int32), 0, HOME), [1.0, 1.0])
    some = Dayparts(np.full((2, len(BEGINS)), 2.0, np.float32))
    np.testing.assert_array_equal(Dayparts.from_arrays(some.arrays()).lift, some.lift)


def test_every_hour_belongs_to_one_part() -> None:
    assert [part_of(hour) for hour in (0, 3, 4, 10, 11, 13, 14, 16, 17, 23)] == [
        3, 3, 0, 0, 1, 1, 2, 2, 3, 3,
    ]  # fmt: skip
