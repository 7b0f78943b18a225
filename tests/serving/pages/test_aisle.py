"""A product's page in the aisle, without a browser: the engine's facts, and nothing of anybody."""

import html
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from recsys.config.toml_file import Config, LimitSettings
from tests.serving.conftest import ADULT, SOLD_OUT, Serve, ask, known, state
from tests.serving.marketing import approve, change, customer, issue, one, put_items

HERE = "?location=S1"


def with_pages(config: Config, **more: Any) -> Config:
    settings = msgspec.structs.replace(config.serve, aisle_pages=True)
    return msgspec.structs.replace(config, serve=settings, **more)


@pytest.fixture
def aisle_app(config: Config, serve: Serve) -> Flask:
    return serve(with_pages(config))


@pytest.fixture
def client(aisle_app: Flask) -> FlaskClient:
    return aisle_app.test_client()


def text(client: FlaskClient, path: str, status: int = 200, **more: Any) -> str:
    """Open a page, and return what it says, without its markup."""
    answer = client.get(f"/p/{path}", **more)
    assert (answer.status_code, answer.mimetype) == (status, "text/html"), answer.text
    words = html.unescape(re.sub(r"<style.*?</style>|<[^>]+>", " ", answer.text, flags=re.DOTALL))
    return " ".join(words.split())


def test_there_is_none_unless_it_is_asked_for(config: Config, serve: Serve) -> None:
    answer = serve(config).test_client().get(f"/p/tea{HERE}")
    assert answer.status_code == 404
    assert answer.get_json()["type"] == "/problems#not-found"


def test_it_says_what_the_engine_knows(client: FlaskClient) -> None:
    said = text(client, f"pasta{HERE}")
    assert "Pasta" in said
    assert "€1.50" in said
    assert "In this store In stock: 9" in said
    query = {"location_id": "S1", "count": 6}
    answer = client.get("/v1/items/pasta/bought-together", query_string=query).get_json()
    page = client.get(f"/p/pasta{HERE}").text
    listed = re.findall(r'<li><a href="/p/([^"?]+)\?location=S1"', page)
    assert listed == [item["item_id"] for item in answer["items"]]
    assert SOLD_OUT not in listed
    assert "Sold out here" in text(client, f"{SOLD_OUT}{HERE}")
    assert "Minimum age: 16" in text(client, f"{ADULT}{HERE}")


def test_news_of_the_back_office_count(client: FlaskClient) -> None:
    places = [
        {"location_id": "S1", "latitude": 48.8566, "longitude": 2.3522},
        {"location_id": "S2", "latitude": 48.8049, "longitude": 2.1204},
    ]
    assert client.put("/v1/locations", json={"locations": places}).status_code == 200
    stock = [
        {"location_id": "S1", "item_id": "tea", "on_hand": 3, "reserved": 1},
        {"location_id": "S2", "item_id": "tea", "on_hand": 4},
    ]
    assert client.put("/v1/stock", json={"stock": stock}).status_code == 200
    put_items(client, {"item_id": "tea", "price": {"amount_minor": 199, "currency": "EUR"}})
    said = text(client, f"tea{HERE}")
    assert "€1.99" in said
    assert "In this store In stock: 2" in said
    assert "S2 17.9 km away In stock: 4" in said
    put_items(client, {"item_id": "tea", "active": False})
    assert "No longer sold" in text(client, f"tea{HERE}")


def test_without_a_known_store_it_says_so(client: FlaskClient) -> None:
    for path in ("tea", "tea?location=nowhere", "tea?location="):
        said = text(client, path)
        assert "We do not know which store you are in" in said
        assert "In stock" not in said
        assert "?location=" not in client.get(f"/p/{path}").text.partition("<footer>")[0]


def test_what_is_unknown_is_a_page_too(client: FlaskClient) -> None:
    assert "No such product" in text(client, f"nothing{HERE}", 404)
    put_items(client, {"item_id": "tea", "title": "<script>alert(1)</script>"})
    assert "<script>alert" not in client.get(f"/p/tea{HERE}").text
    assert "<img src=x" not in client.get(f"/p/milk{HERE}").text


def test_without_a_model_it_asks_for_patience(config: Config, serve: Serve, tmp_path: Path) -> None:
    workspace = msgspec.structs.replace(config.workspace, state=str(tmp_path / "state"))
    client = serve(with_pages(config, workspace=workspace)).test_client()
    assert "Not ready yet" in text(client, f"tea{HERE}", 503)
    assert client.get("/p/tea").headers["Retry-After"]


