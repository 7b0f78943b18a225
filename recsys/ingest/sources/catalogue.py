"""Turns products, locations, stock and customer links into staged tables.

In: one opened file. Out: one typed table. If a key appears in several rows, ``unify`` keeps the
last one. Called by ``staging``.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.config import Column, Config, Source
from recsys.errors import ConfigError
from recsys.identity import normalise_expression
from recsys.ingest.columns.fields import Fields, Typed
from recsys.ingest.columns.missing_ids import reject_no_id
from recsys.ingest.files.export_files import ROW, RawTable
from recsys.ingest.sources.order_lines import RAW_IDENTIFIER, Money
from recsys.ingest.sources.variants import TAKEN, inherited
from recsys.query_engine import keep, merge_json, rows
from recsys.values import (
    ADDRESSES,
    DAYS_PATTERN,
    DELIVERY_DAYS,
    MOST_DAYS,
    address_expression,
    no_id_expression,
    read_statuses,
    time_zones,
)

_PRODUCT_FIELDS_TEXT = (
    "item_id title parent_id id option1 option2 option3 department category brand price "
    "sale_price cost currency active visibility"
)
PRODUCT_FIELDS = tuple(_PRODUCT_FIELDS_TEXT.split())
#: Attributes read without a mapping from a column of the same name.
ATTRIBUTES = ("url", "image_url", "gtin", "age_restriction", "adult", "choice_id", DELIVERY_DAYS)
_LOCATION_FIELDS_TEXT = (
    "location_id name kind region time_zone latitude longitude ships delivery_days"
)
LOCATION_FIELDS = tuple(_LOCATION_FIELDS_TEXT.split())
STOCK_FIELDS = ("location_id", "item_id", "on_hand", "reserved", "cost", "currency")
LINK_FIELDS = ("occurred_at",)
_PRICES = ("price", "sale_price", "cost")
_NOT_STOCKED_TEXT = (
    "not stocked, not carried, nicht geführt, nicht gelagert, non stocké, non stockée, "
    "no almacenado, non stoccato, nie magazynowany, stoklanmıyor, 取扱なし"
)
#: Texts in a stock list for a product that a location does not carry.
NOT_STOCKED = tuple(_NOT_STOCKED_TEXT.split(", "))
_ABSENT = "_absent"


def staged_products(con: Backend, raw: RawTable, config: Config, name: str) -> Typed:
    """Type a product export; other mapped fields become ``attributes``.

    The table also has ``left_out``: why a row is not a product (``image_row``), else null.
    """
    used = _used(config.sources[name], raw.columns)
    raw = replace(raw, table=keep(con, "products_raw", raw.table.select(ROW, *used)))
    fields = _fields(raw, config, name)
    fields.require("item_id")
    extra = dict.fromkeys([*fields.source.columns, *filter(fields.has, ATTRIBUTES)])
    attributes = [field for field in extra if field not in PRODUCT_FIELDS]
    statuses = {field: _statuses(con, fields, field) for field in ("active", "visibility")}
    if fields.has("parent_id"):
        table = fields.table
        taken = inherited(
            con, fields, {f: _read(fields, f, statuses[f]) for f in statuses}, attributes
        )
        joined = table.left_join(taken, table[ROW] == taken["_taken_by"])
        fields = _fields(raw, config, name, table=keep(con, "products_filled", joined))
    fields.read_numbers(con, *_PRICES)
    left_out = _taken(fields, "left_out")
    item_id = _item_id(fields, left_out)
    missing = item_id.isnull() & left_out.isnull()
    fields.reject("missing_item_id", "item_id", missing, ibis.literal(""))
    reject_no_id(fields, "item_id", item_id)
    active = ~_taken(fields, "hidden", ibis.literal(value=False)).fill_null(False)
    for field, known in statuses.items():
        text = fields.text(field)
        fields.reject("unknown_value", field, text.notnull() & ~text.isin([*known]), text)
        hidden = text.isin([word for word, shown in known.items() if not shown])
        active = active & ~hidden.fill_null(False)
    price, sale, cost = (fields.number(field) for field in _PRICES)
    for field, value in (("price", price), ("sale_price", sale)):
        fields.reject("negative_price", field, value < 0, value)
    money = Money(fields)
    reduced = ((sale > 0) & (price.isnull() | (sale < price))).fill_null(False)
    values = {f: _taken(fields, f"={f}", fields.text(f)) for f in attributes}
    values = _checked(con, raw, fields, values)
    list_price = ibis.ifelse(reduced, money.minor(price), None).cast("string")
    if fields.has("sale_price"):
        values["list_price_minor"] = list_price
    table = fields.parsed(
        item_id=ibis.ifelse(no_id_expression(item_id), None, item_id),
        **{f: _taken(fields, f, fields.text(f)) for f in _TEXTS},
        price_minor=money.minor(ibis.ifelse(reduced, sale, price)),
        cost_minor=money.minor(cost),
        currency=money.currency,
        active=active,
        attributes=_object(values),
        left_out=left_out,
    )
    return Typed(table, fields)


def _item_id(fields: Fields, left_out: ir.Value) -> ir.StringValue:
    """Return product ids; a row without one gets ``id:`` and its number, as in WooCommerce."""
    item_id = fields.text("item_id")
    if "id" not in fields.source.columns:
        return item_id
    number = ibis.ifelse(left_out.isnull(), "id:" + fields.text("id"), ibis.null("string"))
    return cast(ir.StringValue, ibis.coalesce(item_id, number))


_TEXTS = ("title", "parent_id", "department", "category", "brand")


def _used(source: Source, columns: Sequence[str]) -> list[str]:
    """List the columns that are read: exports are wide, and descriptions are long."""
    used = {*PRODUCT_FIELDS, *ATTRIBUTES}
    for spec in source.columns.values():
        used |= {spec} if isinstance(spec, str) else {spec.column or "", *spec.columns}
    return [column for column in columns if column in used]


def _column_of(source: Source, columns: Sequence[str], name: str) -> str | None:
    """Return the column that a field is read from; None if there is none or there are several."""
    spec = source.columns.get(name, name)
    column = spec if isinstance(spec, str) else spec.column
    return column if column in columns else None


def _statuses(con: Backend, fields: Fields, field: str) -> dict[str, bool]:
    """Map each known value of a status field to whether the product is shown."""
    if not fields.has(field):
        return {}
    text = fields.text(field)
    values = con.to_pyarrow(fields.table.select(status=text).distinct())
    return read_statuses([value for value in values["status"].to_pylist() if value is not None])


def _read(fields: Fields, field: str, known: dict[str, bool]) -> ir.Value:
    """Return whether each row's status shows the product; unknown values do not."""
    text = fields.text(field)
    shown = text.isin([word for word, is_shown in known.items() if is_shown])
    return ibis.ifelse(text.isnull(), ibis.null("boolean"), shown)


