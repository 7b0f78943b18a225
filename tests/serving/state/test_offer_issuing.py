"""Offers beside recommendations: promised once, the same everywhere, void when withdrawn."""

import json
import sqlite3
import time
from typing import Any

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from recsys.bundles.bundle_table import bundle_id
from recsys.bundles.terms import Decision, Terms
from recsys.config.toml_file import Config
from recsys.ledger.api_keys import Grant
from recsys.ledger.customers.identity_lookup import session_own_id
from recsys.ledger.events.event_types import seal_session
from serving.schemas import Recommendations
from tests.serving.conftest import ask, known, state
from tests.serving.marketing import money, put_items

ITEMS = ("beer", "item03")
BUNDLE = bundle_id("together", ITEMS)
CART = [{"item_id": "beer"}]


def decide(app: Flask, **terms: Any) -> Decision:
    """Make a decision about the bundle, as another process would."""
    decisions = state(app).ledger.decisions
    before = decisions.get(BUNDLE)
    given = Terms(**{"status": "approved", "price_minor": 250, "currency": "EUR", **terms})
    return decisions.change(
        BUNDLE,
        "together",
        ITEMS,
        given,
        by="anna",
        now_ts=int(time.time()),
        expected_revision=before.revision if before else 0,
    )


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
    made = [offers(client, cart=CART, **known(n)) for n in (0, 3, 6, 9)]
    assert [len(found) for found in made] == [1, 1, 0, 0]


def issued(app: Flask) -> int:
    held = state(app)
    return held.ledger.offers.counts(now_ts=held.now_ts())[BUNDLE].issued


def test_asking_promises_nothing(approved: Flask, client: FlaskClient) -> None:
    """Only a POST whose answer is shown does; what stands is told whoever asks."""

    def got() -> list[dict[str, Any]]:
        named = known(0)["identifier"]
        query = {"placement": "web_cart", "cart": "beer"}
        query |= {f"identifier_{name}": value for name, value in named.items()}
        answer = client.get("/v1/recommendations", query_string=query)
        found: list[dict[str, Any]] = answer.get_json()["offers"]
        return found

    body = {"placement": "web_cart", "customers": [{**known(0), "cart": CART}], "dry_run": True}
    for _ in range(2):
        assert got() == []
        assert offers(client, cart=CART, dry_run=True, **known(0)) == []
        line = client.post("/v1/recommendations/batch", json=body).text
        assert json.loads(line)["offers"] == []
    assert issued(approved) == 0
    (offer,) = offers(client, cart=CART, **known(0))
    assert [found["code"] for found in got()] == [offer["code"]]
    assert len(offers(client, cart=CART, dry_run=True, **known(0))) == 1
    assert issued(approved) == 1


def test_what_would_leave_too_little_takes_nobodys_place(app: Flask, client: FlaskClient) -> None:
    """Where one bundle would go below the margin floor, the next one is offered."""
    decide(app)
    others = ("beer", "item04")
    other = bundle_id("together", others)
    state(app).ledger.decisions.change(
        other,
        "together",
        others,
        Terms(status="approved", price_minor=280, currency="EUR"),
        by="anna",
        now_ts=int(time.time()),
        expected_revision=0,
    )
    both = {offer["bundle_id"] for offer in offers(client, cart=CART, dry_run=True, **known(0))}
    assert both == set()
    for dear, left in (("item03", other), ("item04", BUNDLE)):
        costs = {name: 150 if name == dear else 10 for name in ("beer", "item03", "item04")}
        costs["beer"] = 90
        put_items(client, *({"item_id": name, "cost": money(cost)} for name, cost in costs.items()))
        found = offers(client, cart=CART, **known(0 if dear == "item03" else 3))
        assert [offer["bundle_id"] for offer in found] == [left]


def test_visits_are_promised_little_and_briefly(app: Flask, client: FlaskClient) -> None:
    """Customers get the rest of the budget, and the visits' part is free again soon."""
    decide(app, budget_minor=500)  # of which visits get 100, for two
    home = offers(client, "web_home", session_id="visit-0")
    assert home == []  # nothing of it in the cart
    made = [offers(client, cart=CART, session_id=f"visit-{n}") for n in range(5)]
    assert [len(found) for found in made] == [1, 1, 0, 0, 0]
    now = state(app).now_ts()
    left = [
        found.expires_ts - now
        for found in state(app).ledger.offers.standing(
            [
                session_own_id(str(seal_session(f"visit-{n}", state(app).keyed_hash)))
                for n in range(2)
            ],
            now,
        )
    ]
    assert len(left) == 2
    assert max(left) <= 2 * 3_600
    assert len(offers(client, cart=CART, **known(0))) == 1
    # Who logs in is no stranger any more.
    assert len(offers(client, cart=CART, session_id="visit-4", **known(3))) == 1
    state(app).shift_seconds += 2 * 3_600 + 1
    assert len(offers(client, cart=CART, session_id="visit-5")) == 1


def test_a_page_gives_few_offers_to_one_address(app: Flask, client: FlaskClient) -> None:
    decide(app)
    most = state(app).config.offers.address_offers_per_hour
    _, secret = state(app).ledger.keys.create(
        Grant(scopes=("recommend",), origins=("https://shop.example",)), int(time.time())
    )
    state(app).key_cache._until = 0.0
    page = {"Authorization": f"Bearer {secret}"}

    def from_(address: str, visit: str) -> int:
        answer = client.post(
            "/v1/recommendations",
            json={"placement": "web_cart", "cart": CART, "session_id": visit},
            headers={**page, "X-Forwarded-For": f"9.9.9.9, {address}"},
        )
        assert answer.status_code == 200, answer.text
        return len(answer.get_json()["offers"])

    assert sum(from_("2001:db8::1", f"a{n}") for n in range(most)) == most
    assert from_("2001:db8::2", "more") == 0  # of the same network
    assert from_("2001:db8::2", "a0") == 1  # what stands is told
    assert from_("203.0.113.7", "other") == 1
    state(app).shift_seconds += 3_601
    assert from_("2001:db8::1", "later") == 1


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
        {**known(0), "cart": CART},
        {**known(3), "cart": CART},
        {**known(6)},
    ]
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
