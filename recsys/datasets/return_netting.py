"""Which purchases were kept, once returns are taken off.

Lines with signed quantities come in; out come the purchases that count. Called for a batch of
histories, by ``customer_history``, and for the matrices that models fit on, by ``training_set``.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.datasets.compilation import compiled, fixed
from recsys.datasets.item_index import IntArray, IxArray

#: Quantities are compared in whole units of 1/1024, so that three weights and their return are
#: nothing, not a rounding error.
UNITS = 1024


def to_units(quantity: npt.NDArray[np.floating]) -> IntArray:
    """Round quantities to whole 1/1024, as int64."""
    return np.rint(quantity.astype(np.float64) * UNITS).astype(np.int64)


class KeptPurchases(NamedTuple):
    """What customers bought and kept, product by product.

    Attributes
    ----------
    indptr : ndarray of shape (n + 1,), int64
        Row ``r`` has the products ``indptr[r]:indptr[r + 1]``.
    item_ix : ndarray of shape (n_products,), int32
        Ascending within a row.
    starts : ndarray of shape (n_products + 1,), int64
        Product ``p`` was bought in the lines ``line[starts[p]:starts[p + 1]]``.
    line : ndarray of shape (n_kept,), int64
        First line of sale of the product in each order that kept some of it; ascending within
        a product, so that times do not fall.
    units : ndarray of shape (n_kept,), int64
        What the order kept, see ``to_units``.
    """

    indptr: IntArray
    item_ix: IxArray
    starts: IntArray
    line: IntArray
    units: IntArray


def kept_purchases(
    indptr: npt.NDArray[Any],
    item_ix: npt.NDArray[Any],
    order: npt.NDArray[Any],
    units: IntArray,
) -> KeptPurchases:
    """Find the purchases that returns leave over, of customers whose lines stand together.

    Of each product in each order the first line of sale counts, where both the order and the
    customer kept some of it.

    Parameters
    ----------
    indptr : ndarray of shape (n + 1,), int64
        Row ``r`` is ``indptr[r]:indptr[r + 1]`` of the other arrays.
    item_ix, order : ndarray of shape (n_lines,)
        As in ``Histories``, in time order within a row.
    units : ndarray of shape (n_lines,), int64
        Signed quantities, see ``to_units``.

    Returns
    -------
    KeptPurchases
    """
    found = _bought(fixed(indptr), fixed(item_ix), fixed(order), fixed(units))
    return KeptPurchases(*map(fixed, found))


@compiled
def _bought(
    indptr: IntArray,
    item_ix: IxArray,
    order: IntArray,
    signed: IntArray,
) -> tuple[IntArray, IxArray, IntArray, IntArray, IntArray]:
    """Net each customer's lines by product and by order, with the rule of ``kept_purchases``.

    Sorts a customer's lines by product, then walks them in time order. Compiled, because orders
    and products of one customer are groups within groups, for which numpy sorts all lines several
    times.
    """
    n, n_lines = len(indptr) - 1, len(item_ix)
    ends = np.zeros(n + 1, np.int64)
    items, starts = np.empty(n_lines, np.int32), np.zeros(n_lines + 1, np.int64)
    line, units = np.empty(n_lines, np.int64), np.empty(n_lines, np.int64)
    n_products = n_kept = 0
    for r in range(n):
        first, many = indptr[r], indptr[r + 1] - indptr[r]
        keys = np.empty(many, np.int64)  # of product and position, which sort faster than pairs
        bits = 0
        while many >> bits:
            bits += 1
        low = (1 << bits) - 1
        for at in range(many):
            keys[at] = (np.int64(item_ix[first + at]) << bits) | at
        keys.sort()
        at = 0
        while at < many:
            item, stop, kept_before, net = keys[at] >> bits, at, n_kept, np.int64(0)
            while stop < many and keys[stop] >> bits == item:
                net += signed[first + (keys[stop] & low)]
                stop += 1
            for one in range(at, stop if net > 0 else at):
                mine = first + (keys[one] & low)
                seen = False
                for earlier in range(at, one):
                    if order[first + (keys[earlier] & low)] == order[mine]:
                        seen = True
                        break
                if seen:
                    continue
                kept, sale = np.int64(0), np.int64(-1)
                for later in range(one, stop):
                    other = first + (keys[later] & low)
                    if order[other] == order[mine]:
                        kept += signed[other]
                        if signed[other] > 0 and sale < 0:
                            sale = other
                if kept > 0 and sale >= 0:
                    place = n_kept
                    while place > kept_before and line[place - 1] > sale:
                        line[place], units[place] = line[place - 1], units[place - 1]
                        place -= 1
                    line[place], units[place] = sale, kept
                    n_kept += 1
            if n_kept > kept_before:
                items[n_products] = item
                n_products += 1
                starts[n_products] = n_kept
            at = stop
        ends[r + 1] = n_products
    return (
        ends,
        items[:n_products].copy(),
        starts[: n_products + 1].copy(),
        line[:n_kept].copy(),
        units[:n_kept].copy(),
    )
