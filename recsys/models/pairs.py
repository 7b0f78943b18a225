"""Counts how often two products lie in one basket.

Orders × products come in; out come the pairs with enough support, a block of products at a time,
so that memory follows the block and not the catalogue. Called by ``copurchase``.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recsys.matrices.ids import IxArray

#: Multiplications in a block. As many counts at most are held at once, and they fit the
#: processor's cache: larger blocks take longer.
BLOCK: Final = 1 << 20


class Counts(NamedTuple):
    """Pairs of some products with all others, both directions, sorted by ``a``, then ``b``.

    Attributes
    ----------
    a, b : ndarray, int32
        Two different products.
    support : ndarray, int32
        Baskets that hold both.
    """

    a: IxArray
    b: IxArray
    support: IxArray


def count(items: sparse.csr_array, min_support: int, block: int = BLOCK) -> Iterator[Counts]:
    """Count the pairs that lie together in at least ``min_support`` baskets.

    Parameters
    ----------
    items : csr_array of shape (n_orders, n_items)
        Nonzero where an order holds a product.
    min_support : int
        Baskets, at least 1.
    block : int
        Multiplications at a time, unless there are more products than that.

    Yields
    ------
    Counts
        All pairs of a range of products; the ranges ascend.
    """
    # A product in fewer baskets than that cannot be in a pair with more.
    often = np.flatnonzero(np.bincount(items.indices, minlength=items.shape[1]) >= min_support)
    baskets = sparse.csr_array(items[:, often], dtype=np.int32)
    baskets.data[:] = 1
    products = sparse.csr_array(baskets.T)  # rows of sorted orders
    block = max(block, len(often))  # each block has a cost of that order, too
    for start, stop in _ranges(products, np.diff(baskets.indptr), block):
        together = products[start:stop] @ baskets
        keep = np.flatnonzero(together.data >= min_support)
        b, support = together.indices[keep], together.data[keep]
        a = start + np.searchsorted(together.indptr, keep, side="right") - 1
        order = np.lexsort((b, a))
        order = order[a[order] != b[order]]
        yield Counts(
            often[a[order]].astype(np.int32),
            often[b[order]].astype(np.int32),
            support[order].astype(np.int32),
        )


def _ranges(
    products: sparse.csr_array, sizes: npt.NDArray[np.integer], block: int
) -> Iterator[tuple[int, int]]:
    """Cut the products so that each range costs about ``block`` multiplications."""
    ends = np.concatenate([[0], np.cumsum(sizes[products.indices], dtype=np.int64)])
    cost = ends[products.indptr]
    start, n = 0, products.shape[0]
    while start < n:
        stop = int(np.searchsorted(cost, cost[start] + block, side="right")) - 1
        stop = min(n, max(stop, start + 1))
        yield start, stop
        start = stop
