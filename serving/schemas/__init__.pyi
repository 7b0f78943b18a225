from .base import Body, LanguageQuery
from .bundle_requests import BundlePatch, BundleQuery
from .bundles import BundleInFull, Bundles
from .customer_view import (
    CustomerView,
    Dismissals,
    DismissalUpdate,
    FoundCustomers,
    LinkChange,
    LinkCorrection,
    Links,
    LookList,
    LookReason,
    LooksQuery,
    LookupQuery,
)
from .customers import Consents, ConsentsUpdate
from .decisions import DecisionAnswer
from .erasures import ErasedAnswer
from .events import EventOutcome, Events, EventsAnswer
from .handovers import HandedOver, Handover, HandoverRequest, HandoverUse
from .health import Alive, Readiness
from .item_pages import Page, PageQuery
from .offers import (
    Combination,
    CombinationRequest,
    CustomerOffers,
    Offer,
    OfferRequest,
    OffersQuery,
    OrderLine,
    RedemptionRequest,
    UndoQuery,
)
from .openapi import documented, scope_of
from .recommendations import (
    BatchCustomer,
    BatchRequest,
    CartLine,
    RecommendationRequest,
    Recommendations,
)
from .updates import (
    ItemsUpdate,
    ItemUpdate,
    LocationsUpdate,
    LocationUpdate,
    StockUpdate,
    UpdateAnswer,
)

__all__ = [
    "Alive",
    "BatchCustomer",
    "BatchRequest",
    "Body",
    "BundleInFull",
    "BundlePatch",
    "BundleQuery",
    "Bundles",
    "CartLine",
    "Combination",
    "CombinationRequest",
    "Consents",
    "ConsentsUpdate",
    "CustomerOffers",
    "CustomerView",
    "DecisionAnswer",
    "DismissalUpdate",
    "Dismissals",
    "ErasedAnswer",
    "EventOutcome",
    "Events",
    "EventsAnswer",
    "FoundCustomers",
    "HandedOver",
    "Handover",
    "HandoverRequest",
    "HandoverUse",
    "ItemUpdate",
    "ItemsUpdate",
    "LanguageQuery",
    "LinkChange",
    "LinkCorrection",
    "Links",
    "LocationUpdate",
    "LocationsUpdate",
    "LookList",
    "LookReason",
    "LooksQuery",
    "LookupQuery",
    "Offer",
    "OfferRequest",
    "OffersQuery",
    "OrderLine",
    "Page",
    "PageQuery",
    "Readiness",
    "RecommendationRequest",
    "Recommendations",
    "RedemptionRequest",
    "StockUpdate",
    "UndoQuery",
    "UpdateAnswer",
    "documented",
    "scope_of",
]
