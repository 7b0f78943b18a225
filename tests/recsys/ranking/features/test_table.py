"""Features are those of the moment that is asked about, alone or among others."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.datasets.compilation import compiled_signatures
from recsys.datasets.customer_history import EMPTY, LINES, NO_CHANNEL, Histories, add_lines
from recsys.datasets.item_index import item_keys
from recsys.datasets.ragged import Lists
from recsys.models.base import Context
from recsys.ranking.features.item_statistics import ItemStatistics
from recsys.ranking.features.table import compute_features, evidence_column, feature_names
from tests.recsys.models.worlds import AS_OF, DAY, Order, train

ITEMS = ["bread", "milk", "tea", "soap", "wine"]
COLUMNS = ("popular", "repeat", "copurchase", "content")


@pytest.fixture(scope="module")
def world():
    orders = []
    for n in range(30):
        for days in (60, 33, 12):
            held = ["bread", "milk", *(["tea"] if n % 2 else ["soap"])]
            orders.append(Order(f"c{n}", held, AS_OF - days * DAY - n, channel=n % 2))
    category = {"bread": 0, "milk": 0, "tea": 1, "soap": 2, "wine": 1}
    return train(orders, more=["wine"], category=category)


@pytest.fixture(scope="module")
def statistics(world):
    return ItemStatistics.fit(world)


def bought(*purchases):
    """A row of (item, days ago, channel, location, amount)."""
    rows = [
        (
            item_keys([item])[0],
            AS_OF - round(days * DAY),
            1.0,
            1 + round(days),
            channel,
            location,
            amount,
        )
        for item, days, channel, location, amount in purchases
    ]
    return add_lines(EMPTY, np.array(rows, LINES)) if rows else EMPTY


def features_of(
    world, statistics, rows, *, as_of=AS_OF, channel=NO_CHANNEL, location=0, part=slice(None)
):
    """By name, of every product for each row; ``part`` of all customers that are known."""
    histories = Histories.from_rows(rows, world.index, as_of)[part]
    n, m = histories.n, len(world.index)
    found = Lists.of_rows([np.arange(m, dtype=np.int32)] * n)
    rng = np.random.default_rng(0)
    scores = np.tile(rng.random((m, len(COLUMNS))).astype(np.float32), (n, 1))
    total = np.tile(rng.random(m), n)
    baskets = (
        np.arange(m + 1, dtype=np.int64),
        np.roll(np.arange(m), -1).astype(np.int32),
        np.ones(m, np.float32),
    )
    context = Context.of(n, as_of, channel=channel, location=location)
    return compute_features(found, scores, total, histories, context, statistics, baskets)


def one(world, statistics, row, item, **asked):
    found = features_of(world, statistics, [row], **asked)
    values = found[world.index.item_ids.index(item)]
    return dict(zip(feature_names(COLUMNS), values.tolist(), strict=True))


purchase = st.tuples(
    st.sampled_from(ITEMS),
    st.floats(0.1, 200),
    st.integers(0, 1),
    st.sampled_from([0, 7, 8]),
    st.integers(0, 900),
)
people = st.lists(st.lists(purchase, max_size=8).map(lambda some: bought(*some)), max_size=5)


@settings(deadline=None)
@given(rows=people)
def test_one_customer_has_the_features_that_they_have_among_others(world, statistics, rows):
    together = features_of(world, statistics, rows)
    alone = [features_of(world, statistics, [row]) for row in rows]
    expected = np.concatenate(alone) if alone else together
    np.testing.assert_array_equal(together, expected)
    assert np.isfinite(together).all()


@settings(deadline=None)
@given(before=st.lists(purchase, max_size=6), after=st.lists(purchase, max_size=6))
def test_what_is_bought_later_changes_nothing(world, statistics, before, after):
    known = bought(*before)
    future = [(item, -days, *rest) for item, days, *rest in after]
    for shuffled in (future, future[::-1]):
        later = bought(*before, *shuffled)
        np.testing.assert_array_equal(
            features_of(world, statistics, [known]), features_of(world, statistics, [later])
        )


def test_what_was_done_with_the_product(world, statistics):
    row = bought(("milk", 30, 0, 7, 100), ("tea", 20, 0, 7, 100), ("milk", 10, 1, 8, 100))
    milk = one(world, statistics, row, "milk", channel=1, location=7)
    assert milk["own_orders"] == pytest.approx(np.log1p(2))
    assert milk["own_recency"] == pytest.approx(np.log1p(10))
    assert milk["own_first"] == pytest.approx(np.log1p(30))
    assert milk["own_gap"] == pytest.approx(np.log1p(20))
    assert milk["own_overdue"] == pytest.approx(np.log1p(10) - np.log1p(20))
    assert milk["own_orders_since"] == 0
    assert milk["own_share"] == pytest.approx(2 / 3)
    assert milk["own_freq_10"] == pytest.approx(2**-1 + 2**-3)
    assert milk["own_per_order_70"] == pytest.approx(1 + 0.7**2)
    assert milk["own_here"] == 0.5
    assert milk["own_on_channel"] == 0.5
    assert milk["customer_on_channel"] == pytest.approx(1 / 3)
    tea = one(world, statistics, row, "tea")
    assert tea["own_orders_since"] == 1
    assert tea["own_gap"] == -1
    wine = one(world, statistics, row, "wine")
    assert wine["own_orders"] == 0
    assert wine["own_recency"] == -1
    assert wine["category_recency"] == pytest.approx(np.log1p(20))  # tea is of its category
    assert one(world, statistics, row, "soap")["category_recency"] == -1


def test_what_is_known_of_the_product(world, statistics):
    row = bought(("milk", 30, 0, 7, 100))
    of = {item: one(world, statistics, row, item) for item in ITEMS}
    assert of["milk"]["item_log_share_28"] > of["tea"]["item_log_share_28"]
    assert of["tea"]["item_log_share_28"] > of["wine"]["item_log_share_28"]
    assert of["milk"]["item_repeat_share"] > of["wine"]["item_repeat_share"]
    assert of["milk"]["item_log_interval"] == pytest.approx(np.log1p(24), abs=0.1)
    assert of["wine"]["item_log_interval"] == -1
    # Customers with odd numbers buy tea, on channel 1, the others soap on channel 0.
    on = {item: one(world, statistics, row, item, channel=1)["on_channel"] for item in ITEMS}
    assert on["tea"] > on["milk"] > on["soap"]


def test_every_feature_has_a_name_and_a_column_to_speak_for():
    assert len(set(feature_names(COLUMNS))) == len(feature_names(COLUMNS))
    group = evidence_column(COLUMNS)
    assert len(group) == len(feature_names(COLUMNS))
    assert group.max() == len(COLUMNS)
    by_name = dict(zip(feature_names(COLUMNS), group.tolist(), strict=True))
    assert COLUMNS[by_name["own_recency"]] == "repeat"
    assert COLUMNS[by_name["category_recency"]] == "content"
    assert COLUMNS[by_name["score_copurchase"]] == "copurchase"
    assert by_name["customer_tenure_days"] == len(COLUMNS)


def test_nobody_is_the_first_of_a_kind(world, statistics):
    """Whoever was waited half a minute for the compiler, and everybody else with them."""
    back = np.array([(item_keys(["bread"])[0], AS_OF - DAY, -1.0, 10, 0, 0, -150)], LINES)
    came_back = add_lines(bought(("bread", 9.0, 0, 0, 150)), back)
    everybody = [EMPTY, bought(("milk", 3.0, 0, 0, 150)), came_back]
    alone = [features_of(world, statistics, [one]) for one in everybody]
    together = features_of(world, statistics, everybody)
    np.testing.assert_array_equal(together, np.concatenate(alone))
    for r, one in enumerate(alone):
        part = slice(r, r + 1)
        np.testing.assert_array_equal(features_of(world, statistics, everybody, part=part), one)
    assert compiled_signatures()["recsys.ranking.features.kernels.fill_features"] == 1
