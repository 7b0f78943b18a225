"""What the back office tells shows at once: prices, titles, activity, stock, stores."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from recsys.config.placement_settings import PlacementSettings
from recsys.config.settings import StockSettings
from recsys.config.toml_file import Config
from recsys.ledger.api_keys import Grant
from serving.schemas import UpdateAnswer
from serving.schemas.recommendations import RecommendedItem
from tests.serving.conftest import SOLD_OUT, Serve, ask, ids, known, state

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


def available(answer: dict[str, Any], item_id: str) -> dict[str, Any]:
    (found,) = (item for item in answer["items"] if item["item_id"] == item_id)
    msgspec.convert(found, RecommendedItem)
    told: dict[str, Any] = found["availability"]
    return told


def test_what_is_put_aside_is_told_and_not_sold(client: FlaskClient) -> None:
    row = {"location_id": "S1", "item_id": "tea", "on_hand": 5}
    every = {"location_id": "S1", "count": 24}
    assert put(client, "stock", {**row, "reserved": 3}).changed == 1
    assert put(client, "stock", {**row, "reserved": 3}).unchanged == 1
    told = {"location_id": "S1", "on_hand": 5, "reserved": 3, "sellable": 2, "pickup": True}
    assert available(ask(client, **every), "tea") == told
    put(client, "stock", {**row, "reserved": 5})
    assert "tea" not in ids(ask(client, **every))
    # A row replaces all of the earlier one.
    assert put(client, "stock", row).changed == 1
    told = {"location_id": "S1", "on_hand": 5, "pickup": True}
    assert available(ask(client, **every), "tea") == told


def test_another_store_has_it_and_a_warehouse_sends_it(config: Config, serve: Serve) -> None:
    anywhere = {"anywhere": PlacementSettings(channel="associate", in_stock=False)}
    client = serve(msgspec.structs.replace(config, placements=anywhere)).test_client()
    put(
        client,
        "locations",
        {"location_id": "S1", "name": "Harbour", "latitude": 53.5436, "longitude": 9.9886},
        {"location_id": "S2", "name": "Lake", "latitude": 53.5655, "longitude": 10.0064},
        {"location_id": "online", "delivery_days": 2},
    )
    put(client, "stock", {"location_id": "S1", "item_id": "tea", "on_hand": 0})
    tea = {"field": "item_id", "op": "eq", "value": "tea"}
    asked: dict[str, Any] = {"placement": "anywhere", "filter": tea}
    told = available(ask(client, location_id="S1", **asked), "tea")
    near = {"location_id": "S2", "name": "Lake", "km": 2.7, "on_hand": 9}
    assert told == {"location_id": "S1", "on_hand": 0, "pickup": False, "nearest": near}
    put(client, "stock", {"location_id": "online", "item_id": "tea", "on_hand": 40})
    assert available(ask(client, location_id="S2", **asked), "tea")["delivery_days"] == 2
    assert available(ask(client, **asked), "tea") == {"delivery_days": 2}
    put(client, "items", {"item_id": "tea", "attributes": {"delivery_days": 9}})
    assert available(ask(client, **asked), "tea") == {"delivery_days": 9}
    put(client, "items", {"item_id": "tea", "attributes": {"delivery_days": None}})
    put(client, "locations", {"location_id": "online", "ships": False})
    assert ask(client, **asked)["items"][0]["availability"] is None


def test_old_stock_is_not_trusted(config: Config, serve: Serve) -> None:
    """A list of last night, of which one product was counted again just now."""
    aging = msgspec.structs.replace(config, stock=StockSettings(max_age_hours=2))
    client = serve(aging).test_client()
    now = datetime.now(UTC)
    every = {"location_id": "S1", "count": 24}
    in_hours = [(now + timedelta(hours=n)).isoformat() for n in (1, 3)]
    soon, later = (ask(client, as_of=at, dry_run=True, **every) for at in in_hours)
    assert SOLD_OUT not in ids(soon)
    assert SOLD_OUT in ids(later)
    stale = available(later, "tea")
    assert stale == {"location_id": "S1", "stock_as_of": stale["stock_as_of"], "stale": True}
    put(client, "stock", {"location_id": "S1", "item_id": "tea", "on_hand": 4})
    counted = available(ask(client, as_of=in_hours[0], dry_run=True, **every), "tea")
    assert (counted["on_hand"], "stale" in counted) == (4, False)
    assert now - timedelta(seconds=2) <= datetime.fromisoformat(counted["stock_as_of"])


def test_the_last_pieces_are_left_out_of_a_mailing_and_it_is_told_why(client: FlaskClient) -> None:
    put(
        client, "stock", *({"location_id": s, "item_id": "tea", "on_hand": 1} for s in ("S1", "S2"))
    )
    mail = ask(client, "email_weekly", count=24, **known(0))
    assert not {"tea", SOLD_OUT} & set(ids(mail))
    assert mail["left_out"]["scarce"] == 2
    decision = client.get(f"/v1/decisions/{mail['recommendation_id']}").get_json()
    assert decision["left_out"]["scarce"] == 2
    assert "Products that had too few pieces left: 2." in decision["text"]
    put(client, "stock", {"location_id": "S2", "item_id": "tea", "on_hand": 3, "reserved": 1})
    assert "tea" in ids(ask(client, "email_weekly", count=24, **known(0)))
    assert "scarce" not in ask(client, count=24)["left_out"]


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
        (
            "stock",
            {"location_id": "S1", "item_id": "a", "on_hand": 2, "reserved": -1},
            "/stock/0/reserved",
        ),
        ("locations", {"location_id": "S1", "latitude": 53.5}, "/locations/0/longitude"),
        ("locations", {"location_id": "S1", "longitude": 9.9}, "/locations/0/latitude"),
        (
            "locations",
            {"location_id": "S1", "latitude": 91, "longitude": 9.9},
            "/locations/0/latitude",
        ),
        (
            "locations",
            {"location_id": "S1", "latitude": 0, "longitude": 0},
            "/locations/0/latitude",
        ),
        ("locations", {"location_id": "S1", "time_zone": "CET-1"}, "/locations/0/time_zone"),
        ("locations", {"location_id": "S1", "delivery_days": 366}, "/locations/0/delivery_days"),
        ("locations", {"location_id": "S1", "delivery_days": 1.5}, "/locations/0/delivery_days"),
        (
            "items",
            {"item_id": "a", "attributes": {"delivery_days": "2-3"}},
            "/items/0/attributes/delivery_days",
        ),
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
