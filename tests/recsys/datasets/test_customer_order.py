"""Customers stand in one order, whatever the workspace's key makes of their ids."""

import hashlib
from datetime import UTC, datetime

import numpy as np
import pytest

from recsys.datasets.customer_order import shuffled_customers
from recsys.datasets.encoded_history import EncodedHistory
from recsys.datasets.item_index import item_key
from recsys.units import DAY


def line(order, customer, ts, item="a"):
    return {"order_id": order, "customer_id": customer, "ts": ts, "item_id": item}


def event(name, customer, ts, item="a", kind="view_item"):
    return {
        "event_id": name,
        "event": kind,
        "occurred_at": datetime.fromtimestamp(ts, UTC),
        "customer_id": customer,
        "item_id": item,
        "channel": "web",
        "source": "shop",
    }


def crowd(n=60, seed=3):
    """Lines and events of people who buy and look in any order, some only one of the two."""
    rng = np.random.default_rng(seed)
    lines, events = [], []
    for person in range(n):
        orders, visits = (rng.integers(9, size=rng.integers(most)) * DAY for most in (4, 3))
        lines += [line(f"o{person}-{n}", f"p{person}", int(ts)) for n, ts in enumerate(orders)]
        events += [event(f"e{person}-{n}", f"p{person}", int(ts)) for n, ts in enumerate(visits)]
    lines.append(line("nobody", None, DAY))
    lines.sort(key=lambda row: (row["ts"], row["order_id"]))
    events.sort(key=lambda row: (row["occurred_at"], row["event_id"]))
    return lines, events


def under(key, rows):
    """The same rows, where customers are named under a key."""
    return [
        {**row, "customer_id": row["customer_id"] and named(key, row["customer_id"])}
        for row in rows
    ]


def named(key, person):
    return hashlib.sha256(f"{key}{person}".encode()).hexdigest()


def test_it_is_by_the_key_of_what_each_did_first(write_history):
    lines, events = crowd()
    first = {}
    done = [(row["ts"], 0, row["order_id"], row["customer_id"]) for row in lines]
    done += [
        (row["occurred_at"].timestamp(), 1, row["event_id"], row["customer_id"]) for row in events
    ]
    for _, _, name, customer in sorted(done, key=lambda one: one[:2]):
        if customer:
            first.setdefault(customer, item_key(name))
    expected = sorted(first, key=first.get)
    assert shuffled_customers(write_history(lines, events=events)).to_pylist() == expected


@pytest.mark.parametrize("key", ["one", "another"])
def test_the_workspaces_key_does_not_matter(write_history, key):
    lines, events = crowd()
    plain = shuffled_customers(write_history(lines, events=events)).to_pylist()
    history = write_history(under(key, lines), events=under(key, events))
    assert shuffled_customers(history).to_pylist() == [named(key, person) for person in plain]
    numbers = EncodedHistory.read(history)
    assert numbers.customer_ids.to_pylist() == [named(key, person) for person in plain]


def test_what_happens_later_does_not_move_anybody(write_history):
    lines, events = crowd()
    whole = shuffled_customers(write_history(lines, events=events)).to_pylist()
    early = shuffled_customers(
        write_history(
            [row for row in lines if row["ts"] < 4 * DAY],
            events=[row for row in events if row["occurred_at"].timestamp() < 4 * DAY],
        )
    ).to_pylist()
    assert 0 < len(early) < len(whole)
    assert [customer for customer in whole if customer in set(early)] == early


def test_nobody_is_in_an_empty_history(write_history):
    assert shuffled_customers(write_history([])).to_pylist() == []
    assert shuffled_customers(write_history([line("o1", None, DAY)])).to_pylist() == []
