"""Order exports become staged order lines: typed, in UTC and minor units, not yet unified.

One opened file of a ``till_tickets``, ``order_lines`` or ``database`` source comes in; out comes a
table with the columns of ``STAGED_LINES`` for every row, rejected ones marked. Rules about whole
orders (exported twice, cancelled, voided, returned) come later, in ``unify``. Called by
``staging``; ``shopify`` makes the same table from Shopify's shape.
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
#: Fields that concern an order as a whole, in the columns in which ``staging`` looks for them.
OF_ORDER = {
    "order_discount": "_order_discount",
    "order_total": "_order_total",
    "order_shipping": "_order_shipping",
    "order_tax": "_order_tax",
}
#: Columns of staged lines that say what of a line came back later.
REFUNDED_QUANTITY, REFUNDED = "_refunded_quantity", "_refunded_minor"
LINE_TYPES = ("sale", "return", "void", "voided")
_DEFAULT_CHANNEL = {"till_tickets": "pos", "shopify_orders": "web"}
#: Prefix of the raw identifier columns, which never reach the disk.
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
        Hashes order ids that are made of what names the customer.

    Returns
    -------
    Typed
        ``_row``, ``bad`` and the staged columns, one row a row of the export.

    Raises
    ------
    DataError
        When a mapped column is missing.
    ConfigError
        When the mapping itself is impossible.
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
    """Have the engine compute each value once: in one query it would do so where it is named."""
    named = {f"_{name}": value for name, value in values.items()}
    fields.table = fields.table.mutate(**named)
    return [fields.table[name] for name in named]


def _used(columns: Sequence[str], source: Source) -> list[str]:
    """List the columns that are read: an export may have thousands of others."""
    named = {*FIELDS}
    for spec in (*source.columns.values(), *source.identifiers.values()):
        own = spec if isinstance(spec, Column) else Column(column=spec)
        named |= {own.column or "", *own.columns, *own.days}
    return [column for column in columns if column in named]


def _of_order(fields: Fields, money: "Money") -> dict[str, ir.Value]:
    """What the export says of whole orders, in minor units."""
    return {
        column: money.minor(fields.number(name))
        for name, column in OF_ORDER.items()
        if fields.has(name)
    }


def _refunded(fields: Fields, money: "Money") -> dict[str, ir.Value]:
    """What of each line came back later: pieces, and money in minor units."""
    if not (fields.has("refunded_quantity") or fields.has("refunded_amount")):
        return {}
    return {
        REFUNDED_QUANTITY: fields.number("refunded_quantity").abs().cast("float64"),
        REFUNDED: money.minor(fields.number("refunded_amount").abs()),
    }


def _ticket(fields: Fields) -> ir.StringValue | None:
    """Return what an order id of several columns ends with; None where it names a person."""
    spec = fields.source.columns.get("order_id")
    if not isinstance(spec, Column) or len(spec.columns) < 2 or fields.names_people("order_id"):
        return None
    return cast(ir.StringValue, fields.table[spec.columns[-1]].cast("string"))


def prefixed(source: Source, name: str, order_id: ir.StringValue) -> ir.StringValue:
    """Put the system before an order id, so that two systems may use the same numbers."""
    return cast(ir.StringValue, ibis.literal(f"{source.system or name}:") + order_id)


def location_of(fields: Fields) -> ir.StringValue:
    """Return the location of each row: its own, else the source's."""
    location = fields.text("location_id")
    stated = fields.source.location_id
    return cast(ir.StringValue, location.fill_null(stated) if stated else location)


def default_channel(fields: Fields) -> str | None:
    """Return the channel of rows that do not say theirs.

    Raises
    ------
    ConfigError
        When nothing says it.
    """
    channel = fields.source.channel or _DEFAULT_CHANNEL.get(fields.source.kind)
    if channel is None and not fields.has("channel"):
        raise ConfigError(
            f'sources.{fields.name}: nothing says the channel. Set `channel = "web"` (one of '
            f"{', '.join(CHANNELS)}), or map a `channel` column."
        )
    return channel


class Money:
    """Amounts of an export in minor units of their currency.

    Parameters
    ----------
    fields : Fields
        The export; a ``currency`` field, the source's or the workspace's setting says the currency.
    """

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        fixed = fields.source.currency or fields.config.workspace.currency
        known = sorted(currency_codes())
        self.currency = cast(ir.StringValue, ibis.literal(fixed))
        self._digits: int | None = currency_digits(fixed)
        self.factor: ir.Value = ibis.literal(10 ** currency_digits(fixed), "int64")
        if fields.has("currency"):
            text = fields.text("currency").upper().fill_null(fixed)
            fields.reject("unknown_currency", "currency", ~text.isin(known), text)
            odd = [(text == code, units) for code, units in unusual_units().items()]
            self.currency = text
            self._digits = None
            self.factor = ibis.cases(*odd, else_=100)

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
        """Work out price, discount and amount of lines from whichever of them are given.

        Amount and price may each be missing: what was paid is price × quantity − discount. A
        discount is positive in the history whatever sign the export gives it. A stated amount
        keeps its sign where the quantity is positive; returned goods have a negative one.
        ``signs.check`` has rejected what contradicts itself.
        """
        reduced = self.minor(discount.abs()).fill_null(0)
        size = quantity.abs()
        gross = self._whole(price.abs().cast("float64") * size.cast("float64"))
        stated = self.minor(amount)
        reduced, gross, stated = _once(self._fields, reduced=reduced, gross=gross, stated=stated)
        paid = stated.abs()
        unit = self.minor(price.abs())
        whole = ibis.ifelse(size == 0, 1, size).cast("float64")
        derived = ((paid + reduced) / whole).round().cast("int64")
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
