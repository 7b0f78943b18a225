"""Items by items and by factors: implicit, EASE, rusket and LightFM.

All of them see decayed counts of what a customer bought; how fast they decay is tuned.

References
----------
.. [1] Steck (2019), Embarrassingly shallow autoencoders for sparse data, WWW.
"""

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from benchmarks._problem import Ints, Purchases
from benchmarks.baselines.base import Baseline, Show, dense
from recsys.datasets import Lists, pointers

#: EASE inverts items x items: so many of the most bought ones, and fewer while it is tuned.
EASE_ITEMS = 10_000
HALF_LIVES = (90.0, None, 30.0)


def from_implicit(model: Any, counts: sparse.csr_matrix) -> Show:
    """Answer with a fitted model of implicit, what it pads with taken off."""

    def show(asked: Ints, k: int, new_only: bool) -> Lists:
        items, scores = model.recommend(
            asked, counts[asked], N=k, filter_already_liked_items=new_only
        )
        named = (items >= 0) & (scores > -1e30) & (scores != 0)
        rows = np.repeat(np.arange(len(asked)), named.sum(axis=1))
        return Lists(pointers(rows, len(asked)), items[named].astype(np.int32))

    return show


def fit_als(
    purchases: Purchases,
    seed: int,
    factors: int,
    alpha: float,
    regularization: float,
    half_life_days: float | None,
) -> Show:
    """Factors by implicit's alternating least squares."""
    from implicit.cpu.als import AlternatingLeastSquares

    counts = purchases.matrix(half_life_days)
    model = AlternatingLeastSquares(
        factors=factors,
        alpha=alpha,
        regularization=regularization,
        iterations=15,
        num_threads=2,
        random_state=seed,
    )
    model.fit(counts, show_progress=False)
    return from_implicit(model, counts)


def fit_bpr(
    purchases: Purchases,
    seed: int,
    factors: int,
    learning_rate: float,
    regularization: float,
    iterations: int,
) -> Show:
    """Factors by implicit's Bayesian personalised ranking."""
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    counts = purchases.matrix()
    model = BayesianPersonalizedRanking(
        factors=factors,
        learning_rate=learning_rate,
        regularization=regularization,
        iterations=iterations,
        num_threads=1,
        random_state=seed,
    )
    model.fit(counts, show_progress=False)
    return from_implicit(model, counts)


def fit_neighbours(
    purchases: Purchases,
    _seed: int,
    kind: str,
    neighbours: int,
    half_life_days: float | None,
    **settings: float,
) -> Show:
    """Item neighbours by implicit; ``kind`` is the name of its class."""
    from implicit import nearest_neighbours

    counts = purchases.matrix(half_life_days)
    model = getattr(nearest_neighbours, kind)(K=neighbours, num_threads=2, **settings)
    model.fit(counts, show_progress=False)
    return from_implicit(model, counts)


def fit_cosine(purchases: Purchases, seed: int, **settings: Any) -> Show:
    """Item neighbours by the cosine."""
    return fit_neighbours(purchases, seed, "CosineRecommender", **settings)


def fit_tfidf(purchases: Purchases, seed: int, **settings: Any) -> Show:
    """Item neighbours by the cosine of TF-IDF weights."""
    return fit_neighbours(purchases, seed, "TFIDFRecommender", **settings)


def fit_bm25(purchases: Purchases, seed: int, **settings: Any) -> Show:
    """Item neighbours by BM25 weights."""
    return fit_neighbours(purchases, seed, "BM25Recommender", **settings)


def ease_weights(counts: sparse.csr_matrix, ridge: float) -> NDArray[np.float32]:
    """Work out EASE's weights [1]_, items x items with an empty diagonal.

    ``P = (XtX + ridge I)^-1``, ``B_ij = -P_ij / P_jj``.
    """
    gram = np.asarray((counts.T @ counts).todense(), np.float32)
    gram[np.diag_indices_from(gram)] += ridge
    factor, lower = linalg.cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
    inverse, failed = linalg.lapack.spotri(factor, lower=lower, overwrite_c=True)
    if failed:
        raise ArithmeticError(f"the Gram matrix of {len(gram)} items could not be inverted.")
    full = np.tril(inverse) + np.tril(inverse, -1).T
    weights = full / -np.diag(full)
    np.fill_diagonal(weights, 0)
    return np.asarray(weights, np.float32)


