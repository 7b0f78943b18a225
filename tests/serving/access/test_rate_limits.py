"""Whoever asks too much waits, and is told how much is left; all workers count together."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.config.toml_file import Config, LimitSettings
from recsys.ledger.api_keys import Grant
from serving.access.rate_limits import HOUR, MINUTE, Policy, QuotaFile
from serving.http.problems import Problem
from tests.serving.conftest import Serve, bought, state

SHOP = "https://shop.example"
FEW = LimitSettings(
    requests_per_minute=9,
    events_per_hour=1500,
    page_requests_per_minute=8,
    page_events_per_hour=40,
    address_requests_per_minute=5,
    address_events_per_hour=30,
)
TEN = Policy("ten", 10, MINUTE, "requests", "key")


@pytest.fixture
def app(config: Config, serve: Serve, tmp_path: Path) -> Flask:
    """Few are enough here, and nobody else counts along."""
    workspace = msgspec.structs.replace(config.workspace, state=str(tmp_path / "state"))
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "key").write_bytes((config.state / "key").read_bytes())
    return serve(msgspec.structs.replace(config, limits=FEW, workspace=workspace))


def make(app: Flask, *scopes: Any, **limits: Any) -> str:
    _, secret = state(app).ledger.keys.create(Grant(scopes=scopes, **limits), 1)
    state(app).key_cache._until = 0.0
    return secret


def ask(client: FlaskClient, key: str, address: str = "203.0.113.7") -> Any:
    return client.get(
        "/v1/bundles?limit=1" if "page" not in key else "/v1/events",
        headers={"Authorization": f"Bearer {key}"},
        environ_base={"REMOTE_ADDR": address},
    )


def tell(client: FlaskClient, key: str, first: int, count: int, address: str) -> Any:
    return client.post(
        "/v1/events",
        json={"events": [bought(f"e{first + n}", "tea", session_id="v") for n in range(count)]},
        headers={"Authorization": f"Bearer {key}", "Origin": SHOP},
        environ_base={"REMOTE_ADDR": address},
    )


def left(answer: Any) -> dict[str, int]:
    """What the header says, by policy."""
    return {
        name: int(r)
        for name, r in re.findall(r'"([a-z-]+)";r=(\d+);t=\d+', answer.headers["RateLimit"])
    }


def refused(answer: Any, name: str) -> None:
    assert answer.status_code == 429, answer.text
    told = msgspec.json.decode(answer.data, type=Problem)
    assert told.type == "/problems#too-many-requests"
    assert f"`{name}`" in told.detail
    assert int(answer.headers["Retry-After"]) >= 1


def test_a_server_is_told_what_is_left_and_then_waits(app: Flask) -> None:
    client, key, other = app.test_client(), make(app, "marketing"), make(app, "marketing")
    answers = [ask(client, key) for _ in range(10)]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"requests";q=9;w=60'}
    assert left(answers[0]) == {"requests": 8}
    assert left(answers[8]) == {"requests": 0}
    refused(answers[9], "requests")
    assert 1 <= int(answers[9].headers["Retry-After"]) <= 7  # a ninth of a minute
    refused(ask(client, key, "198.51.100.1"), "requests")  # from wherever
    assert ask(client, other).status_code != 429


def test_events_are_counted_one_by_one(app: Flask) -> None:
    client, key = app.test_client(), make(app, "events")
    assert left(tell(client, key, 0, 1000, "203.0.113.7")) == {"requests": 8, "events": 500}
    answer = tell(client, key, 1000, 501, "203.0.113.7")
    refused(answer, "events")
    assert left(answer)["events"] == 500  # nothing is taken from who is refused
    assert tell(client, key, 1000, 500, "203.0.113.7").status_code == 200


def test_one_address_of_a_page_leaves_something_for_the_others(app: Flask) -> None:
    client, key = app.test_client(), make(app, "events", origins=(SHOP,))
    answer = tell(client, key, 0, 20, "203.0.113.7")
    # What one visitor has left is said; how busy the whole shop is, is not.
    assert left(answer) == {"address-requests": 4, "address-events": 10}
    assert answer.headers["RateLimit-Policy"] == (
        '"address-requests";q=5;w=60, "address-events";q=30;qu="events";w=3600'
    )
    assert "RateLimit" in answer.headers["Access-Control-Expose-Headers"]
    refused(tell(client, key, 20, 11, "203.0.113.7"), "address-events")
    assert tell(client, key, 20, 10, "203.0.113.8").status_code == 200
    refused(tell(client, key, 30, 11, "203.0.113.8"), "page-events")
    assert tell(client, key, 30, 10, "203.0.113.8").status_code == 200
    for _ in range(3):  # the sixth to the eighth of the key
        answer = tell(client, key, 0, 1, "2001:db8::1")
    refused(tell(client, key, 0, 1, "2001:db8::2"), "page-requests")  # one network is one visitor


def test_without_keys_nobody_is_counted(app: Flask) -> None:
    client = app.test_client()
    for n in range(12):
        answer = client.get("/v1/bundles?limit=1")
        assert answer.status_code != 429, n
        assert "RateLimit" not in answer.headers


def test_the_pages_and_health_are_not_counted(app: Flask) -> None:
    make(app, "marketing")
    client = app.test_client()
    assert {client.get("/livez").status_code for _ in range(20)} == {200}


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[QuotaFile, QuotaFile]]:
    """Two workers of one machine."""
    both = QuotaFile(tmp_path / "rates"), QuotaFile(tmp_path / "rates")
    yield both
    for counts in both:
        counts.close()


def test_workers_count_together(pair: tuple[QuotaFile, QuotaFile]) -> None:
    took = [pair[n % 2].take([(TEN, "me")], 1, 1000.0)[0] for n in range(11)]
    assert [use.left for use in took] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]
    assert [use.wait_seconds for use in took] == [0.0] * 10 + [pytest.approx(6.0)]
    assert took[9].reset_seconds == MINUTE
    assert pair[0].take([(TEN, "you")], 1, 1000.0)[0].left == 9
    assert pair[0].take([(TEN, "me")], 1, 1006.1)[0].wait_seconds == 0.0
    assert pair[1].take([(TEN, "me")], 1, 5000.0)[0].left == 9  # a whole minute later


def test_all_of_the_quotas_or_none(pair: tuple[QuotaFile, QuotaFile]) -> None:
    hour = Policy("hour", 3, HOUR, "events", "key")
    pair[0].take([(hour, "me")], 2, 0.0)
    uses = pair[0].take([(TEN, "me"), (hour, "me")], 2, 0.0)
    assert [use.left for use in uses] == [10, 1]
    assert [bool(use.wait_seconds) for use in uses] == [False, True]
    assert pair[0].take([(TEN, "me")], 1, 0.0)[0].left == 9


def test_a_clock_that_was_set_back_locks_nobody_out(pair: tuple[QuotaFile, QuotaFile]) -> None:
    pair[0].take([(TEN, "me")], 10, 1e9)
    assert 0 < pair[0].take([(TEN, "me")], 1, 1000.0)[0].wait_seconds <= MINUTE


def test_many_callers_stay_within_the_file(
    pair: tuple[QuotaFile, QuotaFile], tmp_path: Path
) -> None:
    for n in range(3000):
        pair[n % 2].take([(TEN, f"caller {n}")], 1, 1000.0)
    assert (tmp_path / "rates").stat().st_size <= 2**20
    assert (tmp_path / "rates").stat().st_mode & 0o077 == 0


def test_where_no_file_can_be_made_a_worker_counts_alone(tmp_path: Path) -> None:
    counts = QuotaFile(tmp_path / "nowhere" / "rates")
    assert [counts.take([(TEN, "me")], 5, 0.0)[0].left for _ in range(3)] == [5, 0, 0]
    counts.close()


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 40), st.integers(1, 12), st.booleans()), max_size=40),
    st.integers(1, 20),
)
def test_nobody_gets_more_than_a_quota_and_what_came_back(
    tmp_path_factory: pytest.TempPathFactory, asked: list[tuple[float, int, bool]], quota: int
) -> None:
    path = tmp_path_factory.mktemp("rates") / "rates"
    workers = QuotaFile(path), QuotaFile(path)
    policy, now, taken = Policy("some", quota, MINUTE, "requests", "key"), 1000.0, 0
    for pause, cost, which in asked:
        now += pause
        (use,) = workers[which].take([(policy, "me")], cost, now)
        taken += 0 if use.wait_seconds else min(cost, quota)
        assert taken <= quota + (now - 1000.0) * quota / MINUTE + 1e-6
        assert 0 <= use.left <= quota
        if use.wait_seconds:  # and after that it is there
            now += use.wait_seconds + 0.001
            assert not workers[not which].take([(policy, "me")], cost, now)[0].wait_seconds
            taken += min(cost, quota)
    for counts in workers:
        counts.close()
