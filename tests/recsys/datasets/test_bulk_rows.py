"""Rows made together are those that taking lines and events one by one gives."""

import math
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.datasets import bulk_rows, history_rows, history_summary
from recsys.datasets import customer_history as histories_module
from recsys.datasets.arrow import keys_of, map_distinct
from recsys.datasets.interactions import KIND_OF
from recsys.datasets.item_index import item_key, order_key, text_keys
from recsys.schema import CHANNELS
from recsys.schema import LINES as TABLE

#: Bounds so small that a short sequence reaches them.
N_LINES, N_OLDER, N_EVENTS = 5, 3, 3


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(histories_module, "MAX_LINES", N_LINES)
    monkeypatch.setattr(history_summary, "MAX_OLDER", N_OLDER)
    monkeypatch.setattr(bulk_rows, "MAX_EVENTS", N_EVENTS)
    monkeypatch.setattr("recsys.datasets.interactions.MAX_EVENTS", N_EVENTS)


def held_by_hand(lines, n_lines=N_LINES, n_older=N_OLDER):
    """One line at a time: the oldest one too many falls out, the product bought longest ago is
    forgotten."""
    held, older = [], {}
    for line in lines:
        held.append(line)
        held.sort(key=lambda line: line["ts"])
        if len(held) <= n_lines:
            continue
        out = held.pop(0)
        key = item_key(out["item_id"])
        count, quantity, last = older.get(key, (0, 0.0, -math.inf))
        size = round(float(np.float32(out["quantity"])) * 1024) / 1024
        sign = -1 if out["quantity"] < 0 else 1
        older[key] = (count + sign, quantity + size, max(last, out["ts"]))
        if len(older) > n_older:
            del older[min(older, key=lambda key: (older[key][2], key))]
    rest = sorted(((key, *entry) for key, entry in older.items()), key=lambda e: (e[3], e[0]))
    stored = [
        (
            item_key(line["item_id"]),
            line["ts"],
            float(np.float32(line["quantity"])),
            order_key(line["return_of"] or line["order_id"]),
            CHANNELS.index(line["channel"]),
            item_key(line["location_id"]) if line["location_id"] else 0,
            line["amount_minor"] or 0,
        )
        for line in held
    ]
    return stored, rest


def seen_by_hand(events):
    latest = {}
    for event in events:
        of = (item_key(event["item_id"]), event["kind"])
        at = (event["ts"], CHANNELS.index(event["channel"]))
        latest[of] = max(at, latest.get(of, at))
    found = [(key, ts, kind, channel) for (key, kind), (ts, channel) in latest.items()]
    return sorted(found, key=lambda e: (e[1], e[2], e[0]))[-N_EVENTS:]


def batches(table, cuts):
    ends = [0, *sorted(min(cut, len(table)) for cut in cuts), len(table)]
    for start, end in pairwise(ends):
        yield pa.RecordBatch.from_pylist(table[start:end].to_pylist(), table.schema)


def moment(rows):
    return [{**row, "occurred_at": datetime.fromtimestamp(row["ts"], UTC)} for row in rows]


names = st.sampled_from("abcdefgh")
customers = st.sampled_from(["c1", "c2", "c3", "c4"])
line = st.fixed_dictionaries(
    {
        "customer_id": customers,
        "ts": st.integers(-3, 12),
        "item_id": names,
        "order_id": names,
        "return_of": st.none() | names,
        "channel": st.sampled_from(CHANNELS[:3]),
        "location_id": st.none() | names,
        "quantity": st.sampled_from([1.0, 2.0, 0.3, 0.7, -1.0, -0.3]),
        "amount_minor": st.none() | st.integers(-500, 500),
    }
)
event = st.fixed_dictionaries(
    {
        "customer_id": customers,
        "ts": st.integers(0, 6),
        "item_id": names,
        "kind": st.sampled_from(sorted(set(KIND_OF.values()))),
        "channel": st.sampled_from(CHANNELS[:3]),
    }
)
cuts = st.lists(st.integers(0, 60), max_size=5)
SEEN = pa.schema(
    [
        ("customer_id", pa.string()),
        ("item_id", pa.string()),
        ("kind", pa.int64()),
        ("channel", pa.string()),
        ("occurred_at", TABLE.field("occurred_at").type),
    ]
)


@pytest.mark.parametrize("in_time", [True, False])
def test_rows_are_those_of_taking_one_at_a_time(small, in_time):
    def order(row):
        return (row["customer_id"], row["ts"]) if in_time else row["customer_id"]

    @given(st.lists(line, max_size=60), st.lists(event, max_size=30), cuts, cuts)
    def holds(bought, looked, line_cuts, event_cuts):
        bought = sorted(bought, key=order)
        looked = sorted(looked, key=lambda row: row["customer_id"])
        schema = pa.schema([TABLE.field(name) for name in history_rows.COLUMNS])
        lines = pa.Table.from_pylist(moment(bought), schema)
        events = pa.Table.from_pylist(moment(looked), SEEN)
        found = dict(
            history_rows.by_customer(batches(lines, line_cuts), batches(events, event_cuts))
        )
        expected = {row["customer_id"] for row in (*bought, *looked)}
        assert list(found) == sorted(expected)
        for customer_id, row in found.items():
            stored, older = held_by_hand([r for r in bought if r["customer_id"] == customer_id])
            assert row.lines.tolist() == stored
            assert row.older.tolist() == older
            theirs = [r for r in looked if r["customer_id"] == customer_id]
            assert row.events.tolist() == seen_by_hand(theirs)

    holds()


def test_many_products_are_forgotten_as_taking_one_at_a_time_forgets_them():
    """Of 900 products, bought again after hundreds of others, several in a second."""
    rng = np.random.default_rng(3)
    items = (rng.random(4000) ** 2 * 900).astype(int)
    ts = np.sort(rng.integers(0, 900, 4000))
    bought = [
        {
            "customer_id": "c",
            "ts": int(at),
            "item_id": f"p{item}",
            "order_id": f"o{at}",
            "return_of": None,
            "channel": "pos",
            "location_id": None,
            "quantity": 1.0,
            "amount_minor": 1,
        }
        for item, at in zip(items, ts, strict=True)
    ]
    schema = pa.schema([TABLE.field(name) for name in history_rows.COLUMNS])
    table = pa.Table.from_pylist(moment(bought), schema)
    ((_, row),) = history_rows.by_customer(table.to_batches())
    assert row.older.tolist() == held_by_hand(bought, 512, 512)[1]
    assert len(row.older) == 512
    assert row.older["count"].sum() < 4000 - 512


@given(st.lists(st.sampled_from(["a", "b", "ä", "0", "12", "x" * 70]), max_size=20))
def test_texts_have_the_keys_that_each_alone_has(texts):
    array = pa.array(texts, pa.string())
    keys = [item_key(text) for text in texts]
    assert text_keys(text.encode() for text in texts).tolist() == keys
    assert keys_of(array).tolist() == keys
    assert keys_of(array, again=True).tolist() == keys
    assert map_distinct(pa.chunked_array([array, array]), len).tolist() == [*map(len, texts)] * 2
