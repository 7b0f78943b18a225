"""Pairs that sell together, as JSON and as a table."""

import csv
import io
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient

from serving.wire import Bundles

from .conftest import PAIRS


def page(client: FlaskClient, **query: Any) -> Bundles:
    answer = client.get("/v1/bundles", query_string=query)
    assert answer.status_code == 200, answer.text
    return msgspec.convert(answer.get_json(), Bundles)


def pairs(found: Bundles) -> list[set[str]]:
    return [{item.item_id for item in bundle.items} for bundle in found.bundles]


def test_what_goes_together_comes_first(client: FlaskClient) -> None:
    found = page(client)
    first = {frozenset(pair) for pair in pairs(found)[: len(PAIRS)]}
    assert first == {frozenset(pair) for pair in PAIRS}
    best = found.bundles[0]
    assert best.items[0].title
    assert best.items[0].price
    assert best.lift > 1
    assert 0 < best.confidence.a_to_b <= 1
    assert 0 < best.support_share < 1


def test_pages_follow_one_another(client: FlaskClient) -> None:
    whole = page(client, limit=1000)
    assert whole.next_cursor is None
    assert whole.total == len(whole.bundles) > 3
    seen, cursor = [], None
    while True:
        part = page(client, limit=3, **({"cursor": cursor} if cursor else {}))
        seen += part.bundles
        cursor = part.next_cursor
        if cursor is None:
            break
    assert seen == whole.bundles


@pytest.mark.parametrize("sort", ["lift", "support", "confidence"])
def test_pages_are_sorted_as_asked(client: FlaskClient, sort: str) -> None:
    keys = [
        max(bundle.confidence.a_to_b, bundle.confidence.b_to_a)
        if sort == "confidence"
        else getattr(bundle, sort)
        for bundle in page(client, sort=sort, limit=1000).bundles
    ]
    assert keys == sorted(keys, reverse=True)


def test_pairs_can_be_narrowed(client: FlaskClient) -> None:
    whole = page(client, limit=1000)
    of_one = page(client, item_id="pasta", limit=1000)
    assert of_one.bundles
    assert all("pasta" in pair for pair in pairs(of_one))
    lift = sorted(bundle.lift for bundle in whole.bundles)[1]
    strong = page(client, min_lift=lift, min_support=20, limit=1000)
    assert 0 < strong.total < whole.total
    assert all(bundle.lift >= lift and bundle.support >= 20 for bundle in strong.bundles)
    assert page(client, item_id="nothing").total == 0


def test_a_table_for_spreadsheets(client: FlaskClient) -> None:
    by_header = client.get("/v1/bundles?limit=3", headers={"Accept": "text/csv"})
    by_query = client.get("/v1/bundles?limit=3&format=csv")
    assert by_header.data == by_query.data
    assert by_query.content_type == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(by_query.data.decode("utf-8-sig"))))
    assert len(rows) == 3
    assert float(rows[0]["lift"]) > 1
    assert rows[0]["currency"] == "EUR"
    following = client.get(
        "/v1/bundles",
        query_string={"limit": 3, "format": "csv", "cursor": by_query.headers["X-Next-Cursor"]},
    )
    assert following.status_code == 200
    assert following.data != by_query.data
    rows += csv.DictReader(io.StringIO(following.data.decode("utf-8-sig")))
    titles = {row[column] for row in rows for column in ("title_a", "title_b")}
    assert "'=Butter" in titles  # a spreadsheet would run it
    assert "Sauce, tomato" in titles


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"cursor": "???"}, "/cursor"),
        ({"cursor": "e30"}, "/cursor"),
        ({"sort": "price"}, "/sort"),
        ({"limit": "0"}, "/limit"),
        ({"min_lift": "nan"}, "/min_lift"),
        ({"page": "2"}, "/page"),
    ],
)
def test_what_cannot_be_listed_is_explained(
    client: FlaskClient, query: dict[str, str], pointer: str
) -> None:
    answer = client.get("/v1/bundles", query_string=query)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]


def test_a_cursor_belongs_to_its_query(client: FlaskClient) -> None:
    cursor = page(client, limit=1).next_cursor
    answer = client.get("/v1/bundles", query_string={"cursor": cursor, "sort": "lift"})
    assert answer.status_code == 422
    answer = client.get("/v1/bundles", headers={"Accept": "image/png"})
    assert answer.status_code == 406
