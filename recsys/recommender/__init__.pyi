from .catalogue import Catalogue
from .catalogue_updates import CatalogueUpdates, LiveItem, LiveLocation, LiveStock, Record
from .clock import shift_seconds
from .engine import Engine
from .placement_check import check_placement, unknown_names, unknown_values
from .placements import BOUGHT_ON, Question, all_placements, find_placement
from .product_pages import PageKind, PageQuestion
from .request_context import kept_last_baskets, rank_request

__all__ = [
    "BOUGHT_ON",
    "Catalogue",
    "CatalogueUpdates",
    "Engine",
    "LiveItem",
    "LiveLocation",
    "LiveStock",
    "PageKind",
    "PageQuestion",
    "Question",
    "Record",
    "all_placements",
    "check_placement",
    "find_placement",
    "kept_last_baskets",
    "rank_request",
    "shift_seconds",
    "unknown_names",
    "unknown_values",
]
