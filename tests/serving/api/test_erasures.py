"""Erased over HTTP: a stranger from the next request on, on every channel, for good."""

from typing import Any

import msgspec
import orjson
import pytest
from flask.testing import FlaskClient

from recsys.config.toml_file import Config
from recsys.ledger import Mark, MarkFile
from serving.schemas import ErasedAnswer
from serving.state.worker_state import State
from tests.serving.access.test_admission import problem
from tests.serving.api.test_customers import customer_id, mail, say
from tests.serving.conftest import Serve, ask, bought, ids, known


def erase(client: FlaskClient, n: int) -> dict[str, Any]:
    answer = client.delete(f"/v1/customers/{customer_id(client, n)}")
    assert answer.status_code == 200, answer.text
    msgspec.json.decode(answer.data, type=ErasedAnswer)
    found: dict[str, Any] = answer.get_json()
    return found


def test_the_next_answer_is_a_strangers(client: FlaskClient) -> None:
    stranger = ids(ask(client, count=12))
    assert ids(ask(client, count=12, **known(0))) != stranger
    say(client, 0, {"purpose": "marketing", "given": True})
    found = erase(client, 0)
    assert found["identifiers"] == 2  # an e-mail and a card
    assert found["histories"] == 1
    assert found["contacts"]
    answer = ask(client, count=12, **known(0), session_id="v1")
    assert ids(answer) == stranger
    assert not answer["customer_known"]
    assert ids(ask(client, count=12, customer_id=found["customer_id"])) == stranger
    other = ask(client, count=12, **known(3))
    assert other["customer_known"]


def test_no_message_is_made_for_them(client: FlaskClient) -> None:
    erased_id = erase(client, 0)["customer_id"]
    problem(mail(client, 0), 410, "erased")
    asked = {"placement": "email_weekly", "customers": [known(0), known(3)]}
    lines = client.post("/v1/recommendations/batch", json=asked).data.splitlines()
    first, second = map(orjson.loads, lines)
    assert first["type"] == "/problems#erased"
    assert second["items"]
    path = f"/v1/customers/{erased_id}/consents"
    no = {"consents": [{"purpose": "marketing", "given": False}]}
    problem(client.put(path, json=no), 410, "erased")
    problem(client.get(path), 410, "erased")


def test_a_repeat_changes_nothing_and_a_stranger_is_unknown(client: FlaskClient) -> None:
    path = f"/v1/customers/{erase(client, 0)['customer_id']}"
    again = client.delete(path)
    assert again.status_code == 200
    assert not any(again.get_json()[name] for name in ("identifiers", "events", "offers"))
    problem(client.delete("/v1/customers/c0"), 404, "customer-unknown")
    problem(client.delete("/v1/customers/" + "x" * 300), 404, "customer-unknown")


def test_their_events_are_taken_and_name_nobody(client: FlaskClient) -> None:
    erase(client, 0)
    event = bought("late-1", "tea", **known(0))
    for status in ("accepted", "duplicate"):
        answer = client.post("/v1/events", json={"events": [event]})
        assert answer.status_code == 200
        (outcome,) = answer.get_json()["events"]
        assert outcome["status"] == status
        assert status == "duplicate" or "erased" in outcome["detail"]
    assert not ask(client, **known(0))["customer_known"]


@pytest.mark.parametrize("torn", [False, True])
def test_a_worker_erases_again_what_a_backup_brings_back(
    config: Config, serve: Serve, torn: bool
) -> None:
    client = serve(config).test_client()
    who = customer_id(client, 3)
    MarkFile.of(config).append([Mark(who, 1)])
    if torn:
        with MarkFile.of(config).path.open("ab") as file:
            file.write(b'{"own_id"')
    again = State(config)
    assert again.ledger.resolve_id(who) is None
    again.close()
    assert not ask(client, **known(3))["customer_known"]


def test_damaged_marks_make_a_worker_not_ready(config: Config) -> None:
    file = MarkFile.of(config)
    file.path.write_bytes(b"c0\n")
    damaged = State(config)
    assert "line 1: damaged" in str(damaged.health.ledger_error)
    damaged.close()
