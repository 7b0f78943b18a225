"""Each rule forbids what it names, for its own request only."""

import numpy as np
import pytest

from recsys.matrices.histories import EMPTY, LINES, CustomerHistory, Histories, append
from recsys.matrices.ids import ItemIndex, item_key, location_key
from recsys.matrices.lists import Lists
from recsys.ranking.rules import DAY, RULES, Limits, forbid
from recsys.ranking.shelf import Shelf

NOW = 1_700_000_000
INDEX = ItemIndex(["apple", "bread", "cheese", "dates"])
APPLE, BREAD, CHEESE, DATES = range(4)
STORE = location_key("store")


def history(*lines):
    """Lines of (item, days ago, quantity)."""
    rows = np.zeros(len(lines), LINES)
    for row, (item, days, quantity) in zip(rows, lines, strict=True):
        row["item_key"], row["ts"] = item_key(item), NOW - int(days * DAY)
        row["quantity"], row["order"] = quantity, 1
    return append(EMPTY, rows)


def forbidden(past=EMPTY, adult=False, **limits):
    """Names of the rules that forbid each of the four products."""
    nothing = Lists.of_rows([np.array([], dtype=np.int32)])
    given = {
        "exclude": nothing, "cart": nothing, "new_only": np.array([False]),
        "hidden_since_ts": np.array([NOW]), "location_keys": np.array([0]),
        "in_stock": np.array([True]),
    } | limits  # fmt: skip
    shelf = Shelf.build(
        np.array([True, True, True, False]),
        np.full(3, STORE), np.array([0, 1, 3], dtype=np.int32), np.array([3.0, 0.0, 9.0]),
    )  # fmt: skip
    every = Lists.of_rows([np.arange(4, dtype=np.int32)])
    rows = Histories.from_rows([past], INDEX, NOW)
    bread = np.arange(4) == BREAD
    codes = forbid(every, rows, shelf, Limits(**given), age_restricted=bread if adult else None)
    return [RULES[code - 1] if code else "" for code in codes]


def one(*items):
    return Lists.of_rows([np.array(items, dtype=np.int32)])


@pytest.mark.parametrize(
    ("past", "limits", "expected"),
    [
        (EMPTY, {}, ["", "", "", "inactive"]),
        (EMPTY, {"exclude": one(APPLE)}, ["excluded", "", "", "inactive"]),
        (EMPTY, {"cart": one(BREAD, APPLE)}, ["in_cart", "in_cart", "", "inactive"]),
        # only the apple is on hand: bread has run out, cheese is not carried
        (
            EMPTY,
            {"location_keys": np.array([STORE])},
            ["", "out_of_stock", "out_of_stock", "inactive"],
        ),
        (
            EMPTY,
            {"location_keys": np.array([STORE]), "in_stock": np.array([False])},
            ["", "", "", "inactive"],
        ),
        (EMPTY, {"location_keys": np.array([location_key("new")])}, ["", "", "", "inactive"]),
        (
            history(("apple", 3, 1), ("bread", 1, 1)),
            {"hidden_since_ts": np.array([NOW - 2 * DAY])},
            ["", "recently_bought", "", "inactive"],
        ),
        (
            history(("apple", 300, 1)),
            {"new_only": np.array([True])},
            ["not_new", "", "", "inactive"],
        ),
        # the first rule that fits is the one that is told
        (
            history(("apple", 0.1, 1)),
            {"exclude": one(APPLE), "hidden_since_ts": np.array([NOW - DAY])},
            ["excluded", "", "", "inactive"],
        ),
    ],
)
def test_rules(past, limits, expected):
    assert forbidden(past, **limits) == expected


def test_a_window_begins_at_its_first_second():
    exactly = {"hidden_since_ts": np.array([NOW - DAY])}
    assert forbidden(history(("apple", 1, 1)), **exactly)[APPLE] == "recently_bought"
    assert forbidden(history(("apple", 1 + 1 / DAY, 1)), **exactly)[APPLE] == ""


def test_what_was_just_brought_back_is_not_shown_again_either():
    returned = history(("apple", 0.2, 1), ("apple", 0.1, -1))
    assert forbidden(returned, hidden_since_ts=np.array([NOW - DAY]))[APPLE] == "recently_bought"


def test_one_request_does_not_limit_another():
    candidates = Lists.of_rows([np.array([APPLE], np.int32), np.array([APPLE], np.int32)])
    rows = Histories.from_rows(
        [history(("apple", 0.1, 1)), CustomerHistory(EMPTY.lines, EMPTY.older)], INDEX, NOW
    )
    nothing = Lists.of_rows([np.array([], np.int32)] * 2)
    empty = np.array([], np.int64)
    shelf = Shelf.build(np.ones(4, bool), empty, empty.astype(np.int32), empty.astype(float))
    limits = Limits(
        nothing, nothing, np.array([False, False]), np.array([NOW - DAY, NOW - DAY]),
        np.array([0, 0]), np.array([True, True]),
    )  # fmt: skip
    assert forbid(candidates, rows, shelf, limits).tolist() == [
        1 + RULES.index("recently_bought"),
        0,
    ]


def test_goods_with_a_minimum_age_are_shown_where_they_may_be():
    assert forbidden(adult=True) == ["", "age_restricted", "", "inactive"]
    assert forbidden(adult=True, of_age=np.array([True])) == ["", "", "", "inactive"]
    assert forbidden(adult=True, cart=one(BREAD))[BREAD] == "in_cart"
