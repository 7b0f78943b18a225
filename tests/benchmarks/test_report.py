"""The table and the JSON that all benchmarks share."""

import json

from benchmarks import _report


def test_rows_come_out_as_json_and_side_by_side(tmp_path, capsys):
    report = _report.Report("Next basket")
    report.add("tafeng", "popular", "recall@10", 0.0831)
    report.add("tafeng", _report.OURS, "recall@10", 0.19, low=0.18, high=0.2, n=100, seed=1)
    report.add("tafeng", _report.OURS, "seconds", 1234.5)
    report.finish(tmp_path / "figures.json")

    written = json.loads((tmp_path / "figures.json").read_text())
    assert set(written["machine"]) >= {"cores", "memory_gb", "python", "versions"}
    assert written["rows"][1] == {
        "task": "tafeng",
        "method": "omnibasket",
        "metric": "recall@10",
        "value": 0.19,
        "low": 0.18,
        "high": 0.2,
        "n": 100,
        "seed": 1,
    }
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["task", "method", "recall@10", "seconds"] in printed
    assert ["tafeng", "popular", "0.0831"] in printed
    assert ["tafeng", "omnibasket", "0.19", "[0.18,", "0.2]", "1,234.5"] in printed


def test_the_machine_names_the_versions_that_ran():
    assert _report.machine()["versions"]["numpy"]
