"""Loyverse's receipts by item and its item list.

A refund is a receipt of its own with positive quantities and amounts; only ``Receipt type`` marks
it. ``Status`` states whether a receipt was cancelled. ``Net sales`` is after discounts and includes
the taxes in prices.
"""

from recsys.config import Column
from training.init.presets.preset import Headers, Preset, ids, words

_RECEIPTS = {
    "order_id": "Receipt number",
    "occurred_at": "Date",
    "location_id": "Store",
    "title": "Item",
    "quantity": "Quantity",
    "discount": "Discounts",
    "amount": "Net sales",
}
_TYPES = {"Sale": "sale", "Refund": "return"}
_STATUS = {"Closed": "no", "Cancelled": "yes", "Canceled": "yes"}
_PRODUCTS = {
    "title": "Name",
    "parent_id": "Handle",
    "category": "Category",
    "price": "Default price|Price",
    "cost": "Cost",
    "gtin": "Barcode",
    "option1": "Option 1 value",
    "option2": "Option 2 value",
    "option3": "Option 3 value",
}


def receipts(headers: Headers) -> Preset | None:
    """Recognise receipts by item."""
    if not headers.has("Receipt number", "Receipt type", "Item", "Quantity", "Net sales", "Date"):
        return None
    preset = Preset("Loyverse receipts by item", "till_tickets", headers.fields(_RECEIPTS))
    sku, item = headers.get("SKU"), headers.get("Item") or ""
    preset.columns["item_id"] = ids(headers, preset, sku, item) if sku else item
    kind, status = headers.get("Receipt type") or "", headers.get("Status")
    preset.columns["line_type"] = words(headers, kind, _TYPES, preset, "the line")
    if status:
        preset.columns["cancelled"] = words(headers, status, _STATUS, preset, "the receipt")
    return preset


def products(headers: Headers) -> Preset | None:
    """Recognise the item list."""
    if not headers.has("Handle", "SKU", "Name", "Sold by weight", "Default price|Price|Cost"):
        return None
    preset = Preset("Loyverse items", "products")
    preset.columns = {"item_id": headers.get("SKU") or "", **headers.fields(_PRODUCTS)}
    sold = [c for c in headers.export.columns if c.casefold().startswith("available for sale")]
    if len(sold) == 1:
        preset.columns["active"] = Column(column=sold[0], map={"Y": "yes", "N": "no"})
    priced = [c for c in headers.export.columns if c.casefold().startswith("price [")]
    if "price" not in preset.columns and priced:
        preset.columns["price"] = priced[0]
    if sold[1:]:
        preset.checks.append("stores sell different items; all items count as sold")
    return preset
