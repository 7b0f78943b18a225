"""Customers as they were before a window: nothing of the window may be seen in their rows."""

import numpy as np
import pytest

from recsys.datasets.item_index import ItemIndex
from recsys.errors import DataError
from recsys.evaluation import evaluation_set
from recsys.evaluation.splits import Window
from recsys.units import DAY

WINDOW = Window(100 * DAY, 128 * DAY)
INDEX = ItemIndex(["apple", "bread", "cheese"])


def line(customer, item, day, order=None, **more):
    return {
        "order_id": order or f"{customer}-{day}",
        "customer_id": customer,
        "item_id": item,
        "ts": int(day * DAY),
        **more,
    }


def crowd(n=12, first="a"):
    """Customers who buy apples before the window and bread in it."""
    names = [f"{first}{number:02}" for number in range(n)]
    return [line(c, item, day) for c in names for item, day in (("apple", 90), ("bread", 110))]


def wanted_by(found, customer, channel=None):
    """What a customer of a panel bought in the window, ascending."""
    return found.relevant(channel).row(found.customer_ids.index(customer)).item_ix.tolist()


def test_rows_end_and_wishes_begin_at_the_window(write_history):
    edge = [line("a00", "cheese", 100), line("a00", "apple", 128), line("a01", "cheese", 99.99)]
    found = evaluation_set.read(write_history(crowd() + edge), INDEX, WINDOW, active=50)
    assert len(found) == 12
    apple, bread, cheese = INDEX.ix_of(["apple", "bread", "cheese"])
    assert wanted_by(found, "a00") == [bread, cheese]
    assert wanted_by(found, "a01") == [bread]
    for row in found.rows:
        assert (row.lines["ts"] < WINDOW.start_ts).all()
    row = found.customer_ids.index("a01")
    assert found.histories[row : row + 1].item_ix.tolist() == [apple, cheese]


def test_who_was_not_known_before_does_not_count(write_history):
    new = [line("new", "bread", 110), line(None, "bread", 111)]
    returned = [line("a00", "bread", 90, quantity=-1.0)]
    found = evaluation_set.read(write_history(crowd() + new + returned), INDEX, WINDOW, active=50)
    assert "new" not in found.customer_ids


def test_what_was_brought_back_was_not_wanted_for_it(write_history):
    returns = [line("a00", "cheese", 110, order="back", quantity=-1.0)]
    found = evaluation_set.read(write_history(crowd() + returns), INDEX, WINDOW, active=50)
    assert wanted_by(found, "a00") == INDEX.ix_of(["bread"]).tolist()


def test_channels_are_apart(write_history):
    online = [line("a00", "cheese", 110, channel="web"), line("a00", "bread", 111, channel="web")]
    found = evaluation_set.read(write_history(crowd() + online), INDEX, WINDOW, active=50)
    assert wanted_by(found, "a00", "web") == INDEX.ix_of(["bread", "cheese"]).tolist()
    assert wanted_by(found, "a00", "pos") == INDEX.ix_of(["bread"]).tolist()
    assert not found.relevant("app").item_ix.size


def test_what_the_catalogue_does_not_hold_yet_is_wanted_but_out_of_reach(write_history):
    later = [line("a00", "dates", 110), line("a01", "dates", 110), line("a00", "eggs", 110)]
    found = evaluation_set.read(write_history(crowd() + later), INDEX, WINDOW, active=50)
    assert len(wanted_by(found, "a00")) == 3
    assert found.relevant().item_ix.max() == len(INDEX) + 1
    assert set(wanted_by(found, "a01")) <= set(wanted_by(found, "a00"))


def test_those_who_stayed_away_stand_for_all_of_their_kind(write_history):
    away = [line(f"z{n:02}", "apple", 90) for n in range(40)]
    history = write_history(crowd(20) + away)
    found = evaluation_set.read(history, INDEX, WINDOW, active=10, lapsed=8, seed=4)
    came = np.diff(found.relevant().indptr) > 0
    assert came.sum() == 10
    assert found.sample_weight[came].tolist() == [2.0] * 10
    assert found.sample_weight[~came].tolist() == [5.0] * 8
    again = evaluation_set.read(history, INDEX, WINDOW, active=10, lapsed=8, seed=4)
    assert again.customer_ids == found.customer_ids
    other = evaluation_set.read(history, INDEX, WINDOW, active=10, lapsed=8, seed=5)
    assert other.customer_ids != found.customer_ids


def test_a_part_of_a_panel_keeps_what_belongs_to_it(write_history):
    extra = [line("a05", "cheese", 115)]
    found = evaluation_set.read(write_history(crowd() + extra), INDEX, WINDOW, active=50)
    rows = np.sort([found.customer_ids.index(customer) for customer in ("a02", "a05")])
    part = found.only(rows)
    assert sorted(part.customer_ids) == ["a02", "a05"]
    for customer in part.customer_ids:
        assert wanted_by(part, customer) == wanted_by(found, customer)
    assert len(wanted_by(part, "a05")) == 2
    assert part.histories.n == 2


def test_too_few_customers_are_told(write_history):
    with pytest.raises(DataError, match=r"3 customers bought both before 1970-04-11.*at least 10"):
        evaluation_set.read(write_history(crowd(3)), INDEX, WINDOW, active=50)
