"""Turns WooCommerce exports with one row per order into staged order lines.

The lines of an order are in one cell, ``line_items``, or in ``line_item_1``, ``line_item_2`` and
so on: ``id:5501|name:Fern pot|sku:FP-S|quantity:2|subtotal:24.00|total:24.00;id:…``, or as JSON.
In: one opened file. Out: the columns of ``order_lines.staged_lines``, one row per line; the lines
of an order share its ``_row``. Called by ``staging``. ``order_lines`` reads exports with one row
per item.

- ``subtotal`` is the price of a line, ``total`` the amount paid after coupons. Both exclude tax if
  the export also has ``subtotal_tax``.
- ``status`` states whether an order was placed. Rows with an unknown status are rejected.
- ``order_refunds`` turns refunds of a line or an order into return lines.
- If an order appears twice in the file, the last copy counts.
"""

from collections.abc import Sequence
from typing import cast

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.config import Config
from recsys.errors import DataError
from recsys.identity import normalise_expression
from recsys.ingest.columns.fields import Fields, Typed
from recsys.ingest.columns.missing_ids import reject_no_id
from recsys.ingest.files.export_files import ROW, RawTable
from recsys.ingest.sources.order_lines import RAW_IDENTIFIER, Money, location_of, prefixed
from recsys.ingest.sources.order_refunds import with_refunds
from recsys.ingest.sources.woocommerce_columns import NOT_SOLD, SOLD, item_columns
from recsys.query_engine import is_json, keep
from recsys.schema import CHANNELS

#: Field → its possible column names; the first that the file has is used.
NAMES: dict[str, tuple[str, ...]] = {
    "order_id": ("order_id", "order id", "order_number", "order number"),
    "occurred_at": ("order_date", "order date", "date", "date_created", "paid_date"),
    "status": ("status", "order_status", "order status"),
    "currency": ("order_currency", "currency", "order currency"),
    "refunded": ("refunded_total", "total_refunded", "refund_total"),
    "order_discount": ("discount_total", "order_discount", "cart_discount"),
    "order_total": ("order_total", "order total", "total"),
    "order_shipping": ("shipping_total", "order_shipping"),
    "order_tax": ("tax_total", "total_tax", "order_tax"),
}
#: Column made from each line → the keys it may have.
_KEYS = {
    "sku": ("sku", "product_sku", "item_sku"),
    "product_id": ("variation_id", "product_id"),
    "name": ("name", "product_name", "item_name"),
    "quantity": ("quantity", "qty"),
    "subtotal": ("subtotal", "sub_total"),
    "total": ("total",),
    "price": ("price", "item_price"),
    "refunded": ("refunded", "refunded_amount"),
    "refunded_quantity": ("refunded_qty", "refunded_quantity"),
}
LINE = "line_items."
_OF_LINE = {
    "item_id": LINE + "sku_or_id",
    "title": LINE + "name",
    "quantity": LINE + "quantity",
    "unit_price": LINE + "price",
    "subtotal": LINE + "subtotal",
    "amount": LINE + "total",
    "refunded_quantity": LINE + "refunded_quantity",
    "refunded_amount": LINE + "refunded",
}
FIELDS = (*NAMES, *_OF_LINE, "channel", "location_id")
IDENTIFIERS = {
    "account": ("customer_id", "customer_user", "user_id"),
    "email": ("billing_email", "customer_email", "email"),
    "phone": ("billing_phone", "customer_phone", "phone"),
}
_SEPARATOR = "\x1e"
_BEGIN = r";\s*((?:id|item_id|line_item_id|name|product_id|variation_id|sku):)"
_NUMBERS_TEXT = (
    "quantity unit_price subtotal amount refunded_quantity refunded_amount refunded "
    "order_discount order_total order_shipping order_tax"
)
_NUMBERS = tuple(_NUMBERS_TEXT.split())
_LIST = dt.dtype("array<string>")


@ibis.udf.scalar.builtin(name="json_transform", signature=((dt.string, dt.string), _LIST))
def _listed(text, shape):  # type: ignore[no-untyped-def]
    """Read a JSON list; values that do not fit are null."""


@ibis.udf.scalar.builtin(name="json_extract_string", signature=((dt.string, dt.string), dt.string))
def _at(text, path):  # type: ignore[no-untyped-def]
    """Read the value at a path of a JSON text."""


