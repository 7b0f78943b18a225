"""One piece of an order carries one offer, and no order pays too little."""

from typing import Any

import msgspec
from flask import Flask
from flask.testing import FlaskClient

from recsys.config.toml_file import Config
from serving.schemas import Combination
from tests.serving.conftest import Serve, state
from tests.serving.marketing import (
    PAIR,
    approve,
    customer,
    issue,
    money,
    one,
    put_costs,
    redeem,
    refused,
)

STORE = {"channel": "pos", "location_id": "S1"}


def lines(quantity: float, price: int | None = None) -> list[dict[str, Any]]:
    told = {} if price is None else {"price": money(price)}
    return [{"item_id": item, "quantity": quantity, **told} for item in PAIR]


def codes(app: Flask, client: FlaskClient, bundle_id: str, n: int) -> list[str]:
    """Codes of so many customers."""
    made = [issue(client, customer(app, 3 * number), bundle_id) for number in range(n)]
    return [answer.get_json()["code"] for answer in made]


def test_an_order_uses_as_many_offers_as_it_has_pieces(app: Flask, client: FlaskClient) -> None:
    bundle_id = approve(client)
    first, second, third = codes(app, client, bundle_id, 3)
    two = {**STORE, "items": lines(2)}
    assert redeem(client, first, "t1", **two).status_code == 201
    assert redeem(client, second, "t1", **two).status_code == 201
    problem = refused(redeem(client, third, "t1", **two), "offer-overlaps")
    assert "bread" in problem["detail"]
    assert redeem(client, second, "t1", **two).status_code == 200
    assert one(client, bundle_id)["offers"]["spent"] == money(100)
    # An order that does not tell has one of each.
    refused(redeem(client, third, "t1", **STORE), "offer-overlaps")
    assert redeem(client, third, "t2", **STORE).status_code == 201


def test_lines_of_one_product_add_up(app: Flask, client: FlaskClient) -> None:
    first, second, third = codes(app, client, approve(client), 3)
    assert redeem(client, first, "t1", **STORE, items=lines(1) * 2).status_code == 201
    assert redeem(client, second, "t1", **STORE, item_ids=[*PAIR] * 2).status_code == 201
    refused(redeem(client, third, "t2", **STORE, items=lines(0.9)), "offer-incomplete")


def test_what_is_reduced_at_the_till_is_not_reduced_twice(app: Flask, client: FlaskClient) -> None:
    bundle_id = approve(client)  # 250 for what costs 300
    first, second, third = codes(app, client, bundle_id, 3)
    part = redeem(client, first, "t1", **STORE, items=lines(1, 140))
    assert part.status_code == 201
    assert part.get_json()["discount"] == money(50)
    assert part.get_json()["redemption"]["discount"] == money(30)
    whole = redeem(client, second, "t2", **STORE, items=lines(1, 200))
    assert whole.get_json()["redemption"]["discount"] == money(50)
    cheap = {**STORE, "items": lines(1, 125)}
    refused(redeem(client, third, "t3", **cheap), "offer-not-cheaper")
    told = one(client, bundle_id)["offers"]
    assert (told["spent"], told["reserved"]) == (money(80), money(50))
    dollars = [{**line, "price": money(150, "USD")} for line in lines(1)]
    refused(redeem(client, third, "t3", **STORE, items=dollars), "offer-elsewhere")


def test_an_order_stays_above_the_margin_floor(app: Flask, client: FlaskClient) -> None:
    first, second = codes(app, client, approve(client), 2)
    put_costs(client, 112)  # a tenth of 2.50 must be left after cost: 2.25 at most
    assert redeem(client, first, "t1", **STORE, items=lines(1)).status_code == 201
    put_costs(client, 113)
    refused(redeem(client, second, "t2", **STORE, items=lines(1)), "offer-below-floor")


def test_an_order_uses_no_more_offers_than_the_setting_says(
    app: Flask, client: FlaskClient
) -> None:
    most = state(app).config.offers.per_order
    given = codes(app, client, approve(client), most + 1)
    many = {**STORE, "items": lines(9)}
    for code in given[:-1]:
        assert redeem(client, code, "t1", **many).status_code == 201
    refused(redeem(client, given[-1], "t1", **many), "order-limit")
    assert redeem(client, given[-1], "t2", **many).status_code == 201


