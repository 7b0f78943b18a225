"""What it costs to hide what was bought until it is due again, by how good lists are.

The demo and UCI Online Retail II. Learned on the 28 days before the validation window and asked in
it, as by ``benchmarks.diversity``, whose workspaces these are. Share 0 hides nothing.

    python -m benchmarks.just_bought [--workspace FOLDER] [--json FILE]
"""

import sys
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks._report import NO_DATA, Report, parser
from benchmarks.diversity import BATCH, DATA, PLACES, built, ready
from recsys.config import PlacementSettings, load_config
from recsys.datasets import Batch, Floats, Lists
from recsys.errors import RecsysError
from recsys.evaluation import EvaluationSet, bootstrap, ndcg_at
from recsys.ranking import Limits, Ranker, RankRequest, UntilDue, factors_of

SHARES: Final = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
#: Of gains, which are small.
_DIGITS: Final = 4


def main() -> int:
    """Measure every workspace that can be had."""
    made = parser(__doc__)
    made.add_argument("--data", type=Path, default=DATA, help="where the data sets lie")
    made.add_argument("--workspace", type=Path, help="an ingested workspace instead")
    options = made.parse_args()
    report = Report("What hiding until due costs, on the validation window")
    given = (
        built(options.data)
        if options.workspace is None
        else [(options.workspace.name, load_config(options.workspace))]
    )
    for task, config in given:
        ranker, customers = ready(config, "validation")
        measure(report, task, ranker, customers, options.seed)
    report.finish(options.json)
    return 0 if report.rows else NO_DATA


def measure(report: Report, task: str, ranker: Ranker, customers: EvaluationSet, seed: int) -> None:
    """Ask with each share, and add the figures to the report."""
    wanted = customers.relevant()
    plain: Floats | None = None
    for share in SHARES:
        shown, hidden = _shown(ranker, customers, share)
        values = ndcg_at(shown, wanted, PLACES)
        plain = values if plain is None else plain
        mean, _, _, n = bootstrap(values, seed)
        gain, low, high = np.round(bootstrap(values - plain, seed)[:3], _DIGITS)
        method = f"until due {share:g}"
        report.add(task, method, f"ndcg@{PLACES}", mean, n=n, seed=seed)
        report.add(task, method, "gain", gain, low=low, high=high, n=n, seed=seed)
        report.add(task, method, f"hidden@{PLACES}", hidden, n=len(customers))


def _shown(ranker: Ranker, customers: EvaluationSet, share: float) -> tuple[Lists, float]:
    """First places of everybody, and how many products a list lost."""
    context, rows, lost = customers.context(), [], 0
    most_days = PlacementSettings(channel="web").hide_at_most_days
    for start in range(0, len(customers), BATCH):
        part = slice(start, start + BATCH)
        asking = context[part]
        n = len(asking)
        nothing = Lists(np.zeros(n + 1, np.int64), np.empty(0, np.int32))
        limits = Limits(
            exclude=nothing,
            cart=nothing,
            new_only=np.zeros(n, bool),
            hidden_since_ts=asking.as_of_ts,
            location_keys=asking.location,
            in_stock=np.zeros(n, bool),
            until_due=UntilDue(asking.as_of_ts, np.full(n, share), np.full(n, most_days)),
        )
        request = RankRequest(np.full(n, PLACES), np.tile(factors_of({}), (n, 1)), limits)
        ranked = ranker.rank(Batch(customers.histories[part], asking), request, credit=False)
        rows += np.split(ranked.item_ix, ranked.indptr[1:-1])
        lost += int(ranked.left_out.sum())
    return Lists.of_rows(rows), lost / len(customers)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RecsysError as error:
        sys.exit(f"{error}")
