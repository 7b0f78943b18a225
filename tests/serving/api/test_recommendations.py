"""The main question: for a customer, a visit, a stranger; on a page, in an e-mail, on a screen."""

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient

from recsys.config.toml_file import PLACEMENTS, Config
from recsys.ledger.database import Database
from recsys.ledger.schema import EXPOSURES
from serving.schemas import Recommendations
from tests.serving.conftest import LAST_DAY, PAIRS, SOLD_OUT, ask, bought, ids, known, state

NOW = (LAST_DAY + timedelta(hours=2)).isoformat()


@pytest.mark.parametrize("placement", [*PLACEMENTS, "tablet"])
@pytest.mark.parametrize(
    "fields",
    [{}, known(0), {"location_id": "S1"}, {"cart": [{"item_id": "pasta"}]}, {"explain": True}],
)
def test_every_placement_is_answered_as_documented(
    client: FlaskClient, placement: str, fields: dict[str, Any]
) -> None:
    answer = ask(client, placement, as_of=NOW, **fields)
    checked = msgspec.convert(answer, Recommendations)
    assert checked.placement == placement
    assert checked.items
    assert [item.rank for item in checked.items] == list(range(1, len(checked.items) + 1))
    assert len(set(ids(answer))) == len(checked.items)
    assert all(0 <= item.score <= 1 for item in checked.items)
    assert checked.as_of == "2026-03-01T20:00:00Z"


def test_a_customer_is_known_by_any_name(client: FlaskClient) -> None:
    by_email = ask(client, as_of=NOW, **known(0))
    by_card = ask(client, as_of=NOW, identifier={"type": "loyalty_card", "value": "card0"})
    assert by_email["customer_known"]
    assert ids(by_email) == ids(by_card)
    assert by_email["fallback"] is None
    is_anonymous = ask(client, as_of=NOW, identifier={"type": "email", "value": "no@body.example"})
    assert not is_anonymous["customer_known"]
    assert is_anonymous["fallback"] == "popular"
    assert not ask(client, customer_id="c0")["customer_known"]


def test_get_is_post_in_short(client: FlaskClient) -> None:
    asked = {"placement": "web_cart", "as_of": NOW, "count": 4, **known(0)}
    posted = ask(client, **asked, cart=[{"item_id": "pasta"}], exclude=["tea"])
    query = {
        "placement": "web_cart",
        "as_of": NOW,
        "count": "4",
        "identifier_type": "email",
        "identifier_value": known(0)["identifier"]["value"],
        "cart": "pasta",
        "exclude": "tea",
    }
    got = client.get("/v1/recommendations", query_string=query).get_json()
    assert got.pop("recommendation_id") != posted.pop("recommendation_id")
    assert got == posted


def test_what_was_just_bought_is_not_shown(client: FlaskClient) -> None:
    before = ids(ask(client, as_of=NOW, **known(0)))
    event = bought("e1", before[0], **known(0))
    assert client.post("/v1/events", json={"events": [event]}).status_code == 200
    after = ask(client, as_of=NOW, **known(0))
    assert before[0] not in ids(after)
    assert after["left_out"]["just_bought"] >= 1


def test_the_cart_decides_what_goes_with_it(client: FlaskClient) -> None:
    for first, second in PAIRS:
        answer = ask(client, "web_cart", as_of=NOW, cart=[{"item_id": first}])
        assert ids(answer)[0] == second
        assert first not in ids(answer)
        reason = answer["items"][0]["reason"]
        assert reason["code"] == "bought_together"
        assert reason["because_of"] == [first]


def test_a_visit_brings_its_cart(client: FlaskClient) -> None:
    event = {
        "event_id": "v1",
        "event": "add_to_cart",
        "occurred_at": LAST_DAY.isoformat(),
        "session_id": "visit",
        "items": [{"item_id": "beer"}],
    }
    client.post("/v1/events", json={"events": [event]})
    answer = ask(client, "web_cart", as_of=NOW, session_id="visit")
    assert ids(answer)[0] == "crisps"
    assert not answer["customer_known"]
    given = ask(client, "web_cart", as_of=NOW, session_id="visit", cart=[{"item_id": "tea"}])
    assert ids(given)[0] == "milk"
    login = {**event, "event_id": "v2", "event": "login", "items": [], **known(0)}
    client.post("/v1/events", json={"events": [login]})
    assert ask(client, as_of=NOW, session_id="visit")["customer_known"]


def test_the_shelf_decides_at_a_location(client: FlaskClient) -> None:
    answer = ask(client, "web_cart", as_of=NOW, location_id="S1", cart=[{"item_id": "pasta"}])
    assert SOLD_OUT not in ids(answer)
    assert answer["left_out"]["out_of_stock"] >= 1
    assert answer["items"][0]["availability"]["location_id"] == "S1"


