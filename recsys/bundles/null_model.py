"""What baskets would hold together by chance.

Baskets come in; out come the chances that a product lies in a basket of some size, if every
product were put into baskets at random, as often as it was bought and into baskets as large as
they were. Called by the modules that find bundles.

What lies in large baskets lies there beside much else: a product that is bought on big shopping
trips meets all others more often than it would if baskets were alike.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.datasets import Baskets, IntArray, IxArray, compiled

Floats = npt.NDArray[np.float64]

#: Rounds at most, and how far from the counts the chances may be at the end.
_ROUNDS: Final = 300
_NEAR: Final = 1e-7


@dataclass(frozen=True, eq=False)
class NullModel:
    """Chances of a product to lie in a basket, by how often it was bought and the basket's size.

    ``p = x_i y_s / (1 + x_i y_s)`` for product ``i`` and size ``s`` has the products' counts and
    the baskets' sizes as its sums [1]_; products bought equally often have the same chance.

    Attributes
    ----------
    size_of : ndarray of shape (n_orders,), int32
        Which of ``sizes`` each order has.
    sizes : ndarray of shape (n_sizes,), int64
        Products of a basket, ascending, each once.
    n_of_size : ndarray of shape (n_sizes,), float64
        Baskets.
    count_of : ndarray of shape (n_items,), int32
        Row of ``share`` of each product.
    share : ndarray of shape (n_counts, n_sizes), float64
        Chance of a product to lie in a basket.
    pull : ndarray of shape (n_orders,), float64
        ``y`` of each order: how much it draws products.
    pairs : ndarray of shape (n_sizes,), float64
        By what chances of two products are multiplied, so that a basket has as many pairs as it
        has.

    References
    ----------
    .. [1] Saracco, Di Clemente, Gabrielli, Squartini (2015), Randomizing bipartite networks: the
       case of the World Trade Web, Scientific Reports.
    """

    size_of: IxArray
    sizes: IntArray
    n_of_size: Floats
    count_of: IxArray
    share: Floats
    pull: Floats
    pairs: Floats

    @classmethod
    def of(cls, baskets: Baskets) -> "NullModel":
        """Find them for baskets."""
        items = baskets.items
        lengths = np.diff(items.indptr).astype(np.int64)
        sizes, size_of, n_of_size = np.unique(lengths, return_inverse=True, return_counts=True)
        counts, count_of, n_of_count = np.unique(
            np.bincount(items.indices, minlength=items.shape[1]),
            return_inverse=True,
            return_counts=True,
        )
        share, pull = _fitted(
            counts.astype(np.float64),
            n_of_count.astype(np.float64),
            sizes.astype(np.float64),
            n_of_size.astype(np.float64),
        )
        twice = n_of_count @ share**2
        room = sizes.astype(np.float64) ** 2 - twice
        pairs = np.where(sizes > 1, sizes * (sizes - 1.0) / np.where(room > 0, room, 1.0), 0.0)
        return cls(
            size_of.astype(np.int32).ravel(),
            sizes,
            n_of_size.astype(np.float64),
            count_of.astype(np.int32).ravel(),
            share,
            pull[size_of.ravel()],
            pairs,
        )

    def together(self, a: IxArray, b: IxArray, weight: Floats | None = None) -> Floats:
        """Baskets that would hold both products of each pair.

        Parameters
        ----------
        a, b : ndarray of shape (n,), int32
        weight : ndarray of shape (n_sizes,), float64, optional
            What a basket of each size counts; 1 by default.
        """
        of_size = self.n_of_size * self.pairs
        if weight is not None:
            of_size = of_size * weight
        return _together(self.count_of[a], self.count_of[b], self.share, of_size)

    def by_size(self, group_of: IxArray, n_groups: int) -> Floats:
        """Baskets of groups of sizes that hold products, shape (n_counts, n_groups).

        Parameters
        ----------
        group_of : ndarray of shape (n_sizes,), int32
            Group of each of ``sizes``.
        n_groups : int
        """
        into = np.zeros((len(self.sizes), n_groups))
        into[np.arange(len(self.sizes)), group_of] = self.n_of_size
        found: Floats = self.share @ into
        return found


@compiled
def _fitted(
    counts: Floats, n_of_count: Floats, sizes: Floats, n_of_size: Floats
) -> tuple[Floats, Floats]:
    """Find ``p`` by count and size, and ``y`` of each size, as ``NullModel`` explains.

    A round solves the paper's two sums one behind the other: first each ``x_i``, so that its
    chances add up to the product's count, then each ``y_s`` with the new ``x``, so that they add up
    to the basket's size. Ends when all counts are met to within ``_NEAR``. Compiled because a round
    reads its own results and there may be hundreds.
    """
    root = max(np.sqrt((sizes * n_of_size).sum()), 1.0)
    x, y = counts / root, sizes / root
    share = np.zeros((len(x), len(y)))
    for _ in range(_ROUNDS):
        for i in range(len(x)):
            total = 0.0
            for s in range(len(y)):
                total += n_of_size[s] * y[s] / (1.0 + x[i] * y[s])
            x[i] = counts[i] / total if total > 0.0 else 0.0
        for s in range(len(y)):
            total = 0.0
            for i in range(len(x)):
                total += n_of_count[i] * x[i] / (1.0 + x[i] * y[s])
            y[s] = sizes[s] / total if total > 0.0 else 0.0
        off = 0.0
        for i in range(len(x)):
            total = 0.0
            for s in range(len(y)):
                share[i, s] = x[i] * y[s] / (1.0 + x[i] * y[s])
                total += n_of_size[s] * share[i, s]
            if counts[i] > 0.0:
                off = max(off, abs(total / counts[i] - 1.0))
        if off < _NEAR:
            break
    return share, y


@compiled
def _together(a: IxArray, b: IxArray, share: Floats, weight: Floats) -> Floats:
    """Add up ``p_as p_bs`` over sizes ``s``, times what baskets of a size count.

    Pair by pair, sizes ascending, so that a pair has the same bits among any others. Compiled
    because numpy would copy two rows of ``share`` for every pair.
    """
    expected = np.zeros(len(a))
    for pair in range(len(a)):
        total = 0.0
        for s in range(len(weight)):
            total += share[a[pair], s] * share[b[pair], s] * weight[s]
        expected[pair] = total
    return expected