def fit_ease(
    purchases: Purchases,
    _seed: int,
    ridge: float,
    binary: bool,
    half_life_days: float | None,
    items: int = EASE_ITEMS,
) -> Show:
    """EASE over the most bought items."""
    from threadpoolctl import threadpool_limits

    head = np.sort(np.argsort(-purchases.popularity(), kind="stable")[:items])
    counts = purchases.matrix(half_life_days)[:, head]
    if binary:
        counts.data[:] = 1
    with threadpool_limits(2, "blas"):
        weights = ease_weights(counts, ridge)

    def scores(asked: Ints) -> NDArray[np.float32]:
        block = np.full((len(asked), purchases.n_items), -np.inf, np.float32)
        block[:, head] = counts[asked] @ weights
        return block

    return dense(purchases, scores, -np.inf)


def fit_rusket(
    purchases: Purchases, _seed: int, method: str, k: int, half_life_days: float | None
) -> Show:
    """Item neighbours by rusket, asked for one customer at a time as it wants it."""
    rusket = import_module("rusket")

    model = rusket.ItemKNN(method=method, k=k).fit(purchases.matrix(half_life_days))

    def show(asked: Ints, k: int, new_only: bool) -> Lists:
        found = [model.recommend_items(int(row), n=k, exclude_seen=new_only) for row in asked]
        return Lists.of_rows([np.asarray(items)[np.asarray(score) > 0] for items, score in found])

    return show


def fit_lightfm(
    purchases: Purchases, seed: int, components: int, epochs: int, learning_rate: float
) -> Show:
    """LightFM with the WARP loss."""
    model = import_module("lightfm").LightFM(
        no_components=components, loss="warp", learning_rate=learning_rate, random_state=seed
    )
    model.fit(purchases.owned.tocoo(), epochs=epochs, num_threads=2)
    bias, vectors = model.get_item_representations()
    own = model.get_user_representations()[1]

    def scores(asked: Ints) -> NDArray[np.float32]:
        return np.asarray(own[asked] @ vectors.T + bias, np.float32)

    return dense(purchases, scores, -np.inf)


_NEIGHBOURS: dict[str, tuple[Any, ...]] = {
    "neighbours": (100, 20, 500),
    "half_life_days": HALF_LIVES,
}

BASELINES = (
    Baseline(
        "implicit_als",
        fit_als,
        {
            "factors": (64, 128, 32),
            "alpha": (10.0, 2.0, 40.0),
            "regularization": (1.0, 0.05, 10.0),
            "half_life_days": HALF_LIVES,
        },
        "implicit",
        "implicit",
    ),
    Baseline(
        "implicit_bpr",
        fit_bpr,
        {
            "factors": (64, 32),
            "learning_rate": (0.05, 0.02),
            "regularization": (0.01, 0.001, 0.05),
            "iterations": (60, 150),
        },
        "implicit",
        "implicit",
    ),
    Baseline("implicit_cosine", fit_cosine, _NEIGHBOURS, "implicit", "implicit"),
    Baseline("implicit_tfidf", fit_tfidf, _NEIGHBOURS, "implicit", "implicit"),
    Baseline(
        "implicit_bm25",
        fit_bm25,
        {**_NEIGHBOURS, "K1": (1.2, 100.0), "B": (0.75, 0.2)},
        "implicit",
        "implicit",
    ),
    Baseline(
        "ease",
        fit_ease,
        {"ridge": (300.0, 1000.0, 100.0), "binary": (False, True), "half_life_days": HALF_LIVES},
    ),
    Baseline(
        "rusket",
        fit_rusket,
        {
            "method": ("bm25", "tfidf", "cosine"),
            "k": (100, 20, 500),
            "half_life_days": HALF_LIVES,
        },
        "rusket",
        "rusket",
    ),
    Baseline(
        "lightfm",
        fit_lightfm,
        {"components": (64, 32), "epochs": (20, 50), "learning_rate": (0.05, 0.02)},
        "lightfm.lightfm",  # some of its wheels lack what it imports
        "lightfm-next",
    ),
)
