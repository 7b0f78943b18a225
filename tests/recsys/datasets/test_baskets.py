from datetime import UTC, datetime

import numpy as np
import pytest

from recsys.config.model_settings import InteractionWeights
from recsys.datasets import history_rows
from recsys.datasets.baskets import TrainingSet
from recsys.datasets.batches import Batch, Context
from recsys.datasets.customer_history import Histories
from recsys.datasets.item_index import location_key
from recsys.errors import DataError
from recsys.schema import CHANNELS
from recsys.units import DAY

LATER = 10 * DAY


def sale(order, item, customer="c1", ts=0, **more):
    return {"order_id": order, "item_id": item, "customer_id": customer, "ts": ts, **more}


def back(order, item, customer="c1", ts=1, quantity=-1.0, **more):
    return sale(f"{order}-back", item, customer, ts, quantity=quantity, **more)


def cells(training, matrix):
    return {
        (int(row), training.index.item_ids[column]): float(value)
        for row, column, value in zip(*matrix.nonzero(), matrix.data, strict=True)
    }


def test_one_row_an_order_sorted_by_time(write_history):
    lines = [
        sale("t:2", "b", "c2", ts=20, channel="web", location_id="s1"),
        sale("t:1", "a", ts=10),
        sale("t:1", "b", ts=10, line_no=2),
        sale("t:1", "b", ts=10, line_no=3),
        sale("t:3", "a", None, ts=30),
    ]
    training = TrainingSet.read(write_history(lines), LATER)
    baskets = training.baskets
    expected = {(0, "a"): 1, (0, "b"): 1, (1, "b"): 1, (2, "a"): 1}
    assert cells(training, baskets.items) == expected
    assert baskets.ts.tolist() == [10, 20, 30]
    assert sorted(baskets.customer_ids) == ["c1", "c2"]
    assert [baskets.customer_ids[ix] for ix in baskets.customer[:2]] == ["c1", "c2"]
    assert baskets.customer[2] == -1
    assert [CHANNELS[ix] for ix in baskets.channel] == ["pos", "web", "pos"]
    assert baskets.location.tolist() == [0, location_key("s1"), 0]


def test_it_is_known_what_was_discounted(write_history):
    lines = [
        sale("t:1", "b", discount_minor=50, unit_price_minor=200, ts=10),
        sale("t:1", "a", ts=10, line_no=2),
        sale("t:2", "a", ts=20),
        sale("t:2", "a", ts=20, line_no=2, discount_minor=10, unit_price_minor=100),
        sale("t:3", "c", ts=30, discount_minor=10, unit_price_minor=100),
        back("t:3", "c", ts=40, return_of="t:3"),
    ]
    training = TrainingSet.read(write_history(lines), LATER)
    baskets = training.baskets
    names = [training.index.item_ids[ix] for ix in baskets.items.indices]
    assert names == ["a", "b", "a"]
    assert baskets.discounted.tolist() == [False, True, True]
    assert TrainingSet.read(write_history([sale("t:1", "a")]), LATER).baskets.discounted is None


def test_time_is_half_open(write_history):
    lines = [sale(f"t:{ts}", f"p{ts}", ts=ts) for ts in (10, 20, 30)]
    training = TrainingSet.read(write_history(lines), 30, since_ts=20)
    assert training.baskets.ts.tolist() == [20]
    # The catalogue holds what was sold before, and nothing that nobody could know of yet.
    assert list(training.index.item_ids) == ["p10", "p20"]


def test_the_catalogue_holds_products_never_sold(write_history):
    products = [
        {"item_id": "new", "category": "tea"},
        {"item_id": "a", "department": "food"},
        {"item_id": "later", "in_catalogue": False},
    ]
    lines = [sale("t:1", "a"), sale("t:2", "b"), sale("t:9", "later", ts=LATER)]
    training = TrainingSet.read(write_history(lines, products), LATER)
    assert list(training.index.item_ids) == ["a", "b", "new"]
    assert training.category.tolist() == [0, -1, 1]
    assert training.n_items == training.baskets.items.shape[1] == 3


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        ([sale("t:1", "a"), back("t:1", "a", return_of="t:1"), sale("t:1", "b")], {"b"}),
        ([sale("t:1", "a", quantity=2.0), back("t:1", "a", return_of="t:1")], {"a"}),
        ([sale("t:1", "a"), back("t:1", "a")], set()),  # the customer has none left
        ([sale("t:1", "a"), sale("t:2", "a"), back("t:9", "a")], {"a"}),
        ([sale("t:1", "a", None), back("t:1", "a", None, return_of="t:1")], set()),
        ([sale("t:1", "a", None), back("t:1", "a", None)], {"a"}),  # whose it was is not known
        ([sale("t:1", "a"), back("t:1", "a", return_of="t:1", ts=LATER)], {"a"}),
        ([sale("t:1", "a", quantity=0.3), back("t:1", "a", quantity=-0.3)], set()),
    ],
)
def test_returns_are_taken_off(write_history, lines, kept):
    training = TrainingSet.read(write_history(lines), LATER)
    assert {item for _, item in cells(training, training.baskets.items)} == kept


