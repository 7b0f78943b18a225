import numpy as np
import pyarrow as pa
import pytest

from recsys.matrices import rows
from recsys.matrices.histories import EMPTY, LINES, append
from recsys.matrices.ids import item_key, location_key, order_key
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
    read = dict(rows.read(write_history(SOME)))
    assert list(read) == ["c1", "c2"]
    lines = read["c1"].lines
    assert lines["item_key"].tolist() == [item_key("a"), item_key("b"), item_key("b")]
    assert lines["ts"].tolist() == [60, 60, 70]
    assert lines["location"].tolist() == [location_key("s1"), 0, 0]
    assert lines["channel"].tolist() == [CHANNELS.index(name) for name in ("pos", "pos", "web")]


def test_a_return_has_the_key_of_its_order(write_history):
    back = dict(rows.read(write_history(SOME)))["c1"].lines[-1]
    assert back["order"] == order_key("t:2")
    assert back["quantity"] == -1
    assert back["amount_minor"] == -(2**31)


def test_rows_are_read_as_they_were(write_history):
    read = dict(rows.read(write_history(SOME), until_ts=60))
    assert list(read) == ["c2"]


def test_some_customers_are_read(write_history):
    assert list(dict(rows.read(write_history(SOME), customer_ids=["c2", "c7"]))) == ["c2"]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_customer_may_span_batches(write_history, size):
    history = write_history(SOME)
    table = history.table("lines").select(rows.COLUMNS).sort_by("customer_id")
    table = table.filter(pa.compute.is_valid(table["customer_id"]))
    batches = table.to_batches(max_chunksize=size)
    assert dict(rows.by_customer(batches)) == dict(rows.read(history))


def test_no_lines_give_no_rows(write_history):
    assert list(rows.read(write_history([]))) == []


def test_times_before_1970_are_rounded_down(write_history):
    line = {"customer_id": "c", "ts": -0.5, "order_id": "t", "item_id": "a"}
    (row,) = dict(rows.read(write_history([line]))).values()
    assert row.lines["ts"].tolist() == [-1]
    assert row == append(EMPTY, np.array(row.lines, LINES))
