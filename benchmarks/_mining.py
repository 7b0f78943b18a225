"""What is reported where nothing sells together, and what looking for it costs.

A shop comes in, rows of a report come out. Called by ``benchmarks.bundles``.
"""

import importlib.util
import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from benchmarks._measurement import apart, peak_mb
from benchmarks._report import OURS, Report
from benchmarks._shop import Shop, bare, end_ts, interval, kinds, similarity_of
from benchmarks._shuffle import shuffled
from benchmarks.baselines.rules import METHODS
from recsys.bundles import mine
from recsys.config import load_config
from recsys.datasets import EncodedHistory, TrainingSet
from recsys.history import History

#: Orders on which compiled loops are loaded before anything is timed.
_WARM: Final = 2_000


def shuffles(shop: Shop, report: Report, n: int, baseline_rounds: int, seed: int) -> None:
    """Mine shuffled baskets: in which share of them anything is reported, and how much.

    Where nothing is true, that share is the rate of false discoveries.
    """
    items = shop.training.baskets.items
    seen: dict[str, list[dict[str, int]]] = {}
    for number in range(n):
        dealt = shuffled(items, seed + number)
        found = shop.mine(bare(shop.training, dealt))
        seen.setdefault(OURS, []).append(kinds(found))
        shop.say(f"shuffle {number + 1} of {n}: {seen[OURS][-1]} reported")
        for method in METHODS if number < baseline_rounds else ():
            rules = shop.rules(method, dealt, shop.config.bundles.min_support)
            if rules is not None:
                pairs = len(rules.pairs("lift")[0])
                seen.setdefault(method, []).append({"pairs": pairs})
    for method, rounds in seen.items():
        for kind in ("", *rounds[0]):
            wrong = sum(bool(one[kind] if kind else any(one.values())) for one in rounds)
            low, high = interval(wrong, len(rounds))
            metric = f"false_discovery_rate_{kind}" if kind else "false_discovery_rate"
            report.add(
                shop.name,
                method,
                metric,
                wrong / len(rounds),
                low=low,
                high=high,
                n=len(rounds),
                seed=seed,
            )
        for kind in rounds[0]:
            mean = statistics.mean(one[kind] for one in rounds)
            report.add(shop.name, method, f"false_{kind}", mean, n=len(rounds), seed=seed)


def speed(shop: Shop, report: Report, rounds: int) -> None:
    """Measure finding pairs, in turns, each time in a process of its own."""
    took: dict[str, list[tuple[float, float, int]]] = {}
    running = [OURS, *(name for name in METHODS if importlib.util.find_spec(name) is not None)]
    for number in range(rounds):
        for method in tuple(running):
            try:
                told = apart(
                    measured, method, shop.config.folder, within_seconds=2 * shop.limit_seconds
                )
            except (ChildProcessError, RuntimeError, TimeoutError) as error:
                shop.say(f"{method} is left out from round {number + 1} on: {error}")
                running.remove(method)
                continue
            shop.say(f"round {number + 1} of {rounds}: {method} {told[0]:.1f} s")
            took.setdefault(method, []).append(told)
    for method, each in took.items():
        columns = dict(zip(("seconds", "peak_mb", "pairs"), zip(*each, strict=True), strict=True))
        for other, others in took.items():
            if method == OURS != other:
                # Others may have been given up; only the same round tells.
                turns = list(zip(each, others, strict=False))
                columns[f"times_{other}"] = tuple(one[0] / beside[0] for one, beside in turns)
        for metric, values in columns.items():
            report.add(
                shop.name,
                method,
                metric,
                statistics.median(values),
                low=min(values),
                high=max(values),
                n=len(values),
            )


def measured(method: str, folder: Path) -> tuple[float, float, int]:
    """Find pairs once, in this process: seconds, peak memory in MB, and how many there are."""
    config = load_config(folder)
    numbers = EncodedHistory.read(History.open(config))
    training = TrainingSet.read(numbers, end_ts(numbers), threads=config.train.threads)
    del numbers
    settings = msgspec.structs.replace(config.bundles, max_size=2)
    if method != OURS:
        rules = METHODS[method](training.baskets.items, settings.min_support)
        return rules.seconds, peak_mb(), len(rules.pairs("lift")[0])
    similarity = similarity_of(config, training)
    mine(_first(training, _WARM), settings, similarity=similarity)
    started = time.perf_counter()
    found = mine(training, settings, similarity=similarity)
    return time.perf_counter() - started, peak_mb(), kinds(found)["pairs"]


def _first(training: TrainingSet, n: int) -> TrainingSet:
    """Keep the first orders."""
    whole = training.baskets
    baskets = replace(
        whole,
        items=whole.items[:n],
        ts=whole.ts[:n],
        customer=whole.customer[:n],
        channel=whole.channel[:n],
        location=whole.location[:n],
    )
    return replace(training, baskets=baskets)
