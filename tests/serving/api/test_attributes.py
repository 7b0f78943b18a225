"""What a catalogue says besides titles and prices: in answers, in filters, and told by hand."""

import json
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient

from serving.schemas import Page, Recommendations
from tests.serving.access.test_admission import problem
from tests.serving.conftest import ADULT, ITEMS, ask, ids

from .test_backoffice import put

EVERY: dict[str, Any] = {"placement": "tasting"}


def shown(client: FlaskClient, **fields: Any) -> dict[str, Any]:
    answer = ask(client, **(EVERY | fields))
    msgspec.convert(answer, Recommendations)
    return {item["item_id"]: item for item in answer["items"]}


def test_pages_and_pictures_are_told_where_they_are_known(client: FlaskClient) -> None:
    items = shown(client)
    assert items["pasta"]["url"] == "https://shop.example/p/pasta"
    assert items["pasta"]["image_url"] == "https://cdn.example/pasta.jpg"
    assert items["tea"]["image_url"] == "https://cdn.example/tea.jpg"
    assert "image_url" not in items["beer"]  # javascript: is no picture
    assert {"url", "image_url", "attributes"}.isdisjoint(items["butter"])


def test_other_attributes_are_told_on_request(client: FlaskClient) -> None:
    items = shown(client, attributes=["bottle", "gtin", "unknown"])
    assert items["pasta"]["attributes"] == {"gtin": "4006381333931"}
    assert items["beer"]["attributes"] == {"bottle": "returnable glass"}
    assert items["butter"]["attributes"] == {}
    every = shown(client, attributes=["*"])
    assert every["beer"]["attributes"] == {
        "url": "https://shop.example/p/beer",
        "bottle": "returnable glass",
    }
    assert every[ADULT]["attributes"] == {"age_restriction": "16"}
    got = client.get(f"/v1/recommendations?placement=web_home&attributes=gtin&count={len(ITEMS)}")
    assert {item["item_id"]: item["attributes"] for item in got.get_json()["items"]}["pasta"] == {
        "gtin": "4006381333931"
    }
    batch = {"placement": "web_home", "customers": [{}], "attributes": ["bottle"], "count": 100}
    lines = client.post("/v1/recommendations/batch", json=batch).text.splitlines()
    (told,) = (item for item in json.loads(lines[0])["items"] if item["item_id"] == "beer")
    assert told["attributes"] == {"bottle": "returnable glass"}


@pytest.mark.parametrize("how", ["bought-together", "similar"])
def test_a_products_page_tells_them_too(client: FlaskClient, how: str) -> None:
    query = {"attributes": ["gtin"], "count": 100}
    answer = client.get(f"/v1/items/pasta/{how}", query_string=query)
    page = msgspec.to_builtins(msgspec.json.decode(answer.data, type=Page))
    assert page["item"]["url"] == "https://shop.example/p/pasta"
    assert page["item"]["attributes"] == {"gtin": "4006381333931"}
    assert all(item["attributes"] == {} for item in page["items"])


def test_bundles_tell_them(client: FlaskClient) -> None:
    query = {"item_id": "pasta", "show": "all", "attributes": "gtin"}
    (first, *_) = client.get("/v1/bundles", query_string=query).get_json()["bundles"]
    told = {item["item_id"]: item for item in first["items"]}["pasta"]
    assert told["url"] == "https://shop.example/p/pasta"
    assert told["attributes"] == {"gtin": "4006381333931"}
    (plain, *_) = client.get("/v1/bundles?item_id=pasta&show=all").get_json()["bundles"]
    assert all("attributes" not in item for item in plain["items"])
    one = client.get(f"/v1/bundles/{first['bundle_id']}").get_json()
    found = {item["item_id"]: item["attributes"] for item in one["items"]}["pasta"]
    assert found.keys() == {"url", "image_url", "gtin"}


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({"field": "attributes.bottle", "value": "returnable glass"}, {"beer"}),
        ({"field": "attributes.bottle", "op": "contains", "value": "GLASS"}, {"beer"}),
        ({"field": "attributes.age_restriction", "op": "ge", "value": 16}, {ADULT}),
        ({"field": "attributes.age_restriction", "op": "lt", "value": 99}, {ADULT}),
        ({"field": "attributes.gtin", "op": "in", "value": ["4006381333931"]}, {"pasta"}),
        ({"field": "attributes.url", "op": "exists"}, {"beer", "pasta"}),
        (
            {"field": "attributes.bottle", "op": "ne", "value": "returnable glass"},
            {*ITEMS} - {"beer"},
        ),
        (
            {"field": "attributes.age_restriction", "op": "exists", "value": False},
            {*ITEMS} - {ADULT},
        ),
    ],
)
def test_filters_ask_for_them(
    client: FlaskClient, document: dict[str, Any], found: set[str]
) -> None:
    assert set(ids(ask(client, filter=document, **EVERY))) == found