def _taken(fields: Fields, name: str, otherwise: ir.Value | None = None) -> ir.Value:
    """Return inherited values if the export has variants, else ``otherwise``."""
    if TAKEN + name in fields.table.columns:
        return fields.table[TAKEN + name]
    return ibis.null("string") if otherwise is None else otherwise


def _checked(
    con: Backend, raw: RawTable, fields: Fields, values: dict[str, ir.Value]
) -> dict[str, ir.Value]:
    """Drop and count addresses that are not HTTP, count lead times; drop placeholder codes."""
    values = dict(values)
    if "gtin" in values:
        gtin = values["gtin"]
        values["gtin"] = ibis.ifelse(no_id_expression(cast(ir.StringValue, gtin)), None, gtin)
    addresses = {name: values[name] for name in ADDRESSES if name in values}
    values |= {
        name: address_expression(cast(ir.StringValue, text)) for name, text in addresses.items()
    }
    wrong = [text.notnull() & values[name].isnull() for name, text in addresses.items()]
    _note(con, raw, fields, "address_not_http", wrong)
    if DELIVERY_DAYS in values:
        text = cast(ir.StringValue, values[DELIVERY_DAYS])
        _note(con, raw, fields, "bad_delivery_days", [text.notnull() & _days(text).isnull()])
    return values


def _note(
    con: Backend, raw: RawTable, fields: Fields, name: str, wrong: Sequence[ir.Value]
) -> None:
    """Count what a note tells of."""
    if not wrong:
        return
    counts = fields.table.aggregate(
        **{f"n{at}": is_wrong.sum() for at, is_wrong in enumerate(wrong)}
    )
    count = sum(number or 0 for row in rows(con, counts) for number in row.values())
    if count:
        raw.notes[name] = raw.notes.get(name, 0) + count


def _days(text: ir.StringValue) -> ir.Value:
    """Return whole days from 0 to a year, as ``read_days``; null for anything else."""
    days = text.re_extract(DAYS_PATTERN, 1).try_cast("int32")
    return ibis.ifelse(days <= MOST_DAYS, days, ibis.null("int32"))


def _degrees(fields: Fields, name: str) -> ir.Value:
    """Return decimal degrees; null where it is none. No thousands, so a comma is a decimal sign."""
    spec = fields.source.columns.get(name)
    times = spec.times if isinstance(spec, Column) else 1.0
    return fields.text(name).replace(",", ".").try_cast("float64") * times


def _position(con: Backend, raw: RawTable, fields: Fields) -> tuple[ir.Value, ir.Value]:
    """Return latitude and longitude; both null, and counted, where they are no place on land."""
    latitude, longitude = _degrees(fields, "latitude"), _degrees(fields, "longitude")
    in_range = latitude.between(-90, 90) & longitude.between(-180, 180)
    # Systems write 0, 0 for a place that they do not know; it lies in the sea.
    known = in_range.fill_null(False) & ((latitude != 0) | (longitude != 0))
    stated = fields.text("latitude").notnull() | fields.text("longitude").notnull()
    if fields.has("latitude") or fields.has("longitude"):
        _note(con, raw, fields, "bad_coordinates", [stated & ~known])
    nowhere = ibis.null("float64")
    return ibis.ifelse(known, latitude, nowhere), ibis.ifelse(known, longitude, nowhere)


