"""Square's item sales and its item library.

``Net Sales`` is the amount paid for a line without tax; ``Discounts`` are negative; a refund has
negative quantities and amounts. ``Gross Sales`` over ``Qty`` is the price; it follows from these.
"""

from recsys.config import Column
from training.init.presets.preset import Headers, Preset, ids, words

_ITEMS = {
    "order_id": "Transaction ID",
    "location_id": "Location",
    "title": "Item",
    "quantity": "Qty|Quantity",
    "discount": "Discounts",
    "amount": "Net Sales",
}
_EVENTS = {"Payment": "sale", "Refund": "return"}
_CATALOGUE = {
    "title": "Item Name|Customer-facing Name",
    "parent_id": "Reference Handle|Token",
    "category": "Reporting Category|Category|Categories",
    "price": "Price",
    "cost": "Default Unit Cost",
    "gtin": "GTIN",
    "variation": "Variation Name",
    "url": "Permalink",
}
#: Square uses the zone names of Rails.
_ZONES = {
    "Eastern Time (US & Canada)": "America/New_York",
    "Central Time (US & Canada)": "America/Chicago",
    "Mountain Time (US & Canada)": "America/Denver",
    "Pacific Time (US & Canada)": "America/Los_Angeles",
    "Arizona": "America/Phoenix",
    "Alaska": "America/Anchorage",
    "Hawaii": "Pacific/Honolulu",
    "Atlantic Time (Canada)": "America/Halifax",
    "London": "Europe/London",
    "Dublin": "Europe/Dublin",
    "Paris": "Europe/Paris",
    "Madrid": "Europe/Madrid",
    "Sydney": "Australia/Sydney",
    "Melbourne": "Australia/Melbourne",
    "Brisbane": "Australia/Brisbane",
    "Perth": "Australia/Perth",
    "Tokyo": "Asia/Tokyo",
}


def items(headers: Headers) -> Preset | None:
    """Recognise the item detail export of sales."""
    if not headers.has("Date", "Item", "Qty|Quantity", "Net Sales", "Transaction ID"):
        return None
    if not headers.has("Gross Sales", "Event Type|Payment ID"):
        return None
    preset = Preset("Square item sales", "till_tickets", headers.fields(_ITEMS))
    date, time = headers.get("Date") or "", headers.get("Time")
    joined = Column(columns=[date, time], join=" ") if time else date
    preset.columns["occurred_at"] = joined
    sku, item = headers.get("SKU"), headers.get("Item") or ""
    preset.columns["item_id"] = ids(headers, preset, sku, item) if sku else item
    event = headers.get("Event Type")
    if event:
        preset.columns["line_type"] = words(headers, event, _EVENTS, preset, "the line")
    _zone(headers, preset)
    preset.identifiers = headers.fields({"account": "Customer ID"})
    return preset


def catalogue(headers: Headers) -> Preset | None:
    """Recognise the item library."""
    if not headers.has("Item Name", "Variation Name", "SKU", "Price"):
        return None
    preset = Preset("Square item library", "products")
    sku = headers.get("SKU") or ""
    preset.columns = {
        "item_id": ids(headers, preset, sku, headers.get("Item Name")),
        **headers.fields(_CATALOGUE),
    }
    archived = headers.get("Archived")
    if archived:
        preset.columns["active"] = Column(
            column=archived, map={"Y": "no", "N": "yes", "y": "no", "n": "yes"}
        )
    return preset


def _zone(headers: Headers, preset: Preset) -> None:
    column = headers.get("Time Zone")
    named = headers.values(column) if column else []
    zones = {_ZONES.get(name) for name in named}
    if len(zones) == 1 and (zone := zones.pop()):
        preset.settings["time_zone"] = zone
    elif named:
        listed = ", ".join(f"`{name}`" for name in named)
        preset.checks.append(
            f"times have the zones {listed}; they are read in one zone, the workspace's or the "
            "source's `time_zone`"
        )
