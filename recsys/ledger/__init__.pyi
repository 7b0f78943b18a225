from .api_keys import BROWSER_SCOPES, SCOPES, Grant, KeptKeys, Key, Keys, KnownKeys, find_key
from .catalogue_updates import Overlay, Written
from .circuit_breaker import Timeouts
from .customers.erasing import ErasedRows
from .ledger import Customer, Exposure, Ledger, Outcome
from .mark_file import Mark, MarkFile

__all__ = [
    "BROWSER_SCOPES",
    "SCOPES",
    "Customer",
    "ErasedRows",
    "Exposure",
    "Grant",
    "KeptKeys",
    "Key",
    "Keys",
    "KnownKeys",
    "Ledger",
    "Mark",
    "MarkFile",
    "Outcome",
    "Overlay",
    "Timeouts",
    "Written",
    "find_key",
]
