"""``omnibasket tune`` on a small grocer: results, files, and continuation."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import tomllib

import pytest
from click.testing import CliRunner

from recsys.config.toml_file import load_config
from tests.training.test_train import build
from training.cli import main

QUICK = ("--only", "repeat", "--windows", "1")


def same(trials):
    """The parts of a search that are equal for equal searches."""
    return [(one["settings"], one["changed"], one["gain"], one["figures"]) for one in trials]


@pytest.fixture(scope="module")
def found(built, tmp_path_factory):
    """An uninterrupted search, and its workspace."""
    folder = shutil.copytree(built, tmp_path_factory.mktemp("found") / "shop")
    ran = CliRunner().invoke(main, ["tune", "-w", str(folder), "--json", "--trials", "5", *QUICK])
    assert ran.exit_code == 0, ran.output
    return folder, json.loads(ran.stdout)


def test_it_tries_the_settings_in_use_first_and_then_others(found):
    _, result = found
    now, *others = result["trials"]
    assert (now["state"], now["gain"], now["changed"]) == ("judged", 0, {})
    assert set(now["figures"][0]) == {"ndcg@10", "new_ndcg@10"}
    assert len(others) == 5
    for one in others:
        assert one["group"] == "repeat"
        assert 1 <= len(one["settings"]) <= 3
    changed = [name for one in others[:2] for name in one["settings"]]
    assert sorted(changed) == [
        f"models.repeat.{name}" for name in ("doubt", "due", "half_life_days", "now", "once_below")
    ]
    best = max(result["trials"], key=lambda one: one["gain"])
    assert result["best"]["gain"] == best["gain"] > 0
    assert result["test"].startswith("2026-02-20 to ")
    assert result["windows"] == [
        {"learn": "2026-01-31 to 2026-02-09", "judge": "2026-02-10 to 2026-02-19"}
    ]


def test_the_best_is_put_beside_the_settings_in_use(found):
    _, result = found
    of = {one["metric"]: one for one in result["differences"]}
    ndcg = of["ndcg@10"]
    assert ndcg["low"] <= ndcg["difference"] <= ndcg["high"]
    assert of["gain"]["difference"] == pytest.approx(result["best"]["gain"])
    assert ndcg["present"] == pytest.approx(result["trials"][0]["figures"][0]["ndcg@10"])
    assert ndcg["best"] == pytest.approx(result["best"]["figures"][0]["ndcg@10"])


def test_the_winner_is_a_file_to_read_and_to_take_over(found, tune, tmp_path):
    folder, result = found
    folder = shutil.copytree(folder, tmp_path / "shop")
    text = (folder / "tuned.toml").read_text()
    assert "2026-02-10 to 2026-02-19, weights from 2026-01-31 to 2026-02-09" in text
    assert "a hope until `omnibasket train`" in text
    written = tomllib.loads(text)["models"]["repeat"]
    best = {name.split(".")[-1]: v["tried"] for name, v in result["best"]["changed"].items()}
    assert written == {"once_below": 0.99} | best  # the workspace's setting is not a default

    ran = tune(folder, "--apply")
    assert ran.exit_code == 0, ran.output
    assert "Next: omnibasket train" in ran.stdout
    repeat = load_config(folder).models.repeat
    assert {name: getattr(repeat, name) for name in best} == best
    assert "Nothing to take over" in tune(folder, "--apply").stdout


def test_a_search_goes_on_after_a_kill_and_after_ctrl_c_as_if_nothing_had_been(found, shop, told):
    finished = "SELECT count(*) FROM trial_user_attributes WHERE key = 'found'"
    path = shop / ".omnibasket" / "tune" / "studies.sqlite"

    def trials():
        try:
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
                return int(connection.execute(finished).fetchone()[0])
        except sqlite3.OperationalError:
            return 0

    def stopped(by, after):
        command = [sys.executable, "-m", "training.cli", "tune", "-w", str(shop), *QUICK]
        # Who runs the tests may ignore Ctrl-C, and a process would inherit that.
        ours = signal.signal(signal.SIGINT, signal.default_int_handler)
        process = subprocess.Popen(
            [*command, "--json", "--trials", "300"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        signal.signal(signal.SIGINT, ours)
        until = time.monotonic() + 120
        while trials() < after and time.monotonic() < until:
            assert process.poll() is None, process.stderr
            time.sleep(0.02)
        process.send_signal(by)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    assert stopped(signal.SIGKILL, 2)[0] == -signal.SIGKILL
    code, out, err = stopped(signal.SIGINT, trials() + 1)
    assert code == 130
    assert "What was found until now is kept" in err
    kept = json.loads(out)
    assert kept["interrupted"]
    assert (shop / "tuned.toml").exists() == bool(kept["best"]["trial"])
    result = told(shop, *QUICK, "--trials", "1")
    assert len(result["trials"]) == len(kept["trials"]) + 1
    alone = found[1]["trials"]
    n = min(len(alone), len(result["trials"]))
    assert same(result["trials"])[:n] == same(alone)[:n]


def test_another_start_begins_a_new_study_and_the_old_one_is_not_lost(found, tune, tmp_path):
    folder = shutil.copytree(found[0], tmp_path / "shop")
    before = len(found[1]["trials"])

    def run(*more):
        ran = tune(folder, *QUICK, "--trials", "1", "--json", *more)
        assert ran.exit_code == 0, ran.output
        return len(json.loads(ran.stdout)["trials"]), " ".join(ran.stderr.split())

    n, words = run("--set", "models.als.factors=8")
    assert n == 2
    assert "since the last one the settings that are in use changed" in words
    n, words = run()
    assert n == before + 1
    assert f"Goes on from {before - 1} trials" in words
    assert run("--fresh")[0] == 2


def test_nothing_after_the_start_of_the_test_window_is_looked_at(found, tmp_path, tune):
    """Different test sales do not change the result of the search."""
    folder = shutil.copytree(found[0], tmp_path / "shop")
    lines = (folder / "sales.csv").read_text().splitlines()
    sold = [line for line in lines[1:] if line.split(",")[1] >= "2026-02-20"]
    changed = [",".join([*line.split(",")[:5], "tea", *line.split(",")[6:]]) for line in sold]
    (folder / "sales.csv").write_text("\n".join([*lines[: -len(sold)], *changed]) + "\n")
    assert CliRunner().invoke(main, ["ingest", "-w", str(folder)]).exit_code == 0
    ran = tune(folder, *QUICK, "--trials", "2", "--json")
    assert "since the last one the history changed" in " ".join(ran.stderr.split())
    assert same(json.loads(ran.stdout)["trials"]) == same(found[1]["trials"][:3])


def test_a_dry_run_shows_what_would_be_searched(shop, tune, told):
    ran = tune(shop, "--dry-run", "--only", "als")
    assert ran.exit_code == 0, ran.output
    assert "models.als.half_life_days" in ran.stdout
    assert "models.repeat.due" not in ran.stdout
    assert told(shop, "--dry-run")["ranges"]["models.repeat.due"] == {
        "low": 0.0,
        "high": 1.0,
        "unit": "share",
        "log": False,
    }
    assert not (shop / "tuned.toml").exists()


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--only", "repaet"), 3, "Did you mean `repeat`?"),
        (("--only", "bpr"), 3, "`bpr` is switched off"),
        (("--trials", "0"), 2, "0 is not in the range x>=1"),
        (("--minutes", "0"), 2, "0.0 is not in the range x>0"),
        (("--out", "none/there.toml"), 3, "no file can be written there"),
        (("--out", "sales.csv"), 3, "did not write. Name another"),
        (("--set", "train.validation_days=30"), 4, "--set train.validation_days="),
        (("--apply",), 3, "tuned.toml: no such file"),
    ],
)
def test_what_cannot_be_done_is_told_at_once(built, tune, monkeypatch, options, code, message):
    monkeypatch.chdir(built)
    ran = tune(built, *options)
    assert ran.exit_code == code, ran.output
    assert message in " ".join(ran.stderr.split())
    assert not (built / ".omnibasket" / "tune" / "studies.sqlite").exists()


def test_too_few_customers_are_told(tmp_path, tune):
    ran = tune(build(tmp_path / "shop", days=70, customers=6), *QUICK)
    assert ran.exit_code == 4
    assert "the evaluation needs at least 10" in ran.stderr


def test_a_damaged_file_of_trials_is_named(shop, tune):
    path = shop / ".omnibasket" / "tune" / "studies.sqlite"
    path.parent.mkdir()
    path.write_text("not a database, " * 100)
    ran = tune(shop, *QUICK)
    assert ran.exit_code == 4
    assert f"{path}: what was tried before cannot be read" in ran.stderr
