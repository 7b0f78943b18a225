"""What a share of new products costs: how good a placement's lists are with it and without it.

The demo. Learned on the 28 days before the validation window and asked in it, so that no list is
measured on what it was learned from; test windows are not looked at. ``web_product`` is asked from
the page of one product of an order, ``web_cart`` with a part of an order, ``web_home`` with the
customer alone; each with several shares, and without one.

    python -m benchmarks.new_products [--workspace FOLDER] [--json FILE]

The workspace is the one of ``benchmarks.diversity``.
"""

import sys
from pathlib import Path
from typing import Final

import msgspec

from benchmarks._report import NO_DATA, Report, parser
from benchmarks.diversity import DAYS, demo_or
from recsys.config import PLACEMENTS, Config
from recsys.errors import RecsysError
from recsys.evaluation import Window, cart_sets, discovery_cost, splits
from recsys.history import History
from recsys.learning import choices_of, fit_models, learn, observe_window
from recsys.units import DAY
from training.span import span

#: Shares that each placement is asked with.
SHARES: Final = {"web_product": (0.25, 0.5), "web_cart": (0.25, 0.4, 0.5), "web_home": (0.25,)}
#: Orders that are asked for, at most.
ORDERS: Final = 1_500


def main() -> int:
    """Measure the demo, or a workspace."""
    made = parser(__doc__)
    made.add_argument("--workspace", type=Path, help="an ingested workspace instead of the demo")
    options = made.parse_args()
    config = demo_or(options.workspace)
    if config is None:
        return NO_DATA
    report = Report("What shares of new products cost, on the validation window")
    measure(report, config, options.seed)
    report.finish(options.json)
    return 0 if report.rows else NO_DATA


def measure(report: Report, config: Config, seed: int) -> None:
    """Ask with each share, and add the figures to the report."""
    history = History.open(config)
    ends = span(history)
    window = splits.by_time(ends.first_ts, ends.last_ts, DAYS, DAYS).validation
    earlier = Window(window.start_ts - DAYS * DAY, window.start_ts)
    learned = learn(config, history, fit_models(config, history, earlier.start_ts), earlier)
    before = fit_models(config, history, window.start_ts)
    customers, _ = observe_window(config, history, before, window)
    ranker = before.ranker(learned)
    carts = cart_sets.read(history, customers, at_most=ORDERS, seed=seed)
    asked = discovery_cost.placement_questions(customers, carts)
    choices = choices_of(history, before.training, config.train)
    for name, shares in SHARES.items():
        for share in shares:
            placement = msgspec.structs.replace(PLACEMENTS[name], new_share=share)
            for found in discovery_cost.measure_discovery(
                ranker, choices, asked, {name: placement}, seed
            ):
                _add(report, f"new_share {share:g}", found, seed)


def _add(report: Report, method: str, found: discovery_cost.DiscoveryCost, seed: int) -> None:
    """Add one comparison; ``cost`` is the difference of NDCG by choice."""
    for metric, value in (
        ("shown_new_without", found.shown_new_without),
        ("shown_new", found.shown_new),
        ("choice_ndcg_without", found.ndcg_without),
        ("choice_ndcg", found.ndcg),
        ("found_new_without", found.found_new_without),
        ("found_new", found.found_new),
    ):
        report.add(found.placement, method, metric, value, n=found.n, seed=seed)
    report.add(
        found.placement,
        method,
        "cost",
        found.cost,
        low=found.cost_low,
        high=found.cost_high,
        n=found.n,
        seed=seed,
    )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RecsysError as error:
        sys.exit(f"{error}")
