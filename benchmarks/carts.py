"""What a placement's factor on the cart does: who is shown what joined their order.

The demo. Learned on the 28 days before a window, asked for orders in it, each cut in two: what
lay in the cart, or one product that was looked at, and what joined it. Asked with each factor on
``cart``, for the customer and as if nobody knew them; on the validation window, on which the
built-in placements' factors were chosen, or with ``--window test`` on the test window.

    python -m benchmarks.carts [--window test] [--workspace FOLDER] [--json FILE]
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks._report import NO_DATA, Report, parser
from benchmarks.diversity import BATCH, PLACES, demo_or, ready
from recsys.datasets import EMPTY, Batch, Context, Histories, IntArray, Lists, without_items
from recsys.errors import RecsysError
from recsys.evaluation import CartSet, EvaluationSet, bootstrap, cart_sets, ndcg_at, recall_at
from recsys.history import History
from recsys.ranking import Limits, Ranker, RankRequest, factors_of
from recsys.schema import CHANNELS

FACTORS: Final = (0.5, 1.0, 1.5, 2.0, 3.0, 5.0)
#: Orders that are asked for, at most.
ORDERS: Final = 1_500


def main() -> int:
    """Measure the demo, or a workspace."""
    made = parser(__doc__)
    made.add_argument("--window", choices=("validation", "test"), default="validation")
    made.add_argument("--workspace", type=Path, help="an ingested workspace instead of the demo")
    options = made.parse_args()
    config = demo_or(options.workspace)
    if config is None:
        return NO_DATA
    report = Report(f"What joined the cart, by the factor on it, on the {options.window} window")
    ranker, customers = ready(config, options.window)
    held = cart_sets.read(History.open(config), customers, at_most=ORDERS, seed=options.seed)
    measure(report, ranker, customers, held, options.seed)
    report.finish(options.json)
    return 0


def measure(
    report: Report, ranker: Ranker, customers: EvaluationSet, held: CartSet, seed: int
) -> None:
    """Ask with each factor, and add the figures to the report."""
    theirs = [customers.rows[row] for row in held.customer_ix]
    for task, cart, rest in _questions(held, seed):
        for whose, rows in (("customer", theirs), ("stranger", [EMPTY] * len(theirs))):
            histories = Histories.from_rows(rows, ranker.index, held.as_of_ts)
            new = without_items(rest, histories)
            for factor in FACTORS:
                shown = _shown(ranker, histories, held.as_of_ts, cart, factor)
                for metric, values in (
                    (f"ndcg@{PLACES}", ndcg_at(shown, rest, PLACES)),
                    (f"recall@{PLACES}", recall_at(shown, rest, PLACES)),
                    (f"new_recall@{PLACES}", recall_at(shown, new, PLACES)),
                ):
                    mean, low, high, n = bootstrap(values, seed)
                    method = f"{whose}, cart = {factor:g}"
                    report.add(task, method, metric, mean, low=low, high=high, n=n, seed=seed)


def _questions(held: CartSet, seed: int) -> Iterator[tuple[str, Lists, Lists]]:
    """Carts with what joined them; then one product of each, with all the rest of its order."""
    yield "cart", held.cart, held.rest
    rng = np.random.default_rng(seed)
    looked, others = [], []
    for order in range(len(held.customer_ix)):
        cart, rest = held.cart.row(order).item_ix, held.rest.row(order).item_ix
        one = rng.integers(len(cart))
        looked.append(cart[one : one + 1])
        others.append(np.concatenate([np.delete(cart, one), rest]))
    yield "product", Lists.of_rows(looked), Lists.of_rows(others)


def _shown(
    ranker: Ranker, histories: Histories, as_of_ts: IntArray, cart: Lists, factor: float
) -> Lists:
    """First places of each order, asked for in the web shop."""
    n, rows = len(as_of_ts), []
    web = np.full(n, CHANNELS.index("web"), np.uint8)
    context = Context(as_of_ts, np.zeros(n, np.int64), web, cart)
    for start in range(0, n, BATCH):
        asking, theirs = context[start : start + BATCH], histories[start : start + BATCH]
        some = len(asking)
        limits = Limits(
            exclude=Lists(np.zeros(some + 1, np.int64), np.empty(0, np.int32)),
            cart=asking.cart,
            new_only=np.zeros(some, bool),
            hidden_since_ts=asking.as_of_ts,
            location_keys=asking.location,
            in_stock=np.zeros(some, bool),
        )
        factors = np.tile(factors_of({"cart": factor}), (some, 1))
        ranked = ranker.rank(
            Batch(theirs, asking), RankRequest(np.full(some, PLACES), factors, limits)
        )
        rows += np.split(ranked.item_ix, ranked.indptr[1:-1])
    return Lists.of_rows(rows)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RecsysError as error:
        sys.exit(f"{error}")
