"""When customers are expected to buy again what they bought before.

Pairs of customer and product with their typical intervals come in; a list a customer of what is
due, overdue or still to wait for comes out, and which of some products are overdue. Called by
``repeat``, for reasons and for lists of what is due.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.datasets import (
    Floats,
    IntArray,
    IxArray,
    KeptPurchases,
    Ragged,
    compiled,
    fixed,
    pointers,
)
from recsys.models.purchase_intervals import PurchaseIntervals
from recsys.units import DAY

Scores = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

#: Share of the interval after which it is due: who buys weekly is asked on the seventh day even if
#: their weeks were a little longer.
DUE_SHARE: Final = 0.9
#: Odds that it would have been bought by now, from which on it is overdue.
OVERDUE_ODDS: Final = 3.0
#: Intervals, and their standard deviation as logarithms, that make a habit.
REGULAR_GAPS: Final = 2
REGULAR_SPREAD: Final = 0.75
#: No date is further away.
CENTURY_DAYS: Final = 36_525.0


class RepeatTiming(NamedTuple):
    """When customers are expected to buy again what they bought; one list a customer.

    Attributes
    ----------
    indptr : ndarray of shape (n + 1,), int64
        Row ``r`` is ``indptr[r]:indptr[r + 1]`` of the other arrays.
    item_ix : ndarray, int32
        Ascending within a row. What is bought once in a lifetime is not among them.
    times : ndarray, int32
        Purchases so far.
    intervals : ndarray, int32
        How many of the customer's own intervals ``interval_days`` knows; 0: the product's alone.
    interval_days : ndarray, float32
        Typical for this customer and product.
    own_interval_days : ndarray, float32
        The customer's alone; 0 where they have none.
    elapsed_days : ndarray, float32
        Since the last purchase.
    due_ts : ndarray, int64
        One interval after the last purchase; may be past. UTC epoch seconds.
    next_ts : ndarray, int64
        When a purchase is as likely to have come as not, given that it has not come yet; UTC
        epoch seconds, after ``as_of``.
    due : ndarray, bool
        The interval is over, or all but a tenth of it.
    overdue : ndarray, bool
        Three of four times it would have been bought again by now.
    regular : ndarray, bool
        The customer has several intervals, and they are alike.
    expected : ndarray, float32
        Purchases within ``horizon_days``: the score.
    """

    indptr: IntArray
    item_ix: IxArray
    times: IxArray
    intervals: IxArray
    interval_days: Scores
    own_interval_days: Scores
    elapsed_days: Scores
    due_ts: IntArray
    next_ts: IntArray
    due: Bools
    overdue: Bools
    regular: Bools
    expected: Scores


def repeat_timing(
    found: PurchaseIntervals,
    item_ix: IxArray,
    *,
    rows: npt.NDArray[np.integer],
    as_of_ts: IntArray,
    log_interval: Floats,
    spread: Floats,
    expected: Scores,
) -> RepeatTiming:
    """Work out when each pair is due.

    Parameters
    ----------
    found : PurchaseIntervals
    item_ix : ndarray of shape (n_pairs,), int32
    rows : ndarray of shape (n_pairs,), integer
        Customer of each pair, ascending.
    as_of_ts : ndarray of shape (n,), int64
        Of each customer's question; UTC epoch seconds.
    log_interval, spread : ndarray of shape (n_pairs,), float64
        Mean and standard deviation of the logarithm of the days between purchases.
    expected : ndarray of shape (n_pairs,), float32
        Pairs of which nothing is expected are left out.

    Notes
    -----
    Intervals are taken as log-logistic: of those that begin, ``1 / (1 + (t / interval) ** shape)``
    last longer than ``t``. Half of those that lasted until now end before
    ``interval * (1 + 2 * (elapsed / interval) ** shape) ** (1 / shape)``.
    """
    keep = np.flatnonzero(expected > 0)
    gaps, elapsed = found.gaps(), found.elapsed_days
    interval = np.exp(log_interval)
    own = np.where(gaps > 0, np.exp(found.log_gaps() / np.maximum(gaps, 1.0)), 0.0)
    shape = np.pi / np.sqrt(3.0) / spread
    log_odds = shape * (np.log(elapsed) - log_interval)
    awaited = np.exp(log_interval + np.logaddexp(0.0, log_odds + np.log(2.0)) / shape)
    last_ts = as_of_ts[rows] - np.round(elapsed * DAY).astype(np.int64)
    until_due, until_next = (
        np.ceil(np.minimum(days, CENTURY_DAYS) * DAY).astype(np.int64)
        for days in (interval, awaited)
    )
    return RepeatTiming(
        pointers(rows[keep], len(as_of_ts)),
        item_ix[keep],
        found.times[keep].astype(np.int32),
        gaps[keep].astype(np.int32),
        interval[keep].astype(np.float32),
        own[keep].astype(np.float32),
        elapsed[keep].astype(np.float32),
        (last_ts + until_due)[keep],
        (last_ts + until_next)[keep],
        (elapsed >= DUE_SHARE * interval)[keep],
        (log_odds >= np.log(OVERDUE_ODDS))[keep],
        ((gaps >= REGULAR_GAPS) & (spread < REGULAR_SPREAD))[keep],
        expected[keep],
    )


def overdue_items(
    found: PurchaseIntervals,
    bought: KeptPurchases,
    expected: Scores,
    items: Ragged,
    learned: tuple[Scores, Scores],
    own_gaps: float,
) -> Bools:
    """Say which products are overdue, as ``repeat_timing`` does for all that customers bought.

    Parameters
    ----------
    found : PurchaseIntervals
        One each product of ``bought``.
    bought : KeptPurchases
    expected : ndarray of shape (n_pairs,), float32
        Pairs of which nothing is expected are not overdue.
    items : Ragged
        Products of each row.
    learned : tuple of ndarray of shape (n_items,)
        Mean and standard deviation of the logarithm of each product's intervals.
    own_gaps : float
        Intervals of doubt: as many of the customer's count as much as the product's.

    Returns
    -------
    ndarray of the length of ``items.item_ix``, bool
    """
    given = (
        items.indptr,
        items.item_ix,
        bought.indptr,
        bought.item_ix,
        expected,
        found.elapsed_days,
        found.gap_of,
        found.log_gap,
        *learned,
    )
    return _late(float(own_gaps), float(np.log(OVERDUE_ODDS)), *map(fixed, given))


@compiled
def _late(
    own_gaps: float,
    odds: float,
    indptr: IntArray,
    items: IxArray,
    bought_indptr: IntArray,
    bought: IxArray,
    expected: Scores,
    elapsed_days: Floats,
    gap_of: IntArray,
    log_gap: Floats,
    log_interval_of: Scores,
    spread_of: Scores,
) -> Bools:
    """Compare each product's elapsed time with the customer's typical interval.

    Walks the products of each row; interval and spread are shrunk towards the product's as in
    ``repeat_timing``. Compiled, because requests ask for the few products of one list.
    """
    out = np.zeros(len(items), np.bool_)
    for r in range(len(indptr) - 1):
        mine = bought[bought_indptr[r] : bought_indptr[r + 1]]
        for at in range(indptr[r], indptr[r + 1]):
            item = items[at]
            place = np.searchsorted(mine, item)
            if place == len(mine) or mine[place] != item:
                continue
            pair = bought_indptr[r] + place
            if expected[pair] <= 0:
                continue
            low, high = np.searchsorted(gap_of, pair), np.searchsorted(gap_of, pair + 1)
            gaps, total, squares = float(high - low), 0.0, 0.0
            for gap in range(low, high):
                total += log_gap[gap]
            mean = total / max(gaps, 1.0)
            for gap in range(low, high):
                squares += (log_gap[gap] - mean) ** 2
            of_product = own_gaps * np.float64(spread_of[item]) ** 2
            spread = np.sqrt((squares + of_product) / (max(gaps - 1.0, 0.0) + own_gaps))
            typical = (total + own_gaps * np.float64(log_interval_of[item])) / (gaps + own_gaps)
            shape = np.pi / np.sqrt(3.0) / spread
            out[at] = shape * (np.log(elapsed_days[pair]) - typical) >= odds
    return out
