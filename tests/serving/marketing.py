"""What tests of bundles and offers do as marketers and channels do it."""

from collections.abc import Sequence
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from recsys.ledger.events.event_types import Identifier
from serving.http.problem_kinds import PROBLEM_KINDS

from .conftest import email, state

EUR = "EUR"
#: Of the pair that tests decide about.
PAIR = ("bread", "butter")
FULL_MINOR = 300


def money(amount_minor: int, currency: str = EUR) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": currency}


def refused(answer: Any, kind: str) -> dict[str, Any]:
    """Check that an answer is a problem of a kind."""
    assert answer.status_code == PROBLEM_KINDS[kind].status, answer.text
    found: dict[str, Any] = answer.get_json()
    assert found["type"] == f"/problems#{kind}"
    return found


def bundle_of(client: FlaskClient, items: Sequence[str] = PAIR) -> dict[str, Any]:
    """Find the bundle of a pair in the list."""
    answer = client.get("/v1/bundles", query_string={"item_id": items[0], "show": "all"})
    assert answer.status_code == 200, answer.text
    for bundle in answer.get_json()["bundles"]:
        if {item["item_id"] for item in bundle["items"]} == set(items):
            found: dict[str, Any] = bundle
            return found
    raise AssertionError(f"no bundle of {items}")


def one(client: FlaskClient, bundle_id: str) -> dict[str, Any]:
    answer = client.get(f"/v1/bundles/{bundle_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def change(client: FlaskClient, bundle_id: str, revision: int, **fields: Any) -> Any:
    held = {"If-Match": f'"{revision}"'}
    return client.patch(f"/v1/bundles/{bundle_id}", json=fields, headers=held)


def approve(client: FlaskClient, items: Sequence[str] = PAIR, **fields: Any) -> str:
    """Approve the bundle of a pair at 2.50, and return its id."""
    bundle = bundle_of(client, items)
    asked = {"status": "approved", "price": money(250), **fields}
    answer = change(client, bundle["bundle_id"], bundle["revision"], **asked)
    assert answer.status_code == 200, answer.text
    return str(bundle["bundle_id"])


def put_items(client: FlaskClient, *rows: dict[str, Any]) -> None:
    answer = client.put("/v1/items", json={"items": list(rows)})
    assert answer.status_code == 200, answer.text


def put_costs(client: FlaskClient, amount_minor: int, items: Sequence[str] = PAIR) -> None:
    put_items(client, *({"item_id": item, "cost": money(amount_minor)} for item in items))


def customer(app: Flask, number: int = 0) -> str:
    """Return the id of a customer who has an e-mail."""
    stored = state(app).keyed_hash.identifier("email", email(number))
    assert stored is not None
    found = state(app).ledger.customer(
        identifier=Identifier(type="email", value=stored), as_of_ts=state(app).now_ts()
    )
    assert found.customer_id is not None
    return found.customer_id


def issue(client: FlaskClient, customer_id: str, bundle_id: str) -> Any:
    return client.post(f"/v1/customers/{customer_id}/offers", json={"bundle_id": bundle_id})


def redeem(client: FlaskClient, offer_id: str, transaction_id: str = "1", **fields: Any) -> Any:
    body = {"transaction_id": transaction_id, "channel": "web", **fields}
    return client.post(f"/v1/offers/{offer_id}/redemptions", json=body)
