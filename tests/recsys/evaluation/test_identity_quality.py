"""Precision and recall of linked pairs, by hand and against listing every pair."""

from itertools import combinations
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import DataError
from recsys.evaluation.identity_quality import by_any_link, by_email, measure_identity, read_truth
from recsys.identity.hashing import KeyedHash

Rows = list[tuple[str, str | None]]


def truth(rows: Rows) -> pa.Table:
    return pa.table(
        {
            "type": pa.array(["card"] * len(rows), pa.string()),
            "value": pa.array([value for value, _ in rows], pa.string()),
            "household_id": pa.array([household for _, household in rows], pa.string()),
        }
    )


def customers(rows: Rows) -> pa.Table:
    return truth(rows).rename_columns(["type", "value", "customer_id"])


def links(rows: list[tuple[str, str, str, str, int]]) -> pa.Table:
    names = ["type_a", "value_a", "type_b", "value_b"]
    columns = {
        name: pa.array([row[i] for row in rows], pa.string()) for i, name in enumerate(names)
    }
    return pa.table({**columns, "seen": pa.array([row[4] for row in rows], pa.int64())})


def groups(found: pa.Table) -> set[frozenset[str]]:
    together: dict[str, set[str]] = {}
    for row in found.to_pylist():
        together.setdefault(row["customer_id"], set()).add(row["value"])
    return {frozenset(values) for values in together.values()}


def test_a_perfect_linking_has_precision_and_recall_one() -> None:
    found = measure_identity(
        truth([("a", "1"), ("b", "1"), ("c", "2")]), customers([("a", "x"), ("b", "x"), ("c", "y")])
    )
    assert (found.precision, found.recall) == (1.0, 1.0)
    assert (found.linked_pairs, found.true_pairs, found.right_pairs) == (1, 1, 1)


def test_a_household_in_two_customers_costs_recall() -> None:
    # Four identifiers are six pairs; two and two are one pair each.
    known = truth([(value, "1") for value in "abcd"])
    found = measure_identity(known, customers([("a", "x"), ("b", "x"), ("c", "y"), ("d", "y")]))
    assert found.recall == pytest.approx(2 / 6)
    assert found.precision == 1.0


def test_strangers_in_one_customer_cost_precision() -> None:
    known = truth([("a", "1"), ("b", "1"), ("c", "2"), ("d", "2")])
    found = measure_identity(known, customers([(value, "x") for value in "abcd"]))
    assert found.precision == pytest.approx(2 / 6)
    assert found.recall == 1.0


def test_what_belongs_to_nobody_is_wrong_with_anyone_and_right_alone() -> None:
    known = truth([("a", "1"), ("shared", None), ("test", None)])
    together = measure_identity(known, customers([("a", "x"), ("shared", "x"), ("test", "x")]))
    assert (together.precision, together.linked_pairs, together.true_pairs) == (0.0, 3, 0)
    blocked = measure_identity(known, customers([("a", "x"), ("shared", None), ("test", None)]))
    assert (blocked.precision, blocked.linked_pairs) == (1.0, 0)


def test_identifiers_that_the_history_lacks_are_counted_and_linked_to_nothing() -> None:
    found = measure_identity(
        truth([("a", "1"), ("b", "1")]), customers([("a", "x"), ("other", "x")])
    )
    assert found.missing == 1
    assert found.recall == 0.0
    assert found.linked_pairs == 0


def test_intervals_hold_the_figure() -> None:
    known = truth(
        [(f"{household}/{n}", str(household)) for household in range(40) for n in range(3)]
    )
    split = customers(
        [(f"{h}/{n}", f"{h}/{n if h % 4 == 0 else 0}") for h in range(40) for n in range(3)]
    )
    found = measure_identity(known, split)
    low, high = found.recall_interval
    assert found.recall == pytest.approx(0.75)
    assert low < found.recall < high
    assert found.precision_interval == (1.0, 1.0)


@given(
    st.lists(st.tuples(st.sampled_from([None, "1", "2", "3"]), st.sampled_from([None, "x", "y"])))
)
def test_counting_equals_listing_every_pair(drawn: list[tuple[str | None, str | None]]) -> None:
    known = truth([(str(i), household) for i, (household, _) in enumerate(drawn)])
    found = measure_identity(
        known, customers([(str(i), customer) for i, (_, customer) in enumerate(drawn)])
    )
    pairs = list(combinations(drawn, 2))
    true = {i for i, (a, b) in enumerate(pairs) if a[0] is not None and a[0] == b[0]}
    linked = {i for i, (a, b) in enumerate(pairs) if a[1] is not None and a[1] == b[1]}
    counted = (found.true_pairs, found.linked_pairs, found.right_pairs)
    assert counted == (len(true), len(linked), len(true & linked))


def test_any_chain_of_links_joins() -> None:
    found = by_any_link(
        links(
            [
                ("card", "c1", "token", "t1", 5),
                ("email", "e1", "token", "t1", 1),
                ("card", "c2", "token", "t2", 1),
            ]
        )
    )
    assert groups(found) == {frozenset({"c1", "t1", "e1"}), frozenset({"c2", "t2"})}


def test_by_email_joins_only_what_was_seen_with_the_same_email() -> None:
    found = by_email(
        links(
            [
                ("email", "e1", "token", "t1", 1),
                ("email", "e1", "token", "t2", 1),
                ("email", "e2", "token", "t2", 3),
                ("card", "c1", "token", "t1", 9),
            ]
        )
    )
    assert groups(found) == {frozenset({"e1", "t1"}), frozenset({"e2", "t2"}), frozenset({"c1"})}


def test_by_email_breaks_ties_by_value() -> None:
    rows = [("email", "e2", "token", "t", 2), ("token", "t", "email", "e1", 2)]
    assert groups(by_email(links(rows))) == {frozenset({"e1", "t"}), frozenset({"e2"})}
    assert groups(by_email(links(rows[::-1]))) == groups(by_email(links(rows)))


def test_groupings_of_no_links_are_empty() -> None:
    assert by_any_link(links([])).num_rows == 0
    assert by_email(links([])).num_rows == 0


def test_truth_is_read_as_the_history_stores_it(tmp_path: Path) -> None:
    keyed = KeyedHash("k" * 32)
    path = tmp_path / "truth.csv"
    path.write_text(
        "type,value,household_id\nemail, Ada@Mail.Example ,007\nemail,ada@mail.example,007\n"
        "loyalty_card,2900000000000,\n",
        encoding="utf-8",
    )
    rows = {
        (row["type"], row["value"]): row["household_id"]
        for row in read_truth(path, keyed).to_pylist()
    }
    assert rows == {
        ("email", keyed.identifier("email", "ada@mail.example")): "007",
        ("loyalty_card", keyed.identifier("loyalty_card", "2900000000000")): None,
    }


@pytest.mark.parametrize("text", [None, "a,b\n1,2\n", ""])
def test_a_workspace_without_truth_says_so(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "truth.csv"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"truth\.csv"):
        read_truth(path, KeyedHash("k" * 32))
