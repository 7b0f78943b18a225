"""Offers: promised once, the same in every channel, redeemed once."""

import time
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from recsys.config.toml_file import Config
from recsys.identity.hashing import customer_id_of
from recsys.ledger.api_keys import Grant, Scope
from recsys.units import DAY
from serving.schemas import CustomerOffers, Offer
from tests.serving.conftest import Serve, bought, email, known, state
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
    redeem,
    refused,
)


def standing(client: FlaskClient, customer_id: str) -> list[dict[str, Any]]:
    answer = client.get(f"/v1/customers/{customer_id}/offers")
    assert answer.status_code == 200, answer.text
    msgspec.convert(answer.get_json(), CustomerOffers)
    found: list[dict[str, Any]] = answer.get_json()["offers"]
    return found


def made(client: FlaskClient, customer_id: str, bundle_id: str) -> dict[str, Any]:
    answer = issue(client, customer_id, bundle_id)
    assert answer.status_code == 201, answer.text
    msgspec.convert(answer.get_json(), Offer)
    found: dict[str, Any] = answer.get_json()
    return found


def test_an_offer_is_made_once_and_stands(app: Flask, client: FlaskClient) -> None:
    bundle_id, ada = approve(client), customer(app)
    assert standing(client, ada) == []
    first = issue(client, ada, bundle_id)
    offer = first.get_json()
    assert first.status_code == 201
    assert first.headers["Location"] == f"/v1/offers/{offer['offer_id']}"
    assert (offer["price"], offer["full_price"]) == (money(250), money(300))
    assert offer["discount"] == money(50)
    assert {item["item_id"]: item["price"] for item in offer["items"]} == dict.fromkeys(
        PAIR, money(150)
    )
    assert {item["title"] for item in offer["items"]} == {"Bread", "=Butter"}
    assert (offer["state"], offer["redemption"]) == ("standing", None)
    again = issue(client, ada, bundle_id)
    assert (again.status_code, again.get_json()) == (200, offer)
    assert standing(client, ada) == [offer]
    assert standing(client, customer(app, 3)) == []


def test_an_offer_keeps_its_price(app: Flask, client: FlaskClient) -> None:
    bundle_id = approve(client)
    offer = made(client, customer(app), bundle_id)
    change(client, bundle_id, 1, price=money(200))
    put_items(client, {"item_id": PAIR[0], "price": money(400)})
    assert issue(client, customer(app), bundle_id).get_json() == offer
    other = made(client, customer(app, 3), bundle_id)
    assert (other["price"], other["full_price"]) == (money(200), money(550))


def test_an_offer_is_found_however_its_code_is_typed(app: Flask, client: FlaskClient) -> None:
    offer = made(client, customer(app), approve(client))
    code = offer["code"]
    typed = (offer["offer_id"], code, code.lower(), code.replace("-", ""), code.replace("-", " "))
    for which in typed:
        assert client.get(f"/v1/offers/{which}").get_json() == offer


def test_a_code_can_be_scanned_and_read(app: Flask, client: FlaskClient) -> None:
    offer = made(client, customer(app), approve(client))
    answer = client.get(offer["qr"])
    assert answer.content_type == "image/svg+xml"
    assert "private" in answer.headers["Cache-Control"]
    drawn = ElementTree.fromstring(answer.data)
    name = "{http://www.w3.org/2000/svg}"
    assert drawn.tag == f"{name}svg"
    title = drawn.find(f"{name}title")
    assert title is not None
    assert title.text == f"Offer {offer['code']}"
    fills = {path.get("fill") for path in drawn.iter(f"{name}path")}
    assert "#fff" in fills  # a scanner needs the light parts, on a dark page too
    held = {"If-None-Match": answer.headers["ETag"]}
    assert client.get(offer["qr"], headers=held).status_code == 304


def test_an_offer_is_redeemed_once_whoever_asks_first(
    app: Flask, client: FlaskClient, config: Config, serve: Serve
) -> None:
    till = serve(config).test_client()
    bundle_id = approve(client)
    offer = made(client, customer(app), bundle_id)
    at_till = {"channel": "pos", "location_id": "S1", "item_ids": [*PAIR, "tea"]}
    first = redeem(till, offer["code"], "t1", **at_till)
    assert first.status_code == 201, first.text
    used = first.get_json()
    msgspec.convert(used, Offer)
    assert used["state"] == "redeemed"
    assert used["redemption"]["transaction_id"] == "t1"
    assert used["redemption"]["channel"] == "pos"
    assert used["redemption"]["location_id"] == "S1"
    again = redeem(till, offer["code"].lower(), "t1", **at_till)
    assert (again.status_code, again.get_json()) == (200, used)
    for other in (
        redeem(client, offer["code"], "w1"),
        redeem(till, offer["code"], "t2", **at_till),
        redeem(till, offer["code"], "t1", channel="pos", location_id="S2"),  # its own number
    ):
        refused(other, "offer-redeemed")
    assert client.get(f"/v1/offers/{offer['offer_id']}").get_json() == used
    assert standing(client, customer(app)) == []
    refused(issue(client, customer(app), bundle_id), "customer-limit")


