"""Compiled loops over stock.

In: the flat arrays of ``Availability``, products, and locations by position. Out: where a location
stands with a product, and which of several locations is the first that has it. Called by
``rule_kernels`` and ``availability``.
"""

from typing import Any

import numpy as np

from recsys.datasets import IntArray, IxArray, compiled, inlined

#: Where a location stands with a product: it has none, nobody knows, it has some.
NONE_HERE, UNKNOWN_HERE, SOME_HERE = 0, 1, 2


@inlined
def stock_here(item: Any, place: Any, since_ts: Any, stock: Any) -> Any:
    """Where a location stands with a product; nobody knows of no location, or of older stock."""
    indptr, with_stock, sellable, complete, reported_ts, complete_ts = stock
    if place < 0:
        return UNKNOWN_HERE
    low, end = indptr[place], indptr[place + 1]
    high = end
    while low < high:
        middle = (low + high) >> 1
        if with_stock[middle] < item:
            low = middle + 1
        else:
            high = middle
    if low < end and with_stock[low] == item:
        if reported_ts[low] < since_ts:
            return UNKNOWN_HERE
        return SOME_HERE if sellable[low] > 0 else NONE_HERE
    return NONE_HERE if complete[place] and complete_ts[place] >= since_ts else UNKNOWN_HERE


@compiled
def first_with_stock(items: IxArray, places: IntArray, since_ts: int, stock: Any) -> IntArray:
    """Find the first of several locations that has each product; -1 where none is known to.

    Compiled, since a product that hardly any location has is looked for at every one of them.
    """
    out = np.full(len(items), -1, np.int64)
    for at in range(len(items)):
        for rank in range(len(places)):
            if stock_here(items[at], places[rank], since_ts, stock) == SOME_HERE:
                out[at] = rank
                break
    return out
