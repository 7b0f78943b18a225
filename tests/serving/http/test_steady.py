"""Answers go on: against slow senders and readers, too many requests, and a ledger that hangs.

The real server on real sockets, and a real PostgreSQL that is really stopped.
"""

import contextlib
import json
import os
import signal
import struct
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from flask import Flask

from recsys.config.toml_file import Config, LedgerSettings
from serving.app import create_app
from serving.http.connection_balance import ABSENT, ConnectionBalance
from serving.http.queues import Job, RequestQueue
from tests.serving.conftest import Serve, bought, known, state
from tests.serving.http.conftest import Served, plain

HEAD = b"POST /dashboard/session HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"


def test_a_worker_that_hangs_keeps_nobody_from_an_answer(over: Callable[..., Served]) -> None:
    with tempfile.TemporaryFile() as counts:
        counts.write(struct.pack("2q", ABSENT, 0))  # the other one has none, and takes none
        counts.flush()
        served = over(plain, balance=ConnectionBalance(counts.fileno(), 0))
        with contextlib.ExitStack() as kept:
            for _ in range(20):
                kept.callback(served.connect(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").close)
            assert served.ask("GET", "/")[0] == 200
            assert (
                struct.unpack("2q", os.pread(counts.fileno(), 16, 0))[0] >= 15
            )  # a few were moved


def test_slow_bodies_keep_nobody_from_an_answer(
    over: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.http.request_handler.BODY_SECONDS", 0.5)
    served = over(plain)
    slow = [served.connect(HEAD) for _ in range(40)]
    assert served.alive()
    assert served.ask("POST", "/v1/events", {"a": 1})[1] == {"a": 1}
    for each in slow:
        each.sendall(b" ")  # however it drips
    assert {each.recv(12) for each in slow} == {b"HTTP/1.1 408"}
    for each in slow:
        each.close()


def test_slow_headers_and_idle_sockets_are_closed(
    over: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.http.connection.HEADER_SECONDS", 0.5)
    monkeypatch.setattr("serving.http.connection.IDLE_SECONDS", 0.5)
    served = over(plain)
    idle = [served.connect() for _ in range(100)]
    idle += [served.connect(b"GET /livez HTTP/1.1\r\nX-") for _ in range(20)]
    kept = served.connect(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    assert kept.recv(12) == b"HTTP/1.1 200"
    assert served.alive()
    assert {each.recv(1) for each in idle} == {b""}
    while kept.recv(4096):  # the rest of the answer, then the end
        pass
    for each in [*idle, kept]:
        each.close()


def test_more_idle_sockets_than_there_may_be_make_room(over: Callable[..., Served]) -> None:
    served = over(plain, most_connections=50)
    idle = [served.connect() for _ in range(200)]
    assert all(served.alive() for _ in range(5))
    assert len(served.server._connections) <= 50
    for each in idle:
        each.close()


def test_readers_who_do_not_read_are_left(
    over: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.http.connection.WRITE_SECONDS", 0.5)
    served = over(plain)
    ask = b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n"
    stuck = [served.connect(ask, receive_bytes=2048) for _ in range(6)]
    assert served.alive()
    until = time.monotonic() + 5
    while served.server._connections and time.monotonic() < until:
        time.sleep(0.05)
    assert not served.server._connections
    for each in stuck:
        each.close()


def test_what_is_too_large_is_said_before_it_is_read_by_anybody(
    over: Callable[..., Served],
) -> None:
    served = over(plain)
    status, said, _ = served.ask("POST", "/dashboard/session", b" " * 20_000)
    assert (status, said["type"]) == (413, "/problems#body-too-large")
    chunks = b"".join(b"4000\r\n" + b" " * 0x4000 + b"\r\n" for _ in range(2)) + b"0\r\n\r\n"
    head = b"POST /dashboard/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with served.connect(head + chunks) as chunked:
        assert chunked.recv(12) == b"HTTP/1.1 413"


def test_headers_that_are_too_large_are_answered(over: Callable[..., Served], app: Flask) -> None:
    served = over(app)
    for length in (40_000, 400_000):
        status, found, headers = served.ask("GET", f"/v1/items/tea/similar?exclude={'x' * length}")
        assert (status, found["type"]) == (431, "/problems#headers-too-large")
        assert headers["Access-Control-Allow-Origin"] == "*"
        assert headers["X-Request-Id"] in found["instance"]
    assert served.alive()


def test_an_invalid_cart_costs_its_length_only(app: Flask, over: Callable[..., Served]) -> None:
    served = over(app)
    lines = ",".join(['{"item_id":"1"}'] * 250_000)
    body = f'{{"placement":"web_cart","cart":[{lines}]}}'.encode()
    assert served.ask("POST", "/v1/recommendations", body)[0] == 413
    line = f'{{"placement":"email_weekly","customers":[{{"cart":[{lines}]}}]}}'.encode()
    begun = time.thread_time()  # other threads' work is not counted
    answer = app.test_client().post(
        "/v1/recommendations/batch", data=line, content_type="application/json"
    )
    assert json.loads(answer.text)["errors"][0]["pointer"] == "/customers/0/cart"
    assert time.thread_time() - begun < 1.5  # it took nineteen seconds, field by field


def test_more_than_can_be_done_is_refused_soon(over: Callable[..., Served]) -> None:
    served = over(plain)
    served.ask("GET", "/v1/items/slow")
    found: list[tuple[int, float, dict[str, str]]] = []

    def insist() -> None:
        until = time.monotonic() + 2
        while time.monotonic() < until:
            begun = time.monotonic()
            status, _, headers = served.ask("GET", "/v1/items/slow")
            found.append((status, time.monotonic() - begun, headers))

    askers = [threading.Thread(target=insist) for _ in range(40)]  # forty, where two are done
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    statuses = Counter(status for status, _, _ in found)
    assert set(statuses) == {200, 503}
    refused = [headers for status, _, headers in found if status == 503]
    assert all(headers["Retry-After"] == "1" for headers in refused)
    answered = sorted(seconds for status, seconds, _ in found if status == 200)
    assert answered[len(answered) // 2] < 0.9  # not the second that forty in a row would take
    assert served.alive()


def test_a_burst_passes_and_a_standing_queue_does_not() -> None:
    queue, let_go, refused = (
        RequestQueue("answers", threads=1, burst=10, standing=2),
        threading.Event(),
        [],
    )
    job = Job(lambda: let_go.wait(10) and None, lambda: refused.append(1), time.monotonic() + 60)
    taken = [queue.offer(job) for _ in range(12)]
    assert taken.count(True) >= 10
    queue._nonempty_since -= 1  # it has not been empty for a second
    assert not queue.offer(job)
    let_go.set()
    until = time.monotonic() + 5
    while queue.busy and time.monotonic() < until:
        time.sleep(0.01)
    assert len(refused) >= 6  # what the burst left behind, but for the last two
    queue.stop()


@contextlib.contextmanager
def stopped(url: str) -> Iterator[None]:
    """Stop a PostgreSQL with everything of it, as a machine that hangs would be."""
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert found is not None
        server = _parent(found[0])  # as long as the backend is there
    assert server > 1
    pids = [server]
    try:
        os.kill(server, signal.SIGSTOP)  # first: a server that is stopped starts no other process
        pids += [pid for pid in _processes() if _parent(pid) == server]
        for pid in pids[1:]:
            with contextlib.suppress(ProcessLookupError):  # a backend may end meanwhile
                os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _parent(pid: int) -> int:
    """Return the parent of a process; -1 where it has ended."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return -1


@pytest.fixture
def url(postgres: str) -> str:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS steady WITH (FORCE)")
        connection.execute("CREATE DATABASE steady")
    return postgres.replace("/postgres?", "/steady?")


def on(config: Config, url: str) -> Config:
    return msgspec.structs.replace(config, ledger=LedgerSettings(url=url, write_seconds=0.5))


def test_a_ledger_that_hangs_leaves_the_answers(
    config: Config, url: str, over: Callable[..., Served]
) -> None:
    app = create_app(on(config, url))
    served = over(app)
    asked = {"placement": "web_home", **known(0)}

    def answer() -> dict[str, Any]:
        status, found, _ = served.ask("POST", "/v1/recommendations", asked)
        assert status == 200
        assert found["items"]
        return dict(found)

    def told() -> tuple[str, str]:
        status, found, _ = served.ask("GET", "/readyz")
        assert status == 200
        return found["status"], found["checks"]["ledger"]

    try:
        assert "without_ledger" not in answer()
        event = {"events": [bought("e1", "tea", **known(0))]}
        with stopped(url):
            times = []
            for _ in range(12):
                begun = time.monotonic()
                assert answer()["without_ledger"] is True
                times.append(time.monotonic() - begun)
            assert sorted(times)[6] < 0.1  # most do not even wait: the circuit is open
            assert served.alive()
            status, said, headers = served.ask("POST", "/v1/events", event)
            assert (status, said["type"]) == (503, "/problems#ledger-unavailable")
            assert headers["Retry-After"] == "1"
            begun = time.monotonic()
            for _ in range(5):  # one of them may wait for as long as a write may
                status, said, _ = served.ask("GET", "/v1/customers/c-1/offers")
                assert (status, said["type"]) == (503, "/problems#ledger-unavailable")
            assert time.monotonic() - begun < 2
            assert told()[0] == "degraded"
            assert "does not answer" in told()[1]
        _until(lambda: "without_ledger" not in answer())
        _until(lambda: "does not answer" not in told()[1])
        status, said, _ = served.ask("POST", "/v1/events", event)
        assert status == 200
        assert said["accepted"] + said["duplicate"] == 1
    finally:
        state(app).close()


def test_it_starts_while_the_ledger_hangs(
    config: Config, url: str, over: Callable[..., Served]
) -> None:
    settings = on(config, url)
    create_app(settings, background=False).extensions["omnibasket"].close()  # keys are known: none
    with stopped(url):
        app = create_app(settings)
        served = over(app)
        status, found, _ = served.ask("POST", "/v1/recommendations", {"placement": "web_home"})
        assert (status, bool(found["items"])) == (200, True)
        assert served.ask("GET", "/readyz")[1]["status"] == "degraded"
    try:
        _until(lambda: "does not answer" not in served.ask("GET", "/readyz")[1]["checks"]["ledger"])
    finally:
        state(app).close()


def _until(holds: Callable[[], bool], seconds: float = 15) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_nobody_is_let_in_before_it_is_known_which_keys_there_are(
    config: Config, serve: Serve
) -> None:
    app = serve(config)
    state(app).key_cache.is_loaded = False
    state(app).key_cache.is_refreshed = True
    answer = app.test_client().get("/v1/recommendations?placement=web_home")
    assert answer.status_code == 503
    assert answer.get_json()["type"] == "/problems#ledger-unavailable"
    assert app.test_client().get("/livez").status_code == 200
