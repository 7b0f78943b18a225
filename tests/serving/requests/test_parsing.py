"""A request that is wrong is told every field that is, and what would be right."""

import itertools
import json
import re
from typing import Any

import msgspec
import pytest
from werkzeug.datastructures import MultiDict

from recsys.ledger.events import event_types
from recsys.ledger.events.event_types import Event
from serving.http.problems import Refusal
from serving.requests.parsing import check, decode, read_query
from serving.schemas import (
    Events,
    RecommendationRequest,
    base,
    bundle_requests,
    bundles,
    events,
    health,
    item_pages,
    offers,
    recommendations,
    updates,
)

#: Words of the parser, which nobody who did not write it knows.
PARSER = re.compile(r"`(int|str|float|bool|array|object|null)\b|xpected `|enum|regex|missing req")
VALUES: tuple[Any, ...] = (
    "x",
    "",
    1,
    -1,
    1e30,
    10**29,
    2.5,
    True,
    None,
    [],
    ["x"],
    [1],
    [None],
    [[]],
    [{}],
    ["x"] * 101,
    {},
    {"x": 1},
    {"x": []},
    {"x": {}},
)
LISTS = {"item_ids": None, "exclude": None, "cart": "item_id"}


def faults(body: Any, kind: type[Any] = RecommendationRequest) -> dict[str, str]:
    with pytest.raises(Refusal) as refusal:
        decode(json.dumps(body).encode(), kind)
    assert refusal.value.kind == "invalid-request"
    return {error.pointer: error.detail for error in refusal.value.errors}


def query_faults(*parameters: tuple[str, str]) -> dict[str, str]:
    with pytest.raises(Refusal) as refusal:
        read_query(MultiDict(parameters), RecommendationRequest, lists=LISTS)
    return {error.pointer: error.detail for error in refusal.value.errors}


def test_every_wrong_field_is_named() -> None:
    found = faults(
        {
            "placment": "web_home",
            "count": 0,
            "as_of": "yesterday",
            "identifier": {"type": "E-Mail", "value": 7, "kind": "x"},
            "cart": [{"item_id": "a"}, {"item_id": "", "qty": 1}, 5],
            "item_ids": ["ok", None],
        }
    )
    assert set(found) == {
        "/placment",
        "/placement",
        "/count",
        "/as_of",
        "/identifier/kind",
        "/identifier/type",
        "/identifier/value",
        "/cart/1/qty",
        "/cart/1/item_id",
        "/cart/2",
        "/item_ids/1",
    }
    assert "Did you mean `placement`?" in found["/placment"]
    assert found["/placement"] == "is missing."
    assert "ISO 8601" in found["/as_of"]
    assert found["/count"] == "must be a whole number of at least 1."


def test_a_name_like_no_other_gets_the_list_of_fields() -> None:
    assert "Known: placement," in faults({"placement": "p", "zzzz~/": 1})["/zzzz~0~1"]


def test_choices_are_listed() -> None:
    event = {"event_id": "e", "event": "buy", "occurred_at": "2024-01-01T00:00:00Z"}
    assert "`purchase`" in faults(event, Event)["/event"]
    priced = {**event, "event": "view_item", "items": [{"item_id": "a", "price": {"amount": 1}}]}
    assert set(faults(priced, Event)) == {
        "/items/0/price/amount",
        "/items/0/price/amount_minor",
        "/items/0/price/currency",
    }


def test_ids_hold_no_control_characters() -> None:
    assert "/session_id" in faults({"placement": "p", "session_id": "a\x00b"})
    assert "/session_id" in faults({"placement": "p", "session_id": "x" * 201})


@pytest.mark.parametrize("body", [[], "text", 3, None])
def test_a_body_that_is_no_object_is_told(body: Any) -> None:
    (told,) = faults(body).items()
    assert told[0] == ""
    assert re.fullmatch(r"must be an object, not (a list|text|a whole number|null)\.", told[1])


@pytest.mark.parametrize(
    "body", [b"", b"{", b"{'a': 1}", b"\xff\xfe", b'{"placement": "\xff"}', b"NaN"]
)
def test_what_is_no_json_is_told(body: bytes) -> None:
    with pytest.raises(Refusal) as refusal:
        decode(body, RecommendationRequest)
    assert refusal.value.kind == "malformed-body"


def test_deep_nesting_is_told() -> None:
    deep = b'{"placement": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    with pytest.raises(Refusal):
        decode(deep, RecommendationRequest)
    with pytest.raises(Refusal):
        decode(b'{"events": [' + deep + b"]}", Events)


def test_many_faults_are_cut_short() -> None:
    assert len(faults({"placement": "p", "item_ids": [0] * 100})) == 20


def test_a_query_stands_for_a_body() -> None:
    query = MultiDict(
        [
            ("placement", "web_home"),
            ("identifier_type", "email"),
            ("identifier_value", "a@b.c"),
            ("cart", "x"),
            ("cart", "y"),
            ("exclude", "z"),
            ("count", "3"),
            ("explain", "true"),
            ("as_of", "2024-01-01T00:00:00+01:00"),
        ]
    )
    body = {
        "placement": "web_home",
        "identifier": {"type": "email", "value": "a@b.c"},
        "cart": [{"item_id": "x"}, {"item_id": "y"}],
        "exclude": ["z"],
        "count": 3,
        "explain": True,
        "as_of": "2024-01-01T00:00:00+01:00",
    }
    asked = read_query(query, RecommendationRequest, lists=LISTS)
    assert asked == msgspec.convert(body, RecommendationRequest)


def test_a_wrong_query_points_into_the_body() -> None:
    found = query_faults(
        ("placement", "p"),
        ("placement", "q"),
        ("limit", "3"),
        ("count", "many"),
        ("identifier_type", "email"),
    )
    assert found["/placement"] == "is given more than once."
    assert "not a known field" in found["/limit"]
    assert found["/identifier/value"] == "is missing."
    assert "/count" in found


def test_bounds_are_said_in_plain_words() -> None:
    found = faults({"placement": "web_home", "count": 0, "item_ids": [""]})
    assert found["/count"] == "must be a whole number of at least 1."
    assert found["/item_ids/0"] == "must be text of at least 1 character."
    many = faults({"placement": "web_home", "item_ids": ["a"] * 101})
    assert many["/item_ids"] == "must be a list of at most 100 entries."


def test_no_wrong_field_is_told_in_the_parsers_words() -> None:
    """Every field of every body and query, with every kind of wrong value."""
    modules = (
        *(base, bundle_requests, bundles, events, health, item_pages, offers, recommendations),
        *(updates, event_types),
    )
    bodies = {
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
    }
    told = 0
    for kind in bodies:
        for field, value in itertools.product(msgspec.structs.fields(kind), VALUES):
            for strict in (True, False):
                for error in check(value, field.type, "", strict=strict):
                    told += 1
                    assert not PARSER.search(error.detail), (kind, field.name, value, error)
    assert told > 1000


def test_a_choice_that_is_nearly_one_is_named() -> None:
    event = {"event_id": "e", "event": "purchas", "occurred_at": "2024-01-01T00:00:00Z"}
    assert faults(event, Event)["/event"].endswith("Did you mean `purchase`?")
