"""What diversity costs: how good lists are, and how crowded, at several strengths of it.

The demo and UCI Online Retail II. Learned on the 28 days before a window, asked in it: on the
validation window, on which the default strength was chosen, or with ``--window test`` on the test
window. Strength 0 is the order by chance of purchase alone.

    python -m benchmarks.diversity [--window test] [--workspace FOLDER] [--json FILE]

Workspaces are kept in build/benchmarks/diversity, so that a second run begins at once.
"""

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow.parquet as pq

from benchmarks._report import NO_DATA, Report, parser
from benchmarks.tasks.task import workspace
from benchmarks.tasks.windows import (
    GET_JOURNEY,
    UCI,
    UCI_TOML,
    journey_folder,
    journey_there,
    positive,
)
from recsys.config import Config, load_config
from recsys.datasets import Batch, Floats, Lists, without_items
from recsys.errors import RecsysError
from recsys.evaluation import (
    EvaluationSet,
    Window,
    bootstrap,
    coverage,
    evaluation_set,
    ndcg_at,
    splits,
)
from recsys.history import History
from recsys.learning import fit_models, learn
from recsys.ranking import ItemSimilarity, Limits, Ranker, RankRequest, factors_of
from recsys.units import DAY
from training.demo import build
from training.ingest import ingest
from training.span import span

ROOT: Final = Path(__file__).resolve().parents[1]
DATA: Final = ROOT.parent / "shared" / "data"
WORK: Final = ROOT / "build" / "benchmarks" / "diversity"
STRENGTHS: Final = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
PLACES: Final = 10
DAYS: Final = 28
#: Customers who are asked for, at most, and how many at once.
ASKED, BATCH = 2_000, 250
#: Of gains, which are small.
_DIGITS: Final = 4


def main() -> int:
    """Measure every workspace that can be had."""
    options = _arguments()
    report = Report(f"What diversity costs, on the {options.window} window")
    given = [(path.name, load_config(path)) for path in options.workspace] or list(
        built(options.data)
    )
    if not given:
        return NO_DATA
    for task, config in given:
        print(f"{task}: learning", file=sys.stderr)
        ranker, customers = ready(config, options.window)
        measure(report, task, ranker, customers, options.seed)
    report.finish(options.json)
    return 0


def _arguments() -> argparse.Namespace:
    made = parser(__doc__)
    made.add_argument("--window", choices=("validation", "test"), default="validation")
    made.add_argument("--data", type=Path, default=DATA, help="where the data sets lie")
    made.add_argument(
        "--workspace",
        type=Path,
        action="append",
        default=[],
        help="an ingested workspace instead; repeatable",
    )
    return made.parse_args()


def built(data: Path) -> Iterator[tuple[str, Config]]:
    """Workspaces of the data that is there, ingested."""
    if journey_there(journey_folder()):
        folder = WORK / "demo"
        if not (folder / "omnibasket.toml").exists():
            build(folder)
        config = load_config(folder)
        ingest(config, datetime.now(UTC), lambda *_: None)
        yield "demo", config
    else:
        _left_out("demo", GET_JOURNEY)
    if UCI.there(data / UCI.folder):
        folder = WORK / UCI.name
        if not (folder / "orders.parquet").exists():
            folder.mkdir(parents=True, exist_ok=True)
            pq.write_table(positive(data / UCI.folder), folder / "orders.parquet")
        yield UCI.name, workspace(folder, UCI_TOML)
    else:
        _left_out(UCI.name, UCI.how_to_get_it.format(folder=data / UCI.folder))


def demo_or(workspace: Path | None) -> Config | None:
    """Return the settings of a workspace, by default of the demo; None if it cannot be built."""
    if workspace is not None:
        return load_config(workspace)
    return next((config for task, config in built(DATA) if task == "demo"), None)


def _left_out(task: str, why: str) -> None:
    print(f"{task}: left out. {why}", file=sys.stderr)


