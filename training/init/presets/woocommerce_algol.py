"""Advanced Order Export for WooCommerce (AlgolPlus): orders with one row per item, by its labels.

``Item Cost`` is the price of one piece, before or after coupons; the orders' totals show which.
The order's own values are repeated on each of its rows.
"""

from training.init.evidence import close
from training.init.figures import read
from training.init.presets.preset import Headers, Preset, ids, words
from training.init.presets.woocommerce import STATUS
from training.init.proposal import Question

_COLUMNS = {
    "order_id": "Order Number|Order ID",
    "occurred_at": "Order Date|Paid Date",
    "title": "Item Name|Product Name (main)",
    "quantity": "Quantity|Quantity (- Refund)",
    "unit_price": "Item Cost|Item Cost (inc. tax)",
    "amount": "Order Line Total|Order Line (w/o tax)",
    "currency": "Order Currency|Currency",
    "order_total": "Order Total Amount",
    "order_shipping": "Order Shipping Amount",
    "order_tax": "Order Total Tax Amount",
}
_PEOPLE = {
    "account": "Customer User ID|User ID",
    "email": "Email (Billing)",
    "phone": "Phone (Billing)",
}
_COUPONS = "Cart Discount Amount"


def items(headers: Headers) -> Preset | None:
    """Recognise the export by the labels of its default columns."""
    if not headers.has("Order Number|Order ID", "Order Date", "Item Name|Product Name (main)"):
        return None
    if not headers.has("Item Cost|Order Line Total", "Order Total Amount|Email (Billing)"):
        return None
    preset = Preset(
        "WooCommerce orders (Advanced Order Export)", "order_lines", settings={"channel": "web"}
    )
    preset.columns = headers.fields(_COLUMNS)
    if "quantity" not in preset.columns:
        return None
    title, sku = headers.get("Item Name", "Product Name (main)"), headers.get("SKU", "Product SKU")
    preset.columns["item_id"] = ids(headers, preset, sku, title) if sku else title or ""
    if "amount" not in preset.columns:
        _take_coupons(headers, preset)
    status = headers.get("Order Status")
    if status:
        meaning = {**STATUS, "refunded": "yes", "pending payment": "yes"}
        preset.columns["cancelled"] = words(headers, status, meaning, preset, "the order")
    back = headers.get("Order Refund Amount")
    if back and any(text.strip("0.,-") for text in headers.values(back)):
        preset.checks.append(
            f"`{back}` is the refund of whole orders; it is not used, because it does not show the "
            "refunded lines. Export `Quantity (- Refund)` and map it to `quantity` to leave out "
            "returned units"
        )
    preset.identifiers = headers.fields(_PEOPLE)
    return preset


def _take_coupons(headers: Headers, preset: Preset) -> None:
    """Deduct coupons if prices are before coupons, as the orders' totals show."""
    coupons = headers.get(_COUPONS)
    if coupons is None or not any(text.strip("0.,") for text in headers.values(coupons)):
        return
    before_coupons = _before_coupons(headers, preset, coupons)
    if before_coupons is None:
        preset.questions.append(
            Question(
                f"is `{preset.columns['unit_price']}` before or after coupons? The orders' totals "
                f"do not show it. If before, deduct `{coupons}`; if after, leave the value empty",
                ("columns.order_discount",),
                coupons,
            )
        )
    elif before_coupons:
        preset.columns["order_discount"] = coupons


def _before_coupons(headers: Headers, preset: Preset, coupons: str) -> bool | None:
    """Return whether prices are before coupons, by the totals; None if unclear."""

    def numbers(field: str) -> list[float]:
        column = coupons if field == "coupons" else preset.columns.get(field)
        texts = [row.get(str(column), "") for row in headers.export.rows]
        return read(texts, 2).values

    price, quantity, total = (numbers(f) for f in ("unit_price", "quantity", "order_total"))
    less, *more = (numbers(field) for field in ("coupons", "order_shipping", "order_tax"))
    orders: dict[str, list[int]] = {}
    for ix, row in enumerate(headers.export.rows):
        orders.setdefault(row.get(str(preset.columns["order_id"]), ""), []).append(ix)
    before = after = 0
    for rows in orders.values():
        first = rows[0]
        if not less[first] or less[first] != less[first]:
            continue
        whole = sum(price[ix] * quantity[ix] for ix in rows)
        lines, off = round(whole, 2), less[first]
        extras = (0.0, *(m[first] for m in more), sum(m[first] for m in more))
        before += any(close(lines - off + extra, total[first]) for extra in extras)
        after += any(close(lines + extra, total[first]) for extra in extras)
    if before == after:
        return None
    return before > after
