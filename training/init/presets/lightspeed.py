"""Lightspeed's exports of sales: Retail X-Series (Vend) and R-Series.

The X-Series writes one row for the sale, one for each line and one for each payment. The row of the
sale counts as voided, and payments have no quantity, so only lines count.
"""

from recsys.config import Column
from training.init.presets.preset import Headers, Preset, ids, words

_X_SERIES = {
    "order_id": "Receipt Number",
    "occurred_at": "Date",
    "location_id": "Outlet",
    "title": "Details",
    "discount": "Discount",
    "amount": "Total",
}
_LINE_TYPES = {"Sale Line": "sale", "Sale": "voided", "Payment": "voided"}
_STATUS = {
    "Closed": "no",
    "Completed": "no",
    "Complete": "no",
    "On account": "no",
    "Onaccount": "no",
    "On account closed": "no",
    "Onaccount closed": "no",
    "Layby": "no",
    "Layby closed": "no",
    "Awaiting dispatch": "no",
    "Awaiting pickup": "no",
    "Dispatched closed": "no",
    "Pickedup closed": "no",
    "Voided": "yes",
    "Saved": "yes",
    "Parked": "yes",
    "Cancelled": "yes",
}
#: Id of rows that are not lines; the rules exclude it from products.
_NOTHING = "PAYMENT"
_R_SERIES = {
    "order_id": "Sale ID|Transaction ID|Sale|Sale Number",
    "occurred_at": "Date|Completed|Completed Date|Complete Time|Sale Date",
    "location_id": "Shop",
    "title": "Description|Item",
    "quantity": "Qty|Quantity",
    "discount": "Discounts|Discount",
    "amount": "Total",
}


def x_series(headers: Headers) -> Preset | None:
    """Recognise the sales export of Retail X-Series, formerly Vend."""
    if not headers.has("Date", "Receipt Number", "Line Type", "Quantity", "Total", "SKU"):
        return None
    preset = Preset("Lightspeed X-Series sales", "till_tickets", headers.fields(_X_SERIES))
    preset.columns["item_id"] = Column(column=headers.get("SKU"), default=_NOTHING)
    preset.columns["quantity"] = Column(column=headers.get("Quantity"), default="0")
    kind = headers.get("Line Type") or ""
    preset.columns["line_type"] = words(headers, kind, _LINE_TYPES, preset, "the row")
    preset.rules["non_product_ids"] = [_NOTHING, "vend-discount"]
    line = next((w for w in headers.values(kind) if w.casefold() == "sale line"), "Sale Line")
    if share := headers.blank_share(headers.get("SKU") or "", (kind, line)):
        preset.checks.append(f"{share:.0%} of the lines have no SKU and do not count as products")
    status = headers.get("Status")
    if status:
        preset.columns["cancelled"] = words(headers, status, _STATUS, preset, "the sale")
    preset.identifiers = headers.fields({"account": "Customer Code"})
    if preset.identifiers:
        preset.blocked["account"] = ["WALKIN", "walkin"]
    return preset


def r_series(headers: Headers) -> Preset | None:
    """Recognise the lines of sales of R-Series."""
    if not headers.has("System ID", "Sale ID|Transaction ID|Sale|Sale Number", "Qty|Quantity"):
        return None
    if not headers.has("Total", "Date|Completed|Completed Date|Complete Time|Sale Date"):
        return None
    preset = Preset("Lightspeed R-Series sale lines", "till_tickets", headers.fields(_R_SERIES))
    preset.columns["item_id"] = ids(
        headers, preset, headers.get("System ID") or "", headers.get("Description", "Item")
    )
    preset.identifiers = headers.fields({"account": "Customer ID"})
    return preset