def test_an_attribute_that_nobody_knows_is_told_with_those_that_are(client: FlaskClient) -> None:
    body = {"placement": "web_home", "filter": {"field": "attributes.botle", "value": "x"}}
    answer = client.post("/v1/recommendations", json=body)
    problem(answer, 422, "invalid-request")
    (error,) = answer.get_json()["errors"]
    assert error["pointer"] == "/filter/field"
    assert "`bottle`" in error["detail"]
    assert "age_restriction, bottle, gtin, image_url, url" in error["detail"]


def test_what_is_told_of_them_counts_at_once(client: FlaskClient) -> None:
    adults = {"not": {"field": "attributes.age_restriction", "op": "ge", "value": 18}}
    assert "pasta" in ids(ask(client, filter=adults, **EVERY))
    said = {"age_restriction": 18, "url": "https://shop.example/new", "gtin": None, "vegan": True}
    put(client, "items", {"item_id": "pasta", "attributes": said})
    assert "pasta" not in ids(ask(client, filter=adults, **EVERY))
    hidden = ask(client, count=100)
    assert "pasta" not in ids(hidden)
    assert hidden["left_out"]["age_restricted"] == 2
    item = shown(client, attributes=["*"])["pasta"]
    assert item["url"] == "https://shop.example/new"
    assert item["attributes"] == {
        "url": "https://shop.example/new",
        "image_url": "https://cdn.example/pasta.jpg",
        "age_restriction": "18",
        "vegan": "true",
    }
    vegan = {"field": "attributes.vegan", "value": "true"}
    assert ids(ask(client, filter=vegan, **EVERY)) == ["pasta"]
    put(client, "items", {"item_id": "pasta", "attributes": {"vegan": None}, "title": "Penne"})
    assert ids(ask(client, filter=vegan, **EVERY)) == []
    assert shown(client, attributes=["age_restriction"])["pasta"]["attributes"] == {
        "age_restriction": "18"
    }


@pytest.mark.parametrize("address", ["javascript:alert(1)", "/p/1", 7, "https://a b"])
def test_an_address_that_no_page_may_follow_is_refused(client: FlaskClient, address: Any) -> None:
    body = {"items": [{"item_id": "pasta", "attributes": {"image_url": address}}]}
    answer = client.put("/v1/items", json=body)
    problem(answer, 422, "invalid-request")
    (error,) = answer.get_json()["errors"]
    assert error["pointer"] == "/items/0/attributes/image_url"
    assert shown(client)["pasta"]["image_url"] == "https://cdn.example/pasta.jpg"


def test_a_code_that_a_spreadsheet_has_shortened_is_refused(client: FlaskClient) -> None:
    body = {"items": [{"item_id": "pasta", "attributes": {"gtin": "5.01235E+12"}}]}
    answer = client.put("/v1/items", json=body)
    problem(answer, 422, "invalid-request")
    (error,) = answer.get_json()["errors"]
    assert error["pointer"] == "/items/0/attributes/gtin"


def test_goods_with_a_minimum_age_are_shown_only_where_they_are_allowed(
    client: FlaskClient,
) -> None:
    assert ADULT in ids(ask(client, **EVERY))
    for placement in ("web_home", "web_product", "web_cart", "email_weekly", "store_screen"):
        assert ADULT not in ids(ask(client, placement, count=100))
    lines = client.post(
        "/v1/recommendations/batch",
        json={"placement": "email_weekly", "customers": [{}], "count": 100},
    ).text.splitlines()
    assert ADULT not in ids(json.loads(lines[0]))
    for how in ("bought-together", "similar"):
        path = f"/v1/items/item14/{how}"
        only = json.dumps({"field": "item_id", "value": ADULT})
        hidden = client.get(path, query_string={"filter": only}).get_json()
        assert (ids(hidden), hidden["heading"]) == ([], None)
        allowed = {"filter": only, "age_restricted": "true"}
        assert ids(client.get(path, query_string=allowed).get_json()) == [ADULT]
