"""Sets of products that were tested against chance.

The modules that find bundles fill it; ``mining`` chooses by it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.bundles import significance
from recsys.datasets import IntArray, IxArray

Floats = npt.NDArray[np.float64]

#: Less is never expected: what nothing would bring together has a finite lift.
LEAST: Final = 1e-3


@dataclass(frozen=True, eq=False)
class TestedSets:
    """Sets of one size.

    Attributes
    ----------
    item_ix : ndarray of shape (n, size), int32
    support : ndarray of shape (n,), int64
    expected : ndarray of shape (n,), float64
    repeats : ndarray of shape (n,), float64
        How many cases count as one.
    complement : ndarray of shape (n,), float64
        As in ``Bundles``.
    p_value, q_value : ndarray of shape (n,), float64
    """

    item_ix: IxArray
    support: IntArray
    expected: Floats
    repeats: Floats
    complement: Floats
    p_value: Floats
    q_value: Floats

    @classmethod
    def nothing(cls, size: int) -> "TestedSets":
        """No set of a size."""
        none = np.zeros(0)
        return cls(
            np.zeros((0, size), np.int32), np.zeros(0, np.int64), none, none, none, none, none
        )

    @classmethod
    def joined(cls, parts: Sequence["TestedSets"]) -> "TestedSets":
        """One behind the other, all of one size."""
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.support)

    def only(self, rows: npt.NDArray[np.integer]) -> "TestedSets":
        """Take some of them."""
        return TestedSets(*(getattr(self, field.name)[rows] for field in fields(self)))

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        """Ends of the lift's interval."""
        low, high = significance.interval(self.support / self.repeats)
        return low * self.repeats / self.expected, high * self.repeats / self.expected

    @property
    def strength(self) -> Floats:
        """How much evidence there is, to be ordered by.

        The likelihood of what was seen beside that of chance (half of G²), for the lower end of
        the lift; or for how much more often customers who like all of it choose to buy it at
        once, where that is less.
        """
        low, _ = self.bounds
        shrinkage = low * self.expected / self.support
        weakest = np.fmin(low, self.complement * shrinkage)
        weakest = np.maximum(weakest, 1.0)
        strength: Floats = self.support * (np.log(weakest) - 1.0 + 1.0 / weakest)
        return strength
