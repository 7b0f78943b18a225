"""Implicit's alternating least squares in standard use.

In: customers × products; implicit itself folds customers in. Called through ``tuning``.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final, Self

import numpy as np

from recsys.datasets import Context, Histories, TrainingSet
from recsys.evaluation.baselines.interaction_matrix import of_histories, of_training
from recsys.evaluation.top_lists import Items, TopLists, cut_to_top, top_items

#: Scores in memory at once.
_AT_ONCE: Final = 16_000_000


class Als:
    """Factors of decayed purchase counts.

    Parameters
    ----------
    factors : int
    regularization, alpha : float
        As in implicit.
    half_life_days : float
        Age at which a purchase counts half.
    iterations : int

    Attributes
    ----------
    model_ : implicit.cpu.als.AlternatingLeastSquares
    bought_ : ndarray of shape (n_bought,), int32
        Products with purchases; the others have no score.
    """

    name: ClassVar[str] = "als"
    by_channel: ClassVar[bool] = False
    grid: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"half_life_days": 90.0, "regularization": 0.1},
        {"half_life_days": 30.0, "regularization": 10.0},
        {"half_life_days": 365.0, "regularization": 10.0, "alpha": 10.0},
        {"half_life_days": 90.0, "regularization": 10.0, "alpha": 1.0},
        {"half_life_days": 30.0, "regularization": 30.0},
        {"half_life_days": 365.0, "regularization": 1.0, "alpha": 40.0},
        {"half_life_days": 90.0, "regularization": 10.0, "factors": 128},
        {"half_life_days": 90.0, "regularization": 10.0, "factors": 32},
    )

    def __init__(
        self,
        factors: int = 64,
        regularization: float = 0.1,
        alpha: float = 2.0,
        half_life_days: float = 90.0,
        iterations: int = 8,
    ) -> None:
        self.factors = factors
        self.regularization = regularization
        self.alpha = alpha
        self.half_life_days = half_life_days
        self.iterations = iterations

    def fit(self, training: TrainingSet) -> Self:
        """Factorise from scratch.

        Parameters
        ----------
        training : TrainingSet
            Purchases to factorise, with the seed and the number of threads.

        Returns
        -------
        Self
            The baseline itself.
        """
        from implicit.cpu.als import AlternatingLeastSquares
        from threadpoolctl import threadpool_limits

        weights = of_training(training, self.half_life_days)
        self.bought_ = np.unique(weights.indices).astype(np.int32)
        with threadpool_limits(1, "blas"):  # a second thread pool would slow it down
            self.model_ = AlternatingLeastSquares(
                factors=self.factors,
                regularization=self.regularization,
                alpha=self.alpha,
                iterations=self.iterations,
                num_threads=training.threads,
                random_state=training.seed,
            )
            self.model_.fit(weights[:, self.bought_], show_progress=False)
        return self

    def show(self, histories: Histories, context: Context, k: int) -> TopLists:
        """Return the items with the highest scores for each customer's vector.

        Parameters
        ----------
        histories : Histories
            What each of n customers had bought, which determines their vectors.
        context : Context
            Time of each request, from which ages are computed; of the same length.
        k : int
            Maximum length of each list.

        Returns
        -------
        TopLists
            n rows; empty for customers without a purchase that has factors.
        """
        return cut_to_top(self._ordered(histories, context, k), histories, k)

    def _ordered(self, histories: Histories, context: Context, k: int) -> Iterator[Items]:
        from threadpoolctl import threadpool_limits

        bounds = histories.indptr.tolist()
        purchases = of_histories(histories, context, self.half_life_days)[:, self.bought_]
        step = max(1, _AT_ONCE // max(1, len(self.bought_)))
        for start in range(0, len(histories), step):
            rows = purchases[start : start + step]
            with threadpool_limits(1, "blas"):
                numbers = np.arange(rows.shape[0])
                vectors = self.model_.recalculate_user(numbers, rows)
                scores = vectors @ self.model_.item_factors.T
            for r, row in enumerate(scores, start):
                if purchases.indptr[r] == purchases.indptr[r + 1]:
                    yield np.empty(0, np.int32)
                    continue
                owned = histories.item_ix[bounds[r] : bounds[r + 1]]
                yield top_items(self.bought_, row, owned, k)
