from .admission import PAGE_SCOPE
from .client_addresses import Addresses
from .key_cache import Keyring
from .rate_limits import Rates
from .session import Sessions

__all__ = [
    "PAGE_SCOPE",
    "Addresses",
    "Keyring",
    "Rates",
    "Sessions",
]