def test_pictures_may_come_from_their_origin_alone(client: FlaskClient) -> None:
    answer = client.get(f"/p/item00{HERE}")
    policy = answer.headers["Content-Security-Policy"]
    assert 'src="data:image/svg+xml;base64,' in answer.text
    shown = client.get("/p/pasta?location=nowhere")
    policy = shown.headers["Content-Security-Policy"]
    assert 'src="https://cdn.example/pasta.jpg"' in shown.text
    assert "img-src 'self' https://cdn.example data:" in policy
    assert policy.count("https:") == 1
    assert "javascript:" not in client.get(f"/p/beer{HERE}").text


def test_everybody_sees_the_same_and_nothing_is_written(
    aisle_app: Flask, client: FlaskClient
) -> None:
    bundle_id = approve(client)
    issue(client, customer(aisle_app, 0), bundle_id)
    ask(client, **known(0))
    state(aisle_app).flush()
    before = one(client, bundle_id)["offers"]
    ledger = state(aisle_app).ledger
    mark = ledger.mark()
    stranger = client.get(f"/p/bread{HERE}")
    visitor = aisle_app.test_client()
    for name in ("omnibasket_session", "session_id", "customer_id"):
        visitor.set_cookie(name, "anybody")
    headers = {"Authorization": "Bearer nothing"}
    path = f"/p/bread{HERE}&customer_id={customer(aisle_app, 0)}"
    assert visitor.get(f"/p/bread{HERE}", headers=headers).data == stranger.data
    assert visitor.get(path).data == stranger.data
    assert "Set-Cookie" not in stranger.headers
    state(aisle_app).flush()
    assert ledger.mark() == mark
    assert one(client, bundle_id)["offers"] == before


def test_bundles_are_those_that_anybody_may_ask_for(aisle_app: Flask, client: FlaskClient) -> None:
    bundle_id = approve(client)
    offer = "Bread + =Butter €2.50 instead of €3.00"

    def is_shown(path: str = f"bread{HERE}", **terms: Any) -> bool:
        if terms:
            revision = one(client, bundle_id)["revision"]
            answer = change(client, bundle_id, revision, **terms)
            assert answer.status_code == 200, answer.text
        return offer in text(client, path)

    assert is_shown()
    assert "not guaranteed" in text(client, f"bread{HERE}")
    assert not is_shown("bread")
    assert not is_shown(f"tea{HERE}")
    assert not is_shown(channels=["web"])
    assert is_shown(channels=["web", "pos"])
    assert not is_shown(locations=["S2"])
    assert is_shown("bread?location=S2")
    assert is_shown(locations=[])
    assert is_shown(budget={"amount_minor": 60, "currency": "EUR"})
    assert issue(client, customer(aisle_app, 0), bundle_id).status_code == 201
    assert not is_shown()  # the offer reserved what was left
    assert is_shown(budget=None)
    sold_out = [{"location_id": "S1", "item_id": "butter", "on_hand": 0}]
    assert client.put("/v1/stock", json={"stock": sold_out}).status_code == 200
    assert not is_shown()
    assert is_shown("bread?location=S2")
    assert not is_shown("bread?location=S2", status="paused")


def test_ids_of_any_characters_lead_to_their_page(client: FlaskClient) -> None:
    for path in ("a%2Fb", "caf%C3%A9%20x", "a%3Fb"):
        assert "No such product" in text(client, path + HERE, 404)


def test_one_address_may_not_read_the_whole_catalogue(
    config: Config, serve: Serve, tmp_path: Path
) -> None:
    workspace = msgspec.structs.replace(config.workspace, state=str(tmp_path / "state"))
    limits = LimitSettings(address_requests_per_minute=3)
    app = serve(with_pages(config, workspace=workspace, limits=limits))
    found = [app.test_client().get("/p/tea").status_code for _ in range(4)]
    assert found == [503, 503, 503, 429]


def test_it_speaks_the_visitors_language(client: FlaskClient) -> None:
    said = text(client, f"pasta{HERE}", headers={"Accept-Language": "de"})
    assert "Vorrätig: 9" in said
    answer = client.get(f"/p/pasta{HERE}&lang=ar")
    assert 'dir="rtl"' in answer.text
    assert '<input type="hidden" name="location" value="S1">' in answer.text
