from .base import Body, LanguageQuery
from .bundle_requests import BundlePatch, BundleQuery
from .bundles import BundleInFull, Bundles
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
from .products import FoundItems, Product, ProductQuery, SearchQuery
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
    "DecisionAnswer",
    "ErasedAnswer",
    "EventOutcome",
    "Events",
    "EventsAnswer",
    "FoundItems",
    "HandedOver",
    "Handover",
    "HandoverRequest",
    "HandoverUse",
    "ItemUpdate",
    "ItemsUpdate",
    "LanguageQuery",
    "LocationUpdate",
    "LocationsUpdate",
    "Offer",
    "OfferRequest",
    "OffersQuery",
    "OrderLine",
    "Page",
    "PageQuery",
    "Product",
    "ProductQuery",
    "Readiness",
    "RecommendationRequest",
    "Recommendations",
    "RedemptionRequest",
    "SearchQuery",
    "StockUpdate",
    "UndoQuery",
    "UpdateAnswer",
    "documented",
    "scope_of",
]
