"""How good lists are: ours beside what one would otherwise use, all tuned with the same budget.

Five tasks, each from its own data: the next basket (``tafeng``), the next 28 days
(``complete_journey``, ``uci_online_retail_ii``), the other channel (``hm_week``) and bundles
(``youshu_bundles``); ``tafeng_published`` repeats published figures to check what is measured
with. docs/benchmarks.md tells how each is cut and what is tuned. What our method takes in goes
through ``omnibasket ingest`` first, and no method sees what it is asked for.

    python -m benchmarks.accuracy --task tafeng --folds 0 --methods omnibasket,tifu_knn

Workspaces and cut data are kept in build/benchmarks, so that a second run begins at once;
``--fresh`` makes them anew.
"""

import argparse
import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks._measurement import CHOICE, Answer, apart, measure, split, value
from benchmarks._problem import Floats, Ints
from benchmarks._report import NO_DATA, OURS, Report, parser
from benchmarks.baselines import BASELINES
from benchmarks.baselines.base import Baseline
from benchmarks.tasks import TASKS
from benchmarks.tasks.task import Cut, Task, files_of, opened, save
from recsys.evaluation import Interval, bootstrap, coverage

ROOT: Final = Path(__file__).resolve().parents[1]
DATA: Final = ROOT.parent / "shared" / "data"
WORK: Final = ROOT / "build" / "benchmarks" / "accuracy"
PLACES: Final = 40
#: With ``--quick``: customers that are asked, and settings that are tried on each axis.
QUICK_ASKED, QUICK_VALUES = 300, 1
#: What is known of a method's cost.
COSTS: Final = ("seconds", "tune_seconds", "ms", "peak_mb")

Values = dict[str, dict[str, list[Floats]]]


def main() -> None:
    """Run the tasks whose data is there."""
    options = _arguments()
    report = Report("What customers bought, shown before they did", _packages())
    ran = False
    for name in options.tasks:
        task = TASKS[name]
        folder = options.data / task.folder
        if not task.there(folder):
            _say(f"{name}: left out. " + task.how_to_get_it.format(folder=folder))
            continue
        ran = True
        before = len(report.rows)
        run(task, folder, options, report)
        show(name, report.rows[before:])
    if not ran:
        sys.exit(NO_DATA)
    if options.json is not None:
        report.write(options.json)


def run(task: Task, folder: Path, options: argparse.Namespace, report: Report) -> None:
    """Measure all methods on all folds of a task, and add the figures to the report."""
    values: Values = {}
    customers: list[Ints] = []
    shares: dict[str, list[float]] = {}
    costs: dict[str, dict[str, list[float]]] = {}
    for fold in [fold for fold in task.folds if options.folds is None or fold in options.folds]:
        work = options.work / f"{task.name}-{fold}"
        if options.fresh:
            shutil.rmtree(work, ignore_errors=True)
        cut, files = _cut(task, folder, fold, work, quick=options.quick)
        problem = cut.test
        customers.append(problem.asked)
        for method, answer in _answers(task, folder, fold, work, cut, files, options):
            each = values.setdefault(method, {})
            for metric in task.metrics:
                kind = split(metric)[0]
                figures = value(metric, answer.lists[kind], problem, cut.choices)
                each.setdefault(_said(task, metric), []).append(figures)
            kind, _, k = split(task.metrics[0])
            share = coverage(answer.lists[kind], k, answer.n_items)
            shares.setdefault(method, []).append(share)
            spent = costs.setdefault(method, {cost: [] for cost in COSTS})
            for cost in COSTS:
                spent[cost].append(getattr(answer, cost))
    joined = {
        method: {metric: np.concatenate(folds) for metric, folds in by_metric.items()}
        for method, by_metric in values.items()
    }
    add(report, task, joined, np.concatenate(customers), options.seed)
    for method, spent in costs.items():
        k = split(task.metrics[0])[2]
        report.add(task.name, method, f"coverage@{k}", float(np.mean(shares[method])))
        for cost, amounts in spent.items():
            worth = max(amounts) if cost == "peak_mb" else float(np.mean(amounts))
            report.add(task.name, method, cost, worth)


