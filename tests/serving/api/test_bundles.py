"""What sells together, as JSON and as a table, one by one and all of them."""

import csv
import io
from typing import Any

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from recsys.config.toml_file import Config
from serving.schemas.bundles import Bundle, BundleInFull, Bundles
from tests.serving.conftest import ITEMS, PAIRS, Serve, state
from tests.serving.marketing import (
    EUR,
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
    refused,
)


def page(client: FlaskClient, **query: Any) -> Bundles:
    """All bundles that fit, the strongest evidence first, unless the query says otherwise."""
    whole = {"show": "all", "sort": "evidence", **query}
    answer = client.get("/v1/bundles", query_string=whole)
    assert answer.status_code == 200, answer.text
    return msgspec.convert(answer.get_json(), Bundles)


def pairs(found: Bundles) -> list[set[str]]:
    return [{item.item_id for item in bundle.items} for bundle in found.bundles]


def test_what_goes_together_comes_first(client: FlaskClient) -> None:
    found = page(client)
    first = {frozenset(pair) for pair in pairs(found)[: len(PAIRS)]}
    assert first == {frozenset(pair) for pair in PAIRS}
    best = found.bundles[0]
    assert all(item.title and item.price and item.active for item in best.items)
    assert best.support
    assert best.lift_low
    assert best.lift
    assert best.lift_high
    assert 1 < best.lift_low < best.lift < best.lift_high
    assert best.q_value is not None
    assert best.q_value < 0.05
    assert best.confidence
    assert 0 < best.confidence.a_to_b <= 1
    assert (best.status, best.revision, best.changed_by) == ("suggested", 0, None)
    assert best.offers.issued == 0


def test_by_default_the_list_holds_what_is_worth_a_decision(client: FlaskClient) -> None:
    """What earns most comes first; of the others it says how many there are, and why."""
    every = page(client)
    put_costs(client, 10)
    put_costs(client, 145, ("pasta", "sauce"))
    put_items(client, {"item_id": "tea", "active": False})
    worth = page(client, show="worth", sort="margin")
    bare = client.get("/v1/bundles").get_json()
    assert msgspec.convert(bare, Bundles) == worth
    assert pairs(worth)[0] == {"bread", "butter"}
    assert {"pasta", "sauce"} not in pairs(worth)
    why = {one.reason: one.bundles for one in worth.left_out}
    assert why.items() >= {"sells_anyway": 1, "not_sold": 1}.items()
    assert worth.total + sum(why.values()) == every.total
    left = page(client, show="left_out")
    assert left.total == sum(why.values())
    assert all(bundle.left_out and bundle.left_out.text for bundle in left.bundles)
    assert all(bundle.left_out is None for bundle in worth.bundles)
    whole = page(client)
    assert (whole.total, whole.left_out) == (every.total, [])


def test_what_was_decided_about_is_always_found(client: FlaskClient) -> None:
    approve(client)
    put_costs(client, 145, ITEMS)
    assert page(client, show="worth").total == 1
    bundle = bundle_of(client, ("beer", "crisps"))
    assert change(client, bundle["bundle_id"], 0, status="rejected").status_code == 200
    assert pairs(page(client, show="worth", sort="changed")) in (
        [{"bread", "butter"}, {"beer", "crisps"}],
        [{"beer", "crisps"}, {"bread", "butter"}],
    )
    assert pairs(page(client, show="worth", status="rejected")) == [{"beer", "crisps"}]


def test_a_history_that_is_a_sample_stands_for_the_business(config: Config, serve: Serve) -> None:
    """What the whole business would earn decides, and the estimate says so."""
    small = msgspec.structs.replace(config.bundles, min_month=100.0)
    large = msgspec.structs.replace(small, sample_share=0.001)
    clients = [
        serve(msgspec.structs.replace(config, bundles=settings)).test_client()
        for settings in (small, large)
    ]
    put_costs(clients[0], 10)
    assert set(PAIR) not in pairs(page(clients[0], show="worth"))
    state(clients[1].application).refresh()
    found = page(clients[1], show="worth").bundles
    assert set(PAIR) in [{item.item_id for item in bundle.items} for bundle in found]
    assert all(bundle.pricing and "0.10%" in bundle.pricing.estimate for bundle in found)


def test_pages_follow_one_another(client: FlaskClient) -> None:
    whole = page(client, limit=1000)
    assert whole.next_cursor is None
    assert whole.total == len(whole.bundles) > 3
    seen: list[Bundle] = []
    cursor = None
    while True:
        part = page(client, limit=3, **({"cursor": cursor} if cursor else {}))
        seen += part.bundles
        cursor = part.next_cursor
        if cursor is None:
            break
    assert seen == whole.bundles


KEYS = {
    "lift": lambda bundle: bundle.lift,
    "support": lambda bundle: bundle.support,
    "confidence": lambda bundle: max(bundle.completes),
    "stability": lambda bundle: bundle.stability,
    "margin": lambda bundle: (
        bundle.pricing.suggested_price is not None or bundle.terms.price is not None,
        bundle.pricing.expected_margin.middle,
    ),
    "changed": lambda bundle: bundle.changed_at or "",
}


