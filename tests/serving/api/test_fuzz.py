"""Whatever is sent, the service does not fall over: never a 500, always a documented shape."""

import json
from typing import Any
from urllib.parse import quote

import msgspec
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.bundles.terms import STATUSES
from recsys.config.filters import FIELDS, OPERATORS
from recsys.config.toml_file import PLACEMENTS
from serving.http.problems import Problem
from serving.schemas import (
    BundleInFull,
    Bundles,
    EventsAnswer,
    FoundItems,
    Page,
    Product,
    Recommendations,
)
from tests.serving.conftest import ITEMS

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
item_ids = st.sampled_from(ITEMS) | st.text(max_size=12)
identifiers = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["email", "phone", "loyalty_card", "x"]),
        "value": st.text(max_size=20),
    }
)
times = st.datetimes().map(lambda at: at.isoformat() + "Z") | st.sampled_from(
    ["2026-03-01T12:00:00+14:00", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"]
)
placements = st.sampled_from([*PLACEMENTS])


def fields(**known: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the fields, most of them right, now and then one that is anything."""
    optional = {name: right | anything for name, right in known.items()}
    return st.fixed_dictionaries({}, optional=optional)


values = st.text(max_size=5) | st.integers() | st.booleans() | st.floats()
conditions = st.fixed_dictionaries(
    {},
    optional={
        "field": st.sampled_from(FIELDS) | anything,
        "op": st.sampled_from(OPERATORS) | anything,
        "value": values | st.lists(values, max_size=3) | anything,
    },
)
filters = st.recursive(
    conditions,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"and": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"or": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=6,
)
requests = fields(
    identifier=identifiers,
    customer_id=st.text(max_size=20),
    session_id=st.text(max_size=20),
    location_id=st.sampled_from(["S1", "S9"]) | st.text(max_size=5),
    item_ids=st.lists(item_ids, max_size=3),
    cart=st.lists(st.fixed_dictionaries({"item_id": item_ids}), max_size=3),
    count=st.integers(-1, 300),
    exclude=st.lists(item_ids, max_size=3),
    filter=filters,
    explain=st.booleans(),
    as_of=times,
).flatmap(lambda body: placements.map(lambda name: {"placement": name, **body}))

events = fields(
    event_id=st.sampled_from(["a", "b", "c"]),
    event=st.sampled_from(["purchase", "refund", "login", "add_to_cart", "view_item", "view_cart"]),
    occurred_at=times,
    identifier=identifiers,
    customer_id=st.text(max_size=20),
    session_id=st.sampled_from(["s", "t"]),
    transaction_id=st.sampled_from(["1", "2"]),
    channel=st.sampled_from(["web", "pos"]),
    items=st.lists(
        st.fixed_dictionaries(
            {"item_id": item_ids},
            optional={"quantity": st.floats(0, 1e6), "price": st.floats() | anything},
        ),
        max_size=3,
    ),
)

amounts = st.fixed_dictionaries(
    {"amount_minor": st.integers(-10, 400) | st.integers(), "currency": st.sampled_from(["EUR"])}
)
patches = fields(
    status=st.sampled_from([*STATUSES, None]),
    price=amounts | st.none(),
    budget=amounts | st.none(),
    starts_at=times | st.none(),
    ends_at=times | st.none(),
    channels=st.lists(st.sampled_from(["web", "pos", "x"]), max_size=3) | st.none(),
    locations=st.lists(st.sampled_from(["S1", "S9"]) | st.text(max_size=5), max_size=3),
    per_customer=st.integers(-1, 3) | st.none(),
    offer_hours=st.floats() | st.none(),
    gives_back=st.booleans() | st.none(),
    note=st.text(max_size=20) | st.none(),
)
redemptions = fields(
    transaction_id=st.text(max_size=20),
    channel=st.sampled_from(["web", "pos"]),
    location_id=st.sampled_from(["S1", "S9"]) | st.text(max_size=5),
    customer_id=st.text(max_size=20),
    identifier=identifiers,
    session_id=st.text(max_size=20),
    item_ids=st.lists(item_ids, max_size=3),
)
#: One step of a path; one that ends in a slash is redirected to the step without.
names = st.text(max_size=20).filter(lambda name: name.strip("/.") and not name.endswith("/"))

quickly = settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
JSON = {"Content-Type": "application/json"}


def send(app: Flask, path: str, body: bytes) -> Any:
    return app.test_client().post(path, data=body, headers=JSON)


def check(answer: Any, kinds: dict[int, Any]) -> None:
    assert answer.status_code in kinds, answer.text
    msgspec.json.decode(answer.data, type=kinds[answer.status_code])


@quickly
@given(body=requests | anything)
def test_any_question_is_answered_or_explained(app: Flask, body: Any) -> None:
    answer = send(app, "/v1/recommendations", json.dumps(body).encode())
    check(answer, {200: Recommendations, 400: Problem, 409: Problem, 422: Problem})


@quickly
@given(query=st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), max_size=4))
def test_any_query_is_answered_or_explained(app: Flask, query: list[tuple[str, str]]) -> None:
    for path in ("/v1/recommendations", "/v1/bundles"):
        answer = app.test_client().get(path, query_string=[*query, ("placement", "web_home")])
        check(answer, {200: Recommendations, 400: Problem, 422: Problem})


@quickly
@given(
    item_id=item_ids.filter(lambda name: name.strip("/.")),
    how=st.sampled_from(["bought-together", "similar"]),
    query=fields(count=st.integers(-1, 300), location_id=st.text(max_size=5), filter=filters),
)
def test_any_page_is_answered_or_explained(
    app: Flask, item_id: str, how: str, query: dict[str, Any]
) -> None:
    query = {
        name: value if name != "filter" else json.dumps(value) for name, value in query.items()
    }
    path = f"/v1/items/{quote(item_id, safe='')}/{how}"
    answer = app.test_client().get(path, query_string=query)
    check(answer, {200: Page, 400: Problem, 404: Problem, 422: Problem})


@quickly
@given(
    q=st.text(max_size=12) | st.sampled_from(["item", "sauce", "4006381333931"]),
    query=fields(
        count=st.integers(-1, 300),
        location_id=st.sampled_from(["S1", "S9"]) | st.text(max_size=5),
        in_stock=st.booleans(),
        placement=placements,
        filter=filters,
    ),
)
def test_any_search_is_answered_or_explained(app: Flask, q: str, query: dict[str, Any]) -> None:
    query = {
        name: value if name != "filter" else json.dumps(value) for name, value in query.items()
    }
    answer = app.test_client().get("/v1/items", query_string={"q": q, **query})
    check(answer, {200: FoundItems, 400: Problem, 422: Problem})


@quickly
@given(
    item_id=item_ids.filter(lambda name: name.strip("/.")),
    query=fields(stores=st.integers(-1, 300), location_id=st.text(max_size=5)),
)
def test_any_product_is_answered_or_explained(
    app: Flask, item_id: str, query: dict[str, Any]
) -> None:
    path = f"/v1/items/{quote(item_id, safe='')}"
    answer = app.test_client().get(path, query_string=query)
    check(answer, {200: Product, 308: Any, 400: Problem, 404: Problem, 422: Problem})


@quickly
@given(
    shared=fields(
        count=st.integers(-1, 300), filter=filters, unknown=st.sampled_from(["problem", "answer"])
    ),
    customers=st.lists(
        fields(
            identifier=identifiers,
            session_id=st.text(max_size=20),
            location_id=st.text(max_size=5),
            cart=st.lists(st.fixed_dictionaries({"item_id": item_ids}), max_size=3),
        )
        | anything,
        max_size=4,
    ),
    placement=placements,
)
def test_any_batch_is_answered_line_by_line_or_explained(
    app: Flask, shared: dict[str, Any], customers: list[Any], placement: str
) -> None:
    body = {"placement": placement, "customers": customers, **shared}
    answer = send(app, "/v1/recommendations/batch", json.dumps(body).encode())
    if answer.status_code != 200:
        check(answer, {400: Problem, 422: Problem})
        return
    lines = answer.data.splitlines()
    assert len(lines) == len(customers)
    for line in lines:
        msgspec.json.decode(line, type=Problem if b'"status"' in line[:200] else Recommendations)


@quickly
@given(batch=st.lists(events | anything, max_size=5))
def test_any_events_are_taken_or_explained(app: Flask, batch: list[Any]) -> None:
    answer = send(app, "/v1/events", json.dumps({"events": batch}).encode())
    check(answer, {200: EventsAnswer, 207: EventsAnswer, 400: Problem, 422: Problem})


@quickly
@given(body=st.binary(max_size=60))
def test_any_bytes_are_explained(app: Flask, body: bytes) -> None:
    for path in ("/v1/recommendations", "/v1/events", "/v1/offers/o/redemptions"):
        check(send(app, path, body), {400: Problem, 422: Problem})


@quickly
@given(body=patches | anything, held=st.sampled_from(['"0"', "*", '"1", "2"', "", "W/", '"']))
def test_any_decision_is_taken_or_explained(app: Flask, body: Any, held: str) -> None:
    client = app.test_client()
    bundle_id = client.get("/v1/bundles?show=all").get_json()["bundles"][0]["bundle_id"]
    path, headers = f"/v1/bundles/{bundle_id}", {**JSON, "If-Match": held}
    answer = client.patch(path, data=json.dumps(body).encode(), headers=headers)
    check(answer, {200: BundleInFull, **dict.fromkeys((400, 409, 412, 422), Problem)})
    check(client.get("/v1/bundles"), {200: Bundles})
    check(client.get(path), {200: BundleInFull})


@quickly
@given(body=redemptions | anything, name=names)
def test_any_redemption_is_explained(app: Flask, body: Any, name: str) -> None:
    which = quote(name, safe="")
    answer = send(app, f"/v1/offers/{which}/redemptions", json.dumps(body).encode())
    check(answer, {400: Problem, 404: Problem, 422: Problem})


@quickly
@given(name=names, body=fields(bundle_id=st.text(max_size=20)) | anything)
def test_any_name_is_answered_or_explained(app: Flask, name: str, body: Any) -> None:
    client, which = app.test_client(), quote(name, safe="")
    for path in (f"bundles/{which}", f"offers/{which}", f"offers/{which}/qr.svg"):
        check(client.get(f"/v1/{path}"), {404: Problem})
    check(client.get(f"/v1/customers/{which}/offers"), {404: Problem})
    answer = send(app, f"/v1/customers/{which}/offers", json.dumps(body).encode())
    check(answer, {400: Problem, 404: Problem, 422: Problem})


@quickly
@given(
    query=fields(
        status=st.text(max_size=8),
        q=st.text(max_size=8),
        item_id=item_ids,
        location_id=st.sampled_from(["S1", "S9"]) | st.text(max_size=5),
        season=st.text(max_size=8),
        segment=st.text(max_size=8),
        category=st.text(max_size=8),
        min_lift=st.floats(),
        min_support=st.integers(),
        min_margin=st.integers(),
        pays=st.booleans(),
        cursor=st.text(max_size=8),
        format=st.sampled_from(["json"]),
        limit=st.integers(-1, 1001),
    )
)
def test_any_list_of_bundles_is_answered_or_explained(app: Flask, query: dict[str, Any]) -> None:
    answer = app.test_client().get("/v1/bundles", query_string=query)
    check(answer, {200: Bundles, 400: Problem, 404: Problem, 422: Problem})
