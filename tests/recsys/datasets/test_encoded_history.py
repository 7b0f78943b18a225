from datetime import UTC, datetime

import numpy as np
import pytest

from recsys.datasets import history_rows
from recsys.datasets.baskets import TrainingSet
from recsys.datasets.customer_history import EMPTY
from recsys.datasets.encoded_history import EncodedHistory
from recsys.units import DAY


def line(order, item, ts, customer="c1", **more):
    return {"order_id": order, "item_id": item, "customer_id": customer, "ts": ts, **more}


def view(item, customer, ts):
    at = datetime.fromtimestamp(ts, UTC)
    names = {"event_id": f"e{ts}", "event": "view_item", "channel": "web", "source": "shop"}
    return {**names, "occurred_at": at, "customer_id": customer, "item_id": item}


@pytest.fixture
def history(write_history):
    lines = [
        line("t:2", "b", 2 * DAY, "c2", location_id="s1"),
        line("t:10", "a", 2 * DAY, "c1"),
        line("r:1", "b", 5 * DAY, "c2", quantity=-1.0, return_of="t:2"),
        line("t:3", "c", 6 * DAY, None),
        line("t:4", "b", 7 * DAY, "c3", unit_price_minor=300, discount_minor=30),
    ]
    events = [view("a", "c9", DAY), view("later", "c1", 3 * DAY), view("b", "c2", 8 * DAY)]
    products = [{"item_id": "later", "in_catalogue": False}, {"item_id": "a", "category": "tea"}]
    return write_history(lines, products, events=events)


def test_texts_are_numbered_in_their_order(history):
    numbers = EncodedHistory.read(history)
    assert list(numbers.index.item_ids) == ["a", "b", "c", "later"]
    assert numbers.order_ids.to_pylist() == ["r:1", "t:10", "t:2", "t:3", "t:4"]
    assert sorted(numbers.customer_ids.to_pylist()) == ["c1", "c2", "c3", "c9"]
    names = [numbers.order_ids[order].as_py() for order in numbers.lines.order]
    assert names == ["t:2", "t:10", "t:2", "t:3", "t:4"]  # a return is of the order it names
    buyers = np.append(numbers.customer_ids.to_pylist(), None)[numbers.lines.customer]
    assert buyers.tolist() == ["c2", "c1", "c2", None, "c3"]
    assert numbers.lines.location.tolist() == [0, -1, -1, -1, -1]
    looked = [list(numbers.index.item_ids)[item] for item in numbers.events.item]
    assert looked == ["a", "later", "b"]


@pytest.mark.parametrize("until_days", [3, 5, 6, 7, 9])
def test_one_reading_gives_the_trainings_of_several(history, until_days):
    numbers = EncodedHistory.read(history)
    TrainingSet.read(numbers, 9 * DAY)
    cut = TrainingSet.read(numbers, until_days * DAY)
    anew = TrainingSet.read(history, until_days * DAY)
    assert list(cut.index.item_ids) == list(anew.index.item_ids)
    assert (cut.baskets.items != anew.baskets.items).nnz == 0
    assert cut.baskets.customer_ids == anew.baskets.customer_ids
    assert cut.interactions.item_ix.tolist() == anew.interactions.item_ix.tolist()
    assert cut.products.price_minor.tolist() == anew.products.price_minor.tolist()
    assert cut.baskets.ts.max() < until_days * DAY


def test_what_comes_later_is_not_known(history):
    numbers = EncodedHistory.read(history)
    early = TrainingSet.read(numbers, 3 * DAY)
    assert list(early.index.item_ids) == ["a", "b"]  # `a` is listed, `b` was sold
    assert early.baskets.items.nnz == 2  # the return is not known yet
    assert early.products.price_minor.tolist() == [100, 100]
    late = TrainingSet.read(numbers, 9 * DAY)
    # Nobody knows of `later`: it is not in the catalogue, and was never sold.
    assert list(late.index.item_ids) == ["a", "b", "c"]
    assert late.products.price_minor.tolist() == [100, 200, 100]
    assert late.products.discount_share.tolist() == pytest.approx([0, 30 / 400, 0])
    assert late.category.tolist() == [0, -1, -1]
    kept = {(order, item) for order, item in zip(*late.baskets.items.nonzero(), strict=True)}
    assert kept == {(0, 0), (2, 2), (3, 1)}
    assert np.diff(late.baskets.ts).min() >= 0


def test_rows_are_those_that_are_read_from_the_history(history):
    numbers = EncodedHistory.read(history)
    customer_ids = ["c1", "c2", "c3", "c9", "nobody"]
    for until_days in (2, 5, 8, 9):
        found = history_rows.rows_until(numbers, customer_ids, until_days * DAY)
        read = dict(history_rows.read_rows(history, until_ts=until_days * DAY))
        assert found == [read.get(customer_id, EMPTY) for customer_id in customer_ids]
    moments = np.array([9, 3, 8, 9, 9]) * DAY
    found = history_rows.rows_until(numbers, customer_ids, moments)
    read = dict(
        history_rows.read_rows(history, until_ts=dict(zip(customer_ids, moments, strict=True)))
    )
    assert found == [read.get(customer_id, EMPTY) for customer_id in customer_ids]
    assert [len(row.lines) for row in found] == [1, 1, 1, 0, 0]


def test_nothing_is_learned_from_vouchers(write_history):
    sold = [line("t:1", "a", DAY), line("t:2", "b", 2 * DAY, "c2", location_id="s1")]
    off = {"kind": "correction", "quantity": 0.0, "amount_minor": -900, "location_id": "s9"}
    vouchers = [
        line("t:1", "off", DAY, line_no=2, **off),
        line("t:0", "off", DAY // 2, "c0", **off),
        line("t:2", "a", 3 * DAY, "c2", line_no=2, **off),
    ]
    plain = EncodedHistory.read(write_history(sold))
    numbers = EncodedHistory.read(write_history([*sold, *vouchers]))
    for name in ("customer_ids", "order_ids", "location_ids"):
        assert getattr(numbers, name).to_pylist() == getattr(plain, name).to_pylist()
    assert list(numbers.index.item_ids) == ["a", "b"]
    assert numbers.first_ts.tolist() == plain.first_ts.tolist()
    for name in plain.lines.__dataclass_fields__:
        assert getattr(numbers.lines, name).tolist() == getattr(plain.lines, name).tolist()