@pytest.mark.parametrize("sort", KEYS)
def test_pages_are_sorted_as_asked(client: FlaskClient, sort: str) -> None:
    put_costs(client, 40, ITEMS)
    approve(client, price=money(200))  # which loses
    keys = [KEYS[sort](bundle) for bundle in page(client, sort=sort, limit=1000).bundles]
    assert keys == sorted(keys, reverse=True)


def test_bundles_can_be_narrowed(client: FlaskClient) -> None:
    whole = page(client, limit=1000)
    assert pairs(page(client, item_id="pasta")) == [{"pasta", "sauce"}]
    lifts = sorted(bundle.lift or 0 for bundle in whole.bundles)
    strong = page(client, min_lift=lifts[1] + 0.001, min_support=20)
    assert 0 < strong.total < whole.total
    assert all((bundle.lift or 0) > lifts[1] for bundle in strong.bundles)
    assert page(client, min_support=100_000).total == 0
    assert page(client, kind="after").total == 0
    assert pairs(page(client, q="tOmAto")) == [{"pasta", "sauce"}]
    assert page(client, location_id="S1").total > 0


def test_bundles_can_be_narrowed_by_what_the_back_office_told(client: FlaskClient) -> None:
    put_items(client, {"item_id": "milk", "category": "Dairy", "department": "Cold"})
    for query in ({"category": "Dairy"}, {"department": "Cold"}):
        assert pairs(page(client, **query)) == [{"milk", "tea"}]
    assert client.get("/v1/bundles?category=Cold").status_code == 422  # that is a department
    (bundle,) = page(client, category="Dairy").bundles
    assert [item.category for item in bundle.items if item.item_id == "milk"] == ["Dairy"]


def test_bundles_can_be_narrowed_by_what_they_earn(client: FlaskClient) -> None:
    put_costs(client, 140, ITEMS)
    assert page(client, pays="true").total == 0
    put_costs(client, 10)
    paying = page(client, pays="true")
    assert pairs(paying) == [{"bread", "butter"}]
    pricing = paying.bundles[0].pricing
    assert pricing
    assert pricing.suggested_price
    assert pricing.floor_price.amount_minor < pricing.suggested_price.amount_minor < 300
    earns = pricing.expected_margin.middle
    assert pairs(page(client, min_margin=int(earns) - 1)) == [{"bread", "butter"}]
    assert page(client, min_margin=int(earns) + 1).total == 0


def test_bundles_can_be_narrowed_by_what_was_decided(client: FlaskClient) -> None:
    before = page(client, status="suggested").total
    approve(client)
    assert pairs(page(client, status="approved")) == [{"bread", "butter"}]
    assert page(client, status="suggested").total == before - 1


def test_segments_are_asked_for_by_channel_season_or_name(client: FlaskClient) -> None:
    held = {segment.segment for bundle in page(client).bundles for segment in bundle.segments}
    for query in ({"channel": "web"}, {"season": "winter"}, {"segment": "channel:pos"}):
        ((kind, name),) = query.items()
        wanted = name if kind == "segment" else f"{kind}:{name}"
        assert (page(client, **query).total > 0) == (wanted in held)
    both = client.get("/v1/bundles?channel=web&season=winter")
    assert [error["pointer"] for error in refused(both, "invalid-request")["errors"]] == [
        "/channel",
        "/season",
    ]


def test_a_table_for_spreadsheets(client: FlaskClient) -> None:
    approve(client, note="=HYPERLINK(1)")
    whole = "/v1/bundles?limit=3&show=all&sort=evidence"
    by_header = client.get(whole, headers={"Accept": "text/csv"})
    by_query = client.get(f"{whole}&format=csv")
    assert by_query.headers["X-Left-Out"] == "0"
    worth = client.get("/v1/bundles?format=csv")
    assert int(worth.headers["X-Left-Out"]) == page(client, show="left_out").total
    assert by_header.data == by_query.data
    assert by_query.content_type == "text/csv; charset=utf-8"
    assert "attachment" in by_query.headers["Content-Disposition"]
    following = client.get(
        "/v1/bundles",
        query_string={
            "limit": 3,
            "show": "all",
            "sort": "evidence",
            "format": "csv",
            "cursor": by_query.headers["X-Next-Cursor"],
        },
    )
    assert "X-Next-Cursor" not in following.headers
    parts = [answer.data.decode("utf-8-sig") for answer in (by_query, following)]
    rows = [row for part in parts for row in csv.DictReader(io.StringIO(part))]
    assert [row["bundle_id"] for row in rows] == [b.bundle_id for b in page(client).bundles]
    titles = {row[column] for row in rows for column in ("title_1", "title_2")}
    assert {"'=Butter", "Sauce, tomato"} <= titles  # a spreadsheet would run the first
    (row,) = (row for row in rows if row["status"] == "approved")
    assert float(row["lift_low"]) < float(row["lift"]) < float(row["lift_high"])
    told = {"price_minor": "250", "currency": EUR, "note": "'=HYPERLINK(1)", "issued": "0"}
    assert row.items() >= told.items()


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"cursor": "???"}, "/cursor"),
        ({"cursor": "e30"}, "/cursor"),
        ({"sort": "price"}, "/sort"),
        ({"limit": "0"}, "/limit"),
        ({"min_lift": "nan"}, "/min_lift"),
        ({"page": "2"}, "/page"),
        ({"status": "open"}, "/status"),
        ({"channel": "radio"}, "/channel"),
        ({"location_id": "S7"}, "/location_id"),
    ],
)
def test_what_cannot_be_listed_is_explained(
    client: FlaskClient, query: dict[str, str], pointer: str
) -> None:
    answer = client.get("/v1/bundles", query_string=query)
    found = refused(answer, "invalid-request")
    assert [error["pointer"] for error in found["errors"]] == [pointer]


