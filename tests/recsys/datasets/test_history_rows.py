from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from recsys.datasets import history_rows
from recsys.datasets.customer_history import EMPTY, LINES, add_lines
from recsys.datasets.interactions import CART, VIEW
from recsys.datasets.item_index import item_key, location_key, order_key
from recsys.schema import CHANNELS

SOME = [
    {"customer_id": "c2", "ts": 50, "order_id": "t:1", "item_id": "a"},
    {"customer_id": "c1", "ts": 60, "order_id": "t:2", "item_id": "a", "location_id": "s1"},
    {"customer_id": "c1", "ts": 60, "order_id": "t:2", "item_id": "b", "line_no": 2},
    {"customer_id": None, "ts": 61, "order_id": "t:3", "item_id": "a"},
    {
        "customer_id": "c1",
        "ts": 70,
        "order_id": "w:9",
        "return_of": "t:2",
        "item_id": "b",
        "quantity": -1.0,
        "amount_minor": -(2**40),
        "channel": "web",
    },
]


def test_rows_are_read_customer_by_customer(write_history):
    read = dict(history_rows.read_rows(write_history(SOME)))
    assert list(read) == ["c1", "c2"]
    lines = read["c1"].lines
    assert lines["item_key"].tolist() == [item_key("a"), item_key("b"), item_key("b")]
    assert lines["ts"].tolist() == [60, 60, 70]
    assert lines["location"].tolist() == [location_key("s1"), 0, 0]
    assert lines["channel"].tolist() == [CHANNELS.index(name) for name in ("pos", "pos", "web")]


def test_a_return_has_the_key_of_its_order(write_history):
    back = dict(history_rows.read_rows(write_history(SOME)))["c1"].lines[-1]
    assert back["order"] == order_key("t:2")
    assert back["quantity"] == -1
    assert back["amount_minor"] == -(2**31)


def test_vouchers_are_no_product_of_a_customer(write_history):
    voucher = {"order_id": "t:2", "ts": 60, "item_id": "off", "kind": "correction"}
    more = [
        {**voucher, "customer_id": "c1", "line_no": 3, "quantity": 0.0, "amount_minor": -500},
        {**voucher, "customer_id": "c9", "line_no": 3, "quantity": 0.0, "amount_minor": -500},
    ]
    plain = dict(history_rows.read_rows(write_history(SOME)))
    assert dict(history_rows.read_rows(write_history([*SOME, *more]))) == plain


def test_rows_are_read_as_they_were(write_history):
    read = dict(history_rows.read_rows(write_history(SOME), until_ts=60))
    assert list(read) == ["c2"]


def test_some_customers_are_read(write_history):
    assert list(dict(history_rows.read_rows(write_history(SOME), customer_ids=["c2", "c7"]))) == [
        "c2"
    ]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_customer_may_span_batches(write_history, size):
    history = write_history(SOME)
    table = history.table("lines").select(history_rows.COLUMNS).sort_by("customer_id")
    table = table.filter(pa.compute.is_valid(table["customer_id"]))
    batches = table.to_batches(max_chunksize=size)
    assert dict(history_rows.by_customer(batches)) == dict(history_rows.read_rows(history))


def test_no_lines_give_no_rows(write_history):
    assert list(history_rows.read_rows(write_history([]))) == []


def test_times_before_1970_are_rounded_down(write_history):
    line = {"customer_id": "c", "ts": -0.5, "order_id": "t", "item_id": "a"}
    (row,) = dict(history_rows.read_rows(write_history([line]))).values()
    assert row.lines["ts"].tolist() == [-1]
    assert row == add_lines(EMPTY, np.array(row.lines, LINES))


def seen(customer_id, item_id, ts, event="view_item", channel="web"):
    at = datetime.fromtimestamp(ts, UTC)
    return {
        "event_id": f"{customer_id}{item_id}{ts}{event}",
        "event": event,
        "occurred_at": at,
        "customer_id": customer_id,
        "item_id": item_id,
        "channel": channel,
    }


LOOKED = [
    seen("c0", "a", 40),
    seen("c1", "b", 40.9),
    seen("c1", "b", 45, channel="app"),
    seen("c1", "a", 45, "add_to_cart"),
    seen("c1", "a", 46, "view_item_list"),
    seen("c1", None, 47, "begin_checkout"),
    seen("c2", "a", 60, "select_item"),
    seen("c2", "b", 59, "add_to_wishlist"),
    seen(None, "a", 41),
]


def test_what_was_looked_at_stands_beside_what_was_bought(write_history):
    read = dict(history_rows.read_rows(write_history(SOME, events=LOOKED)))
    assert list(read) == ["c0", "c1", "c2"]
    assert [len(row.lines) for row in read.values()] == [0, 3, 1]
    a, b = item_key("a"), item_key("b")
    web, app = CHANNELS.index("web"), CHANNELS.index("app")
    assert read["c0"].events.tolist() == [(a, 40, VIEW, web)]
    assert read["c1"].events.tolist() == [(b, 45, VIEW, app), (a, 45, CART, web)]
    assert read["c2"].events.tolist() == [(b, 59, CART, web), (a, 60, VIEW, web)]


def test_looks_are_read_as_they_were(write_history):
    history = write_history(SOME, events=LOOKED)
    read = dict(history_rows.read_rows(history, until_ts=45))
    assert {key: row.events["ts"].tolist() for key, row in read.items()} == {"c0": [40], "c1": [40]}
    read = dict(history_rows.read_rows(history, until_ts={"c1": 46, "c2": 60}))
    assert {key: row.events["ts"].tolist() for key, row in read.items()} == {
        "c1": [45, 45],
        "c2": [59],
    }
    assert list(dict(history_rows.read_rows(history, customer_ids=iter(["c0", "c2"])))) == [
        "c0",
        "c2",
    ]
