"""Products are found by what people type and scan, and told in full, the same to everybody."""

from typing import Any

import msgspec
import numpy as np
import pytest
from flask.testing import FlaskClient

from recsys.config import PlacementRule, PlacementSettings
from recsys.config.toml_file import Config
from recsys.units import DAY
from serving.schemas import FoundItems, Product
from tests.serving.access.test_admission import MakeKey, app, call, make, problem
from tests.serving.conftest import ADULT, ITEMS, SOLD_OUT, Serve, state
from tests.serving.marketing import put_items

__all__ = ["app", "make"]


def find(client: FlaskClient, q: str, **query: Any) -> Any:
    answer = client.get("/v1/items", query_string={"q": q, **query})
    assert answer.status_code == 200, answer.text
    msgspec.json.decode(answer.data, type=FoundItems)
    return answer.get_json()


def look(client: FlaskClient, item_id: str, **query: Any) -> Any:
    answer = client.get(f"/v1/items/{item_id}", query_string=query)
    assert answer.status_code == 200, answer.text
    msgspec.json.decode(answer.data, type=Product)
    return answer.get_json()


def ids(found: Any) -> list[str]:
    return [item["item_id"] for item in found["items"]]


def test_products_are_found_by_words_in_any_order_and_case(client: FlaskClient) -> None:
    assert ids(find(client, "TOMATO sau")) == [SOLD_OUT]
    assert ids(find(client, "tomato butter")) == []
    assert ids(find(client, "omato")) == []
    every = find(client, "item", count=200)
    assert (
        every["total"] == len(every["items"]) == sum(name.startswith("item") for name in ITEMS) - 1
    )
    assert [item["rank"] for item in every["items"]] == [*range(1, every["total"] + 1)]
    few = find(client, "item", count=3)
    assert (ids(few), few["total"]) == (ids(every)[:3], every["total"])
    shares = state(client.application).loaded().search._shares
    order = [
        shares[state(client.application).loaded().index.ix_of([name])[0]] for name in ids(every)
    ]
    assert order == sorted(order, reverse=True)


def test_words_of_brands_and_categories_count_after_those_of_titles(client: FlaskClient) -> None:
    put_items(
        client,
        {"item_id": "item01", "title": "Thé vert", "brand": "Crème & Co"},
        {"item_id": "item02", "title": "Crème fraîche", "category": "Molkerei"},
        {"item_id": "item03", "title": "Cremetorte", "category": "Süßes"},
        {"item_id": "item04", "title": "緑茶", "category": "Cremes"},
    )
    assert ids(find(client, "creme")) == ["item02", "item01", "item03", "item04"]
    assert ids(find(client, "creme SUSSES")) == ["item03"]
    assert ids(find(client, "the creme")) == ["item01"]
    assert ids(find(client, "茶")) == ["item04"]
    assert "item01" not in ids(find(client, "item01 vert"))  # its id is no word
    assert ids(find(client, "item01")) == ["item01"]  # but all of what was typed may be the id
    assert ids(find(client, "Item02")) == []  # the title of before
    put_items(client, {"item_id": "item02", "title": "Item02 sauce"})
    assert ids(find(client, "sauce")) == [SOLD_OUT, "item02"]  # the first by its id
    assert ids(find(client, "creme")) == ["item01", "item03", "item04"]


def test_a_scanned_product_comes_first(client: FlaskClient) -> None:
    for text in ("4006381333931", "04006381333931", " pasta "):
        assert ids(find(client, text))[0] == "pasta"
    assert ids(find(client, "4006381333932")) == []


def test_what_may_not_be_shown_is_not_found(client: FlaskClient) -> None:
    assert ids(find(client, "Item15")) == []
    assert find(client, "Item15")["left_out"] == {"age_restricted": 1}
    adult = find(client, "Item15", age_restricted="true")["items"]
    assert [(it["item_id"], it["age_restricted"], it["minimum_age"]) for it in adult] == [
        (ADULT, True, 16)
    ]
    put_items(client, {"item_id": "tea", "active": False})
    gone = find(client, "tea")
    assert (gone["items"], gone["total"], gone["left_out"]) == ([], 0, {})
    assert look(client, "tea")["active"] is False
    cheap = '{"field": "price", "op": "lt", "value": 100}'
    assert find(client, "sauce", filter=cheap)["left_out"] == {"filtered": 1}


def test_stock_counts_where_somebody_asks_for_it(client: FlaskClient) -> None:
    (here,) = find(client, "sauce", location_id="S1")["items"]
    assert here["availability"] == {"location_id": "S1", "on_hand": 0, "pickup": False}
    for where in ({"location_id": "S1"}, {}):
        left = find(client, "sauce", in_stock="true", **where)
        assert (left["items"], left["left_out"]) == ([], {"out_of_stock": 1})
    stock = [{"location_id": "S2", "item_id": "sauce", "on_hand": 2}]
    assert client.put("/v1/stock", json={"stock": stock}).status_code == 200
    assert ids(find(client, "sauce", in_stock="true")) == ["sauce"]
    assert ids(find(client, "sauce", in_stock="true", location_id="S1")) == []
    assert ids(find(client, "sauce", in_stock="true", location_id="nowhere")) == ["sauce"]