def test_a_named_customer_redeems_their_own_only(app: Flask, client: FlaskClient) -> None:
    bundle_id = approve(client)
    offer = made(client, customer(app), bundle_id)
    before = one(client, bundle_id)["offers"]
    for who in (
        known(3),
        {"customer_id": customer(app, 3)},
        {"customer_id": "nobody"},
        {"identifier": {"type": "email", "value": "stranger@shop.example.org"}},
        {"session_id": "visit"},
    ):
        refused(redeem(client, offer["offer_id"], **who), "offer-of-another")
    assert one(client, bundle_id)["offers"] == before
    assert redeem(client, offer["offer_id"], **known(0)).status_code == 201
    assert redeem(client, offer["offer_id"], customer_id=customer(app)).status_code == 200


def test_an_id_alone_spends_nothing(app: Flask, client: FlaskClient) -> None:
    """Ids stand in the ledger and in logs; only who shows the code needs no name."""
    offer = made(client, customer(app), approve(client))
    refused(redeem(client, offer["offer_id"]), "offer-code-needed")
    refused(redeem(client, offer["offer_id"], **known(1)), "offer-of-another")
    body = {"transaction_id": "7", "channel": "web", "item_ids": [*PAIR]}
    body["codes"] = [offer["offer_id"], "0000-0000-0000-0000", offer["code"]]
    kept, unknown, used = client.post("/v1/redemptions", json=body).get_json()["codes"]
    assert kept["problem"]["type"] == "/problems#offer-code-needed"
    assert unknown["problem"]["type"] == "/problems#offer-unknown"
    assert used["used"]
    assert used["discount"] == offer["discount"]


def test_any_id_of_a_customer_leads_to_their_offers(app: Flask, client: FlaskClient) -> None:
    # Customer 0 has a card and an e-mail, each of which had an id of its own.
    hashed = state(app).keyed_hash
    own = [
        customer_id_of(kind, hashed.identifier(kind, value) or "")
        for kind, value in (("email", email(0)), ("loyalty_card", "card0"))
    ]
    present = customer(app)
    bundle_id = approve(client)
    offer = made(client, own[0], bundle_id)
    for customer_id in (*own, present):
        assert standing(client, customer_id) == [offer]
        assert issue(client, customer_id, bundle_id).get_json() == offer
    assert client.get(f"/v1/customers/{own[1]}/offers").get_json()["customer_id"] == present
    assert redeem(client, offer["offer_id"], customer_id=own[1]).status_code == 201


def test_the_bundle_says_where_and_with_what(app: Flask, client: FlaskClient) -> None:
    bundle_id = approve(client, channels=["web", "pos"], locations=["S1", "online"])
    code = made(client, customer(app), bundle_id)["code"]
    for wrong in (
        {"channel": "app", "location_id": "online"},
        {"channel": "pos", "location_id": "S2"},
    ):
        refused(redeem(client, code, **wrong), "offer-elsewhere")
    here = {"channel": "pos", "location_id": "S1"}
    lacking = refused(redeem(client, code, **here, item_ids=["bread"]), "offer-incomplete")
    assert "butter" in lacking["detail"]
    assert len(standing(client, customer(app))) == 1
    assert redeem(client, code, **here, item_ids=["bread", "butter"]).status_code == 201


def later(app: Flask, days: float) -> None:
    """Let time pass."""
    state(app).shift_seconds += round(days * DAY)


def test_an_offer_ends(app: Flask, client: FlaskClient) -> None:
    bundle_id = approve(client, offer_hours=24, budget=money(50))
    code = made(client, customer(app), bundle_id)["code"]
    refused(issue(client, customer(app, 3), bundle_id), "budget-spent")
    later(app, 0.99)
    assert len(standing(client, customer(app))) == 1
    later(app, 0.02)
    assert standing(client, customer(app)) == []
    assert client.get(f"/v1/offers/{code}").get_json()["state"] == "expired"
    refused(redeem(client, code), "offer-expired")
    assert one(client, bundle_id)["offers"]["reserved"] == money(0)
    made(client, customer(app, 3), bundle_id)  # its part of the budget is free again


