from .offer_bounds import bounds_of
from .offer_issuing import Promised
from .worker_state import State

__all__ = [
    "Promised",
    "State",
    "bounds_of",
]
