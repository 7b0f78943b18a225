"""The results of a training: a version that the gate accepted or refused, and a record."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from recsys.artefacts import artefact_format, registry, runs
from recsys.config.toml_file import load_config
from training.cli import main

from .test_train import TOML, build, run, sales

ROOT = Path(__file__).parents[2]
SMALL = (
    TOML.replace("keep = 2", "keep = 9")
    + '[models.copurchase]\nmin_support = 2\n[publish]\nguard = { "ndcg@10" = 0.05 }\n'
)


def call(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def asked(*words):
    ran = call(*words, "--json")
    assert ran.exit_code == 0, ran.output
    return json.loads(ran.stdout)


def praise(folder, version, value=0.99):
    """Give a version's manifest better figures than any other."""
    path = registry.find(load_config(folder), version) / "manifest.json"
    manifest = json.loads(path.read_text())
    for row in manifest["metrics"]["figures"]:
        if (row["method"], row["metric"], row["segment"]) == ("omnibasket", "ndcg@10", "all"):
            row["value"] = value
    path.write_text(json.dumps(manifest))


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Two trainings: the second looks worse than the first and is refused."""
    folder = build(tmp_path_factory.mktemp("shop"), SMALL, days=60)
    first = run("train", folder, "--json")
    assert first.exit_code == 0, first.output
    first = json.loads(first.stdout)
    manifest = artefact_format.read_manifest(Path(first["path"]))
    praise(folder, first["version"])
    second = run("train", folder, "--set", "models.als.factors=6", "--json")
    assert second.exit_code == 7, second.output
    return folder, first, json.loads(second.stdout), manifest


def test_what_is_worse_is_kept_but_not_current(shop):
    folder, first, second, _ = shop
    assert first["outcome"] == "published"
    assert first["current"]
    assert (second["outcome"], second["current"]) == ("refused", False)
    assert "ndcg@10 (all) is worse by" in second["gate"]["refusals"][0]
    assert "compared directly" in second["gate"]["how"]
    assert registry.versions(load_config(folder)) == [first["version"], second["version"]]


def test_versions_are_listed_compared_and_shown(shop):
    folder, first, second, _ = shop
    listed = asked("models", "list", "-w", folder)["versions"]
    assert [row["version"] for row in listed] == [first["version"], second["version"]]
    assert listed[0]["became_current"]["action"] == "published"
    assert listed[1]["became_current"] is None
    compared = asked("models", "compare", second["version"], "-w", folder)
    assert {"setting": "models.als.factors", "version": 6, "other": 4} in compared["settings"]
    assert [row["metric"] for row in compared["metrics"] if row["worse"]] == ["ndcg@10"]
    assert not compared["same_arrays"]
    said = call("models", "compare", second["version"], "current", "-w", folder)
    assert "The gate would refuse it" in said.stdout
    shown = asked("models", "show", second["version"], "-w", folder)
    assert shown["settings"]["models"]["als"]["factors"] == 6
    assert shown["run"] == second["run"]
    assert len(shown["files"]["shelf.active"]["sha256"]) == 64
    assert call("models", "show", "-w", folder).exit_code == 0
    assert first["version"] in call("models", "list", "-w", folder).stdout


def test_nothing_is_put_beside_itself(shop):
    folder, first, second, _ = shop
    for words in (("current",), (second["version"], second["version"])):
        refused = call("models", "compare", *words, "-w", folder)
        assert refused.exit_code == 2
        assert "omnibasket models compare" in refused.stderr
    assert (
        f"{first['version']} is the current version"
        in call("models", "compare", "current", "-w", folder).stderr
    )
    refused = call("runs", "compare", "last", "-w", folder)
    assert refused.exit_code == 2
    assert "name another run, such as" in refused.stderr
    assert "2 versions" in call("models", "list", "-w", folder).stdout


def test_promote_and_roll_back(shop):
    folder, first, second, _ = shop
    one, two = first["version"], second["version"]
    refused = call("models", "promote", two, "-w", folder)
    assert refused.exit_code == 7
    assert "--force" in refused.stderr
    assert f"{one} stays current" in refused.stderr
    assert call("models", "promote", two, "-w", folder, "--force").exit_code == 2
    forced = call("models", "promote", two, "-w", folder, "--force", "--reason", "new season")
    assert forced.exit_code == 0
    assert registry.current(load_config(folder)).name == two
    assert asked("models", "rollback", "-w", folder)["version"] == one
    again = call("models", "rollback", "-w", folder)
    assert (again.exit_code, registry.current(load_config(folder)).name) == (5, one)
    assert "nothing to roll back to" in again.stderr
    log = asked("models", "log", "-w", folder)["promotions"]
    assert [(entry["action"], entry["to"]) for entry in log] == [
        ("published", one),
        ("promoted", two),
        ("rolled_back", one),
    ]
    assert (log[1]["reason"], log[1]["forced"]) == ("new season", True)
    assert "@" in log[1]["by"]
    assert "new season" in call("models", "log", "-w", folder).stdout
    unknown = call("models", "promote", "2019", "-w", folder)
    assert unknown.exit_code == 5
    assert one in unknown.stderr
    assert asked("models", "prune", "--keep", "1", "-w", folder)["removed"] == []


def test_every_run_left_a_record(shop):
    folder, first, second, _ = shop
    listed = asked("runs", "-w", folder)["runs"]
    assert [row["outcome"] for row in listed][:2] == ["published", "refused"]
    assert listed[1]["overrides"] == ["models.als.factors=6"]
    record = asked("runs", "show", second["run"], "-w", folder)
    assert record["settings"]["models"]["als"]["factors"] == 6
    assert (record["history"], record["version"]) == (second["history"], second["version"])
    assert record["refusals"] == second["gate"]["refusals"]
    assert record["metrics"]["figures"] == second["figures"]
    assert record["seconds"]["fit.als"] > 0
    assert record["peak_mb"] > 50
    assert {check["name"] for check in record["checks"]} >= {"volume", "channels"}
    compared = asked("runs", "compare", first["run"], second["run"], "-w", folder)
    assert compared["settings"] == [{"setting": "models.als.factors", "run": 4, "other": 6}]
    assert compared["same_window"]
    for words in (["runs"], ["runs", "show"], ["runs", "compare", first["run"]]):
        assert call(*words, "-w", folder).exit_code == 0
    assert "there is no run `x`" in call("runs", "show", "x", "-w", folder).stderr


def test_settings_are_checked_before_anything_is_learned(shop):
    folder, *_ = shop
    for option, message in (
        ("models.als.facters=3", "Did you mean `factors`?"),
        ("train.seed=many", "--set train.seed=many: train.seed: expected a whole number"),
        ("train.seed", "use SETTING=VALUE"),
    ):
        ran = run("train", folder, "--set", option)
        assert (ran.exit_code, message in ran.stderr) == (3, True), ran.stderr


def test_the_same_data_give_the_same_version(shop):
    folder, _, _, manifest = shop
    ran = run("train", folder, "--fresh", "--json")
    again = artefact_format.read_manifest(Path(json.loads(ran.stdout)["path"]))
    assert again.digest == manifest.digest
    assert again.files == manifest.files
    one, two = (json.loads(artefact_format.msgspec.json.encode(m)) for m in (manifest, again))
    assert [name for name in one if one[name] != two[name]] == ["created"]


def test_a_silent_channel_stops_the_training(tmp_path):
    first, *lines = sales(days=60).splitlines()
    cut = [line for line in lines if ",web," not in line or line.split(",")[1] < "2026-02-15"]
    (tmp_path / "cut.csv").write_text("\n".join([first, *cut]) + "\n")
    folder = build(tmp_path, SMALL.replace("sales.csv", "cut.csv"), days=60)
    ran = run("train", folder)
    assert ran.exit_code == 4
    assert "channels: `web` has sold nothing since 2026-02-1" in ran.stderr
    assert "--no-checks" in ran.stderr
    assert not registry.versions(load_config(folder))
    assert run("train", folder, "--dry-run").exit_code == 4
    dry = run("train", folder, "--dry-run", "--set", 'checks.warn=["channels"]')
    assert dry.exit_code == 0
    assert "Warning (channels)" in dry.stderr
    kept = run("train", folder, "--no-checks", "--json")
    assert kept.exit_code == 7
    told = json.loads(kept.stdout)
    assert "data check failed" in told["gate"]["refusals"][0]
    assert registry.current_name(load_config(folder)) is None
    refused = call("models", "promote", told["version"], "-w", folder)
    assert (refused.exit_code, "data check failed" in refused.stderr) == (7, True)
    outcomes = [(r.outcome, r.error is None) for r in runs.read_all(load_config(folder))]
    assert outcomes == [("failed", False), ("failed", False), ("checked", True), ("refused", True)]


def test_a_training_that_is_killed_while_it_writes_changes_nothing(shop):
    folder, *_ = shop
    config = load_config(folder)
    before, current = registry.versions(config), registry.current(config).name
    command = [sys.executable, "-m", "training.cli", "train", "-w", str(folder)]
    for writing in (False, True):
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
            deadline = time.monotonic() + 120
            while process.poll() is None and time.monotonic() < deadline:
                unfinished = list(registry.folder(config).glob(".unfinished*/*.npy"))
                last = runs.read_all(config)[-1]
                if unfinished if writing else last.outcome == "running" and last.metrics:
                    break
                time.sleep(0.002)
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        assert registry.current(config).name == current
        assert registry.versions(config) == before
        artefact_format.load(registry.current(config))
        assert asked("runs", "-w", folder)["runs"][-1]["outcome"] == "interrupted"
    assert list(registry.folder(config).glob(".unfinished*"))
    after = run("train", folder, "--force", "--reason", "after the kill")
    assert after.exit_code == 0, after.output
    assert not list(registry.folder(config).glob(".unfinished*"))
    assert registry.current(config).name not in before
