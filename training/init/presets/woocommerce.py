"""WooCommerce's exports: orders with one row per item or per order, and its products.

Export plugins write both layouts of orders. ``item_total`` and the ``total`` in a cell of lines are
after coupons and without tax, so coupons are not deducted from the order again. Customer 0 means no
account.
"""

from recsys.config import Column
from recsys.ingest.sources import woocommerce_columns
from training.init.presets.preset import Headers, Preset, ids, words

_ITEMS = {
    "order_id": "order_id|order_number",
    "occurred_at": "order_date|date|date_created|paid_date",
    "title": "item_name|line_item_name",
    "quantity": "item_quantity|item_qty|quantity",
    "amount": "item_total|line_total",
    "currency": "order_currency|currency",
    "order_total": "order_total",
    "order_shipping": "shipping_total|order_shipping",
    "refunded_quantity": "item_refunded_qty",
    "refunded_amount": "item_refunded",
}
_PEOPLE = {
    "account": "customer_id|customer_user",
    "email": "billing_email|customer_email",
    "phone": "billing_phone|customer_phone",
}
_PRODUCTS = {
    "title": "Name",
    "parent_id": "Parent",
    "category": "Categories",
    "brand": "Brands|Brand",
    "id": "ID",
    "price": "Regular price",
    "sale_price": "Sale price",
    "active": "Published",
    "visibility": "Visibility in catalog|Visibility in catalogue",
    "image_url": "Images",
    "gtin": "GTIN, UPC, EAN, or ISBN",
    "tags": "Tags",
    "type": "Type",
}
#: Status of an order → whether it was cancelled.
STATUS = {
    **dict.fromkeys(woocommerce_columns.SOLD, "no"),
    **dict.fromkeys(woocommerce_columns.NOT_SOLD, "yes"),
}
#: Type of product rows, types of other rows, and the id of those.
_LINE = "line_item"
_OTHER_LINES = ("shipping", "fee", "tax", "coupon", "refund")
_NOTHING = "NO_PRODUCT"
#: Types of products that are sold only as their variations or parts.
_NOT_ITSELF = ("variable", "grouped")
_MOST_WITHOUT_SKU = 0.5
#: Tolerance for equal amounts. Major units.
_NEAR = 0.011


def items(headers: Headers) -> Preset | None:
    """Recognise orders with one row per item."""
    if not headers.has("order_id|order_number", "item_quantity|item_qty", "item_total|line_total"):
        return None
    if not headers.has("order_date|date|date_created|paid_date", "item_sku|item_product_id"):
        return None
    preset = Preset(
        "WooCommerce orders (one row per item)", "order_lines", settings={"channel": "web"}
    )
    preset.columns = headers.fields(_ITEMS)
    sku, number = headers.get("item_sku"), headers.get("item_product_id", "item_variation_id")
    kind = headers.get("item_type")
    lines = (kind, _LINE) if kind and _LINE in headers.values(kind) else None
    preset.columns["item_id"] = ids(headers, preset, sku, number, lines) if sku else number or ""
    _leave_out_other_rows(headers, preset, kind)
    price = _price(headers)
    if price:
        preset.columns["unit_price"] = price
    status = headers.get("status", "order_status")
    if status:
        meaning = {**STATUS, **{f"wc-{word}": value for word, value in STATUS.items()}}
        if "refunded_amount" not in preset.columns and "refunded_quantity" not in preset.columns:
            meaning |= {"refunded": "yes", "wc-refunded": "yes"}
        preset.columns["cancelled"] = words(headers, status, meaning, preset, "the order")
    _people(headers, preset)
    return preset


def _leave_out_other_rows(headers: Headers, preset: Preset, kind: str | None) -> None:
    """Exclude rows of postage, fees, taxes and coupons, which are not products."""
    other_types = [text for text in headers.values(kind) if text != _LINE] if kind else []
    if kind is None or not other_types:
        return
    item_id = preset.columns["item_id"]
    if isinstance(item_id, str):
        preset.columns["item_id"] = Column(column=item_id, default=_NOTHING)
    meaning = {_LINE: "sale", **dict.fromkeys(_OTHER_LINES, "voided")}
    preset.columns["line_type"] = words(headers, kind, meaning, preset, "the row")
    preset.rules["non_product_ids"] = [_NOTHING]


