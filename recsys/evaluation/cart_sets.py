"""Splits the orders of a window into a cart and the products added to it.

In: a history and an evaluation set. Out: carts over the same catalogue. Called by training, for
``learning``.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recsys.datasets import Lists, as_numpy
from recsys.evaluation.customer_splits import Windows
from recsys.evaluation.evaluation_set import EvaluationSet, positions, sales_of
from recsys.history import History

#: Minimum number of multi-product orders to use orders as carts.
MIN_ORDERS: Final = 50


@dataclass(frozen=True, eq=False)
class CartSet:
    """Orders of a window, each split into a cart and the products added to it.

    Attributes
    ----------
    customer_ix : ndarray of shape (n,), int64
        Customer of each order, as a row of the evaluation set.
    as_of_ts : ndarray of shape (n,), int64
        Time of each order.
    cart, rest : Lists
        Over the catalogue of the evaluation set.
    """

    customer_ix: NDArray[np.int64]
    as_of_ts: NDArray[np.int64]
    cart: Lists
    rest: Lists


def read(
    history: History, evaluation_set: EvaluationSet, *, at_most: int, seed: int = 0
) -> CartSet:
    """Sample the orders of the window and split each into a cart and the rest.

    If most orders have one product, all purchases of a customer in the window count as one order.

    Parameters
    ----------
    history : History
    evaluation_set : EvaluationSet
    at_most : int
        Maximum number of orders.
    seed : int
        Seed of the sample and the splits.

    Returns
    -------
    CartSet
        Orders of at least two products; there may be none.
    """
    con = history.connect()
    try:
        sales = sales_of(
            con,
            Windows(evaluation_set.customer_ids, evaluation_set.as_of_ts, evaluation_set.end_ts),
        )
        within = sales.filter((sales.occurred_at >= sales.start) & (sales.occurred_at < sales.end))
        lines = within.group_by("order_id", "customer_id", "item_id").agg(
            at=within.occurred_at.min()
        )
        table = con.to_pyarrow(lines.order_by("order_id", "item_id"))
    finally:
        con.disconnect()
    item = positions(evaluation_set.index, table["item_id"])
    customer = as_numpy(
        pc.index_in(table["customer_id"], value_set=pa.array(evaluation_set.customer_ids))
    ).astype(np.int64)
    at = as_numpy(table["at"].cast(pa.int64())) // 1_000_000
    order = as_numpy(pc.rank(table["order_id"], tiebreaker="dense")).astype(np.int64)
    starts = _starts(order)
    if np.count_nonzero(np.diff(starts) > 1) < MIN_ORDERS:
        by_customer = np.lexsort((item, customer))
        item, customer, at = item[by_customer], customer[by_customer], at[by_customer]
        starts = _starts(customer)
    rng = np.random.default_rng(seed)
    large = np.flatnonzero(np.diff(starts) > 1)
    chosen = np.sort(rng.choice(large, min(at_most, len(large)), replace=False))
    first: list[int] = []
    carts: list[NDArray[np.int64]] = []
    rests: list[NDArray[np.int64]] = []
    for number in chosen:
        items = rng.permutation(np.unique(item[starts[number] : starts[number + 1]]))
        held = int(rng.integers(1, max(2, len(items))))
        cart, rest = items[:held], items[held:]
        cart = cart[cart < len(evaluation_set.index)]
        if len(cart) and len(rest):
            first.append(int(starts[number]))
            carts.append(cart)
            rests.append(rest)
    return CartSet(customer[first], at[first], Lists.of_rows(carts), Lists.of_rows(rests))


def _starts(group: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the start of each run of equal numbers, and the end of the last."""
    new = np.flatnonzero(np.append(True, group[1:] != group[:-1])[: len(group)])
    return np.append(new, len(group))
