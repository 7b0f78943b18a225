from .aisle_pages import AislePage, aisle_page, bundles_for_anybody
from .bar_codes import scanned_item
from .catalogue import Catalogue
from .catalogue_updates import CatalogueUpdates, LiveItem, LiveLocation, LiveStock, Record
from .clock import shift_seconds
from .contact_checks import (
    bought_before,
    cart_document,
    clicks_that_matter,
    forbidden_now,
    left_in_cart,
    possible_zones,
)
from .customer_orders import orders_document, views_document
from .engine import Engine
from .filter_check import unknown_values
from .label_sheet import ShelfLabel, label_sheet
from .placement_check import calibrates, check_placement, unknown_names
from .placements import BOUGHT_ON, KIOSK, Question, all_placements, find_placement
from .product_details import SearchQuestion, found_products, product_details
from .product_pages import PageKind, PageQuestion
from .product_pictures import draw_item
from .request_context import kept_last_baskets, rank_request

__all__ = [
    "BOUGHT_ON",
    "KIOSK",
    "AislePage",
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
    "SearchQuestion",
    "ShelfLabel",
    "aisle_page",
    "all_placements",
    "bought_before",
    "bundles_for_anybody",
    "calibrates",
    "cart_document",
    "check_placement",
    "clicks_that_matter",
    "draw_item",
    "find_placement",
    "forbidden_now",
    "found_products",
    "kept_last_baskets",
    "label_sheet",
    "left_in_cart",
    "orders_document",
    "possible_zones",
    "product_details",
    "rank_request",
    "scanned_item",
    "shift_seconds",
    "unknown_names",
    "unknown_values",
    "views_document",
]
