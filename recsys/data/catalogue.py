"""Products, locations, stock and customer links become staged tables.

One opened file comes in, one typed table goes out; which row wins where a key stands in several
is decided in ``unify``: the last one. Called by ``staging``.
"""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.config import Config
from recsys.data.columns import Fields, Typed
from recsys.data.files import ROW, RawTable
from recsys.data.keyed_hash import normalise_expression
from recsys.data.orders import RAW_IDENTIFIER, Money
from recsys.errors import ConfigError

PRODUCT_FIELDS = (
    "item_id", "title", "parent_id", "department", "category", "brand", "price", "cost",
    "currency", "active",
)  # fmt: skip
LOCATION_FIELDS = ("location_id", "name", "kind", "region", "time_zone")
STOCK_FIELDS = ("location_id", "item_id", "on_hand", "cost", "currency")
LINK_FIELDS = ("occurred_at",)
_FALSE = ("0", "n", "no", "false", "f", "inactive", "archived", "draft")


def staged_products(con: Backend, raw: RawTable, config: Config, name: str) -> Typed:
    """Type a product export; mapped fields that are not ours become ``attributes``."""
    fields = _fields(raw, config, name)
    fields.require("item_id")
    fields.read_numbers(con, "price", "cost")
    item_id = fields.text("item_id", required=True)
    price, cost = fields.number("price"), fields.number("cost")
    money = Money(fields)
    extra = [field for field in fields.source.columns if field not in PRODUCT_FIELDS]
    attributes = ibis.null("string")
    if extra:
        values = ibis.struct({field: fields.text(field) for field in extra})
        attributes = values.cast("json").cast("string")
    active = fields.text("active")
    table = fields.parsed(
        item_id=item_id,
        title=fields.text("title"),
        parent_id=fields.text("parent_id"),
        department=fields.text("department"),
        category=fields.text("category"),
        brand=fields.text("brand"),
        price_minor=money.minor(price),
        cost_minor=money.minor(cost),
        currency=money.currency,
        active=active.isnull() | ~active.lower().isin(_FALSE),
        attributes=attributes,
    )
    return Typed(table, fields)


def staged_locations(raw: RawTable, config: Config, name: str) -> Typed:
    """Type a list of stores and warehouses."""
    fields = _fields(raw, config, name, LOCATION_FIELDS)
    fields.require("location_id")
    table = fields.parsed(
        location_id=fields.text("location_id", required=True),
        name=fields.text("name"),
        kind=fields.choice("kind", ("store", "online"), "store"),
        region=fields.text("region"),
        time_zone=fields.text("time_zone"),
    )
    return Typed(table, fields)


def staged_stock(con: Backend, raw: RawTable, config: Config, name: str) -> Typed:
    """Type a stock list: what each location has on hand."""
    fields = _fields(raw, config, name, STOCK_FIELDS)
    fields.require("item_id", "on_hand")
    if fields.source.location_id is None:
        fields.require("location_id")
    fields.read_numbers(con, "on_hand", "cost")
    location = fields.text("location_id").fill_null(fields.source.location_id or "")
    fields.reject("missing_location_id", "location_id", location == "", ibis.literal(""))
    item_id = fields.text("item_id", required=True)
    on_hand = fields.number("on_hand", required=True)
    cost = fields.number("cost")
    money = Money(fields)
    table = fields.parsed(
        location_id=location,
        item_id=item_id,
        on_hand=on_hand.cast("float64"),
        cost_minor=money.minor(cost),
    )
    return Typed(table, fields)


def staged_links(raw: RawTable, config: Config, name: str) -> Typed:
    """Type registrations: all identifiers of one row name one person."""
    fields = _fields(raw, config, name, LINK_FIELDS)
    source = fields.source
    if len(source.identifiers) < 2:
        raise ConfigError(
            f"sources.{name}: customer links need two or more columns under "
            f'[sources.{name}.identifiers], for example loyalty_card = "card", email = "email".'
        )
    identifiers = {
        RAW_IDENTIFIER + kind: normalise_expression(kind, fields.identifier(kind)).nullif("")
        for kind in source.identifiers
    }
    none = ibis.and_(*(value.isnull() for value in identifiers.values()))
    fields.reject("missing_identifiers", "identifiers", none, ibis.literal(""))
    at: ir.Value = ibis.null("timestamp(6)")
    if fields.has("occurred_at"):
        at, _ = fields.moment("occurred_at", required=False)
    group = ibis.literal(f"{name}:{raw.file.digest[:12]}:") + fields.table[ROW].cast("string")
    return Typed(fields.parsed(group_id=group, occurred_at=at, **identifiers), fields)


def _fields(raw: RawTable, config: Config, name: str, known: Sequence[str] | None = None) -> Fields:
    fields = Fields(raw.table, raw.columns, config, name, raw.file.name)
    if known is not None:
        fields.check_known(known)
    return fields
