"""The ingest of a demo yields the counts of its truth."""

from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from recsys.config.toml_file import load_config
from recsys.errors import DataError
from recsys.evaluation.identity_quality import by_any_link, by_email, measure_identity, read_truth
from recsys.history.versions import History
from recsys.identity.hashing import KeyedHash
from training.demo.check import figures, read_counts


@pytest.fixture(scope="module")
def workspace(trained_demo: Path) -> Path:
    return trained_demo


@pytest.fixture(scope="module")
def history(workspace: Path) -> History:
    return History.open(load_config(workspace))


def test_the_history_holds_what_the_truth_says(workspace: Path, history: History) -> None:
    found = figures(read_counts(workspace), history.summary)
    assert [figure for figure in found if not figure.right] == []


def test_a_wrong_figure_is_seen(workspace: Path, history: History) -> None:
    told: dict[str, Any] = read_counts(workspace)
    told["web"]["orders"] += 1
    wrong = [figure.what for figure in figures(told, history.summary) if not figure.right]
    assert wrong == ["web: orders"]


def test_what_the_export_sells_is_sold(workspace: Path, history: History) -> None:
    exported = duckdb.execute(
        "SELECT item_id FROM read_csv(?, header = true, all_varchar = true)"
        " WHERE active = 'true' AND price <> 'ask'",  # a rejected row
        [str(next(workspace.rglob("products.csv")))],
    ).fetchall()
    products = history.table("products")
    active = set(products.filter(products["active"])["item_id"].to_pylist())
    assert exported
    assert {item_id for (item_id,) in exported} <= active


def test_rejects_name_file_and_line(workspace: Path, history: History) -> None:
    rejected = duckdb.execute(
        "SELECT file, line, reason FROM read_csv(?, header = true)",
        [str(history.folder / "rejects.csv")],
    ).fetchall()
    told = read_counts(workspace)["broken"]
    assert Counter(rejected) == Counter((row["file"], row["line"], row["reason"]) for row in told)


def test_identifiers_are_linked_as_the_truth_says(workspace: Path, history: History) -> None:
    truth = read_truth(workspace / "truth.csv", KeyedHash.load(load_config(workspace)))
    found = measure_identity(truth, history.table("identifiers"))
    assert found.missing == 0
    assert found.precision >= 0.99
    assert found.recall >= 0.99
    links = history.table("links")
    assert measure_identity(truth, by_email(links)).recall < 0.7
    assert measure_identity(truth, by_any_link(links)).precision < 0.5


def test_a_folder_without_truth_is_no_demo(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="omnibasket demo"):
        read_counts(tmp_path)
