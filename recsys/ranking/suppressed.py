"""Products that customers refused or were shown often enough, as the hard rules take them.

Made by ``recommender.request_context``; read by ``rules``.
"""

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from recsys.datasets import IntArray, IxArray


class Suppressed(NamedTuple):
    """Products that must not be shown to the customers of ``n`` requests, and why.

    Attributes
    ----------
    indptr : ndarray of shape (n + 1,), int64
        Row ``r`` is ``indptr[r]:indptr[r + 1]`` of the next two.
    item_ix : ndarray of shape (m,), int32
        They stand for all products of their choice.
    by : ndarray of shape (m,), uint8
        ``rule_kernels.NOT_INTERESTED`` or ``CAPPED``.
    """

    indptr: IntArray
    item_ix: IxArray
    by: npt.NDArray[np.uint8]

    @classmethod
    def none(cls, n: int) -> Self:
        """Return those of requests without any.

        Parameters
        ----------
        n : int
            Requests.

        Returns
        -------
        Suppressed
        """
        return cls(np.zeros(n + 1, np.int64), np.empty(0, np.int32), np.empty(0, np.uint8))

    def row(self, r: int) -> "Suppressed":
        """Return those of one request.

        Parameters
        ----------
        r : int
            In ``[0, n)``.

        Returns
        -------
        Suppressed
            Of one request.
        """
        part = slice(self.indptr[r], self.indptr[r + 1])
        ends = np.array([0, part.stop - part.start], np.int64)
        return Suppressed(ends, self.item_ix[part], self.by[part])
