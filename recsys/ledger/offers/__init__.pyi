from .codes import Codes
from .decisions import Decisions
from .issuing import VisitBounds
from .offers import Refusal
from .pieces import OfferBounds, OrderItem, least_price_minor
from .redemption import OfferUse, Outcome
from .undoing import UNDO_SECONDS, Undo

__all__ = [
    "UNDO_SECONDS",
    "Codes",
    "Decisions",
    "OfferBounds",
    "OfferUse",
    "OrderItem",
    "Outcome",
    "Refusal",
    "Undo",
    "VisitBounds",
    "least_price_minor",
]
