"""Filters: what they may say, and that they say what was wrong."""

import pytest

from recsys.config.filters import (
    MAX_CONDITIONS,
    MAX_DEPTH,
    Condition,
    FilterError,
    Group,
    parse_filter,
)

TEA = {"field": "item_id", "op": "eq", "value": "tea"}


def deep(levels: int) -> dict[str, object]:
    return TEA if not levels else {"not": deep(levels - 1)}


def test_a_filter_becomes_a_tree() -> None:
    cheap = {"field": "price", "op": "lt", "value": 500}
    known = {"field": "brand", "op": "exists"}
    found = parse_filter({"and": [TEA, {"or": [cheap, {"not": known}]}]})
    assert found == Group(
        "and",
        (
            Condition("item_id", "eq", "tea"),
            Group(
                "or",
                (
                    Condition("price", "lt", 500),
                    Group("not", (Condition("brand", "exists", True),)),
                ),
            ),
        ),
    )
    assert hash(parse_filter({"field": "brand", "op": "in", "value": ["a", "b"]}))
    assert parse_filter({"field": "new", "value": True}) == Condition("new", "eq", True)
    among = {"field": "attributes.Größe", "op": "in", "value": ["M", 38]}
    assert parse_filter(among) == Condition("attributes.Größe", "in", ("M", 38))


def test_attributes_must_be_known_where_it_is_said_which_are() -> None:
    given = {"and": [TEA, {"not": {"field": "attributes.materail", "value": "oak"}}]}
    assert parse_filter(given)
    with pytest.raises(FilterError) as caught:
        parse_filter(given, ["material", "gtin"])
    ((where, what),) = caught.value.faults
    assert where == "/and/1/not/field"
    assert what.endswith("Did you mean `material`? Known: gtin, material.")
    assert parse_filter({"field": "attributes.gtin", "op": "exists"}, ["gtin"])


@pytest.mark.parametrize(
    ("document", "pointer", "detail"),
    [
        ([], "", "no object"),
        ({}, "/field", "is missing"),
        ({"field": "categry", "value": "x"}, "/field", "Did you mean `category`?"),
        ({"field": [], "value": "x"}, "/field", "is unknown"),
        ({"field": "brand", "op": "lt", "value": "x"}, "/op", "none of `brand`"),
        ({"field": "price", "op": "contains", "value": 1}, "/op", "none of `price`"),
        ({"field": "new", "op": "exists"}, "/op", "none of `new`"),
        ({"field": "brand", "op": "=="}, "/op", "none of `brand`"),
        ({"field": "brand", "value": 7}, "/value", "no text"),
        ({"field": "brand", "value": ""}, "/value", "no text"),
        ({"field": "brand", "value": "x" * 201}, "/value", "no text"),
        ({"field": "price", "value": True}, "/value", "minor units"),
        ({"field": "on_hand", "value": float("nan")}, "/value", "too large"),
        ({"field": "active", "value": "yes"}, "/value", "neither true nor false"),
        ({"field": "brand", "op": "exists", "value": 1}, "/value", "neither true nor false"),
        ({"field": "brand", "op": "in", "value": "x"}, "/value", "no list"),
        ({"field": "brand", "op": "in", "value": []}, "/value", "no list"),
        ({"field": "brand", "op": "in", "value": ["x", 1]}, "/value/1", "no text"),
        ({"field": "brand", "op": "in", "value": ["x"] * 1001}, "/value", "no list"),
        ({"field": "attributes.", "value": "x"}, "/field", "is unknown"),
        ({"field": "attributes.size", "op": "lt", "value": "9"}, "/value", "no number"),
        ({"field": "attributes.size", "op": "contains", "value": 9}, "/value", "no text"),
        ({"field": "attributes.size", "value": True}, "/value", "neither text nor a number"),
        ({"field": "attributes.size", "op": "like", "value": "x"}, "/op", "none of"),
        ({**TEA, "valu": 1}, "/valu", "Did you mean `value`?"),
        ({"and": [TEA, {"field": "x"}]}, "/and/1/field", "is unknown"),
        ({"and": []}, "/and", "no list"),
        ({"or": TEA}, "/or", "no list"),
        ({"and": [TEA], "or": [TEA]}, "", "more than `and`"),
        ({"not": [TEA]}, "/not", "no object"),
        (deep(MAX_DEPTH), "/not/not/not/not", "deeper"),
        ({"or": [TEA] * (MAX_CONDITIONS + 1)}, "/or", "at most"),
        ({"and": [{"or": [TEA] * 30}] * 2}, "", "conditions"),
    ],
)
def test_what_is_no_filter_is_told(document: object, pointer: str, detail: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(document)
    where, what = caught.value.faults[-1]
    assert where == pointer
    assert detail in what


def test_the_bounds_themselves_are_allowed() -> None:
    assert parse_filter(deep(MAX_DEPTH - 1))
    assert parse_filter({"or": [TEA] * MAX_CONDITIONS})
