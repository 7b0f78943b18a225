"""Says everything of bundles that answers and pages tell: by month, channel, place and segment.

Chosen bundles come in, ``Bundles`` come out. Called by ``mining``.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.bundles import evidence, segments, significance
from recsys.bundles.association_data import AssociationData
from recsys.bundles.bundle_table import AFTER, TOGETHER, Bundles
from recsys.bundles.evidence import OrderLists
from recsys.bundles.later_purchases import LaterPurchases
from recsys.bundles.selection import SelectedBundles
from recsys.bundles.tested_sets import LEAST
from recsys.config import BundleSettings as Settings
from recsys.datasets import IntArray

Floats = npt.NDArray[np.float64]

#: Cases that a month must let expect, to say anything by having none.
_SEEN: Final = 1.0
#: Baskets without a discount that must be expected of a bundle, to say anything by their number.
_TOLD: Final = 5.0


def describe(
    data: AssociationData,
    later_purchases: LaterPurchases,
    bundles: SelectedBundles,
    regions: Mapping[int, str],
    settings: Settings,
    undiscounted: Floats,
) -> Bundles:
    """Put everything together.

    Parameters
    ----------
    data : AssociationData
    later_purchases : LaterPurchases
        What bundles of kind ``after`` were found in.
    bundles : SelectedBundles
    regions : mapping of int to str
        As of ``segments.kinds``.
    settings : recsys.config.settings.BundleSettings
    undiscounted : ndarray of shape (n,), float64
        Lift among lines without a discount.
    """
    baskets = data.baskets
    month = evidence.months(baskets.ts)
    n_months = len(month.begin_ts)
    low, high = significance.interval(bundles.support / bundles.repeats)
    scale = bundles.repeats / bundles.expected
    within = segments.segment_kinds(baskets, regions)
    by_month, *by_segment = bundles.usual(
        data,
        later_purchases,
        [(month.of, n_months), *((of, len(labels)) for labels, of in within)],
    )
    members, at = _members(data, later_purchases, bundles)
    monthly = bundles.seen(month.of, n_months)
    by_channel = evidence.by_channel(bundles.orders, baskets)
    place_indptr, place_key, place_support = evidence.places(bundles.orders, baskets)
    after = bundles.kind == AFTER
    small, whole = np.float32, np.int32
    return Bundles(
        indptr=bundles.indptr,
        item_ix=bundles.item_ix.astype(whole),
        kind=bundles.kind,
        support=bundles.support.astype(whole),
        cases=np.where(after, int(later_purchases.case.sum()), len(baskets.ts)).astype(np.int64),
        customers=evidence.customers(bundles.orders, baskets).astype(whole),
        with_item=np.diff(members.indptr)[at].astype(whole),
        confidence=_confidence(data, bundles, np.diff(members.indptr)[at]).astype(small),
        expected=bundles.expected.astype(small),
        lift=(bundles.support / bundles.expected).astype(small),
        lift_low=(low * scale).astype(small),
        lift_high=(high * scale).astype(small),
        p_value=bundles.p_value,
        q_value=bundles.q_value,
        stability=_stability(monthly, by_month, bundles).astype(small),
        undiscounted_lift=undiscounted.astype(small),
        complement=bundles.complement.astype(small),
        month_ts=month.begin_ts,
        month_cases=np.bincount(month.of, minlength=n_months),
        monthly=monthly,
        items_monthly=evidence.count_by_group(members, month.of, n_months)[at],
        channel_cases=np.bincount(baskets.channel, minlength=by_channel.shape[1]),
        by_channel=by_channel,
        items_by_channel=evidence.by_channel(members, baskets)[at],
        place_indptr=place_indptr,
        place_key=place_key,
        place_support=place_support,
        **segments.find_segments(bundles, within, by_segment, settings)._asdict(),
    )


def undiscounted(
    data: AssociationData, later_purchases: LaterPurchases, bundles: SelectedBundles
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Look at lines that had no discount.

    Returns
    -------
    lift : ndarray of shape (n,), float64
        NaN where nothing says what was discounted, or too little was sold without.
    promoted : ndarray of shape (n,), bool
        Whether the lift is there through discounts alone: without them it is not above 1.
    """
    lift, promoted = np.full(len(bundles), np.nan), np.zeros(len(bundles), bool)
    discounted = data.baskets.discounted
    if discounted is None or not len(bundles):
        return lift, promoted
    bought = data.baskets.items
    plain = evidence.postings(bought.indices, bought.indptr, bought.shape, ~discounted)
    items, at = np.unique(bundles.item_ix, return_inverse=True)
    weeks, n_weeks = data.weeks.of, len(data.weeks.weight)
    full = evidence.count_by_group(evidence.only_lists(data.held, items), weeks, n_weeks)
    share = evidence.count_by_group(evidence.only_lists(plain, items), weeks, n_weeks) / np.maximum(
        full, 1
    )
    both = np.multiply.reduceat(share[at.ravel()], bundles.indptr[:-1], axis=0)
    (usual_of,) = bundles.usual(data, later_purchases, [(weeks, n_weeks)])
    expected = (usual_of * both).sum(axis=1)
    orders = evidence.orders_holding(plain, bundles.indptr, bundles.item_ix.astype(np.int32))
    support = np.diff(orders.indptr)
    # With the lift that all lines have there would be so many.
    usual = expected * bundles.support / bundles.expected
    is_known = (bundles.kind == TOGETHER) & (usual >= _TOLD) & (expected > LEAST)
    lift[is_known] = support[is_known] / expected[is_known]
    return lift, is_known & (support <= expected)


