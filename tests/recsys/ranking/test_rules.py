"""Each rule forbids what it names, for its own request only."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.config.filters import parse_filter
from recsys.datasets.customer_history import EMPTY, LINES, CustomerHistory, Histories, add_lines
from recsys.datasets.item_index import ItemIndex, item_key, location_key
from recsys.datasets.ragged import Lists
from recsys.ranking.availability import Availability
from recsys.ranking.choices import Choices
from recsys.ranking.product_filter import FilterData
from recsys.ranking.rules import RULES, Limits, Rules
from recsys.units import DAY

NOW = 1_700_000_000
INDEX = ItemIndex(["apple", "bread", "cheese", "dates"])
APPLE, BREAD, CHEESE, DATES = range(4)
STORE, OTHER = location_key("store"), location_key("other")


def history(*lines):
    """Lines of (item, days ago, quantity)."""
    rows = np.zeros(len(lines), LINES)
    for row, (item, days, quantity) in zip(rows, lines, strict=True):
        row["item_key"], row["ts"] = item_key(item), NOW - int(days * DAY)
        row["quantity"], row["order"] = quantity, 1
    return add_lines(EMPTY, rows)


def forbidden(past=EMPTY, adult=False, **limits):
    """Names of the rules that forbid each of the four products."""
    nothing = Lists.of_rows([np.array([], dtype=np.int32)])
    asked = {
        "exclude": nothing,
        "cart": nothing,
        "new_only": np.array([False]),
        "hidden_since_ts": np.array([NOW]),
        "location_keys": np.array([0]),
        "in_stock": np.array([True]),
    } | limits
    availability = Availability.build(
        np.array([True, True, True, False]),
        np.full(3, STORE),
        np.array([0, 1, 3], dtype=np.int32),
        np.array([3.0, 0.0, 9.0]),
    )
    every = Lists.of_rows([np.arange(4, dtype=np.int32)])
    rows = Histories.from_rows([past], INDEX, NOW)
    bread = np.arange(4) == BREAD
    rules = Rules.of(rows, availability, Limits(**asked), age_restricted=bread if adult else None)
    codes = rules.forbid(every)
    return [RULES[code - 1] if code else "" for code in codes]


def stocked(reserved, reported_ts, max_age_seconds=0):
    """Two stores: one has 3 apples and 5 loaves, the other 2 apples and 1 cheese."""
    keys = np.array([STORE, STORE, OTHER, OTHER])
    items = np.array([APPLE, BREAD, APPLE, CHEESE], np.int32)
    on_hand = np.array([3.0, 5.0, 2.0, 1.0])
    built = Availability.build(np.ones(4, bool), keys, items, on_hand, (), reserved, reported_ts)
    return replace(built, max_age_seconds=max_age_seconds)


def kept_out(availability, now=NOW, **limits):
    nothing = one()
    asked = {
        "exclude": nothing,
        "cart": nothing,
        "new_only": np.array([False]),
        "hidden_since_ts": np.array([now]),
        "location_keys": np.array([STORE]),
        "in_stock": np.array([True]),
        "as_of_ts": np.array([now]),
    } | limits
    rules = Rules.of(Histories.nobody(1, 4), availability, Limits(**asked))
    return [RULES[code - 1] if code else "" for code in rules.forbid(one(*range(4)))]


def test_what_is_put_aside_cannot_be_sold():
    aside = np.array([2.0, 5.0, np.nan, 7.0])
    shown = kept_out(stocked(aside, np.full(4, NOW)))
    assert shown == ["", "out_of_stock", "out_of_stock", "out_of_stock"]
    there = {"location_keys": np.array([OTHER])}
    assert kept_out(stocked(aside, np.full(4, NOW)), **there)[CHEESE] == "out_of_stock"


def test_old_stock_is_unknown_and_keeps_nothing_out():
    """A list of an hour ago, and one product that was counted again later."""
    times = NOW - np.array([3600, 3600, 3600, 3600])
    gone = stocked(np.full(4, 9.0), times, max_age_seconds=7200)
    expected = ["out_of_stock"] * 4
    assert kept_out(gone) == expected
    assert kept_out(gone, NOW + 3600) == expected
    assert kept_out(gone, NOW + 3601) == [""] * 4
    again = gone.with_stock(
        np.array([STORE]), np.array([BREAD], np.int32), np.zeros(1), None, np.array([NOW])
    )
    assert kept_out(again, NOW + 3601) == ["", "out_of_stock", "", ""]
    assert kept_out(again, NOW + 7201) == [""] * 4


def test_a_question_of_no_time_is_refused_where_stock_grows_old():
    with pytest.raises(ValueError, match="greatest age"):
        kept_out(stocked(np.zeros(4), np.full(4, NOW), 60), as_of_ts=None)


@pytest.mark.parametrize(
    ("where", "below", "expected"),
    [
        (STORE, 0.0, ["", "", "out_of_stock", "out_of_stock"]),
        (STORE, 3.0, ["scarce", "", "out_of_stock", "out_of_stock"]),
        (STORE, 2.0, ["", "", "out_of_stock", "out_of_stock"]),
        (STORE, 5.5, ["scarce", "scarce", "out_of_stock", "out_of_stock"]),
        (OTHER, 2.0, ["", "out_of_stock", "scarce", "out_of_stock"]),
        # all stores together: 2 + 2 apples, 5 loaves, 1 cheese, no dates
        (0, 4.0, ["", "", "scarce", "scarce"]),
        (0, 4.5, ["scarce", "", "scarce", "scarce"]),
        # of a place whose stock nobody reported nothing is known
        (location_key("new"), 99.0, ["", "", "", ""]),
    ],
)
def test_the_last_pieces_are_left_out(where, below, expected):
    shop = stocked(np.array([1.0, np.nan, np.nan, np.nan]), np.full(4, NOW))
    limits = {"location_keys": np.array([where]), "scarce_below": np.array([below])}
    assert kept_out(shop, **limits) == expected


def test_what_is_not_stocked_is_scarce_where_stock_does_not_matter():
    shop = stocked(np.full(4, np.nan), np.full(4, NOW))
    limits = {"in_stock": np.array([False]), "scarce_below": np.array([1.0])}
    assert kept_out(shop, **limits) == ["", "", "scarce", "scarce"]


def test_old_stock_is_not_counted_and_unknown_stock_is_not_scarce():
    """The second store's list is older: first it counts no more, then no list does."""
    times = NOW - np.array([60, 60, 7200, 7200])
    shop = stocked(np.full(4, np.nan), times, max_age_seconds=7200)
    below = {"location_keys": np.array([0]), "scarce_below": np.array([4.0])}
    assert kept_out(shop, **below) == ["", "", "scarce", "scarce"]
    assert kept_out(shop, NOW + 1, **below) == ["scarce", "", "scarce", "scarce"]
    assert kept_out(shop, NOW + 7141, **below) == ["", "", "", ""]


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
            ["", "just_bought", "", "inactive"],
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
    assert forbidden(history(("apple", 1, 1)), **exactly)[APPLE] == "just_bought"
    assert forbidden(history(("apple", 1 + 1 / DAY, 1)), **exactly)[APPLE] == ""


