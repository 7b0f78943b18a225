"""What the catalogue says of its products, in the order of an index.

``training_set`` fills it from the history's products; models that use what a product is, and not
only who bought it, fit on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.datasets.item_index import IxArray


@dataclass(frozen=True, eq=False)
class Products:
    """Words and groups of ``n_items`` products; nothing is needed of any of them.

    Attributes
    ----------
    titles : sequence of str, length n_items
        Empty where unknown.
    attributes : sequence of str, length n_items
        A JSON object of everything else that is known; empty where nothing is.
    department, brand : ndarray of shape (n_items,), int32
        Number of each product's department and brand; -1 where unknown.
    family : ndarray of shape (n_items,), int32
        Equal for a product and those that are said to be variants of it; -1 where nothing is
        said.
    price_minor, discount_share : ndarray of shape (n_items,), float64, optional
        Mean shelf price of one in what was bought, 0 where nothing said it, and which share of
        it was taken off, in [0, 1].
    """

    titles: Sequence[str]
    attributes: Sequence[str]
    department: IxArray
    brand: IxArray
    family: IxArray
    price_minor: npt.NDArray[np.float64] | None = None
    discount_share: npt.NDArray[np.float64] | None = None