def test_orders_are_added_up_by_group_and_age(write_history):
    lines = [
        sale("t:1", "a", ts=0),
        sale("t:2", "a", ts=5 * DAY),
        sale("t:3", "b", "c2", ts=10 * DAY),
        sale("t:4", "b", None, ts=10 * DAY),
    ]
    training = TrainingSet.read(write_history(lines), 10 * DAY + 1)
    baskets = training.baskets
    weight = baskets.decay(10 * DAY, half_life_days=5)
    assert weight.tolist() == [0.25, 0.5, 1, 1]
    first, second = (baskets.customer_ids.index(customer) for customer in ("c1", "c2"))
    expected = {(first, "a"): 0.75, (second, "b"): 1}
    assert cells(training, baskets.by_customer(weight)) == expected
    everyone = baskets.summed(np.zeros(4, np.int32), 1, weight)
    assert cells(training, everyone) == {(0, "a"): 0.75, (0, "b"): 2}


def test_nothing_to_learn_from_is_said(write_history):
    with pytest.raises(DataError, match="no order lies in the period"):
        TrainingSet.read(write_history([sale("t:1", "a", ts=50)]), 50)


def test_fit_sees_the_purchases_that_scoring_sees(write_history):
    random = np.random.default_rng(7)
    lines = []
    for number in range(3000):
        customer, order = f"c{random.integers(200)}", random.integers(1, 4)
        quantity = random.choice([1.0, 2.0, 0.3, -1.0, -0.3, -2.0])
        line = sale(
            f"{customer}:{order}",
            random.choice(["a", "b", "c"]),
            customer,
            ts=int(order),
            quantity=quantity,
            line_no=number,
        )
        if quantity < 0:
            names_it = random.random() < 0.5
            line |= {"order_id": f"r:{number}", "return_of": line["order_id"] if names_it else None}
            line |= {"ts": 50}
        lines.append(line)
    history = write_history(lines)
    training = TrainingSet.read(history, LATER)
    read = dict(history_rows.read_rows(history, until_ts=LATER))
    bought = Histories.from_rows(list(read.values()), training.index, LATER).purchases
    seen = training.baskets.by_customer(np.ones(len(training.baskets.ts)))
    expected = {}
    for row, item, count in zip(bought.row, bought.item_ix, bought.count, strict=True):
        cell = (list(read)[row], training.index.item_ids[item])
        expected[cell] = expected.get(cell, 0) + count
    named = {
        (training.baskets.customer_ids[row], item): count
        for (row, item), count in cells(training, seen).items()
    }
    assert named == expected
    assert len(named) > 100


def test_fit_sees_the_interactions_that_scoring_sees(write_history):
    random = np.random.default_rng(3)
    lines, events = [], []
    for number in range(900):
        customer, item = f"c{random.integers(60)}", random.choice(["a", "b", "c", "d"])
        ts = int(random.integers(0, 9 * DAY))
        if random.random() < 0.5:
            name = random.choice(["view_item", "add_to_cart", "view_item_list", "select_item"])
            at = datetime.fromtimestamp(ts + random.choice([0.0, 0.5]), UTC)
            event = {"event_id": str(number), "event": name, "occurred_at": at, "channel": "web"}
            events.append(event | {"customer_id": f"{customer}", "item_id": item})
        elif number % 3:  # some only ever look
            quantity = random.choice([1.0, 1.0, -1.0])
            order = {"order_id": f"o{number}", "quantity": quantity}
            lines.append(sale(item=item, customer=f"{customer}", ts=ts, **{"order": "", **order}))
    events.append(events[0] | {"event_id": "x", "customer_id": "looker", "item_id": "a"})
    history = write_history(lines, events=events)
    weights = InteractionWeights(purchase=1.0, cart=0.5, view=0.25, returned=0.75)
    for until_ts, since_ts in ((LATER, None), (5 * DAY, None)):
        training = TrainingSet.read(history, until_ts, since_ts=since_ts)
        liking = training.interest(4.0, weights)
        read = dict(history_rows.read_rows(history, until_ts=until_ts))
        people = Histories.from_rows(list(read.values()), training.index, until_ts)
        theirs = Batch(people, Context.of(len(people), until_ts)).interest(4.0, weights)
        parts = [slice(*theirs.indptr[r : r + 2]) for r in range(len(people))]
        expected = sorted(
            tuple(
                (ix, round(v, 9))
                for ix, v in zip(
                    theirs.item_ix[part].tolist(), theirs.weight[part].tolist(), strict=True
                )
                if v
            )
            for part in parts
        )
        found = [liking[[row]] for row in range(liking.shape[0])]
        found = sorted(
            tuple(zip(one.indices.tolist(), one.data.round(9).tolist(), strict=True))
            for one in found
        )
        assert [one for one in found if one] == [one for one in expected if one]
        assert liking.min() < 0
        assert liking.shape[0] >= len(training.baskets.customer_ids)
    assert (
        TrainingSet.read(history, LATER, since_ts=8 * DAY).interest(4.0, weights).nnz < liking.nnz
    )


def test_the_catalogue_tells_what_it_knows_of_each_product(write_history):
    products = [
        {"item_id": "b", "title": "Grüner Tee", "brand": "Zen", "parent_id": "a"},
        {"item_id": "a", "title": "Tee", "brand": "Aro", "department": "food", "attributes": "{}"},
        {"item_id": "c", "brand": "Zen"},
    ]
    history = write_history([sale("t:1", "a"), sale("t:1", "z")], products=products)
    training = TrainingSet.read(history, LATER)
    told = training.products
    assert list(training.index.item_ids) == ["a", "b", "c", "z"]
    assert list(told.titles) == ["Tee", "Grüner Tee", "", ""]
    assert list(told.attributes) == ["{}", "", "", ""]
    assert told.brand.tolist() == [0, 1, 1, -1]
    assert told.department.tolist() == [0, -1, -1, -1]
    assert told.family.tolist() == [0, 0, -1, -1]