def staged_lines(con: Backend, raw: RawTable, config: Config, name: str) -> Typed:
    """Type the lines of one export with one row per order.

    Parameters
    ----------
    con : ibis backend
        The engine; stores the rows while their lines are spread.
    raw : RawTable
        The opened file.
    config : Config
    name : str
        The source's name.

    Returns
    -------
    Typed
        As ``shopify.staged_lines``: one row per line, with the ``_row`` of its order. An order
        without lines is one rejected row.

    Raises
    ------
    DataError
        If a required column is missing.
    """
    items = item_columns(raw.columns)
    if not items:
        raise DataError(
            f"{raw.file.name}: not a WooCommerce export with one row per order: no column "
            f"`line_items`. The columns are: {', '.join(raw.columns)}."
        )
    table = keep(con, "woocommerce_raw", raw.table)
    table = keep(con, "woocommerce_items", _spread(table, items))
    columns = [c for c in table.columns if c not in (ROW, "_place")]
    lower = {column.lower(): column for column in reversed(columns)}
    present = {f: next((lower[n] for n in names if n in lower), "") for f, names in NAMES.items()}
    fields = _Lines(table, columns, config, name, raw.file.name, {**present, **_OF_LINE})
    fields.check_known(FIELDS)
    fields.require("order_id", "occurred_at", "item_id", "quantity")
    fields.read_numbers(con, *_NUMBERS)
    parsed = keep(con, "woocommerce_lines", _typed(fields, lower))
    return Typed(with_refunds(_reduced(parsed)), fields)


class _Lines(Fields):
    """Fields where several rows share one ``_row``; only the bad rows are rejected."""

    def rejected(self, bad: ir.Table | Sequence[int] | None) -> ir.Table:
        """Return the rejects, as ``Fields.rejected``, without the good lines of the same orders."""
        rejects = super().rejected(bad)
        return rejects.filter(rejects.reason.notnull())


def _spread(table: ir.Table, columns: list[str]) -> ir.Table:
    """Give each line of an order a row, with a column for each key."""
    texts = [cast(ir.StringValue, table[column].cast("string")).nullif("") for column in columns]
    cell = texts[0]
    for more in texts[1:]:  # join line_item_1 and so on into one cell
        cell = ibis.ifelse(
            cell.isnull() | more.isnull(), ibis.coalesce(cell, more), cell + _SEPARATOR + more
        )
    json = (cell.strip().left(1) == "[") & is_json(cell)
    split = cell.re_replace(_BEGIN, _SEPARATOR + r"\1").split(_SEPARATOR)
    safe = ibis.ifelse(json, cell, "[]")
    listed = cast(
        ir.ArrayValue, ibis.ifelse(json.fill_null(False), _listed(safe, '["VARCHAR"]'), split)
    )
    no_item = ibis.array([ibis.null("string")])
    listed = cast(ir.ArrayValue, ibis.ifelse(listed.length() > 0, listed, no_item))
    numbered = table.mutate(_items=listed.filter(lambda item: item.fill_null("x").strip() != ""))
    spread = numbered.unnest("_items", offset="_place", keep_empty=True)
    item = cast(ir.StringValue, spread["_items"])
    values = {LINE + name: _value(item, keys) for name, keys in _KEYS.items()}
    spread = spread.mutate(**values)
    other = ibis.literal("id:") + spread[LINE + "product_id"].nullif("0")
    either = ibis.coalesce(spread[LINE + "sku"], other)
    return spread.mutate(**{LINE + "sku_or_id": either}).drop("_items")


def _value(item: ir.StringValue, keys: tuple[str, ...]) -> ir.Value:
    """Read the first key that a line has, from JSON or from ``key:value|key:value``."""
    json = item.strip().left(1) == "{"
    values = []
    for key in keys:
        plain = item.re_extract(rf"(?s)(?:^|\|)\s*{key}:(.*?)(?:\|\s*[a-z_]+:|$)", 1)
        inside = _at(ibis.ifelse(json, item, "{}"), f"$.{key}")
        text = ibis.ifelse(json, inside, ibis.ifelse(json, "", plain))
        values.append(cast(ir.StringValue, text).strip().nullif(""))
    if "variation_id" in keys:
        values = [value.nullif("0") for value in values]
    return ibis.coalesce(*values)


