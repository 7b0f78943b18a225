"""Every answer has the same shape, headers and manners, whatever was asked."""

import io
import json
import re
import time
from html.parser import HTMLParser
from typing import Any

import msgspec
import openapi_spec_validator
import pytest
from flask import Flask
from flask.testing import FlaskClient

from recsys.errors import LedgerAwayError
from serving.http import log
from serving.http.problem_kinds import PROBLEM_KINDS
from serving.http.problems import Problem
from serving.http.request_limits import MAX_BODY_BYTES
from serving.schemas import openapi

from .conftest import known

JSON = {"Content-Type": "application/json"}
TOO_LARGE = b" " * (MAX_BODY_BYTES + 1)
PATHS = ["/", "/docs", "/livez", "/v1/bundles", "/nothing", "/docs/start.js"]


@pytest.mark.parametrize(
    ("status", "kind", "method", "path", "sent"),
    [
        (400, "malformed-body", "POST", "/v1/recommendations", {"data": "{", "headers": JSON}),
        (404, "not-found", "GET", "/v1/nothing", {}),
        (404, "not-found", "GET", "/docs/swagger-ui.css.map", {}),
        (404, "not-found", "GET", "/docs/..%2f..%2fapp.py", {}),
        (405, "method-not-allowed", "DELETE", "/v1/events", {}),
        (406, "not-acceptable", "GET", "/v1/bundles", {"headers": {"Accept": "image/png"}}),
        (413, "body-too-large", "POST", "/v1/events", {"data": TOO_LARGE, "headers": JSON}),
        (415, "not-json", "POST", "/v1/events", {"data": "a=b"}),
        (421, "misdirected", "GET", "/livez", {"headers": {"Host": "shop.example"}}),
        (422, "invalid-request", "GET", "/v1/recommendations", {}),
    ],
)
def test_every_error_is_a_problem(
    client: FlaskClient, status: int, kind: str, method: str, path: str, sent: dict[str, Any]
) -> None:
    answer = client.open(path, method=method, **sent)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    problem = msgspec.json.decode(answer.data, type=Problem)
    assert problem.type == f"/problems#{kind}"
    assert (problem.status, problem.title) == (status, PROBLEM_KINDS[kind].title)
    assert problem.instance == f"urn:omnibasket:request:{answer.headers['X-Request-Id']}"
    assert problem.detail
    assert bool(problem.errors) == (status == 422)
    if status == 405:
        assert answer.headers["Allow"] == "POST"


def test_what_nobody_thought_of_is_a_problem_too(app: Flask, client: FlaskClient) -> None:
    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("ada@example.org")

    written = io.StringIO()
    log.set_up(written)
    answer = client.get("/broken")
    assert answer.status_code == 500
    assert answer.get_json()["type"] == "/problems#internal-error"
    logged = [json.loads(line) for line in written.getvalue().splitlines()]
    assert logged[0]["error"] == "RuntimeError"
    assert "test_app.py" in logged[0]["where"][-1]
    assert "ada" not in answer.text + written.getvalue()


