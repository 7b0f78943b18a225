from .customer_rows import packed, replace_customers
from .exported_returns import give_back
from .imported_consents import bring_in_consents
from .live_source import read_live, read_updates
from .profiling import Learnable, without_refusers

__all__ = [
    "Learnable",
    "bring_in_consents",
    "give_back",
    "packed",
    "read_live",
    "read_updates",
    "replace_customers",
    "without_refusers",
]
