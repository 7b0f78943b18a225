"""Implicit-feedback factors, and customers folded into them when they ask.

Customers × products come in, one factor vector a product comes out; customers' own vectors are
not kept. ``fit`` runs implicit's solver; scoring is ours and does not load implicit.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from recsys.matrices.ids import IxArray
from recsys.model_settings import Als as Settings
from recsys.models.base import Floats, Model, Row, Scores
from recsys.models.vectors import Vectors

if TYPE_CHECKING:
    from scipy import sparse

    from recsys.matrices.baskets import Training


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
    settings : recsys.model_settings.Als

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
        vectors = Vectors.of(factors, items, training.n_items)
        self.factors_, self.items_, self.place_, self.norms_ = vectors
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
        place = row.scratch.get((self, n))
        if place is None:
            (place,) = self._vectors.promising([x], n)
        return self.items_[place], self._vectors.exact(x, place)

    def _prepare(self, rows: Sequence[Row], n: int) -> None:
        known = [(row, x) for row in rows if (x := row.once(self.fold_in)) is not None]
        found = self._vectors.promising([x for _, x in known], n)
        for (row, _), place in zip(known, found, strict=True):
            row.scratch[self, n] = place

    def _score(self, row: Row, item_ix: IxArray) -> Scores:
        return self._vectors.score(row.once(self.fold_in), item_ix)

    @property
    def _vectors(self) -> Vectors:
        return Vectors(self.factors_, self.items_, self.place_, self.norms_)