def test_a_bundle_is_offered_between_its_dates(app: Flask, client: FlaskClient) -> None:
    now_ts = state(app).now_ts()

    def at(days: float) -> str:
        moment = time.gmtime(now_ts + days * DAY)
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", moment)

    bundle_id = approve(client, starts_at=at(1), ends_at=at(3))
    refused(issue(client, customer(app), bundle_id), "not-offered")
    later(app, 1.01)
    offer = made(client, customer(app), bundle_id)
    assert offer["expires_at"] == at(3)
    later(app, 2)
    refused(issue(client, customer(app, 3), bundle_id), "not-offered")
    refused(redeem(client, offer["code"]), "offer-expired")


def test_a_returned_order_gives_its_offer_back(app: Flask, client: FlaskClient) -> None:
    bundle_id = approve(client)
    offer = made(client, customer(app), bundle_id)
    order = {"channel": "web", **known(0)}
    bill = bought("buy", *PAIR, transaction_id="w1", **order)
    back = {**bill, "event_id": "back", "event": "refund", "items": []}
    assert client.post("/v1/events", json={"events": [bill]}).status_code == 200
    assert redeem(client, offer["code"], "w1").status_code == 201
    assert client.post("/v1/events", json={"events": [back]}).status_code == 200
    assert standing(client, customer(app)) == [offer]
    assert one(client, bundle_id)["offers"]["returned"] == 1
    refused(redeem(client, offer["code"], "w1"), "offer-redeemed")
    assert redeem(client, offer["code"], "w2").status_code == 201


@pytest.mark.parametrize("status", ["suggested", "rejected", "paused", "withdrawn"])
def test_what_is_not_approved_is_not_offered(app: Flask, client: FlaskClient, status: str) -> None:
    if status in ("paused", "withdrawn"):
        bundle_id = approve(client)
        assert change(client, bundle_id, 1, status=status).status_code == 200
    else:
        bundle_id = bundle_of(client)["bundle_id"]
        change(client, bundle_id, 0, status=status)
    refused(issue(client, customer(app), bundle_id), "not-offered")
    assert one(client, bundle_id)["offers"]["issued"] == 0


def test_what_is_not_sold_or_no_cheaper_is_not_offered(app: Flask, client: FlaskClient) -> None:
    bundle_id = approve(client)
    put_items(client, {"item_id": PAIR[0], "active": False})
    refused(issue(client, customer(app), bundle_id), "bundle-inactive")
    put_items(client, {"item_id": PAIR[0], "active": True, "price": money(100)})
    refused(issue(client, customer(app), bundle_id), "not-offered")
    put_items(client, {"item_id": PAIR[0], "price": money(100, "USD")})
    refused(issue(client, customer(app), bundle_id), "not-offered")
    assert one(client, bundle_id)["offers"]["issued"] == 0


def test_what_would_leave_too_little_is_not_promised(app: Flask, client: FlaskClient) -> None:
    """A till would refuse it, so nobody is promised it; what stands is told all the same."""
    put_costs(client, 100)
    bundle_id = approve(client)  # 250, of which 10% must be left after 200
    stands = made(client, customer(app), bundle_id)
    put_costs(client, 113)
    refused(issue(client, customer(app, 3), bundle_id), "offer-below-floor")
    assert one(client, bundle_id)["offers"]["issued"] == 1
    assert standing(client, customer(app)) == [stands]
    put_costs(client, 112)  # 224 of 250 is 10.4% less
    made(client, customer(app, 3), bundle_id)


