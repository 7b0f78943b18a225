"""Boosted trees as flat arrays: their score of a candidate, and its attribution to features.

In: a learned ensemble, as arrays, and features of candidates. Out: log-odds. Learned by training,
stored in the artefact; serving walks the arrays and does not load LightGBM.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from recsys.datasets import IntArray, all_fixed, compiled, fixed

Floats = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Masks = npt.NDArray[np.uint32]

#: Leaves per tree that fit into one mask, one bit each.
_LEAVES: Final = 32
_EVERY: Final = (1 << _LEAVES) - 1
#: Candidates per block; more would not fit into the cache.
TOGETHER: Final = 128


@dataclass(frozen=True, eq=False)
class Trees:
    """An ensemble of ``n_trees`` regression trees; its value is their sum.

    Attributes
    ----------
    roots : ndarray of shape (n_trees,), int32
        First node of each.
    feature : ndarray of shape (n_nodes,), int32
        Feature column that a node compares; 0 at a leaf.
    threshold : ndarray of shape (n_nodes,), float64
    child : ndarray of shape (n_nodes,), int32
        Where to go if the feature is at most the threshold, and to the one behind it if it is
        more; -1 at a leaf.
    value : ndarray of shape (n_nodes,), float64
        Mean of what the node's leaves add, weighted by the cases that reach them; at a leaf what
        it adds.
    """

    roots: Ints
    feature: Ints
    threshold: Floats
    child: Ints
    value: Floats

    @classmethod
    def none(cls) -> Self:
        """An ensemble that adds nothing."""
        ints, floats = np.empty(0, np.int32), np.empty(0)
        return cls(ints, ints, floats, ints, floats)

    def __len__(self) -> int:
        """Return the number of trees."""
        return len(self.roots)

    def add(self, features: Features) -> Floats:
        """Return the sum of the trees for each candidate.

        Parameters
        ----------
        features : ndarray of shape (m, n_features), float32, C-contiguous

        Returns
        -------
        ndarray of shape (m,), float64
            Log-odds.
        """
        total = np.zeros(len(features))
        if self._leaf_masks is not None:
            given = (*all_fixed(features, *self._leaf_masks), total)
            _score_leaf_masks(*given)
            return total
        _score_nodes(*self._given(features, total))
        return total

    def _given(self, features: Features, *others: Any) -> Any:
        """Features, trees and others, as loops take them."""
        nodes = self.roots, self.feature, self.threshold, self.child, self.value
        return (*all_fixed(features, *nodes), *others)

    @cached_property
    def _leaf_masks(self) -> "LeafMasks | None":
        return _leaf_masks(self)

    def shares(self, features: Features, group: npt.NDArray[np.int32], n_groups: int) -> Floats:
        """Attribute the output of the trees to groups of features, by the path taken [1]_.

        Parameters
        ----------
        features : ndarray of shape (m, n_features), float32
        group : ndarray of shape (n_features,), int32
            Group of each feature, in ``[0, n_groups)``.
        n_groups : int

        Returns
        -------
        ndarray of shape (m, n_groups), float64
            Rows sum to ``add(features)`` less the mean of the ensemble.

        References
        ----------
        .. [1] Saabas (2014), Interpreting random forests: each step from a node to its child
           moves the expected value, and that is credited to the feature the node compares.
        """
        out = np.zeros((len(features), n_groups))
        _credit_features(*self._given(features, fixed(group), out))
        return out

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return all arrays by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Rebuild from the arrays that ``arrays`` returned.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            What ``arrays`` returned, for example memory-mapped.

        Returns
        -------
        Self
        """
        return cls(**{name: np.asarray(arrays[name]) for name in cls.__dataclass_fields__})


class LeafMasks(NamedTuple):
    """Trees whose nodes strike out leaves, instead of being walked [1]_.

    A node that goes right strikes out the leaves on its left; the first leaf that is left over,
    from the left, is where a walk ends.

    Attributes
    ----------
    starts : ndarray of shape (n_trees + 1,), int64
        Nodes of tree ``t`` are ``starts[t]:starts[t + 1]`` of the next three; leaves are not
        among them.
    feature : ndarray, int32
    threshold : ndarray, float32
        Tells the same features apart as in double precision.
    mask : ndarray, uint32
        Leaves that stay if the feature is more than the threshold, a bit each.
    ends : ndarray of shape (n_trees + 1,), int64
        Leaves of tree ``t``, from left to right, are ``ends[t]:ends[t + 1]`` of the next.
    value : ndarray, float64

    References
    ----------
    .. [1] Lucchese and others (2015), QuickScorer: a fast algorithm to rank documents with
       additive ensembles of regression trees.
    """

    starts: IntArray
    feature: Ints
    threshold: Features
    mask: Masks
    ends: IntArray
    value: Floats


