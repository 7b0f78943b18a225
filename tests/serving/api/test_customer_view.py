"""One view of a customer says what was bought, shown and said; every look is noted first."""

import csv
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from recsys.config.toml_file import Config
from recsys.errors import LedgerAwayError
from serving.schemas import CustomerView, Dismissals, FoundCustomers, Links, LookList
from tests.serving.access.test_admission import problem
from tests.serving.api.test_customers import customer_id, say
from tests.serving.conftest import Serve, ask, email, ids, known, state
from tests.serving.marketing import approve

BOTH = 5
"""Customer with a card and an address in every order."""


def view(client: FlaskClient, who: str, **query: Any) -> dict[str, Any]:
    answer = client.get(f"/v1/customers/{who}", query_string=query)
    assert answer.status_code == 200, answer.text
    assert "no-store" in answer.headers["Cache-Control"]
    msgspec.json.decode(answer.data, type=CustomerView)
    found: dict[str, Any] = answer.get_json()
    return found


def tickets_of(shop: Path, number: int) -> dict[str, list[dict[str, str]]]:
    """The customer's orders, straight from the export."""
    found: dict[str, list[dict[str, str]]] = {}
    with (shop / "sales.csv").open() as file:
        for row in csv.DictReader(file):
            if row["card"] == f"card{number}" or row["email"] == email(number):
                found.setdefault(row["ticket"], []).append(row)
    return found


def test_orders_are_those_of_the_export(client: FlaskClient, shop: Path) -> None:
    tickets = tickets_of(shop, BOTH)
    found = view(client, customer_id(client, BOTH), orders=500)["orders"]
    assert found["count"] == len(tickets) == len(found["recent"])
    told = Counter(
        (one["at"], one["channel"], tuple(sorted(item["item_id"] for item in one["items"])))
        for one in found["recent"]
    )
    exported = Counter(
        (rows[0]["occurred_at"], rows[0]["channel"], tuple(sorted(row["item_id"] for row in rows)))
        for rows in tickets.values()
    )
    assert told == exported
    assert [one["at"] for one in found["recent"]] == sorted(
        (rows[0]["occurred_at"] for rows in tickets.values()), reverse=True
    )
    by_channel = {one["channel"]: one for one in found["by_channel"]}
    for channel in {rows[0]["channel"] for rows in tickets.values()}:
        mine = [rows for rows in tickets.values() if rows[0]["channel"] == channel]
        assert by_channel[channel]["orders"] == len(mine)
        assert by_channel[channel]["bought"]["amount_minor"] == 150 * sum(map(len, mine))
    assert len(view(client, customer_id(client, BOTH), orders=2)["orders"]["recent"]) == 2


def test_a_return_stands_with_its_order(client: FlaskClient) -> None:
    lines = {"currency": "EUR", "items": [{"item_id": "tea", "quantity": 2, "price": 1.5}]}
    bought = {
        "event_id": "b1",
        "event": "purchase",
        "occurred_at": "2026-03-01T10:00:00Z",
        "channel": "web",
        "transaction_id": "W1",
        **known(0),
        **lines,
    }
    back = {
        **bought,
        "event_id": "r1",
        "event": "refund",
        "occurred_at": "2026-03-01T12:00:00Z",
        "items": [{"item_id": "tea", "quantity": 1, "price": 1.5}],
    }
    sent = client.post("/v1/events", json={"events": [bought, back]})
    assert sent.get_json()["accepted"] == 2, sent.text
    who = customer_id(client, 0)
    latest = view(client, who)["orders"]["recent"][0]
    assert (latest["at"], latest["channel"]) == ("2026-03-01T10:00:00Z", "web")
    assert [(one["item_id"], one["quantity"]) for one in latest["items"]] == [("tea", 2)]
    assert latest["amount"] == {"amount_minor": 300, "currency": "EUR"}
    (returned,) = latest["returns"]
    assert (returned["item_id"], returned["quantity"]) == ("tea", 1)
    assert returned["amount"]["amount_minor"] == 150
    assert client.get("/v1/customers?order_id=W1").get_json() == {"customer_ids": [who]}


