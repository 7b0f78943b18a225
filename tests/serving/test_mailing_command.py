"""`omnibasket mailing check` counts what the service would do; `omnibasket replay` repeats it."""

import csv
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from click.testing import CliRunner

from recsys.config import CapSettings
from recsys.config.toml_file import Config
from tests.serving.api.test_contact import tell
from tests.serving.conftest import Serve, ask, email, ids, known, state
from training import mailing, replay
from training.cli import main


@pytest.fixture(autouse=True)
def same_ledger(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMNIBASKET_LEDGER__URL", str(config.ledger.url))


def run(config: Config, *arguments: str) -> Any:
    return CliRunner().invoke(main, [*arguments, "--workspace", str(config.folder)])


def as_json(config: Config, *arguments: str) -> Any:
    result = run(config, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return orjson.loads(result.output)


def test_a_check_counts_what_the_service_would_answer(
    config: Config,
    serve: Serve,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caps = {"week": CapSettings(times=1, days=7, of="message")}
    client = serve(msgspec.structs.replace(config, caps=caps)).test_client()
    for name, value in (("OF", '"message"'), ("TIMES", "1")):
        monkeypatch.setenv(f"OMNIBASKET_CAPS__WEEK__{name}", value)
    mailed = [known(number) for number in (0, 5, 10)]
    for customer in mailed:
        ask(client, "email_weekly", mailing_id="m1", **customer)
    path = tmp_path / "outcomes.csv"
    monkeypatch.setattr(mailing, "_BATCH", 7)
    found = as_json(config, "mailing", "check", "email_weekly", "--csv", str(path))
    answers = [
        client.post(
            "/v1/recommendations",
            json={"placement": "email_weekly", "dry_run": True, **known(number)},
        ).status_code
        for number in range(40)
        if number % 3 == 0 or number % 5 == 0
    ]
    assert found["would_get_it"] == answers.count(200)
    assert found["would_not"].pop("capped") == 3 == answers.count(409)
    assert set(found["would_not"]) == {"no_address"}
    assert found["customers"] == found["would_get_it"] + 3 + found["would_not"]["no_address"]
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["outcome"] for row in rows].count("capped") == 3
    assert len(rows) == found["customers"]
    again = as_json(config, "mailing", "check", "email_weekly")
    assert {**again, "seconds": 0} == {**found, "would_not": again["would_not"], "seconds": 0}
    said = run(config, "mailing", "check", "email_weekly").output
    assert "as many messages as a cap allows" in " ".join(said.split())


def test_a_check_is_for_messages(config: Config) -> None:
    wrong = run(config, "mailing", "check", "web_home")
    assert wrong.exit_code == 3
    assert "messages go by email" in wrong.output


def test_an_answer_is_the_same_when_it_is_replayed(config: Config, serve: Serve) -> None:
    caps = {"once": CapSettings(times=1, days=7)}
    app = serve(msgspec.structs.replace(config, caps=caps))
    client = app.test_client()
    tell(client, "dismiss", "tea", **known(0))
    shown = [
        ask(client, "web_home", count=4, **known(0)),
        ask(client, "web_cart", cart=[{"item_id": "pasta"}], **known(5)),
        ask(client, "web_home", session_id="visit"),
        ask(client, "web_product", item_ids=["beer"], exclude=["crisps"]),
    ]
    tell(client, "dismiss", *ids(shown[0]), **known(0))  # what came later changes nothing
    state(app).flush()
    for answer in shown:
        found = as_json(config, "replay", answer["recommendation_id"])
        assert found["same"], (answer["placement"], found)
        assert found["replayed"] == ids(answer)
    said = run(config, "replay", shown[0]["recommendation_id"]).output
    assert "the same answer" in said
    assert run(config, "replay", "unknown").exit_code == 4
    assert replay.command.name == "command"
    assert email(0) not in said
