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
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from benchmarks._conversation import audit, chart
from benchmarks._conversation.learning import learned_before
from benchmarks._conversation.log import Log
from benchmarks._conversation.people import WEEK, Plan, baskets_of, people_like, plan
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


def _one_conversation(config: Config, clock: Clock, folder: Path) -> System:
    return OneConversation(config, clock, folder, REPLICAS)


#: What plays the weeks, in the order of the report.
SYSTEMS: Final[Mapping[str, Callable[[Config, Clock, Path], System]]] = {
    ONE: _one_conversation,
    FOUR: FourChannels,
}


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
        measure(report, config, Path(name), options.customers, options.weeks, options.seed)
    report.finish(options.json, across=True)
    if options.chart is not None:
        chart.draw(report.rows, options.chart)
    return 0


def measure(report: Report, config: Config, folder: Path, n: int, weeks: int, seed: int) -> None:
    """Play both side by side, and add the figures to the report.

    Parameters
    ----------
    report : Report
    config : Config
        Of an ingested workspace.
    folder : Path
        For the model and the ledgers.
    n : int
        Customers.
    weeks : int
        The last whole ones of the history.
    seed : int
    """
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
    people = people_like(customers, n, zone, seed, KeyedHash.load(own, create=True).identifier)
    baskets = baskets_of(history, start_ts, end_ts, customers)
    made = plan(people, baskets, start_ts, end_ts, seed)
    with ProcessPoolExecutor(len(SYSTEMS), get_context("spawn")) as side_by_side:
        played = [
            (method, side_by_side.submit(_figures, method, made, rows, own, folder, seed))
            for method in SYSTEMS
        ]
        for method, figures in played:
            for metric, value in figures.result().items():
                report.add(TASK, method, metric, value, n=n, seed=seed)


def _figures(
    method: str, made: Plan, rows: Mapping[str, bytes], config: Config, folder: Path, seed: int
) -> dict[str, float]:
    """Play the weeks once and return what an audit counts; in a process of its own."""

    def say(text: str) -> None:
        _say(f"{method}: {text}")

    log = _play(SYSTEMS[method], made, rows, config, folder, seed, say)
    engine = Engine.load(registry.current(config), stock=config.stock)
    figures = audit.audit(log, made, _rules(config), engine.choices_of)
    figures["questions"] = log.asked
    figures |= {f"held_{code}": count for code, count in sorted(log.held.items())}
    figures |= {f"removed_{code}": count for code, count in sorted(log.removed.items())}
    return figures


def _play(
    make: Callable[[Config, Clock, Path], System],
    made: Plan,
    rows: Mapping[str, bytes],
    config: Config,
    folder: Path,
    seed: int,
    say: Callable[[str], None],
) -> Log:
    started, clock = time.perf_counter(), Clock(made.start_ts)
    system = make(config, clock, folder)
    try:
        system.begin(made, rows, config.order_systems)
        log = Play(made, system, clock, config.workspace.time_zone, seed).run(say)
    finally:
        system.close()
    say(f"took {time.perf_counter() - started:.0f} s")
    return log


def _rules(config: Config) -> audit.Rules:
    return audit.Rules(
        product_times=PRODUCT_CAP.times,
        message_times=MESSAGE_CAP.times,
        quiet_hours=(21, 8),
        hide_bought_days={name: each.hide_bought_days for name, each in placements(config).items()},
        messages=[name for name, channel in CHANNELS.items() if channel == "email"],
    )


def _weeks(history: History, zone: str, weeks: int) -> tuple[int, int]:
    """Return the ends of the last whole weeks of a history, which begin at midnight."""
    last = datetime.fromtimestamp(span(history).last_ts, ZoneInfo(zone))
    begin = last.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(weeks=weeks)
    start_ts = int(begin.timestamp())
    return start_ts, start_ts + weeks * WEEK


def _say(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RecsysError as error:
        sys.exit(f"{error}")