def test_what_was_shown_is_told_with_its_reasons(app: Flask, client: FlaskClient) -> None:
    who = customer_id(client, 0)
    first = ids(ask(client, count=3, **known(0)))
    shown = ask(client, count=3, exclude=first, **known(0))
    state(app).flush()
    by_id = {one["recommendation_id"]: one for one in view(client, who)["shown"]}
    told = by_id[shown["recommendation_id"]]
    assert [(one["item_id"], one["reason"]) for one in told["items"]] == [
        (item["item_id"], item["reason"]["text"]) for item in shown["items"]
    ]
    decision = client.get(f"/v1/decisions/{shown['recommendation_id']}").get_json()
    assert decision["reasons"] == [item["reason"]["text"] for item in shown["items"]]
    assert decision["text"] == told["text"]
    german = view(client, who, lang="de-AT")
    assert german["lang"] == "de"
    (there,) = (
        one for one in german["shown"] if one["recommendation_id"] == told["recommendation_id"]
    )
    assert there["text"] != told["text"]


def test_consents_are_told_with_their_history(client: FlaskClient) -> None:
    who = customer_id(client, 0)
    yes = {"purpose": "marketing", "given": True, "at": "2026-02-01T10:00:00Z", "source": "form"}
    no = {**yes, "given": False, "at": "2026-02-02T10:00:00Z", "source": "phone"}
    say(client, 0, yes)
    say(client, 0, no)
    say(client, 0, yes)  # older than what is known: it changes nothing
    found = view(client, who)["consents"]
    assert [(one["given"], one["source"]) for one in found["consents"]] == [(False, "phone")]
    assert [(one["given"], one["source"], one["noted_by"]) for one in found["history"]] == [
        (False, "phone", "local"),
        (True, "form", "local"),
    ]
    assert not found["effective"]["marketing"]["email"]


def test_identifiers_are_masked(client: FlaskClient) -> None:
    found = view(client, customer_id(client, BOTH))["identifiers"]
    assert [one["type"] for one in found] == ["email", "loyalty_card"]
    for one in found:
        assert one["hashed"]
        assert len(one["masked"]) == 9
    answer = client.get(f"/v1/customers/{customer_id(client, BOTH)}")
    assert email(BOTH) not in answer.text
    assert f"card{BOTH}" not in answer.text


def test_offers_and_dismissals_are_told(client: FlaskClient) -> None:
    bundle_id = approve(client)
    who = customer_id(client, 0)
    offer = client.post(f"/v1/customers/{who}/offers", json={"bundle_id": bundle_id}).get_json()
    found = view(client, who)
    assert [one["offer_id"] for one in found["offers"]] == [offer["offer_id"]]
    assert offer["code"] not in client.get(f"/v1/customers/{who}").text
    assert found["dismissals"] == []
    path = f"/v1/customers/{who}/dismissals"
    for stands in (True, False):  # within a second
        answer = client.put(path, json={"item_id": "tea", "stands": stands})
        assert answer.status_code == 200, answer.text
        msgspec.json.decode(answer.data, type=Dismissals)
        (one,) = answer.get_json()["dismissals"]
        assert (one["item_id"], one["extent"], one["stands"]) == ("tea", "item", stands)
        shown = ids(ask(client, count=24, **known(0)))
        assert ("tea" not in shown) is stands
    problem(client.put(path, json={"item_id": "nonsense", "stands": True}), 422, "invalid-request")
    code = client.get("/v1/customers", query_string={"offer": offer["code"]})
    assert code.get_json() == {"customer_ids": [who]}


def test_a_customer_is_found_by_what_they_can_name(client: FlaskClient, shop: Path) -> None:
    who = customer_id(client, BOTH)
    ticket = next(iter(tickets_of(shop, BOTH)))
    for query in (
        {"identifier_type": "loyalty_card", "identifier_value": f"card{BOTH}"},
        {"identifier_type": "email", "identifier_value": email(BOTH).upper()},
        {"order_id": ticket},
    ):
        answer = client.get("/v1/customers", query_string=query)
        assert answer.get_json() == {"customer_ids": [who]}, query
        msgspec.json.decode(answer.data, type=FoundCustomers)
    for query in ({"order_id": "t999999"}, {"offer": "nonsense"}):
        problem(client.get("/v1/customers", query_string=query), 404, "customer-unknown")
    for query in ({}, {"order_id": "t1", "offer": "x"}):
        problem(client.get("/v1/customers", query_string=query), 422, "invalid-request")


