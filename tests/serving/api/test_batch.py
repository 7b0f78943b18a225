"""Many customers at once: an answer a line, each as if it had been asked alone."""

import json
from typing import Any

from flask.testing import FlaskClient

from recsys.config.toml_file import Config
from recsys.ledger.database import Database
from recsys.ledger.schema import EXPOSURES
from tests.serving.access.test_admission import MakeKey, app, call, make, problem
from tests.serving.conftest import ask, ids, known, state

from .test_recommendations import NOW

__all__ = ["app", "make"]

PATH = "/v1/recommendations/batch"


def lines(client: FlaskClient, customers: list[Any], **fields: Any) -> list[dict[str, Any]]:
    body = {"placement": "email_weekly", "as_of": NOW, "customers": customers, **fields}
    answer = client.post(PATH, json=body)
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "application/x-ndjson"
    assert answer.headers["Cache-Control"] == "private, no-store"
    return [json.loads(line) for line in answer.text.splitlines()]


def test_a_batch_is_its_single_answers(client: FlaskClient) -> None:
    customers = [
        {**known(number), "exclude": ["tea"][: number % 2], "location_id": f"S{number % 3}"}
        for number in [*range(0, 40, 3), *range(0, 40, 5)]
    ]
    customers += [{}, {"session_id": "visit"}, {"cart": [{"item_id": "beer"}]}]
    for placement in ("email_weekly", "web_cart", "store_screen"):
        shared = {
            "count": 4,
            "explain": True,
            "filter": {"field": "item_id", "op": "ne", "value": "milk"},
        }
        together = lines(client, customers, placement=placement, exclude=["bread"], **shared)
        for customer, found in zip(customers, together, strict=True):
            given = {**customer, "exclude": ["bread", *customer.get("exclude", [])]}
            alone = ask(client, placement, as_of=NOW, **shared, **given)
            assert alone.pop("recommendation_id") != found.pop("recommendation_id")
            assert found == alone


def test_lines_that_cannot_be_answered_do_not_keep_the_others_back(client: FlaskClient) -> None:
    customers = [
        known(0),
        {"identifier": {"type": "email", "value": "no@body.example"}},
        {"customer_id": "nobody"},
        {"custmer_id": "c"},
        7,
        {"customer_id": "c", **known(0)},
        known(3),
    ]
    found = lines(client, customers)
    kinds = [line.get("type", "").partition("#")[2] for line in found]
    invalid = "invalid-request"
    assert kinds == ["", "customer-unknown", "customer-unknown", invalid, invalid, invalid, ""]
    assert [line["customer_known"] for line in found if "items" in line] == [True, True]
    assert found[3]["errors"][0]["pointer"] == "/customers/3/custmer_id"
    answered = lines(client, customers[:3], unknown="answer")
    assert [line["customer_known"] for line in answered] == [True, False, False]
    assert answered[1]["fallback"] == "popular"


def test_a_large_batch_is_whole_and_recorded(client: FlaskClient, config: Config) -> None:
    found = lines(client, [known(number % 40 // 5 * 5) for number in range(1000)], count=2)
    assert len(found) == len({line["recommendation_id"] for line in found}) == 1000
    state(client.application).flush()
    database = Database(config.ledger_url)
    with database.reading() as connection:
        shown = {row.recommendation_id: row for row in connection.execute(EXPOSURES.select())}
    database.close()
    assert set(shown) == {line["recommendation_id"] for line in found}
    assert json.loads(shown[found[-1]["recommendation_id"]].items) == ids(found[-1])


def test_what_cannot_be_a_batch_is_refused_as_a_whole(client: FlaskClient) -> None:
    for body, pointer in (
        ({"placement": "email_weekly", "customers": []}, "/customers"),
        ({"placement": "email_weekly", "customers": [{}] * 1001}, "/customers"),
        ({"placement": "email_weekl", "customers": [{}]}, "/placement"),
        ({"placement": "email_weekly", "customers": [{}], "filter": {"field": 1}}, "/filter/field"),
    ):
        answer = client.post(PATH, json=body)
        assert answer.status_code == 422
        assert answer.get_json()["errors"][0]["pointer"] == pointer


def test_without_the_ledger_nobody_is_taken_for_a_stranger(
    client: FlaskClient, config: Config
) -> None:
    damaged = Database(config.ledger_url)
    with damaged.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE identifiers RENAME TO gone")
    damaged.close()
    body = {"placement": "email_weekly", "customers": [known(0)]}
    answer = client.post(PATH, json=body)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"


def test_a_key_limits_each_line(client: FlaskClient, make: MakeKey) -> None:
    key = make("recommend", locations=["S1"])
    body = {"placement": "email_weekly", "customers": [known(0), {"location_id": "S2"}]}
    told = [json.loads(line) for line in call(client, key, PATH, body).text.splitlines()]
    assert {item["availability"]["location_id"] for item in told[0]["items"]} == {"S1"}
    assert told[1]["type"] == "/problems#location-forbidden"
    page = make("recommend", origins=["https://shop.example"])
    problem(call(client, page, PATH, body), 403, "browser-key")
