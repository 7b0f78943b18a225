"""Finds products that sell together more often than chance explains.

A training comes in, ``Bundles`` with their evidence come out. Called by ``omnibasket train``, which
keeps them in the artefact.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.bundles import evidence, significance
from recsys.bundles.evidence import Orders
from recsys.bundles.found import TOGETHER, Bundles
from recsys.matrices.baskets import Training
from recsys.matrices.ids import IntArray, IxArray
from recsys.matrices.products import Products
from recsys.models import pairs
from recsys.ranking.diversity import Alike
from recsys.settings import Bundles as Settings

Floats = npt.NDArray[np.float64]


class Tested(NamedTuple):
    """Sets of products of one size that were tested, and what was found of each."""

    item_ix: IxArray
    support: IntArray
    expected: Floats
    p_value: Floats
    q_value: Floats

    def only(self, rows: IntArray) -> "Tested":
        """Take some of them."""
        return Tested(
            self.item_ix[rows],
            self.support[rows],
            self.expected[rows],
            self.p_value[rows],
            self.q_value[rows],
        )


def mine(
    training: Training,
    settings: Settings,
    *,
    alike: Alike | None = None,
) -> Bundles:
    """Find products worth selling together.

    Parameters
    ----------
    training : Training
    settings : recsys.settings.Bundles
    alike : Alike, optional
        Tells which products are one thing in several sizes; those are no bundle.

    Returns
    -------
    Bundles
        At most ``settings.max_bundles``; none where nothing sells together.
    """
    baskets = training.baskets
    held = evidence.postings(baskets)
    found = _pairs(training, settings, np.diff(held.indptr))
    found = found.only(np.flatnonzero(~_same(found.item_ix, training.products, alike)))
    low, _ = significance.interval(found.support)
    strength = found.support * np.log(np.maximum(low / found.expected, 1.0))
    best = np.lexsort((*found.item_ix.T[::-1], -strength))[: settings.max_bundles]
    found = found.only(best)
    n, size = found.item_ix.shape
    indptr = np.arange(n + 1, dtype=np.int64) * size
    item_ix = found.item_ix.ravel()
    return _described(training, held, found, indptr, item_ix)


def _pairs(training: Training, settings: Settings, counts: IntArray) -> Tested:
    n_orders = training.baskets.items.shape[0]
    parts = list(
        pairs.count(training.baskets.items, settings.min_support, threads=training.threads)
    )
    a, b, support = (
        np.concatenate([np.zeros(0, np.int32), *(part[column] for part in parts)])
        for column in range(3)
    )
    expected = counts[a].astype(np.float64) * counts[b] / n_orders
    frequent = int((counts >= settings.min_support).sum())
    p_value = significance.at_least(support, expected)
    q_value = significance.discovery_rates(p_value, frequent * (frequent - 1) // 2)
    some = np.flatnonzero(q_value <= settings.false_discovery_rate)
    return Tested(
        np.stack([a[some], b[some]], axis=1),
        support[some].astype(np.int64),
        expected[some],
        p_value[some],
        q_value[some],
    )


def _same(
    item_ix: IxArray, products: Products | None, alike: Alike | None
) -> npt.NDArray[np.bool_]:
    """Whether two products are one thing: variants, sizes, or nearly the same title."""
    a, b = item_ix.T
    same = np.zeros(len(item_ix), bool)
    if products is not None:
        same |= (products.family[a] >= 0) & (products.family[a] == products.family[b])
    if alike is not None:
        same |= np.array([alike.of_pair(*pair) > 0 for pair in item_ix.tolist()], bool)
    return same


def _described(
    training: Training, held: Orders, found: Tested, indptr: IntArray, item_ix: IxArray
) -> Bundles:
    baskets = training.baskets
    n, n_orders = len(indptr) - 1, baskets.items.shape[0]
    together = evidence.holding(held, indptr, item_ix)
    of_items = evidence.only(held, item_ix)
    others = item_ix.reshape(n, 2)[:, ::-1].ravel()
    month = evidence.months(baskets.ts)
    n_months = len(month.begin_ts)
    monthly = evidence.table(together, month.of, n_months)
    items_monthly = evidence.table(of_items, month.of, n_months)
    by_channel = evidence.by_channel(together, baskets)
    cases = np.bincount(month.of, minlength=n_months)
    with_item = np.diff(of_items.indptr)
    low, high = significance.interval(found.support)
    pair = items_monthly.reshape(n, 2, n_months).astype(np.float64)
    by_chance = pair.prod(axis=1) / np.maximum(cases, 1)
    seen = by_chance > 0
    stability = ((monthly > by_chance) & seen).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    place_indptr, place_key, place_support = evidence.places(together, baskets)
    unknown = np.full(n, np.nan, np.float32)
    nothing = np.zeros(0, np.float32)
    return Bundles(
        indptr=indptr,
        item_ix=item_ix,
        kind=np.full(n, TOGETHER, np.uint8),
        support=found.support.astype(np.int32),
        cases=np.full(n, n_orders, np.int64),
        customers=evidence.customers(together, baskets).astype(np.int32),
        with_item=with_item.astype(np.int32),
        confidence=(np.repeat(found.support, 2) / np.diff(held.indptr)[others]).astype(np.float32),
        expected=found.expected.astype(np.float32),
        lift=(found.support / found.expected).astype(np.float32),
        lift_low=(low / found.expected).astype(np.float32),
        lift_high=(high / found.expected).astype(np.float32),
        p_value=found.p_value,
        q_value=found.q_value,
        stability=stability.astype(np.float32),
        undiscounted_lift=unknown,
        complement=unknown,
        month_ts=month.begin_ts,
        month_cases=cases,
        monthly=monthly,
        items_monthly=items_monthly,
        channel_cases=np.bincount(baskets.channel, minlength=by_channel.shape[1]),
        by_channel=by_channel,
        items_by_channel=evidence.by_channel(of_items, baskets),
        place_indptr=place_indptr,
        place_key=place_key,
        place_support=place_support,
        segment_names=np.zeros(0, "S1"),
        segment_indptr=np.zeros(n + 1, np.int64),
        segment=np.zeros(0, np.int32),
        segment_support=np.zeros(0, np.int32),
        segment_lift=nothing,
        segment_low=nothing,
        segment_high=nothing,
        segment_q=np.zeros(0, np.float64),
    )
