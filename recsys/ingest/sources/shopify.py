"""Turns Shopify's order export into staged order lines.

The export has several rows per order. The order's own values (e-mail, times, status, refunds) are
on its first row only, or on all rows if they were filled down. In: one opened file. Out: the
columns of ``order_lines.staged_lines``. Called by ``staging``.

- ``shopify_copies`` finds the rows of an order and its copies.
- An order whose ``Cancelled at`` is filled, or whose payment is ``voided``, is cancelled.
- ``Source`` sets the channel, unless the source's settings do.
- ``shopify_discounts`` spreads a discount on the whole order over its lines.
- ``order_refunds`` turns refunds into return lines. The export has no refund time, so the latest of
  the order's times (created, paid, fulfilled) is used.
"""

from typing import cast

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.config import Column, Config
from recsys.errors import DataError
from recsys.identity import normalise_expression
from recsys.ingest.columns.fields import Fields, Typed
from recsys.ingest.columns.missing_ids import reject_no_id
from recsys.ingest.columns.times import read_time
from recsys.ingest.files.export_files import ROW, RawTable
from recsys.ingest.sources.order_lines import (
    RAW_IDENTIFIER,
    Money,
    default_channel,
    location_of,
    prefixed,
)
from recsys.ingest.sources.order_refunds import with_refunds
from recsys.ingest.sources.shopify_copies import fill
from recsys.ingest.sources.shopify_discounts import spread
from recsys.query_engine import keep
from recsys.schema import CHANNELS

DEFAULTS = {
    "order_id": "Name",
    "occurred_at": "Created at",
    "paid_at": "Paid at",
    "fulfilled_at": "Fulfilled at",
    "cancelled": "Cancelled at",
    "status": "Financial Status",
    "refunded": "Refunded Amount",
    "subtotal": "Subtotal",
    "total": "Total",
    "order_discount": "Discount Amount",
    "order_shipping": "Shipping",
    "order_tax": "Taxes",
    "currency": "Currency",
    "location_id": "Location",
    "sold_through": "Source",
    "item_id": "Lineitem sku",
    "title": "Lineitem name",
    "quantity": "Lineitem quantity",
    "unit_price": "Lineitem price",
    "discount": "Lineitem discount",
}
FIELDS = (*DEFAULTS, "channel")
IDENTIFIERS = {"email": "Email", "phone": "Phone"}
#: Fallback columns for empty identifiers: the payer's phone, not the recipient's.
_ELSE = {"phone": "Billing Phone"}
_LINE_PREFIX = "Lineitem"
_LINE_FIELDS = ("item_id", "title", "quantity", "unit_price", "discount")
_NUMBERS_TEXT = (
    "quantity unit_price discount subtotal refunded total order_discount order_shipping order_tax"
)
_NUMBERS = tuple(_NUMBERS_TEXT.split())
#: Values of ``Source`` for a till: Shopify POS, its mobile apps, its app id.
_TILLS = ("pos", "iphone", "android", "ipad", "129785")
_MARKETS = (
    "amazon|ebay|etsy|walmart|zalando|otto|kaufland|cdiscount|bol.com|allegro|rakuten|wish|temu|"
    "tiktok|facebook|instagram|marketplace"
)


def staged_lines(con: Backend, raw: RawTable, config: Config, name: str) -> Typed:
    """Type the rows of one Shopify order export.

    Parameters
    ----------
    con : ibis backend
        The engine; stores the rows while orders are matched.
    raw : RawTable
        The opened file.
    config : Config
    name : str
        The source's name.

    Returns
    -------
    Typed
        As ``order_lines.staged_lines``, with ``repeated`` (an earlier copy of an order), ``added``
        (return lines made from refunds), ``order_total_minor``, the order's stated total, and
        ``order_expected_minor``, the sum of its lines, shipping and taxes (null where a line
        cannot be read).

    Raises
    ------
    DataError
        If a required column is missing.
    """
    table = keep(con, "shopify_raw", raw.table.select(ROW, *_used(raw, config, name)))
    fields = Fields(table, raw.columns, config, name, raw.file.name, DEFAULTS)
    fields.check_known(FIELDS)
    if not fields.has("order_id") or not fields.has("item_id"):
        raise DataError(
            f"{raw.file.name}: not a Shopify order export: `Name` or `Lineitem sku` is missing. "
            f"The columns are: {', '.join(raw.columns)}."
        )
    fields.require("order_id", "occurred_at", "item_id", "quantity", "unit_price")
    filled = keep(con, "shopify_filled", _fill(con, fields))
    fields = Fields(filled, raw.columns, config, name, raw.file.name, DEFAULTS)
    fields.read_numbers(con, *_NUMBERS)
    typed = keep(con, "shopify_lines", _typed(fields))
    lines = spread(typed)
    first = lines[ROW].min().over(ibis.window(group_by="order_id"))
    lines = lines.mutate(line_no=(lines[ROW] - first + 1).cast("int32"))
    return Typed(with_refunds(keep(con, "shopify_spread", lines)), fields)