def test_numbers_of_tills_are_those_of_their_store(
    app: Flask, client: FlaskClient, config: Config, serve: Serve
) -> None:
    (code,) = codes(app, client, approve(client), 1)
    problem = refused(redeem(client, code, "77", channel="pos"), "invalid-request")
    assert "store" in problem["errors"][0]["detail"]
    assert redeem(client, code, "77", **STORE).status_code == 201
    refused(redeem(client, code, "77", channel="pos", location_id="S2"), "offer-redeemed")


def test_the_best_of_several_codes(app: Flask, client: FlaskClient) -> None:
    first, second = codes(app, client, approve(client), 2)
    order = {"transaction_id": "t1", **STORE, "items": lines(1, 145)}
    body = {**order, "codes": [first, second, "0000-0000-0000-0000"]}

    def ask(**more: Any) -> dict[str, Any]:
        answer = client.post("/v1/redemptions", json={**body, **more})
        assert answer.status_code == 200, answer.text
        msgspec.convert(answer.get_json(), Combination)
        found: dict[str, Any] = answer.get_json()
        for told in found["codes"]:  # a second may pass between two of them
            told.get("offer", {"redemption": {}})["redemption"].pop("redeemed_at", None)
        return found

    dry = ask(dry_run=True)
    assert dry["discount"] == money(40)
    assert [one["used"] for one in dry["codes"]] == [True, False, False]
    kinds = [one["problem"]["type"] for one in dry["codes"][1:]]
    assert kinds == ["/problems#offer-overlaps", "/problems#offer-unknown"]
    assert client.get(f"/v1/offers/{first}").get_json()["state"] == "standing"
    done = ask()
    assert {**done, "dry_run": True} == dry
    assert ask() == done
    assert client.get(f"/v1/offers/{first}").get_json()["redemption"]["discount"] == money(40)
    refused(client.post("/v1/redemptions", json={**body, "codes": []}), "invalid-request")


def test_a_till_that_knows_a_card_only_sees_its_offers(app: Flask, client: FlaskClient) -> None:
    (code,) = codes(app, client, approve(client), 1)
    card = {"identifier_type": "loyalty_card", "identifier_value": "card0"}
    answer = client.get("/v1/offers", query_string=card)
    assert answer.status_code == 200, answer.text
    assert [offer["code"] for offer in answer.get_json()["offers"]] == [code]
    assert answer.get_json()["customer_id"] == customer(app)
    nobody = {**card, "identifier_value": "card-of-nobody"}
    refused(client.get("/v1/offers", query_string=nobody), "customer-unknown")
    refused(client.get("/v1/offers"), "invalid-request")


def undo(client: FlaskClient, code: str, **fields: Any) -> Any:
    asked = {**STORE, "till_id": "till 3", **fields}
    return client.delete(f"/v1/offers/{code}/redemptions/t1", query_string=asked)


def test_a_till_undoes_what_it_just_did(app: Flask, client: FlaskClient) -> None:
    bundle_id = approve(client)
    (code,) = codes(app, client, bundle_id, 1)
    order = {**STORE, "till_id": "till 3", "items": lines(1)}
    assert redeem(client, code, "t1", **order).status_code == 201
    problem = refused(undo(client, code, till_id="till 4"), "redemption-of-another")
    assert problem["status"] == 403
    refused(undo(client, code, channel="web", location_id=None), "offer-redeemed")
    for _ in range(2):  # asked again, because the answer was lost
        answer = undo(client, code)
        assert answer.status_code == 200
        assert answer.get_json()["state"] == "standing"
        assert answer.get_json()["redemption"] is None
    assert one(client, bundle_id)["offers"]["spent"] == money(0)
    assert redeem(client, code, "t1", **order).status_code == 201
    state(app).shift_seconds += 61
    refused(undo(client, code), "redemption-final")
