"""Similar customers: what those with a like history buy, most recent habits first.

Customers × products come in, weights between products come out; no customer is kept. What a
customer bought speaks for what customers with a similar history have besides it.
"""

from typing import TYPE_CHECKING, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt

from recsys.config import NeighboursSettings as Settings
from recsys.datasets import Batch, IntArray, IxArray, Lists, compiled, fixed
from recsys.models.base import Floats, Model, Recommendations, Scores
from recsys.models.kernels.top_k import scores_in_lists, top_of_lists
from recsys.models.kernels.votes import item_votes, no_votes, sum_votes

if TYPE_CHECKING:
    from scipy import sparse

    from recsys.datasets import TrainingSet

#: Smaller weights are dropped.
_WEAKEST: Final = 1e-4
#: Below this lambda, products that are much alike want double precision.
_WELL_CONDITIONED: Final = 0.1
#: Side of the squares in which a matrix is turned over.
_SQUARE: Final = 64

Matrix = npt.NDArray[np.floating]


class Neighbours(Model):
    """Customers weighed by how similar their history is, folded into weights of products.

    A customer is ``x``, the logarithm of one plus the decayed number of baskets with each
    product, scaled to length 1; all customers are the rows of ``X``. Weighing every customer's
    row by its similarity to ``x``, without counting twice what similar customers share, is
    ridge regression, and that has a second form in which products stand in for customers:
    ``x (XtX + lambda I)^-1 XtX = x Xt (XXt + lambda I)^-1 X``. The first is as large as the
    catalogue, however many customers there are. A product must not speak for itself, which is
    what the model `repeat` is for; with its diagonal held at zero the solution is
    ``B = I - P / diag(P)``, ``P = (XtX + lambda I)^-1`` [1]_, and the score of a product is
    its entry of ``x B`` where that is above zero.

    Of the catalogue the products bought by most customers take part; each keeps the weights
    that are largest. Weights below zero stay: they say that one product is bought instead of
    another.

    Parameters
    ----------
    settings : recsys.config.model_settings.NeighboursSettings

    Attributes
    ----------
    items_ : ndarray of shape (n_known,), int32
        Products that take part, ascending.
    place_ : ndarray of shape (n_items,), int32
        Position of each product in ``items_``; -1 where it takes no part.
    indptr_ : ndarray of shape (n_known + 1,), int64
    indices_ : ndarray, int32
        Positions that each product votes for, ascending.
    weights_ : ndarray, float32
        Its weight for each.

    References
    ----------
    .. [1] Steck (2019), Embarrassingly shallow autoencoders for sparse data, WWW.
    .. [2] Hu, He, Gao, Zhang (2020), Modeling personalized item frequency information for
       next-basket recommendation, SIGIR. Similar customers by recency-weighted frequency.
    """

    name: ClassVar[str] = "neighbours"
    learned: ClassVar[tuple[str, ...]] = ("items_", "place_", "indptr_", "indices_", "weights_")

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()

    def fit(self, training: "TrainingSet") -> Self:
        """Solve for the weights; see ``Model.fit``.

        Parameters
        ----------
        training : TrainingSet
            Its orders by known customers.

        Returns
        -------
        Self
            This model.
        """
        baskets, given = training.baskets, self.settings
        weight = baskets.decay(training.as_of_ts, given.half_life_days)
        X = baskets.by_customer(weight)
        buyers = np.bincount(X.indices, X.data > 0, minlength=training.n_items)
        most = np.argsort(-buyers, kind="stable")[: given.products]
        self.items_ = np.sort(most[buyers[most] > 0]).astype(np.int32)
        self.place_ = np.full(training.n_items, -1, np.int32)
        self.place_[self.items_] = np.arange(len(self.items_), dtype=np.int32)
        P = _inverse(_unit(X), self.items_, given.regularization)
        self.indptr_, self.indices_, self.weights_ = _strongest(P, given.neighbours)
        return self

    @property
    def n_items(self) -> int:
        """Size of the catalogue that was learned."""
        return len(self.place_)

    def _scored(self, batch: Batch) -> Recommendations:
        """Every product with votes of the customer's habits."""
        indptr, items, times = batch.frequency(self.settings.half_life_days)
        own = _habits(*map(fixed, (indptr, items, times, self.place_)))
        table = self.indptr_, self.indices_, self.weights_
        ends, place, total = sum_votes(
            item_votes(*own, table), no_votes(len(batch)), len(self.items_)
        )
        return Recommendations(ends, self.items_[place], total.astype(np.float32))

    def _top(self, batch: Batch, n: int) -> Recommendations:
        return top_of_lists(*batch.once(self._scored, lambda: self._scored(batch)), n)

    def _score(self, batch: Batch, items: Lists) -> Scores:
        found = batch.once(self._scored, lambda: self._scored(batch))
        return scores_in_lists(*found, (items.indptr, items.item_ix), self.n_items)


