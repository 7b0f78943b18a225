"""Each customer's own last basket: found, cut off, and never seen by what learns."""

import json

import numpy as np
import pytest

from recsys.config.toml_file import load_config
from recsys.datasets import history_rows
from recsys.datasets.baskets import TrainingSet
from recsys.errors import DataError
from recsys.evaluation import cart_sets, customer_splits, evaluation_set
from recsys.identity.hashing import KeyedHash
from recsys.models import Popular
from recsys.units import DAY
from tests.recsys.evaluation.test_evaluation_set import INDEX, line


def shop():
    """A dozen customers with three baskets each, on days of their own; ``z`` has one only."""
    lines = [line("z", "apple", 5)]
    for number in range(12):
        for turn, items in enumerate((["apple"], ["bread"], ["cheese", "bread"])):
            day = 10 * (turn + 1) + number / 4
            lines.extend(line(f"a{number:02}", item, day) for item in items)
    return lines


def test_the_last_basket_of_each_and_the_one_before(write_history):
    history = write_history(shop())
    last = customer_splits.last_baskets(history)
    assert last.customer_ids == [f"a{n:02}" for n in range(12)]  # z has nothing before
    np.testing.assert_array_equal(last.start_ts, [int((30 + n / 4) * DAY) for n in range(12)])
    assert (last.end_ts == last.start_ts[-1] + 1).all()
    before = customer_splits.last_baskets(history, ["a03", "z"], back=1)
    assert before.customer_ids == ["a03"]
    assert before.start_ts.tolist() == [int(20.75 * DAY)]
    assert before.end_ts.tolist() == [int(30.75 * DAY)]  # until the next begins


def test_orders_of_one_second_are_one_basket(write_history):
    same = [line("a", "apple", 1), line("a", "bread", 2, order="x"), line("a", "cheese", 2)]
    last = customer_splits.last_baskets(write_history(same))
    assert last.start_ts.tolist() == [2 * DAY]
    assert customer_splits.last_baskets(write_history(same), back=1).customer_ids == []


def test_a_panel_asks_each_customer_at_their_own_time(write_history):
    history = write_history(shop())
    last = customer_splits.last_baskets(history)
    people = evaluation_set.read(history, INDEX, last, active=50)
    apple, bread, cheese = INDEX.ix_of(["apple", "bread", "cheese"])
    starts = dict(zip(last.customer_ids, last.start_ts.tolist(), strict=True))
    own = [starts[customer] for customer in people.customer_ids]
    for r in range(12):
        assert people.relevant().row(r).item_ix.tolist() == sorted([bread, cheese])
        assert people.histories[r : r + 1].item_ix.tolist() == [apple, bread]
        assert (people.rows[r].lines["ts"] < own[r]).all()
    part = people.only(np.array([3, 7]))
    assert part.as_of_ts.tolist() == [own[3], own[7]]
    assert len(cart_sets.read(history, people, at_most=50).customer_ix) == 12


def test_rows_end_where_each_customer_s_moment_is(write_history):
    history = write_history(shop())
    found = dict(history_rows.read_rows(history, until_ts={"a00": 15 * DAY, "a01": 25 * DAY}))
    assert {name: len(row.lines) for name, row in found.items()} == {"a00": 1, "a01": 2}


def test_what_lies_after_the_cut_is_not_there(write_history, tmp_path):
    history = write_history(shop())
    last = customer_splits.last_baskets(history)
    cut = customer_splits.cut(history, last, tmp_path / "cut")
    assert len(cut.table("lines")) == 12 * 2 + 1
    people = evaluation_set.read(history, INDEX, last, active=50)
    assert people.rows == [dict(history_rows.read_rows(cut))[name] for name in people.customer_ids]


def test_the_future_of_each_changes_nothing(write_history, tmp_path):
    """Whatever was bought in the last basket, and whenever: the same is learned and asked."""
    learned = []
    for number, item in enumerate(("cheese", "dates")):
        after = {"item_id": item, "ts": 40 * DAY + number}
        told = [{**row, **after} if row["ts"] >= 30 * DAY else row for row in shop()]
        history = write_history(told)
        last = customer_splits.last_baskets(history)
        cut = customer_splits.cut(history, last, tmp_path / f"cut{number}")
        training = TrainingSet.read(cut, 50 * DAY)
        people = evaluation_set.read(history, training.index, last, active=50)
        learned.append((training.index.item_ids, Popular().fit(training).arrays(), people.rows))
    (items, arrays, asked), (other_items, other_arrays, other_asked) = learned
    assert items == other_items == ["apple", "bread"]
    for name, values in arrays.items():
        np.testing.assert_array_equal(values, other_arrays[name])
    assert asked == other_asked


@pytest.fixture
def keyed(tmp_path):
    (tmp_path / "omnibasket.toml").write_text('[identity]\nplain = ["account"]\n')
    return KeyedHash.load(load_config(tmp_path), create=True)


def named(number):
    account = {"type": "account", "value": str(number), "customer_id": f"a{number:02}"}
    return {**account, "own_id": account["customer_id"], "orders": 1}


def test_a_fold_file_names_customers_as_the_exports_do(write_history, tmp_path, keyed):
    history = write_history(shop(), identifiers=[named(n) for n in range(12)])
    path = tmp_path / "fold.json"
    path.write_text(json.dumps({"train": ["1", 2], "val": ["3"], "test": ["4", "77"], "n": 3}))
    parts = customer_splits.read_folds(history, path, "account", keyed)
    assert parts == {"train": ["a01", "a02"], "val": ["a03"], "test": ["a04"]}
    judged = customer_splits.last_baskets(history, parts["test"])
    cut = customer_splits.cut(history, judged, tmp_path / "cut").table("lines").to_pylist()
    kept = {row["customer_id"]: 0 for row in cut}
    for row in cut:
        kept[row["customer_id"]] += 1
    assert (kept["a04"], kept["a01"]) == (2, 4)  # the rest's future may be learned from


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"train": [], "val": []}', "not a fold file"),
        ("[", "not a fold file"),
        ('{"train": ["1"], "val": [], "test": ["1"]}', "1 customers are under both `train` and"),
    ],
)
def test_a_fold_file_that_is_none_is_told(write_history, tmp_path, keyed, text, message):
    history = write_history(shop(), identifiers=[named(1)])
    (tmp_path / "fold.json").write_text(text)
    with pytest.raises(DataError, match=message):
        customer_splits.read_folds(history, tmp_path / "fold.json", "account", keyed)