def test_a_product_that_nobody_knows_is_no_product(client: FlaskClient) -> None:
    refused(client.get("/v1/bundles?item_id=nothing"), "item-unknown")


def test_a_cursor_belongs_to_its_query(client: FlaskClient) -> None:
    cursor = page(client, limit=1).next_cursor
    answer = client.get("/v1/bundles", query_string={"cursor": cursor, "sort": "lift"})
    refused(answer, "invalid-request")
    refused(client.get("/v1/bundles", headers={"Accept": "image/png"}), "not-acceptable")


def test_a_list_that_is_held_is_sent_again_once_it_says_something_else(
    app: Flask, client: FlaskClient
) -> None:
    def held(tag: str) -> int:
        return client.get(whole, headers={"If-None-Match": tag}).status_code

    whole = "/v1/bundles?show=all"
    tags = [client.get(whole).headers["ETag"]]
    assert held(tags[0]) == 304
    bundle_id = approve(client)
    for act in (
        lambda: issue(client, customer(app), bundle_id),
        lambda: put_items(client, {"item_id": "tea", "title": "Green tea"}),
    ):
        assert held(tags[-1]) == 200
        tags.append(client.get(whole).headers["ETag"])
        assert held(tags[-1]) == 304
        act()
    assert held(tags[-1]) == 200
    assert len(set(tags)) == 3


def test_one_bundle_has_everything_to_draw_and_decide_by(client: FlaskClient) -> None:
    put_costs(client, 40)
    listed = bundle_of(client)
    answer = client.get(f"/v1/bundles/{listed['bundle_id']}")
    assert answer.headers["ETag"] == '"0"'
    assert answer.headers["Cache-Control"] == "private, no-store"
    shown = answer.get_json()
    assert shown["pricing"].items() >= listed["pricing"].items()
    assert all(
        {**item, "attributes": {}} == {**other, "attributes": {}}
        for item, other in zip(shown["items"], listed["items"], strict=True)
    )
    apart = {"pricing": None, "items": None}
    assert {**shown, **apart}.items() >= {**listed, **apart}.items()
    found = msgspec.convert(shown, BundleInFull)
    assert found.evidence
    assert sum(found.evidence.together) == found.support == found.evidence.baskets.all
    assert {place.location_id for place in found.evidence.locations} == {"S1", "S2", "online"}
    assert found.pricing
    curve = [point.price_minor for point in found.pricing.curve]
    assert curve == sorted(curve)
    assert curve[0] == found.pricing.floor_price.amount_minor
    assert curve[-1] == found.pricing.full_price.amount_minor == 300
    assert found.history == []
    assert found.offers_by_day == []


def test_offers_are_counted_and_drawn_by_day(app: Flask, client: FlaskClient) -> None:
    bundle_id = approve(client)
    offer = issue(client, customer(app), bundle_id).get_json()
    issue(client, customer(app, 3), bundle_id)
    body = {"transaction_id": "9", "channel": "web"}
    assert client.post(f"/v1/offers/{offer['code']}/redemptions", json=body).status_code == 201
    shown = one(client, bundle_id)
    assert shown["offers"] == {
        "issued": 2,
        "standing": 1,
        "redeemed": 1,
        "returned": 0,
        "reserved": money(50),
        "spent": money(50),
    }
    assert [(day["issued"], day["redeemed"]) for day in shown["offers_by_day"]] == [(2, 1)]
    assert bundle_of(client)["offers"] == shown["offers"]


def test_what_is_no_bundle_is_not_there(client: FlaskClient) -> None:
    for bundle_id in ("b0123456789abcdef", "%00", "x" * 300):
        refused(client.get(f"/v1/bundles/{bundle_id}"), "bundle-unknown")
        refused(change(client, bundle_id, 0, status="approved"), "bundle-unknown")


def test_other_workers_show_a_decision_at_once(
    app: Flask, client: FlaskClient, config: Config, serve: Serve
) -> None:
    other = serve(config)
    assert page(other.test_client(), status="approved").total == 0
    bundle_id = approve(client)
    assert page(other.test_client(), status="approved").total == 1
    assert one(other.test_client(), bundle_id)["terms"]["price"] == money(250)
    withdrawn = change(other.test_client(), bundle_id, 1, status="withdrawn")
    assert withdrawn.status_code == 200
    state(app).refresh()
    assert state(app).decision_cache.by_id[bundle_id].terms.status == "withdrawn"
