"""Which products are scarce: fewer pieces of them can be sold than a request wants.

In: products, each with its location and a number of pieces. Out: which of them are scarce. Called
by ``rules``.
"""

import numpy as np
import numpy.typing as npt

from recsys.datasets import IntArray, IxArray
from recsys.ranking.availability import Availability


def scarce(
    availability: Availability,
    location_keys: IntArray,
    item_ix: IxArray,
    as_of_ts: IntArray | None,
    below: npt.NDArray[np.float64],
) -> npt.NDArray[np.bool_]:
    """Say of which products fewer pieces can be sold than are wanted.

    Parameters
    ----------
    availability : Availability
    location_keys : ndarray of shape (m,), int64
        ``item_index.location_key``; 0 for all locations together, as far as their stock is known.
    item_ix : ndarray of shape (m,), int32
    as_of_ts : ndarray of shape (m,), int64, or None
        When it is asked, UTC epoch seconds; needed where stock has a greatest age.
    below : ndarray of shape (m,), float64
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
    left = np.full(len(item_ix), np.nan)
    here = (below > 0) & (location_keys != 0)
    when = None if as_of_ts is None else as_of_ts[here]
    left[here] = availability.stock_at(location_keys[here], item_ix[here], when).sellable
    anywhere = (below > 0) & (location_keys == 0)
    times = {None} if as_of_ts is None else set(as_of_ts[anywhere].tolist())
    for each in times if anywhere.any() else ():
        part = anywhere if as_of_ts is None else anywhere & (as_of_ts == each)
        left[part] = availability.sellable_anywhere(each)[item_ix[part]]
    return left < below
