"""The table's figures, the JSON's form, and what is said where data is missing."""

import json
import sys

import numpy as np
import pytest

from benchmarks import accuracy
from benchmarks._report import NO_DATA, OURS, Report
from benchmarks.baselines import BASELINES, frequency
from benchmarks.tasks import TASKS, tafeng

KEYS = {"item_num": 30, "train": [], "val": [], "test": []}


@pytest.fixture
def data(tmp_path):
    """A next-basket world in which everybody comes back for what they had."""
    rng = np.random.default_rng(0)
    history, future, keys = {}, {}, dict(KEYS)
    for customer in range(60):
        usual = sorted(rng.choice(30, 3, replace=False).tolist())
        history[str(customer)] = [[-1], usual, usual[:2], [-1]]
        future[str(customer)] = [[-1], usual, [-1]]
        keys[("train", "val", "test")[customer % 3]].append(str(customer))
    folder = tmp_path / "data" / "tafeng"
    folder.mkdir(parents=True)
    for name, content in (("history", history), ("future", future), ("keyset_0", keys)):
        (folder / f"tafeng_{name}.json").write_text(json.dumps(content))
    return tmp_path


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["accuracy", *map(str, arguments)])
    accuracy.main()


def test_tasks_run_and_write_the_common_json(data, monkeypatch, capsys):
    run(
        monkeypatch,
        "--task",
        "tafeng",
        "--folds",
        "0",
        "--methods",
        "own_frequency,popular",
        "--data",
        data / "data",
        "--work",
        data / "work",
        "--json",
        data / "out" / "figures.json",
    )
    written = json.loads((data / "out" / "figures.json").read_text())
    assert set(written["machine"]) >= {"cores", "memory_gb", "python", "versions"}
    rows = {(row["method"], row["metric"]): row for row in written["rows"]}
    own = rows["own_frequency", "recall@10"]
    assert set(own) == {"task", "method", "metric", "value", "low", "high", "n", "seed"}
    assert (own["task"], own["value"], own["n"]) == ("tafeng", 1.0, 20)
    assert rows["popular", "recall@10"]["value"] < 1.0
    for cost in ("seconds", "tune_seconds", "ms", "peak_mb", "coverage@10"):
        assert ("popular", cost) in rows
    said = capsys.readouterr()
    assert "own_frequency" in said.out
    assert "settings tried" in said.err


def test_without_any_data_it_says_how_to_get_them(tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, "--task", "tafeng", "--task", "youshu_bundles", "--data", tmp_path)
    assert ended.value.code == NO_DATA
    told = capsys.readouterr().err
    assert "reality" in told
    assert "CrossCBR" in told


def test_every_task_and_method_is_documented():
    page = (accuracy.ROOT / "docs" / "benchmarks.md").read_text()
    for name in [*TASKS, *(baseline.name for baseline in BASELINES)]:
        assert f"`{name}`" in page


def test_unknown_methods_are_refused(monkeypatch, capsys):
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, "--methods", "magic")
    assert ended.value.code == 2
    assert "tifu_knn" in capsys.readouterr().err


def test_our_lead_is_over_the_best_other_method():
    report = Report("")
    values = {
        OURS: {"ndcg@10": np.array([0.5, 0.7])},
        "good": {"ndcg@10": np.array([0.4, 0.5])},
        "bad": {"ndcg@10": np.array([0.0, 0.1])},
    }
    accuracy.add(report, TASKS["complete_journey"], values, np.array([0, 1]), 0)
    lead = next(row for row in report.rows if row["metric"] == "lead_ndcg@10")
    assert lead["method"] == OURS
    assert lead["value"] == pytest.approx(0.15)
    assert lead["low"] == pytest.approx(0.1)
    assert lead["high"] == pytest.approx(0.2)


def test_a_customer_of_several_folds_is_drawn_as_one():
    each = np.array([0.0, 1.0, 0.0, 1.0, np.nan])
    once = accuracy.interval(each, np.arange(5), 0)
    twice = accuracy.interval(np.tile(each, 2), np.tile(np.arange(5), 2), 0)
    assert once == twice
    assert (once.mean, once.n) == (0.5, 4)


def test_a_peer_that_is_not_installed_is_named(data, monkeypatch, capsys):
    absent = frequency.BASELINES[0].__class__(
        "ghost", frequency.fit_popular, {}, "no_such", "ghost-rec"
    )
    task = tafeng.TASK
    monkeypatch.setitem(
        accuracy.TASKS, "tafeng", task.__class__(**{**vars(task), "baselines": (absent,)})
    )
    run(
        monkeypatch,
        "--task",
        "tafeng",
        "--folds",
        "0",
        "--methods",
        "ghost",
        "--data",
        data / "data",
        "--work",
        data / "work",
    )
    assert "pip install ghost-rec" in capsys.readouterr().err
