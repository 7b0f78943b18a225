"""Which products are scarce: fewer pieces of them can be sold than a request wants.

In: the products of requests, and of each request its location and a number of pieces. Out: which
of the products are scarce. Called by ``rules``.
"""

import numpy as np
import numpy.typing as npt

from recsys.datasets import IntArray, Lists
from recsys.ranking.availability import Availability


def scarce(
    availability: Availability,
    items: Lists,
    location_keys: IntArray,
    as_of_ts: IntArray | None,
    below: npt.NDArray[np.float64],
) -> npt.NDArray[np.bool_]:
    """Say of which products fewer pieces can be sold than are wanted.

    Parameters
    ----------
    availability : Availability
    items : Lists
        ``m`` products of ``n`` requests.
    location_keys : ndarray of shape (n,), int64
        ``item_index.location_key``; 0 for all locations together, as far as their stock is known.
    as_of_ts : ndarray of shape (n,), int64, or None
        When it is asked, UTC epoch seconds; needed where stock has a greatest age.
    below : ndarray of shape (n,), float64
        Pieces; 0 where it does not matter.

    Returns
    -------
    ndarray of shape (m,), bool
        False where nothing is known.

    Raises
    ------
    ValueError
        When stock has a greatest age and no time is given.
    """
    out = np.zeros(len(items.item_ix), bool)
    for row in np.flatnonzero(below > 0).tolist():
        here = slice(items.indptr[row], items.indptr[row + 1])
        asked, key = items.item_ix[here], location_keys[row]
        when = None if as_of_ts is None else int(as_of_ts[row])
        if key:
            left = availability.stock_at(np.full(len(asked), key), asked, when).sellable
        else:
            left = availability.sellable_anywhere(when)[asked]
        out[here] = left < below[row]
    return out
