from .association_data import AssociationData
from .bundle_table import AFTER, BUNDLE_KINDS, TOGETHER, Bundles, bundle_id, offered_members
from .choices import merge_choices
from .later_purchases import LaterPurchases
from .mining import mine
from .pricing import MemberSales, PricePoint, Quote, floor_minor, least_minor, price_points, quote
from .segments import SEASONS
from .terms import (
    NEXT_STATUSES,
    STATUSES,
    Counts,
    Decision,
    Offer,
    OfferItem,
    OfferState,
    Redemption,
    Status,
    Terms,
    TermsChange,
)
from .variants import same_product

__all__ = [
    "AFTER",
    "BUNDLE_KINDS",
    "NEXT_STATUSES",
    "SEASONS",
    "STATUSES",
    "TOGETHER",
    "AssociationData",
    "Bundles",
    "Counts",
    "Decision",
    "LaterPurchases",
    "MemberSales",
    "Offer",
    "OfferItem",
    "OfferState",
    "PricePoint",
    "Quote",
    "Redemption",
    "Status",
    "Terms",
    "TermsChange",
    "bundle_id",
    "floor_minor",
    "least_minor",
    "merge_choices",
    "mine",
    "offered_members",
    "price_points",
    "quote",
    "same_product",
]
