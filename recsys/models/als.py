"""Implicit-feedback factors, and customers folded into them when they ask.

Customers × products come in, one factor vector a product comes out; customers' own vectors are
not kept. ``fit`` runs implicit's solver; scoring is ours and does not load implicit.
"""

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from recsys.config import AlsSettings as Settings
from recsys.datasets import Batch, IntArray, IxArray, Lists, fixed, summing
from recsys.models.base import Floats, Model, Recommendations, Scores
from recsys.models.kernels.vectors import Vectors

if TYPE_CHECKING:
    from scipy import sparse

    from recsys.datasets import TrainingSet


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
    settings : recsys.config.model_settings.AlsSettings

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

    def fit(self, training: "TrainingSet") -> Self:
        """Factorise from a fresh start; see ``Model.fit``.

        Parameters
        ----------
        training : TrainingSet
            Its ``interest`` is factorised, with its ``seed`` and ``threads``.

        Returns
        -------
        Self
            This model.
        """
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

    def fold_in(self, batch: Batch) -> Floats:
        """Work out customers' vectors from their histories.

        Parameters
        ----------
        batch : Batch
            Of ``n`` customers.

        Returns
        -------
        ndarray of shape (n, factors), float64
            The ``x_u`` that solves ``(YtY + lambda I + Yt (C_u - I) Y) x_u = Yt C_u p_u``; zeros
            where no product that they like is known.
        """
        found = batch.interest(self.settings.half_life_days, self.settings.weights)
        given = found.indptr, self.place_[found.item_ix], found.weight, self.factors_, self.gram_
        return _folded(float(self.settings.alpha), float(self.ridge_), *map(fixed, given))

    def _top(self, batch: Batch, n: int) -> Recommendations:
        return self._vectors.top(batch.once(self.fold_in, lambda: self.fold_in(batch)), n)

    def _score(self, batch: Batch, items: Lists) -> Scores:
        X = batch.once(self.fold_in, lambda: self.fold_in(batch))
        return self._vectors.score(X, items.indptr, items.item_ix)

    @property
    def _vectors(self) -> Vectors:
        return Vectors(self.factors_, self.items_, self.place_, self.norms_)


@summing
def _folded(
    alpha: float,
    ridge: float,
    indptr: IntArray,
    place: IxArray,
    r: Floats,
    Y: Scores,
    gram: Floats,
) -> Floats:
    """Solve each customer's ``x_u``: build ``YtY + Yt (C_u - I) Y + lambda I``, then Cholesky.

    Walks a customer's products four at a time, so that the matrix is passed over a quarter as
    often. Compiled, because numpy would solve one small system a call.
    """
    n, width = len(indptr) - 1, Y.shape[1]
    X = np.zeros((n, width), np.float64)
    A, L = np.empty((width, width), np.float64), np.zeros((width, width), np.float64)
    few = np.zeros((4, width), np.float64)  # so many products are added at once
    extra = np.zeros(4, np.float64)
    for u in range(n):
        liked = False
        for at in range(indptr[u], indptr[u + 1]):
            liked = liked or (place[at] >= 0 and r[at] > 0)
        if not liked:
            continue
        A[:] = gram
        b = X[u]
        held = 0
        for at in range(indptr[u], indptr[u + 1]):
            if place[at] >= 0 and r[at] != 0:
                y = Y[place[at]]
                extra[held] = alpha * abs(r[at])  # c_ui - 1
                for i in range(width):
                    few[held, i] = y[i]
                if r[at] > 0:  # c_ui p_ui
                    for i in range(width):
                        b[i] += (1 + extra[held]) * y[i]
                held += 1
            if held == 4 or (at == indptr[u + 1] - 1 and held > 0):
                extra[held:] = 0.0
                held = 0
                for i in range(width):
                    c0, c1 = extra[0] * few[0, i], extra[1] * few[1, i]
                    c2, c3 = extra[2] * few[2, i], extra[3] * few[3, i]
                    for j in range(i + 1):
                        A[i, j] += (c0 * few[0, j] + c1 * few[1, j]) + (
                            c2 * few[2, j] + c3 * few[3, j]
                        )
        # Cholesky: A = L Lt.
        for i in range(width):
            for j in range(i + 1):
                total = A[i, j]
                if i == j:
                    total += ridge
                for k in range(j):
                    total -= L[i, k] * L[j, k]
                L[i, j] = np.sqrt(total) if i == j else total / L[j, j]
        for i in range(width):
            total = b[i]
            for k in range(i):
                total -= L[i, k] * b[k]
            b[i] = total / L[i, i]
        for i in range(width - 1, -1, -1):
            b[i] /= L[i, i]
            for k in range(i):
                b[k] -= L[i, k] * b[i]
    return X
