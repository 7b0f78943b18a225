"""What sells together: false discoveries, planted pairs, what lasts, and what mining costs.

Beside the association rules of mlxtend and rusket, on the same baskets. Two shops
(``complete_journey``, ``uci_online_retail_ii``), ingested as exports are; docs/benchmarks.md tells
how each part is measured. ``youshu_bundles`` is the task of ``benchmarks.accuracy``: which bundle
for which user.

    python -m benchmarks.bundles --task complete_journey --parts shuffled,planted

Workspaces are kept in build/benchmarks, as those of ``benchmarks.accuracy``.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks import accuracy
from benchmarks._mining import shuffles, speed
from benchmarks._persistence import lasting
from benchmarks._planted import planted, planted_after
from benchmarks._report import NO_DATA, Report, parser
from benchmarks._shop import Shop
from benchmarks.baselines import BASELINES
from benchmarks.tasks import TASKS, windows, youshu
from recsys.config import Config

#: What makes a workspace of a task's data.
SHOPS: Final[dict[str, Callable[[Path, Path], Config]]] = {
    windows.JOURNEY.name: windows.journey_workspace,
    windows.UCI.name: windows.uci_workspace,
}
YOUSHU: Final = youshu.TASK.name
TITLES: Final = {
    "shuffled": "Shuffled baskets, where all that is reported is false",
    "planted": "Shuffled baskets with planted pairs",
    "lasting": "Pairs of the first half of the time that hold in the second",
    "speed": "Finding pairs in all baskets",
}
LIBRARIES: Final = ("mlxtend", "numba", "pandas", "rusket")


def main() -> None:
    """Run the tasks whose data is there."""
    options = _arguments()
    extra = tuple(sorted({one.package for one in BASELINES} - {"implicit", "numpy", *LIBRARIES}))
    whole = Report("Bundles", LIBRARIES + extra)
    parts = {part: Report(TITLES[part], LIBRARIES) for part in options.parts}
    ran = False
    for name in options.task or [*SHOPS, YOUSHU]:
        task, folder = TASKS[name], options.data / TASKS[name].folder
        if not task.there(folder):
            print(f"{name}: left out. {task.how_to_get_it.format(folder=folder)}", file=sys.stderr)
            continue
        ran = True
        if name == YOUSHU:
            before = len(whole.rows)
            accuracy.run(task, folder, options, whole)
            accuracy.show(name, whole.rows[before:])
            continue
        shop = Shop(name, SHOPS[name](folder, options.work / f"{name}-0"), options.limit)
        for part, report in parts.items():
            started = time.perf_counter()
            if part == "shuffled":
                shuffles(shop, report, options.shuffles, options.peer_rounds, options.seed)
            elif part == "planted":
                planted(shop, report, options.planted, options.peer_rounds, options.seed)
                planted_after(shop, report, options.planted, options.seed)
            elif part == "lasting":
                lasting(shop, report)
            else:
                speed(shop, report, options.rounds)
            shop.say(f"{part} took {time.perf_counter() - started:.0f} s")
    if not ran:
        sys.exit(NO_DATA)
    for report in parts.values():
        if report.rows:
            report.finish(across=True)
            whole.rows += report.rows
    if options.json is not None:
        whole.write(options.json)


def _arguments() -> argparse.Namespace:
    made = parser(__doc__)
    made.add_argument("--task", choices=[*SHOPS, YOUSHU], action="append", help="one; again")
    made.add_argument("--parts", type=_parts, default=list(TITLES), help=", ".join(TITLES))
    made.add_argument("--shuffles", type=int, default=20, help="of the baskets")
    made.add_argument("--planted", type=int, default=3, help="shuffles that pairs are planted in")
    made.add_argument("--peer-rounds", type=int, default=1, help="of these, what the others see")
    made.add_argument("--rounds", type=int, default=3, help="times that mining is measured")
    made.add_argument("--limit", type=float, default=180.0, help="seconds that one call may take")
    made.add_argument("--data", type=Path, default=accuracy.DATA, help="folder of the data sets")
    made.add_argument("--work", type=Path, default=accuracy.WORK, help="where workspaces are kept")
    options = made.parse_args()
    options.data, options.work = options.data.resolve(), options.work.resolve()
    # What the task of ``accuracy`` asks besides.
    options.folds = options.methods = None
    options.quick = options.fresh = False
    return options


def _parts(text: str) -> list[str]:
    parts = text.split(",")
    unknown = sorted(set(parts) - set(TITLES))
    if unknown:
        raise argparse.ArgumentTypeError(f"no part {unknown[0]}: {', '.join(TITLES)}")
    return parts


if __name__ == "__main__":
    main()
