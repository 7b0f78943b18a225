"""Magento's (Adobe Commerce's) order items and its product export.

A configurable product has two rows per order: one with its price, and one for the chosen variant
with price 0, which the rules leave out as free. Both have the variant's SKU.
"""

from recsys.config import Column
from training.init.presets.preset import Headers, Preset, words

_ITEMS = {
    "order_id": "Order Number|Increment ID|Order #|Order Increment ID|Order ID",
    "occurred_at": "Order Date|Purchase Date|Created At|Purchased On|Order Created At",
    "item_id": "SKU|Item SKU|Product SKU",
    "title": "Product Name|Item Name|Name|Product",
    "quantity": "Qty Ordered|Qty|Quantity|Item Qty Ordered",
    "unit_price": "Price|Item Price|Unit Price|Original Price",
    "discount": "Item Discount Amount|Item Discount|Discount Amount|Discount",
    "currency": "Order Currency|Order Currency Code|Currency",
    "refunded_quantity": "Qty Refunded|Item Qty Refunded",
    "refunded_amount": "Amount Refunded|Item Amount Refunded",
    "order_total": "Grand Total|Order Grand Total",
    "order_shipping": "Shipping Amount|Order Shipping",
}
_PEOPLE = {
    "email": "Customer Email|Email",
    "account": "Customer ID",
    "phone": "Billing Telephone|Telephone|Billing Phone",
}
_STATUS = {
    "pending": "no",
    "processing": "no",
    "complete": "no",
    "closed": "no",
    "holded": "no",
    "on hold": "no",
    "payment_review": "no",
    "canceled": "yes",
    "cancelled": "yes",
    "fraud": "yes",
    "pending_payment": "yes",
}
_PRODUCTS = {
    "item_id": "sku",
    "title": "name",
    "category": "categories",
    "price": "price",
    "sale_price": "special_price",
    "cost": "cost",
    "image_url": "base_image|base_image_url",
    "url": "url|product_url",
    "type": "product_type|_type",
    "additional_attributes": "additional_attributes",
}


def items(headers: Headers) -> Preset | None:
    """Recognise order items by the order's currency, or by what only Magento counts."""
    needed = [_ITEMS[name] for name in ("order_id", "occurred_at", "item_id", "quantity")]
    if not headers.has(*needed, "Price|Item Price|Unit Price|Original Price"):
        return None
    if not headers.has("Order Currency|Order Currency Code|Qty Ordered|Increment ID"):
        return None
    preset = Preset("Magento order items", "order_lines", headers.fields(_ITEMS))
    preset.settings["channel"] = "web"
    _of_the_order(headers, preset)
    status = headers.get("Order Status", "Status", "State")
    if status:
        meaning = dict(_STATUS)
        if not {"refunded_quantity", "refunded_amount"} & set(preset.columns):
            meaning["closed"] = "yes"  # fully credited; no other column states it
        preset.columns["cancelled"] = words(headers, status, meaning, preset, "the order")
    cancelled = headers.get("Qty Canceled", "Qty Cancelled")
    if cancelled and any(text.strip("0.,") for text in headers.values(cancelled)):
        preset.checks.append(f"`{cancelled}` is not deducted from the ordered quantity")
    kinds = headers.get("Product Type", "Item Type")
    if kinds and "bundle" in headers.values(kinds):
        preset.checks.append(
            "the export has bundles and their parts; those with a price count as sold"
        )
    preset.identifiers = headers.fields(_PEOPLE)
    return preset


def _of_the_order(headers: Headers, preset: Preset) -> None:
    """Move values repeated on all lines to the order, as custom exports require."""
    order_id = preset.columns["order_id"]
    if not isinstance(order_id, str):
        return
    for field, instead in (("discount", "order_discount"), ("refunded_amount", None)):
        column = preset.columns.get(field)
        if not isinstance(column, str) or not headers.repeats(order_id, column):
            continue
        del preset.columns[field]
        note = f"all lines of an order have the same `{column}`, so it belongs to the order"
        if instead:
            preset.columns[instead] = column
            preset.checks.append(f"{note}, and is spread over them")
        else:
            preset.checks.append(f"{note}, and is not used as the refund of a line")


def products(headers: Headers) -> Preset | None:
    """Recognise the export of catalog_product."""
    if not headers.has("sku", "name", "price", "product_online|status"):
        return None
    if not headers.has("attribute_set_code|_attribute_set|additional_attributes"):
        return None
    preset = Preset("Magento products", "products", headers.fields(_PRODUCTS))
    for field in ("url", "image_url"):
        column = preset.columns.get(field)
        if isinstance(column, str) and not any("//" in text for text in headers.values(column)):
            del preset.columns[field]  # a path in the shop, not a URL
            preset.columns[f"{field}_path"] = column
    online = headers.get("product_online", "status") or ""
    shown = {"1": "yes", "2": "no", "0": "no"}
    preset.columns["active"] = Column(column=online, map=shown)
    view = headers.get("store_view_code", "_store")
    if view and headers.values(view):
        preset.checks.append(
            f"rows with a `{view}` repeat products with the values of that view, and the last row "
            "of a SKU counts; export the default view only"
        )
    visibility = headers.get("visibility")
    if visibility and any("not visible" in t.casefold() for t in headers.values(visibility)):
        preset.columns["visibility"] = Column(value="")  # otherwise the ingest maps it by name
        preset.checks.append(
            "variants are sold although `Not Visible Individually`, so `visibility` is left out"
        )
    elif visibility:
        preset.columns["visibility"] = visibility
    return preset