def test_a_filter_says_what_products_must_be(client: FlaskClient) -> None:
    some = {"field": "item_id", "op": "in", "value": ["tea", "milk", SOLD_OUT, "beer"]}
    answer = ask(client, as_of=NOW, filter=some, location_id="S1", **known(0))
    assert set(ids(answer)) == {"tea", "milk", "beer"}
    given = {"and": [some, {"not": {"field": "title", "op": "contains", "value": "MIL"}}]}
    assert set(ids(ask(client, as_of=NOW, filter=given, exclude=["beer"]))) == {"tea", SOLD_OUT}
    query = {"placement": "web_home", "filter": json.dumps(some), "count": 2}
    got = client.get("/v1/recommendations", query_string=query).get_json()
    assert len(got["items"]) == 2
    assert set(ids(got)) <= {"tea", "milk", SOLD_OUT, "beer"}
    for wrong in ("{", '"tea"', "[1"):
        answer = client.get("/v1/recommendations", query_string={**query, "filter": wrong})
        assert answer.status_code == 422
        assert answer.get_json()["errors"][0]["pointer"] == "/filter"


def test_an_e_mail_after_a_purchase_starts_from_it(client: FlaskClient) -> None:
    event = bought("p1", "beer", **known(0))
    client.post("/v1/events", json={"events": [event]})
    answer = ask(client, "email_post_purchase", as_of=NOW, **known(0))
    assert ids(answer)[0] == "crisps"
    assert answer["items"][0]["reason"]["because_of"] == ["beer"]
    assert "beer" not in ids(answer)


def test_what_came_back_is_shown_again_and_nothing_goes_with_it(client: FlaskClient) -> None:
    """The order of `p2` is bought, comes back, and is followed by another one."""

    def post(event: dict[str, Any]) -> dict[str, Any]:
        told = client.post("/v1/events", json={"events": [event]}).get_json()
        assert told["accepted"] == 1, told
        return ask(client, "email_post_purchase", as_of=NOW, **known(0))

    kept = post(bought("p2", "beer", **known(0)))
    assert "withdrawn" not in kept
    assert kept["left_out"]["just_bought"] >= 1
    back = post({**bought("back", **known(0)), "event": "refund", "transaction_id": "p2"})
    assert back["withdrawn"] == "returned"
    assert all("beer" not in item["reason"].get("because_of", ()) for item in back["items"])
    everything = {"as_of": NOW, "count": 200, **known(0)}
    assert "beer" in ids(ask(client, **everything))
    assert "withdrawn" not in post(bought("p3", "pasta", **known(0)))


def test_a_public_screen_knows_nobody(client: FlaskClient) -> None:
    anybody = ask(client, "store_screen", as_of=NOW, location_id="S1")
    for number in (0, 5, 10):
        customer = ask(client, "store_screen", as_of=NOW, location_id="S1", **known(number))
        assert not customer["customer_known"]
        assert customer["items"] == anybody["items"]
        assert customer["left_out"] == anybody["left_out"]


def test_the_answer_is_that_of_its_time(client: FlaskClient) -> None:
    early = (LAST_DAY - timedelta(days=70)).isoformat()
    assert ask(client, as_of=early, **known(0))["fallback"] is not None
    assert ask(client, as_of=NOW, **known(0))["fallback"] is None


def test_what_was_shown_is_recorded(client: FlaskClient, config: Config) -> None:
    personal = ask(client, as_of=NOW, location_id="S1", **known(0))
    public = ask(client, "store_screen", as_of=NOW, session_id="visit", **known(0))
    state(client.application).flush()
    database = Database(config.ledger_url)
    with database.reading() as connection:
        rows = {row.recommendation_id: row for row in connection.execute(EXPOSURES.select())}
    database.close()
    shown = rows[personal["recommendation_id"]]
    assert msgspec.json.decode(shown.items) == ids(personal)
    assert shown.customer_id is not None
    assert shown.location_id == "S1"
    assert shown.model_version == personal["model_version"]
    assert rows[public["recommendation_id"]].customer_id is None
    assert rows[public["recommendation_id"]].session_id is None


def test_a_ledger_that_fails_leaves_no_placement_empty(client: FlaskClient, config: Config) -> None:
    damaged = Database(config.ledger_url)
    with damaged.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE identifiers RENAME TO gone")
    damaged.close()
    answer = ask(client, as_of=NOW, **known(0))
    assert answer["items"]
    assert not answer["customer_known"]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"placement": "web_hom"}, "/placement"),
        ({"placement": "web_home", "customer_id": "c", **known(0)}, "/customer_id"),
        ({"placement": "web_home", "count": 201}, "/count"),
        ({"placement": "web_home", "as_of": "2026-03-01T12:00:00"}, "/as_of"),
        ({"placement": "web_home", "filtr": {}}, "/filtr"),
        ({"placement": "web_home", "filter": {}}, "/filter/field"),
        ({"placement": "web_home", "filter": {"or": [{"field": "prise"}]}}, "/filter/or/0/field"),
    ],
)
def test_what_cannot_be_answered_is_explained(
    client: FlaskClient, fields: dict[str, Any], pointer: str
) -> None:
    answer = client.post("/v1/recommendations", json=fields)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]


@pytest.mark.parametrize("as_of", ["9999-12-31T23:59:59.9-02:00", "0001-01-01T00:00:00+02:00"])
def test_a_time_at_the_end_of_the_calendar_is_refused(client, as_of: str) -> None:
    answer = client.post("/v1/recommendations", json={"placement": "web_home", "as_of": as_of})
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == "/as_of"
