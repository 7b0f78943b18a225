"""Google Merchant's product feed, as TSV or XML, and its local inventory feed.

Prices are a number and a currency: ``12.00 GBP``. XML names fields ``g:id``.
"""

from recsys.config import Column
from training.init.presets.preset import Headers, Preset

_PRODUCTS = {
    "item_id": "id",
    "title": "title",
    "parent_id": "item_group_id",
    "category": "product_type|google_product_category",
    "brand": "brand",
    "price": "price",
    "sale_price": "sale_price",
    "cost": "cost_of_goods_sold",
    "url": "link",
    "image_url": "image_link",
    "gtin": "gtin",
    "availability": "availability",
    "condition": "condition",
    "color": "color",
    "size": "size",
    "gender": "gender",
    "age_group": "age_group",
    "adult": "adult",
    "mpn": "mpn",
}
_STOCK = {"location_id": "store_code", "item_id": "id|itemid|item_id", "on_hand": "quantity"}
#: Without a quantity, an available product counts as one piece.
_AVAILABLE = {
    "in_stock": "1",
    "in stock": "1",
    "limited_availability": "1",
    "limited availability": "1",
    "on_display_to_order": "1",
    "on display to order": "1",
    "out_of_stock": "0",
    "out of stock": "0",
    "preorder": "0",
    "backorder": "0",
}


def products(headers: Headers) -> Preset | None:
    """Recognise the product feed."""
    if not headers.has("id", "title", "link", "price", "image_link|availability"):
        return None
    return Preset("Google Merchant product feed", "products", headers.fields(_PRODUCTS))


def inventory(headers: Headers) -> Preset | None:
    """Recognise the local inventory feed."""
    if not headers.has("store_code", "id|itemid|item_id", "quantity|availability"):
        return None
    preset = Preset("Google Merchant local inventory feed", "stock", headers.fields(_STOCK))
    if "on_hand" not in preset.columns:
        preset.columns["on_hand"] = Column(column=headers.get("availability"), map=_AVAILABLE)
        preset.checks.append("the feed has no quantity; a product in stock counts as one piece")
    return preset
