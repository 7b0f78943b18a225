"""Implicit's item neighbours in standard use: cosine, TF-IDF or BM25.

In: customers × products. A customer's score of a product is the sum of its similarities to their
purchases. Called through ``tuning``.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final, Literal, Self

import numpy as np
from scipy import sparse

from recsys.datasets import Context, Histories, TrainingSet
from recsys.evaluation.baselines.interaction_matrix import of_histories, of_training
from recsys.evaluation.top_lists import Items, TopLists, cut_to_top, top_items

_ROWS: Final = 250


class ItemKnn:
    """Neighbours of the customer's purchases.

    Parameters
    ----------
    kind : {"cosine", "tfidf", "bm25"}
        Weighting of purchases before products are compared.
    neighbours : int
        Neighbours kept per product, including itself.
    half_life_days : float
        Age at which a purchase counts half.
    b : float
        Parameter of BM25: how strongly frequent products are discounted, in [0, 1].

    Attributes
    ----------
    likeness_ : csr_matrix of shape (n_items, n_items)
    """

    name: ClassVar[str] = "item_knn"
    by_channel: ClassVar[bool] = False
    grid: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"kind": "bm25", "half_life_days": 90.0, "b": 0.2},
        {"kind": "tfidf", "half_life_days": 365.0},
        {"kind": "bm25", "half_life_days": 365.0, "b": 0.75},
        {"kind": "cosine", "half_life_days": 90.0},
        {"kind": "bm25", "half_life_days": 30.0, "b": 0.2},
        {"kind": "bm25", "half_life_days": 90.0, "b": 0.2, "neighbours": 200},
        {"kind": "tfidf", "half_life_days": 30.0},
        {"kind": "cosine", "half_life_days": 365.0, "neighbours": 200},
    )

    def __init__(
        self,
        kind: Literal["cosine", "tfidf", "bm25"] = "bm25",
        neighbours: int = 50,
        half_life_days: float = 90.0,
        b: float = 0.75,
    ) -> None:
        self.kind = kind
        self.neighbours = neighbours
        self.half_life_days = half_life_days
        self.b = b

    def fit(self, training: TrainingSet) -> Self:
        """Compare all products with one another.

        Parameters
        ----------
        training : TrainingSet
            Purchases; products with the same customers are similar.

        Returns
        -------
        Self
            The baseline itself.
        """
        from implicit.nearest_neighbours import ItemItemRecommender

        weights = of_training(training, self.half_life_days)
        bought = np.unique(weights.indices)
        weighed = self._weighed(sparse.csr_matrix(weights[:, bought].T))
        model = ItemItemRecommender(K=self.neighbours, num_threads=training.threads)
        model.fit(sparse.csr_matrix(weighed.T), show_progress=False)
        similarity = sparse.coo_matrix(model.similarity)
        pairs = (bought[similarity.row], bought[similarity.col])
        shape = (training.n_items, training.n_items)
        self.likeness_ = sparse.csr_matrix((similarity.data, pairs), shape=shape)
        return self

    def _weighed(self, purchases: sparse.csr_matrix) -> sparse.spmatrix:
        """Return products × customers, weighted as in implicit's recommender of that name."""
        from implicit.nearest_neighbours import bm25_weight, normalize, tfidf_weight

        if self.kind == "bm25":
            return bm25_weight(purchases, K1=1.2, B=self.b)
        if self.kind == "tfidf":
            return normalize(tfidf_weight(purchases))
        return normalize(purchases)

    def show(self, histories: Histories, context: Context, k: int) -> TopLists:
        """Return the items most similar to each customer's purchases.

        Parameters
        ----------
        histories : Histories
            What each of n customers had bought.
        context : Context
            Time of each request, from which ages are computed; of the same length.
        k : int
            Maximum length of each list.

        Returns
        -------
        TopLists
            n rows; empty where no item is similar to a customer's purchases.
        """
        return cut_to_top(self._ordered(histories, context, k), histories, k)

    def _ordered(self, histories: Histories, context: Context, k: int) -> Iterator[Items]:
        bounds = histories.indptr.tolist()
        purchases = of_histories(histories, context, self.half_life_days)
        for start in range(0, len(histories), _ROWS):
            scores = purchases[start : start + _ROWS] @ self.likeness_
            scores.sort_indices()
            for r in range(scores.shape[0]):
                part = slice(scores.indptr[r], scores.indptr[r + 1])
                owned = histories.item_ix[bounds[start + r] : bounds[start + r + 1]]
                yield top_items(scores.indices[part], scores.data[part], owned, k)
