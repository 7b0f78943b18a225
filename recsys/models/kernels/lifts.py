"""How many times as often as by chance two products come together, looked up in a model's table.

Pairs of products come in, their lifts come out. Called by the models that count pairs; reasons and
product pages say "often" from ``LEAST_LIFT`` on.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from recsys.datasets import IxArray

Array = npt.NDArray[Any]

#: "Often" says something from so many times as often as by chance on.
LEAST_LIFT: Final = 1.5


def lifts_of(
    table: tuple[Array, Array, Array], item_ix: IxArray, others: IxArray
) -> npt.NDArray[np.float32]:
    """Look the lifts of pairs up.

    Parameters
    ----------
    table : tuple of ndarray
        ``indptr``, the neighbours of each product, ascending, and the lift of each.
    item_ix, others : ndarray of shape (n,), int32
        Pairs of products.

    Returns
    -------
    ndarray of shape (n,), float32
        NaN where the second is no neighbour of the first.
    """
    indptr, neighbours, lift = table
    found = np.full(len(item_ix), np.nan, np.float32)
    for at, (one, other) in enumerate(zip(item_ix.tolist(), others.tolist(), strict=True)):
        start, end = int(indptr[one]), int(indptr[one + 1])
        place = start + int(np.searchsorted(neighbours[start:end], other))
        if place < end and neighbours[place] == other:
            found[at] = lift[place]
    return found
