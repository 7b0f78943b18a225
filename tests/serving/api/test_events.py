"""Events over HTTP: each is answered for itself."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient

from recsys.config.toml_file import Config
from recsys.ledger.database import Database
from serving.schemas import EventsAnswer
from tests.serving.conftest import bought, known


def send(client: FlaskClient, *events: Any) -> tuple[int, EventsAnswer]:
    answer = client.post("/v1/events", json={"events": list(events)})
    return answer.status_code, msgspec.convert(answer.get_json(), EventsAnswer)


def test_each_event_is_answered_for_itself(client: FlaskClient) -> None:
    good = bought("e1", "tea", **known(0))
    status, answer = send(
        client,
        good,
        good,
        {**good, "occurred_at": "2026-02-01T00:00:00Z"},
        {**good, "event_id": "e2"},
        {"event_id": "e3", "event": "purchas"},
        bought("e4", "tea", customer_id="c0"),
        7,
        bought("e5", transaction_id=None),
        bought("e6", "tea", occurred_at=(datetime.now(UTC) + timedelta(days=1)).isoformat()),
    )
    assert status == 207
    assert (answer.accepted, answer.duplicate, answer.refused) == (1, 2, 6)
    told = [outcome.status for outcome in answer.events]
    assert told == ["accepted", "duplicate", "refused", "duplicate"] + ["refused"] * 5
    assert [outcome.event_id for outcome in answer.events][3:6] == ["e2", "e3", "e4"]
    assert "`e1`" in (answer.events[3].detail or "")
    problems = [outcome.problem for outcome in answer.events]
    assert problems[2] is not None
    assert problems[2]["type"] == "/problems#event-id-taken"
    pointers = [[e["pointer"] for e in (p or {}).get("errors", [])] for p in problems]
    assert "/events/4/event" in pointers[4]
    assert pointers[5] == ["/events/5/customer_id"]
    assert pointers[6] == ["/events/6"]
    assert pointers[7] == ["/events/7/transaction_id", "/events/7/items"]
    assert pointers[8] == ["/events/8/occurred_at"]
    assert send(client, good)[0] == 200


def test_too_many_events_are_refused_as_a_whole(client: FlaskClient) -> None:
    events = [bought(f"e{n}", "tea") for n in range(1001)]
    assert client.post("/v1/events", json={"events": events}).status_code == 422
    assert client.post("/v1/events", json={"events": []}).status_code == 422
    status, answer = send(client, *events[:1000])
    assert (status, answer.accepted) == (200, 1000)


def test_nothing_personal_reaches_the_ledger(client: FlaskClient, config: Config) -> None:
    event = bought("e1", "tea", identifier={"type": "phone", "value": "+49 30 9011234"})
    send(client, {**event, "session_id": "GA1.2.1234567"})
    database = Database(config.ledger_url)
    with database.reading() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    stored = Path(config.ledger_url.removeprefix("sqlite:///")).read_bytes()
    assert b"9011234" not in stored
    assert b"GA1.2" not in stored


def test_a_ledger_that_does_not_take_them_asks_for_patience(
    client: FlaskClient, config: Config
) -> None:
    database = Database(config.ledger_url)
    with database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE events RENAME TO gone")
    database.close()
    answer = client.post("/v1/events", json={"events": [bought("e1", "tea")]})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.get_json()["type"] == "/problems#ledger-unavailable"
    assert "gone" not in answer.text


def test_a_placeholder_is_nobodys_order(client: FlaskClient) -> None:
    numbers = ["(not set)", "(not set)", "undefined", "undefined", "null", "0", "0", " ", "NaN"]
    events = [
        bought(f"e{ix}", "tea", transaction_id=number, **known(ix))
        for ix, number in enumerate(numbers)
    ]
    status, answer = send(client, *events, bought("good", "tea", **known(0)))
    assert status == 207
    assert (answer.accepted, answer.duplicate, answer.refused) == (1, 0, len(numbers))
    problem = answer.events[1].problem or {}
    assert problem["type"] == "/problems#invalid-request"
    (error,) = problem["errors"]
    assert error["pointer"] == "/events/1/transaction_id"
    assert "`(not set)`" in error["detail"]
    # Nothing was stored: under their own numbers the same events are accepted.
    mended = [{**event, "transaction_id": f"T{event['event_id']}"} for event in events]
    assert send(client, *mended)[1].accepted == len(numbers)


def test_a_placeholder_is_no_product(client: FlaskClient) -> None:
    status, answer = send(
        client,
        bought("e1", "tea", "undefined", **known(0)),
        {**bought("e2", "(not set)"), "event": "view_item"},
        bought("undefined", "tea", transaction_id="T3"),
    )
    assert (status, answer.refused) == (207, 3)
    pointers = [[e["pointer"] for e in (o.problem or {})["errors"]] for o in answer.events]
    assert pointers == [
        ["/events/0/items/1/item_id"],
        ["/events/1/items/0/item_id"],
        ["/events/2/event_id"],
    ]


def test_who_names_nobody_stays_nobody(client: FlaskClient) -> None:
    guests = [
        bought(f"e{ix}", item, identifier={"type": kind, "value": value})
        for ix, (item, kind, value) in enumerate(
            [("tea", "account", "0"), ("milk", "phone", "4.47701E+11"), ("beer", "email", "null")]
        )
    ]
    assert send(client, *guests)[1].accepted == len(guests)
    for kind, value in (("account", "0"), ("phone", "4.47701E+11"), ("email", "NULL")):
        question = {"placement": "web_home", "identifier": {"type": kind, "value": value}}
        assert (
            client.post("/v1/recommendations", json=question).get_json()["customer_known"] is False
        )


def test_a_phone_is_never_shown_as_typed(client: FlaskClient, caplog: Any) -> None:
    typed = "+44 7700 900001"
    named = {"identifier": {"type": "phone", "value": typed}}
    wrong = [
        {**bought("e1", "tea", **named), "quantity": 1},
        bought("e2", transaction_id=None, **named),
        bought("e3", "tea", customer_id="c0", **named),
        bought("e4", "tea", identifier={"type": "phone", "value": typed * 20}),
        bought("e5", "tea", identifier={"type": "Phone!", "value": typed}),
        bought("e6", "null", **named),
    ]
    answers = [client.post("/v1/events", json={"events": wrong})]
    question = {"placement": "nowhere", **named}
    answers.append(client.post("/v1/recommendations", json=question))
    answers.append(
        client.get(f"/v1/recommendations?identifier_type=phone&identifier_value={typed}")
    )
    for answer in answers:
        assert answer.status_code in (207, 422)
        assert "900001" not in answer.text
    assert "900001" not in caplog.text


@pytest.mark.parametrize("price", [-4.7, {"amount_minor": -470, "currency": "EUR"}])
@pytest.mark.parametrize("event", ["purchase", "refund"])
def test_a_price_below_zero_is_refused(client: FlaskClient, event: str, price: Any) -> None:
    sold = {**bought("e1", "tea"), "event": event, "items": [{"item_id": "tea", "price": price}]}
    status, answer = send(client, sold)
    assert (status, answer.accepted, answer.refused) == (207, 0, 1)
    (error,) = (answer.events[0].problem or {})["errors"]
    assert error["pointer"] == "/events/0/items/0/price"