def _typed(fields: Fields, lower: dict[str, str]) -> ir.Table:
    source = fields.source
    order_id = fields.text("order_id", required=True)
    item_id = fields.text("item_id", required=True)
    reject_no_id(fields, "order_id", order_id, "order")
    reject_no_id(fields, "item_id", item_id)
    quantity = fields.number("quantity", required=True)
    price = fields.number("unit_price")
    fields.reject("negative_price", "unit_price", price < 0, price)
    text = fields.text("status")
    status = text.lower().re_replace(r"^wc-", "").re_replace(r"[\s_]+", "-").fill_null("")
    fields.reject("unknown_value", "status", ~status.isin([*SOLD, *NOT_SOLD, ""]), text)
    channel = fields.choice("channel", CHANNELS, source.channel or "web")
    money = Money(fields)
    subtotal, amount = fields.number("subtotal"), fields.number("amount")
    reduced = ibis.greatest(subtotal - amount, 0)
    parts = money.line(
        quantity,
        price,
        cast(ir.DecimalValue, reduced),
        cast(ir.DecimalValue, ibis.coalesce(amount, subtotal)),
    )
    stated = {
        f"_{field}": money.minor(fields.number(field).abs()).fill_null(0)
        for field in ("refunded", "order_discount", "order_shipping", "order_tax")
    }
    own = fields.number("refunded_quantity"), fields.number("refunded_amount")
    total = money.minor(fields.number("order_total"))
    title, location = fields.text("title"), location_of(fields)
    identifiers = _identifiers(fields, lower)
    place = fields.table["_place"].fill_null(0)
    occurred_at, twice = fields.moment("occurred_at")
    return fields.parsed(
        order_id=prefixed(source, fields.name, order_id),
        line_no=(place + 1).cast("int32"),
        occurred_at=occurred_at,
        twice=twice,
        channel=channel,
        location_id=location,
        item_id=item_id,
        title=title,
        quantity=quantity.cast("float64"),
        line_type=ibis.null("string"),
        return_of=ibis.null("string"),
        cancelled=status.isin(NOT_SOLD),
        **parts,
        **identifiers,
        **stated,
        _total=total,
        _all_refunded=status == "refunded",
        _refund_at=occurred_at,
        _own_quantity=own[0].abs().cast("float64"),
        _own_amount=money.minor(own[1].abs()),
    )


def _identifiers(fields: Fields, lower: dict[str, str]) -> dict[str, ir.Value]:
    mapped = {kind: fields.identifier(kind) for kind in fields.source.identifiers}
    for kind, names in IDENTIFIERS.items():
        texts = [fields.table[lower[name]].cast("string") for name in names if name in lower]
        if kind not in mapped and texts:
            mapped[kind] = cast(ir.StringValue, ibis.coalesce(*texts))
    if "account" in mapped:  # customer 0 means no account
        mapped["account"] = mapped["account"].nullif("0")
    return {
        RAW_IDENTIFIER + kind: normalise_expression(kind, value).nullif("")
        for kind, value in mapped.items()
    }


def _reduced(lines: ir.Table) -> ir.Table:
    """Mark copies, and spread discounts not yet in the lines, exact to the cent."""
    last = ibis.window(group_by="order_id")
    lines = lines.mutate(repeated=(lines[ROW] < lines[ROW].max().over(last)).fill_null(False))
    whole = ibis.window(group_by=["order_id", ROW])
    upto = ibis.window(group_by=["order_id", ROW], order_by="line_no", preceding=None, following=0)
    own = ibis.ifelse(lines.bad, 0, lines.amount_minor).fill_null(0)
    table = lines.mutate(
        _sum=lines.amount_minor.sum().over(whole).fill_null(0),
        _given=lines.discount_minor.sum().over(whole).fill_null(0),
        _unread=lines.amount_minor.isnull().any().over(whole),
        _own=own,
        _upto=own.sum().over(upto),
    )
    undiscounted = table._sum + table._order_shipping + table._order_tax
    missing = ibis.greatest(table._order_discount - table._given, 0)
    # `total` includes coupons already, unless the order costs less than its lines.
    separate = (missing > 1) & (
        (table._total - undiscounted).abs() > (table._total - undiscounted + missing).abs()
    )
    discount = ibis.ifelse(separate.fill_null(False), missing, 0)
    rate = (discount / table._sum.nullif(0)).clip(0.0, 1.0).fill_null(0.0)
    table = table.mutate(_rate=rate, _discount=discount)
    share = (table._upto * table._rate).round().cast("int64")
    part = share - ((table._upto - table._own) * table._rate).round().cast("int64")
    used = ("_order_discount", "_order_shipping", "_order_tax", "_total")
    names = [c for c in lines.columns if c not in (*used, "discount_minor", "amount_minor")]
    expected = (undiscounted - table._discount).cast("int64")
    known = ~table._unread & table._total.notnull()
    return table.select(
        *names,
        discount_minor=table.discount_minor + part,
        amount_minor=table.amount_minor - part,
        order_total_minor=table._total,
        order_expected_minor=ibis.ifelse(known, expected, ibis.null("int64")),
    )
