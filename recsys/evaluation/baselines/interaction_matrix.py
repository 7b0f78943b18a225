"""Builds matrices of customers × products with decayed purchase counts, for implicit.

Called by the baselines ``als`` and ``item_neighbours``.
"""

import numpy as np
from scipy import sparse

from recsys.datasets import Context, Histories, TrainingSet, rows_of
from recsys.units import DAY


def of_training(training: TrainingSet, half_life_days: float) -> sparse.csr_matrix:
    """Sum each customer's baskets, decayed with ``half_life_days``.

    Returns
    -------
    csr_matrix of shape (n_customers, n_items), float32
    """
    weight = training.baskets.decay(training.as_of_ts, half_life_days)
    return sparse.csr_matrix(training.baskets.by_customer(weight), dtype=np.float32)


def of_histories(
    histories: Histories, context: Context, half_life_days: float
) -> sparse.csr_matrix:
    """Build the same matrix for the customers of requests, as of the request times."""
    bought = histories.purchases
    rows = rows_of(bought)
    age_days = np.maximum(context.as_of_ts[rows] - bought.ts, 0) / DAY
    weight = (bought.count * np.exp2(-age_days / half_life_days)).astype(np.float32)
    shape = (len(histories), histories.n_items)
    return sparse.csr_matrix((weight, (rows, bought.item_ix)), shape=shape)
