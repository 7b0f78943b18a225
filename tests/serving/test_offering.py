"""Offers beside recommendations: promised once, the same everywhere, void when withdrawn."""

import json
import sqlite3
import time
from typing import Any

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from recsys.bundles.found import bundle_id
from recsys.bundles.terms import Decision, Terms
from recsys.config import Config
from serving.wire import Recommendations

from .conftest import ask, known, state

ITEMS = ("beer", "item03")
BUNDLE = bundle_id("together", ITEMS)
CART = [{"item_id": "beer"}]


def decide(app: Flask, **terms: Any) -> Decision:
    """Make a decision about the bundle, as another process would."""
    decisions = state(app).ledger.decisions
    before = decisions.get(BUNDLE)
    given = Terms(**{"status": "approved", "price_minor": 250, "currency": "EUR", **terms})
    return decisions.change(
        BUNDLE, "together", ITEMS, given, by="anna", now_ts=int(time.time()),
        expected_revision=before.revision if before else 0,
    )  # fmt: skip


@pytest.fixture
def approved(app: Flask) -> Flask:
    decide(app)
    return app


def offers(client: FlaskClient, placement: str = "web_cart", **fields: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(client, placement, **fields)["offers"]
    return found


def test_a_cart_gets_its_offer_and_every_channel_the_same(
    approved: Flask, client: FlaskClient
) -> None:
    (offer,) = offers(client, cart=CART, **known(0))
    assert offer["bundle_id"] == BUNDLE
    assert offer["missing"] == ["item03"]
    assert 0 < offer["chance"] < 1
    assert offer["price"] == {"amount_minor": 250, "currency": "EUR"}
    assert offer["full_price"] == {"amount_minor": 300, "currency": "EUR"}
    (again,) = offers(client, cart=CART, identifier={"type": "loyalty_card", "value": "card0"})
    assert again["code"] == offer["code"]
    (tablet,) = offers(client, "associate_tablet", location_id="S1", cart=CART, **known(0))
    assert (tablet["offer_id"], tablet["expires_at"]) == (offer["offer_id"], offer["expires_at"])
    (other,) = offers(client, cart=CART, **known(3))
    assert other["code"] != offer["code"]


def test_the_answer_has_the_documented_shape(approved: Flask, client: FlaskClient) -> None:
    answer = ask(client, "web_cart", cart=CART, **known(0))
    checked = msgspec.convert(answer, Recommendations)
    assert len(checked.offers) == 1


def test_a_visit_is_promised_something_and_a_stranger_nothing(
    approved: Flask, client: FlaskClient
) -> None:
    assert offers(client, cart=CART) == []
    (offer,) = offers(client, cart=CART, session_id="visit-1")
    (again,) = offers(client, cart=CART, session_id="visit-1")
    assert offer["code"] == again["code"]
    (mine,) = offers(client, cart=CART, session_id="visit-1", **known(0))
    assert mine["code"] == offer["code"]  # who logs in keeps it


def test_a_public_screen_and_a_placement_without_offers_show_none(
    approved: Flask, client: FlaskClient
) -> None:
    assert offers(client, "store_screen", location_id="S1", **known(0)) == []
    assert offers(client, "web_product", item_ids=["beer"], cart=CART, **known(0)) == []


def test_a_replay_promises_nothing(approved: Flask, client: FlaskClient) -> None:
    assert offers(client, cart=CART, as_of="2026-03-01T20:00:00Z", **known(0)) == []
    held = state(approved)
    assert held.ledger.offers.counts(now_ts=held.now_ts())[BUNDLE].issued == 0


def test_withdrawn_is_gone_in_the_next_answer(approved: Flask, client: FlaskClient) -> None:
    assert len(offers(client, cart=CART, **known(0))) == 1
    decide(approved, status="paused")
    assert len(offers(client, cart=CART, **known(0))) == 1  # what is promised holds
    assert offers(client, cart=CART, **known(3)) == []
    decide(approved, status="withdrawn")
    assert offers(client, cart=CART, **known(0)) == []


def test_a_spent_budget_promises_no_more(app: Flask, client: FlaskClient) -> None:
    decide(app, budget_minor=100)
    made = [offers(client, cart=CART, session_id=f"visit-{n}") for n in range(4)]
    assert [len(found) for found in made] == [1, 1, 0, 0]


def test_without_the_ledger_there_are_items_and_no_offers(
    approved: Flask, client: FlaskClient, config: Config
) -> None:
    assert len(offers(client, cart=CART, session_id="visit-1")) == 1
    url = config.ledger_url.removeprefix("sqlite:///")
    with sqlite3.connect(url) as connection:
        connection.execute("DROP TABLE offers")
    answer = ask(client, "web_cart", cart=CART, session_id="visit-1")
    assert answer["items"]
    assert answer["offers"] == []


def test_a_batch_offers_what_single_answers_do(approved: Flask, client: FlaskClient) -> None:
    people: list[dict[str, Any]] = [
        {**known(0), "cart": CART}, {**known(3), "cart": CART}, {**known(6)},
    ]  # fmt: skip
    body = {"placement": "web_cart", "customers": people}
    lines = client.post("/v1/recommendations/batch", json=body).text.splitlines()
    batch = [json.loads(line)["offers"] for line in lines]
    assert [len(found) for found in batch] in ([1, 1, 0], [1, 1, 1])
    single = [offers(client, **person) for person in people]
    assert batch == single


def test_who_holds_all_of_it_sees_the_promise(approved: Flask, client: FlaskClient) -> None:
    offers(client, cart=CART, **known(0))
    both = [*CART, {"item_id": "item03"}]
    (offer,) = offers(client, cart=both, **known(0))
    assert offer["missing"] == []
    assert offers(client, cart=both, **known(3)) == []
