"""Who may ask what: with keys every call is asked for one, and gets no more than it grants."""

import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from recsys.config.toml_file import Config, PlacementSettings
from recsys.ledger.api_keys import Grant
from serving.http.problems import Problem
from tests.serving.conftest import LAST_DAY, Serve, bought, known, state

SHOP = "https://shop.example"
ASK = {"placement": "web_home"}
SCREEN = {"placement": "store_screen", "location_id": "S1"}


@pytest.fixture
def app(config: Config, serve: Serve) -> Flask:
    placements = {"inner_screen": PlacementSettings(channel="store_screen")}
    return serve(msgspec.structs.replace(config, placements=config.placements | placements))


MakeKey = Callable[..., str]


@pytest.fixture
def make(app: Flask) -> MakeKey:
    """Make a key and have the worker know it at once."""

    def make(*scopes: str, **limits: Any) -> str:
        fields = {
            name: given if name.endswith("_ts") else tuple(given) for name, given in limits.items()
        }
        _, secret = state(app).ledger.keys.create(Grant(scopes=scopes, **fields), int(time.time()))
        renew(app)
        return secret

    return make


def renew(app: Flask) -> None:
    state(app).key_cache._until = 0.0


def call(
    client: FlaskClient,
    key: str | None,
    path: str = "/v1/recommendations",
    body: Any = ASK,
    **more: str,
) -> Any:
    headers = dict(more) | ({"Authorization": f"Bearer {key}"} if key else {})
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is None:
        return client.get(path, headers=headers)
    return client.post(path, json=body, headers=headers)


def problem(answer: Any, status: int, kind: str) -> Problem:
    assert answer.status_code == status, answer.text
    found = msgspec.json.decode(answer.data, type=Problem)
    assert found.type == f"/problems#{kind}"
    return found


def test_without_any_key_none_is_needed(client: FlaskClient) -> None:
    assert call(client, None).status_code == 200
    assert call(client, "whatever").status_code == 200


def test_from_the_first_key_on_every_call_needs_one(client: FlaskClient, make: MakeKey) -> None:
    key = make("recommend")
    assert call(client, key).status_code == 200
    refused = call(client, None)
    problem(refused, 401, "key-missing")
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="omnibasket"'
    for wrong in ("x", key[:-1], key + "x"):
        refused = call(client, wrong)
        problem(refused, 401, "key-unknown")
        assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    basic = client.get("/v1/bundles", headers={"Authorization": f"Basic {key}"})
    problem(basic, 401, "key-missing")
    problem(client.get("/v1/nothing"), 401, "key-missing")
    problem(client.get("/v1%2Fbundles"), 401, "key-missing")
    for path in ("/livez", "/readyz", "/openapi.json", "/docs", "/problems"):
        assert client.get(path).status_code == 200


def test_every_route_under_v1_needs_its_scope(
    app: Flask, client: FlaskClient, make: MakeKey
) -> None:
    key = make("admin")  # which no route asks for alone
    routes = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/v1/")]
    assert routes
    for rule in routes:
        path = rule.rule.replace("<item:item_id>", "pasta")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            refused = client.open(path, method=method, headers={"Authorization": f"Bearer {key}"})
            problem(refused, 403, "scope-missing")
            assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]
            problem(client.open(path, method=method), 401, "key-missing")


def test_another_host_may_be_asked_with_keys_only(client: FlaskClient, make: MakeKey) -> None:
    problem(call(client, None, Host="shop.example"), 421, "misdirected")
    key = make("recommend")
    assert call(client, key, Host="shop.example").status_code == 200
    problem(call(client, None, Host="shop.example"), 401, "key-missing")


def test_a_key_ends_when_it_is_revoked_or_expires(
    app: Flask, client: FlaskClient, make: MakeKey
) -> None:
    key = make("recommend")
    late = make("recommend", expires_ts=int(time.time()) + 4)
    assert call(client, key).status_code == call(client, late).status_code == 200
    time.sleep(4.1)
    problem(call(client, late), 401, "key-expired")
    state(app).ledger.keys.revoke(key.split("_")[1], int(time.time()))
    time.sleep(0.6)  # within a second, without anybody's doing
    problem(call(client, key), 401, "key-unknown")
    problem(call(client, None), 401, "key-missing")  # the last key's end opens nothing


def test_a_ledger_that_fails_changes_no_key(app: Flask, client: FlaskClient, make: MakeKey) -> None:
    key = make("recommend")
    assert call(client, key).status_code == 200
    with state(app).ledger._database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE meta RENAME TO gone")
    renew(app)
    assert call(client, key).status_code == 200
    problem(call(client, None), 401, "key-missing")


def test_the_past_needs_an_admin(client: FlaskClient, make: MakeKey) -> None:
    body = {**ASK, "as_of": LAST_DAY.isoformat()}
    assert call(client, make("recommend", "admin"), body=body).status_code == 200
    problem(call(client, make("recommend"), body=body), 403, "scope-missing")


