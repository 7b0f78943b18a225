"""Names of the columns of features, of the products' statistics and of the sums behind them.

In: nothing. Out: names in their order, and the position of each by name. ``table`` names the
features with them, ``item_statistics`` and the kernels look positions up.
"""

from collections import namedtuple
from typing import Any, Final


def _split(names: str) -> tuple[str, ...]:
    return tuple(names.split())


def _positions(names: tuple[str, ...]) -> Any:
    """Position of each name, by attribute: constants to the compiler."""
    return namedtuple("Positions", names)(*range(len(names)))


#: What the customer did with the product itself.
OWN: Final = _split("""
    own_orders own_recency own_orders_since own_first own_freq_10 own_freq_30 own_freq_90
    own_freq_365 own_per_order_70 own_per_order_90 own_gap own_overdue item_overdue
    own_share own_in_last_orders own_quantity own_here own_on_channel own_channel_30
    own_channel_180 viewed carted returned
""")
#: What they did with its category, brand, department and family, and what they usually pay.
AFFINITY: Final = _split("""
    category_freq_30 category_share_365 category_recency category_orders_since
    category_on_channel brand_share_365 brand_recency department_share_365 price_gap
    promotion_gap family_share_365 family_recency
""")
#: How often the product is in one order with those of the customer's last orders.
RECENT: Final = ("with_last_order", "with_last_orders")
#: How the product sells: the columns of ``ItemStatistics.columns``.
ITEM: Final = _split("""
    log_share_7 log_share_28 log_share_90 log_share_365 log_buyers repeat_share log_age_days
    fresh_buyers log_interval price_level discount_share season basket_size
""")
#: How the product sells on this channel and weekday, and its price.
HERE: Final = ("on_channel", "on_weekday", "log_price")
#: The customer, whatever the product.
CUSTOMER: Final = _split("""
    n_orders last_order_days order_gap order_size tenure_days n_products repeat_lines
    price_level promotion cart_size on_channel
""")
#: The blend of the models.
BLEND: Final = ("blend", "blend_gap", "blend_place")
#: All features but the scores of the models, which follow them.
NAMES: Final = (
    *OWN,
    *AFFINITY,
    *RECENT,
    *(f"item_{name}" for name in ITEM),
    *HERE,
    *(f"customer_{name}" for name in CUSTOMER),
    *BLEND,
)

#: Columns of the features.
FEATURE: Final = _positions(NAMES)
#: Columns of ``ItemStatistics.columns``.
STATISTIC: Final = _positions(ITEM)
#: Columns of the sums over a customer's purchases of one candidate ...
OWN_SUM: Final = _positions(
    _split("""
    orders first_ts last_ts first_order last_order freq_10 freq_30 freq_90 freq_365
    per_order_70 per_order_90 in_last_orders quantity here on_channel channel_30 channel_180
    """)
)
#: ... of one category ...
CATEGORY_SUM: Final = _positions(
    ("freq_30", "freq_365", "last_ts", "last_order", "on_channel", "orders")
)
#: ... and of one brand, department or family.
GROUP_SUM: Final = _positions(("freq_365", "last_ts"))
