"""Versions are promoted and rolled back under a service that is being asked all the time."""

import shutil
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from recsys.artefacts import registry
from recsys.config.toml_file import load_config
from tests.serving.conftest import known
from tests.serving.test_service import running


def test_no_request_fails_while_versions_come_and_go(workspace: Path) -> None:
    config = load_config(workspace)
    first = registry.current(config)
    names = [first.name]
    for number in range(2):
        again = first.with_name(f"2099010{number + 1}T000000Z-again")
        shutil.copytree(first, again)
        names.append(again.name)
    asked = {"placement": "web_home", **known(0), "as_of": "2026-03-01T20:00:00Z"}
    statuses: list[int] = []
    seen: set[str] = set()
    stopped = threading.Event()
    with running(workspace) as service:

        def ask() -> None:
            while not stopped.is_set():
                status, answer = service.ask("POST", "/v1/recommendations", asked)
                statuses.append(status)
                seen.add(answer.get("model_version", ""))
                time.sleep(0.01)

        def take_up(version: str) -> None:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                told = {service.ask("GET", "/readyz")[1]["model_version"] for _ in range(6)}
                if told == {version}:
                    return
            raise AssertionError(f"{version} was not taken up")

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        for name in names[1:]:
            registry.promote(config, name, at=datetime.now(UTC))
            take_up(name)
        for name in (names[1], names[0]):
            assert registry.rollback(config, at=datetime.now(UTC)).name == name
            take_up(name)
        registry.promote(config, names[2], at=datetime.now(UTC))
        registry.prune(config, 1)  # what a worker still answers from may go
        take_up(names[2])
        stopped.set()
        for thread in threads:
            thread.join()
    assert set(statuses) == {200}
    assert len(statuses) > 50
    assert seen == set(names)