def test_what_was_brought_back_may_be_shown_at_once_but_is_not_new():
    lately = {"hidden_since_ts": np.array([NOW - DAY])}
    returned = history(("apple", 0.2, 1), ("apple", 0.1, -1))
    assert forbidden(returned, **lately)[APPLE] == ""
    assert forbidden(returned, **lately, new_only=np.array([True]))[APPLE] == "not_new"
    in_part = history(("apple", 0.2, 2), ("apple", 0.1, -1))
    assert forbidden(in_part, **lately)[APPLE] == "just_bought"


def test_one_request_does_not_limit_another():
    candidates = Lists.of_rows([np.array([APPLE], np.int32), np.array([APPLE], np.int32)])
    rows = Histories.from_rows(
        [history(("apple", 0.1, 1)), CustomerHistory(EMPTY.lines, EMPTY.older)], INDEX, NOW
    )
    nothing = Lists.of_rows([np.array([], np.int32)] * 2)
    empty = np.array([], np.int64)
    availability = Availability.build(
        np.ones(4, bool), empty, empty.astype(np.int32), empty.astype(float)
    )
    limits = Limits(
        nothing,
        nothing,
        np.array([False, False]),
        np.array([NOW - DAY, NOW - DAY]),
        np.array([0, 0]),
        np.array([True, True]),
    )
    assert Rules.of(rows, availability, limits).forbid(candidates).tolist() == [
        1 + RULES.index("just_bought"),
        0,
    ]


