"""Odoo's exports of sale orders and of orders of its point of sale.

The order's own values are on the row of its first line; ``fill_down`` copies them to the others.
Headers are labels or technical names; those of lines begin with ``Order Lines/`` or ``order_line/``
(``Lines/``, ``lines/``).
"""

from training.init.presets.preset import Headers, Preset, ids, words
from training.init.proposal import Question

_LINES = ("Order Lines/", "order_line/", "Lines/", "lines/")
_ORDER = {
    "order_id": "Order Reference|Order Ref|name|Reference|Receipt Number|pos_reference",
    "occurred_at": "Order Date|date_order|Date|Creation Date",
    "location_id": "Warehouse|warehouse_id|Point of Sale|config_id",
    "currency": "Currency|currency_id",
}
_LINE = {
    "title": "Product|product_id|Full Product Name|full_product_name|Description|name",
    "quantity": "Quantity|product_uom_qty|qty|Ordered Quantity|Ordered Qty",
    "unit_price": "Unit Price|price_unit",
    "amount": "Subtotal|price_subtotal|Subtotal w/o Tax|Tax excl.|Total|price_total|"
    "Tax incl.|price_subtotal_incl",
}
_DISCOUNT = "Discount (%)|Discount %|Discount|discount|Disc.%"
_REFERENCE = "Product/Internal Reference|product_id/default_code|Product/Barcode"
#: Quotations are not purchases.
_STATUS = {
    "Quotation": "yes",
    "Quotation Sent": "yes",
    "draft": "yes",
    "sent": "yes",
    "Sales Order": "no",
    "sale": "no",
    "Locked": "no",
    "Done": "no",
    "done": "no",
    "Cancelled": "yes",
    "cancel": "yes",
    "New": "yes",
    "Paid": "no",
    "paid": "no",
    "Posted": "no",
    "Invoiced": "no",
    "invoiced": "no",
}
_PEOPLE = {
    "email": "Customer/Email|partner_id/email|Email",
    "phone": "Customer/Phone|partner_id/phone|Phone",
    "account": "Customer/ID|partner_id/id|partner_id/.id|Customer/External ID",
}


def orders(headers: Headers) -> Preset | None:
    """Recognise orders with their lines."""
    begin = next((b for b in _LINES if headers.has(f"{b}Product|{b}product_id")), None)
    if begin is None or not headers.has(_ORDER["order_id"], _ORDER["occurred_at"]):
        return None
    line = headers.fields({name: _behind(begin, names) for name, names in _LINE.items()})
    if "quantity" not in line:
        return None
    preset = Preset("Odoo orders", "order_lines", {**headers.fields(_ORDER), **line})
    pos = headers.has("Session|session_id|pos_reference|Receipt Number|config_id|Point of Sale")
    preset.settings["channel"] = "pos" if pos else "web"
    preset.checks.append(f"no column has the channel; all rows have `{preset.settings['channel']}`")
    product = headers.get(f"{begin}Product", f"{begin}product_id") or ""
    reference = headers.get(*_behind(begin, _REFERENCE).split("|"))
    if reference:
        preset.columns["item_id"] = ids(headers, preset, reference, product)
    else:
        preset.columns["item_id"] = product
        preset.checks.append(
            f"products are identified by their names in `{product}`; export "
            f"`{begin}Product/Internal Reference` too to identify them by code"
        )
    status = headers.get("Status", "state")
    if status:
        preset.columns["cancelled"] = words(headers, status, _STATUS, preset, "the order")
    preset.identifiers = headers.fields(_PEOPLE)
    if not preset.identifiers and headers.has("Customer|partner_id"):
        preset.checks.append(
            "`Customer` is a name, and two people may have the same; export `Customer/Email` or "
            "`Customer/ID` to identify customers"
        )
    _look_at_discount(headers, preset, begin)
    _fill(headers, preset, begin)
    return preset


def _look_at_discount(headers: Headers, preset: Preset, begin: str) -> None:
    """Ask if the only discount is a percentage, as Odoo writes it."""
    column = headers.get(*_behind(begin, _DISCOUNT).split("|"))
    if column is None or "amount" in preset.columns:
        return
    if any(text.strip("0.,% ") for text in headers.values(column)):
        preset.questions.append(
            Question(
                f"`{column}` is a percentage, and no column has the amount paid per line. Export "
                f"`{begin}Subtotal` too, or leave the value empty to ignore discounts",
                ("columns.discount", "columns.amount"),
                "",
            )
        )


def _fill(headers: Headers, preset: Preset, begin: str) -> None:
    """Fill the order's columns down; its number comes first and marks where an order begins."""
    order_id = preset.columns["order_id"]
    specs = [*preset.columns.values(), *preset.identifiers.values()]
    used = [c for s in specs for c in ([s] if isinstance(s, str) else [s.column or ""])]
    of_order = [c for c in used if c and not c.casefold().startswith(begin.casefold())]
    if isinstance(order_id, str) and headers.blank_share(order_id) > 0:
        others = [c for c in dict.fromkeys(of_order) if c != order_id]
        preset.settings["fill_down"] = [order_id, *others]


def _behind(begin: str, names: str) -> str:
    return "|".join(begin + name for name in names.split("|"))
