"""Whoever serves customers scans products, cards, addresses, orders and codes; looks are noted."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from serving.schemas import Scanned
from tests.serving.access.test_admission import problem
from tests.serving.api.test_customer_view import BOTH, tickets_of
from tests.serving.api.test_customers import customer_id, say
from tests.serving.conftest import SOLD_OUT, email, known, state
from tests.serving.marketing import approve, put_items


def scan(client: FlaskClient, text: str, **more: Any) -> Scanned:
    asked = {"text": text, "location_id": "S1", **more}
    answer = client.post("/v1/associate/scans", json=asked)
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.data, type=Scanned)


def test_a_product_is_found_with_where_it_is(app: Flask, client: FlaskClient) -> None:
    put_items(client, {"item_id": "tea", "attributes": {"gtin": "4012345678901"}})
    state(app).refresh()
    found = scan(client, "4012345678901")
    assert found.customer is None
    assert found.item is not None
    assert (found.item.item_id, found.item.sold) == ("tea", True)
    assert found.item.availability is not None
    assert found.item.availability.on_hand == 9
    together = client.get("/v1/items/tea/bought-together?location_id=S1").get_json()["items"]
    assert [one["item_id"] for one in found.item.goes_with] == [one["item_id"] for one in together][
        :6
    ]
    gone = scan(client, SOLD_OUT).item
    assert gone is not None
    assert gone.availability is not None
    assert gone.availability.on_hand == 0
    refused = client.post("/v1/associate/scans", json={"text": "no such", "of": "item"})
    problem(refused, 404, "item-unknown")
    assert client.get("/v1/looks").get_json()["looks"] == []


def test_a_customer_is_found_by_what_they_have(client: FlaskClient, shop: Path) -> None:
    who = customer_id(client, BOTH)
    bundle_id = approve(client)
    offer = client.post(f"/v1/customers/{who}/offers", json={"bundle_id": bundle_id}).get_json()
    code = client.post("/v1/handovers", json={"customer_id": who}).get_json()
    assert code["url"] is None
    assert code["qr"].startswith("data:image/svg+xml;base64,")
    texts = (
        f" card{BOTH} ",
        email(BOTH).upper(),
        next(iter(tickets_of(shop, BOTH))),
        offer["code"].lower(),
        code["code"],
    )
    for text in texts:
        found = scan(client, text, reason="at the shelf")
        assert found.item is None
        assert found.customer is not None, text
        assert found.customer.customer_id == who
    looks = client.get("/v1/looks").get_json()["looks"]
    assert [(one["customer_id"], one["page"], one["reason"]) for one in looks] == [
        (who, "associate", "at the shelf")
    ] * len(texts)
    served = scan(client, f"card{BOTH}").customer
    assert served is not None
    view = client.get(f"/v1/customers/{who}").get_json()
    assert served.orders.count == view["orders"]["count"]
    assert len(served.orders.recent) == 5
    assert served.personal
    for text in ("card999", "nobody@shop.example", "t999999"):
        refused = client.post("/v1/associate/scans", json={"text": text})
        problem(refused, 404, "customer-unknown")


def test_the_code_of_a_stranger_is_not_used_up(app: Flask, client: FlaskClient) -> None:
    cart = {
        "event_id": "c1",
        "event": "add_to_cart",
        "occurred_at": datetime.now(UTC).isoformat(),
        "session_id": "visit-1",
        "items": [{"item_id": "tea"}],
    }
    assert client.post("/v1/events", json={"events": [cart]}).get_json()["accepted"] == 1
    code = client.post("/v1/handovers", json={"session_id": "visit-1"}).get_json()["code"]
    refused = client.post("/v1/associate/scans", json={"text": code})
    problem(refused, 404, "customer-unknown")
    used = client.post(f"/v1/handovers/{code}", json={"session_id": "phone", "channel": "web"})
    assert [one["item_id"] for one in used.get_json()["cart"]] == ["tea"]
    who = customer_id(client, 0)
    mine = client.post("/v1/handovers", json={"customer_id": who}).get_json()["code"]
    found = scan(client, mine).customer
    assert found is not None
    assert found.customer_id == who
    problem(client.post("/v1/associate/scans", json={"text": mine}), 404, "customer-unknown")
    assert client.get(f"/v1/customers/{who}").get_json()["visits"] == []


def test_what_the_customer_refuses_is_told(client: FlaskClient) -> None:
    say(client, 0, {"purpose": "profiling", "given": False})
    say(client, 0, {"purpose": "marketing", "channel": "email", "given": False})
    served = scan(client, known(0)["identifier"]["value"]).customer
    assert served is not None
    assert not served.personal
    assert not served.messages


def test_an_erased_customer_is_not_served(client: FlaskClient) -> None:
    client.delete(f"/v1/customers/{customer_id(client, 0)}")
    answer = client.post(
        "/v1/associate/scans", json={"text": known(0)["identifier"]["value"], "of": "customer"}
    )
    problem(answer, 410, "erased")


@pytest.mark.parametrize("text", ["", "x" * 201, "a\x00b"])
def test_nonsense_is_refused(client: FlaskClient, text: str) -> None:
    answer = client.post("/v1/associate/scans", json={"text": text})
    problem(answer, 422, "invalid-request")
