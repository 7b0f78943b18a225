from .contact_policy import ContactPolicy
from .contact_verdicts import (
    NO_OBJECTION,
    Moment,
    Noted,
    Verdict,
    is_message,
)
from .kept_answers import keep_only
from .offer_bounds import bounds_of
from .offer_issuing import OfferContext
from .worker_state import State

__all__ = [
    "NO_OBJECTION",
    "ContactPolicy",
    "Moment",
    "Noted",
    "OfferContext",
    "State",
    "Verdict",
    "bounds_of",
    "is_message",
    "keep_only",
]
