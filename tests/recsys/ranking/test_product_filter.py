"""Filters asked of products: the same as a plain reading of them, one product at a time."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.config.filters import FLAG, NUMBER, TEXT, Filter, Group, parse_filter
from recsys.datasets.item_index import ItemIndex
from recsys.ranking.product_attributes import Attribute
from recsys.ranking.product_filter import FilterData, LabelColumn

WORDS = ["Tea", "tea time", "Milk", "", "Brot"]
PRODUCTS = [
    {
        "item_id": f"i{n}",
        "title": WORDS[n % 5] or None,
        "department": WORDS[n % 3],
        "category": WORDS[n % 4] or None,
        "brand": WORDS[(n * 7) % 5] or None,
        "price": None if n % 6 == 0 else 50 * n,
        "on_hand": None if n % 7 == 0 else n % 4,
        "active": n % 5 != 0,
        "new": n % 3 == 0,
        "attributes.size": None if n % 4 == 0 else ["M", "3", "3.0", "12", "-7.5"][n % 5],
    }
    for n in range(40)
]


def column(name: str) -> list[Any]:
    order = np.argsort([product["item_id"] for product in PRODUCTS])
    return [PRODUCTS[at][name] for at in order]


def labels(name: str) -> LabelColumn:
    names = sorted({value for value in column(name) if value})
    codes = [names.index(value) if value else -1 for value in column(name)]
    return LabelColumn(names, np.array(codes, np.int32))


FACTS = FilterData(
    ItemIndex(product["item_id"] for product in PRODUCTS),
    [title or "" for title in column("title")],
    np.array([-1 if price is None else price for price in column("price")], np.int64),
    {name: labels(name) for name in ("department", "category", "brand")},
    np.array(column("active")),
    {"size": Attribute.of(column("attributes.size"))},
)
ON_HAND = np.array([np.nan if n is None else n for n in column("on_hand")], np.float32)
NEW = np.array(column("new"))
EVERY = np.arange(len(PRODUCTS), dtype=np.int32)


def allowed(given: Filter, items: Any = EVERY) -> list[str]:
    held = FACTS.allows(given, items, lambda _, at: ON_HAND[items[at]], lambda at: NEW[items[at]])
    return [FACTS.index.item_ids[ix] for ix in items[held]]


def plainly(given: Filter, product: dict[str, Any]) -> bool:
    """What a filter means, said for one product."""
    if isinstance(given, Group):
        parts = [plainly(part, product) for part in given.parts]
        return {"and": all(parts), "or": any(parts), "not": not parts[0]}[given.kind]
    found, value = product.get(given.field) or None, given.value
    if given.field.startswith("attributes."):
        return sized(given.op, found, value)
    if given.field in (*NUMBER, *FLAG):
        found = product[given.field]
    known = found is not None
    return {
        "exists": lambda: known == value,
        "eq": lambda: known and found == value,
        "ne": lambda: not (known and found == value),
        "in": lambda: known and found in value,
        "not_in": lambda: not (known and found in value),
        "contains": lambda: known and value.lower() in found.lower(),
        "lt": lambda: known and found < value,
        "le": lambda: known and found <= value,
        "gt": lambda: known and found > value,
        "ge": lambda: known and found >= value,
    }[given.op]()


def sized(op: str, found: str | None, value: Any) -> bool:
    """Compare an attribute: numbers as numbers, texts as texts, and nothing with nothing."""
    if op in ("ne", "not_in"):
        return not sized({"ne": "eq", "not_in": "in"}[op], found, value)
    if op == "exists":
        return (found is not None) == value
    if found is None:
        return False
    number = None if found == "M" else float(found)
    return {
        "eq": lambda: value in (found, number),
        "in": lambda: found in value or number in value,
        "contains": lambda: str(value).lower() in found.lower(),
        "lt": lambda: number is not None and number < value,
        "le": lambda: number is not None and number <= value,
        "gt": lambda: number is not None and number > value,
        "ge": lambda: number is not None and number >= value,
    }[op]()


def condition(field: str, ops: list[str], value: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    one = st.sampled_from([*ops, "eq", "ne"]).flatmap(
        lambda op: st.fixed_dictionaries(
            {"field": st.just(field), "op": st.just(op), "value": _of(op, value)}
        )
    )
    return one


def _of(op: str, value: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    if op == "exists":
        return st.booleans()
    return st.lists(value, min_size=1, max_size=3) if op in ("in", "not_in") else value


texts = st.sampled_from(["Tea", "tea", "e", "Milk", "i1", "i33", "Brot", "nothing"])
conditions = st.one_of(
    *(condition(name, ["in", "not_in", "contains", "exists"], texts) for name in TEXT),
    *(
        condition(
            name,
            ["in", "not_in", "exists", "lt", "le", "gt", "ge"],
            st.integers(-1, 4) | st.sampled_from([50, 700]),
        )
        for name in NUMBER
    ),
    *(condition(name, [], st.booleans()) for name in FLAG),
    condition("attributes.size", ["in", "not_in"], st.sampled_from(["M", "3", "x", 3, 12.0, 0])),
    condition("attributes.size", ["lt", "le", "gt", "ge", "exists"], st.sampled_from([3, 0, -7.5])),
    condition("attributes.size", ["contains"], st.sampled_from(["m", "3", "."])),
    condition("attributes.untold", ["in", "contains", "exists"], st.just("x")),
)
trees = st.recursive(
    conditions,
    lambda inner: st.one_of(
        *(
            st.lists(inner, min_size=1, max_size=3).map(lambda parts, kind=kind: {kind: parts})
            for kind in ("and", "or")
        ),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=5,
)


@given(document=trees)
def test_a_filter_is_what_it_says(document: Any) -> None:
    try:
        wanted = parse_filter(document)
    except Exception:  # deeper than allowed
        return
    plain = {product["item_id"] for product in PRODUCTS if plainly(wanted, product)}
    assert set(allowed(wanted)) == plain
    some = EVERY[::3]
    assert set(allowed(wanted, some)) == plain & {FACTS.index.item_ids[ix] for ix in some}


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({"field": "item_id", "op": "in", "value": ["i3", "none", "i4"]}, {"i3", "i4"}),
        (
            {
                "and": [
                    {"field": "title", "op": "contains", "value": "TIME"},
                    {"field": "price", "op": "lt", "value": 400},
                ]
            },
            {"i1"},
        ),
        (
            {
                "and": [
                    {"field": "attributes.size", "value": 3},
                    {"field": "item_id", "op": "in", "value": ["i1", "i2", "i3"]},
                ]
            },
            {"i1", "i2"},
        ),
    ],
)
def test_examples(document: Any, found: set[str]) -> None:
    assert set(allowed(parse_filter(document))) == found
