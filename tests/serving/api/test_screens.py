"""Screens in stores: paired by a code, shown public lists only, and at a kiosk nobody's history."""

import time
from typing import Any

import msgspec
import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

from recsys.config import PLACEMENTS, PlacementRule
from recsys.errors import LedgerAwayError
from recsys.ledger.api_keys import Grant
from recsys.ledger.screens import PAIRING_SECONDS
from recsys.ranking.dayparts import BEGINS, Dayparts
from serving.schemas import GuestList, PairedKey, Pairing, Playlist, ScreenList
from tests.serving.access.test_admission import problem, renew
from tests.serving.conftest import ADULT, SOLD_OUT, ask, ids, known, state
from tests.serving.marketing import approve


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def make(app: Flask, *scopes: Any, **limits: Any) -> str:
    _, secret = state(app).ledger.keys.create(Grant(scopes, **limits), int(time.time()))
    renew(app)
    return secret


def begin(client: FlaskClient, location_id: str = "S1") -> Pairing:
    answer = client.post("/screens/pairings", json={"location_id": location_id})
    assert answer.status_code == 201, answer.text
    return msgspec.json.decode(answer.data, type=Pairing)


def fetch(client: FlaskClient, secret: str) -> Any:
    return client.post("/screens/pairings/key", json={"secret": secret})


def paired(app: Flask, client: FlaskClient, **more: Any) -> PairedKey:
    """Pair a screen in S1, as a marketer does."""
    marketer, waiting = make(app, "marketing", name="Mia"), begin(client)
    typed = {"code": waiting.code, "name": "Entrance", **more}
    answer = client.post("/v1/screens", json=typed, headers=bearer(marketer))
    assert answer.status_code == 201, answer.text
    found = fetch(client, waiting.secret)
    assert found.status_code == 200, found.text
    renew(app)
    return msgspec.json.decode(found.data, type=PairedKey)


def playlist(client: FlaskClient, key: str | None = None, **query: Any) -> Playlist:
    headers = {} if key is None else bearer(key)
    answer = client.get("/v1/screens/S1/playlist", query_string=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.data, type=Playlist)


def test_the_wall_shows_what_the_store_has(app: Flask, client: FlaskClient) -> None:
    found = playlist(client, count=24)
    shown = [item.item_id for item in found.items]
    asked = ask(client, "store_screen", count=24, location_id="S1")
    assert shown == ids(asked)
    assert SOLD_OUT not in shown
    assert ADULT not in shown
    assert all(item.picture.startswith(("https://", "data:image/svg+xml")) for item in found.items)
    gone = {"stock": [{"location_id": "S1", "item_id": shown[0], "on_hand": 0}]}
    assert client.put("/v1/stock", json=gone).status_code == 200
    state(app).refresh()
    assert shown[0] not in [item.item_id for item in playlist(client, count=24).items]
    problem(client.get("/v1/screens/nowhere/playlist"), 404, "location-unknown")
    state(app).flush()
    decision = client.get(f"/v1/decisions/{found.recommendation_id}").get_json()
    assert decision["items"] == shown
    assert decision["customer_id"] is None