def add(
    report: Report,
    task: Task,
    values: Mapping[str, Mapping[str, Floats]],
    customers: Ints,
    seed: int,
) -> None:
    """Add means with intervals, and our lead over the best other method of each metric.

    Parameters
    ----------
    report : Report
    task : Task
    values : mapping
        By method and metric, one figure a question, questions in the same order.
    customers : ndarray of shape (n,), int64
        Who each question is about; a customer of several folds is drawn as one.
    seed : int
        Of the bootstrap.
    """
    for method, by_metric in values.items():
        for metric, each in by_metric.items():
            mean, low, high, n = interval(each, customers, seed)
            report.add(task.name, method, metric, mean, low=low, high=high, n=n, seed=seed)
    if OURS not in values or len(values) == 1:
        return
    for metric, ours in values[OURS].items():
        others = {method: by[metric] for method, by in values.items() if method != OURS}
        best = max(others, key=lambda method: float(np.nanmean(others[method])))
        mean, low, high, n = interval(ours - others[best], customers, seed)
        lead = f"lead_{metric}"
        report.add(task.name, OURS, lead, mean, low=low, high=high, n=n, seed=seed)


def interval(each: Floats, customers: Ints, seed: int) -> Interval:
    """Estimate a mean over questions, with the 95% interval of drawing customers anew.

    Returns
    -------
    Interval
        ``n`` counts customers.
    """
    counts = ~np.isnan(each)
    _, of = np.unique(customers[counts], return_inverse=True)
    options = np.bincount(of)
    sums = np.bincount(of, weights=each[counts])
    numbers = np.arange(len(sums), dtype=np.float64)

    def mean(draws: Floats) -> Floats:
        taken = draws.astype(np.int64)
        return np.asarray(sums[taken].sum(axis=1) / options[taken].sum(axis=1), np.float64)

    return bootstrap(numbers, seed, statistic=mean)


def _answers(
    task: Task,
    folder: Path,
    fold: int,
    work: Path,
    cut: Cut,
    files: tuple[Path, Path],
    options: argparse.Namespace,
) -> Iterable[tuple[str, Answer]]:
    baselines = [
        baseline
        for baseline in task.baselines or BASELINES
        if _wanted(baseline.name, options.methods)
    ]
    for baseline in baselines:
        at = f"{task.name} fold {fold}, {baseline.name}"
        if not baseline.there:
            _say(f"{at}: not installed (pip install {baseline.package}), left out")
            continue
        tuned = _quicker(baseline) if options.quick else baseline
        try:
            answer = measure(tuned, *files, task.choose_by, PLACES, options.seed)
        except (ChildProcessError, RuntimeError) as error:
            _say(f"{at}: {error}")
            continue
        _tell(at, task, cut, answer)
        yield baseline.name, answer
    if _wanted(OURS, options.methods) and task.ours is not None:
        answer = task.ours(folder, fold, work, cut, PLACES)
        _tell(f"{task.name} fold {fold}, {OURS}", task, cut, answer)
        yield OURS, answer


def _cut(
    task: Task, folder: Path, fold: int, work: Path, *, quick: bool
) -> tuple[Cut, tuple[Path, Path]]:
    """Cut the data, or read what was cut before; with where both problems lie."""
    # What was cut before choices were told lacks them.
    by_choice = any(metric.startswith(CHOICE) for metric in task.metrics)
    if not (work / "names.json").exists() or (by_choice and not opened(work).choice):
        _say(f"{task.name} fold {fold}: cutting the data")
        apart(_cut_and_save, task, folder, fold, work)
    cut = opened(work)
    if not quick:
        return cut, files_of(work)
    work = work / "quick"
    validation, test = (part.sample(QUICK_ASKED, 0) for part in (cut.validation, cut.test))
    cut = Cut(validation, test, cut.customers, cut.items, cut.choice)
    save(cut, work)
    return cut, files_of(work)


def _cut_and_save(task: Task, folder: Path, fold: int, work: Path) -> None:
    save(task.cut(folder, fold), work)


