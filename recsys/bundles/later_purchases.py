"""What customers buy within some days after what they bought, or before it.

Baskets come in; out comes, for every basket that has those days of history behind it, what its
customer bought later within them and had not put into it; or the same backwards. Called by
``mining`` for ``sequences``.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.bundles.evidence import OrderLists, join_lists, postings
from recsys.datasets import Baskets, IntArray, IxArray, compiled
from recsys.units import DAY

#: Later purchases that are looked at; where there are more, some customers are left out.
_PURCHASES: Final = 20_000_000


@dataclass(frozen=True, eq=False)
class LaterPurchases:
    """Cases, and what was bought later; or earlier.

    Attributes
    ----------
    case : ndarray of shape (n_orders,), bool
        Whether an order has the days behind it, and its customer is known.
    indptr : ndarray of shape (n_orders + 1,), int64
    item_ix : ndarray, int32
        Products that followed order ``i`` lie in ``[indptr[i], indptr[i + 1])``.
    held : OrderLists
        Cases that hold product ``i``, list ``i``, and that product ``i`` followed, list
        ``n_items + i``.
    """

    case: npt.NDArray[np.bool_]
    indptr: IntArray
    item_ix: IxArray
    held: OrderLists

    @classmethod
    def of(
        cls,
        baskets: Baskets,
        as_of_ts: int,
        within_days: float,
        seed: int,
        *,
        backwards: bool = False,
    ) -> "LaterPurchases":
        """Look at what follows each basket.

        Parameters
        ----------
        baskets : Baskets
        as_of_ts : int
            The end of the history, UTC epoch seconds.
        within_days : float
        seed : int
            Says which customers are left out where there are too many purchases.
        backwards : bool
            Look at what came before it instead.
        """
        items, within = baskets.items, int(within_days * DAY)
        if backwards:
            covered = baskets.ts - within >= baskets.ts.min(initial=as_of_ts)
            # The next one of those that are told from the last to the first.
            follows = _next(baskets.customer[::-1])[::-1]
            follows = np.where(follows >= 0, len(follows) - 1 - follows, -1)
        else:
            covered, follows = baskets.ts + within <= as_of_ts, _next(baskets.customer)
        case = (baskets.customer >= 0) & covered
        indptr = items.indptr.astype(np.int64)
        many = _many(indptr, baskets.ts, follows, case, within)
        if many.sum() > _PURCHASES:
            of_customer = np.bincount(baskets.customer[case], many[case])
            order = np.random.default_rng(seed).permutation(len(of_customer))
            kept = np.zeros(len(of_customer), bool)
            kept[order] = np.cumsum(of_customer[order]) <= _PURCHASES
            case &= kept[np.maximum(baskets.customer, 0)]
        bounds, bought = _bought(
            indptr,
            items.indices.astype(np.int32),
            baskets.ts,
            follows,
            case,
            within,
            items.shape[1],
            int(many[case].sum()),
        )
        first = case[np.repeat(np.arange(len(case)), np.diff(indptr))]
        parts = [
            postings(items.indices, items.indptr, items.shape, first),
            postings(bought, bounds, items.shape),
        ]
        return cls(case, bounds, bought, join_lists(parts))


def _next(customer: IxArray) -> IntArray:
    """Position of each order's next one of the same customer; -1 for none."""
    known = np.flatnonzero(customer >= 0)
    order = known[np.argsort(customer[known], kind="stable")]
    follows = np.full(len(customer), -1, np.int64)
    same = customer[order[1:]] == customer[order[:-1]]
    follows[order[:-1][same]] = order[1:][same]
    return follows


@compiled
def _many(
    indptr: IntArray, ts: IntArray, follows: IntArray, case: npt.NDArray[np.bool_], within: int
) -> IntArray:
    """Count the lines of the orders that follow each case in time: ``_bought`` finds no more.

    Order by order, along the customer's chain of orders. Compiled because each chain ends where
    its time does.
    """
    many = np.zeros(len(ts), np.int64)
    for order in range(len(ts)):
        next_order = follows[order] if case[order] else -1
        while next_order >= 0 and abs(ts[next_order] - ts[order]) <= within:
            many[order] += indptr[next_order + 1] - indptr[next_order]
            next_order = follows[next_order]
    return many


@compiled
def _bought(
    indptr: IntArray,
    item_ix: IxArray,
    ts: IntArray,
    follows: IntArray,
    case: npt.NDArray[np.bool_],
    within: int,
    n_items: int,
    room: int,
) -> tuple[IntArray, IxArray]:
    """List what was bought in time after each case and not in it, each product once.

    Order by order, then along the customer's chain of orders; what was bought in the same second
    is no later purchase. ``seen`` holds the last case that noted a product, so that it is never
    cleared. Compiled because chains overlap: numpy would lay each out before it drops repeats.
    """
    bounds, found = np.zeros(len(ts) + 1, np.int64), np.empty(room, np.int32)
    seen = np.full(n_items, -1, np.int64)
    size = 0
    for order in range(len(ts)):
        if case[order]:
            for at in range(indptr[order], indptr[order + 1]):
                seen[item_ix[at]] = order
            next_order = follows[order]
            while next_order >= 0 and abs(ts[next_order] - ts[order]) <= within:
                if ts[next_order] != ts[order]:
                    for at in range(indptr[next_order], indptr[next_order + 1]):
                        if seen[item_ix[at]] != order:
                            seen[item_ix[at]] = order
                            found[size] = item_ix[at]
                            size += 1
                next_order = follows[next_order]
        bounds[order + 1] = size
    return bounds, found[:size].copy()