def _members(
    data: AssociationData, later_purchases: LaterPurchases, bundles: SelectedBundles
) -> tuple[OrderLists, IntArray]:
    """Cases that hold each product, once for each product, and the place of each member there."""
    n_items = len(data.counts)
    # Lists of all orders, behind them those of cases.
    lists = np.zeros(len(bundles.item_ix), np.int64)
    for kind, rows, items in bundles.by_kind_and_size():
        at = bundles.indptr[rows][:, None] + np.arange(items.shape[1])
        lists[at] = items + (np.array([1, 2]) * n_items if kind == AFTER else 0)
    used, place = np.unique(lists, return_inverse=True)
    at_once = evidence.only_lists(data.held, used[used < n_items])
    after = evidence.only_lists(later_purchases.held, used[used >= n_items] - n_items)
    return evidence.join_lists([at_once, after]), place.ravel()


def _confidence(data: AssociationData, bundles: SelectedBundles, held: IntArray) -> Floats:
    """Share of the cases with all other members that hold each one too."""
    others = np.zeros(len(bundles.item_ix), np.int64)
    for _, rows, items in bundles.by_kind_and_size():
        size = items.shape[1]
        for one in range(size):
            at = bundles.indptr[rows] + one
            if size == 2:
                others[at] = held[at + 1 - 2 * one]
            else:
                rest = evidence.ragged_sets(np.delete(items, one, axis=1))
                others[at] = np.diff(evidence.orders_holding(data.held, *rest).indptr)
    shares: Floats = np.repeat(bundles.support, np.diff(bundles.indptr)) / np.maximum(others, 1)
    return shares


def _stability(monthly: npt.NDArray[np.integer], usual: Floats, bundles: SelectedBundles) -> Floats:
    """Share of months in which more was seen than expected, of those that could show it."""
    lift = (bundles.support / bundles.expected)[:, None]
    is_known = usual * lift >= _SEEN
    none = ~is_known.any(axis=1)
    is_known[none] = usual[none] > 0
    stable: Floats = ((monthly > usual) & is_known).sum(axis=1) / np.maximum(
        is_known.sum(axis=1), 1
    )
    return stable