def _quicker(baseline: Baseline) -> Baseline:
    axes = {name: tried[:QUICK_VALUES] for name, tried in baseline.axes.items()}
    return Baseline(baseline.name, baseline.fit, axes, baseline.needs, baseline.package)


def _said(task: Task, metric: str) -> str:
    return metric.removeprefix("new_") if task.always_new else metric


def _wanted(method: str, methods: list[str] | None) -> bool:
    return methods is None or method in methods


def _arguments() -> argparse.Namespace:
    made = parser(__doc__)
    made.add_argument("--task", choices=sorted(TASKS), action="append", help="one of them; again")
    made.add_argument("--folds", type=_numbers, help="of tafeng, as in 0,1; all by default")
    made.add_argument("--methods", type=_names, help="only these, separated by commas")
    made.add_argument("--quick", action="store_true", help="few customers, nothing tuned: a trial")
    made.add_argument("--fresh", action="store_true", help="cut and ingest anew")
    made.add_argument("--data", type=Path, default=DATA, help="folder of the data sets' folders")
    made.add_argument("--work", type=Path, default=WORK, help="where workspaces are kept")
    options = made.parse_args()
    options.tasks = options.task or list(TASKS)
    options.data, options.work = options.data.resolve(), options.work.resolve()
    known = {
        OURS,
        *(one.name for task in TASKS.values() for one in task.baselines or BASELINES),
    }
    for method in options.methods or ():
        if method not in known:
            made.error(f"there is no method {method}: {', '.join(sorted(known))}")
    return options


def _names(text: str) -> list[str]:
    return text.split(",")


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _packages() -> tuple[str, ...]:
    return tuple(sorted({baseline.package for baseline in BASELINES} - {"implicit", "numpy"}))


def _tell(at: str, task: Task, cut: Cut, answer: Answer) -> None:
    metric = task.metrics[0]
    mean = float(np.nanmean(value(metric, answer.lists[split(metric)[0]], cut.test)))
    tuned = (
        f", {answer.tried} settings tried in {answer.tune_seconds:.0f} s" if answer.tried else ""
    )
    chosen = "; ".join(f"{kind} {_plain(one)}" for kind, one in answer.settings.items() if one)
    _say(f"{at}: {metric} {mean:.4f} in {answer.seconds:.1f} s{tuned}; {chosen}")


def _plain(settings: dict[str, Any]) -> str:
    return " ".join(f"{name}={setting}" for name, setting in settings.items())


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def show(name: str, rows: list[dict[str, Any]]) -> None:
    """Print one task: a line a method, a column a metric, best first."""
    leads = {row["metric"]: row for row in rows if row["metric"].startswith("lead_")}
    rows = [row for row in rows if row["metric"] not in leads]
    metrics = list(dict.fromkeys(row["metric"] for row in rows))
    held = {(row["method"], row["metric"]): row for row in rows}
    n = max((row["n"] for row in rows if row["n"]), default=0)
    table = Table(title=f"{name}: {n:,} customers", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("method")
    for metric in metrics:
        table.add_column(metric, justify="right")
    methods = list(dict.fromkeys(row["method"] for row in rows))
    methods.sort(key=lambda method: -held.get((method, metrics[0]), {"value": 0.0})["value"])
    for method in methods:
        table.add_row(method, *(_cell(held.get((method, metric))) for metric in metrics))
    if leads:
        cells = [_lead(leads.get(f"lead_{metric}")) for metric in metrics]
        table.add_section()
        table.add_row("our lead over the best", *cells)
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(table)


def _cell(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    if row["low"] is None:
        return f"{row['value']:,.3g}" if row["value"] < 100 else f"{row['value']:,.0f}"
    return f"{row['value']:.4f} ±{(row['high'] - row['low']) / 2:.4f}"


def _lead(row: dict[str, Any] | None) -> str:
    return "" if row is None else f"{row['value']:+.4f} ±{(row['high'] - row['low']) / 2:.4f}"


if __name__ == "__main__":
    main()
