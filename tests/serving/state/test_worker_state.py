"""Models come and go under a running service, and it goes on answering."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from flask.testing import FlaskClient

from recsys.artefacts import registry
from recsys.config.toml_file import Config, LedgerSettings, load_config
from recsys.ledger.schema import EXPOSURES
from serving.schemas import Readiness
from tests.serving.conftest import Serve, ask, ids, state


def ready(client: FlaskClient) -> tuple[int, Readiness]:
    answer = client.get("/readyz")
    return answer.status_code, msgspec.convert(answer.get_json(), Readiness)


def published_again(config: Config) -> Path:
    """A copy of the current artefact under another name, not yet current."""
    current = registry.current(config)
    return Path(shutil.copytree(current, current.with_name("20990101T000000Z-again")))


def test_before_the_first_model_it_says_what_to_do(workspace: Path, serve: Serve) -> None:
    config = load_config(workspace)
    pointer = registry.pointer(config)
    name = pointer.read_text()
    pointer.unlink()
    app = serve(config)
    client = app.test_client()
    assert client.get("/livez").status_code == 200
    status, said = ready(client)
    assert (status, said.status, said.model_version) == (503, "not_ready", None)
    assert "omnibasket train" in said.checks["model"]
    assert said.checks["ledger"] == "ok"
    for answer in (
        client.post("/v1/recommendations", json={"placement": "web_home"}),
        client.get("/v1/bundles"),
    ):
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"
        assert answer.get_json()["type"] == "/problems#no-model"
        assert "omnibasket train" in answer.get_json()["detail"]
    assert "omnibasket train" in client.get("/").text
    pointer.write_text(name)
    state(app).refresh()
    assert ready(client)[0] == 200
    assert ids(ask(client))


def test_a_new_model_is_taken_up(workspace: Path, serve: Serve) -> None:
    config = load_config(workspace)
    app = serve(config)
    client = app.test_client()
    before = ask(client)
    again = published_again(config)
    registry.promote(config, again.name, at=datetime.now(UTC))
    assert ask(client)["model_version"] == before["model_version"]
    state(app).refresh()
    after = ask(client)
    assert after["model_version"] == again.name
    assert ids(after) == ids(before)


def test_a_damaged_model_leaves_the_old_one(workspace: Path, serve: Serve) -> None:
    config = load_config(workspace)
    app = serve(config)
    client = app.test_client()
    before = ask(client)
    again = published_again(config)
    largest = max(again.glob("*.npy"), key=lambda path: path.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[-1] ^= 1
    largest.write_bytes(content)
    registry.pointer(config).write_text(again.name + "\n")
    state(app).refresh()
    assert ask(client)["model_version"] == before["model_version"]
    assert ready(client)[0] == 200
    assert largest.name in (state(app).model_error or "")


def test_a_ledger_that_is_gone_shows(config: Config, serve: Serve) -> None:
    app = serve(config)
    path = Path(config.ledger_url.removeprefix("sqlite:///"))
    path.write_bytes(b"no database at all" * 1000)
    status, said = ready(app.test_client())
    assert (status, said.status) == (200, "degraded")  # strangers are answered
    assert "ledger" in said.checks["ledger"]
    assert str(path) not in said.checks["ledger"]


def test_exposures_wait_for_the_ledger(config: Config, serve: Serve, tmp_path: Path) -> None:
    app = serve(config)
    client = app.test_client()
    shown = [ask(client)["recommendation_id"] for _ in range(3)]
    held = state(app).exposures
    working, held.ledger = held.ledger, held.ledger.open(f"sqlite:///{tmp_path / 'other.sqlite'}")
    with held.ledger._database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE exposures")
    held.flush()  # the ledger refuses: nothing is lost
    held.ledger.close()
    held.ledger = working
    assert [exposure.recommendation_id for exposure in held.waiting] == shown
    held.flush()
    assert not held.waiting


def test_a_damaged_model_at_the_start_leaves_the_newest_intact_one(
    workspace: Path, serve: Serve
) -> None:
    config = load_config(workspace)
    intact = registry.current(config).name
    again = published_again(config)
    registry.pointer(config).write_text(again.name + "\n")
    largest = max(again.glob("*.npy"), key=lambda path: path.stat().st_size)
    content = largest.read_bytes()
    largest.write_bytes(content[:-1])
    app = serve(config)
    client = app.test_client()
    assert ask(client)["model_version"] == intact
    status, said = ready(client)
    assert (status, said.status, said.model_version) == (200, "degraded", intact)
    assert again.name in said.checks["model"]
    assert str(workspace) not in said.checks["model"]
    largest.write_bytes(content)  # it could not be read for a while only
    loader = state(app)._loader
    state(app).refresh()
    assert ask(client)["model_version"] == intact  # not yet tried again
    loader._retry_at = 0.0
    state(app).refresh()
    assert ask(client)["model_version"] == again.name
    assert ready(client)[1].checks["model"] == "ok"


def test_pauses_between_tries_grow(workspace: Path, serve: Serve) -> None:
    config = load_config(workspace)
    again = published_again(config)
    (again / "manifest.json").unlink()
    app = serve(config)
    registry.pointer(config).write_text(again.name + "\n")
    loader, pauses = state(app)._loader, []
    for _ in range(8):
        loader._retry_at = 0.0
        state(app).refresh()
        pauses.append(loader._pause)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_files_that_are_cut_while_it_answers_change_nothing(workspace: Path, serve: Serve) -> None:
    config = load_config(workspace)
    client = serve(config).test_client()
    before = ids(ask(client, as_of="2026-03-01T20:00:00Z"))
    for path in registry.current(config).glob("*.npy"):
        with path.open("r+b") as file:
            file.truncate(0)
    assert ids(ask(client, as_of="2026-03-01T20:00:00Z")) == before


def test_it_is_honest_about_an_empty_ledger_and_an_old_model(
    workspace: Path, tmp_path: Path, serve: Serve
) -> None:
    ledger = LedgerSettings(url=f"sqlite:///{tmp_path / 'empty.sqlite'}")
    config = msgspec.structs.replace(load_config(workspace), ledger=ledger)
    status, said = ready(serve(config).test_client())
    assert (status, said.status) == (200, "degraded")
    assert "omnibasket ingest" in said.checks["ledger"]
    assert "days ago" in said.checks["age"]  # its last sale is of March 2026
    lasting = msgspec.structs.replace(config.serve, stale_days=0)
    fresh = msgspec.structs.replace(config, serve=lasting)
    assert ready(serve(fresh).test_client())[1].checks["age"] == "ok"


def test_a_full_disk_shows(config: Config, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "serving.state.readiness._MIN_FREE_BYTES", 1 << 62
    )  # more than any disk has
    said = ready(serve(config).test_client())[1]
    assert said.status == "degraded"
    assert "disk" in said.checks["disk"]


def test_what_was_shown_long_ago_is_forgotten(config: Config, serve: Serve) -> None:
    app = serve(config)
    client = app.test_client()
    old = ask(client, as_of="2026-01-01T00:00:00Z")["recommendation_id"]
    new = ask(client)["recommendation_id"]
    held = state(app)
    held.flush()
    assert held.exposures.prune(held.now_ts()) == 0  # not at once after a start
    assert held.exposures.prune(held.now_ts(), at_once=True) == 1
    with held.ledger._database.reading() as connection:
        left = [row.recommendation_id for row in connection.execute(EXPOSURES.select())]
    assert new in left
    assert old not in left


def test_settings_name_the_ledger(workspace: Path, tmp_path: Path, serve: Serve) -> None:
    url = f"sqlite:///{tmp_path / 'elsewhere' / 'l.sqlite'}"
    config = msgspec.structs.replace(load_config(workspace), ledger=LedgerSettings(url=url))
    client = serve(config).test_client()
    assert ready(client)[0] == 200
    assert (tmp_path / "elsewhere" / "l.sqlite").exists()
