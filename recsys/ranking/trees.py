"""Boosted trees as flat arrays: what they add to a candidate, and which features it came from.

A learned ensemble comes in once, as arrays; features of candidates come in, log-odds come out.
Learned by training, stored in the artefact; serving walks the arrays and loads no library that
learned them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from recsys.matrices.compiled import compiled

Floats = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Trees:
    """An ensemble of ``n_trees`` regression trees; its value is their sum.

    Attributes
    ----------
    roots : ndarray of shape (n_trees,), int32
        First node of each.
    feature : ndarray of shape (n_nodes,), int32
        Column that a node asks for; 0 at a leaf.
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
        """Say what the trees add to each candidate.

        Parameters
        ----------
        features : ndarray of shape (m, n_features), float32, C-contiguous

        Returns
        -------
        ndarray of shape (m,), float64
            Log-odds.
        """
        total = np.zeros(len(features))
        _walk(features, self.roots, self.feature, self.threshold, self.child, self.value,
              total)  # fmt: skip
        return total

    def shares(self, features: Features, group: npt.NDArray[np.int32], n_groups: int) -> Floats:
        """Divide what the trees add among groups of features, by the path that was taken [1]_.

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
           moves the expected value, and that is credited to the feature the node asked for.
        """
        out = np.zeros((len(features), n_groups))
        _credit(features, self.roots, self.feature, self.threshold, self.child, self.value,
                group, out)  # fmt: skip
        return out

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything, by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Rebuild from what ``arrays`` gave."""
        return cls(**{name: np.asarray(arrays[name]) for name in cls.__dataclass_fields__})


@compiled
def _walk(
    features: Features, roots: Ints, feature: Ints, threshold: Floats, child: Ints, value: Floats,
    total: Floats,
) -> None:  # fmt: skip
    # Some candidates at a time, and of these a tree at a time: features and nodes stay in the
    # cache. Sums are added in the trees' order.
    for start in range(0, len(features), 256):
        stop = min(start + 256, len(features))
        for tree in range(len(roots)):
            root = roots[tree]
            i = start
            while i + 3 < stop:  # four walk at once: while one waits for its node, others go on
                a = b = c = d = root
                to_a = to_b = to_c = to_d = child[root]
                while (to_a & to_b & to_c & to_d) >= 0:  # until all are at a leaf, at -1
                    a = to_a + (features[i, feature[a]] > threshold[a]) if to_a >= 0 else a
                    b = to_b + (features[i + 1, feature[b]] > threshold[b]) if to_b >= 0 else b
                    c = to_c + (features[i + 2, feature[c]] > threshold[c]) if to_c >= 0 else c
                    d = to_d + (features[i + 3, feature[d]] > threshold[d]) if to_d >= 0 else d
                    to_a, to_b, to_c, to_d = child[a], child[b], child[c], child[d]
                total[i] += value[a]
                total[i + 1] += value[b]
                total[i + 2] += value[c]
                total[i + 3] += value[d]
                i += 4
            while i < stop:
                node = root
                while child[node] >= 0:  # without a branch that could be guessed wrong
                    node = child[node] + (features[i, feature[node]] > threshold[node])
                total[i] += value[node]
                i += 1


@compiled
def _credit(
    features: Features, roots: Ints, feature: Ints, threshold: Floats, child: Ints, value: Floats,
    group: Ints, out: Floats,
) -> None:  # fmt: skip
    for i in range(len(features)):
        for tree in range(len(roots)):
            node = roots[tree]
            while child[node] >= 0:
                to = child[node] + (features[i, feature[node]] > threshold[node])
                out[i, group[feature[node]]] += value[to] - value[node]
                node = to
