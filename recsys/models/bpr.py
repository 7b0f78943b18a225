"""Factors that rank what customers took before what they left, by pairs.

Customers × products come in, one vector and one bias a product come out; customers' own vectors
are not kept. ``fit`` runs implicit's solver; scoring is ours and does not load implicit.
"""

from typing import TYPE_CHECKING, ClassVar, Final, Self

import numpy as np

from recsys.config import BprSettings as Settings
from recsys.datasets import Batch, IntArray, IxArray, Lists, compiled, fixed
from recsys.models.base import Floats, Model, Recommendations, Scores
from recsys.models.kernels.vectors import Vectors

if TYPE_CHECKING:
    from scipy import sparse

    from recsys.datasets import TrainingSet

#: Purchases of doubt in a customer's mean: one purchase alone says half of what many say.
_DOUBT: Final = 1.0


class Bpr(Model):
    """Bayesian personalised ranking.

    Vectors are learned so that for each customer what they liked scores above what they did not
    touch [1]_. The customers' own vectors of that are thrown away. One who asks is taken to be
    the mean of what they like, seen from the average product:
    ``x_u = sum_i r_ui (y_i - m) / (sum_i r_ui + 1)``, where ``r_ui`` adds up what they did with
    product ``i``, weighted and decayed, and ``m`` is the mean of all vectors; what they gave back
    counts for nothing. A product's score is ``x_u . y_i + b_i``.

    Parameters
    ----------
    settings : recsys.config.model_settings.BprSettings

    Attributes
    ----------
    factors_ : ndarray of shape (n_liked, factors + 1), float32
        Vectors of the products that anyone liked, each with its bias; longest first.
    items_ : ndarray of shape (n_liked,), int32
        Whose vector each is.
    place_ : ndarray of shape (n_items,), int32
        Row of each product in ``factors_``; -1 where nobody liked it.
    norms_ : ndarray of shape (n_liked,), float32
        Length of each vector, falling, rounded up.
    mean_ : ndarray of shape (factors,), float64
        Of all vectors.

    Notes
    -----
    One thread learns, whatever ``[train] threads`` says: on several the same seed gives other
    vectors every time.

    References
    ----------
    .. [1] Rendle, Freudenthaler, Gantner, Schmidt-Thieme (2009), BPR: Bayesian personalized
       ranking from implicit feedback, UAI.
    """

    name: ClassVar[str] = "bpr"
    learned: ClassVar[tuple[str, ...]] = ("factors_", "items_", "place_", "norms_", "mean_")

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()

    def fit(self, training: "TrainingSet") -> Self:
        """Learn from a fresh start; see ``Model.fit``.

        Parameters
        ----------
        training : TrainingSet
            Products in which its ``interest`` is above 0 are liked; its ``seed`` is that of
            everything random.

        Returns
        -------
        Self
            This model.
        """
        from scipy import sparse

        liking = training.interest(self.settings.half_life_days, self.settings.weights)
        liking.data = (liking.data > 0).astype(np.float64)
        liking.eliminate_zeros()
        items = np.unique(liking.indices)
        factors = np.empty((0, self.settings.factors + 1), np.float32)
        if len(items):
            # implicit wants the older class.
            liked = sparse.csr_matrix(liking[:, items], dtype=np.float32)
            factors = self._learn(liked, training.seed)
        self.mean_ = factors[:, :-1].sum(axis=0, dtype=np.float64) / max(1, len(factors))
        vectors = Vectors.of(factors, items, training.n_items)
        self.factors_, self.items_, self.place_, self.norms_ = vectors
        return self

    def _learn(self, liked: "sparse.csr_matrix", seed: int) -> Scores:
        """Vectors and biases of the columns, by implicit."""
        from implicit.cpu.bpr import BayesianPersonalizedRanking

        model = BayesianPersonalizedRanking(
            factors=self.settings.factors,
            learning_rate=self.settings.learning_rate,
            regularization=self.settings.regularization,
            iterations=self.settings.iterations,
            num_threads=1,
            random_state=seed,
        )
        model.fit(liked, show_progress=False)
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
        ndarray of shape (n, factors + 1), float64
            With 1 for the bias at its end; zeros where no product that they like is known.
        """
        found = batch.interest(self.settings.half_life_days, self.settings.weights)
        given = found.indptr, self.place_[found.item_ix], found.weight, self.factors_, self.mean_
        return _folded(_DOUBT, *map(fixed, given))

    def _top(self, batch: Batch, n: int) -> Recommendations:
        return self._vectors.top(batch.once(self.fold_in, lambda: self.fold_in(batch)), n)

    def _score(self, batch: Batch, items: Lists) -> Scores:
        X = batch.once(self.fold_in, lambda: self.fold_in(batch))
        return self._vectors.score(X, items.indptr, items.item_ix)

    @property
    def _vectors(self) -> Vectors:
        return Vectors(self.factors_, self.items_, self.place_, self.norms_)


@compiled
def _folded(
    doubt: float, indptr: IntArray, place: IxArray, r: Floats, Y: Scores, mean: Floats
) -> Floats:
    """Mean of the vectors a customer likes, shrunk towards the overall mean; 1 as its last entry.

    Walks each row once. Compiled, because numpy would copy a vector for every entry.
    """
    n, width = len(indptr) - 1, Y.shape[1]
    X = np.zeros((n, width), np.float64)
    for u in range(n):
        total = 0.0
        for at in range(indptr[u], indptr[u + 1]):
            if place[at] >= 0 and r[at] > 0:
                total += r[at]
                for f in range(width - 1):
                    X[u, f] += r[at] * (Y[place[at], f] - mean[f])
        if total > 0:
            X[u] /= total + doubt
            X[u, width - 1] = 1.0
    return X