def _leaf_masks(trees: Trees) -> LeafMasks | None:
    """Convert trees to leaf masks; None if one has too many leaves."""
    starts, ends = [0], [0]
    feature: list[int] = []
    threshold: list[float] = []
    mask: list[int] = []
    value: list[float] = []
    for root in trees.roots.tolist():
        first = len(value)
        ahead = [(root, -1, 0)]  # nodes to go to; or to come back to, from all on their left
        while ahead:
            node, place, before = ahead.pop()
            here, left = len(value) - first, int(trees.child[node])
            if place >= 0:
                mask[place] = _EVERY ^ (((1 << here) - 1) & ~((1 << before) - 1))
            elif left < 0:
                value.append(float(trees.value[node]))
            else:
                ahead += [(left + 1, -1, 0), (node, len(mask), here), (left, -1, 0)]
                feature.append(int(trees.feature[node]))
                threshold.append(float(trees.threshold[node]))
                mask.append(_EVERY)
        if len(value) - first > _LEAVES:
            return None
        starts.append(len(mask))
        ends.append(len(value))
    exact = np.array(threshold)
    with np.errstate(over="ignore"):
        single = exact.astype(np.float32)
    # What is more than the number in double precision is more than the next below it in single.
    lower = np.nextafter(single, np.float32(-np.inf))
    return LeafMasks(
        np.array(starts, np.int64),
        np.array(feature, np.int32),
        np.where(single > exact, lower, single).astype(np.float32),
        np.array(mask, np.uint32),
        np.array(ends, np.int64),
        np.array(value),
    )


@compiled
def _score_leaf_masks(
    features: Features,
    starts: IntArray,
    feature: Ints,
    threshold: Features,
    mask: Masks,
    ends: IntArray,
    value: Floats,
    total: Floats,
) -> None:
    """Add each tree's value to each candidate, by striking out leaves (QuickScorer).

    Walks blocks of ``TOGETHER`` candidates, trees in order, nodes in order; every node is compared
    with the whole block at once, which vectorises. Compiled because numpy would allocate a mask of
    (candidates, nodes).
    """
    m, width = features.shape
    block = np.zeros((width, TOGETHER), np.float32)
    left = np.empty(TOGETHER, np.uint32)
    lowest = np.empty(TOGETHER, np.float32)
    bits = lowest.view(np.int32)
    every = np.uint32(_EVERY)
    for start in range(0, m, TOGETHER):
        some = min(TOGETHER, m - start)
        for i in range(some):
            for column in range(width):
                block[column, i] = features[start + i, column]
        for tree in range(len(starts) - 1):
            left[:] = every
            for node in range(starts[tree], starts[tree + 1]):
                row, limit, stays = block[feature[node]], threshold[node], mask[node]
                for i in range(TOGETHER):
                    left[i] &= stays if row[i] > limit else every
            for i in range(TOGETHER):
                # The lowest bit alone; as a float, its exponent tells which one it is.
                lowest[i] = np.float32(np.uint32(left[i] & np.uint32(np.uint32(~left[i]) + 1)))
            first = ends[tree] - 127
            for i in range(some):
                total[start + i] += value[first + (bits[i] >> 23)]


@compiled
def _score_nodes(
    features: Features,
    roots: Ints,
    feature: Ints,
    threshold: Floats,
    child: Ints,
    value: Floats,
    total: Floats,
) -> None:
    """Add each tree's value to each candidate, by walking from root to leaf.

    Walks blocks of 256 candidates, and of a block one tree after the other, so that features and
    nodes stay in the cache. Compiled because the path depends on the candidate at every step.
    """
    for start in range(0, len(features), 256):
        for tree in range(len(roots)):
            for i in range(start, min(start + 256, len(features))):
                node = roots[tree]
                while child[node] >= 0:  # without a branch that could be guessed wrong
                    node = child[node] + (features[i, feature[node]] > threshold[node])
                total[i] += value[node]


@compiled
def _credit_features(
    features: Features,
    roots: Ints,
    feature: Ints,
    threshold: Floats,
    child: Ints,
    value: Floats,
    group: Ints,
    out: Floats,
) -> None:
    """Credit each step of each path to the group of the feature that the node compares.

    Walks candidates, then trees, then nodes from root to leaf; compiled for the same reason as
    ``_score_nodes``.
    """
    for i in range(len(features)):
        for tree in range(len(roots)):
            node = roots[tree]
            while child[node] >= 0:
                to = child[node] + (features[i, feature[node]] > threshold[node])
                out[i, group[feature[node]]] += value[to] - value[node]
                node = to
