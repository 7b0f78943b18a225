"""The real thing: `omnibasket serve` in processes of its own, asked over the network."""

import contextlib
import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner

from recsys.artefacts import registry
from recsys.config.toml_file import load_config
from recsys.ledger.database import Database
from recsys.ledger.schema import EXPOSURES
from training.cli import main

from .conftest import bought, known

ROOT = Path(__file__).parents[2]


class Service:
    """A running service and a connection to it."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            headers = {"Content-Type": "application/json"} if body is not None else {}
            content = json.dumps(body) if body is not None else None
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def stop(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=40)


def command(workspace: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "training.cli", "serve", "--workspace", str(workspace), *more]


@contextlib.contextmanager
def running(workspace: Path, workers: int = 2) -> Iterator[Service]:
    started = command(workspace, "--port", "0", "--workers", str(workers), "--json")
    # A file takes any number of log lines; a pipe that nobody reads stops the service.
    with (workspace / "service.log").open("w") as log:
        process = subprocess.Popen(started, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert process.stdout is not None
        text = ""
        while not text.endswith("\n}\n") and (line := process.stdout.readline()):
            text += line
        yield Service(process, int(json.loads(text)["url"].rpartition(":")[2]))
    finally:
        process.terminate()
        process.communicate(timeout=40)


def test_the_whole_road_over_the_network(workspace: Path) -> None:
    config = load_config(workspace)
    with running(workspace) as service:
        assert service.ask("GET", "/readyz")[0] == 200
        asked = {"placement": "web_home", **known(0), "as_of": "2026-03-01T20:00:00Z"}
        status, before = service.ask("POST", "/v1/recommendations", asked)
        assert (status, before["customer_known"]) == (200, True)
        first = before["items"][0]["item_id"]
        event = bought("e1", first, **known(0))

        # The same event from many senders at once, to both workers: counted once.
        told: list[str] = []
        senders = [
            threading.Thread(
                target=lambda: told.append(
                    service.ask("POST", "/v1/events", {"events": [event]})[1]["events"][0]["status"]
                )
            )
            for _ in range(8)
        ]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        assert sorted(told) == ["accepted"] + ["duplicate"] * 7
        for _ in range(6):  # whichever worker answers
            after = service.ask("POST", "/v1/recommendations", asked)[1]
            assert first not in [item["item_id"] for item in after["items"]]

        # A new model is taken up while requests go on, and none of them fails.
        again = registry.current(config).with_name("20990101T000000Z-again")
        subprocess.run(["cp", "-r", registry.current(config), again], check=True)
        registry.promote(config, again.name, at=datetime.now(UTC))
        versions, deadline = set(), time.monotonic() + 20
        while time.monotonic() < deadline:
            status, answer = service.ask("POST", "/v1/recommendations", asked)
            assert status == 200
            versions = {answer["model_version"]} | (versions if len(versions) < 2 else set())
            if versions == {again.name} and _all_workers_have(service, again.name):
                break
        assert answer["model_version"] == again.name
        last = answer["recommendation_id"]

        assert service.stop(signal.SIGTERM) == 0
        logs = (workspace / "service.log").read_text(encoding="utf-8")
    assert "c0@shop" not in logs
    assert '"route":"/v1/recommendations"' in logs
    database = Database(config.ledger_url)
    with database.reading() as connection:
        shown = [row.recommendation_id for row in connection.execute(EXPOSURES.select())]
    database.close()
    assert last in shown  # a worker that stops writes what waits


def _all_workers_have(service: Service, version: str) -> bool:
    asked = [service.ask("GET", "/readyz")[1]["model_version"] for _ in range(8)]
    return set(asked) == {version}


def test_it_says_what_to_open_and_stops_on_interrupt(workspace: Path) -> None:
    with (workspace / "omnibasket.toml").open("a", encoding="utf-8") as settings:
        settings.write("[serve]\nexample_shop = true\n")
    made = ["keys", "create", "--workspace", str(workspace), "--scope", "recommend"]
    assert CliRunner().invoke(main, made).exit_code == 0
    started = command(workspace, "--port", "0", "--workers", "1")
    with subprocess.Popen(
        started, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        said = ""
        while "Ctrl-C" not in said and (line := process.stdout.readline()):
            said += line
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=40) == 0
    assert "http://127.0.0.1:" in said
    for path in ("/dashboard", "/shop", "/docs", "/readyz"):
        assert f"{path} " in said
    assert "need a key" in said
    assert registry.current(load_config(workspace)).name in said  # which strangers are not told


@pytest.mark.parametrize(
    ("arguments", "settings", "code", "message"),
    [
        (("--host", "0.0.0.0"), {}, 3, "no keys are configured"),
        (("--host", "shop.example"), {}, 3, "no keys are configured"),
        (("--workspace", "/nowhere"), {}, 3, "no such file"),
        ((), {"OMNIBASKET_LEDGER__URL": "mysql://host/db"}, 6, "`mysql` is not supported"),
        ((), {"OMNIBASKET_SERVE__PORT": "99999"}, 3, "serve.port"),
        (("--workers", "0"), {}, 2, "--workers"),
    ],
)
def test_what_keeps_it_from_starting_is_told(
    shop: Path, arguments: tuple[str, ...], settings: dict[str, str], code: int, message: str
) -> None:
    options = ["serve", "--workspace", str(shop), "--port", "0", *arguments]
    ended = CliRunner().invoke(main, options, env=settings)
    assert ended.exit_code == code
    assert message in ended.stderr


def test_a_port_in_use_is_told(shop: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = CliRunner().invoke(main, ["serve", "-w", str(shop), "--port", str(port)])
    assert ended.exit_code == 3
    assert f"port {port}" in ended.stderr
    assert "--port" in ended.stderr


def test_kept_connections_are_spread_over_the_workers(workspace: Path) -> None:
    with running(workspace) as service, contextlib.ExitStack() as kept:
        workers = psutil.Process(service.process.pid).children()
        until = time.monotonic() + 60
        while not all(_listens(worker) for worker in workers) and time.monotonic() < until:
            time.sleep(0.1)
        for _ in range(12):
            connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
            kept.callback(connection.close)
            connection.request("GET", "/livez")
            assert connection.getresponse().read()
        held = [_connections(worker, service.port) for worker in workers]
        assert sum(held) == 12
        assert min(held) >= 3


def _connections(worker: psutil.Process, port: int) -> int:
    found = worker.net_connections("tcp")
    return sum(one.status == "ESTABLISHED" and one.laddr.port == port for one in found)


def _listens(worker: psutil.Process) -> bool:
    """Whether a worker takes connections: its loop watches the socket, beside its own wake-up."""
    loops = [path.name for path in _open_files(worker.pid) if "eventpoll" in str(path.readlink())]
    watched = [Path(f"/proc/{worker.pid}/fdinfo/{name}").read_text() for name in loops]
    return any(text.count("tfd:") >= 2 for text in watched)


def _open_files(pid: int) -> Iterator[Path]:
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            path.readlink()
            yield path


def test_workers_do_not_outlive_a_service_that_is_killed(workspace: Path) -> None:
    with running(workspace, workers=1) as service:
        service.stop(signal.SIGKILL)
        deadline = time.monotonic() + 20
        answering = True
        while answering and time.monotonic() < deadline:
            time.sleep(0.1)
            try:
                service.ask("GET", "/livez")
            except OSError:
                answering = False
        assert not answering


def test_a_worker_loads_only_what_answers_need(shop: Path) -> None:
    """Serving loads data, never what only learning and ingest need."""
    code = (
        "import os, sys\n"
        "from recsys.config import load_config\n"
        "from serving.app import create_app\n"
        f"client = create_app(load_config({str(shop)!r}), background=False).test_client()\n"
        "assert client.get('/v1/recommendations?placement=web_home').status_code == 200\n"
        "print(*sorted(sys.modules))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in ended.stdout.split()}
    assert "flask" in loaded
    learning = {"implicit", "duckdb", "pyspark", "sklearn", "joblib", "pandas", "matplotlib"}
    learning |= {"training"}
    assert not loaded & learning
