"""Marketers decide: each change names what it was made from, and a refused one changes nothing."""

import time
from typing import Any

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from recsys.config.toml_file import PLACEMENTS, Config
from recsys.ledger.api_keys import Grant, Scope
from serving.schemas import BundleInFull
from tests.serving.conftest import Serve, state
from tests.serving.marketing import (
    PAIR,
    approve,
    bundle_of,
    change,
    customer,
    issue,
    money,
    one,
    put_costs,
    put_items,
    refused,
)

TERMS: dict[str, Any] = {
    "price": money(250),
    "starts_at": "2026-03-01T00:00:00Z",
    "ends_at": "2030-01-01T00:00:00Z",
    "channels": ["web", "pos"],
    "locations": ["S1", "online"],
    "budget": money(10_000),
    "per_customer": 2,
    "offer_hours": 48.0,
    "gives_back": False,
    "note": "For spring",
}
CLEARED: dict[str, Any] = {
    **TERMS,
    "starts_at": None,
    "ends_at": None,
    "channels": [],
    "locations": [],
    "budget": None,
    "per_customer": 1,
    "offer_hours": 168.0,
    "gives_back": True,
    "note": "",
}


def test_a_bundle_is_approved_with_its_terms(client: FlaskClient) -> None:
    bundle = bundle_of(client)
    answer = change(client, bundle["bundle_id"], 0, status="approved", **TERMS)
    assert answer.status_code == 200, answer.text
    assert answer.headers["ETag"] == '"1"'
    found = answer.get_json()
    msgspec.convert(found, BundleInFull)
    assert (found["status"], found["revision"], found["changed_by"]) == ("approved", 1, "local")
    assert found["terms"] == TERMS
    assert one(client, bundle["bundle_id"]) == found
    assert bundle_of(client)["terms"] == TERMS


def test_what_is_not_sent_stays_and_null_clears(client: FlaskClient) -> None:
    bundle_id = approve(client, **TERMS)
    noted = change(client, bundle_id, 1, note="For summer").get_json()
    assert noted["terms"] == {**TERMS, "note": "For summer"}
    nothing = dict.fromkeys(name for name in TERMS if name != "price")
    assert change(client, bundle_id, 2, **nothing).get_json()["terms"] == CLEARED


def test_times_come_back_in_utc_and_names_once(client: FlaskClient) -> None:
    bundle_id = approve(client, ends_at="2030-01-01T00:30:00+02:00", channels=["web", "web"])
    terms = one(client, bundle_id)["terms"]
    assert terms["ends_at"] == "2029-12-31T22:30:00Z"
    assert terms["channels"] == ["web"]


def test_who_changed_what_is_kept(app: Flask, client: FlaskClient) -> None:
    bundle_id = approve(client)
    change(client, bundle_id, 1, status="paused")
    history = one(client, bundle_id)["history"]
    assert [entry["revision"] for entry in history] == [1, 2]
    assert [entry["after"]["status"] for entry in history] == ["approved", "paused"]
    assert history[0]["before"]["status"] == "suggested"
    assert history[0]["before"]["price"] is None
    assert history[1]["before"] == history[0]["after"]
    assert history[0]["after"]["price"] == money(250)
    assert bundle_of(client)["changed_at"] == history[1]["changed_at"]


def test_what_changes_nothing_is_no_change(client: FlaskClient) -> None:
    bundle = bundle_of(client)
    assert change(client, bundle["bundle_id"], 0).headers["ETag"] == '"0"'
    bundle_id = approve(client)
    again = change(client, bundle_id, 1, status="approved", price=money(250))
    assert (again.status_code, again.headers["ETag"]) == (200, '"1"')
    assert len(again.get_json()["history"]) == 1


def test_without_a_price_the_suggested_one_is_taken(client: FlaskClient) -> None:
    put_costs(client, 40)
    bundle = bundle_of(client)
    suggested = bundle["pricing"]["suggested_price"]
    answer = change(client, bundle["bundle_id"], 0, status="approved")
    assert answer.get_json()["terms"]["price"] == suggested


