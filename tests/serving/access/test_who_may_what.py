"""Every route with every kind of key: what each opens is written down here, and nothing else does.

A new route fails until it is listed, with what a key of another scope, channel or location, a
screen's and a page's key get of it.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from recsys.ledger.api_keys import SCOPES, Grant
from tests.serving.access.open_routes import OPEN
from tests.serving.api.test_customers import customer_id as customer_of
from tests.serving.conftest import known, state
from tests.serving.marketing import approve

from .test_admission import renew

PAGE: Final = "https://shop.example"
#: Kinds of refusals that say who may not ask.
REFUSED: Final = (
    "key-missing",
    "scope-missing",
    "channel-forbidden",
    "location-forbidden",
    "browser-key",
)


class Names(NamedTuple):
    """What the calls are about."""

    bundle_id: str
    customer_id: str
    offer_id: str
    code: str
    token: str
    recommendation_id: str
    erasable_id: str


class Route(NamedTuple):
    """A call, and what keys with its scope get of it that are limited; empty: it is done."""

    scope: str
    path: str
    body: Any = None
    other_channel: str = ""
    other_location: str = ""
    screen: str = ""
    page: str = ""


_EVENT: Final = {
    "event": "view_item",
    "occurred_at": "2026-03-01T17:00:00Z",
    "channel": "web",
    "location_id": "S1",
    "items": [{"item_id": "tea"}],
}
_ORDER: Final = {"transaction_id": "T9", "channel": "web", "location_id": "S1"}
_TAKE_OVER: Final = {"session_id": "tablet", "channel": "web"}
_CHANNEL, _LOCATION, _PAGE = "channel-forbidden", "location-forbidden", "browser-key"
_OFFER_OTHERS: Final = {"screen": _CHANNEL, "page": _PAGE}
#: Method and rule → what it is. A limited key is for the channel `email`, or for location `S2`.
UNDER_V1: Final[dict[tuple[str, str], Route]] = {
    ("POST", "/v1/recommendations"): Route(
        "recommend",
        "/v1/recommendations",
        {"placement": "web_home", "location_id": "S1"},
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        screen=_CHANNEL,
    ),
    ("GET", "/v1/recommendations"): Route(
        "recommend",
        "/v1/recommendations?placement=web_home&location_id=S1",
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        screen=_CHANNEL,
    ),
    ("POST", "/v1/recommendations/batch"): Route(
        "recommend",
        "/v1/recommendations/batch",
        {"placement": "web_home", "location_id": "S1", "customers": [{"session_id": "v"}]},
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        screen=_CHANNEL,
        page=_PAGE,
    ),
    ("GET", "/v1/items"): Route(
        "recommend",
        "/v1/items?q=pasta&location_id=S1",
        other_location=_LOCATION,
        screen=_CHANNEL,
    ),
    ("GET", "/v1/items/<item:item_id>"): Route(
        "recommend",
        "/v1/items/pasta?location_id=S1",
        other_location=_LOCATION,
        screen=_CHANNEL,
    ),
    ("GET", "/v1/items/<item:item_id>/bought-together"): Route(
        "recommend",
        "/v1/items/pasta/bought-together?location_id=S1",
        other_location=_LOCATION,
        screen=_CHANNEL,
    ),
    ("GET", "/v1/items/<item:item_id>/similar"): Route(
        "recommend",
        "/v1/items/pasta/similar?location_id=S1",
        other_location=_LOCATION,
        screen=_CHANNEL,
    ),
    ("POST", "/v1/events"): Route(
        "events",
        "/v1/events",
        {"events": [_EVENT]},
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        screen=_CHANNEL,
    ),
    ("GET", "/v1/decisions/<recommendation_id>"): Route(
        "customers",
        "/v1/decisions/{recommendation_id}",
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        screen=_CHANNEL,
        page=_PAGE,
    ),
    ("GET", "/v1/customers/<customer_id>/consents"): Route(
        "customers", "/v1/customers/{customer_id}/consents", **_OFFER_OTHERS
    ),
    ("PUT", "/v1/customers/<customer_id>/consents"): Route(
        "customers",
        "/v1/customers/{customer_id}/consents",
        {"consents": [{"purpose": "marketing", "given": True}]},
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        **_OFFER_OTHERS,
    ),
    ("POST", "/v1/handovers"): Route(
        "recommend", "/v1/handovers", {"session_id": "visit"}, screen=_CHANNEL
    ),
    ("POST", "/v1/handovers/<code>"): Route(
        "recommend", "/v1/handovers/x", _TAKE_OVER, _CHANNEL, screen=_CHANNEL, page=_PAGE
    ),
    ("DELETE", "/v1/customers/<customer_id>"): Route(
        "customers",
        "/v1/customers/{erasable_id}",
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        **_OFFER_OTHERS,
    ),
    # What sells together is the whole business's to read; deciding is limited.
    ("GET", "/v1/bundles"): Route("marketing", "/v1/bundles", screen=_CHANNEL, page=_PAGE),
    ("GET", "/v1/bundles/<bundle_id>"): Route(
        "marketing", "/v1/bundles/{bundle_id}", screen=_CHANNEL, page=_PAGE
    ),
    ("PATCH", "/v1/bundles/<bundle_id>"): Route(
        "marketing",
        "/v1/bundles/{bundle_id}",
        {"note": "x"},
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        screen=_CHANNEL,
        page=_PAGE,
    ),
    # Who is limited is shown what can be used there; whoever holds a code may read it.
    ("GET", "/v1/customers/<customer_id>/offers"): Route(
        "offers", "/v1/customers/{customer_id}/offers", **_OFFER_OTHERS
    ),
    ("POST", "/v1/customers/<customer_id>/offers"): Route(
        "offers",
        "/v1/customers/{customer_id}/offers",
        {"bundle_id": "{bundle_id}"},
        other_channel=_CHANNEL,
        other_location=_CHANNEL,
        **_OFFER_OTHERS,
    ),
    ("GET", "/v1/offers"): Route(
        "offers",
        "/v1/offers?identifier_type=email&identifier_value=c0@shop.example.org",
        **_OFFER_OTHERS,
    ),
    ("GET", "/v1/offers/<offer_id>"): Route("offers", "/v1/offers/{offer_id}", **_OFFER_OTHERS),
    ("GET", "/v1/offers/<offer_id>/qr.svg"): Route(
        "offers", "/v1/offers/{offer_id}/qr.svg", **_OFFER_OTHERS
    ),
    ("POST", "/v1/offers/<offer_id>/redemptions"): Route(
        "offers",
        "/v1/offers/{code}/redemptions",
        _ORDER,
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        **_OFFER_OTHERS,
    ),
    ("DELETE", "/v1/offers/<offer_id>/redemptions/<transaction_id>"): Route(
        "offers",
        "/v1/offers/{code}/redemptions/t1?channel=web&location_id=S1",
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        **_OFFER_OTHERS,
    ),
    ("POST", "/v1/redemptions"): Route(
        "offers",
        "/v1/redemptions",
        {**_ORDER, "codes": ["{code}"], "dry_run": True},
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        **_OFFER_OTHERS,
    ),
    # A product is the same everywhere, so nobody who is limited changes it.
    ("PUT", "/v1/items"): Route(
        "catalogue",
        "/v1/items",
        {"items": [{"item_id": "tea", "active": False}]},
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        screen=_CHANNEL,
        page=_PAGE,
    ),
    ("PUT", "/v1/stock"): Route(
        "catalogue",
        "/v1/stock",
        {"stock": [{"location_id": "S1", "item_id": "tea", "on_hand": 1}]},
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        screen=_CHANNEL,
        page=_PAGE,
    ),
    ("PUT", "/v1/locations"): Route(
        "catalogue",
        "/v1/locations",
        {"locations": [{"location_id": "S1", "region": "x"}]},
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        screen=_CHANNEL,
        page=_PAGE,
    ),
}
#: Method and scope of what is the same on every channel, so that no limited key changes it.
EVERYWHERE: Final = {("PUT", "catalogue"), ("PUT", "customers"), ("DELETE", "customers")}


@pytest.fixture
def named(app: Flask, client: FlaskClient) -> Names:
    bundle_id = approve(client, channels=["web"], locations=["S1"])
    customer_id, erasable_id = (customer_of(client, number) for number in (0, 5))
    made = client.post(f"/v1/customers/{customer_id}/offers", json={"bundle_id": bundle_id})
    assert made.status_code == 201, made.text
    offer = made.get_json()
    token = offer["qr_public"]["svg"].split("/")[2]
    asked = {"placement": "web_home", "location_id": "S1", **known(0)}
    shown = client.post("/v1/recommendations", json=asked).get_json()["recommendation_id"]
    return Names(
        bundle_id, customer_id, offer["offer_id"], offer["code"], token, shown, erasable_id
    )


MakeKey = Callable[..., str]


@pytest.fixture
def make(app: Flask, named: Names) -> MakeKey:
    """Make a key after all that was asked without one."""

    def make(*scopes: Any, **limits: Any) -> str:
        _, secret = state(app).ledger.keys.create(Grant(scopes, **limits), int(time.time()))
        renew(app)
        return secret

    return make


def rules(app: Flask) -> Iterator[tuple[str, str]]:
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            yield method, rule.rule


def test_every_route_is_listed(app: Flask) -> None:
    assert set(rules(app)) == UNDER_V1.keys() | OPEN.keys()


def send(
    client: FlaskClient, method: str, path: str, body: Any, named: Names, key: str | None
) -> TestResponse:
    text = path
    for name, value in named._asdict().items():
        text = text.replace(f"{{{name}}}", value)
        if body is not None:
            filled = msgspec.json.encode(body).decode().replace(f"{{{name}}}", value)
            body = msgspec.json.decode(filled)
    if body is not None and "events" in body:
        body = {"events": [{**body["events"][0], "event_id": f"e{time.monotonic_ns()}"}]}
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    if method == "PATCH":
        body = {"note": f"{time.monotonic_ns()}"}  # what changes nothing is no decision
        bundle = state(client.application).ledger.decisions.get(named.bundle_id)
        headers["If-Match"] = f'"{0 if bundle is None else bundle.revision}"'
    return client.open(text, method=method, json=body, headers=headers)


def refusal(answer: TestResponse) -> str:
    """Why the caller may not ask; empty where they may."""
    assert answer.status_code < 500, answer.text
    if answer.status_code not in (401, 403) and answer.mimetype != "application/x-ndjson":
        return ""
    said = msgspec.json.decode(answer.data)  # of a batch, the only line
    kind = str(said.get("type", "")).removeprefix("/problems#")
    assert kind in ("", *REFUSED)
    return kind


def test_what_each_key_opens(app: Flask, client: FlaskClient, named: Names, make: MakeKey) -> None:
    limited: dict[str, dict[str, Any]] = {
        "other_channel": {"channels": ("email",)},
        "other_location": {"locations": ("S2",)},
        "screen": {"channels": ("store_screen",)},
        "page": {"origins": (PAGE,)},
    }
    others = {scope: make(*(s for s in SCOPES if s != scope)) for scope in SCOPES}
    own = {scope: make(scope) for scope in SCOPES}
    here = make(*SCOPES, channels=("web",), locations=("S1",))
    keys = {
        (scope, name): make(scope, **grant) for scope in SCOPES for name, grant in limited.items()
    }
    found, expected = {}, {}
    for (method, rule), route in UNDER_V1.items():
        asked = {
            "none": (None, "key-missing"),
            "all but its scope": (others[route.scope], "scope-missing"),
            "its scope": (own[route.scope], ""),
        }
        for name in limited:
            asked[name] = (keys[route.scope, name], getattr(route, name))
        if (method, route.scope) not in EVERYWHERE:
            asked["for here"] = (here, "")
        for name, (key, kind) in asked.items():
            answer = send(client, method, route.path, route.body, named, key)
            found[method, rule, name] = refusal(answer)
            expected[method, rule, name] = kind
    assert found == expected


def test_who_is_limited_is_shown_what_can_be_used_there(
    client: FlaskClient, named: Names, make: MakeKey
) -> None:
    for limits, count in (
        ({"locations": ("S1",)}, 1),
        ({"locations": ("S2",)}, 0),
        ({"channels": ("web",)}, 1),
        ({"channels": ("pos",)}, 0),
    ):
        bearer = {"Authorization": f"Bearer {make('offers', **limits)}"}
        found = client.get(f"/v1/customers/{named.customer_id}/offers", headers=bearer)
        assert len(found.get_json()["offers"]) == count, limits


def test_a_shop_of_one_place_changes_its_own_stock_only(
    client: FlaskClient, named: Names, make: MakeKey
) -> None:
    own = make("catalogue", locations=("S2",))
    stock = {"stock": [{"location_id": "S2", "item_id": "tea", "on_hand": 1}]}
    assert send(client, "PUT", "/v1/stock", stock, named, own).status_code == 200
    sold_out = {"items": [{"item_id": "tea", "active": False}]}
    assert refusal(send(client, "PUT", "/v1/items", sold_out, named, own)) == _LOCATION


def test_strangers_learn_nothing_of_the_business(
    app: Flask, client: FlaskClient, named: Names, make: MakeKey
) -> None:
    version = state(app).loaded().version
    key, of_page = make("recommend"), make("recommend", origins=(PAGE,))
    for (method, rule), (path, status) in OPEN.items():
        answer = send(client, method, path, None, named, None)
        assert answer.status_code == status, (rule, answer.text)
        for told in (version, "Corner shop", str(state(app).config.folder), "sqlite"):
            assert told not in answer.text, (rule, told)
    assert client.get("/readyz").get_json().keys() == {"status"}
    for secret, knows in ((key, True), (of_page, False), (key + "x", False)):
        headers = {"Authorization": f"Bearer {secret}"}
        ready = client.get("/readyz", headers=headers).get_json()
        assert (ready.get("model_version") == version) is knows
        assert ("checks" in ready) is knows
        assert ("Corner shop" in client.get("/", headers=headers).text) is knows
