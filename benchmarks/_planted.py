"""Which planted pairs are found, and what else is reported with them.

A shop comes in, rows of a report come out. Called by ``benchmarks.bundles``. A planted pair is
there to be found where its support, and its lift over what chance gives, are large enough.
"""

from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks import _null_model
from benchmarks._following import Visits, expected, plant_after
from benchmarks._report import OURS, Report
from benchmarks._shop import Shop, bare, interval, kinds, pairs_of
from benchmarks._shuffle import Planted, plant, shuffled
from benchmarks.baselines.rules import METHODS, ORDERS
from recsys.bundles import AFTER

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: Pairs that are planted in a shuffle, at most.
PLANTED: Final = 300
#: What has to be found.
LEAST_LIFT, LEAST_SUPPORT = 2.0, 20
#: How plain it is: the chance that so many baskets hold a pair that nobody planted.
BANDS: Final = {"plain": (0.0, 1e-12), "faint": (1e-12, 1e-7), "hidden": (1e-7, 1.0)}
#: Beside the methods: tests that know the exact chance.
ORACLE: Final = "oracle"
#: Seeds of these shuffles begin here.
_SEEDS, _AFTER_SEEDS = 1_000, 2_000


class Detection(NamedTuple):
    """Pairs that a method reports in one shuffle.

    Attributes
    ----------
    found : ndarray of shape (n_planted,), bool
        Planted pairs that it reports.
    reported : int
        Everything that it reports.
    """

    found: Bools
    reported: int


class Truth:
    """Planted pairs, and how plain each is.

    Parameters
    ----------
    there : Planted
    chance : ndarray of shape (n_planted,), float64
        Support that each would have by chance.
    """

    def __init__(self, there: Planted, chance: Floats) -> None:
        self.there = there
        self.p_value = _null_model.at_least(there.support, chance)
        self.counts = (there.support >= LEAST_SUPPORT) & (there.support >= LEAST_LIFT * chance)

    @cached_property
    def keys(self) -> Ints:
        """Number of each planted pair."""
        return self._keys(self.there.a, self.there.b)

    def detect(self, a: Ints, b: Ints, reported: int) -> Detection:
        """Look for the planted pairs in a list of pairs; ``reported`` counts all that is said."""
        return Detection(np.isin(self.keys, self._keys(a, b)), reported)

    def _keys(self, a: Ints, b: Ints) -> Ints:
        n_items: int = self.there.items.shape[1]
        return a * n_items + b


def planted_after(shop: Shop, report: Report, n: int, seed: int) -> None:
    """Mine shuffled baskets in which customers buy planted products after others."""
    truths, rounds = [], []
    baskets = shop.training.baskets
    visits = Visits.of(baskets, shop.config.bundles.within_days, shop.training.as_of_ts)
    for number in range(n):
        at = _AFTER_SEEDS + seed + number
        there = plant_after(shuffled(baskets.items, at), visits, PLANTED, at)
        truth = Truth(there, expected(there.items, visits, there.a, there.b))
        found = shop.mine(bare(shop.training, there.items))
        detection = truth.detect(*pairs_of(found, AFTER), len(found))
        shop.say(
            f"planted after, {number + 1} of {n}: {detection.found[truth.counts].sum()} of "
            f"{truth.counts.sum()} found; {kinds(found)} reported"
        )
        truths.append(truth)
        rounds.append(detection)
    _add(report, f"{shop.name}, planted after", OURS, truths, rounds, seed)


def planted(shop: Shop, report: Report, n: int, baseline_rounds: int, seed: int) -> None:
    """Mine shuffled baskets with planted pairs."""
    truths: list[Truth] = []
    detections: dict[str, list[Detection]] = {}
    settings = shop.config.bundles
    for number in range(n):
        at = _SEEDS + seed + number
        there = plant(shuffled(shop.training.baskets.items, at), PLANTED, at)
        there = there._replace(a=np.minimum(there.a, there.b), b=np.maximum(there.a, there.b))
        truth = Truth(there, _null_model.expected(there.items, there.a, there.b))
        truths.append(truth)
        found = shop.mine(bare(shop.training, there.items))
        detection = truth.detect(*pairs_of(found), len(found))
        detections.setdefault(OURS, []).append(detection)
        shop.say(
            f"planted {number + 1} of {n}: {detection.found[truth.counts].sum()} of "
            f"{truth.counts.sum()} found; {kinds(found)} reported"
        )
        frequent = int((np.bincount(there.items.indices) >= settings.min_support).sum())
        sure = _null_model.found_by_oracle(
            truth.p_value, frequent * (frequent - 1) // 2, settings.false_discovery_rate
        )
        detections.setdefault(ORACLE, []).append(Detection(sure, int(sure.sum())))
        for method in METHODS if number < baseline_rounds else ():
            rules = shop.rules(method, there.items, settings.min_support)
            if rules is None:
                continue
            a, b = rules.pairs("lift")
            detections.setdefault(method, []).append(truth.detect(a, b, len(a)))
            for order in ORDERS:
                first = [end[: len(found)] for end in rules.pairs(order)]
                detection = truth.detect(first[0], first[1], len(first[0]))
                detections.setdefault(f"{method}, by {order}", []).append(detection)
    for method, rounds in detections.items():
        _add(report, f"{shop.name}, planted", method, truths, rounds, seed)


def _add(
    report: Report,
    task: str,
    method: str,
    truths: list[Truth],
    rounds: list[Detection],
    seed: int,
) -> None:
    together = list(zip(truths[: len(rounds)], rounds, strict=True))
    counts = np.concatenate([truth.counts for truth, _ in together])
    p_value = np.concatenate([truth.p_value for truth, _ in together])[counts]
    found = np.concatenate([detection.found for _, detection in together])[counts]
    shares = {"found_share": found}
    for band, (low, high) in BANDS.items():
        shares[f"found_share_{band}"] = found[(p_value >= low) & (p_value < high)]
    for metric, each in shares.items():
        if len(each):
            low, high = interval(int(each.sum()), len(each))
            report.add(
                task,
                method,
                metric,
                float(each.mean()),
                low=low,
                high=high,
                n=len(each),
                seed=seed,
            )
    if method == ORACLE:
        return
    wrong = [
        (detection.reported - detection.found.sum()) / max(detection.reported, 1)
        for detection in rounds
    ]
    rate = float(np.mean(wrong))
    report.add(task, method, "false_discovery_rate", rate, n=len(rounds), seed=seed)
    reported = float(np.mean([detection.reported for detection in rounds]))
    report.add(task, method, "reported", reported, n=len(rounds), seed=seed)
