"""Says what a candidate for a drawn place loses for being like what is in the list already.

In: products of one list, and what its customer bought. Out: penalties, and candidates of which no
two are alike. Called by ``steering``; ``diversity`` does the same for the other places.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.datasets import Histories, IntArray, IxArray
from recsys.ranking.item_similarity import ItemSimilarity

Floats = npt.NDArray[np.float64]

#: Lower bound of the factor on what a candidate is worth.
_LEAST: Final = 1e-9


@dataclass(frozen=True)
class Likeness:
    """How much what is alike gives way in the lists of ``n`` requests.

    Parameters
    ----------
    diversity : ndarray of shape (n,), float64
        As of ``diversity.diversify``.
    similarity : ItemSimilarity or None
    purchases : Histories
        What the ``n`` customers bought.
    """

    diversity: Floats
    similarity: ItemSimilarity | None
    purchases: Histories

    def penalty(self, r: int, items: IxArray, chosen: IxArray) -> Floats:
        """Return what candidates lose for being like what is chosen, as a logarithm.

        Parameters
        ----------
        r : int
            Request.
        items, chosen : ndarray of int32
            Products.

        Returns
        -------
        ndarray of the length of ``items``, float64
            0 or less.
        """
        strength = self._strength(r)
        if self.similarity is None or not strength:
            return np.zeros(len(items))
        alike = self.similarity.between(items, chosen)
        lost = np.log(np.maximum(1.0 - strength * alike, _LEAST)).sum(axis=1)
        mine = slice(int(self.purchases.indptr[r]), int(self.purchases.indptr[r + 1]))
        bought, times = self.purchases.item_ix[mine], self.purchases.count[mine]
        often = [times[bought == item].sum() > 1 for item in items.tolist()]
        return np.where(often, 0.0, lost)

    def distinct(self, r: int, items: IxArray, least: int) -> IntArray:
        """Choose candidates of which no two are alike, so that two of them may stand together.

        Parameters
        ----------
        r : int
            Request.
        items : ndarray of int32
            Products, best first.
        least : int
            So many are chosen where there are as many, alike or not.

        Returns
        -------
        ndarray, int64
            Positions in ``items``, ascending.
        """
        every = np.arange(len(items))
        if self.similarity is None or not self._strength(r):
            return every
        alike = self.similarity.between(items, items) > 0
        kept: list[int] = []
        for at in every.tolist():
            if not alike[at, kept].any():
                kept.append(at)
        rest = [at for at in every.tolist() if at not in set(kept)]
        return np.array(sorted(kept + rest[: max(0, least - len(kept))]), np.int64)

    def _strength(self, r: int) -> float:
        return float(self.diversity[r]) if len(self.diversity) else 0.0