def test_a_ledger_that_is_away_does_not_fill_the_log(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    @app.get("/broken")
    def broken() -> None:
        raise LedgerAwayError("no answer")

    written = io.StringIO()
    log.set_up(written)

    def logged() -> list[dict[str, Any]]:
        lines = map(json.loads, written.getvalue().splitlines())
        return [line for line in lines if line["message"] == "the ledger failed"]

    assert {client.get("/broken").status_code for _ in range(5)} == {503}
    assert [line["reason"] for line in logged()] == ["no answer"]
    assert "left_out" not in logged()[0]
    later = time.time() + 11
    monkeypatch.setattr("logging.time.time", lambda: later)
    assert client.get("/broken").status_code == 503
    assert logged()[1]["left_out"] == 4


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/livez", "/v1/bundles", "/nothing", "/docs/start.js"]
)
def test_every_answer_defends_itself(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    kept = {
        "/docs/start.js": "public, max-age=86400",
        "/v1/bundles": "private, no-cache",
    }
    assert headers["Cache-Control"] == kept.get(path, "private, no-store")


@pytest.mark.parametrize(
    "path", ["/openapi.json", "/v1/bundles?limit=2", "/v1/items/pasta/similar"]
)
def test_what_is_held_still_is_not_sent_again(client: FlaskClient, path: str) -> None:
    first = client.get(path)
    assert first.status_code == 200
    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
    assert "no-store" not in first.headers["Cache-Control"]
    other = client.get(path, headers={"If-None-Match": '"another"'})
    assert (other.status_code, other.data) == (200, first.data)


def test_a_tag_tells_forms_apart(client: FlaskClient) -> None:
    as_json = client.get("/v1/bundles")
    as_csv = client.get("/v1/bundles", headers={"Accept": "text/csv"})
    assert as_json.headers["ETag"] != as_csv.headers["ETag"]
    assert as_json.headers["Vary"] == "Accept"
    more = client.get("/v1/items/pasta/similar?count=2").headers["ETag"]
    assert more != client.get("/v1/items/pasta/similar").headers["ETag"]


def test_what_is_personal_is_never_kept(client: FlaskClient) -> None:
    query = {"placement": "web_home", "identifier_type": "email", "identifier_value": "a@b.example"}
    answer = client.get("/v1/recommendations", query_string=query)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "ETag" not in answer.headers


def test_the_request_id_comes_back(client: FlaskClient) -> None:
    sent = client.get("/livez", headers={"X-Request-Id": "order-17.a"})
    assert sent.headers["X-Request-Id"] == "order-17.a"
    for wrong in ("", "a b", "x" * 129, "<script>"):
        made = client.get("/livez", headers={"X-Request-Id": wrong}).headers["X-Request-Id"]
        assert re.fullmatch("[0-9a-f]{24}", made)


@pytest.mark.parametrize("host", ["localhost:8470", "127.0.0.1", "[::1]:80", "LOCALHOST"])
def test_this_machine_may_ask(client: FlaskClient, host: str) -> None:
    assert client.get("/livez", headers={"Host": host}).status_code == 200


def test_logs_hold_nothing_that_was_asked(client: FlaskClient) -> None:
    written = io.StringIO()
    log.set_up(written)
    who = known(0)["identifier"]["value"]
    client.get(
        f"/v1/recommendations?placement=web_home&identifier_type=email&identifier_value={who}"
    )
    client.get(f"/v1/customers/{who}?q={who}")
    client.get(f"/v1/nothing/{who}?q={who}")
    client.get("/livez")
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [line["route"] for line in lines] == [
        "/v1/recommendations",
        "/v1/customers/<customer_id>",
        None,
    ]
    assert lines[0]["status"] == 200
    assert lines[0]["milliseconds"] >= 0
    assert who not in written.getvalue()


def test_the_document_is_valid_and_whole(app: Flask, client: FlaskClient) -> None:
    document = client.get("/openapi.json").get_json()
    openapi_spec_validator.validate(document)
    described = {
        (method.upper(), path) for path, item in document["paths"].items() for method in item
    }
    served = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == served
    event = document["components"]["schemas"]["Event"]["properties"]["event_id"]
    assert event["description"] == "Sent twice under one id, it counts once."


def test_a_route_without_documentation_is_found(app: Flask) -> None:
    @app.get("/new")
    def new() -> str:
        return ""

    with pytest.raises(LookupError, match="/new"):
        openapi.build(app)


class Page(HTMLParser):
    """Collects what a page loads and where it leads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "href") and value is not None:
                (self.links if tag == "a" else self.loads).append(value)


@pytest.mark.parametrize("path", ["/", "/docs", "/problems"])
def test_pages_are_whole(client: FlaskClient, path: str) -> None:
    page = Page(client.get(path).text)
    for loaded in page.loads:
        assert loaded == "data:," or client.get(loaded).status_code == 200
    assert not [address for address in page.loads if ":" in address and address != "data:,"]
    for link in page.links:
        assert link.startswith("/")
        assert client.get(link).status_code == 200, link


def test_the_front_page_says_what_answers(client: FlaskClient) -> None:
    text = client.get("/").text
    assert "Corner shop" in text
    assert client.get("/readyz").get_json()["model_version"] in text
    for placement in ("web_home", "store_screen", "tablet"):
        assert placement in text


def test_every_kind_of_problem_is_explained(client: FlaskClient) -> None:
    text = client.get("/problems").text
    assert all(f'id="{kind}"' in text for kind in PROBLEM_KINDS)