def test_any_revision_may_be_meant(client: FlaskClient) -> None:
    bundle = bundle_of(client)
    path = f"/v1/bundles/{bundle['bundle_id']}"
    body = {"status": "rejected"}
    assert client.patch(path, json=body, headers={"If-Match": '"7", "0"'}).status_code == 200
    again = client.patch(path, json={"status": "suggested"}, headers={"If-Match": "*"})
    assert (again.status_code, again.headers["ETag"]) == (200, '"2"')


def test_withdrawing_voids_what_stands_everywhere(
    app: Flask, client: FlaskClient, config: Config, serve: Serve
) -> None:
    bundle_id = approve(client)
    offer = issue(client, customer(app), bundle_id).get_json()
    assert change(client, bundle_id, 1, status="withdrawn").status_code == 200
    till = serve(config).test_client()
    body = {"transaction_id": "1", "channel": "pos", "location_id": "S1"}
    answer = till.post(f"/v1/offers/{offer['code']}/redemptions", json=body)
    refused(answer, "offer-withdrawn")
    assert till.get(f"/v1/customers/{customer(app)}/offers").get_json()["offers"] == []
    refused(issue(till, customer(app), bundle_id), "not-offered")


def test_pausing_keeps_what_was_promised(app: Flask, client: FlaskClient) -> None:
    bundle_id = approve(client)
    offer = issue(client, customer(app), bundle_id).get_json()
    change(client, bundle_id, 1, status="paused")
    refused(issue(client, customer(app, 3), bundle_id), "not-offered")
    kept = client.get(f"/v1/customers/{customer(app)}/offers").get_json()["offers"]
    assert kept == [offer]


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "no discount": ({"price": money(300)}, "price-not-lower", "/price"),
    "under the floor": ({"price": money(88)}, "price-below-floor", "/price"),
    "free": ({"price": money(0)}, "price-below-floor", "/price"),
    "a budget of zero": ({"budget": money(0)}, "budget-empty", "/budget"),
    "a budget below one offer": ({"budget": money(49)}, "budget-empty", "/budget"),
    "the wrong way round": (
        {"starts_at": "2026-04-01T00:00:00Z", "ends_at": "2026-03-01T00:00:00Z"},
        "dates-reversed",
        "/ends_at",
    ),
    "no time between": (
        {"starts_at": "2026-04-01T00:00:00Z", "ends_at": "2026-04-01T01:00:00+01:00"},
        "dates-reversed",
        "/ends_at",
    ),
    "not a date": ({"ends_at": "tomorrow"}, "invalid-request", "/ends_at"),
    "no zone": ({"ends_at": "2030-01-01T00:00:00"}, "invalid-request", "/ends_at"),
    "off the calendar": (
        {"ends_at": "0001-01-01T00:00:00+12:00"},
        "invalid-request",
        "/ends_at",
    ),
    "another currency": ({"price": money(250, "USD")}, "invalid-request", "/price/currency"),
    "a budget in another": ({"budget": money(9000, "USD")}, "invalid-request", "/budget/currency"),
    "nowhere": ({"locations": ["S1", "S7"]}, "invalid-request", "/locations/1"),
    "no channel": ({"channels": ["radio"]}, "invalid-request", "/channels/0"),
    "no customer": ({"per_customer": 0}, "invalid-request", "/per_customer"),
    "no time to use it": ({"offer_hours": 0}, "invalid-request", "/offer_hours"),
    "no status": ({"status": "open"}, "invalid-request", "/status"),
    "null is no status": ({"status": None}, "invalid-request", "/status"),
    "not a field": ({"prize": money(250)}, "invalid-request", "/prize"),
    "not what may follow": ({"status": "rejected"}, "status-impossible", "/status"),
}


