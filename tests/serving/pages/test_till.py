"""What the till's page is given: who may use it, its stores, and what was scanned."""

import html
import json
import re

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from recsys.ledger.offers import UNDO_SECONDS
from tests.serving.access.test_admission import problem
from tests.serving.access.test_session import OWN, make, sign_in
from tests.serving.conftest import ITEMS, state
from tests.serving.marketing import put_items


def given(client: FlaskClient, name: str) -> str:
    """What the page holds for its script."""
    page = client.get("/till")
    assert page.status_code == 200
    found = re.search(rf'data-{name}="([^"]*)"', page.text)
    assert found is not None
    return html.unescape(found[1])


def stores(client: FlaskClient) -> list[str]:
    return [place["location_id"] for place in json.loads(given(client, "locations"))]


def enter(client: FlaskClient, key: str) -> int:
    form = {"key": key, "page": "till"}
    return client.post("/dashboard/session", data=form, headers=OWN).status_code


def test_it_is_for_keys_of_offers_and_for_their_stores(app: Flask, client: FlaskClient) -> None:
    everywhere = stores(client)
    assert len(everywhere) > 1
    assert int(given(client, "undo-seconds")) == UNDO_SECONDS
    marketing, here = make(app, "marketing"), make(app, "offers", locations=(everywhere[0],))
    assert "csrf-token" not in client.get("/till").text
    assert enter(client, marketing) == 403
    assert sign_in(client, marketing).status_code == 200
    assert "csrf-token" not in client.get("/till").text
    assert enter(client, here) == 303
    assert stores(client) == everywhere[:1]
    assert "csrf-token" not in client.get("/dashboard").text


def test_a_scan_finds_one_product(app: Flask, client: FlaskClient) -> None:
    put_items(client, {"item_id": ITEMS[0], "attributes": {"gtin": "4006381333931"}})
    state(app).refresh()
    for text in (ITEMS[0], "4006381333931", "04006381333931"):
        assert client.get(f"/till/products/{text}").get_json()["item_id"] == ITEMS[0]
    for text in ("4006381333932", "%2Fno%2Fsuch", "x" * 150):
        problem(client.get(f"/till/products/{text}"), 404, "item-unknown")
    make(app, "offers")
    problem(client.get(f"/till/products/{ITEMS[0]}"), 401, "key-missing")


@pytest.mark.parametrize("shown", [True, False])
def test_a_shops_visitors_do_not_undo_each_others_redemptions(
    app: Flask, client: FlaskClient, *, shown: bool
) -> None:
    """They share a key: whoever had a discount would take the offer back and use it again."""
    config = state(app).config
    serve = msgspec.structs.replace(config.serve, example_shop=shown)
    state(app).config = msgspec.structs.replace(config, serve=serve)
    make(app, "offers")
    token = state(app).sessions.shop_token("http://localhost", state(app).now_ts())
    answer = client.delete(
        "/v1/offers/0000-0000-0000-0000/redemptions/1?channel=web",
        headers={"Authorization": f"Bearer {token}", "Origin": "http://localhost"},
    )
    problem(answer, 403 if shown else 401, "browser-key" if shown else "key-unknown")
