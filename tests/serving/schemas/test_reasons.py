"""Reasons and headings are documented, code by code, with their parameters."""

import re
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from flask.testing import FlaskClient

from recsys.recommender import reasons
from recsys.recommender.purchase_habits import Habit
from serving.schemas.reasons import AnyHeading, AnyReason
from tests.serving.conftest import PAIRS, ask, known

DOCS = Path(__file__).parents[3] / "docs"
MADE: list[dict[str, Any]] = [
    reasons.popular(),
    reasons.popular_at_location("S1", "Harbour", store=True),
    reasons.popular_on_channel("web"),
    reasons.trending(),
    reasons.trending_at_location("S1", None),
    reasons.available(),
    *(
        reasons.repeat(Habit(4, 2.5 * days, float(days), regular=True), overdue=True)
        for days in (3, 21, 90)
    ),
    reasons.bought_together("Pasta", "p"),
    reasons.bought_next(None, "p"),
    reasons.similar_item("Rye", "r", category="Bread"),
    reasons.similar_item("Rye", "r", brand="Mill"),
    reasons.similar_taste(),
    reasons.similar_customers(),
]


def tags(union: Any) -> dict[str, type[msgspec.Struct]]:
    return {kind.__struct_config__.tag: kind for kind in get_args(union)}


@pytest.mark.parametrize("reason", MADE, ids=lambda reason: str(reason["code"]))
def test_every_reason_is_of_a_type_with_its_parameters(reason: dict[str, Any]) -> None:
    found = msgspec.convert(reason, AnyReason)
    told = {name for name, value in msgspec.to_builtins(found).items() if value not in (None, [])}
    assert told == set(reason)


def test_every_type_is_made_and_documented_with_its_parameters() -> None:
    kinds = tags(AnyReason)
    assert {str(reason["code"]) for reason in MADE} == set(kinds)
    guide, page = (DOCS / "http.md").read_text(), (DOCS / "ranking.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \|(.*)\|$", page, re.MULTILINE))
    for code, kind in kinds.items():
        assert f"`{code}`" in guide
        own = set(kind.__struct_fields__) - {"text"}
        if code in ("bought_next", "similar_item"):  # "the same", as of `bought_together`
            own -= {"item_id", "title", "because_of"}
        for name in own:
            assert f"`{name}`" in rows[code], (code, name)
        made = [reason for reason in MADE if reason["code"] == code]
        told = {name for reason in made for name in reason} - {"code", "text"}
        assert told <= set(kind.__struct_fields__)


def test_every_heading_is_documented() -> None:
    page = (DOCS / "ranking.md").read_text()
    for code in tags(AnyHeading):
        assert f"`{code}`" in page


def test_the_api_describes_each_code(client: FlaskClient) -> None:
    schemas = client.get("/openapi.json").get_json()["components"]["schemas"]
    for union in (AnyReason, AnyHeading):
        for code, kind in tags(union).items():
            schema = schemas[kind.__name__]
            assert schema["properties"]["code"] == {"enum": [code]}
            assert schema["description"]
            assert set(schema["properties"]) == {"code", *kind.__struct_fields__}


def test_answers_carry_them(client: FlaskClient) -> None:
    first, second = PAIRS[0]
    (top, *_) = ask(client, "web_cart", cart=[{"item_id": first}])["items"]
    assert top["item_id"] == second
    assert (top["reason"]["item_id"], top["reason"]["title"]) == (first, "Pasta")
    again = ask(client, "web_home", **known(0), count=24)
    habits = [item for item in again["items"] if item["reason"]["code"] == "repeat"]
    assert habits
    assert all(not item["new"] and item["reason"]["purchases"] >= 1 for item in habits)
    assert any(item["new"] for item in again["items"])
