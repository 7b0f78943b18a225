from .codes import Codes
from .decisions import Decisions
from .issuing import VisitBounds
from .offers import Refusal
from .pieces import OfferBounds, OrderItem, least_price_minor
from .redemption import OfferUse, Outcome

__all__ = [
    "Codes",
    "Decisions",
    "OfferBounds",
    "OfferUse",
    "OrderItem",
    "Outcome",
    "Refusal",
    "VisitBounds",
    "least_price_minor",
]
