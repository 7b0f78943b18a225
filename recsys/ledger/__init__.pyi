from .api_keys import BROWSER_SCOPES, SCOPES, Grant, KeptKeys, Key, Keys, KnownKeys, find_key
from .catalogue_updates import Overlay, Written
from .circuit_breaker import Timeouts
from .ledger import Customer, Exposure, Ledger, Outcome

__all__ = [
    "BROWSER_SCOPES",
    "SCOPES",
    "Customer",
    "Exposure",
    "Grant",
    "KeptKeys",
    "Key",
    "Keys",
    "KnownKeys",
    "Ledger",
    "Outcome",
    "Overlay",
    "Timeouts",
    "Written",
    "find_key",
]
