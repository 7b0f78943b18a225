"""Which way to rank candidates: a linear model, or boosted trees of several kinds.

All get the same candidates, features and windows: they learn on two validation windows and are
judged on a later one, all of them before the test window of ``benchmarks.accuracy``, which nobody
looks at. What an answer costs is measured as serving would do it, one customer at a time; trees by
the compiled walk over arrays, whatever library learned them.

    python -m benchmarks.rankers --task uci_online_retail_ii

The workspaces are those of ``benchmarks.accuracy``, which makes them.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks._report import NO_DATA, Report, parser
from benchmarks.accuracy import WORK
from benchmarks.tasks.windows import DAYS, JOURNEY_TS, UCI_TS
from recsys.config import RankerSettings as Settings
from recsys.config import load_config
from recsys.evaluation import Window, evaluation_set
from recsys.history import History
from recsys.learning import (
    RankingExamples,
    boosting,
    candidate_batches,
    examples,
    fit_models,
    fit_ranking,
    observe_window,
)
from recsys.ranking import FEATURE_NAMES, Trees, ndcg_of
from recsys.units import DAY

TASKS: Final = {"complete_journey": JOURNEY_TS, "uci_online_retail_ii": UCI_TS}
#: Customers of the window that judges, at most.
JUDGED: Final = 2_000
#: Candidates of one answer, and answers that are timed.
CANDIDATES, TIMED = 160, 200

Floats = NDArray[np.float64]
Score = Callable[[NDArray[np.float32], Floats], Floats]


def main() -> None:
    """Compare on each task whose workspace is there."""
    made = parser(__doc__)
    made.add_argument("--task", choices=sorted(TASKS), action="append", help="one of them; again")
    made.add_argument("--work", type=Path, default=WORK, help="where workspaces are kept")
    options = made.parse_args()
    report = Report("Ways to rank the same candidates", ("lightgbm", "scikit-learn"))
    for name in options.task or TASKS:
        folder = options.work / f"{name}-0"
        if not (folder / "omnibasket.toml").exists():
            print(f"{name}: run `python -m benchmarks.accuracy --task {name}` first")
            continue
        compare(name, folder, report, options.seed)
    report.finish(options.json) if report.rows else exit(NO_DATA)


def compare(name: str, folder: Path, report: Report, seed: int) -> None:
    """Learn and judge every way on one task."""
    config, history = load_config(folder), History.open(load_config(folder))
    starts = [TASKS[name] - windows * DAYS * DAY for windows in (3, 2, 1)]
    lessons, last = [], None
    for start in starts:
        last = fit_models(config, history, start)
        window = Window(start, start + DAYS * DAY)
        if start != starts[-1]:
            lessons.append(observe_window(config, history, last, window)[1])
    assert last is not None
    learned = fit_ranking(config, lessons)
    customers = evaluation_set.read(history, last.training.index, window, active=JUDGED, seed=seed)
    batches = candidate_batches.plain_candidates(last.models, customers)
    judge_window = examples.TrainingWindow(
        batches, [], [], [], last.statistics, examples.same_order_neighbours(last.models)
    )
    cases = [examples.ranking_examples(one, one.plain, learned.plain) for one in lessons]
    then = examples.ranking_examples(judge_window, batches, learned.plain)
    n_relevant = len(customers.relevant().item_ix)
    n_candidates = sum(int(batch.bought.sum()) for batch in batches)
    report.add(name, "all candidates", "recall", n_candidates / n_relevant, n=len(customers))
    report.add(
        name, "those that trees see", "recall", then.bought.sum() / n_relevant, n=len(customers)
    )
    for way, make in WAYS.items():
        started = time.process_time()
        score, trees = make(cases, seed)
        seconds = time.process_time() - started
        for metric, kind in (("ndcg@10", None), ("new_ndcg@10", 0.0)):
            part = then if kind is None else then.only(then.features[:, OWN] == kind)
            found = ndcg_of(part.bought, part.rows)(score(part.features, part.total))
            report.add(name, way, metric, found, seed=seed)
        report.add(name, way, "cpu_seconds", seconds)
        report.add(name, way, "ms", timed(score, then))
        report.add(name, way, "trees", float(trees))


OWN: Final = FEATURE_NAMES.index("own_orders")


def timed(score: Score, cases: RankingExamples) -> float:
    """Median milliseconds to score the candidates of one answer."""
    spent = []
    for number in range(TIMED):
        start = number * CANDIDATES % max(1, len(cases.total) - CANDIDATES + 1)
        part = slice(start, start + CANDIDATES)
        features, total = np.ascontiguousarray(cases.features[part]), cases.total[part]
        started = time.perf_counter()
        score(features, total)
        spent.append(time.perf_counter() - started)
    return float(np.median(spent) * 1000)


def _blend(_: list[RankingExamples], __: int) -> tuple[Score, int]:
    return lambda _features, total: total, 0


def _linear(cases: list[RankingExamples], seed: int) -> tuple[Score, int]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    every = RankingExamples.together(cases)
    with_total = np.column_stack([every.features, every.total])
    scale = StandardScaler().fit(with_total)
    model = LogisticRegression(C=0.1, max_iter=300, random_state=seed)
    model.fit(scale.transform(with_total), every.bought)
    weight = model.coef_[0] / scale.scale_

    def score(features: NDArray[np.float32], total: Floats) -> Floats:
        found: Floats = features @ weight[:-1] + total * weight[-1]
        return found

    return score, 0


def _histogram(cases: list[RankingExamples], seed: int) -> tuple[Score, int]:
    from sklearn.ensemble import HistGradientBoostingClassifier

    every = RankingExamples.together(cases)
    model = HistGradientBoostingClassifier(
        learning_rate=0.08,
        max_iter=120,
        max_leaf_nodes=31,
        min_samples_leaf=200,
        l2_regularization=5.0,
        max_bins=63,
        early_stopping=True,
        random_state=seed,
    )
    # It cannot begin at the blend's log-odds, but sees them among the features.
    model.fit(every.features, every.bought)

    def score(features: NDArray[np.float32], _: Floats) -> Floats:
        found: Floats = model.decision_function(features)
        return found

    return score, int(model.n_iter_)


def _boosted(kind: str) -> Callable[[list[RankingExamples], int], tuple[Score, int]]:
    def make(cases: list[RankingExamples], seed: int) -> tuple[Score, int]:
        settings = Settings()
        first, then = RankingExamples.together(cases[:-1]), cases[-1]
        every = RankingExamples.together(cases)
        found: list[Trees] = []
        for n_relevant, parameters in (
            ("chances", boosting.binary_parameters(settings, seed, 2)),
            ("order", boosting.lambdarank_parameters(settings, seed, 2)),
        ):
            if n_relevant not in kind:
                continue
            if n_relevant == "order":
                first, then, every = first.who_bought(), then.who_bought(), every.who_bought()
            begun = boosting.fit_with_early_stopping(first, then, parameters)
            first, then = first.on_top_of(begun), then.on_top_of(begun)
            found.append(boosting.boost(every, len(begun), parameters))
            every = every.on_top_of(found[-1])
        return _walked(found), sum(len(trees) for trees in found)

    return make


def _walked(ensembles: list[Trees]) -> Score:
    def score(features: NDArray[np.float32], total: Floats) -> Floats:
        for trees in ensembles:
            total = total + trees.add(features)
        return total

    return score


WAYS: Final[dict[str, Callable[[list[RankingExamples], int], tuple[Score, int]]]] = {
    "blend alone": _blend,
    "linear": _linear,
    "histogram boosting": _histogram,
    "LightGBM, binary": _boosted("chances"),
    "LightGBM, lambdarank": _boosted("order"),
    "binary, then lambdarank": _boosted("chances and order"),
}

if __name__ == "__main__":
    main()
