"""One conversation over all channels, beside four channels that do not know of each other.

The demo's customers, with their real baskets of eight weeks, buy, visit, leave carts, consent and
change their minds; the web shop, the app, the associate's tablet and the mails ask the real
service, in process, while its clock is moved. Tickets come hours late, reports in any order and
now and then twice. The model has learned from what was before these weeks. Twice with the same
behaviour: two replicas over one ledger; and a service with the same rules and a ledger of its own
for each channel, which gets the orders, carts and consents of the others in the night. An audit
counts, from what people saw and said alone, what should not have been shown.

    python -m benchmarks.conversation [--workspace FOLDER] [--customers N] [--weeks N]
        [--json FILE] [--chart FILE]
"""

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from benchmarks._conversation import audit, chart
from benchmarks._conversation.learning import learned_before
from benchmarks._conversation.people import baskets_of, people_like, plan
from benchmarks._conversation.play import Play
from benchmarks._conversation.services import (
    CHANNELS,
    MESSAGE_CAP,
    PRODUCT_CAP,
    Clock,
    FourChannels,
    OneConversation,
    System,
    placements,
)
from benchmarks._report import NO_DATA, Report, parser
from benchmarks.diversity import demo_or
from recsys.artefacts import registry
from recsys.config import Config
from recsys.datasets import pack_history, read_rows
from recsys.errors import RecsysError
from recsys.history import History
from recsys.identity import KeyedHash
from recsys.recommender import Engine
from training.span import span

TASK: Final = "demo"
ONE, FOUR = "one conversation", "four channels"
REPLICAS: Final = 2


def main() -> int:
    """Play the weeks twice, and audit them."""
    made = parser(__doc__)
    made.add_argument("--workspace", type=Path, help="an ingested workspace instead of the demo")
    made.add_argument("--customers", type=int, default=10_000)
    made.add_argument("--weeks", type=int, default=8)
    made.add_argument("--chart", type=Path, metavar="FILE", help="draw the figures as SVG")
    options = made.parse_args()
    config = demo_or(options.workspace)
    if config is None:
        return NO_DATA
    report = Report("One conversation, and four channels that do not know of each other")
    with tempfile.TemporaryDirectory() as name:
        _measure(report, config, Path(name), options.customers, options.weeks, options.seed)
    report.finish(options.json, across=True)
    if options.chart is not None:
        chart.draw(report.rows, options.chart)
    return 0


def _measure(report: Report, config: Config, folder: Path, n: int, weeks: int, seed: int) -> None:
    history = History.open(config)
    zone = config.workspace.time_zone
    start_ts, end_ts = _weeks(history, zone, weeks)
    _say("learning from what was before")
    own = learned_before(config, history, start_ts, folder)
    rows = {
        customer_id: pack_history(row)
        for customer_id, row in read_rows(history, until_ts=start_ts)
        if len(row.lines)
    }
    customers = sorted(rows)
    hashed = KeyedHash.load(own, create=True)
    people = people_like(customers, n, zone, seed, hashed.identifier)
    baskets = baskets_of(history, start_ts, end_ts, customers)
    made = plan(people, baskets, start_ts, end_ts, seed)
    engine = Engine.load(registry.current(own), stock=own.stock)
    rules = audit.Rules(
        PRODUCT_CAP.times,
        MESSAGE_CAP.times,
        (21, 8),
        {name: each.hide_bought_days for name, each in placements(own).items()},
        [name for name, channel in CHANNELS.items() if channel == "email"],
    )
    systems: dict[str, Callable[[Clock], System]] = {
        ONE: lambda clock: OneConversation(own, clock, folder, REPLICAS),
        FOUR: lambda clock: FourChannels(own, clock, folder),
    }
    for method, make in systems.items():
        _say(f"{method}: {n:,} customers")
        started, clock = time.perf_counter(), Clock(start_ts)
        system = make(clock)
        try:
            system.begin(made, rows, own.order_systems)
            log = Play(made, system, clock, zone, seed).run(_say)
        finally:
            system.close()
        _say(f"{method} took {time.perf_counter() - started:.0f} s; held: {dict(log.held)}")
        figures = audit.audit(log, made, rules, engine.choices_of)
        figures["questions"] = log.asked
        figures |= {f"held_{code}": count for code, count in sorted(log.held.items())}
        figures |= {f"removed_{code}": count for code, count in sorted(log.removed.items())}
        for metric, value in figures.items():
            report.add(TASK, method, metric, value, n=n, seed=seed)


def _weeks(history: History, zone: str, weeks: int) -> tuple[int, int]:
    """Return the last whole weeks of a history, from midnight to midnight."""
    last = datetime.fromtimestamp(span(history).last_ts, ZoneInfo(zone))
    end = last.replace(hour=0, minute=0, second=0, microsecond=0)
    return int((end - timedelta(weeks=weeks)).timestamp()), int(end.timestamp())


def _say(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RecsysError as error:
        sys.exit(f"{error}")