@compiled
def _habits(
    indptr: IntArray, items: IxArray, times: Floats, place: IxArray
) -> tuple[IntArray, IxArray, Floats]:
    """Places and weights of what each customer buys: ``x`` without products that take no part.

    Walks each row twice, once for its length and once to divide by it. Compiled, because every
    request asks it for one short row.
    """
    n = len(indptr) - 1
    ends, known = np.zeros(n + 1, np.int64), np.empty(len(items), np.int32)
    weight, habit = np.empty(len(items), np.float64), np.log1p(times)
    end = 0
    for r in range(n):
        squares = 0.0
        for at in range(indptr[r], indptr[r + 1]):
            squares += habit[at] * habit[at]
        for at in range(indptr[r], indptr[r + 1]):
            if place[items[at]] >= 0 and squares > 0:
                known[end] = place[items[at]]
                weight[end] = habit[at] / np.sqrt(squares)
                end += 1
        ends[r + 1] = end
    return ends, known[:end].copy(), weight[:end].copy()


def _unit(counts: "sparse.csr_array") -> "sparse.csr_array":
    """Customers' habits: rows of length 1, or 0 where nothing is left of a history."""
    X = counts.copy()
    X.data = np.log1p(X.data)
    row = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    length = np.sqrt(np.bincount(row, X.data**2, minlength=X.shape[0]))
    X.data = X.data / np.where(length > 0, length, 1.0)[row]
    return X


def _inverse(X: "sparse.csr_array", items: IxArray, regularization: float) -> Matrix:
    """``(XtX + lambda I)^-1`` over some products; lambda is in units of the mean diagonal."""
    from scipy.linalg import lapack

    n = len(items)
    mine = X[:, items]
    mine.sort_indices()
    # Single precision loses nothing where lambda is not small beside the rest.
    exact = regularization < _WELL_CONDITIONED
    G = np.empty((n, n), np.float64 if exact else np.float32)
    if not n:
        return G
    by_item = mine.tocsc()
    starts, rows = (part.astype(np.int64, copy=False) for part in (by_item.indptr, by_item.indices))
    indptr, indices = (part.astype(np.int64, copy=False) for part in (mine.indptr, mine.indices))
    _gram(indptr, indices, mine.data, starts, rows, by_item.data, G)
    diagonal = np.diag_indices(n)
    G[diagonal] += max(regularization, 1e-3) * G[diagonal].mean()
    factorise, invert = (lapack.dpotrf, lapack.dpotri) if exact else (lapack.spotrf, lapack.spotri)
    # The lower triangle of what lies in memory is the upper one of a transposed view.
    factor, failed = factorise(G.T, lower=0, overwrite_a=1)
    inverse, failed = invert(factor, lower=0, overwrite_c=1)
    if failed:
        raise np.linalg.LinAlgError("the customers' habits cannot be inverted")
    P: Matrix = inverse.T
    _mirror(P)
    return P


@compiled
def _gram(
    indptr: IntArray,
    indices: IntArray,
    data: Floats,
    starts: IntArray,
    rows: IntArray,
    values: Floats,
    G: Matrix,
) -> None:
    """Lower triangle of ``XtX``: for each column of X, adds up the rows that hold it.

    Columns ascend within a row, so a walk stops at the diagonal. Compiled, because a sparse
    product would hold both triangles, with their indices, before they are spread out.
    """
    n = len(starts) - 1
    sums = np.empty(n)
    for i in range(n):
        sums[: i + 1] = 0.0
        for at in range(starts[i], starts[i + 1]):
            row, x = rows[at], values[at]
            for other in range(indptr[row], indptr[row + 1]):
                j = indices[other]
                if j > i:
                    break
                sums[j] += x * data[other]
        G[i, : i + 1] = sums[: i + 1]


@compiled
def _mirror(P: Matrix) -> None:
    """Write the lower triangle into the upper one, a square at a time.

    Squares keep both sides in the processor's cache; numpy would write whole columns.
    """
    n = len(P)
    for top in range(0, n, _SQUARE):
        for left in range(top, n, _SQUARE):
            for i in range(top, min(top + _SQUARE, n)):
                for j in range(max(left, i + 1), min(left + _SQUARE, n)):
                    P[i, j] = P[j, i]


@compiled
def _strongest(P: Matrix, n: int) -> tuple[IntArray, IxArray, Scores]:
    """Keep the ``n`` largest weights ``B_ij = -P_ij / P_ii`` of each row: bounds, columns, values.

    Walks row by row; of equal weights the first columns stay. Compiled, because numpy would hold
    all of ``B``, which is as large as ``P``.
    """
    n_known = len(P)
    indptr = np.zeros(n_known + 1, np.int64)
    indices = np.empty(n_known * min(n, n_known), np.int32)
    weights = np.empty(len(indices), np.float32)
    diagonal = np.diag(P).copy()
    size = 0
    for i in range(n_known):
        B = -P[i] / diagonal
        B[i] = 0.0
        magnitude = np.abs(B)
        bar, level = magnitude.dtype.type(0), n_known
        if n < n_known:
            bar = np.partition(magnitude, n_known - n)[n_known - n]
            level = n - int(np.count_nonzero(magnitude > bar))  # of equal ones the first stay
        for j in range(n_known):
            if magnitude[j] == bar:
                level -= 1
            if magnitude[j] >= _WEAKEST and (
                magnitude[j] > bar or (magnitude[j] == bar and level >= 0)
            ):
                indices[size], weights[size] = j, B[j]
                size += 1
        indptr[i + 1] = size
    return indptr, indices[:size].copy(), weights[:size].copy()
