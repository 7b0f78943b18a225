"""What was shown to customers before, how tired they were of it, and whether they clicked.

Read from exposures by ``ledger``; learned from by ``rotation_fit``.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.datasets import Floats, IntArray

Bools = npt.NDArray[np.bool_]


class PastShowings(NamedTuple):
    """``n`` showings of products to customers.

    Attributes
    ----------
    series : ndarray of shape (n,), int64
        Equal for showings of one product to one customer.
    tired : ndarray of shape (n,), float64
        As of ``rotation.tiredness``, when it was shown.
    place : ndarray of shape (n,), int64
        In the list, from 1; of each series the first row tells the first place.
    clicked : ndarray of shape (n,), bool
    """

    series: IntArray
    tired: Floats
    place: IntArray
    clicked: Bools