def test_who_and_what_must_be_known(app: Flask, client: FlaskClient) -> None:
    bundle_id, ada = approve(client), customer(app)
    for nobody in ("nobody", "%00", "a" * 300, "%F0%9F%8D%9E"):
        refused(client.get(f"/v1/customers/{nobody}/offers"), "customer-unknown")
        refused(issue(client, nobody, bundle_id), "customer-unknown")
    for nothing in ("b0123456789abcdef", "bread", "€"):
        refused(issue(client, ada, nothing), "bundle-unknown")
    for nothing in ("o" + "0" * 24, "0000-0000-0000-0000", "%00", "a" * 300, "€"):
        refused(client.get(f"/v1/offers/{nothing}"), "offer-unknown")
        refused(client.get(f"/v1/offers/{nothing}/qr.svg"), "offer-unknown")
        refused(redeem(client, nothing, customer_id=ada), "offer-unknown")


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no order": ({"transaction_id": None}, "/transaction_id"),
    "a placeholder": ({"transaction_id": "(not set)"}, "/transaction_id"),
    "no channel": ({"channel": "radio"}, "/channel"),
    "two names": ({"customer_id": "a", **known(0)}, "/customer_id"),
    "not a field": ({"itemids": []}, "/itemids"),
    "not a list": ({"item_ids": "bread"}, "/item_ids"),
    "two lists": ({"item_ids": [], "items": []}, "/item_ids"),
    "no pieces": ({"items": [{"item_id": "bread", "quantity": 0}]}, "/items/0/quantity"),
    "a price below 0": (
        {"items": [{"item_id": "bread", "price": money(-1)}]},
        "/items/0/price/amount_minor",
    ),
    "two currencies": (
        {
            "items": [
                {"item_id": "bread", "price": money(1)},
                {"item_id": "bread", "price": money(1, "USD")},
            ]
        },
        "/items/1/price/currency",
    ),
    "a till of no store": ({"channel": "pos"}, "/location_id"),
    "a tablet of no store": ({"channel": "associate"}, "/location_id"),
}


@pytest.mark.parametrize(("fields", "pointer"), WRONG.values(), ids=WRONG)
def test_a_wrong_redemption_uses_nothing(
    app: Flask, client: FlaskClient, fields: dict[str, Any], pointer: str
) -> None:
    offer = made(client, customer(app), approve(client))
    body = {"transaction_id": "1", "channel": "web", **fields}
    answer = client.post(f"/v1/offers/{offer['code']}/redemptions", json=body)
    found = refused(answer, "invalid-request")
    assert [error["pointer"] for error in found["errors"]] == [pointer]
    assert standing(client, customer(app)) == [offer]


def test_a_till_needs_no_model(app: Flask, client: FlaskClient) -> None:
    bundle_id, ada = approve(client), customer(app)
    offer = made(client, ada, bundle_id)
    state(app).engine = None
    assert standing(client, ada)[0]["price"] == money(250)
    assert redeem(client, offer["code"]).status_code == 201
    refused(issue(client, ada, bundle_id), "no-model")


MakeKey = Callable[..., dict[str, str]]


@pytest.fixture
def key(app: Flask) -> MakeKey:
    def make(*scopes: Scope, **grant: Any) -> dict[str, str]:
        _, secret = state(app).ledger.keys.create(Grant(scopes=scopes, **grant), int(time.time()))
        state(app).key_cache._until = 0.0
        return {"Authorization": f"Bearer {secret}"}

    return make


def test_keys_redeem_for_their_own_channels_and_locations(
    app: Flask, client: FlaskClient, key: MakeKey
) -> None:
    offer = made(client, customer(app), approve(client))
    path = f"/v1/offers/{offer['code']}/redemptions"
    till = key("offers", channels=("pos",), locations=("S1",))

    def ask(holder: dict[str, str], **fields: Any) -> Any:
        body = {"transaction_id": "1", "channel": "pos", **fields}
        return client.post(path, json=body, headers=holder)

    refused(ask(till, channel="web"), "channel-forbidden")
    refused(ask(till, location_id="S2"), "location-forbidden")
    refused(ask(key("recommend", "events", "marketing")), "scope-missing")
    done = ask(till)
    assert done.status_code == 201
    assert done.get_json()["redemption"]["location_id"] == "S1"


def test_screens_and_pages_see_nobodys_offers(
    app: Flask, client: FlaskClient, key: MakeKey
) -> None:
    bundle_id, ada = approve(client), customer(app)
    offer = made(client, ada, bundle_id)
    screen = key("offers", channels=("store_screen",))
    page = key("offers", origins=("https://shop.example",))
    for holder, kind in ((screen, "channel-forbidden"), (page, "browser-key")):
        path = f"/v1/customers/{ada}/offers"
        refused(client.get(path, headers=holder), kind)
        refused(client.post(path, json={"bundle_id": bundle_id}, headers=holder), kind)
        path = f"/v1/offers/{offer['code']}/redemptions"
        body = {"transaction_id": "1", "channel": "store_screen", "customer_id": ada}
        refused(client.post(path, json=body, headers=holder), kind)
    for path in (f"/v1/offers/{offer['offer_id']}", offer["qr"]):
        refused(client.get(path, headers=screen), "channel-forbidden")
    without = client.get(f"/v1/customers/{ada}/offers", headers=key("recommend"))
    refused(without, "scope-missing")
