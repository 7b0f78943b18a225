"""How fast answers are: one customer alone, and all of them for an e-mail, with full ranking.

The demo workspace is written, ingested and trained by the command line, unless a trained one is
named. Every customer of it is asked for alone, one after the other in one thread; then all of them
in pieces, on two threads. Reading customers' rows is left out of the time, since no two stores read
alike; everything else of an answer is in it: candidates, ranking, rules, reasons. Beside it, in
the same run and for the same customers, implicit's ``recommend`` after its ALS (64 factors, 15
rounds), which ranks by factors alone and knows no rules. Goals: at most 3 ms for half of the
single answers and 10 ms for 99 of 100, and 2,000 customers a second.

    python -m benchmarks.latency [--workspace FOLDER] [--customers N] [--json FILE]
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from benchmarks._report import OURS, Report, parser
from recsys.artefacts import registry
from recsys.config import Config, load_config
from recsys.datasets import CustomerHistory, TrainingSet, read_rows
from recsys.history import History
from recsys.recommender import Engine, Question, find_placement

TASK: Final = "complete_journey"
ALS: Final = "implicit_als"
FACTORS, ROUNDS, SHOWN = 64, 15, 10
THREADS: Final = 2
#: Customers that are answered together, which bounds the memory.
TOGETHER: Final = 250
#: Answers before the clock starts.
WARM: Final = 50

Answer = Callable[[Sequence[int]], object]


def main() -> int:
    """Measure, and print the table."""
    arguments = parser(__doc__)
    arguments.add_argument("--workspace", type=Path, help="a trained one; the demo by default")
    arguments.add_argument("--placement", default="web_home")
    arguments.add_argument("--customers", type=int, help="so many of them only")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = options.workspace or _made(Path(name) / "demo")
        report = Report("Milliseconds to answer one customer, and customers a second", ("numba",))
        _measure(report, load_config(folder), options)
    report.finish(options.json)
    return 0


def _made(folder: Path) -> Path:
    """Write, ingest and train the demo workspace."""
    for command in ("demo", "ingest", "train"):
        print(command, file=sys.stderr)
        where = [sys.executable, "-m", "training.cli", command, "--workspace", str(folder)]
        subprocess.run(where, check=True, stdout=subprocess.DEVNULL)
    return folder


def _measure(report: Report, config: Config, options: argparse.Namespace) -> None:
    engine = Engine.load(registry.current(config), stock=config.stock)
    history = History.open(config)
    rows = [row for _, row in read_rows(history)][: options.customers]
    question = Question(
        placement=options.placement,
        settings=find_placement(config, options.placement),
        as_of_ts=int(engine.manifest.as_of.timestamp()),
        customer_known=True,
    )
    methods = {
        OURS: _ours(engine, question, rows),
        ALS: _als(config, history, engine, options.seed),
    }
    for method, answer in methods.items():
        print(f"{method}: {len(rows):,} customers", file=sys.stderr)
        for metric, value in timed(answer, len(rows)).items():
            report.add(TASK, method, metric, value, n=len(rows), seed=options.seed)


def timed(answer: Answer, n: int) -> dict[str, float]:
    """Ask for each alone, then for all; by the wall, and the processor's milliseconds for one.

    Parameters
    ----------
    answer : callable
        Takes positions of customers and answers all of them; some threads call it at a time.
    n : int
        Customers, at least 1.
    """
    for one in range(min(WARM, n)):
        answer([one])
    took, worked = np.empty(n), np.empty(n)
    for one in range(n):
        started, cpu = time.perf_counter(), time.thread_time()
        answer([one])
        took[one], worked[one] = time.perf_counter() - started, time.thread_time() - cpu
    pieces = [range(start, min(start + TOGETHER, n)) for start in range(0, n, TOGETHER)]
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(answer, pieces[:THREADS]))
        started, cpu = time.perf_counter(), time.process_time()
        list(pool.map(answer, pieces))
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    p50, p99 = np.percentile(took * 1e3, [50, 99])
    return {
        "p50_ms": float(p50),
        "p99_ms": float(p99),
        "p50_cpu_ms": float(np.median(worked) * 1e3),
        "per_second": n / seconds,
        "batch_cpu_ms": cpu / n * 1e3,
    }


def _ours(engine: Engine, question: Question, rows: Sequence[CustomerHistory]) -> Answer:
    return lambda asked: engine.recommend([question] * len(asked), [rows[r] for r in asked])


def _als(config: Config, history: History, engine: Engine, seed: int) -> Answer:
    """Fit implicit's ALS, and ask it for customers."""
    from implicit.cpu.als import AlternatingLeastSquares

    training = TrainingSet.read(history, int(engine.manifest.as_of.timestamp()))
    weight = training.baskets.decay(training.as_of_ts, config.models.als.half_life_days)
    counts = sparse.csr_matrix(training.baskets.by_customer(weight), dtype=np.float32)
    model: Any = AlternatingLeastSquares(
        factors=FACTORS, iterations=ROUNDS, num_threads=THREADS, random_state=seed
    )
    with threadpool_limits(1, "blas"):
        model.fit(counts, show_progress=False)

    def answer(asked: Sequence[int]) -> object:
        some = np.asarray(asked) % counts.shape[0]  # whoever only ever looked has no row there
        return model.recommend(some, counts[some], N=SHOWN, filter_already_liked_items=False)

    return answer


if __name__ == "__main__":
    with threadpool_limits(1, "blas"):
        sys.exit(main())