def test_products_of_the_time_of_day_lead(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = [item.item_id for item in playlist(client, count=24).items]
    catalogue, favoured = state(app).loaded().catalogue, usual[-1]
    lift = np.ones((len(catalogue.index), len(BEGINS)), np.float32)
    lift[catalogue.index.ix_of([favoured])[0]] = 1e6
    monkeypatch.setitem(vars(catalogue), "dayparts", Dayparts(lift))
    assert [item.item_id for item in playlist(client, count=24).items] == [favoured, *usual[:-1]]
    assert [item.item_id for item in playlist(client, count=8).items] == [favoured, *usual[:7]]
    config = state(app).config
    ruled = msgspec.structs.replace(
        PLACEMENTS["store_screen"],
        rules=[PlacementRule(name="none", action="exclude", item_ids=["no such"])],
    )
    placements = {**config.placements, "store_screen": ruled}
    monkeypatch.setattr(
        state(app), "config", msgspec.structs.replace(config, placements=placements)
    )
    assert playlist(client, count=24).items[0].item_id != favoured


def test_the_bundle_of_the_day_is_one_that_anybody_may_have(client: FlaskClient) -> None:
    assert playlist(client).bundle is None
    elsewhere = approve(client, locations=["S2"])
    assert playlist(client).bundle is None
    assert approve(client, locations=["S1"]) == elsewhere
    found = playlist(client).bundle
    assert found is not None
    assert found.bundle_id == elsewhere
    bundle = client.get(f"/v1/bundles/{elsewhere}").get_json()
    assert [item.item_id for item in found.items] == [one["item_id"] for one in bundle["items"]]
    assert found.price.amount_minor == bundle["terms"]["price"]["amount_minor"]
    assert found.full_price.amount_minor == 300
    first = found.items[0].item_id
    sold_out = {"stock": [{"location_id": "S1", "item_id": first, "on_hand": 0}]}
    client.put("/v1/stock", json=sold_out)
    state(client.application).refresh()
    assert playlist(client).bundle is None


def test_a_screen_is_paired_seen_and_revoked(app: Flask, client: FlaskClient) -> None:
    marketer = make(app, "marketing", name="Mia")
    waiting = begin(client)
    problem(fetch(client, waiting.secret), 409, "pairing-waits")
    spelled = f" {waiting.code[:3].lower()}-{waiting.code[3:]} "
    body = {"code": spelled, "name": "Entrance"}
    problem(client.post("/v1/screens", json=body), 401, "key-missing")
    wrong = {**body, "code": "AAAAAA"}
    problem(client.post("/v1/screens", json=wrong, headers=bearer(marketer)), 404, "code-unknown")
    made = client.post("/v1/screens", json=body, headers=bearer(marketer))
    assert made.get_json() == {"location_id": "S1", "name": "Entrance", "card_type": None}
    problem(client.post("/v1/screens", json=body, headers=bearer(marketer)), 404, "code-unknown")
    lost = msgspec.json.decode(fetch(client, waiting.secret).data, type=PairedKey)
    found = msgspec.json.decode(fetch(client, waiting.secret).data, type=PairedKey)
    renew(app)
    refused = client.get("/v1/screens/S1/playlist", headers=bearer(lost.key))
    problem(refused, 401, "key-unknown")  # the answer that was lost opens nothing

    def listed() -> list[Any]:
        answer = client.get("/v1/screens", headers=bearer(marketer))
        return msgspec.json.decode(answer.data, type=ScreenList).screens

    (before,) = listed()
    assert (before.screen_id, before.paired_by, before.seen_at) == (found.screen_id, "Mia", None)
    shown = playlist(client, found.key)
    (seen,) = listed()
    assert seen.seen_at is not None
    assert seen.shows == [item.title for item in shown.items]
    gone = client.delete(f"/v1/screens/{found.screen_id}", headers=bearer(marketer))
    assert gone.get_json() == {"screen_id": found.screen_id, "revoked": True}
    renew(app)
    refused = client.get("/v1/screens/S1/playlist", headers=bearer(found.key))
    problem(refused, 401, "key-unknown")
    assert listed() == []


def test_the_wall_goes_on_while_the_ledger_is_away(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = paired(app, client).key

    def away(*_: object) -> None:
        raise LedgerAwayError("away")

    monkeypatch.setattr(state(app).ledger.screens, "note_seen", away)
    assert playlist(client, key).items


def test_a_screens_key_opens_its_store_only(app: Flask, client: FlaskClient) -> None:
    key = paired(app, client).key
    other = client.get("/v1/screens/S2/playlist", headers=bearer(key))
    problem(other, 403, "location-forbidden")
    home = {"placement": "web_home", **known(0)}
    refused = client.post("/v1/recommendations", json=home, headers=bearer(key))
    problem(refused, 403, "channel-forbidden")
    card = {"card": "card0"}
    refused = client.post("/v1/screens/S1/guests", json=card, headers=bearer(key))
    problem(refused, 403, "not-a-kiosk")
    event = {
        "event_id": "w1",
        "event": "view_item_list",
        "occurred_at": "2026-03-01T17:00:00Z",
        "channel": "store_screen",
        "location_id": "S1",
        "items": [{"item_id": "tea"}],
    }
    sent = client.post("/v1/events", json={"events": [event]}, headers=bearer(key))
    assert sent.get_json()["accepted"] == 1, sent.text
    named = {**event, "event_id": "w2", "event": "dismiss", **known(0)}
    refused = client.post("/v1/events", json={"events": [named]}, headers=bearer(key))
    problem(refused, 403, "channel-forbidden")


def test_nobody_scans_what_others_know_of_them(app: Flask, client: FlaskClient) -> None:
    body = {"name": "x", "card_type": "email"}
    marketer = make(app, "marketing")
    body["code"] = begin(client).code
    answer = client.post("/v1/screens", json=body, headers=bearer(marketer))
    problem(answer, 422, "invalid-request")


def test_codes_end_and_only_so_many_wait(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem(client.post("/screens/pairings", json={"location_id": "S1"}), 409, "keys-needed")
    make(app, "marketing")
    waiting, screens = begin(client), state(app).ledger.screens
    later = int(time.time()) + PAIRING_SECONDS + 1
    assert screens.location_of(waiting.code, int(time.time())) == "S1"
    assert screens.location_of(waiting.code, later) is None
    assert screens.fetch(waiting.secret, later) == "over"
    monkeypatch.setattr("recsys.ledger.screens.MOST_WAITING", 1)
    refused = client.post("/screens/pairings", json={"location_id": "S1"})
    problem(refused, 429, "too-many-requests")
    assert screens.begin("S1", later) is not None  # those that are over make room
    unknown = client.post("/screens/pairings", json={"location_id": "nowhere"})
    problem(unknown, 404, "location-unknown")


def guest(client: FlaskClient, key: str, card: str) -> GuestList:
    answer = client.post("/v1/screens/S1/guests", json={"card": card}, headers=bearer(key))
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.data, type=GuestList)


def test_at_a_kiosk_a_customer_sees_what_is_for_them(app: Flask, client: FlaskClient) -> None:
    who = client.get("/v1/offers?identifier_type=loyalty_card&identifier_value=card1").get_json()[
        "customer_id"
    ]
    expected = ask(client, "store_kiosk", customer_id=who, location_id="S1", dry_run=True)
    key = paired(app, client, card_type="loyalty_card").key
    assert playlist(client, key).card_type == "loyalty_card"
    found = guest(client, key, "card1")
    assert found.known
    assert [item.item_id for item in found.items] == ids(expected)
    stranger = guest(client, key, "no such card")
    assert not stranger.known
    admin = bearer(make(app, "recommend", "customers"))
    state(app).flush()
    shown = client.get(f"/v1/customers/{who}", headers=admin).get_json()["shown"]
    assert [one["placement"] for one in shown] == ["store_kiosk"]
    code = client.post("/v1/handovers", json={"customer_id": who}, headers=admin).get_json()["code"]
    assert guest(client, key, code).known
    assert not guest(client, key, code).known  # it works once


def test_who_does_not_consent_is_a_stranger_at_the_kiosk(app: Flask, client: FlaskClient) -> None:
    card = {"identifier_type": "loyalty_card", "identifier_value": "card1"}
    who = client.get("/v1/offers", query_string=card).get_json()["customer_id"]
    no = {"purpose": "personalisation", "given": False}
    client.put(f"/v1/customers/{who}/consents", json={"consents": [no]})
    found = guest(client, paired(app, client, card_type="loyalty_card").key, "card1")
    assert not found.known


def test_cards_are_not_tried_out(app: Flask, client: FlaskClient) -> None:
    key = paired(app, client, card_type="loyalty_card").key
    answers = [
        client.post("/v1/screens/S1/guests", json={"card": f"{n:04}"}, headers=bearer(key))
        for n in range(40)
    ]
    problem(answers[-1], 429, "too-many-requests")
    assert answers[-1].headers["Retry-After"]


def test_a_marketer_of_another_store_does_not_pair_here(app: Flask, client: FlaskClient) -> None:
    there = make(app, "marketing", locations=("S2",))
    body = {"code": begin(client).code, "name": "x"}
    answer = client.post("/v1/screens", json=body, headers=bearer(there))
    problem(answer, 403, "location-forbidden")
    paired(app, client)
    assert client.get("/v1/screens", headers=bearer(there)).get_json() == {"screens": []}