def _object(values: dict[str, ir.Value]) -> ir.Value:
    """Return a JSON object of the known values; null if there are none."""
    if not values:
        return ibis.null("string")
    text = ibis.struct(values).cast("json").cast("string")
    return merge_json("{}", text).nullif("{}")


def _zone(con: Backend, raw: RawTable, fields: Fields) -> ir.Value:
    """Return the time zone; null, and counted, where nobody can tell the time of it."""
    zone = fields.text("time_zone")
    if not fields.has("time_zone"):
        return zone
    known = zone.isin(sorted(time_zones()))
    _note(con, raw, fields, "bad_time_zone", [zone.notnull() & ~known])
    return ibis.ifelse(known, zone, ibis.null("string"))


def staged_locations(con: Backend, raw: RawTable, config: Config, name: str) -> Typed:
    """Type a list of stores and warehouses."""
    fields = _fields(raw, config, name, LOCATION_FIELDS)
    fields.require("location_id")
    latitude, longitude = _position(con, raw, fields)
    days = fields.text(DELIVERY_DAYS)
    if fields.has(DELIVERY_DAYS):
        _note(con, raw, fields, "bad_delivery_days", [days.notnull() & _days(days).isnull()])
    ships = ibis.ifelse(fields.text("ships").isnull(), ibis.null("boolean"), fields.flag("ships"))
    table = fields.parsed(
        location_id=fields.text("location_id", required=True),
        name=fields.text("name"),
        kind=fields.choice("kind", ("store", "online"), "store"),
        region=fields.text("region"),
        time_zone=_zone(con, raw, fields),
        latitude=latitude,
        longitude=longitude,
        ships=ships,
        delivery_days=_days(days),
    )
    return Typed(table, fields)


def staged_stock(con: Backend, raw: RawTable, config: Config, name: str) -> Typed:
    """Type a stock list: what each location has on hand."""
    raw = _without_absent(con, raw, config.sources[name])
    fields = _fields(raw, config, name, STOCK_FIELDS)
    fields.require("item_id", "on_hand")
    if fields.source.location_id is None:
        fields.require("location_id")
    mapped = config.sources[name].columns
    # Beside "available", which is on_hand to others, a column `reserved` would count twice.
    has_reserved = "reserved" in mapped or "on_hand" not in mapped
    fields.read_numbers(con, "on_hand", *(["reserved"] if has_reserved else []), "cost")
    location = fields.text("location_id").fill_null(fields.source.location_id or "")
    fields.reject("missing_location_id", "location_id", location == "", ibis.literal(""))
    item_id = fields.text("item_id", required=True)
    reject_no_id(fields, "item_id", item_id)
    on_hand = fields.number("on_hand")
    left_out = ibis.ifelse(on_hand.isnull(), "not_stocked", None)
    stated = on_hand.notnull() | fields.table[_ABSENT]
    if not con.to_pyarrow(fields.table.aggregate(stated=stated.any()))["stated"][0].as_py():
        # No row has a quantity: not a stock list, or the wrong column.
        fields.reject("missing_on_hand", "on_hand", on_hand.isnull(), ibis.literal(""))
    reserved = fields.number("reserved") if has_reserved else ibis.null("float64")
    fields.reject("negative_reserved", "reserved", reserved < 0, reserved)
    cost = fields.number("cost")
    money = Money(fields)
    table = fields.parsed(
        location_id=location,
        item_id=item_id,
        on_hand=on_hand.cast("float64"),
        reserved=reserved.cast("float64"),
        cost_minor=money.minor(cost),
        left_out=left_out,
    )
    return Typed(table, fields)


def _without_absent(con: Backend, raw: RawTable, source: Source) -> RawTable:
    """Empty ``on_hand`` where a text says that the location does not carry the product."""
    column = _column_of(source, raw.columns, "on_hand")
    absent: ir.Value = ibis.literal(value=False)
    changed: dict[str, ir.Value] = {}
    if column is not None and raw.table[column].type().is_string():
        text = cast(ir.StringValue, raw.table[column])
        absent = text.lower().isin(NOT_STOCKED).fill_null(False)
        changed[column] = ibis.ifelse(absent, None, text)
    table = raw.table.mutate(**changed, **{_ABSENT: absent})
    return replace(raw, table=keep(con, "stock_raw", table))


def staged_links(raw: RawTable, config: Config, name: str) -> Typed:
    """Type registrations: all identifiers of one row belong to one customer."""
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


def _fields(
    raw: RawTable,
    config: Config,
    name: str,
    known: Sequence[str] | None = None,
    table: ir.Table | None = None,
) -> Fields:
    opened = raw.table if table is None else table
    fields = Fields(opened, raw.columns, config, name, raw.file.name)
    if known is not None:
        fields.check_known(known)
    return fields
