from .blocking import blocked_expression, is_blocked
from .hashing import PHONE, KeyedHash, customer_id_of, normalise_expression
from .resolution import customers_of_groups, resolve
from .stored_identifiers import store_identifiers

__all__ = [
    "PHONE",
    "KeyedHash",
    "blocked_expression",
    "customer_id_of",
    "customers_of_groups",
    "is_blocked",
    "normalise_expression",
    "resolve",
    "store_identifiers",
]
