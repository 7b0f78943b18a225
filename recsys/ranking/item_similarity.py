"""Says how alike two products are: variants of one product, near-duplicates, or neither.

In: what the model of products' contents knows of them. Out: similarities of pairs. Called by
``diversity``, ``steering`` and ``bundles``.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from recsys.datasets import IntArray, IxArray, compiled, fixed
from recsys.models import Content

Floats = npt.NDArray[np.float64]
Weights = npt.NDArray[np.float32]

#: Minimum similarity of titles; less counts as 0.
_ALIKE: Final = 0.8


@dataclass(frozen=True)
class ItemSimilarity:
    """What tells how alike two products are, over one catalogue.

    Parameters
    ----------
    indptr : ndarray of shape (n_items + 1,), int64
    features : ndarray, int32
        Words, category and brand of each product, ascending.
    weights : ndarray, float32
        Weight of each.
    variant : ndarray of shape (n_items,), int32
        Equal for products that are one thing in several sizes; -1 for those without another.
    common : ndarray of shape (n_items,), float32
        What is left of the length of a title's words without those that no other title has.
    words, categories : int
        Features below ``words`` are words; those from there to ``categories`` are categories.
    share : float
        Inner product of two products' words where they have the same ones.
    """

    indptr: IntArray
    features: IxArray
    weights: Weights
    variant: IxArray
    common: Weights
    words: int
    categories: int
    share: float

    @classmethod
    def nothing(cls, n_items: int) -> Self:
        """No two products are alike.

        Parameters
        ----------
        n_items : int
            Size of the catalogue.

        Returns
        -------
        Self
        """
        none = fixed(np.empty(0, np.float32))
        return cls(
            fixed(np.zeros(n_items + 1, np.int64)),
            fixed(np.empty(0, np.int32)),
            none,
            fixed(np.full(n_items, -1, np.int32)),
            fixed(np.zeros(n_items, np.float32)),
            0,
            0,
            1.0,
        )

    @classmethod
    def of(cls, content: Content) -> Self:
        """Take it from a model of what products are.

        Parameters
        ----------
        content : Content
            Fitted on the catalogue.

        Returns
        -------
        Self
            Shares the model's arrays.
        """
        given = content.settings
        starts = content.starts_
        return cls(
            fixed(content.indptr_),
            fixed(content.features_),
            fixed(content.weights_),
            fixed(content.variant_),
            fixed(content.common_),
            int(starts[1]),
            int(starts[2]),
            given.words / ((given.words + given.category + given.brand) or 1.0),
        )

    def of_pair(self, one: int, other: int) -> float:
        """Say how alike two products are.

        Parameters
        ----------
        one, other : int
            Positions in the catalogue, in either order.

        Returns
        -------
        float
            1 for variants of one product. Otherwise how alike their titles are, within one
            category, or where neither has one; 0 below ``_ALIKE``.
        """
        return float(similarity_of(one, other, *self.arrays))

    def between(self, items: IxArray, others: IxArray) -> Floats:
        """Say how alike each of some products is to each of others.

        Parameters
        ----------
        items : ndarray of shape (k,), int32
            Positions in the catalogue.
        others : ndarray of shape (p,), int32
            Likewise.

        Returns
        -------
        ndarray of shape (k, p), float64
            As of ``of_pair``.
        """
        alike: Floats = _between(fixed(items), fixed(others), *self.arrays)
        return alike

    @cached_property
    def arrays(self) -> tuple[IntArray, IxArray, Weights, IxArray, Weights, int, int, float]:
        """Everything, in order."""
        return (
            self.indptr,
            self.features,
            self.weights,
            self.variant,
            self.common,
            self.words,
            self.categories,
            self.share,
        )


@compiled
def similarity_of(
    one: int,
    other: int,
    starts: IntArray,
    features: IxArray,
    weights: Weights,
    variant: IxArray,
    common: Weights,
    words: int,
    categories: int,
    share: float,
) -> float:
    """Return the similarity of two products; see ``ItemSimilarity.of_pair``.

    Merges the sorted features of both, words first, then categories. Compiled because ``_choose``
    calls it pair by pair.
    """
    if one == other or (variant[one] >= 0 and variant[one] == variant[other]):
        return 1.0
    a, b, ends, end = starts[one], starts[other], starts[one + 1], starts[other + 1]
    dot = 0.0
    while a < ends and b < end and features[a] < words and features[b] < words:
        if features[a] == features[b]:
            dot += weights[a] * weights[b]
            a += 1
            b += 1
        elif features[a] < features[b]:
            a += 1
        else:
            b += 1
    if dot == 0.0:
        return 0.0
    similarity = dot / share * common[one] * common[other]
    if similarity < _ALIKE:
        return 0.0
    while a < ends and features[a] < words:
        a += 1
    while b < end and features[b] < words:
        b += 1
    kind = features[a] if a < ends and features[a] < categories else -1
    other_kind = features[b] if b < end and features[b] < categories else -1
    return min(similarity, 1.0) if kind == other_kind else 0.0


@compiled
def _between(items: IxArray, others: IxArray, *arrays: Any) -> Floats:
    """Return the similarity of every pair; compiled to call ``similarity_of`` without Python."""
    out = np.empty((len(items), len(others)))
    for one in range(len(items)):
        for other in range(len(others)):
            out[one, other] = similarity_of(items[one], others[other], *arrays)
    return out
