"""Vectors of products, and the products whose inner product with a customer's is largest.

Vectors come in from ``fit``; out come the best products for a batch of customers, exactly, with
most of the catalogue left unread. Used by the models that give each product a vector.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.matrices.ids import IxArray
from recsys.models.questions import Floats

Scores = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]

#: Products scored before the first look at whether the rest can still matter.
_FIRST: Final = 2_048
#: Customers whose products are scored together, which bounds the memory.
_TOGETHER: Final = 32


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

    def promising(self, X: Sequence[Floats], n: int) -> list[Places]:
        """Find the places of each customer's best ``n``, and of all that rounding might put there.

        Parameters
        ----------
        X : sequence of ndarrays of shape (width,), float64
            The customers' vectors.
        n : int
            Products wanted for each.

        Returns
        -------
        list of ndarray, int64
            Rows of ``factors``, ascending; the best by ``exact`` are among them, whoever else
            was asked about.

        Notes
        -----
        No score is larger than the product of both lengths. Vectors are sorted by length, so the
        scan ends where even that is too little; for most customers after a few thousand. Several
        customers are scanned at once, since that takes a fraction of the time; rounding may
        differ then, but not beyond ``_Scan.slack``.
        """
        found: list[Places] = []
        for start in range(0, len(X), _TOGETHER):
            found += self._scanned(np.stack(X[start : start + _TOGETHER]), n)
        return found

    def _scanned(self, X: Floats, n: int) -> list[Places]:
        scans = [_Scan(x, float(self.norms[0]) if len(self.norms) else 0.0, n) for x in X]
        X32, left = X.astype(np.float32), np.arange(len(X))
        stop, size = 0, max(_FIRST, 2 * n)
        while len(left) and stop < len(self.norms):
            scores = X32[left] @ self.factors[stop : stop + size].T
            for one, part in zip(left.tolist(), scores, strict=True):
                scans[one].add(part, stop)
            stop, size = stop + scores.shape[1], 2 * size
            if stop < len(self.norms):
                longest = float(self.norms[stop])
                left = left[[scans[one].may_rise(longest) for one in left.tolist()]]
        return [scan.places for scan in scans]

    def exact(self, x: Floats, place: npt.NDArray[np.integer]) -> Scores:
        """Score the vectors at given places, whatever else is scored: each one by itself."""
        return np.asarray((self.factors[place] * x).sum(axis=1), np.float32)

    def score(self, x: Floats | None, item_ix: IxArray) -> Scores:
        """Score given products; 0 for those without a vector, and without a customer's."""
        scores = np.zeros(len(item_ix), np.float32)
        place = self.place[item_ix]
        known = np.flatnonzero(place >= 0)
        if x is not None and len(known):
            scores[known] = self.exact(x, place[known])
        return scores


class _Scan:
    """The places that may hold one customer's best ``n`` products, in a scan so far."""

    def __init__(self, x: Floats, longest: float, n: int) -> None:
        self.length = float(np.sqrt(x @ x))
        # Of a sum in single precision.
        self.slack = 4 * len(x) * float(np.finfo(np.float32).eps) * longest * self.length
        self.n = n
        self.bar = -np.inf
        self.places = np.empty(0, np.int64)
        self.scores = np.empty(0, np.float32)

    def add(self, scores: Scores, start: int) -> None:
        """Take in the scores of the places from ``start`` on."""
        places = np.flatnonzero(scores >= self.bar - 2 * self.slack)
        self.places = np.concatenate([self.places, places + start])
        self.scores = np.concatenate([self.scores, scores[places]])
        if len(self.scores) >= self.n:
            at = len(self.scores) - self.n
            self.bar = float(np.partition(self.scores, at)[at])
            keep = self.scores >= self.bar - 2 * self.slack
            self.places, self.scores = self.places[keep], self.scores[keep]

    def may_rise(self, longest: float) -> bool:
        """Whether vectors up to ``longest`` can still be among the best."""
        return longest * self.length >= self.bar - self.slack
