"""WooCommerce statuses and column names, shared by the adapter and ``omnibasket init``."""

import re
from collections.abc import Sequence

_SOLD_TEXT = (
    "completed processing on-hold refunded partially-refunded partial-refunded shipped "
    "partially-shipped delivered"
)
#: Statuses of orders that were placed, and of orders that were not.
SOLD = tuple(_SOLD_TEXT.split())
_NOT_SOLD_TEXT = (
    "cancelled canceled failed pending trash draft checkout-draft auto-draft pending-payment"
)
NOT_SOLD = tuple(_NOT_SOLD_TEXT.split())
_ITEMS = re.compile(r"line[_ ]?items?([_ ]\d+)?", re.IGNORECASE)


def item_columns(columns: Sequence[str]) -> list[str]:
    """Return the columns that hold an order's lines, by their number."""
    item_names = [column for column in columns if _ITEMS.fullmatch(column)]
    return sorted(item_names, key=lambda column: int(re.sub(r"\D", "", column) or 0))
