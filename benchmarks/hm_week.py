"""What a customer buys in the other channel: with one channel alone, and with both as one history.

H&M, one week, 2020-09-16 to 2020-09-22. Customers who bought in one channel before the 20th and
in the other from then on: what they buy in the other. Before the 20th is learned from, half of
that to choose weights on. "One channel" knows only what happened in the channel that is asked
for, as a shop without its stores' tickets does; "omnibasket" knows both.

    python -m benchmarks.hm_week [--data FOLDER] [--json FILE]
"""

import argparse
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks._report import NO_DATA, OURS, Report, parser
from recsys.config import Config, load_config
from recsys.datasets import EMPTY, Floats, Histories, Lists, Ragged, TrainingSet
from recsys.datasets import history_rows as rows_of_customers
from recsys.evaluation import (
    EvaluationSet,
    Window,
    bootstrap,
    evaluation_set,
    hit_rate_at,
    ndcg_at,
    recall_at,
    show_ranked,
)
from recsys.evaluation.baselines import TunedBaseline, tune_baseline
from recsys.history import History
from recsys.learning import FittedModels, LearnedRanking, fit_models, learn
from recsys.schema import CHANNELS, TABLES
from training.ingest import ingest

TASK: Final = "hm_week"
K: Final = 12
STORES, WEB = "pos", "web"
ONE_CHANNEL, POPULAR, FREQUENCY = "one_channel", "popular", "own_frequency"
EVERYBODY: Final = 1_000_000
#: Customers that the methods beside ours are tuned on, and settings tried for each.
TUNED_ON, BUDGET = 2_000, 7

DATA: Final = Path(__file__).resolve().parents[2] / "shared" / "data" / "hm_week"
HOW_TO_GET_IT: Final = """{folder}: transactions.parquet and articles.parquet are not there.
They are the last week of H&M's data on Kaggle (h-and-m-personalized-fashion-recommendations).
Put into one folder, with DuckDB for example:
  COPY (SELECT * FROM 'transactions_train.csv' WHERE t_dat >= '2020-09-16')
    TO 'transactions.parquet';
  COPY (SELECT * FROM read_csv('articles.csv', types = {{'article_id': 'VARCHAR'}}))
    TO 'articles.parquet';
and name it with --data."""

#: The workspace, as the documentation says it is written. A customer's articles of one day and
#: channel are one order; prices are fractions of an unknown largest price.
TOML: Final = """
[workspace]
name = "H&M, one week"
currency = "EUR"

[identity]
plain = ["account"]    # already no person's name; the same ids in every run

[sources.week]
kind = "order_lines"
path = "{folder}/transactions.parquet"

[sources.week.columns]
order_id = {{ columns = ["customer_id", "t_dat", "sales_channel_id"] }}
occurred_at = "t_dat"
channel = {{ column = "sales_channel_id", map = {{ 1 = "pos", 2 = "web" }} }}
item_id = {{ column = "article_id", pad = 10 }}
quantity = {{ value = "1" }}
unit_price = {{ column = "price", times = 590 }}

[sources.week.identifiers]
account = "customer_id"

[sources.articles]
kind = "products"
path = "{folder}/articles.parquet"

[sources.articles.columns]
item_id = {{ column = "article_id", pad = 10 }}
title = "prod_name"
parent_id = "product_code"
department = "department_name"
category = "product_type_name"
"""


