"""What is taken although it is probably wrong is said: products, names, currencies, times."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.serving.conftest import LAST_DAY, ask, bought, known


def now(client: FlaskClient) -> str:
    """The service's time."""
    return str(ask(client)["as_of"])


def told(client: FlaskClient, **fields: Any) -> dict[str, str]:
    """Warnings of an event of now, by their pointer."""
    event = {**bought("e1", "tea", **known(0)), "occurred_at": now(client), **fields}
    answer = client.post("/v1/events", json={"events": [bought("e0", "tea"), event]})
    assert answer.status_code == 200, answer.text
    _, outcome = answer.get_json()["events"]
    assert outcome["status"] == "accepted"
    return {one["pointer"]: one["detail"] for one in outcome.get("warnings", [])}


def test_an_event_without_doubts_carries_no_warnings(client: FlaskClient) -> None:
    assert told(client) == {}
    priced = {"item_id": "tea", "price": {"amount_minor": 150, "currency": "EUR"}}
    assert told(client, event_id="e2", transaction_id="t2", items=[priced], currency="EUR") == {}


@pytest.mark.parametrize(
    ("fields", "pointer", "detail"),
    [
        (
            {"items": [{"item_id": "tea"}, {"item_id": "tee"}]},
            "/events/1/items/1/item_id",
            "`tee` is not in the model's catalogue.",
        ),
        (
            {"identifier": {"type": "emial", "value": "ada@example.org"}},
            "/events/1/identifier/type",
            "Did you mean `email`?",
        ),
        ({"currency": "USD"}, "/events/1/currency", "another currency than the workspace's: EUR."),
        (
            {"items": [{"item_id": "tea", "price": {"amount_minor": 1, "currency": "SEK"}}]},
            "/events/1/items/0/price/currency",
            "`SEK` is another currency",
        ),
        ({"occurred_at": "2001-01-01T00:00:00Z"}, "/events/1/occurred_at", "days before the"),
    ],
)
def test_what_is_doubtful_is_taken_and_told(
    client: FlaskClient, fields: dict[str, Any], pointer: str, detail: str
) -> None:
    found = told(client, **fields)
    assert list(found) == [pointer]
    assert detail in found[pointer]


def test_a_filter_that_nothing_passes_names_the_nearest_value(client: FlaskClient) -> None:
    named = [{"item_id": "tea", "department": "Hot drinks", "category": "Loose tea"}]
    assert client.put("/v1/items", json={"items": named}).status_code == 200
    client.application.extensions["omnibasket"].refresh()
    given = {"field": "department", "op": "in", "value": ["HOT DRINKS", "Hot drinks"]}
    answer = ask(client, filter={"and": [given]})
    (warning,) = answer["warnings"]
    assert warning["pointer"] == "/filter"
    assert warning["detail"] == (
        "no product has the department `HOT DRINKS`. Did you mean `Hot drinks`?"
    )
    assert "warnings" not in ask(client, filter={**given, "value": ["Hot drinks"]})
    page = client.get(
        "/v1/items/tea/similar", query_string={"filter": '{"field": "category", "value": "tea"}'}
    ).get_json()
    assert "Did you mean `Loose tea`?" in page["warnings"][0]["detail"]
    asked = ask(client, identifier={"type": "loyaltycard", "value": "card1"})
    assert "Did you mean `loyalty_card`?" in asked["warnings"][0]["detail"]
    batch = {"placement": "web_home", "customers": [known(0)], "filter": given}
    line = client.post("/v1/recommendations/batch", json=batch).get_json(force=True)
    assert line["warnings"] == [warning]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ({"category": "loose  tea"}, "Did you mean `Loose tea`?"),
        ({"department": "drinks"}, "Did you mean `Hot drinks`?"),
        ({"segment": "chanel:web"}, "Did you mean `channel:web`?"),
    ],
)
def test_a_list_of_what_is_called_nothing_is_refused(
    client: FlaskClient, query: dict[str, str], detail: str
) -> None:
    named = [{"item_id": "tea", "department": "Hot drinks", "category": "Loose tea"}]
    assert client.put("/v1/items", json={"items": named}).status_code == 200
    client.application.extensions["omnibasket"].refresh()
    answer = client.get("/v1/bundles", query_string=query)
    assert answer.status_code == 422
    (error,) = answer.get_json()["errors"]
    assert error["pointer"] == f"/{next(iter(query))}"
    assert detail in error["detail"]
    right = {"category": "Loose tea", "department": "Hot drinks", "segment": "season:winter"}
    assert client.get("/v1/bundles", query_string=right).status_code == 200


def test_the_last_day_is_long_ago(client: FlaskClient) -> None:
    assert set(told(client, occurred_at=LAST_DAY.isoformat())) == {"/events/1/occurred_at"}
