"""What everybody can do who reads a page's key: tell of their own visit, and no more."""

import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from recsys.config.toml_file import Config
from recsys.datasets.item_index import item_key
from recsys.ledger.api_keys import Grant
from recsys.ledger.events.event_types import Event, seal
from recsys.ledger.ledger import Ledger
from tests.serving.conftest import ask, bought, ids, known, state

SHOP = "https://shop.example"
Call = Callable[..., dict[str, Any]]


@pytest.fixture
def keys(app: Flask) -> dict[str, str]:
    made = {
        "page": Grant(scopes=("recommend", "events"), origins=(SHOP,)),
        "server": Grant(scopes=("recommend", "events", "offers")),
    }
    ledger = state(app).ledger
    secrets = {name: ledger.keys.create(grant, int(time.time()))[1] for name, grant in made.items()}
    state(app).key_cache._until = 0.0
    return secrets


@pytest.fixture
def tell(client: FlaskClient, keys: dict[str, str]) -> Call:
    def tell(who: str, *events: dict[str, Any]) -> dict[str, Any]:
        answer = client.post(
            "/v1/events",
            json={"events": list(events)},
            headers={"Authorization": f"Bearer {keys[who]}"},
        )
        assert answer.status_code in (200, 207), answer.text
        found: dict[str, Any] = answer.get_json()
        return found

    return tell


@pytest.mark.parametrize("event", ["email_sent", "email_failed", "email_opened", "email_clicked"])
def test_a_page_says_nothing_of_messages_and_keeps_no_answers(
    client: FlaskClient, keys: dict[str, str], tell: Call, event: str
) -> None:
    about = {**bought("m"), "event": event, "recommendation_id": "r", "channel": "email"}
    (told,) = tell("page", {**about, "session_id": "v"})["events"]
    assert told["problem"]["type"] == "/problems#event-forbidden"
    for field in ("mailing_id", "slot"):
        asked = {"placement": "web_home", "session_id": "v", field: "1"}
        page = {"Authorization": f"Bearer {keys['page']}", "Origin": SHOP}
        answer = client.post("/v1/recommendations", json=asked, headers=page)
        assert (answer.status_code, answer.get_json()["type"]) == (403, "/problems#browser-key")


def row_of(app: Flask, number: int) -> list[tuple[int, float]]:
    """Products and quantities that the ledger knows of a customer."""
    who = known(number)["identifier"]
    keyed = state(app).keyed_hash.identifier(who["type"], who["value"])
    customer_id = state(app).ledger.resolve("email", keyed or "")
    lines = state(app).ledger.history(customer_id or "").lines
    return [(int(line["item_key"]), float(line["quantity"])) for line in lines]


def login(session_id: str, number: int) -> dict[str, Any]:
    fields = {**bought(f"login-{session_id}"), "event": "login", "session_id": session_id}
    return {**fields, "transaction_id": None, **known(number)}


def test_a_page_refunds_nothing(app: Flask, tell: Call) -> None:
    assert tell("server", bought("e1", "tea", **known(3)))["accepted"] == 1
    before = row_of(app, 3)
    refund = {**bought("e2"), "event": "refund", "transaction_id": "e1"}
    other = {**bought("e3", "milk"), "event": "view_item", "session_id": "v"}
    told = tell("page", refund, other)
    assert (told["accepted"], told["refused"]) == (1, 1)  # each is answered for itself
    problem = told["events"][0]["problem"]
    assert (problem["type"], problem["status"]) == ("/problems#event-forbidden", 403)
    assert problem["errors"] == [
        {"pointer": "/events/0/event", "detail": "must not be sent with this key."}
    ]
    assert row_of(app, 3) == before
    assert tell("server", refund)["accepted"] == 1


def test_a_page_takes_no_orders_number(app: Flask, tell: Call) -> None:
    early = tell("page", bought("p1", "milk", transaction_id="1001", session_id="v"))
    (outcome,) = early["events"]
    assert outcome["status"] == "accepted"
    assert "not confirmed" in outcome["detail"]
    real = bought("s1", "tea", transaction_id="1001", **known(3))
    before = len(row_of(app, 3))
    (outcome,) = tell("server", real)["events"]
    assert (outcome["status"], outcome.get("detail")) == ("accepted", None)
    assert row_of(app, 3)[before:] == [(item_key("tea"), 1.0)]
    # Which numbers there are cannot be tried out either.
    again = tell("page", bought("p2", "milk", transaction_id="1001", session_id="v"))
    assert again["events"][0]["status"] == "accepted"


def test_a_page_takes_no_events_id(tell: Call) -> None:
    assert tell("page", bought("shop-7", "milk", session_id="v"))["accepted"] == 1
    assert tell("server", bought("shop-7", "tea", **known(3)))["accepted"] == 1
    assert tell("server", bought("shop-7", "tea", **known(3)))["duplicate"] == 1


def test_a_page_changes_no_customers_row(app: Flask, tell: Call) -> None:
    tell("server", login("theirs", 3))
    before = row_of(app, 3)
    assert tell("page", bought("p1", "tea", session_id="theirs"))["accepted"] == 1
    assert row_of(app, 3) == before


def test_a_visit_is_not_shown_what_it_just_bought(client: FlaskClient, app: Flask) -> None:
    """A page's purchase counts for its own visit, as long as nobody has logged in to that."""
    first = ids(ask(client, session_id="mine"))[0]
    ledger = state(app).ledger
    cart = {**bought("c1", first), "event": "add_to_cart", "session_id": "mine"}
    keyed = state(app).keyed_hash
    now = state(app).now_ts()
    for fields in (cart, bought("p1", first, session_id="mine")):
        moved = {**fields, "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))}
        event = msgspec.convert(moved, Event, strict=False)
        ledger.add_events([seal(event, keyed)], now, page=True)
    assert first not in ids(ask(client, session_id="mine"))
    visit = ledger.customer(session_id=keyed.identifier("session", "mine"), as_of_ts=now).visit
    assert visit.cart == {}


def test_the_order_of_a_page_uses_no_offer_and_holds_nothing(config: Config, tell: Call) -> None:
    """What an order holds is what a server or an export says."""
    tell("page", bought("p1", "tea", "milk", transaction_id="77", session_id="v"))
    ledger = Ledger.open(config.ledger_url)
    with ledger._database.reading() as connection:
        numbers = connection.exec_driver_sql("SELECT transaction_id FROM transactions").scalars()
        assert "77" not in set(numbers)
    ledger.close()


@pytest.mark.parametrize(
    ("items", "pointer"),
    [
        (
            [
                {
                    "item_id": "tea",
                    "quantity": 1025,
                    "price": {"amount_minor": 2**53, "currency": "EUR"},
                }
            ],
            "/items/0/price",
        ),
        ([{"item_id": "tea", "quantity": 1e6, "price": 1e9}], "/items/0/price"),
        ([{"item_id": "tea", "quantity": 1, "price": 9e8}] * 3, "/items"),
        ([{"item_id": "tea", "quantity": 1e6}] * 11, "/items"),
        ([{"item_id": "tea", "quantity": 5e-324}], "/items/0/quantity"),
    ],
)
@pytest.mark.parametrize("who", ["page", "server"])
def test_what_no_history_holds_is_refused(
    tell: Call, who: str, items: list[dict[str, Any]], pointer: str
) -> None:
    told = tell(who, {**bought("e1", session_id="v"), "items": items})
    (error, *_) = told["events"][0]["problem"]["errors"]
    assert error["pointer"] == f"/events/0{pointer}"
