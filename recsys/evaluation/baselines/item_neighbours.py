"""Implicit's item neighbours, as one would use them: cosine, TF-IDF or BM25.

Customers × products come in; a customer's score of a product is the sum of its likenesses to what
they bought. Called through ``tuning``.
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
    """Neighbours of what the customer bought.

    Parameters
    ----------
    kind : {"cosine", "tfidf", "bm25"}
        How purchases are weighed before products are compared.
    neighbours : int
        Kept for each product, itself included.
    half_life_days : float
        Age at which a purchase counts half.
    b : float
        Of BM25: how much less a purchase counts of a product that is bought often, in [0, 1].

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
            Purchases; products are alike that the same customers bought.

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
        found = sparse.coo_matrix(model.similarity)
        pairs = (bought[found.row], bought[found.col])
        shape = (training.n_items, training.n_items)
        self.likeness_ = sparse.csr_matrix((found.data, pairs), shape=shape)
        return self

    def _weighed(self, purchases: sparse.csr_matrix) -> sparse.spmatrix:
        """Products × customers, weighed as implicit's recommender of that name does."""
        from implicit.nearest_neighbours import bm25_weight, normalize, tfidf_weight

        if self.kind == "bm25":
            return bm25_weight(purchases, K1=1.2, B=self.b)
        if self.kind == "tfidf":
            return normalize(tfidf_weight(purchases))
        return normalize(purchases)

    def show(self, histories: Histories, context: Context, k: int) -> TopLists:
        """Show what is most like what each customer bought.

        Parameters
        ----------
        histories : Histories
            What each of n customers had bought.
        context : Context
            When each of them asks; purchases age until then. Of the same length.
        k : int
            Items of each list, at most.

        Returns
        -------
        TopLists
            n rows; empty where nothing is like what a customer bought.
        """
        return cut_to_top(self._ordered(histories, context, k), histories, k)

    def _ordered(self, histories: Histories, context: Context, k: int) -> Iterator[Items]:
        bounds = histories.indptr.tolist()
        asked = of_histories(histories, context, self.half_life_days)
        for start in range(0, len(histories), _ROWS):
            scores = asked[start : start + _ROWS] @ self.likeness_
            scores.sort_indices()
            for r in range(scores.shape[0]):
                part = slice(scores.indptr[r], scores.indptr[r + 1])
                owned = histories.item_ix[bounds[start + r] : bounds[start + r + 1]]
                yield top_items(scores.indices[part], scores.data[part], owned, k)