def _ts(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


VALIDATION: Final = Window(_ts("2020-09-18"), _ts("2020-09-20"))
TEST: Final = Window(_ts("2020-09-20"), _ts("2020-09-23"))


def main() -> None:
    """Ingest, learn, and compare."""
    options = _arguments()
    report = Report("What is bought in the other channel, shown before")
    with tempfile.TemporaryDirectory() as folder:
        config, history = _workspace(Path(folder), options.data)
        both = _learned(config, history)
        alone = {
            channel: _learned(config, _only(history, channel, Path(folder) / channel))
            for channel in (STORES, WEB)
        }
        people = _people(history, both)
        baselines = _tuned(config, history)
        values: dict[str, list[Floats]] = {}
        customers: list[NDArray[np.int64]] = []
        for target, other in ((STORES, WEB), (WEB, STORES)):
            rows = _crossed(people, target, other)
            customers.append(rows)
            crossed = people.only(rows)
            wanted = crossed.relevant(target)
            shown = _shown(both, alone[target], baselines, crossed, target)
            for method, lists in shown.items():
                for name, metric in (("ndcg", ndcg_at), ("recall", recall_at), ("hr", hit_rate_at)):
                    at = f"{method} {name}@{K}"
                    values.setdefault(at, []).append(metric(lists, wanted, K))
    _fill(report, customers, values, options.seed)
    report.finish(options.json)


def _arguments() -> argparse.Namespace:
    made = parser(__doc__)
    made.add_argument("--data", type=Path, default=DATA, help="folder of the two Parquet files")
    options = made.parse_args()
    options.data = options.data.resolve()
    if not (options.data / "transactions.parquet").exists():
        made.exit(NO_DATA, HOW_TO_GET_IT.format(folder=options.data) + "\n")
    return options


def _workspace(folder: Path, data: Path) -> tuple[Config, History]:
    (folder / "omnibasket.toml").write_text(TOML.format(folder=data), encoding="utf-8")
    config = load_config(folder)
    ingest(config, datetime.now(UTC), lambda *_: None)
    return config, History.open(config)


def _only(history: History, channel: str, folder: Path) -> History:
    """Write the history that one channel alone would have."""
    folder.mkdir()
    for name in TABLES:
        table = history.table(name)
        if name == "lines":
            table = table.filter(pc.equal(table["channel"], channel))
        pq.write_table(table, folder / f"{name}.parquet")
    return History(folder, channel)


def _learned(config: Config, history: History) -> tuple[History, FittedModels, LearnedRanking]:
    before = fit_models(config, history, VALIDATION.start_ts)
    chosen = learn(config, history, before, VALIDATION)
    return history, fit_models(config, history, TEST.start_ts), chosen


def _tuned(config: Config, history: History) -> list[TunedBaseline]:
    """What one would otherwise use, tuned on the validation window."""
    training = TrainingSet.read(history, VALIDATION.start_ts, seed=config.train.seed)
    people = evaluation_set.read(history, training.index, VALIDATION, active=TUNED_ON)
    return [tune_baseline(name, training, people, BUDGET, K) for name in (POPULAR, FREQUENCY)]


def _people(history: History, both: tuple[History, FittedModels, LearnedRanking]) -> EvaluationSet:
    return evaluation_set.read(history, both[1].training.index, TEST, active=EVERYBODY)


def _crossed(people: EvaluationSet, target: str, other: str) -> NDArray[np.int64]:
    """Customers who bought in the other channel before, and in this one in the window."""
    lines = people.histories
    before = np.zeros(len(people), bool)
    before[lines.row[lines.channel == CHANNELS.index(other)]] = True
    now = np.diff(people.relevant(target).indptr) > 0
    return np.flatnonzero(before & now)


def _shown(
    both: tuple[History, FittedModels, LearnedRanking],
    alone: tuple[History, FittedModels, LearnedRanking],
    baselines: list[TunedBaseline],
    people: EvaluationSet,
    target: str,
) -> dict[str, Ragged]:
    """First items of each method; all of them over the catalogue of the unified history."""
    context = people.context(target)
    _, fitted, learned = both
    shown: dict[str, Ragged] = {
        one.name: one.fit(fitted.training).show(people.histories, context, K).mixed
        for one in baselines
    }
    history, fitted_alone, learned_alone = alone
    known = dict(
        rows_of_customers.read_rows(
            history, until_ts=TEST.start_ts, customer_ids=people.customer_ids
        )
    )
    index = fitted_alone.training.index
    rows = [known.get(customer_id, EMPTY) for customer_id in people.customer_ids]
    histories = Histories.from_rows(rows, index, TEST.start_ts)
    single = show_ranked(fitted_alone.ranker(learned_alone), histories, context, K).mixed
    translated = people.index.ix(index.keys[single.item_ix])
    shown[ONE_CHANNEL] = Lists(single.indptr, translated)
    shown[OURS] = show_ranked(fitted.ranker(learned), people.histories, context, K).mixed
    return shown


def _fill(
    report: Report,
    customers: list[NDArray[np.int64]],
    values: dict[str, list[Floats]],
    seed: int,
) -> None:
    """Average over customers, those who crossed both ways counted once."""
    _, of = np.unique(np.concatenate(customers), return_inverse=True)
    each = {
        at: np.bincount(of, weights=np.concatenate(parts)) / np.bincount(of)
        for at, parts in values.items()
    }
    best = max(
        (at for at in each if at.endswith(f"ndcg@{K}") and not at.startswith(OURS)),
        key=lambda at: float(each[at].mean()),
    )
    for at, figures in each.items():
        method, metric = at.split(" ")
        mean, low, high, n = bootstrap(figures, seed)
        report.add(TASK, method, metric, mean, low=low, high=high, n=n, seed=seed)
    mean, low, high, n = bootstrap(each[f"{OURS} ndcg@{K}"] - each[best], seed)
    report.add(TASK, OURS, f"lead_ndcg@{K}", mean, low=low, high=high, n=n, seed=seed)


if __name__ == "__main__":
    main()
