"""No answer uses what the customer does not consent to, on any channel, from the next one on."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import orjson
import pytest
from flask.testing import FlaskClient

from recsys.config import ConsentSettings, PlacementSettings
from recsys.config.toml_file import Config
from recsys.errors import LedgerAwayError
from serving.schemas import Consents
from tests.serving.access.test_admission import problem
from tests.serving.conftest import LAST_DAY, Serve, ask, ids, known, state


def customer_id(client: FlaskClient, n: int) -> str:
    who = known(n)["identifier"]
    asked = {"identifier_type": who["type"], "identifier_value": who["value"]}
    found: str = client.get("/v1/offers", query_string=asked).get_json()["customer_id"]
    return found


def say(client: FlaskClient, n: int, *consents: dict[str, Any]) -> dict[str, Any]:
    path = f"/v1/customers/{customer_id(client, n)}/consents"
    answer = client.put(path, json={"consents": list(consents)})
    assert answer.status_code == 200, answer.text
    msgspec.json.decode(answer.data, type=Consents)
    assert client.get(path).get_json() == answer.get_json()
    found: dict[str, Any] = answer.get_json()
    return found


def mail(client: FlaskClient, n: int) -> Any:
    return client.post("/v1/recommendations", json={"placement": "email_weekly", **known(n)})


def test_a_withdrawal_stops_the_next_message(client: FlaskClient) -> None:
    assert mail(client, 0).status_code == 200
    no = {"purpose": "marketing", "channel": "email", "given": False, "source": "account page"}
    found = say(client, 0, no)
    assert not found["effective"]["marketing"]["email"]
    assert found["effective"]["marketing"]["web"]
    assert found["consents"][0]["source"] == "account page"
    problem(mail(client, 0), 409, "no-consent")
    asked = {"placement": "email_weekly", "customers": [known(0), known(3)]}
    lines = client.post("/v1/recommendations/batch", json=asked).data.splitlines()
    first, second = map(orjson.loads, lines)
    assert first["type"] == "/problems#no-consent"
    assert second["items"]
    assert ids(ask(client, "web_home", **known(0)))  # what they look at themselves goes on
    say(client, 0, {**no, "given": True})  # the same second: the refusal counts
    problem(mail(client, 0), 409, "no-consent")


def test_an_older_word_changes_nothing(client: FlaskClient) -> None:
    say(client, 0, {"purpose": "marketing", "given": False})
    older = {"purpose": "marketing", "given": True, "at": "2020-01-01T00:00:00+02:00"}
    assert not say(client, 0, older)["effective"]["marketing"]["email"]
    problem(mail(client, 0), 409, "no-consent")


def test_without_personalisation_a_customer_is_a_stranger(client: FlaskClient) -> None:
    mine = ask(client, count=12, **known(0))
    stranger = ask(client, count=12)
    assert ids(mine) != ids(stranger)
    say(client, 0, {"purpose": "personalisation", "given": False})
    answer = ask(client, count=12, **known(0))
    assert ids(answer) == ids(stranger)
    assert not answer["customer_known"]
    assert answer["no_consent"] == ["personalisation"]
    assert {item["reason"]["code"] for item in answer["items"]} <= {
        "popular",
        "popular_on_channel",
        "trending",
    }
    other = ask(client, count=12, **known(3))
    assert "no_consent" not in other


def test_without_profiling_only_the_visit_counts(client: FlaskClient) -> None:
    cart = [{"item_id": ids(ask(client))[0]}]
    asked = {"placement": "web_cart", "cart": cart, "count": 12}
    stranger = ask(client, **asked)
    assert ids(ask(client, **asked, **known(0))) != ids(stranger)
    found = say(client, 0, {"purpose": "profiling", "given": False, "source": "account page"})
    assert not any(found["effective"]["profiling"].values())
    assert all(found["effective"]["personalisation"].values())
    answer = ask(client, **asked, **known(0))
    assert ids(answer) == ids(stranger)
    assert answer["no_consent"] == ["profiling"]
    assert not answer["customer_known"]
    assert mail(client, 0).status_code == 200  # messages go on, from nobody's history
    say(client, 0, {"purpose": "personalisation", "given": False})
    assert ask(client, **asked, **known(0))["no_consent"] == ["personalisation", "profiling"]


def test_profiling_may_be_refused_on_one_channel(client: FlaskClient) -> None:
    say(client, 0, {"purpose": "profiling", "channel": "email", "given": False})
    assert mail(client, 0).get_json()["no_consent"] == ["profiling"]
    assert "no_consent" not in ask(client, **known(0))


def test_who_said_nothing_is_treated_as_the_settings_say(config: Config, serve: Serve) -> None:
    careful = msgspec.structs.replace(
        config,
        consents=ConsentSettings(personalisation=False, marketing=False, profiling=False),
        placements={
            **config.placements,
            "confirmation": PlacementSettings(channel="email", service=True),
        },
    )
    client = serve(careful).test_client()
    problem(mail(client, 0), 409, "no-consent")
    assert ask(client, **known(0))["no_consent"] == ["personalisation", "profiling"]
    assert ask(client, "confirmation", **known(0))["items"]  # a service message goes out
    assert ask(client)["items"]  # nobody is known, so nothing of theirs is used
    purposes = "personalisation", "marketing", "profiling"
    yes = [{"purpose": purpose, "given": True} for purpose in purposes]
    say(client, 0, *yes)
    assert mail(client, 0).get_json()["customer_known"]


def test_a_message_needs_consent_whoever_it_names_and_whatever_it_shows(
    config: Config, serve: Serve
) -> None:
    careful = msgspec.structs.replace(
        config,
        consents=ConsentSettings(marketing=False),
        placements={
            **config.placements,
            "leaflet": PlacementSettings(channel="email", personal=False),
        },
    )
    client = serve(careful).test_client()
    stranger = {"identifier": {"type": "email", "value": "nobody@shop.example.org"}}
    for who in (known(0), stranger, {"session_id": "v"}):
        for placement in ("email_weekly", "leaflet"):
            asked = {"placement": placement, **who}
            problem(client.post("/v1/recommendations", json=asked), 409, "no-consent")
    asked = {"placement": "email_weekly", "customers": [stranger], "unknown": "answer"}
    (line,) = client.post("/v1/recommendations/batch", json=asked).data.splitlines()
    assert orjson.loads(line)["type"] == "/problems#no-consent"
    assert ask(client, "leaflet")["items"]  # of nobody in particular
    say(client, 0, {"purpose": "marketing", "given": True})
    leaflet = ask(client, "leaflet", **known(0))
    assert ids(leaflet) == ids(ask(client, "leaflet"))
    assert not leaflet["customer_known"]


def test_the_past_is_replayed_with_the_consents_of_now(client: FlaskClient) -> None:
    say(client, 0, {"purpose": "personalisation", "given": False})
    answer = ask(client, as_of="2026-02-01T12:00:00Z", **known(0))
    assert answer["no_consent"] == ["personalisation"]


def test_a_refusal_from_a_clock_that_is_ahead_holds_at_once(client: FlaskClient) -> None:
    ahead = datetime.fromtimestamp(state(client.application).now_ts() + 200, UTC).isoformat()
    say(client, 0, {"purpose": "marketing", "given": False})
    found = say(client, 0, {"purpose": "marketing", "given": False, "at": ahead})
    assert not found["effective"]["marketing"]["email"]


def test_no_message_without_knowing_what_was_consented_to(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise LedgerAwayError("the ledger does not answer.")

    monkeypatch.setattr(state(client.application).ledger, "customer", away)
    assert problem(mail(client, 0), 503, "ledger-unavailable").detail
    assert mail(client, 0).headers["Retry-After"] == "1"
    page = client.post("/v1/recommendations", json={"placement": "web_home", **known(0)})
    assert page.get_json()["without_ledger"]
    assert page.get_json()["items"]


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"purpose": "profit", "given": True}, "/consents/0/purpose"),
        ({"purpose": "marketing"}, "/consents/0/given"),
        ({"purpose": "marketing", "given": True, "channel": "fax"}, "/consents/0/channel"),
        (
            {"purpose": "marketing", "given": True, "at": LAST_DAY.replace(year=2900).isoformat()},
            "/consents/0/at",
        ),
    ],
)
def test_what_is_wrong_with_a_consent_is_said(
    client: FlaskClient, wrong: dict[str, Any], pointer: str
) -> None:
    path = f"/v1/customers/{customer_id(client, 0)}/consents"
    answer = client.put(path, json={"consents": [wrong]})
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]
    nobody = client.put("/v1/customers/nobody/consents", json={"consents": [wrong]})
    problem(nobody, 404, "customer-unknown")