def channel_of(fields: Fields) -> ir.StringValue:
    """Return the channel of each row: mapped or set, else derived from ``Source``."""
    configured = fields.source.channel
    if fields.has("channel") or configured or not fields.has("sold_through"):
        return fields.choice("channel", CHANNELS, default_channel(fields))
    through = fields.text("sold_through").lower()
    channel = ibis.cases(
        (through.isin(_TILLS) | through.re_search(r"\bpos\b|point of sale"), "pos"),
        (through.re_search(_MARKETS), "marketplace"),
        else_=default_channel(fields),
    )
    return cast(ir.StringValue, channel.fill_null(default_channel(fields)))


def _used(raw: RawTable, config: Config, name: str) -> list[str]:
    """List the columns of fields and identifiers; most columns of the export are neither."""
    source = config.sources[name]
    lower = {column.lower(): column for column in raw.columns}
    used = [*FIELDS, *(lower.get(column.lower(), "") for column in DEFAULTS.values())]
    used += [lower.get(c.lower(), "") for c in (*IDENTIFIERS.values(), *_ELSE.values())]
    for spec in (*source.columns.values(), *source.identifiers.values()):
        used += _columns_of(spec)
    return [column for column in raw.columns if column in used]


def _columns_of(spec: str | Column) -> list[str]:
    if isinstance(spec, str):
        return [spec]
    return [spec.column] if spec.column else [*spec.columns, *spec.days]


def _fill(con: Backend, shape: Fields) -> ir.Table:
    of_line = {
        column
        for field in _LINE_FIELDS
        for column in _columns_of(shape.source.columns.get(field, ""))
    }
    columns = [column for column in shape.table.columns if column != ROW]
    lines = [c for c in columns if c.startswith(_LINE_PREFIX) or c in of_line]
    return fill(con, shape, lines, [c for c in columns if c not in lines])


def _typed(fields: Fields) -> ir.Table:
    source = fields.source
    order_id = fields.text("order_id", required=True)
    item_id = fields.text("item_id", required=True)
    reject_no_id(fields, "order_id", order_id, "order")
    reject_no_id(fields, "item_id", item_id)
    quantity = fields.number("quantity", required=True)
    price = fields.number("unit_price", required=True)
    fields.reject("negative_price", "unit_price", price < 0, price)
    channel = channel_of(fields)
    money = Money(fields)
    parts = money.line(quantity, price, fields.number("discount"), ibis.null("decimal(18, 6)"))
    of_order = {
        f"_{field}": money.minor(fields.number(field))
        for field in ("subtotal", "total", "order_discount", "order_shipping", "order_tax")
    }
    refunded = fields.number("refunded")
    status = fields.text("status").lower().fill_null("")
    repetition = cast(ir.StringValue, fields.table["_again"])
    number = ibis.ifelse(repetition == "", order_id, order_id + "/" + repetition)
    texts = [fields.text(field) for field in ("occurred_at", "paid_at", "fulfilled_at")]
    identifiers = _identifiers(fields)
    cancelled = fields.flag("cancelled") | (status == "voided")
    title, location = fields.text("title"), location_of(fields)
    occurred_at, twice = fields.moment("occurred_at")
    return fields.parsed(
        order_id=prefixed(source, fields.name, cast(ir.StringValue, number)),
        number=prefixed(source, fields.name, order_id),
        line_no=ibis.null("int32"),
        occurred_at=occurred_at,
        twice=twice,
        channel=channel,
        location_id=location,
        item_id=item_id,
        title=title,
        quantity=quantity.cast("float64"),
        line_type=ibis.null("string"),
        return_of=ibis.null("string"),
        cancelled=cancelled,
        **parts,
        **identifiers,
        repeated=fields.table.repeated,
        **of_order,
        _refunded=money.minor(refunded).fill_null(0),
        _all_refunded=status == "refunded",
        _refund_at=_latest(occurred_at, *texts),
    )


def _identifiers(fields: Fields) -> dict[str, ir.Value]:
    columns = {c.lower(): c for c in fields.columns}
    mapped = {kind: fields.identifier(kind) for kind in fields.source.identifiers}
    for kind, column in IDENTIFIERS.items():
        present = [columns.get(c.lower()) for c in (column, _ELSE.get(kind, column))]
        texts = [cast(ir.StringValue, fields.table[c].cast("string")) for c in present if c]
        if kind not in mapped and texts:
            mapped[kind] = cast(ir.StringValue, ibis.coalesce(*texts))
    return {
        RAW_IDENTIFIER + kind: normalise_expression(kind, value).nullif("")
        for kind, value in mapped.items()
    }


def _latest(
    occurred_at: ir.TimestampValue, created: ir.StringValue, *later: ir.StringValue
) -> ir.TimestampValue:
    """Return the latest of an order's times; one without an offset has that of the creation time.

    Times that cannot be read, such as those not in ISO 8601, are ignored.
    """
    clock, _ = read_time(created)
    shift = clock.epoch_seconds() - occurred_at.epoch_seconds()
    times = []
    for text in later:
        local, offset = read_time(text)
        at = local - ibis.coalesce(offset, shift).as_interval("s")
        times.append(at.fill_null(occurred_at))
    return cast(ir.TimestampValue, ibis.greatest(occurred_at, *times))
