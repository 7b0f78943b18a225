"""Which pairs that were found in the first half of the time still hold in the second.

A shop comes in, rows of a report come out. How rules are sorted, and from which support on, is
chosen on the halves of the first half. Called by ``benchmarks.bundles``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks._null_model import PairTests, test_pairs
from benchmarks._report import OURS, Report
from benchmarks._shop import Shop, bare, end_ts, kinds, pairs_of, similarity_of
from benchmarks.baselines.rules import METHODS, ORDERS, Rules
from recsys.bundles import Bundles, same_product
from recsys.datasets import TrainingSet

Ints = npt.NDArray[np.int64]

#: Lengths of the lists that are compared, and where ours is shorter its own.
LENGTHS: Final = (100, 500, 2_000)
#: What is asked of a pair: a metric's beginning, and how pairs are judged.
KINDS: Final[dict[str, Callable[[PairTests], npt.NDArray[np.bool_]]]] = {
    "persistence": lambda test: test.plain,
    "strict_persistence": lambda test: test.strict,
    "sold_persistence": lambda test: test.strict | ~test.sold,
}
#: Supports that rules must have, times the smallest.
FLOORS: Final = (1, 2, 5, 10, 20, 50)


class Way(NamedTuple):
    """How a list is made of rules."""

    order: str
    floor: int
    """Times the smallest support."""


@dataclass(frozen=True, eq=False)
class LaterPurchases:
    """What came after a training, to judge its pairs with.

    Attributes
    ----------
    known, seen : TrainingSet
        What was learned from, and what came then.
    """

    known: TrainingSet
    seen: TrainingSet

    def test(self, a: Ints, b: Ints) -> PairTests:
        """Say which pairs of the known products hold in what came then."""
        place = self.seen.index.ix(self.known.index.keys).astype(np.int64)
        baskets = self.seen.baskets
        return test_pairs(baskets.items, baskets.ts, place[a], place[b])


def lengths_of(n_pairs: int) -> list[int]:
    """Lengths at which a list of ours can be compared."""
    return sorted({length for length in (*LENGTHS, n_pairs) if 0 < length <= n_pairs})[
        : len(LENGTHS)
    ]


def shares(later: LaterPurchases, a: Ints, b: Ints, lengths: Sequence[int]) -> dict[str, float]:
    """Say which share of the first pairs of a list holds, by metric.

    Lists that are too short for a length are not judged there.
    """
    if not lengths:
        return {}
    longest = max(lengths)
    test = later.test(a[:longest], b[:longest])
    return {
        f"{name}@{length}": float(holds(test)[:length].mean())
        for name, holds in KINDS.items()
        for length in lengths
        if length <= len(a)
    }


def choose(
    later: LaterPurchases, rules: Rules, min_support: int, lengths: Sequence[int]
) -> dict[str, Way]:
    """Choose for each metric how rules are sorted and what support they must have.

    Parameters
    ----------
    later : LaterPurchases
    rules : Rules
        Of ``later.known``.
    min_support : int
        The smallest that rules have.
    lengths : sequence of int
        Of the lists.
    """
    best: dict[str, tuple[float, Way]] = {}
    for floor in FLOORS:
        for order in ORDERS:
            a, b = rules.pairs(order, floor * min_support)
            for name, share in shares(later, a, b, lengths).items():
                if name not in best or share > best[name][0]:
                    best[name] = share, Way(order, floor)
    return {name: way for name, (_, way) in best.items()}


def chosen(
    later: LaterPurchases, rules: Rules, min_support: int, ways: dict[str, Way]
) -> dict[str, tuple[float, Way]]:
    """Judge each metric on the list that was chosen for it.

    Where it is too short now, the next smaller support is taken.
    """
    lengths = sorted({_length(name) for name in ways})
    known: dict[Way, dict[str, float]] = {}
    found = {}
    for name, way in ways.items():
        for floor in reversed(FLOORS[: FLOORS.index(way.floor) + 1]):
            at = Way(way.order, floor)
            if at not in known:
                a, b = rules.pairs(at.order, floor * min_support)
                known[at] = shares(later, a, b, lengths)
            if name in known[at]:
                found[name] = known[at][name], at
                break
    return found


def lasting(shop: Shop, report: Report) -> None:
    """Mine the first half of the time, and see what holds in the second.

    Once with products that are numbers to all; and once as in a training, where variants of one
    product are no bundle, and are taken out of the others' rules, too.
    """
    ts = shop.training.baskets.ts
    start, end = int(ts[0]), end_ts(shop.numbers)
    quarter, half = start + (end - start) // 4, start + (end - start) // 2
    later = LaterPurchases(shop.between(None, half), shop.between(half, end))
    inner = LaterPurchases(shop.between(None, quarter), shop.between(quarter, half))
    shop.say(f"{later.known.baskets.items.shape[0]:,} baskets to learn from")
    least = shop.config.bundles.min_support
    learned: dict[str, tuple[Rules, Rules]] = {}
    for method in METHODS:
        before = shop.rules(method, inner.known.baskets.items, _inner_support(least, inner, later))
        rules = None if before is None else shop.rules(method, later.known.baskets.items, least)
        if before is not None and rules is not None:
            learned[method] = before, rules
    similarity = similarity_of(shop.config, later.known)
    known = later.known.baskets.items
    _compare(
        shop,
        report,
        shop.name,
        shop.mine(bare(later.known, known)),
        inner,
        later,
        learned,
    )
    same = [
        same_product(inner.known, similarity_of(shop.config, inner.known)),
        same_product(later.known, similarity),
    ]
    learned = {
        method: (before.without(same[0]), rules.without(same[1]))
        for method, (before, rules) in learned.items()
    }
    found = shop.mine(later.known, similarity)
    _compare(shop, report, f"{shop.name}, no variants", found, inner, later, learned)


def _compare(
    shop: Shop,
    report: Report,
    task: str,
    found: Bundles,
    inner: LaterPurchases,
    later: LaterPurchases,
    learned: dict[str, tuple[Rules, Rules]],
) -> None:
    """Judge our pairs, and the rules of inner and outer time of each other method."""
    shop.say(f"{task}: {kinds(found)} in the first half")
    a, b = pairs_of(found)
    lengths = lengths_of(len(a))
    for name, share in shares(later, a, b, lengths).items():
        report.add(task, OURS, name, share, n=_length(name))
    least = shop.config.bundles.min_support
    of_inner = _inner_support(least, inner, later)
    for method, (before, rules) in learned.items():
        ways = choose(inner, before, of_inner, lengths)
        for name, (share, way) in chosen(later, rules, least, ways).items():
            shop.say(f"{task}, {method} {name}: by {way.order}, from {way.floor * least} on")
            report.add(task, method, name, share, n=_length(name))


def _inner_support(least: int, inner: LaterPurchases, later: LaterPurchases) -> int:
    """The smallest support in the shorter time: both libraries take a share of the baskets."""
    n, whole = (len(part.known.baskets.ts) for part in (inner, later))
    return max(2, round(least * n / whole))


def _length(metric: str) -> int:
    """The list's length in a metric's name."""
    return int(metric.rsplit("@", 1)[1])
