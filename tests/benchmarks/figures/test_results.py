"""Figures are read from files as benchmarks write them."""

import json
import math

import pytest

from benchmarks._figures import RESULTS, read, results
from benchmarks._report import OURS, Report

FILES = sorted(RESULTS.rglob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(RESULTS)))
def test_results_say_where_they_come_from(path):
    machine = json.loads(path.read_text(encoding="utf-8"))["machine"]
    assert {"cores", "memory_gb", "python", "versions", "date", "commit"} <= machine.keys()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    for name, value in (("accuracy/one", 0.5), ("accuracy/two", 0.25), ("times/latency", 3.0)):
        report = Report("")
        report.add(name, OURS, "recall", value, low=0.125, high=0.625, n=7)
        report.add(name, OURS, "p50_ms", value)
        report.write(tmp_path / f"{name}.json")
    return tmp_path


def test_files_of_one_benchmark_are_read_as_one(folder):
    found = read("accuracy")
    assert found.value("accuracy/one", OURS, "recall") == 0.5
    assert found.value("accuracy/two", OURS, "recall") == 0.25
    assert found.figure("accuracy/one", OURS, "recall").half_width == 0.25
    assert found.figure("accuracy/one", OURS, "recall").n == 7


def test_what_has_no_interval_has_none(folder):
    assert math.isnan(read("times/latency").figure("times/latency", OURS, "p50_ms").low)


def test_times_of_a_busy_machine_are_not_told(folder):
    assert read("times/latency").value("times/latency", OURS, "p50_ms") == 3.0
    with pytest.raises(ValueError, match="p50_ms is a time"):
        read("accuracy").value("accuracy/one", OURS, "p50_ms")


@pytest.mark.parametrize("metric", ["seconds", "cpu_seconds", "ms", "times_als", "per_second"])
def test_what_is_a_time(plant, metric):
    with pytest.raises(ValueError, match=metric):
        plant(any={("t", OURS, metric): (1.0,)})("any").value("t", OURS, metric)


def test_the_best_other_method(plant):
    rows = {("t", method, "recall"): (value,) for method, value in (("a", 1), ("b", 2), (OURS, 3))}
    found = plant(any=rows)("any")
    assert found.best_other("t", "recall") == "b"
    assert found.best_other("t", "recall", ["a"]) == "a"


def test_no_results_are_an_error(folder):
    (folder / "none").mkdir()
    with pytest.raises(FileNotFoundError):
        read("none")
    with pytest.raises(FileNotFoundError):
        read("missing")
