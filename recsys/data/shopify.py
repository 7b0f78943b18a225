"""Shopify's order export becomes staged order lines.

The export has several rows an order; what concerns the order as a whole (e-mail, times, status,
refunds) stands on its first row only. Comes in as one opened file, goes out with the columns of
``orders.staged_lines``. Called by ``staging``.

- An order whose ``Cancelled at`` is filled, or whose payment is ``voided``, is cancelled.
- A discount on the whole order is spread over its lines in proportion to their value.
- A refund becomes return lines: of everything where the order is ``refunded``, else of the first
  line (or of as many of its units) whose amount is the ``Refunded Amount``. The export has no time
  of a refund; the latest of its times (created, paid, fulfilled) is taken.
- Where an order stands in the file twice, the last one counts.
"""

from typing import cast

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.config import Config
from recsys.data.columns import Fields, Typed
from recsys.data.engine import keep
from recsys.data.files import ROW, RawTable
from recsys.data.keyed_hash import normalise_expression
from recsys.data.orders import RAW_IDENTIFIER, Money, default_channel, location_of, prefixed
from recsys.errors import DataError
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
    "currency": "Currency",
    "location_id": "Location",
    "item_id": "Lineitem sku",
    "title": "Lineitem name",
    "quantity": "Lineitem quantity",
    "unit_price": "Lineitem price",
    "discount": "Lineitem discount",
}
FIELDS = (*DEFAULTS, "channel")
IDENTIFIERS = {"email": "Email"}
#: Filled on an order's first row only; one of them tells where an order begins.
_OF_ORDER = ("status", "total", "subtotal")
_LINE_PREFIX = "Lineitem"


def staged_lines(con: Backend, raw: RawTable, config: Config, name: str) -> Typed:
    """Type the rows of one Shopify order export.

    Parameters
    ----------
    con : ibis backend
        The engine; holds the rows while their order's first row is found.
    raw : RawTable
        The opened file.
    config : Config
    name : str
        The source's name.

    Returns
    -------
    Typed
        As ``orders.staged_lines``, with ``repeated`` (an earlier copy of an order) and ``added``
        (return lines that a refund adds to the rows of the file).

    Raises
    ------
    DataError
        When a column of the shape is missing.
    """
    table = keep(con, "shopify_raw", raw.table)
    shape = Fields(table, raw.columns, config, name, raw.file.name, DEFAULTS)
    shape.check_known(FIELDS)
    if not shape.has("order_id") or not shape.has("item_id"):
        raise DataError(
            f"{raw.file.name}: not Shopify's order export: no `Name` and `Lineitem sku` columns. "
            f"The columns are: {', '.join(raw.columns)}."
        )
    shape.require("order_id", "occurred_at", "item_id", "quantity", "unit_price")
    filled = keep(con, "shopify_filled", _fill(shape, table))
    typed = _typed(con, filled, raw, config, name)
    lines = keep(con, "shopify_lines", typed.table)
    lines = keep(con, "shopify_spread", _spread_discount(lines))
    return Typed(_with_refunds(lines), typed.fields)


def _fill(shape: Fields, table: ir.Table) -> ir.Table:
    """Copy what stands on an order's first row to its other rows."""
    stated = [shape.text(field).notnull() for field in _OF_ORDER if shape.has(field)]
    head = ibis.ifelse(ibis.or_(*stated), table[ROW], ibis.null("int64"))
    table = table.mutate(_order=shape.text("order_id"), _head=head)
    before = ibis.window(group_by="_order", order_by=ROW, preceding=None, following=0)
    table = table.mutate(
        _block=table._head.max().over(before),
        _last=table._head.max().over(group_by="_order"),
    )
    lines = [column for column in shape.columns if column.startswith(_LINE_PREFIX)]
    kept = table.select(ROW, *lines, "_block", repeated=(table._block < table._last))
    of_order = [column for column in shape.columns if column not in lines]
    heads = table.filter(table._head.notnull()).select(_block=table[ROW], **{
        f"order {column}": table[column] for column in of_order
    })  # fmt: skip
    alone = table.select(_row=table[ROW], **{f"own {column}": table[column] for column in of_order})
    joined = kept.left_join(heads, "_block").join(alone, ROW)
    return joined.select(
        ROW,
        *lines,
        **{c: ibis.coalesce(joined[f"order {c}"], joined[f"own {c}"]) for c in of_order},
        repeated=joined.repeated.fill_null(False),
    )