def test_every_look_is_noted(app: Flask, client: FlaskClient) -> None:
    who = customer_id(client, 0)
    assert client.get("/v1/looks").get_json() == {"looks": [], "next": None}
    for n in range(3):
        view(client, who, reason=f"ticket {n}")
    other = customer_id(client, 3)
    client.get(f"/v1/customers/{other}", headers={"Sec-Fetch-Site": "same-origin"})
    answer = client.get("/v1/looks")
    msgspec.json.decode(answer.data, type=LookList)
    found = answer.get_json()["looks"]
    assert [(one["customer_id"], one["reason"], one["page"]) for one in found] == [
        (other, "", "customers"),
        *((who, f"ticket {n}", "api") for n in (2, 1, 0)),
    ]
    assert {one["by"] for one in found} == {"local"}
    first = client.get("/v1/looks", query_string={"customer_id": who, "limit": 2}).get_json()
    then = client.get(
        "/v1/looks", query_string={"customer_id": who, "limit": 2, "cursor": first["next"]}
    ).get_json()
    assert [one["reason"] for one in first["looks"]] == ["ticket 2", "ticket 1"]
    assert [one["reason"] for one in then["looks"]] == ["ticket 0"]
    assert then["next"] is None
    client.delete(f"/v1/customers/{who}")
    left = client.get("/v1/looks").get_json()["looks"]
    assert [one["reason"] for one in left] == ["", "", "", ""]
    assert [one["customer_id"] for one in left] == [other, None, None, None]


def test_nobody_is_shown_whose_look_cannot_be_noted(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = customer_id(client, 0)

    def away(look: object) -> None:
        raise LedgerAwayError("away")

    monkeypatch.setattr(state(app).ledger.looks, "note", away)
    problem(client.get(f"/v1/customers/{who}"), 503, "ledger-unavailable")


def test_an_erased_customer_is_not_shown(client: FlaskClient) -> None:
    who = customer_id(client, 0)
    say(client, 0, {"purpose": "marketing", "given": True})
    client.delete(f"/v1/customers/{who}")
    problem(client.get(f"/v1/customers/{who}"), 410, "erased")
    query = {"identifier_type": known(0)["identifier"]["type"]}
    query["identifier_value"] = known(0)["identifier"]["value"]
    problem(client.get("/v1/customers", query_string=query), 410, "erased")
    problem(client.get("/v1/customers/nobody"), 404, "customer-unknown")


def test_links_are_undone_and_join_again(
    workspace: Path, config: Config, serve: Serve, shop: Path
) -> None:
    app = serve(msgspec.structs.replace(config, folder=workspace))
    client = app.test_client()
    who = customer_id(client, BOTH)
    answer = client.get(f"/v1/customers/{who}/links")
    msgspec.json.decode(answer.data, type=Links)
    (link,) = answer.get_json()["links"]
    assert [one["reason"] for one in client.get("/v1/looks").get_json()["looks"]] == ["links"]
    assert {one["type"] for one in link["ends"]} == {"email", "loyalty_card"}
    assert (link["joins"], link["undone"]) == (True, False)
    assert link["seen"] == len(tickets_of(shop, BOTH))
    path = f"/v1/identities/links/{link['link_id']}"
    for method, changed, undone in (
        ("DELETE", True, True),
        ("DELETE", False, True),
        ("PUT", True, False),
        ("PUT", False, False),
    ):
        said = client.open(path, method=method, json={"reason": "two sisters\n"[:-1]})
        assert said.get_json() == {
            "link_id": link["link_id"],
            "undone": undone,
            "changed": changed,
        }
        (now,) = client.get(f"/v1/customers/{who}/links").get_json()["links"]
        assert now["undone"] is undone
    unknown = client.delete("/v1/identities/links/l0000000000000000", json={})
    problem(unknown, 404, "link-unknown")


def test_carts_and_views_are_told(client: FlaskClient) -> None:
    who = customer_id(client, 0)
    at = datetime.now(UTC).isoformat()
    looked = {"event": "view_item", "occurred_at": at, **known(0), "items": [{"item_id": "tea"}]}
    carted = {**looked, "event": "add_to_cart", "items": [{"item_id": "milk", "quantity": 2}]}
    events = [{**looked, "event_id": "v1"}, {**carted, "event_id": "c1", "session_id": "s1"}]
    assert client.post("/v1/events", json={"events": events}).get_json()["accepted"] == 2
    found = view(client, who)
    assert [(one["item_id"], one["quantity"]) for one in found["cart"]] == [("milk", 2)]
    assert {(one["item_id"], one["kind"]) for one in found["views"]} >= {
        ("tea", "view"),
        ("milk", "cart"),
    }
    assert [one["cart"] for one in found["visits"]] == [["milk"]]
    assert orjson.loads(client.get(f"/v1/customers/{who}").data)["cart"][0]["title"].startswith(
        "Milk"
    )
