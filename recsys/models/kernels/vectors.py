"""Vectors of products, and the products whose inner product with a customer's is largest.

Vectors come in from ``fit``; out come the best products for a batch of customers, exactly, with
most of the catalogue left unread. Used by the models that give each product a vector.
"""

from typing import NamedTuple

import numpy as np

from recsys.datasets import IntArray, IxArray, fixed, summing
from recsys.models.kernels.top_k import Floats, Recommendations, Scores, top_of_lists


class Vectors(NamedTuple):
    """One vector for each product that has any.

    Attributes
    ----------
    factors : ndarray of shape (n_vectors, width), float32
        Longest first.
    items : ndarray of shape (n_vectors,), int32
        Whose vector each is.
    place : ndarray of shape (n_items,), int32
        Row of each product in ``factors``; -1 where it has none.
    norms : ndarray of shape (n_vectors,), float32
        Length of each vector, falling, rounded up.
    """

    factors: Scores
    items: IxArray
    place: IxArray
    norms: Scores

    @classmethod
    def of(cls, factors: Scores, items: IxArray, n_items: int) -> "Vectors":
        """Sort vectors by length, and leave out those without any.

        Parameters
        ----------
        factors : ndarray of shape (n, width), float32
        items : ndarray of shape (n,), int32
            Ascending.
        n_items : int
            Size of the catalogue.
        """
        lengths = np.sqrt(np.einsum("if,if->i", factors, factors, dtype=np.float64))
        order = np.argsort(-lengths, kind="stable")
        order = order[lengths[order] > 0]
        kept = items[order].astype(np.int32)
        place = np.full(n_items, -1, np.int32)
        place[kept] = np.arange(len(order), dtype=np.int32)
        norms = np.nextafter(lengths[order].astype(np.float32), np.float32(np.inf))
        return cls(np.ascontiguousarray(factors[order]), kept, place, norms)

    def top(self, X: Floats, n: int) -> Recommendations:
        """Return the products with the largest inner products, with most of the vectors unread.

        Parameters
        ----------
        X : ndarray of shape (n_customers, width), float64
            The customers' vectors; zeros for one of whom nothing is known.
        n : int
            Products to return for each, at most.

        Notes
        -----
        No score is larger than the product of both lengths. Vectors are sorted by length, so the
        scan ends where even that is too little; for most customers after a few thousand.
        """
        n = min(n, len(self.items))
        indptr, places = _promising(n, *map(fixed, (X, self.factors, self.norms)))
        items = self.items[places]
        return top_of_lists(indptr, items, self.score(X, indptr, items), n)

    def score(self, X: Floats, indptr: IntArray, item_ix: IxArray) -> Scores:
        """Score given products, ``item_ix[indptr[r]:indptr[r + 1]]`` for row ``r`` of ``X``.

        Those without a vector get 0.
        """
        return _scored(*map(fixed, (X, indptr, self.place[item_ix], self.factors)))


@summing
def _scored(X: Floats, indptr: IntArray, places: IxArray, factors: Scores) -> Scores:
    """Inner products of each row of ``X`` with its products' vectors, row by row.

    Compiled, because numpy would copy a vector for every entry.
    """
    scores = np.zeros(len(places), np.float32)
    width = X.shape[1]
    for r in range(len(indptr) - 1):
        for at in range(indptr[r], indptr[r + 1]):
            if places[at] >= 0:
                total = 0.0
                for f in range(width):
                    total += X[r, f] * factors[places[at], f]
                scores[at] = total
    return scores


@summing
def _promising(n: int, X: Floats, factors: Scores, norms: Scores) -> tuple[IntArray, IntArray]:
    """Positions of each row's best ``n``, and of all that rounding might put there.

    Walks the vectors from the longest; a heap of the best ``n`` scores tells when no further one
    can be among them. Compiled, because numpy would multiply by all vectors.
    """
    n_rows, width = X.shape
    indptr = np.zeros(n_rows + 1, np.int64)
    places = np.empty(n_rows * (n + n // 4 + 8), np.int64)
    place, score = np.empty(len(norms), np.int64), np.empty(len(norms), np.float64)
    heap = np.empty(n, np.float64)
    for r in range(n_rows):
        squares = 0.0
        for f in range(width):
            squares += X[r, f] * X[r, f]
        length = np.sqrt(squares)
        seen = size = 0
        bar = slack = 0.0
        for p in range(len(norms) if length > 0 and n > 0 else 0):
            if p == 0:
                slack = 1e-6 * norms[0] * length  # scores are kept in single precision
            if size == n and norms[p] * length < bar - slack:
                break
            total = 0.0
            for f in range(width):
                total += X[r, f] * factors[p, f]
            if size == n and total < bar - slack:
                continue
            place[seen], score[seen] = p, total
            seen += 1
            # A heap of the best so far, the least of them in front.
            if size < n:
                at = size
                while at > 0 and heap[(at - 1) >> 1] > total:
                    heap[at] = heap[(at - 1) >> 1]
                    at = (at - 1) >> 1
                heap[at] = total
                size += 1
            elif total > bar:
                at, child = 0, 1
                while child < n:
                    if child + 1 < n and heap[child + 1] < heap[child]:
                        child += 1
                    if heap[child] >= total:
                        break
                    heap[at] = heap[child]
                    at, child = child, 2 * child + 1
                heap[at] = total
            bar = heap[0]
        end = indptr[r]
        if end + seen > len(places):
            wider = np.empty(2 * len(places) + seen, np.int64)
            wider[:end] = places[:end]
            places = wider
        for at in range(seen):
            if size < n or score[at] >= bar - slack:
                places[end] = place[at]
                end += 1
        indptr[r + 1] = end
    return indptr, places[: indptr[-1]].copy()