def orders(headers: Headers) -> Preset | None:
    """Recognise orders with one row per order and their lines in a cell."""
    lines = woocommerce_columns.item_columns(headers.export.columns)
    if not lines or not headers.has("order_id|order_number", "order_date|date|date_created"):
        return None
    seen = [text for column in lines for text in headers.values(column)]
    if seen and not any(":" in text for text in seen):
        return None
    preset = Preset("WooCommerce orders (one row per order)", "woocommerce_orders")
    status = headers.get("status", "order_status")
    known = {_word(word) for word in STATUS}
    odd = [w for w in headers.values(status) if _word(w) not in known] if status else []
    if status and odd:
        listed = ", ".join(f"`{word}`" for word in odd)
        preset.checks.append(
            f"the meaning of {listed} in `{status}` is unknown, and their orders are rejected; map "
            "them to `completed` or `cancelled`"
        )
    without = sum("sku:|" in text or "sku" not in text for text in seen)
    if without > len(seen) / 2:
        preset.columns["item_id"] = "line_items.product_id"
        preset.checks.append("most lines have no SKU, so products are identified by their number")
    _people(headers, preset)
    return preset


def products(headers: Headers) -> Preset | None:
    """Recognise the product export of WooCommerce itself."""
    if not headers.has("ID", "Type", "SKU", "Name", "Published", "Regular price"):
        return None
    preset = Preset("WooCommerce products", "products")
    preset.columns = {"item_id": _product_ids(headers, preset), **headers.fields(_PRODUCTS)}
    published = headers.get("Published") or ""
    shown = {"1": "yes", "0": "no", "-1": "no", "2": "yes"}
    preset.columns["active"] = Column(column=published, map=shown)
    if headers.has("Stock"):
        preset.checks.append(
            "the file also has quantities in stock: add it again as a source of the "
            'kind stock, with on_hand = "Stock" and a location_id'
        )
    return preset


def _product_ids(headers: Headers, preset: Preset) -> str:
    """Choose SKUs or numbers; a product without a SKU has its number, as in orders."""
    sku, number, kind = (headers.get(name) or "" for name in ("SKU", "ID", "Type"))
    sold = [row for row in headers.export.rows if row.get(kind) not in _NOT_ITSELF]
    share = sum(not row.get(sku) for row in sold) / max(len(sold), 1)
    if share > _MOST_WITHOUT_SKU:
        preset.checks.append(
            f"{share:.0%} of the first rows have no `{sku}`, so products are identified by "
            f"`{number}`; other exports must use the same ids"
        )
        return number
    if share:
        preset.checks.append(
            f"{share:.0%} of the first rows have no `{sku}`; these products have the id `id:` and "
            f"their `{number}`, as in WooCommerce's orders"
        )
    return sku


def _people(headers: Headers, preset: Preset) -> None:
    people = headers.fields(_PEOPLE)
    account = people.get("account")
    if isinstance(account, str) and "0" in headers.values(account):
        preset.blocked["account"] = ["0"]
        preset.checks.append(f"`{account}` 0 means guests, who are identified by e-mail or phone")
    if preset.kind == "order_lines":
        preset.identifiers = people


def _price(headers: Headers) -> str | None:
    """Return the column of the price before coupons; some plugins write it after coupons."""
    price, quantity = headers.get("item_price"), headers.get("item_quantity", "item_qty")
    before, after = headers.get("item_subtotal"), headers.get("item_total", "line_total")
    if not (price and quantity and before and after):
        return price
    for row in headers.export.rows:
        try:
            each, many = float(row.get(price, "")), float(row.get(quantity, ""))
            full, paid = float(row.get(before, "")), float(row.get(after, ""))
        except ValueError:
            continue
        if abs(full - paid) > _NEAR and abs(each * many - full) > _NEAR * max(abs(many), 1):
            return None
    return price


def _word(status: str) -> str:
    return status.casefold().removeprefix("wc-").replace("_", "-").replace(" ", "-")