def test_goods_with_a_minimum_age_are_shown_where_they_may_be():
    assert forbidden(adult=True) == ["", "age_restricted", "", "inactive"]
    assert forbidden(adult=True, of_age=np.array([True])) == ["", "", "", "inactive"]
    assert forbidden(adult=True, cart=one(BREAD))[BREAD] == "in_cart"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_choice_is_barred_with_all_its_products_and_its_best_one_stands_for_it(data):
    """Against plain loops over what ``Rules.forbid`` says of every single product."""
    n, rows = 6, 2
    index = ItemIndex([f"p{at}" for at in range(n)])

    def flags():
        return np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))

    def some():
        return np.array(sorted(data.draw(st.sets(st.integers(0, n - 1)))), np.int32)

    first: dict[int, int] = {}
    numbers = data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    of = np.array([first.setdefault(number, at) for at, number in enumerate(numbers)], np.int32)
    bought = np.array(data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)))
    choices = Choices(of, bought)
    held = some()
    on_hand, reserved = (
        np.array([data.draw(st.sampled_from(several)) for _ in held])
        for several in ([0.0, 3.0], [np.nan, 2.0, 5.0])
    )
    partial = [STORE] if data.draw(st.booleans()) else []
    days_ago = np.array([data.draw(st.sampled_from([0, 2])) for _ in held], np.int64)
    availability = replace(
        Availability.build(
            flags(),
            np.full(len(held), STORE),
            held,
            on_hand,
            partial,
            reserved,
            NOW - days_ago * DAY,
        ),
        max_age_seconds=data.draw(st.sampled_from([0, DAY])),
    )
    filter_data = FilterData(index, [""] * n, np.zeros(n, np.int64), {}, availability.active)
    pasts = [
        history(*((f"p{ix}", data.draw(st.sampled_from([1, 9])), 1.0) for ix in some()))
        for _ in range(rows)
    ]
    histories = Histories.from_rows(pasts, index, NOW)
    named = data.draw(st.sets(st.sampled_from(index.item_ids), min_size=1))
    kept_out = {"field": "item_id", "op": "not_in", "value": sorted(named)}
    filters = data.draw(st.sampled_from([(), (None, None), (parse_filter(kept_out), None)]))
    limits = Limits(
        exclude=Lists.of_rows([some() for _ in range(rows)]),
        cart=Lists.of_rows([some() for _ in range(rows)]),
        new_only=np.array([data.draw(st.booleans()), False]),
        hidden_since_ts=np.full(rows, NOW - 3 * DAY),
        location_keys=np.array([STORE, data.draw(st.sampled_from([STORE, 0]))]),
        in_stock=np.array([data.draw(st.booleans()), True]),
        filters=filters,
        as_of_ts=np.full(rows, NOW),
        scarce_below=data.draw(st.sampled_from([None, np.array([2.0, 0.0]), np.array([0.0, 4.0])])),
    )
    rules = Rules.of(histories, availability, limits, filter_data, choices, flags())
    every = Lists.of_rows([np.arange(n, dtype=np.int32)] * rows)
    code = rules.forbid(every).reshape(rows, n)
    barred = rules.forbid_choices(every).reshape(rows, n)
    leaders = [np.unique(of[some()]) for _ in range(rows)]
    shown = rules.representatives(Lists.of_rows(leaders)).tolist()
    for r in range(rows):
        where = np.full(n, limits.location_keys[r])
        here = availability.stock_at(where, np.arange(n, dtype=np.int32), NOW).sellable
        owned = set(histories.item_ix[histories.indptr[r] : histories.indptr[r + 1]].tolist())
        for ix in range(n):
            free = [other for other in range(n) if of[other] == of[ix] and code[r, other] == 0]
            assert barred[r, ix] == (0 if free else code[r, ix])
        for leader in leaders[r].tolist():
            may = [ix for ix in range(n) if of[ix] == of[leader] and code[r, ix] == 0]

            def worth(ix, here=here, owned=owned):
                stands = 1 if np.isnan(here[ix]) else 2 * (here[ix] > 0)
                return (-stands, ix not in owned, -bought[ix], ix)

            assert shown.pop(0) == (min(may, key=worth) if may else leader)
