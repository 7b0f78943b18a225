"""Shopify's exports of orders, products and inventory.

Orders need no mapping; ``ingest.sources.shopify`` reads them. Products have one row per variant,
the product's own values on its first row only, and further rows with only an image. Inventory has
one row per product and location, formerly one column per location.
"""

from recsys.config import Column
from training.init.presets.preset import Headers, Preset, ids

_WORDS_TEXT = "web onlinestore pos iphone android ipad shopifydraftorder 580111 129785 1354745"
_WORDS = set(_WORDS_TEXT.split())
_PRODUCTS = {
    "title": "Title",
    "parent_id": "Handle",
    "category": "Type|Product Category",
    "brand": "Vendor",
    "price": "Variant Price|Price",
    "cost": "Cost per item",
    "active": "Status|Published|Published on online store",
    "visibility": "Published|Published on online store",
    "image_url": "Image Src|Variant Image|Product image URL",
    "gtin": "Variant Barcode|Barcode",
    "tags": "Tags",
    "option1": "Option1 Value",
    "option2": "Option2 Value",
    "option3": "Option3 Value",
}
_NO_LOCATION_TEXT = (
    "Handle, Title, Option1 Name, Option1 Value, Option2 Name, Option2 Value, Option3 Name, "
    "Option3 Value, SKU, Variant SKU, HS Code, COO, Bin name, Barcode"
)
#: Columns of the older inventory export that are not locations.
_NO_LOCATION = tuple(_NO_LOCATION_TEXT.split(", "))


def orders(headers: Headers) -> Preset | None:
    """Recognise the order export."""
    if not headers.has("Name", "Created at", "Lineitem quantity", "Lineitem price"):
        return None
    sku, title = headers.get("Lineitem sku"), headers.get("Lineitem name")
    if not (sku or title):
        return None
    preset = Preset("Shopify orders", "shopify_orders", consent=headers.get("Accepts Marketing"))
    item_id = ids(headers, preset, sku, title, most=0.5) if sku else title
    if item_id != sku and item_id is not None:
        preset.columns["item_id"] = item_id
    source = headers.get("Source")
    odd = [word for word in headers.values(source) if _plain(word) not in _WORDS] if source else []
    if odd:
        listed = ", ".join(f"`{word}`" for word in odd[:12])
        preset.checks.append(
            f"orders whose `Source` is {listed} count as web, those of known marketplaces as "
            'marketplace; set `channel`, or map it: channel = { column = "Source", map = { … } }'
        )
    return preset


def products(headers: Headers) -> Preset | None:
    """Recognise the product export."""
    if not headers.has("Handle|URL handle", "Title", "Variant SKU|SKU", "Variant Price|Price"):
        return None
    if not headers.has("Vendor", "Option1 Value|Option1 value|Published"):
        return None
    preset = Preset("Shopify products", "products")
    sku = headers.get("Variant SKU", "SKU")
    preset.columns = {"item_id": sku or "", **headers.fields(_PRODUCTS)}
    if preset.columns.get("visibility") == preset.columns.get("active"):
        preset.columns.pop("visibility", None)
    handle = headers.get("Handle", "URL handle")
    if handle:
        preset.columns["parent_id"] = handle
    return preset


def inventory(headers: Headers) -> Preset | None:
    """Recognise the inventory export, with one row or one column per location."""
    if not headers.has("Handle", "Title", "Option1 Name", "SKU"):
        return None
    preset = Preset("Shopify inventory", "stock", {"item_id": headers.get("SKU") or ""})
    location = headers.get("Location")
    amount = headers.get(
        "Available (not editable)", "Available", "On hand (current)", "On hand", "On hand (new)"
    )
    if location and amount:
        preset.columns |= {"location_id": location, "on_hand": amount}
        preset.checks.append(
            f"`{amount}` is the quantity available for sale, without committed stock"
        )
        return preset
    known = {_plain(name) for name in _NO_LOCATION}
    places = [c for c in headers.export.columns if _plain(c) not in known]
    if location or not places or not headers.has("HS Code|COO"):
        return None
    preset.name = "Shopify inventory (one column per location)"
    preset.columns |= {"location_id": Column(value=places[0]), "on_hand": places[0]}
    if places[1:]:
        others = ", ".join(f"`{place}`" for place in places[1:])
        preset.checks.append(
            f"each location has a column, and a source reads one, here `{places[0]}`. Copy the "
            f"source for {others}, each with its own location_id and on_hand"
        )
    return preset


def _plain(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum())
