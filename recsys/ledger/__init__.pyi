from .api_keys import BROWSER_SCOPES, SCOPES, Grant, KeptKeys, Key, Keys, KnownKeys, find_key
from .catalogue_updates import Overlay, Written
from .circuit_breaker import Timeouts
from .customers.erasing import ErasedRows
from .ledger import Customer, Exposure, Ledger, Outcome
from .mark_file import Mark, MarkFile
from .screens import Approval, PairedScreen, Screen, Waiting

__all__ = [
    "BROWSER_SCOPES",
    "SCOPES",
    "Approval",
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
    "PairedScreen",
    "Screen",
    "Timeouts",
    "Waiting",
    "Written",
    "find_key",
]