@pytest.mark.parametrize(("fields", "kind", "pointer"), WRONG.values(), ids=WRONG)
def test_a_wrong_change_changes_nothing(
    client: FlaskClient, fields: dict[str, Any], kind: str, pointer: str
) -> None:
    put_costs(client, 40)
    bundle_id = approve(client)
    before = one(client, bundle_id)
    found = refused(change(client, bundle_id, 1, note="new", **fields), kind)
    assert [error["pointer"] for error in found["errors"]] == [pointer]
    assert one(client, bundle_id) == before


def test_a_channel_that_shows_no_offers_cannot_be_chosen(client: FlaskClient) -> None:
    """Nobody could buy with an offer there; the page does not let it be ticked either."""
    bundle = bundle_of(client)
    fields = {"status": "approved", "price": money(250), "channels": ["web", "email"]}
    found = refused(change(client, bundle["bundle_id"], 0, **fields), "channel-without-offers")
    assert [error["pointer"] for error in found["errors"]] == ["/channels/1"]
    assert "web" in found["detail"]
    assert one(client, bundle["bundle_id"])["revision"] == 0


def test_a_channel_that_shows_offers_no_more_can_be_cleared(config: Config, serve: Serve) -> None:
    client = serve(config).test_client()
    bundle_id = approve(client, channels=["web", "pos"])
    quiet = {name: msgspec.structs.replace(found, offers=0) for name, found in PLACEMENTS.items()}
    quiet["associate_tablet"] = PLACEMENTS["associate_tablet"]
    later = serve(msgspec.structs.replace(config, placements=quiet)).test_client()
    assert change(later, bundle_id, 1, note="kept", channels=["web", "pos"]).status_code == 200
    refused(change(later, bundle_id, 2, channels=["web", "app"]), "channel-without-offers")
    assert change(later, bundle_id, 2, status="paused").status_code == 200
    refused(change(later, bundle_id, 3, status="approved"), "channel-without-offers")
    answer = change(later, bundle_id, 3, status="approved", channels=["pos"])
    assert answer.get_json()["terms"]["channels"] == ["pos"]


def test_several_faults_are_told_at_once(client: FlaskClient) -> None:
    put_costs(client, 40)
    bundle = bundle_of(client)
    fields = {"price": money(300), "budget": money(0), "locations": ["S7"]}
    found = refused(change(client, bundle["bundle_id"], 0, **fields), "price-not-lower")
    pointers = [error["pointer"] for error in found["errors"]]
    assert pointers == ["/price", "/budget", "/locations/0"]


def test_a_floor_that_is_only_guessed_keeps_nobody_from_deciding(client: FlaskClient) -> None:
    bundle = bundle_of(client)
    assert bundle["pricing"]["cost_known"] is False
    low = money(bundle["pricing"]["floor_price"]["amount_minor"] - 10)
    answer = change(client, bundle["bundle_id"], 0, status="approved", price=low)
    assert answer.status_code == 200


def test_a_bundle_without_a_price_is_not_approved(client: FlaskClient) -> None:
    put_costs(client, 140)
    bundle = bundle_of(client)
    assert bundle["pricing"]["suggested_price"] is None
    answer = change(client, bundle["bundle_id"], 0, status="approved")
    assert refused(answer, "price-missing")["errors"][0]["pointer"] == "/price"
    assert bundle_of(client) == bundle


def test_a_bundle_of_what_is_not_sold_is_not_approved(client: FlaskClient) -> None:
    put_items(client, {"item_id": PAIR[1], "active": False})
    bundle = bundle_of(client)
    assert [item["active"] for item in bundle["items"]].count(False) == 1
    answer = change(client, bundle["bundle_id"], 0, status="approved", price=money(250))
    assert "=Butter" in refused(answer, "bundle-inactive")["detail"]  # as marketers call it
    assert bundle_of(client) == bundle


