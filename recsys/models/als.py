"""Implicit-feedback factors, and customers folded into them when they ask.

Customers × products come in, one factor vector a product comes out; customers' own vectors are
not kept. ``fit`` runs implicit's solver; scoring is ours and does not load implicit.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt

from recsys.matrices.ids import IxArray
from recsys.models.base import Floats, Model, Row, Scores
from recsys.settings import Als as Settings

if TYPE_CHECKING:
    from scipy import sparse

    from recsys.matrices.baskets import Training

#: Products scored before the first look at whether the rest can still matter.
_FIRST: Final = 2_048
#: Customers whose products are scored together, which bounds the memory.
_TOGETHER: Final = 32


class Als(Model):
    """Weighted matrix factorisation of what customers bought, put into carts and looked at.

    A customer whose interactions with product ``i``, weighted and decayed, add up to ``r_ui`` is
    taken to like it with confidence ``c_ui = 1 + alpha r_ui``, and not to like the rest with
    confidence 1 [1]_. Where returns make ``r_ui`` negative they are taken not to like it with
    confidence ``1 + alpha |r_ui|``. ``lambda`` grows with the confidences: it is
    ``regularization`` times the root of their summed squares, in which singular values of the
    data stay alike whatever its size.
    A customer's vector is the exact minimiser for their history, and the score of a product is
    its inner product with that.

    Parameters
    ----------
    settings : recsys.settings.Als

    Attributes
    ----------
    factors_ : ndarray of shape (n_bought, factors), float32
        Vectors of the products that anyone bought, longest first.
    items_ : ndarray of shape (n_bought,), int32
        Whose vector each is.
    place_ : ndarray of shape (n_items,), int32
        Row of each product in ``factors_``; -1 where nobody bought it.
    norms_ : ndarray of shape (n_bought,), float32
        Length of each vector, falling, rounded up.
    ridge_ : ndarray of shape (), float64
        ``lambda``.
    gram_ : ndarray of shape (factors, factors), float64
        ``YtY`` of all vectors.

    References
    ----------
    .. [1] Hu, Koren, Volinsky (2008), Collaborative filtering for implicit feedback datasets,
       ICDM.
    """

    name: ClassVar[str] = "als"
    learned: ClassVar[tuple[str, ...]] = (
        "factors_",
        "items_",
        "place_",
        "norms_",
        "ridge_",
        "gram_",
    )

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()

    def fit(self, training: "Training") -> Self:
        """Factorise from a fresh start; see ``Model.fit``."""
        from scipy import sparse

        liking = training.interest(self.settings.half_life_days, self.settings.weights)
        items = np.unique(liking.indices)
        # implicit wants the older class, and each confidence as c_ui, below zero for p_ui = 0.
        confidence = sparse.csr_matrix(liking[:, items], dtype=np.float32)
        extra = np.float32(self.settings.alpha) * confidence.data
        confidence.data = np.copysign(1 + np.abs(extra), extra)
        length = float(np.sqrt((confidence.data.astype(np.float64) ** 2).sum()))
        # Never zero, so that there is always one solution.
        self.ridge_ = np.asarray(max(self.settings.regularization * length, 1e-6))
        factors = np.empty((0, self.settings.factors), np.float32)
        if len(items):
            factors = self._factorise(confidence, training.seed, training.threads)
        lengths = np.sqrt(np.einsum("if,if->i", factors, factors, dtype=np.float64))
        order = np.argsort(-lengths, kind="stable")
        order = order[lengths[order] > 0]
        self.factors_ = np.ascontiguousarray(factors[order])
        self.items_ = items[order].astype(np.int32)
        self.place_ = np.full(training.n_items, -1, np.int32)
        self.place_[self.items_] = np.arange(len(order), dtype=np.int32)
        self.norms_ = np.nextafter(lengths[order].astype(np.float32), np.float32(np.inf))
        wide = self.factors_.astype(np.float64)
        self.gram_ = wide.T @ wide
        return self

    def _factorise(self, confidence: "sparse.csr_matrix", seed: int, threads: int) -> Scores:
        """Factors of the columns, by implicit."""
        from implicit.cpu.als import AlternatingLeastSquares
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1, "blas"):  # two pools of threads slow each other down
            model = AlternatingLeastSquares(
                factors=self.settings.factors,
                regularization=float(self.ridge_),
                alpha=1.0,
                iterations=self.settings.iterations,
                num_threads=threads,
                random_state=seed,
            )
            model.fit(confidence, show_progress=False)
        return np.asarray(model.item_factors, np.float32)

    @property
    def n_items(self) -> int:
        """Size of the catalogue that was learned."""
        return len(self.place_)

    def fold_in(self, row: Row) -> Floats | None:
        """Work out a customer's vector from their history.

        Parameters
        ----------
        row : Row

        Returns
        -------
        ndarray of shape (factors,), float64, or None
            The ``x_u`` that solves ``(YtY + lambda I + Yt (C_u - I) Y) x_u = Yt C_u p_u``; None
            where no product that they like is known.
        """
        items, r = row.interest(self.settings.half_life_days, self.settings.weights)
        place = self.place_[items]
        known = (place >= 0) & (r != 0)
        r, place = r[known], place[known]
        if not (r > 0).any():
            return None
        Y = self.factors_[place].astype(np.float64)
        extra = self.settings.alpha * np.abs(r)  # c_ui - 1
        weighted = np.sqrt(extra)[:, np.newaxis] * Y
        A = weighted.T @ weighted
        A += self.gram_
        A.flat[:: len(A) + 1] += float(self.ridge_)
        preferred = np.where(r > 0, 1 + extra, 0.0)  # c_ui p_ui
        return np.asarray(np.linalg.solve(A, preferred @ Y), np.float64)

    def _best(self, row: Row, n: int) -> tuple[IxArray, Scores]:
        x = row.once(self.fold_in)
        if x is None:
            return np.empty(0, np.int32), np.empty(0, np.float32)
        key = (self, "promising", n)
        if key not in row.scratch:
            self._promising([row], n)
        place = row.scratch[key]
        return self.items_[place], self._exact(x, place)

    def _prepare(self, rows: Sequence[Row], n: int) -> None:
        asked = [row for row in rows if row.once(self.fold_in) is not None]
        for start in range(0, len(asked), _TOGETHER):
            self._promising(asked[start : start + _TOGETHER], n)

    def _promising(self, rows: Sequence[Row], n: int) -> None:
        """Find the places of each row's best ``n``, and of all that rounding might put there.

        No score is larger than the product of both lengths. Vectors are sorted by length, so
        the scan ends where even that is too little; for most customers after a few thousand.
        Several customers are scanned at once, since that takes a fraction of the time; rounding
        may differ then, but not beyond ``slack``, so the best are among those found either way.
        """
        X = np.stack([x for row in rows if (x := row.once(self.fold_in)) is not None])
        found = [_Promising(x, float(self.norms_[0]), n) for x in X]
        X32, left = X.astype(np.float32), np.arange(len(rows))
        stop, size = 0, max(_FIRST, 2 * n)
        while len(left) and stop < len(self.norms_):
            scores = X32[left] @ self.factors_[stop : stop + size].T
            for one, part in zip(left.tolist(), scores, strict=True):
                found[one].add(part, stop)
            stop, size = stop + scores.shape[1], 2 * size
            if stop < len(self.norms_):
                longest = float(self.norms_[stop])
                left = left[[found[one].may_rise(longest) for one in left.tolist()]]
        for row, of in zip(rows, found, strict=True):
            row.scratch[self, "promising", n] = of.places

    def _exact(self, x: Floats, place: npt.NDArray[np.integer]) -> Scores:
        """Scores that do not depend on how many are worked out at once."""
        return np.asarray((self.factors_[place] * x).sum(axis=1), np.float32)

    def _score(self, row: Row, item_ix: IxArray) -> Scores:
        scores = np.zeros(len(item_ix), np.float32)
        x = row.once(self.fold_in)
        place = self.place_[item_ix]
        known = np.flatnonzero(place >= 0)
        if x is not None and len(known):
            scores[known] = self._exact(x, place[known])
        return scores


class _Promising:
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
