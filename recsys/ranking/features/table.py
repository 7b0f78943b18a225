"""Features of candidates: one function for learning and for answering.

In: candidates with the models' scores, the histories of the customers and the products' statistics.
Out: one row of numbers a candidate. A request is a batch of one: every row is computed by itself,
and no history holds anything at or after its ``as_of_ts``. Called by ``boosted_trees`` for
requests, and through it by ``learning`` for the examples that the trees learn from.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from recsys.datasets import Context, Histories, IntArray, IxArray, Ragged, all_fixed, fixed, zeroed
from recsys.ranking.features.columns import (
    AFFINITY,
    BLEND,
    CATEGORY_SUM,
    CUSTOMER,
    GROUP_SUM,
    HERE,
    ITEM,
    NAMES,
    OWN,
    RECENT,
)
from recsys.ranking.features.item_statistics import ItemStatistics
from recsys.ranking.features.kernels import fill_features

Features = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

# ``learning`` groups features by these.
__all__ = [
    "AFFINITY",
    "BLEND",
    "CUSTOMER",
    "HERE",
    "OWN",
    "RECENT",
    "Features",
    "compute_features",
    "evidence_column",
    "feature_names",
]


@cache
def feature_names(columns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the features, in their order.

    Parameters
    ----------
    columns : tuple of str
        Names of the models' scores.
    """
    return (
        *NAMES,
        *(f"score_{name}" for name in columns),
        *(f"relative_{name}" for name in columns),
    )


def evidence_column(columns: tuple[str, ...]) -> npt.NDArray[np.int32]:
    """Return the column of evidence that each feature counts towards when reasons are given.

    Parameters
    ----------
    columns : tuple of str
        Names of the models' scores.

    Returns
    -------
    ndarray of shape (n_features,), int32
        Position in ``columns``; ``len(columns)`` for features of the customer alone.
    """
    none = len(columns)

    def at(name: str) -> int:
        return columns.index(name) if name in columns else none

    groups = [
        *[at("repeat")] * len(OWN),
        *[at("content")] * len(AFFINITY),
        *[at("copurchase")] * len(RECENT),
        *[at("popular")] * (len(ITEM) + len(HERE)),
        *[none] * (len(CUSTOMER) + len(BLEND)),
        *[*range(len(columns))] * 2,
    ]
    return np.array(groups, np.int32)


def compute_features(
    candidates: Ragged,
    scores: Scores,
    blend: Floats,
    histories: Histories,
    context: Context,
    statistics: ItemStatistics,
    neighbours: tuple[IntArray, IxArray, Scores],
) -> Features:
    """Compute the features of candidates.

    Parameters
    ----------
    candidates : Ragged
        ``m`` candidates of ``n`` customers, ascending within a row.
    scores : ndarray of shape (m, n_columns), float32
        Scores of the models.
    blend : ndarray of shape (m,), float64
        Log-odds by the blend of the models.
    histories : Histories
        Of the ``n`` customers.
    context : Context
        Of the ``n`` requests.
    statistics : ItemStatistics
    neighbours : tuple of (indptr int64, indices int32, scores float32)
        For each product, the products bought in one order with it: row bounds, which, and how
        strongly.

    Returns
    -------
    ndarray of shape (m, n_features), float32
        In the order of ``feature_names``.
    """
    purchases, events = histories.purchases, histories.interactions
    n_features = len(feature_names(("",) * scores.shape[1]))
    out = np.zeros((len(candidates.item_ix), n_features), np.float32)
    arguments = (
        fixed(np.asarray(candidates.indptr, np.int64)),
        fixed(np.asarray(candidates.item_ix, np.int32)),
        fixed(scores),
        fixed(blend),
        all_fixed(
            purchases.indptr,
            purchases.item_ix,
            purchases.ts,
            purchases.order,
            purchases.count,
            purchases.quantity,
            purchases.amount_minor,
            purchases.channel,
            purchases.location,
        ),
        all_fixed(events.indptr, events.item_ix, events.ts, events.kind),
        all_fixed(context.as_of_ts, context.location, context.channel, context.cart.indptr),
        statistics.columns_read_only,
    )
    n_category, n_brand, n_department, n_family = statistics.sizes
    shapes = (
        (n_category, len(CATEGORY_SUM)),
        (n_brand, len(GROUP_SUM)),
        (n_department, len(GROUP_SUM)),
        (n_family, len(GROUP_SUM)),
    )
    sizes = [(rows * columns, np.float64) for rows, columns in shapes]
    with zeroed(*sizes, (len(statistics.category), np.int32)) as (*flat, position_of):
        sums = [
            buffer[: rows * columns].reshape(rows, columns)
            for buffer, (rows, columns) in zip(flat, shapes, strict=True)
        ]
        fill_features(*arguments, (*sums, position_of), all_fixed(*neighbours), out)
    return out
