"""Who is asked for their next basket never has it in what is learned from."""

import csv
import json

import numpy as np
import pytest

from benchmarks.tasks import tafeng

HISTORY = {
    "1": [[-1], [0, 1], [2], [-1]],
    "2": [[-1], [1], [-1]],
    "3": [[-1], [2], [0], [1], [-1]],
    "4": [[-1], [0], [-1]],
}
FUTURE = {name: [[-1], [10 + int(name)], [-1]] for name in HISTORY}
KEYS = {"item_num": 15, "train": ["1", "2"], "val": ["3"], "test": ["4"]}


@pytest.fixture
def folder(tmp_path):
    for name, content in (("history", HISTORY), ("future", FUTURE), ("keyset_0", KEYS)):
        (tmp_path / f"tafeng_{name}.json").write_text(json.dumps(content))
    return tmp_path


def test_next_baskets_are_known_of_those_who_are_not_asked(folder):
    cut = tafeng.cut(folder, 0)
    assert {11, 12} <= set(cut.validation.purchases.item.tolist())
    assert not {13, 14} & set(cut.validation.purchases.item.tolist())
    assert {11, 12, 13} <= set(cut.test.purchases.item.tolist())
    assert 14 not in cut.test.purchases.item
    assert cut.test.wanted.item_ix.tolist() == [14]
    assert [cut.customers[number] for number in cut.test.asked] == ["4"]


def test_as_published_nobodys_next_basket_is_known(folder):
    known = tafeng.cut_as_published(folder, 0).test.purchases.item
    assert set(known.tolist()) == {0, 1, 2}


def test_last_baskets_lie_one_week_before_the_next(folder):
    customers, customer, item, ts = tafeng.orders(HISTORY, FUTURE, {"1"})
    of_first = customer == customers.index("1")
    weeks = (ts[of_first] - tafeng.NEXT_TS) // tafeng.WEEK
    assert dict(zip(item[of_first].tolist(), weeks.tolist(), strict=True)) == {
        0: -2,
        1: -2,
        2: -1,
        11: 0,
    }
    assert (ts[~of_first] < tafeng.NEXT_TS).all()


def test_what_is_ingested_holds_no_basket_that_is_asked_for(folder):
    path = folder / "work" / "baskets.csv"
    tafeng.export(HISTORY, FUTURE, {"1", "2", "3"}, path)
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert {row["item"] for row in rows} == {"0", "1", "2", "11", "12", "13"}
    assert {row["item"] for row in rows if row["customer"] == "4"} == {"0"}


def test_nobody_is_asked_for_what_is_known():
    with pytest.raises(ValueError, match="learned from"):
        tafeng.problem(HISTORY, FUTURE, ["1"], {"1"})


def test_numbers_are_places_of_names(folder):
    cut = tafeng.cut(folder, 0)
    assert cut.items[14] == "14"
    assert np.all(cut.test.asked < len(cut.customers))
