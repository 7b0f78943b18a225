"""What the back office tells shows at once: prices, titles, activity, stock, stores."""

import time

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from recsys.config.toml_file import Config
from recsys.ledger.api_keys import Grant
from serving.schemas import UpdateAnswer
from tests.serving.conftest import Serve, ask, ids, state

EUR = "EUR"


def put(client: FlaskClient, what: str, *rows: dict[str, object]) -> UpdateAnswer:
    answer = client.put(f"/v1/{what}", json={what: list(rows)})
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.data, type=UpdateAnswer)


def test_a_product_that_is_not_sold_any_more_is_gone_at_once(client: FlaskClient) -> None:
    first = ids(ask(client))[0]
    told = put(client, "items", {"item_id": first, "active": False})
    assert (told.received, told.changed, told.not_in_model) == (1, 1, 0)
    assert first not in ids(ask(client))
    assert put(client, "items", {"item_id": first, "active": True}).changed == 1
    assert ids(ask(client))[0] == first


def test_prices_and_titles_change(client: FlaskClient) -> None:
    first = ids(ask(client))[0]
    price = {"amount_minor": 299, "currency": EUR}
    put(client, "items", {"item_id": first, "price": price, "title": "Now <new>"})
    item = ask(client)["items"][0]
    assert (item["price"], item["title"]) == (price, "Now <new>")
    dear = {"field": "price", "op": "gt", "value": 200}
    assert ids(ask(client, filter=dear)) == [first]


def test_what_is_sold_out_at_a_store_is_not_shown_there(client: FlaskClient) -> None:
    here = {"location_id": "S1"}
    first = ids(ask(client, **here))[0]
    put(client, "stock", {"location_id": "S1", "item_id": first, "on_hand": 0})
    assert first not in ids(ask(client, **here))
    assert first in ids(ask(client, location_id="S2"))
    put(client, "stock", {"location_id": "S1", "item_id": first, "on_hand": 4})
    item = ask(client, **here)["items"][0]
    assert (item["item_id"], item["availability"]["on_hand"]) == (first, 4)


def test_a_new_store_is_not_empty_because_one_product_was_counted(client: FlaskClient) -> None:
    put(client, "locations", {"location_id": "S9", "name": "Harbour", "kind": "store"})
    before = ids(ask(client, location_id="S9"))
    put(client, "stock", {"location_id": "S9", "item_id": before[0], "on_hand": 0})
    assert ids(ask(client, location_id="S9"))[:5] == before[1:6]


def test_what_no_model_knows_waits_for_the_next_training(client: FlaskClient) -> None:
    told = put(client, "items", {"item_id": "brand-new", "title": "Brand new"})
    assert (told.not_in_model, told.not_in_model_ids) == (1, ["brand-new"])
    assert put(client, "items", {"item_id": "brand-new", "title": "Brand new"}).unchanged == 1


def test_other_workers_know_it_soon(app: Flask, config: Config, serve: Serve) -> None:
    other = serve(config)
    first = ids(ask(other.test_client()))[0]
    put(app.test_client(), "items", {"item_id": first, "active": False})
    state(other).refresh()
    assert first not in ids(ask(other.test_client()))


def test_pages_that_were_kept_are_asked_for_anew(client: FlaskClient) -> None:
    path = "/v1/items/pasta/bought-together"
    before = client.get(path)
    held = {"If-None-Match": before.headers["ETag"]}
    assert client.get(path, headers=held).status_code == 304
    put(client, "items", {"item_id": "sauce", "active": False})
    after = client.get(path, headers=held)
    assert after.status_code == 200
    assert "sauce" not in ids(after.get_json())


def test_part_of_one_is_compared_as_told(client: FlaskClient) -> None:
    put(client, "stock", {"location_id": "S1", "item_id": "tea", "on_hand": 0.4})
    passes = {"le": True, "eq": True, "ge": True, "lt": False, "gt": False, "ne": False}
    for op, found in passes.items():
        given = {"field": "on_hand", "op": op, "value": 0.4}
        answer = ask(client, location_id="S1", count=24, filter=given)
        assert ("tea" in ids(answer)) is found, op
        held = {item["item_id"]: item["availability"]["on_hand"] for item in answer["items"]}
        assert held.get("tea", 0.4) == 0.4


@pytest.mark.parametrize(
    ("what", "row", "pointer"),
    [
        ("items", {"item_id": "undefined"}, "/items/0/item_id"),
        ("items", {"item_id": "5.01235E+12"}, "/items/0/item_id"),
        ("items", {"item_id": "a", "parent_id": "(not set)"}, "/items/0/parent_id"),
        ("stock", {"location_id": "S1", "item_id": "#N/A", "on_hand": 2}, "/stock/0/item_id"),
        ("stock", {"location_id": " ", "item_id": "a", "on_hand": 2}, "/stock/0/location_id"),
        ("locations", {"location_id": "null"}, "/locations/0/location_id"),
        ("items", {"title": "nameless"}, "/items/0"),
        ("items", {"item_id": "a", "price": 3.5}, "/items/0/price"),
        ("items", {"item_id": "a", "colour": "red"}, "/items/0/colour"),
        (
            "items",
            {"item_id": "a", "price": {"amount_minor": -1, "currency": EUR}},
            "/items/0/price/amount_minor",
        ),
        ("stock", {"location_id": "S1", "item_id": "a", "on_hand": -2}, "/stock/0/on_hand"),
        ("locations", {"location_id": "S1", "kind": "kiosk"}, "/locations/0/kind"),
    ],
)
def test_a_wrong_update_changes_nothing(
    client: FlaskClient, what: str, row: dict[str, object], pointer: str
) -> None:
    right = {"item_id": "pasta", "location_id": "S1", "on_hand": 0, "active": False}
    names = {"items": ("item_id", "active"), "stock": ("item_id", "location_id", "on_hand")}
    first = {name: right[name] for name in names.get(what, ("location_id",))}
    answer = client.put(f"/v1/{what}", json={what: [row, first]})
    assert answer.status_code == 422
    assert any(error["pointer"].startswith(pointer) for error in answer.get_json()["errors"])
    assert "pasta" in ids(ask(client, count=24))


def test_a_key_changes_its_own_locations_only(app: Flask, client: FlaskClient) -> None:
    grant = Grant(scopes=("catalogue",), locations=("S1",))
    _, secret = state(app).ledger.keys.create(grant, int(time.time()))
    state(app).key_cache._until = 0.0
    rows = {place: {"location_id": place, "item_id": "tea", "on_hand": 1} for place in ("S1", "S2")}
    bearer = {"Authorization": f"Bearer {secret}"}
    codes = {
        place: client.put("/v1/stock", json={"stock": [row]}, headers=bearer).status_code
        for place, row in rows.items()
    }
    assert codes == {"S1": 200, "S2": 403}
    assert client.post("/v1/recommendations", json={}, headers=bearer).status_code == 403