def _typed(con: Backend, table: ir.Table, raw: RawTable, config: Config, name: str) -> Typed:
    fields = Fields(table, raw.columns, config, name, raw.file.name, DEFAULTS)
    fields.read_numbers(con, "quantity", "unit_price", "discount", "amount", "subtotal", "refunded")
    source = fields.source
    order_id = fields.text("order_id", required=True)
    item_id = fields.text("item_id", required=True)
    quantity = fields.number("quantity", required=True)
    price = fields.number("unit_price", required=True)
    fields.reject("negative_price", "unit_price", price < 0, price)
    channel = fields.choice("channel", CHANNELS, default_channel(fields))
    money = Money(fields)
    parts = money.line(quantity, price, fields.number("discount"), fields.number("amount"))
    subtotal, refunded = fields.number("subtotal"), fields.number("refunded")
    status = fields.text("status").lower().fill_null("")
    columns = {c.lower(): c for c in raw.columns}
    mapped: dict[str, ir.StringValue] = {
        kind: fields.identifier(kind) for kind in source.identifiers
    }
    for kind, column in IDENTIFIERS.items():
        if kind not in mapped and column.lower() in columns:
            text = cast(ir.StringValue, fields.table[columns[column.lower()]])
            mapped[kind] = text
    identifiers = {
        RAW_IDENTIFIER + kind: normalise_expression(kind, value).nullif("")
        for kind, value in mapped.items()
    }
    paid, fulfilled = fields.text("paid_at"), fields.text("fulfilled_at")
    occurred_at, twice = fields.moment("occurred_at")
    later = [_offset_time(text) for text in (paid, fulfilled)]
    parsed = fields.parsed(
        order_id=prefixed(source, name, order_id),
        line_no=ibis.null("int32"),
        occurred_at=occurred_at,
        twice=twice,
        channel=channel,
        location_id=location_of(fields),
        item_id=item_id,
        title=fields.text("title"),
        quantity=quantity.cast("float64"),
        line_type=ibis.null("string"),
        return_of=ibis.null("string"),
        cancelled=fields.flag("cancelled") | (status == "voided"),
        **parts,
        **identifiers,
        repeated=fields.table.repeated,
        _subtotal=money.minor(subtotal),
        _refunded=money.minor(refunded).fill_null(0),
        _all_refunded=status == "refunded",
        _refund_at=ibis.greatest(occurred_at, *(t.fill_null(occurred_at) for t in later)),
    )
    return Typed(parsed, fields)


def _offset_time(text: ir.StringValue) -> ir.TimestampValue:
    """Read one of Shopify's own times, ``2017-03-04 12:11:00 -0500``, as UTC."""
    sign = ibis.ifelse(text.substr(20, 1) == "-", -1, 1)
    hours = text.substr(21, 2).try_cast("int64").fill_null(0)
    minutes = text.substr(23, 2).try_cast("int64").fill_null(0)
    local = text.left(19).try_cast("timestamp(6)")
    return cast(ir.TimestampValue, local - (sign * (hours * 3600 + minutes * 60)).as_interval("s"))


def _spread_discount(lines: ir.Table) -> ir.Table:
    """Spread what the subtotal is below the sum of the lines over them, without losing a cent."""
    good = ~lines.bad
    net = ibis.ifelse(good, lines.amount_minor, 0)
    whole = ibis.window(group_by=["order_id", "repeated"])
    upto = ibis.window(group_by=["order_id", "repeated"], order_by=ROW, preceding=None, following=0)
    table = lines.mutate(_net=net)
    table = table.mutate(_sum=table._net.sum().over(whole), _upto=table._net.sum().over(upto))
    rest = ibis.greatest(table._sum - table._subtotal, 0).fill_null(0)
    share = (rest * table._upto / table._sum.nullif(0)).round().cast("int64").fill_null(0)
    earlier = (
        (rest * (table._upto - table._net) / table._sum.nullif(0))
        .round()
        .cast("int64")
        .fill_null(0)
    )
    part = share - earlier
    return table.mutate(
        discount_minor=table.discount_minor + part, amount_minor=table.amount_minor - part
    ).drop("_net", "_sum", "_upto", "_subtotal")


def _with_refunds(lines: ir.Table) -> ir.Table:
    """Add a return line for every line, or part of one, that was paid back."""
    whole = ibis.window(group_by="order_id")
    first, last = lines[ROW].min().over(whole), lines[ROW].max().over(whole)
    place, size = (lines[ROW] - first + 1).cast("int32"), (last - first + 1).cast("int32")
    lines = lines.mutate(line_no=place, _size=size)
    unit = (lines.amount_minor / lines.quantity.nullif(0)).round().cast("int64")
    paid_back = lines._refunded
    kept = ~lines.bad & (lines.quantity > 0) & ~lines.cancelled & ~lines.repeated
    exact = lines.amount_minor == paid_back
    units = (paid_back / unit.nullif(0)).floor()
    some = (unit > 0) & (units * unit == paid_back) & (units < lines.quantity)
    match = ibis.cases((exact, 1), (some, 2), else_=3)
    open_ = lines.filter(kept & (lines._all_refunded | (paid_back > 0))).mutate(
        _match=match, _units=ibis.cases((exact, lines.quantity), else_=units)
    )
    first = ibis.window(group_by="order_id", order_by=["_match", ROW])
    ranked = open_.mutate(_rank=ibis.row_number().over(first))
    chosen = ranked.filter(ranked._all_refunded | ((ranked._rank == 0) & (ranked._match < 3)))
    share = ibis.ifelse(chosen._all_refunded, 1.0, chosen._units / chosen.quantity)
    returns = chosen.mutate(
        line_no=(chosen.line_no + chosen["_size"]).cast("int32"),
        line_type=ibis.literal("return"),
        quantity=-(chosen.quantity * share),
        amount_minor=-(chosen.amount_minor * share).round().cast("int64"),
        discount_minor=(chosen.discount_minor * share).round().cast("int64"),
        occurred_at=chosen._refund_at,
        return_of=chosen.order_id,
    )
    used = ("_refunded", "_all_refunded", "_refund_at", "_size")
    names = [c for c in lines.columns if c not in used]
    unmatched = lines.order_id.notnull() & (paid_back > 0) & ~lines._all_refunded
    return ibis.union(
        lines.select(*names, added=ibis.literal(value=False), refund_open=unmatched),
        returns.select(*names, added=ibis.literal(value=True), refund_open=ibis.literal(False)),
    )
