"""Which purchases were kept, once returns are taken off.

Lines with signed quantities come in; out come the purchases that count. Used for a batch of
histories and, by the same rule, for the matrices that models fit on.
"""

import numpy as np
import numpy.typing as npt

from recsys.matrices.ids import IntArray

#: Quantities are compared in whole units of 1/1024, so that three weights and their return are
#: nothing, not a rounding error.
UNITS = 1024


def to_units(quantity: npt.NDArray[np.floating]) -> IntArray:
    """Round quantities to whole 1/1024, as int64."""
    return np.rint(quantity.astype(np.float64) * UNITS).astype(np.int64)


def surviving(owner_item: IntArray, order: IntArray, units: IntArray) -> tuple[IntArray, IntArray]:
    """Find the purchases that returns leave over.

    Parameters
    ----------
    owner_item : ndarray of shape (n_lines,), int64
        One number for each customer and product.
    order : ndarray of shape (n_lines,), int64
        One number for each order; a return has its order's, where that is known.
    units : ndarray of shape (n_lines,), int64
        ``to_units`` of the quantity; negative for a return.

    Returns
    -------
    keep : ndarray of shape (n_kept,), int64
        The first line of sale of each product in each order, ascending, where both the order and
        the customer kept some of the product.
    units : ndarray of shape (n_kept,), int64
        What the order kept.
    """
    if not len(order):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    by_order = np.lexsort((order, owner_item))
    owner_item, order, units = owner_item[by_order], order[by_order], units[by_order]
    new_item = np.append(True, owner_item[1:] != owner_item[:-1])
    new_order = new_item | np.append(True, order[1:] != order[:-1])
    if new_order.all() and units.min() > 0:
        return np.arange(len(order)), units[np.argsort(by_order)]
    starts = np.flatnonzero(new_order)
    in_order = np.add.reduceat(units, starts)
    in_all = np.add.reduceat(units, np.flatnonzero(new_item))
    none = len(order)
    first_sale = np.minimum.reduceat(np.where(units > 0, by_order, none), starts)
    item_of = np.cumsum(new_item[starts]) - 1
    kept = np.flatnonzero((in_order > 0) & (in_all[item_of] > 0) & (first_sale < none))
    kept = kept[np.argsort(first_sale[kept])]
    return first_sale[kept], in_order[kept]
