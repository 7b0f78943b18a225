"""Factors that rank what customers took before what they left, by pairs.

Customers × products come in, one vector and one bias a product come out; customers' own vectors
are not kept. ``fit`` runs implicit's solver; scoring is ours and does not load implicit.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final, Self

import numpy as np

from recsys.matrices.ids import IxArray
from recsys.model_settings import Bpr as Settings
from recsys.models.base import Floats, Model, Row, Scores
from recsys.models.vectors import Vectors

if TYPE_CHECKING:
    from scipy import sparse

    from recsys.matrices.baskets import Training

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
    settings : recsys.model_settings.Bpr

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

    def fit(self, training: "Training") -> Self:
        """Learn from a fresh start; see ``Model.fit``."""
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

    def fold_in(self, row: Row) -> Floats | None:
        """Work out a customer's vector from their history.

        Parameters
        ----------
        row : Row

        Returns
        -------
        ndarray of shape (factors + 1,), float64, or None
            With 1 for the bias at its end; None where no product that they like is known.
        """
        items, r = row.interest(self.settings.half_life_days, self.settings.weights)
        place = self.place_[items]
        known = (place >= 0) & (r > 0)
        if not known.any():
            return None
        r, Y = r[known], self.factors_[place[known], :-1]
        x = (r[:, np.newaxis] * (Y - self.mean_)).sum(axis=0) / (r.sum() + _DOUBT)
        return np.append(x, 1.0)

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
