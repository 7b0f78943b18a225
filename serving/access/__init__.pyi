from .admission import PAGE_SCOPE
from .client_addresses import ClientAddresses
from .key_cache import KeyCache
from .rate_limits import RateLimits
from .session import Sessions

__all__ = [
    "PAGE_SCOPE",
    "ClientAddresses",
    "KeyCache",
    "RateLimits",
    "Sessions",
]
