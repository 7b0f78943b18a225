"""Stock as rows, sorted by location and product: adds them up, finds them, and totals them.

In: rows, or the flat arrays of ``Availability``. Out: sums, positions of rows, and what is known of
products. Called by ``availability``.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.datasets import IntArray

#: Decimals of summed quantities, so that 0.1 + 0.2 is 0.3; exports are read with as many.
DECIMALS: Final = 6
Floats = npt.NDArray[np.float64]


class Stock(NamedTuple):
    """What is known of ``m`` products, each at a location.

    Attributes
    ----------
    on_hand : ndarray of shape (m,), float64
        0 if a location reported all its stock but not this product; NaN if unknown or too old.
    reserved : ndarray of shape (m,), float64
        Of these, what is put aside for others; NaN if unknown.
    sellable : ndarray of shape (m,), float64
        On hand less what is reserved, 0 or more; NaN as ``on_hand``.
    reported_ts : ndarray of shape (m,), int64
        When that was reported, UTC epoch seconds; 0 if unknown.
    stale : ndarray of shape (m,), bool
        Whether something was reported that is too old to be trusted.
    """

    on_hand: Floats
    reserved: Floats
    sellable: Floats
    reported_ts: IntArray
    stale: npt.NDArray[np.bool_]


def add_up(row: npt.NDArray[np.integer], values: npt.NDArray[np.floating], n: int) -> Floats:
    """Add up the values of each row; a single one stays as it is.

    Parameters
    ----------
    row : ndarray of shape (m,), int
        In ``[0, n)``.
    values : ndarray of shape (m,)
    n : int

    Returns
    -------
    ndarray of shape (n,), float64
        0 where there are none.
    """
    total = np.bincount(row, weights=values, minlength=n).astype(np.float64)
    several = np.bincount(row, minlength=n) > 1
    total[several] = total[several].round(DECIMALS)
    return total


def oldest(row: IntArray, when_ts: IntArray, n: int) -> IntArray:
    """Return the earliest time of each row; 0, which is unknown, is the earliest of all.

    Parameters
    ----------
    row : ndarray of shape (m,), int64
        In ``[0, n)``; each is there.
    when_ts : ndarray of shape (m,), int64
    n : int

    Returns
    -------
    ndarray of shape (n,), int64
    """
    out = np.full(n, np.iinfo(np.int64).max)
    np.minimum.at(out, row, when_ts)
    return out


def find_rows(
    indptr: IntArray,
    listed: npt.NDArray[np.int32],
    position: IntArray,
    item_ix: npt.NDArray[np.integer],
) -> IntArray:
    """Find the row of each product at a location.

    Parameters
    ----------
    indptr : ndarray of shape (n_locations + 1,), int64
    listed : ndarray, int32
        Products of location ``i`` lie in ``[indptr[i], indptr[i + 1])``, ascending; it has one.
    position : ndarray of shape (m,), int64
        Of locations; -1 for none.
    item_ix : ndarray of shape (m,), int

    Returns
    -------
    ndarray of shape (m,), int64
        Index into ``listed``; -1 where the location does not list the product.
    """
    out = np.full(len(item_ix), -1, np.int64)
    # A request has one location, a batch a handful: one slice of the stock for each.
    for at in sorted(set(position[position >= 0].tolist())):
        asked = np.flatnonzero(position == at)
        begin, end = indptr[at], indptr[at + 1]
        items = listed[begin:end]
        found = np.minimum(np.searchsorted(items, item_ix[asked]), len(items) - 1)
        out[asked] = np.where(items[found] == item_ix[asked], begin + found, -1)
    return out


def total_sellable(n_items: int, since_ts: int, stock: tuple[npt.NDArray[Any], ...]) -> Floats:
    """Add up what all locations can sell of each product.

    Parameters
    ----------
    n_items : int
    since_ts : int
        Stock that was reported before is unknown. UTC epoch seconds.
    stock : tuple of ndarray
        As of ``Availability.stock``.

    Returns
    -------
    ndarray of shape (n_items,), float64
        NaN where no location's stock of a product is known.
    """
    indptr, item_ix, sellable, complete, reported_ts, complete_ts = stock
    trusted = reported_ts >= since_ts
    total = add_up(item_ix[trusted], sellable[trusted], n_items)
    # A whole list says 0 of what it does not name.
    whole = complete & (complete_ts >= since_ts)
    named = item_ix[np.repeat(whole, np.diff(indptr))]
    known = np.bincount(named, minlength=n_items) < np.count_nonzero(whole)
    known |= np.bincount(item_ix[trusted], minlength=n_items) > 0
    total[~known] = np.nan
    return total
