"""Next-basket neighbours: TIFU-KNN and UP-CF.

References
----------
.. [1] Hu, He, Gao, Zhang (2020), Modeling personalized item frequency information for next-basket
   recommendation, SIGIR.
.. [2] Faggioli, Polato, Aiolli (2020), Recency aware collaborative filtering for next basket
   recommendation, UMAP.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from benchmarks._problem import Ints, Purchases
from benchmarks.baselines.base import Baseline, Show, dense


def positions(purchases: Purchases) -> tuple[Ints, Ints]:
    """Place of each purchase's basket among its customer's, from 0, and how many there are."""
    counts = np.zeros(purchases.n_customers, np.int64)
    first = np.full(purchases.n_customers, np.iinfo(np.int64).max)
    np.minimum.at(first, purchases.customer, purchases.basket)
    np.maximum.at(counts, purchases.customer, purchases.basket + 1)
    held = counts > 0
    counts[held] -= first[held]
    return purchases.basket - first[purchases.customer], counts[purchases.customer]


def tifu_vectors(
    purchases: Purchases, within: float, between: float, size: int
) -> sparse.csr_matrix:
    """Make the vector of each customer [1]_, customers x items.

    A customer's baskets are cut from the latest back into groups of ``size``, so that the earliest
    group may be smaller. A basket counts ``within`` to the power of the baskets after it in its
    group, a group's vector is the mean of its baskets and counts ``between`` to the power of the
    groups after it, and the mean over groups is the customer's.
    """
    place, n = positions(purchases)
    group, after = np.divmod(n - 1 - place, size)  # groups and baskets after it
    groups = -(-n // size)
    members = np.where(group == groups - 1, n - (groups - 1) * size, size)
    weight = np.power(within, after) * np.power(between, group) / (members * groups)
    return sparse.csr_matrix(
        (weight.astype(np.float32), (purchases.customer, purchases.item)),
        shape=(purchases.n_customers, purchases.n_items),
    )


def fit_tifu_knn(
    purchases: Purchases,
    _seed: int,
    within: float,
    between: float,
    size: int,
    neighbours: int,
    alpha: float,
    teachers: Ints | None = None,
) -> Show:
    """Mix a customer's vector with the mean of the nearest others' (Euclidean) [1]_.

    Parameters
    ----------
    purchases : Purchases
    within, between, size, neighbours, alpha
        r_b, r_g, m, K and alpha of the paper.
    teachers : ndarray, optional
        Customers who may be neighbours; by default everyone but the customer.
    """
    vectors = tifu_vectors(purchases, within, between, size)
    teachers = np.arange(purchases.n_customers) if teachers is None else teachers
    taught = vectors[teachers]
    length = np.asarray(taught.multiply(taught).sum(axis=1)).ravel()
    k = min(neighbours, len(teachers) - 1)

    def scores(asked: Ints) -> NDArray[np.float32]:
        own = vectors[asked]
        # The customer's own length is the same for all neighbours.
        distance = length - 2 * np.asarray((own @ taught.T).todense())
        distance[teachers == asked[:, np.newaxis]] = np.inf
        near = np.argpartition(distance, k - 1, axis=1)[:, :k]
        mean = sparse.csr_matrix(
            (
                np.full(near.size, 1 / k, np.float32),
                near.ravel(),
                np.arange(0, near.size + 1, k),
            ),
            shape=(len(asked), len(teachers)),
        )
        mixed = alpha * own + (1 - alpha) * (mean @ taught)
        return np.asarray(mixed.todense(), np.float32)

    return dense(purchases, scores)


def fit_up_cf(
    purchases: Purchases, _seed: int, recency: int, locality: int, asymmetry: float
) -> Show:
    """Sum over customers: similarity times how often they lately bought an item [2]_.

    Parameters
    ----------
    purchases : Purchases
    recency : int
        Latest baskets that count, r.
    locality : int
        Power of the similarity, q: larger, and only the nearest speak.
    asymmetry : float
        Of the cosine, alpha: 0 divides by the other customer's items alone.
    """
    place, n = positions(purchases)
    late = place >= n - recency
    share = sparse.csr_matrix(
        (
            (1.0 / np.minimum(n[late], recency)).astype(np.float32),
            (purchases.customer[late], purchases.item[late]),
        ),
        shape=(purchases.n_customers, purchases.n_items),
    )
    held = purchases.owned
    size = np.maximum(np.diff(held.indptr), 1).astype(np.float32)
    theirs = np.power(size, asymmetry - 1).astype(np.float32)

    def scores(asked: Ints) -> NDArray[np.float32]:
        alike = np.asarray((held[asked] @ held.T).todense(), np.float32)
        alike *= np.power(size[asked], -asymmetry)[:, np.newaxis] * theirs
        return np.asarray((share.T @ np.power(alike, locality).T).T, np.float32)

    return dense(purchases, scores)


BASELINES = (
    Baseline(
        "tifu_knn",
        fit_tifu_knn,
        {
            "within": (0.9, 0.7, 1.0),
            "between": (0.7, 0.9, 0.5, 0.3),
            "size": (7, 3, 20),
            "neighbours": (300, 100, 900, 50),
            "alpha": (0.7, 0.9, 0.5, 0.3, 0.1),
        },
    ),
    Baseline(
        "up_cf",
        fit_up_cf,
        {
            "recency": (10, 3, 25, 100),
            "locality": (5, 1, 10, 25),
            "asymmetry": (0.25, 0.0, 0.5, 0.75),
        },
    ),
)
