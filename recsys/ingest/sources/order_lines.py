"""Turns order exports into staged order lines: typed, in UTC and minor units, not yet unified.

In: one opened file of a ``till_tickets``, ``order_lines`` or ``database`` source. Out: a table with
the columns of ``STAGED_LINES`` for every row, with rejects marked. ``unify`` applies the rules for
whole orders (exported twice, cancelled, voided, returned). Called by ``staging``; ``shopify`` makes
the same table from Shopify's format.
"""

from collections.abc import Sequence
from typing import cast

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.config import Column, Config, Source
from recsys.errors import ConfigError
from recsys.identity import KeyedHash, normalise_expression
from recsys.ingest.columns.fields import Fields, Typed
from recsys.ingest.columns.missing_ids import reject_no_id
from recsys.ingest.files.export_files import ROW, RawTable
from recsys.ingest.sources import signs
from recsys.schema import CHANNELS
from recsys.values import currency_codes, currency_digits, unusual_units

_FIELDS_TEXT = (
    "order_id line_no occurred_at location_id channel item_id title quantity unit_price discount "
    "amount currency line_type return_of cancelled order_discount order_total order_shipping "
    "order_tax refunded_quantity refunded_amount"
)
FIELDS = tuple(_FIELDS_TEXT.split())
#: Fields of a whole order → the columns that ``staging`` reads.
OF_ORDER = {
    "order_discount": "_order_discount",
    "order_total": "_order_total",
    "order_shipping": "_order_shipping",
    "order_tax": "_order_tax",
}
#: Columns of staged lines with what was later refunded of the line.
REFUNDED_QUANTITY, REFUNDED = "_refunded_quantity", "_refunded_minor"
LINE_TYPES = ("sale", "return", "void", "voided")
_DEFAULT_CHANNEL = {"till_tickets": "pos", "shopify_orders": "web"}
#: Prefix of the raw identifier columns, which are never written to disk.
RAW_IDENTIFIER = "identifier_"


def staged_lines(con: Backend, raw: RawTable, config: Config, name: str, keyed: KeyedHash) -> Typed:
    """Type the rows of one order export.

    Parameters
    ----------
    con : ibis backend
        The engine.
    raw : RawTable
        The opened file.
    config : Config
    name : str
        The source's name.
    keyed : KeyedHash
        Hashes order ids that contain personal identifiers.

    Returns
    -------
    Typed
        ``_row``, ``bad`` and the staged columns, one row per row of the export.

    Raises
    ------
    DataError
        If a mapped column is missing.
    ConfigError
        If the mapping is invalid.
    """
    table = raw.table.select(ROW, *_used(raw.columns, config.sources[name]))
    fields = Fields(table, raw.columns, config, name, raw.file.name)
    fields.check_known(FIELDS)
    fields.require("order_id", "item_id", "occurred_at", "quantity")
    fields.read_numbers(
        con,
        "quantity",
        "line_no",
        "unit_price",
        "discount",
        "amount",
        *OF_ORDER,
        "refunded_quantity",
        "refunded_amount",
    )
    source = fields.source
    order_id = fields.text("order_id", required=True)
    item_id = fields.text("item_id", required=True)
    reject_no_id(fields, "order_id", order_id, "order")
    reject_no_id(fields, "item_id", item_id)
    quantity = fields.number("quantity", required=True)
    line_type = fields.choice("line_type", LINE_TYPES, None)
    channel = fields.choice("channel", CHANNELS, default_channel(fields))
    numbers = signs.Numbers(
        quantity, fields.number("unit_price"), fields.number("discount"), fields.number("amount")
    )
    signs.check(con, fields, numbers, line_type, raw.notes)
    line_no = fields.number("line_no")
    identifiers = {
        RAW_IDENTIFIER + kind: normalise_expression(kind, fields.identifier(kind)).nullif("")
        for kind in source.identifiers
    }
    money = Money(fields)
    parts = money.line(numbers.quantity, numbers.price, numbers.discount, numbers.amount)
    (amount,) = _once(fields, amount=parts["amount_minor"])
    line_type, parts["amount_minor"] = signs.meaning(line_type, quantity, amount)
    extra = _of_order(fields, money) | _refunded(fields, money)
    occurred_at, twice = fields.moment("occurred_at")
    return_of = fields.text("return_of")
    if fields.names_people("order_id"):
        order_id, return_of = (keyed.expression("order", text) for text in (order_id, return_of))
    ticket = _ticket(fields)
    table = fields.parsed(
        order_id=prefixed(source, name, order_id),
        **({} if ticket is None else {"ticket": prefixed(source, name, ticket)}),
        line_no=line_no.cast("int32"),
        occurred_at=occurred_at,
        twice=twice,
        channel=channel,
        location_id=location_of(fields),
        item_id=item_id,
        title=fields.text("title"),
        quantity=quantity.cast("float64"),
        line_type=line_type,
        return_of=prefixed(source, name, return_of) if fields.has("return_of") else return_of,
        cancelled=fields.flag("cancelled"),
        **parts,
        **extra,
        **identifiers,
    )
    return Typed(table, fields)


def _once(fields: Fields, **values: ir.Value) -> list[ir.Value]:
    """Make the engine compute each value once instead of at every reference."""
    columns = {f"_{name}": value for name, value in values.items()}
    fields.table = fields.table.mutate(**columns)
    return [fields.table[name] for name in columns]