def test_whatever_became_of_its_products_a_bundle_can_be_ended(client: FlaskClient) -> None:
    bundle_id = approve(client)
    put_items(
        client,
        {"item_id": PAIR[0], "price": money(10), "active": False},
        {"item_id": PAIR[1], "price": money(10)},
    )
    refused(change(client, bundle_id, 1, per_customer=2), "bundle-inactive")
    assert change(client, bundle_id, 1, status="paused", note="Dear now").status_code == 200
    assert change(client, bundle_id, 2, status="withdrawn").status_code == 200


def test_a_change_says_what_it_was_made_from(client: FlaskClient) -> None:
    bundle_id = approve(client)
    before = one(client, bundle_id)
    path, body = f"/v1/bundles/{bundle_id}", {"status": "paused"}
    refused(client.patch(path, json=body), "precondition-missing")
    for stale in ('"0"', '"2"', 'W/"1"', '"b"'):
        answer = client.patch(path, json=body, headers={"If-Match": stale})
        assert "revision 1" in refused(answer, "bundle-stale")["detail"]
    assert one(client, bundle_id) == before


def test_nothing_is_guessed_of_a_body(client: FlaskClient) -> None:
    bundle = bundle_of(client)
    path, held = f"/v1/bundles/{bundle['bundle_id']}", {"If-Match": '"0"'}
    refused(
        client.patch(path, data=b"{", headers=held, content_type="application/json"),
        "malformed-body",
    )
    refused(client.patch(path, data=b"status=approved", headers=held), "not-json")
    refused(client.patch(path, json=[], headers=held), "invalid-request")
    assert bundle_of(client) == bundle


def key(app: Flask, *scopes: Scope, **grant: Any) -> dict[str, str]:
    """Make a key; return the header that sends it."""
    _, secret = state(app).ledger.keys.create(Grant(scopes=scopes, **grant), int(time.time()))
    state(app).key_cache._until = 0.0
    return {"Authorization": f"Bearer {secret}"}


def test_only_marketers_look_and_decide_and_are_named(app: Flask, client: FlaskClient) -> None:
    bundle_id = bundle_of(client)["bundle_id"]
    marketer = key(app, "marketing", name="Ada")
    nameless = key(app, "marketing")
    path, body = f"/v1/bundles/{bundle_id}", {"status": "approved", "price": money(250)}
    for other in (
        key(app, "recommend", "events", "offers", "customers", "catalogue", "admin"),
        key(app, "marketing", channels=("store_screen",)),
    ):
        for answer in (
            client.get("/v1/bundles", headers=other),
            client.get(path, headers=other),
            client.patch(path, json=body, headers={**other, "If-Match": '"0"'}),
        ):
            assert answer.status_code == 403
    done = client.patch(path, json=body, headers={**marketer, "If-Match": '"0"'})
    assert done.get_json()["changed_by"] == "Ada"
    body = {"status": "paused"}
    done = client.patch(path, json=body, headers={**nameless, "If-Match": '"1"'})
    assert done.get_json()["changed_by"] == nameless["Authorization"].split("_")[1]


def test_a_key_decides_for_its_own_channels_and_locations(app: Flask, client: FlaskClient) -> None:
    bundle_id = bundle_of(client)["bundle_id"]
    online = key(app, "marketing", channels=("web", "app"))
    north = key(app, "marketing", locations=("S1",))
    path, body = f"/v1/bundles/{bundle_id}", {"status": "approved", "price": money(250)}

    def ask(holder: dict[str, str], revision: int, **fields: Any) -> Any:
        headers = {**holder, "If-Match": f'"{revision}"'}
        return client.patch(path, json={**body, **fields}, headers=headers)

    refused(ask(online, 0), "channel-forbidden")
    refused(ask(online, 0, channels=["web", "pos"]), "channel-forbidden")
    refused(ask(north, 0, locations=["S2"]), "location-forbidden")
    assert ask(online, 0, channels=["web"]).status_code == 200
    refused(ask(north, 1, locations=["S1"], channels=[]), "location-forbidden")
    assert ask(online, 1, status="paused").status_code == 200