def test_a_key_is_for_its_channels_and_locations(client: FlaskClient, make: MakeKey) -> None:
    key = make("recommend", "events", channels=["web"], locations=["S1", "S2"])
    assert call(client, key, body={**ASK, "location_id": "S1"}).status_code == 200
    problem(call(client, key, body={**ASK, "location_id": "S3"}), 403, "location-forbidden")
    problem(call(client, key), 403, "location-forbidden")
    other = {"placement": "email_weekly", "location_id": "S1"}
    told = problem(call(client, key, body=other), 403, "channel-forbidden")
    assert told.errors[0].pointer == "/placement"
    for fields, kind in (
        ({"channel": "pos"}, "channel-forbidden"),
        ({"location_id": "S3"}, "location-forbidden"),
        ({"items": [{"item_id": "tea", "location_id": "S3"}]}, "location-forbidden"),
    ):
        events = {"events": [bought("a", "tea"), bought("b", "tea") | fields]}
        problem(call(client, key, "/v1/events", events), 403, kind)
    events = {"events": [bought("a", "tea", location_id="S2"), bought("b", "tea")]}
    told = call(client, key, "/v1/events", events).get_json()
    assert told["accepted"] == 2  # and nothing of the refused requests was written


def test_a_kiosk_sees_what_is_public_at_its_location(client: FlaskClient, make: MakeKey) -> None:
    key = make("recommend", channels=["store_screen"], locations=["S1"])
    shown = call(client, key, body={"placement": "store_screen", **known(0)}).get_json()
    assert not shown["customer_known"]
    assert {item["availability"]["location_id"] for item in shown["items"]} == {"S1"}
    assert call(client, key, body=SCREEN).status_code == 200
    problem(call(client, key, body={**SCREEN, "location_id": "S2"}), 403, "location-forbidden")
    problem(call(client, key), 403, "channel-forbidden")
    inner = {"placement": "inner_screen", **known(0)}
    problem(call(client, key, body=inner), 403, "channel-forbidden")
    problem(call(client, key, "/v1/bundles", None), 403, "scope-missing")


def test_a_page_names_nobody(client: FlaskClient, make: MakeKey) -> None:
    key = make("recommend", "events", origins=[SHOP])
    assert call(client, key, body={**ASK, "session_id": "s"}, Origin=SHOP).status_code == 200
    for who in (known(0), {"customer_id": "c"}):
        refused = call(client, key, body={**ASK, **who}, Origin=SHOP)
        told = problem(refused, 403, "browser-key")
        assert [error.pointer for error in told.errors] == [f"/{name}" for name in who]
        events = {"events": [bought("a", "tea"), bought("b", "tea", **who)]}
        problem(call(client, key, "/v1/events", events, Origin=SHOP), 403, "browser-key")
    events = {"events": [bought("a", "tea", session_id="s")]}
    assert call(client, key, "/v1/events", events, Origin=SHOP).get_json()["accepted"] == 1


def test_pages_of_exactly_the_keys_origins_may_read(client: FlaskClient, make: MakeKey) -> None:
    key, other = (make("recommend", origins=[origin]) for origin in (SHOP, "https://other.example"))
    server = make("recommend")
    answer = call(client, key, Origin=SHOP)
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    assert "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    for origin in ("https://evil.example", "https://other.example", "null", SHOP + ".evil.example"):
        refused = call(client, key, Origin=origin)
        problem(refused, 403, "origin-forbidden")
        assert "Access-Control-Allow-Origin" not in refused.headers
    assert call(client, other, Origin=SHOP).status_code == 403
    assert "Access-Control-Allow-Origin" not in call(client, server, Origin=SHOP).headers
    assert "Access-Control-Allow-Origin" not in call(client, key).headers
    expired = call(client, "x", Origin=SHOP)  # a page may read why
    assert expired.headers["Access-Control-Allow-Origin"] == SHOP


def test_a_browser_asks_before(app: Flask, client: FlaskClient, make: MakeKey) -> None:
    key = make("recommend", origins=[SHOP])
    asked = {"Origin": SHOP, "Access-Control-Request-Method": "POST"}
    answer = client.options("/v1/recommendations", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    refused = client.options("/v1/events", headers={**asked, "Origin": "https://evil.example"})
    problem(refused, 403, "origin-forbidden")
    assert "Access-Control-Allow-Origin" not in refused.headers
    state(app).ledger.keys.revoke(key.split("_")[1], int(time.time()))
    renew(app)
    assert client.options("/v1/recommendations", headers=asked).status_code == 403


def test_the_document_tells_each_routes_scope(client: FlaskClient) -> None:
    document = client.get("/openapi.json").get_json()
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    post = document["paths"]["/v1/events"]["post"]
    assert {"key": ["events"]} in post["security"]
    assert {"401", "403", "429"} <= set(post["responses"])
