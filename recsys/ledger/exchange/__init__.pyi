from .customer_rows import packed, replace_customers
from .exported_returns import give_back
from .live_source import read_live, read_updates

__all__ = [
    "give_back",
    "packed",
    "read_live",
    "read_updates",
    "replace_customers",
]
