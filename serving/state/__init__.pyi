from .offer_bounds import bounds_of
from .offer_issuing import OfferContext
from .worker_state import State

__all__ = [
    "OfferContext",
    "State",
    "bounds_of",
]