def _used(columns: Sequence[str], source: Source) -> list[str]:
    """List the columns that are read; an export may have thousands of others."""
    used = {*FIELDS}
    for spec in (*source.columns.values(), *source.identifiers.values()):
        own = spec if isinstance(spec, Column) else Column(column=spec)
        used |= {own.column or "", *own.columns, *own.days}
    return [column for column in columns if column in used]


def _of_order(fields: Fields, money: "Money") -> dict[str, ir.Value]:
    """Return the amounts of whole orders, in minor units."""
    return {
        column: money.minor(fields.number(name))
        for name, column in OF_ORDER.items()
        if fields.has(name)
    }


def _refunded(fields: Fields, money: "Money") -> dict[str, ir.Value]:
    """Return what was later refunded of each line: units, and money in minor units."""
    if not (fields.has("refunded_quantity") or fields.has("refunded_amount")):
        return {}
    return {
        REFUNDED_QUANTITY: fields.number("refunded_quantity").abs().cast("float64"),
        REFUNDED: money.minor(fields.number("refunded_amount").abs()),
    }


def _ticket(fields: Fields) -> ir.StringValue | None:
    """Return the last part of a composite order id; None if it contains personal identifiers."""
    spec = fields.source.columns.get("order_id")
    if not isinstance(spec, Column) or len(spec.columns) < 2 or fields.names_people("order_id"):
        return None
    return cast(ir.StringValue, fields.table[spec.columns[-1]].cast("string"))


def prefixed(source: Source, name: str, order_id: ir.StringValue) -> ir.StringValue:
    """Prefix an order id with its system, because two systems may use the same numbers."""
    return cast(ir.StringValue, ibis.literal(f"{source.system or name}:") + order_id)


def location_of(fields: Fields) -> ir.StringValue:
    """Return the location of each row: its own, else the source's."""
    location = fields.text("location_id")
    stated = fields.source.location_id
    return cast(ir.StringValue, location.fill_null(stated) if stated else location)


def default_channel(fields: Fields) -> str | None:
    """Return the channel of rows without one.

    Raises
    ------
    ConfigError
        If neither a setting nor a column gives the channel.
    """
    channel = fields.source.channel or _DEFAULT_CHANNEL.get(fields.source.kind)
    if channel is None and not fields.has("channel"):
        raise ConfigError(
            f'sources.{fields.name}: the channel is unknown. Set `channel = "web"` (one of '
            f"{', '.join(CHANNELS)}), or map a `channel` column."
        )
    return channel


class Money:
    """Amounts of an export in minor units of their currency.

    Parameters
    ----------
    fields : Fields
        The export. The currency comes from its ``currency`` field, else from the settings of the
        source or the workspace.
    """

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        default = fields.source.currency or fields.config.workspace.currency
        codes = sorted(currency_codes())
        self.currency = cast(ir.StringValue, ibis.literal(default))
        self._digits: int | None = currency_digits(default)
        self.factor: ir.Value = ibis.literal(10 ** currency_digits(default), "int64")
        if fields.has("currency"):
            text = fields.text("currency").upper().fill_null(default)
            fields.reject("unknown_currency", "currency", ~text.isin(codes), text)
            other_units = [(text == code, units) for code, units in unusual_units().items()]
            self.currency = text
            self._digits = None
            self.factor = ibis.cases(*other_units, else_=100)

    def minor(self, value: ir.Value) -> ir.IntegerValue:
        """Round a decimal amount to whole minor units."""
        if self._digits is not None:  # exact, halves away from zero
            value = value.round(self._digits)
        return self._whole(value.cast("float64"))

    def _whole(self, value: ir.Value) -> ir.IntegerValue:
        return cast(ir.IntegerValue, (value * self.factor).round().cast("int64"))

    def line(
        self,
        quantity: ir.DecimalValue,
        price: ir.DecimalValue,
        discount: ir.DecimalValue,
        amount: ir.DecimalValue,
    ) -> dict[str, ir.Value]:
        """Compute price, discount and amount of lines from those that are stated.

        Amount or price may be missing: amount = price × quantity − discount. Discounts are
        positive in the history, whatever their sign in the export. A stated amount keeps its sign
        if the quantity is positive; it becomes negative for returned goods. ``signs.check`` has
        already rejected contradictory signs.
        """
        reduced = self.minor(discount.abs()).fill_null(0)
        size = quantity.abs()
        gross = self._whole(price.abs().cast("float64") * size.cast("float64"))
        stated = self.minor(amount)
        reduced, gross, stated = _once(self._fields, reduced=reduced, gross=gross, stated=stated)
        paid = stated.abs()
        unit = self.minor(price.abs())
        divisor = ibis.ifelse(size == 0, 1, size).cast("float64")
        derived = ((paid + reduced) / divisor).round().cast("int64")
        return {
            "unit_price_minor": ibis.coalesce(unit, derived),
            "discount_minor": reduced,
            "amount_minor": ibis.ifelse(
                quantity < 0,
                -ibis.coalesce(paid, gross - reduced),
                ibis.coalesce(stated, gross - reduced),
            ),
            "currency": self.currency,
        }