def test_a_product_says_where_it_can_be_had(client: FlaskClient) -> None:
    pasta = look(client, "pasta", location_id="S1", attributes="gtin")
    assert pasta["title"] == "Pasta"
    assert pasta["price"] == {"amount_minor": 150, "currency": "EUR"}
    assert pasta["attributes"] == {"gtin": "4006381333931"}
    assert pasta["availability"] == {"location_id": "S1", "on_hand": 9, "pickup": True}
    assert pasta["stores"] == [{"location_id": "S2", "on_hand": 9}]
    everywhere = look(client, "pasta")
    assert [store["location_id"] for store in everywhere["stores"]] == ["S1", "S2"]
    assert everywhere["n_stores"] == 2
    few = look(client, "pasta", stores=1)
    assert (len(few["stores"]), few["n_stores"]) == (1, 2)
    places = [
        {"location_id": "S1", "latitude": 48.8566, "longitude": 2.3522},
        {"location_id": "S2", "latitude": 48.8049, "longitude": 2.1204},
        {"location_id": "S3", "name": "Harbour"},
        {"location_id": "W", "kind": "online", "delivery_days": 2},
    ]
    assert client.put("/v1/locations", json={"locations": places}).status_code == 200
    stock = [
        {"location_id": "S2", "item_id": "sauce", "on_hand": 4, "reserved": 1},
        {"location_id": "S3", "item_id": "sauce", "on_hand": 50},
        {"location_id": "W", "item_id": "sauce", "on_hand": 5},
    ]
    assert client.put("/v1/stock", json={"stock": stock}).status_code == 200
    sauce = look(client, "sauce", location_id="S1")
    near = {"location_id": "S2", "km": 17.9, "on_hand": 4, "reserved": 1, "sellable": 3}
    assert sauce["stores"] == [near, {"location_id": "S3", "name": "Harbour", "on_hand": 50}]
    assert sauce["availability"]["nearest"] == near
    assert sauce["availability"]["delivery_days"] == 2


def test_a_key_is_told_of_its_locations_only(client: FlaskClient, make: MakeKey) -> None:
    places = [
        {"location_id": "S1", "latitude": 48.8566, "longitude": 2.3522},
        {"location_id": "S2", "latitude": 48.8049, "longitude": 2.1204},
    ]
    assert client.put("/v1/locations", json={"locations": places}).status_code == 200
    stock = [{"location_id": "S2", "item_id": "sauce", "on_hand": 4}]
    assert client.put("/v1/stock", json={"stock": stock}).status_code == 200
    paths = ("/v1/items/sauce", "/v1/items?q=sauce")
    everywhere = make("recommend")
    own = make("recommend", locations=["S1"])
    kiosk = make("recommend", channels=["store_screen"], locations=["S1"])
    web = make("recommend", origins=["https://shop.example"])
    for path in paths:
        joint = "&" if "?" in path else "?"
        assert '"S2"' in call(client, everywhere, f"{path}{joint}location_id=S1", None).text
        told = call(client, own, path, None)
        assert '"location_id":"S1"' in told.text
        assert "S2" not in told.text
        problem(call(client, own, f"{path}{joint}location_id=S2", None), 403, "location-forbidden")
        problem(call(client, kiosk, path, None), 403, "channel-forbidden")
        of_page = call(client, web, path, None, Origin="https://shop.example")
        assert of_page.status_code == 200


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("", "/q"),
        ("q=", "/q"),
        ("q=tea&text=x", "/text"),
        ("q=tea&count=0", "/count"),
        ("q=tea&in_stock=perhaps", "/in_stock"),
        ("q=tea&placement=nowhere", "/placement"),
        ("q=tea&placement=tasting&age_restricted=true", "/age_restricted"),
        ("q=tea&filter=x", "/filter"),
    ],
)
def test_a_wrong_search_is_explained(client: FlaskClient, query: str, pointer: str) -> None:
    answer = client.get(f"/v1/items?{query}")
    problem(answer, 422, "invalid-request")
    assert answer.get_json()["errors"][0]["pointer"] == pointer


def test_a_wrong_look_is_explained(client: FlaskClient) -> None:
    for name in ("nothing", "a%2Fb", "pasta%20"):
        problem(client.get(f"/v1/items/{name}"), 404, "item-unknown")
    problem(client.get("/v1/items/pasta?store=3"), 422, "invalid-request")
    problem(client.get("/v1/items/pasta?stores=-1"), 422, "invalid-request")


def test_a_search_belongs_to_a_placement(config: Config, serve: Serve) -> None:
    rule = PlacementRule(name="no tea", action="exclude", item_ids=["tea"])
    ruled = PlacementSettings(channel="web", age_restricted=True, rules=[rule])
    placements = {**config.placements, "chat": ruled}
    client = serve(msgspec.structs.replace(config, placements=placements)).test_client()
    assert ids(find(client, "tea")) == ["tea"]
    assert ids(find(client, "tea", placement="chat")) == []
    assert ids(find(client, "Item15", placement="chat")) == [ADULT]


def test_an_answer_is_sent_again_only_once_it_has_changed(client: FlaskClient) -> None:
    for path in ("/v1/items/tea", "/v1/items?q=tea"):
        first = client.get(path)
        assert first.headers["Cache-Control"] == "private, max-age=60"
        held = {"If-None-Match": first.headers["ETag"]}
        assert client.get(path, headers=held).status_code == 304
        state(client.application).shift_seconds += DAY
        assert client.get(path, headers=held).status_code == 304
        price = {"amount_minor": 100 + len(path), "currency": "EUR"}
        put_items(client, {"item_id": "tea", "price": price})
        assert client.get(path, headers=held).status_code == 200


def test_a_product_may_have_a_slash_in_its_id(client: FlaskClient) -> None:
    index = state(client.application).loaded().index
    assert np.array_equal(index.ix_of(["tea/similar"]), [-1])
    problem(client.get("/v1/items/tea/x"), 404, "item-unknown")
    assert client.get("/v1/items/tea/similar").get_json()["item"]["item_id"] == "tea"
