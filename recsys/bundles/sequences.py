"""Finds products that are bought one after the other, in this order.

``AssociationData`` and ``LaterPurchases`` come in; ordered pairs that hold come out. Called by
``mining``.

Who buys both of two products often buys either after the other. So a pair must be seen more often
than chance explains, and then, among those that are, more often than the other way round. Half of
the share of false discoveries is left for each.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from recsys.bundles import evidence, significance
from recsys.bundles.association_data import AssociationData
from recsys.bundles.evidence import GroupCounts, OrderLists
from recsys.bundles.later_purchases import LaterPurchases
from recsys.bundles.strata import sum_products
from recsys.bundles.tested_sets import LEAST, TestedSets
from recsys.bundles.variants import Same
from recsys.config import BundleSettings as Settings
from recsys.datasets import IntArray, IxArray, TrainingSet
from recsys.models.kernels import PairEntries, count_meeting_pairs

Floats = npt.NDArray[np.float64]

#: Pairs that are looked at one by one, those that chance explains least.
_CLOSELY: Final = 20_000


#: Pairs that chance explains badly, kept while all are counted.
_KEPT: Final = 4_000_000
#: Cases by chance that stand for knowing nothing of weeks.
_DOUBT: Final = 0.1


def find_sequences(
    training: TrainingSet,
    data: AssociationData,
    later_purchases: LaterPurchases,
    settings: Settings,
    same: Same,
) -> TestedSets:
    """Find ordered pairs.

    Parameters
    ----------
    training : TrainingSet
    data : AssociationData
    later_purchases : LaterPurchases
    settings : recsys.config.settings.BundleSettings
    same : callable
        As of ``variants.same_thing``.

    Returns
    -------
    TestedSets
        Pairs in the order in which they are bought, those that are reported at
        ``false_discovery_rate``.
    """
    n_items, rate = len(data.counts), settings.false_discovery_rate
    held = np.diff(later_purchases.held.indptr)
    n_tests = int((held[:n_items] >= settings.min_support).sum())
    n_tests *= int((held[n_items:] >= settings.min_support).sum())
    weeks = _Weeks.of(data, later_purchases)
    a, b, support, expected, p_value = _above(
        data, later_purchases, weeks, settings, training.threads
    )
    chosen, bar = _chosen(p_value, n_tests, rate / 2.0)
    chosen = chosen[~same(a[chosen], b[chosen])]
    a, b, support, expected = a[chosen], b[chosen], support[chosen], expected[chosen]
    after = _cases(later_purchases, a, b)
    repeats = data.repeats(after)
    p_value = significance.at_least(support / repeats, expected / repeats)
    # So many cases had to be seen to get here: only what is above that speaks for the order.
    least = np.maximum(_needed(support, expected, np.ones(len(a)), bar), settings.min_support)
    chosen, bar = _chosen(p_value, n_tests, rate / 2.0)
    q_value = significance.discovery_rates(p_value, n_tests)[chosen]
    a, b, support, least = a[chosen], b[chosen], support[chosen], least[chosen]
    expected, repeats, p_value = expected[chosen], repeats[chosen], p_value[chosen]
    least = np.maximum(_needed(support, expected, repeats, bar), least)
    earlier = LaterPurchases.of(
        training.baskets, training.as_of_ts, settings.within_days, training.seed, backwards=True
    )
    after, before = evidence.only_lists(after, chosen), _cases(earlier, a, b)
    # Who likes both buys `b` as often before as after `a`, but for when the two were sold. How
    # often that would be, other cases tell.
    back = _Weeks.of(data, earlier)
    by_week = weeks.by_span(after), weeks.by_span(before)
    usual = weeks.besides(a, b, by_week[0], by_week[1]), back.besides(a, b, by_week[1], by_week[0])
    share = (usual[0] + _DOUBT) / (usual[0] + usual[1] + 2.0 * _DOUBT)
    sooner = _sooner(data, after, before, np.maximum(share, 0.5), least)
    q_value = 2.0 * np.maximum(q_value, significance.discovery_rates(sooner, len(a)))
    p_value = np.maximum(p_value, sooner)
    items, unknown = np.stack([a, b], axis=1), np.full(len(a), np.nan)
    found = TestedSets(items, support, expected, repeats, unknown, p_value, q_value)
    return found.only(np.flatnonzero(q_value <= rate))


@dataclass(frozen=True, eq=False)
class _Weeks:
    """Spans of weeks: their cases with each product, and those followed by each.

    Attributes
    ----------
    span : ndarray of shape (n_orders,), int32
    cases : GroupCounts
        Lists as those of ``LaterPurchases.held``.
    n_items : int
    weight : ndarray of shape (n_spans,), float64
        Share of a span's ways to put a first product into a case and another one behind a case
        that meet in one; large baskets have much behind them.
    """

    span: IxArray
    cases: GroupCounts
    n_items: int
    weight: Floats

    @classmethod
    def of(cls, data: AssociationData, later_purchases: LaterPurchases) -> "_Weeks":
        """Count them."""
        case, n_spans = np.flatnonzero(later_purchases.case), len(data.weeks.weight)
        pull, behind = (
            data.null_model.pull[case],
            np.diff(later_purchases.indptr)[case].astype(np.float64),
        )
        span = data.weeks.of
        drawn, led, both = (
            np.bincount(span[case], part, n_spans) for part in (pull, behind, pull * behind)
        )
        weight = both / np.where(drawn * led > 0, drawn * led, 1.0)
        return cls(
            span,
            evidence.sparse_by_group(later_purchases.held, span, len(weight)),
            len(data.counts),
            weight,
        )

    def expected(self, a: IxArray, b: IxArray) -> Floats:
        """Cases with ``a``, sorted, that ``b`` would follow by chance."""
        return sum_products(a, b + self.n_items, self.cases, self.cases, self.weight)

    def by_span(self, cases: OrderLists) -> IxArray:
        """Count cases by span, shape (n, n_spans)."""
        return evidence.count_by_group(cases, self.span, len(self.weight))

    def besides(self, a: IxArray, b: IxArray, both: IxArray, turned: IxArray) -> Floats:
        """Cases with ``a`` that ``b`` would follow, by all cases but some.

        Parameters
        ----------
        a, b : ndarray of shape (n,), int32
        both, turned : ndarray of shape (n, n_spans), int32
            Cases with both, in this and in the other order.
        """
        n_spans = len(self.weight)
        first = np.maximum(self.cases.dense(a, n_spans) - both - turned, 0.0)
        then = self.cases.dense(b + self.n_items, n_spans) - both
        return np.asarray((first * then) @ self.weight)


def _above(
    data: AssociationData,
    later_purchases: LaterPurchases,
    weeks: _Weeks,
    settings: Settings,
    threads: int,
) -> tuple[IxArray, IxArray, IntArray, Floats, Floats]:
    """Ordered pairs that are seen more often than chance explains."""
    items, bounds = data.baskets.items, later_purchases.indptr
    of = np.repeat(np.arange(items.shape[0], dtype=np.int32), np.diff(items.indptr))

    def partners(at: IntArray) -> tuple[IntArray, IntArray]:
        return bounds[of[at]], bounds[of[at] + 1] - bounds[of[at]]

    entries = PairEntries(items.indices, later_purchases.item_ix, partners, items.shape[1])
    parts: list[Found] = []
    for part in count_meeting_pairs(entries, settings.min_support, threads=threads):
        expected = np.maximum(weeks.expected(part.a, part.b), LEAST)
        more = np.flatnonzero(part.support > expected)
        p_value = significance.at_least(part.support[more], expected[more])
        keep = p_value <= settings.false_discovery_rate
        more = more[keep]
        parts.append(
            (part.a[more], part.b[more], part.support[more], expected[more], p_value[keep])
        )
        if sum(len(found[0]) for found in parts) > _KEPT:
            parts = [_least(parts)]
    a, b, support, expected, p_value = _least(parts)
    return a, b, support.astype(np.int64), expected, p_value


Found = tuple[IxArray, IxArray, IxArray, Floats, Floats]


def _least(parts: list[Found]) -> Found:
    """Put pairs together, at most so many, those that chance explains least."""
    none = np.zeros(0, np.int32)
    columns = zip((none, none, none, np.zeros(0), np.zeros(0)), *parts, strict=True)
    a, b, support, expected, p_value = (np.concatenate(column) for column in columns)
    if len(p_value) <= _KEPT:
        return a, b, support, expected, p_value
    best = np.sort(np.argsort(p_value, kind="stable")[: _KEPT // 2])
    return a[best], b[best], support[best], expected[best], p_value[best]


def _cases(later_purchases: LaterPurchases, a: IxArray, b: IxArray) -> OrderLists:
    """Cases with ``a`` that ``b`` followed."""
    members = np.stack([a, b + len(later_purchases.held.indptr) // 2], axis=1).astype(np.int32)
    return evidence.orders_holding(
        later_purchases.held, np.arange(len(a) + 1, dtype=np.int64) * 2, members.ravel()
    )


def _chosen(p_value: Floats, n_tests: int, rate: float) -> tuple[IntArray, float]:
    """Tests that are reported at a rate, at most so many, and the chance that was enough."""
    some = np.flatnonzero(significance.discovery_rates(p_value, n_tests) <= rate)
    some = some[np.argsort(p_value[some], kind="stable")]
    enough = rate * len(some) / max(n_tests, len(p_value), 1)
    if len(some) > _CLOSELY:
        enough = float(p_value[some[_CLOSELY]])
    return np.sort(some[:_CLOSELY]), enough


def _needed(support: IntArray, expected: Floats, repeats: Floats, bar: float) -> IntArray:
    """Fewest cases whose chance is at most ``bar``, where that of ``support`` is."""
    low, high = np.zeros(len(support), np.int64), support.copy()
    while (high - low > 1).any():
        middle = (low + high) // 2
        enough = significance.at_least(middle / repeats, expected / repeats) <= bar
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return high


def _sooner(
    data: AssociationData, after: OrderLists, before: OrderLists, usual: Floats, least: IntArray
) -> Floats:
    """Chance that so many cases come after and not before.

    Parameters
    ----------
    data : AssociationData
    after, before : OrderLists
        Cases, ``n`` lists each.
    usual : ndarray of shape (n,), float64
        Share of those that come after where the order means nothing.
    least : ndarray of shape (n,), int64
        Cases after which the pair is looked at: it is known that there are as many.

    Returns
    -------
    ndarray of shape (n,), float64
    """
    customer = data.baskets.customer
    n, n_customers = len(usual), max(data.share.shape[1], 1)
    keys = [orders.rows() * n_customers + customer[orders.order] for orders in (after, before)]
    cells, at = np.unique(np.concatenate(keys), return_inverse=True)
    times = [
        np.bincount(part, minlength=len(cells)) for part in np.split(at.ravel(), [len(keys[0])])
    ]
    row = cells // n_customers
    off = times[0] - usual[row] * (times[0] + times[1])
    seen, back = (np.diff(orders.indptr).astype(np.float64) for orders in (after, before))
    even = (seen + back) * usual * (1.0 - usual)
    repeats = np.bincount(row, off**2, n) / np.where(even > 0, even, 1.0)
    repeats = np.maximum(np.where(even > 0, repeats, 1.0), 1.0)
    whole = seen + back
    # As many at least as there are, of those that are at least as many as had to be.
    p_value, known = (
        special.betainc(
            np.maximum(many / repeats, 1e-12),
            (whole - many) / repeats + 1.0,
            np.clip(usual, 0.0, 1.0),
        )
        for many in (seen, np.minimum(least, seen))
    )
    return np.asarray(np.where(known > 0, p_value / np.where(known > 0, known, 1.0), 1.0))
