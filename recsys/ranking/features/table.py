"""What is known of a candidate and its customer, as numbers: one function for learning and asking.

Candidates with the models' scores, the histories they were found for and the products' statistics
come in; one row of numbers a candidate comes out. A request is a batch of one: every row is worked
out by itself, and nothing at or after its ``as_of_ts`` is in a history. Called by ``rank`` for
requests, and by ``validation.learning`` for what the ranker learns from.
"""

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.datasets import Context, Histories, IntArray, IxArray, Ragged, all_fixed, fixed, zeroed
from recsys.ranking.features.item_statistics import COLUMNS as OF_ITEMS
from recsys.ranking.features.item_statistics import ItemStatistics
from recsys.ranking.features.kernels import fill_features

Features = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

#: What the customer did with the product itself.
OWN: Final = (
    "own_orders",
    "own_recency",
    "own_orders_since",
    "own_first",
    "own_freq_10",
    "own_freq_30",
    "own_freq_90",
    "own_freq_365",
    "own_per_order_70",
    "own_per_order_90",
    "own_gap",
    "own_overdue",
    "item_overdue",
    "own_share",
    "own_in_last_orders",
    "own_quantity",
    "own_here",
    "own_on_channel",
    "own_channel_30",
    "own_channel_180",
    "viewed",
    "carted",
    "returned",
)
#: What they did with its category, maker and department, and what they usually pay.
AFFINITY: Final = (
    "category_freq_30",
    "category_share_365",
    "category_recency",
    "category_orders_since",
    "category_on_channel",
    "brand_share_365",
    "brand_recency",
    "department_share_365",
    "price_gap",
    "promotion_gap",
    "family_share_365",
    "family_recency",
)
#: What they bought last beside it.
RECENT: Final = ("with_last_order", "with_last_orders")
#: What is known of the product at this place and on this day.
HERE: Final = ("on_channel", "on_weekday", "log_price")
#: Who asks.
CUSTOMER: Final = (
    "n_orders",
    "last_order_days",
    "order_gap",
    "order_size",
    "tenure_days",
    "n_products",
    "repeat_lines",
    "price_level",
    "promotion",
    "cart_size",
    "on_channel",
)
#: And what the blend of the models says.
BLEND: Final = ("blend", "blend_gap", "blend_place")


@cache
def feature_names(columns: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the features, in their order.

    Parameters
    ----------
    columns : tuple of str
        Of the models' scores.
    """
    return (
        *OWN,
        *AFFINITY,
        *RECENT,
        *(f"item_{name}" for name in OF_ITEMS),
        *HERE,
        *(f"customer_{name}" for name in CUSTOMER),
        *BLEND,
        *(f"score_{name}" for name in columns),
        *(f"relative_{name}" for name in columns),
    )


def evidence_column(columns: tuple[str, ...]) -> npt.NDArray[np.int32]:
    """Column of evidence that each feature belongs to, so that reasons can be told.

    Returns
    -------
    ndarray of shape (n_features,), int32
        Position in ``columns``; ``len(columns)`` for what is said of the customer alone.
    """
    nobody = len(columns)

    def at(name: str) -> int:
        return columns.index(name) if name in columns else nobody

    groups = [
        *[at("repeat")] * len(OWN),
        *[at("content")] * len(AFFINITY),
        *[at("copurchase")] * len(RECENT),
        *[at("popular")] * (len(OF_ITEMS) + len(HERE)),
        *[nobody] * (len(CUSTOMER) + len(BLEND)),
        *[*range(len(columns))] * 2,
    ]
    return np.array(groups, np.int32)


def compute_features(
    found: Ragged,
    scores: Scores,
    total: Floats,
    histories: Histories,
    context: Context,
    statistics: ItemStatistics,
    baskets: tuple[IntArray, IxArray, Scores],
) -> Features:
    """Work out the features of candidates.

    Parameters
    ----------
    found : Ragged
        ``m`` candidates of ``n`` customers, ascending within a row.
    scores : ndarray of shape (m, n_columns), float32
        What the models say.
    total : ndarray of shape (m,), float64
        What the blend makes of it.
    histories : Histories
    context : Context
        Of ``n`` customers.
    statistics : ItemStatistics
    baskets : tuple of (indptr int64, indices int32, scores float32)
        Products that lie in one order with each: where they begin, which, and how much.

    Returns
    -------
    ndarray of shape (m, n_features), float32
        In the order of ``names``.
    """
    bought, done = histories.purchases, histories.interactions
    n_columns = scores.shape[1]
    out = np.zeros((len(found.item_ix), len(feature_names(("",) * n_columns))), np.float32)
    n_category, n_brand, n_department, n_family = statistics.sizes
    sizes = n_category * 6, n_brand * 2, n_department, n_family * 2
    given = (
        fixed(np.asarray(found.indptr, np.int64)),
        fixed(np.asarray(found.item_ix, np.int32)),
        fixed(scores),
        fixed(total),
        all_fixed(
            bought.indptr,
            bought.item_ix,
            bought.ts,
            bought.order,
            bought.count,
            bought.quantity,
            bought.amount_minor,
            bought.channel,
            bought.location,
        ),
        all_fixed(done.indptr, done.item_ix, done.ts, done.kind),
        all_fixed(context.as_of_ts, context.location, context.channel, context.cart.indptr),
        all_fixed(
            statistics.category,
            statistics.brand,
            statistics.department,
            statistics.family,
            statistics.columns,
            statistics.on_channel,
            statistics.on_weekday,
            statistics.log_price,
        ),
    )
    with zeroed(*((size, np.float64) for size in sizes), (len(statistics.category), np.int32)) as (
        category,
        brand,
        department,
        family,
        seen,
    ):
        sums = (
            category[: sizes[0]].reshape(n_category, 6),
            brand[: sizes[1]].reshape(n_brand, 2),
            department,
            family[: sizes[3]].reshape(n_family, 2),
            seen,
        )
        fill_features(*given, sums, all_fixed(*baskets), out)
    return out
