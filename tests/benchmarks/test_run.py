"""Every benchmark runs by the command that the documents print, with its smallest settings.

What takes longest runs where ``OMNIBASKET_TEST_BENCHMARKS`` says ``all``.

Data that may not be shipped are replaced by made-up ones of the same form; what is measured on
them says nothing, but the whole script runs.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks._report import NO_DATA

ROOT = Path(__file__).parents[2]
ALL = os.environ.get("OMNIBASKET_TEST_BENCHMARKS") == "all"
QUICK = ("ingest", "pairs")
SCRIPTS = sorted(path.stem for path in (ROOT / "benchmarks").glob("[a-z]*.py"))

#: Where things lie that a benchmark is told of: made-up data, workspaces, the small demo.
Where = Callable[[str], str]

#: The smallest settings of each, in words; a word with a brace is a folder.
SMALLEST = {
    "accuracy": "--task uci_online_retail_ii --quick --methods omnibasket,popular "
    "--data {data} --work {work}",
    "bundles": "--task uci_online_retail_ii --parts shuffled,lasting --shuffles 1 --peer-rounds 0 "
    "--data {data} --work {work}",
    "carts": "--workspace {demo}",
    "conversation": "--workspace {demo} --customers 40 --weeks 1",
    "diversity": "--workspace {demo}",
    "growth": "--households 80 --copies 1",
    "hm_week": "--data {data}/hm_week",
    "identity": "--households 80",
    "ingest": "--lines 2000 --rounds 1",
    "just_bought": "--workspace {demo}",
    "contact": "--workspace {demo} --customers 20 --rounds 1",
    "latency": "--workspace {demo} --customers 10",
    "new_products": "--workspace {demo}",
    "pairs": "--methods omnibasket,scipy --rounds 1 --growth 1",
    "rankers": "--task uci_online_retail_ii --work {work}",
    "rotation": "--customers 60",
    "serving": "--workspace {demo} --seconds 0.2 --workers 1 --connections 2",
}


def purchases(seed: int, weeks: int, customers: int = 120) -> dict[str, list[int]]:
    """Weeks in which customers buy some products again and again, and now and then others."""
    rng = np.random.default_rng(seed)
    own = rng.integers(0, 40, (customers, 4))
    found: dict[str, list[int]] = {"customer": [], "week": [], "item": []}
    for week in range(weeks):
        for customer in np.flatnonzero(rng.random(customers) < 0.6).tolist():
            items = {*own[customer, rng.random(4) < 0.6].tolist(), int(rng.integers(0, 60))}
            for item in items:
                found["customer"].append(customer)
                found["week"].append(week)
                found["item"].append(item)
    return found


def write_uci(folder: Path) -> None:
    """Half a year of a wholesaler's invoices."""
    lines = purchases(1, weeks=26)
    day = np.datetime64("2011-06-10T10:00:00", "us")
    at = day + np.array(lines["week"]) * np.timedelta64(7, "D")
    pairs = zip(lines["customer"], lines["week"], strict=True)
    table = {
        "Invoice": [f"{100_000 + 1000 * week + customer}" for customer, week in pairs],
        "StockCode": [f"S{item:03}" for item in lines["item"]],
        "Description": [f"ARTICLE {item}" for item in lines["item"]],
        "Quantity": pa.array([2] * len(at), pa.int64()),
        "InvoiceDate": pa.array(at),
        "Price": [1.5] * len(at),
        "Customer ID": [10_000.0 + customer for customer in lines["customer"]],
    }
    folder.mkdir()
    pq.write_table(pa.table(table), folder / "orders.parquet")


def write_hm(folder: Path) -> None:
    """A week in which customers buy in stores and online."""
    lines = purchases(2, weeks=7)  # its days
    at = np.datetime64("2020-09-16") + np.array(lines["week"])
    pairs = zip(lines["customer"], lines["week"], strict=True)
    table = {
        "t_dat": pa.array(at),
        "customer_id": [f"h{customer:05}" for customer in lines["customer"]],
        "article_id": [f"{100_000_000 + item:010}" for item in lines["item"]],
        "price": [0.03] * len(at),
        "sales_channel_id": [1 + (customer + day) % 2 for customer, day in pairs],
    }
    items = range(60)
    articles = {
        "article_id": [f"{100_000_000 + item:010}" for item in items],
        "product_code": [f"{100_000 + item // 2}" for item in items],
        "prod_name": [f"Shirt {item}" for item in items],
        "product_type_name": [f"Kind {item % 5}" for item in items],
        "department_name": [f"Department {item % 3}" for item in items],
    }
    folder.mkdir()
    pq.write_table(pa.table(table), folder / "transactions.parquet")
    pq.write_table(pa.table(articles), folder / "articles.parquet")


@pytest.fixture(scope="session")
def where(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    base = tmp_path_factory.mktemp("benchmarks")
    (base / "data").mkdir()
    write_uci(base / "data" / "uci_online_retail_ii")
    write_hm(base / "data" / "hm_week")
    return {"data": base / "data", "work": base / "work"}


def run(name: str, words: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"benchmarks.{name}", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_none_is_forgotten() -> None:
    assert sorted(SMALLEST) == SCRIPTS


@pytest.mark.parametrize("name", SCRIPTS)
def test_it_runs(
    name: str, where: dict[str, Path], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if name not in QUICK and not ALL:
        pytest.skip("takes long; OMNIBASKET_TEST_BENCHMARKS=all runs it")
    words = SMALLEST[name]
    folders = {**where, "demo": Path()}
    if "{demo}" in words:
        folders["demo"] = request.getfixturevalue("trained_demo")
    if name == "rankers" and not where["work"].exists():  # it looks at what another one made
        assert run("accuracy", SMALLEST["accuracy"].format(**folders).split()).returncode == 0
    told = tmp_path / "told.json"
    done = run(name, [*words.format(**folders).split(), "--json", str(told)])
    if done.returncode == NO_DATA:
        pytest.skip((done.stderr or done.stdout).strip())
    assert done.returncode == 0, done.stderr[-3000:]
    rows = json.loads(told.read_text())["rows"]
    assert rows
    assert all(np.isfinite(row["value"]) or name == "growth" for row in rows)
    assert done.stdout.strip()


@pytest.mark.parametrize("name", ["accuracy", "bundles", "rankers", "hm_week"])
def test_without_its_data_it_says_what_is_missing(name: str, tmp_path: Path) -> None:
    """``make bench`` leaves it out then."""
    folders = {"data": tmp_path / "none", "work": tmp_path / "work", "demo": Path()}
    done = run(name, SMALLEST[name].format(**folders).split())
    assert done.returncode == NO_DATA
    assert done.stderr.strip() or done.stdout.strip()