def ready(config: Config, which: str) -> tuple[Ranker, EvaluationSet]:
    """Learn what may be known before a window; who is asked for, and what they bought in it."""
    history = History.open(config)
    ends = span(history)
    split = splits.by_time(ends.first_ts, ends.last_ts, DAYS, DAYS)
    window = split.test if which == "test" else split.validation
    before = Window(window.start_ts - DAYS * DAY, window.start_ts)
    learned = learn(config, history, fit_models(config, history, before.start_ts), before)
    ranker = fit_models(config, history, window.start_ts).ranker(learned)
    customers = evaluation_set.read(
        history, ranker.index, window, active=ASKED, seed=config.train.seed
    )
    return ranker, customers.only(np.flatnonzero(np.diff(customers.relevant().indptr)))


def measure(report: Report, task: str, ranker: Ranker, customers: EvaluationSet, seed: int) -> None:
    """Ask with each strength, and add the figures to the report."""
    item_similarity = ranker.item_similarity
    if item_similarity is None:
        raise SystemExit(f"{task}: no model knows what products are.")
    wanted = customers.relevant()
    plain: dict[str, Floats] = {}
    for strength in STRENGTHS:
        method = f"diversity {strength:g}"
        for prefix, new, relevant in (
            ("", False, wanted),
            ("new_", True, without_items(wanted, customers.histories)),
        ):
            shown = _shown(ranker, customers, strength, new=new)
            values = ndcg_at(shown, relevant, PLACES)
            metric = f"{prefix}ndcg@{PLACES}"
            mean, _, _, n = bootstrap(values, seed)
            report.add(task, method, metric, mean, n=n, seed=seed)
            plain.setdefault(metric, values)
            gain, low, high = np.round(bootstrap(values - plain[metric], seed)[:3], _DIGITS)
            report.add(task, method, f"{prefix}gain", gain, low=low, high=high, n=n, seed=seed)
            if not new:
                share = coverage(shown, PLACES, len(customers.index))
                report.add(task, method, f"coverage@{PLACES}", share, n=len(customers))
            crowded = _crowded(shown, item_similarity)
            report.add(task, method, f"{prefix}alike@{PLACES}", crowded, n=len(customers))


def _shown(ranker: Ranker, customers: EvaluationSet, strength: float, *, new: bool) -> Lists:
    """First places of everybody, of all products or of those that are new to them."""
    context, rows = customers.context(), []
    for start in range(0, len(customers), BATCH):
        part = slice(start, start + BATCH)
        histories, asking = customers.histories[part], context[part]
        n = len(asking)
        nothing = Lists(np.zeros(n + 1, np.int64), np.empty(0, np.int32))
        limits = Limits(
            exclude=nothing,
            cart=nothing,
            new_only=np.full(n, new),
            hidden_since_ts=asking.as_of_ts,
            location_keys=asking.location,
            in_stock=np.zeros(n, bool),
        )
        factors = np.tile(factors_of({}), (n, 1))
        counts, diversity = np.full(n, PLACES), np.full(n, strength)
        ranked = ranker.rank(
            Batch(histories, asking), RankRequest(counts, factors, limits, diversity)
        )
        rows += np.split(ranked.item_ix, ranked.indptr[1:-1])
    return Lists.of_rows(rows)


def _crowded(shown: Lists, item_similarity: ItemSimilarity) -> float:
    """Share of places, but for the first ones, that hold something like what stands before."""
    again = places = 0
    for start, end in zip(shown.indptr[:-1].tolist(), shown.indptr[1:].tolist(), strict=True):
        items = shown.item_ix[start:end].tolist()
        places += max(len(items) - 1, 0)
        for place in range(1, len(items)):
            again += any(
                item_similarity.of_pair(items[place], other) > 0 for other in items[:place]
            )
    return again / max(1, places)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RecsysError as error:
        sys.exit(f"{error}")
