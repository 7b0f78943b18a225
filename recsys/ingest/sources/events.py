"""Turns GA4-style e-commerce events into staged events, one row per item.

In: one opened NDJSON file, in the format of GA4's export (``event_name``, ``event_timestamp`` in
microseconds, ``user_pseudo_id``, ``user_id``, ``event_params``, ``items``) or of the service's
``POST /v1/events`` (``event_id``, ``event``, ``occurred_at``, ``session_id``). Called by
``staging``.

A session is the device's ``ga_session_id``; it belongs to the user who logged in during it. An
event without an ``event_id`` is identified by the digest of its line, so the same line exported
twice counts once.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import cast

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.config import Config
from recsys.identity import KeyedHash, normalise_expression
from recsys.ingest.columns.fields import Fields, Typed
from recsys.ingest.columns.number_formats import DECIMAL, EMPTY
from recsys.ingest.columns.time_zones import FIRST_YEAR, LAST_YEAR
from recsys.ingest.columns.times import read_time
from recsys.ingest.files.export_files import LINE, RawTable
from recsys.ingest.sources.order_lines import RAW_IDENTIFIER
from recsys.query_engine import is_json, keep, rows
from recsys.schema import CHANNELS
from recsys.values import IdKind, currency_codes, no_id_expression, unusual_units

_COMMERCE_TEXT = (
    "view_item view_item_list select_item add_to_cart remove_from_cart view_cart begin_checkout "
    "purchase refund view_promotion select_promotion add_to_wishlist"
)
#: Events about products; other events only link identifiers.
COMMERCE = tuple(_COMMERCE_TEXT.split())
_VALUE = (
    "struct<string_value: string, int_value: string, float_value: string, double_value: string>"
)
_EVENT = dt.dtype(
    "struct<event_id: string, event_name: string, event: string, event_timestamp: string, "
    "occurred_at: string, session_id: string, channel: string, platform: string, "
    "location_id: string, currency: string, transaction_id: string, user_pseudo_id: string, "
    f"user_id: string, event_params: array<struct<key: string, value: {_VALUE}>>, "
    "ecommerce: struct<transaction_id: string>, "
    "items: array<struct<item_id: string, quantity: string, price: string, currency: string>>>"
)
_SHAPE = (
    '{"event_id":"VARCHAR","event_name":"VARCHAR","event":"VARCHAR","event_timestamp":"VARCHAR",'
    '"occurred_at":"VARCHAR","session_id":"VARCHAR","channel":"VARCHAR","platform":"VARCHAR",'
    '"location_id":"VARCHAR","currency":"VARCHAR","transaction_id":"VARCHAR",'
    '"user_pseudo_id":"VARCHAR","user_id":"VARCHAR","event_params":[{"key":"VARCHAR","value":'
    '{"string_value":"VARCHAR","int_value":"VARCHAR","float_value":"VARCHAR",'
    '"double_value":"VARCHAR"}}],'
    '"ecommerce":{"transaction_id":"VARCHAR"},"items":[{"item_id":"VARCHAR","quantity":"VARCHAR",'
    '"price":"VARCHAR","currency":"VARCHAR"}]}'
)
#: Quantities from here on are not credible.
_MOST = 1e9
#: Up to this many texts are passed to the engine as a list.
_MOST_TEXTS = 1_000
IDENTIFIERS = {"account": "user_id", "device": "user_pseudo_id"}
_RAW = "_raw_"


@ibis.udf.scalar.builtin(name="json_transform", signature=((dt.string, dt.string), _EVENT))
def _read(text, shape):  # type: ignore[no-untyped-def]
    """Read a JSON object by a schema; values that do not fit are null."""


@ibis.udf.scalar.builtin(name="json_extract_string", signature=((dt.string, dt.string), dt.string))
def _at(text, path):  # type: ignore[no-untyped-def]
    """Read the value at a path of a JSON text."""


def staged_events(
    con: Backend, raw: RawTable, config: Config, name: str, keyed: KeyedHash
) -> Typed:
    """Type the events of one file.

    Parameters
    ----------
    con : ibis backend
        The engine; stores the events while their items are spread over rows.
    raw : RawTable
        The opened file, one column of lines.
    config : Config
    name : str
        The source's name.
    keyed : KeyedHash
        Hashes session ids, because they contain device ids.

    Returns
    -------
    Typed
        ``_row``, ``bad`` and the staged columns, one row per item of an event.
    """
    source = config.sources[name]
    line = cast(ir.StringValue, raw.table[LINE])
    valid = is_json(line)
    safe = ibis.ifelse(valid, line, "{}")
    paths = {kind: f"$.{path}" for kind, path in {**IDENTIFIERS, **_mapped(config, name)}.items()}
    table = raw.table.mutate(_valid=valid, _safe=safe, _event=_read(safe, _SHAPE))
    event = cast(ir.StructValue, table._event)
    # Stored, because whatever is used twice would be computed twice.
    stated_currency = _code(ibis.coalesce(_code(event.currency), _param(event, "currency")))
    table = keep(
        con,
        "events_raw",
        table.mutate(
            _at=_moment(event),
            _currency=stated_currency,
            **{_RAW + kind: _at(table._safe, path) for kind, path in paths.items()},
        ).drop("_safe"),
    )
    event = cast(ir.StructValue, table._event)
    fields = Fields(table, [LINE], config, name, raw.file.name)
    fields.shown[LINE] = shown_line = _hidden(cast(ir.StringValue, table[LINE]), [*paths.values()])
    fields.reject("not_json", LINE, ~table._valid, shown_line.left(80))
    kind = ibis.coalesce(event.event_name, event.event)
    fields.reject("missing_event", "event", kind.isnull(), ibis.literal(""))
    at, shown = table["_at"], ibis.coalesce(event.event_timestamp, event.occurred_at)
    fields.reject("bad_time", "event_timestamp", at.isnull(), shown)
    platform = event.platform.upper()
    default = ibis.ifelse(platform.isin(["ANDROID", "IOS"]), "app", source.channel or "web")
    channel = ibis.coalesce(event.channel, default)
    fields.reject("unknown_value", "channel", ~channel.isin(CHANNELS), channel)
    currency = cast(ir.StringValue, table["_currency"])
    for stated in (currency, *_first_unknown(con, cast(ir.ArrayValue, event["items"]))):
        unknown = stated.notnull() & ~stated.isin(sorted(currency_codes()))
        fields.reject("unknown_currency", "currency", unknown, stated)
    ga_session = _param(event, "ga_session_id")
    device = event.user_pseudo_id.fill_null("")
    session = ibis.coalesce(event.session_id, device + "." + ga_session)
    identifiers = {
        RAW_IDENTIFIER + kind: normalise_expression(kind, table[_RAW + kind]).nullif("")
        for kind in paths
    }
    parsed = fields.parsed(
        event_id=ibis.coalesce(event.event_id, table[LINE].hexdigest("md5")),
        event=kind,
        occurred_at=at,
        session_id=keyed.expression("session", session),
        channel=channel,
        location_id=ibis.coalesce(
            _id(event.location_id), _id(_param(event, "location_id")), source.location_id
        ).cast("string"),
        currency=currency,
        transaction_id=ibis.coalesce(
            _id(event.transaction_id, "order"),
            _id(event.ecommerce.transaction_id, "order"),
            _id(_param(event, "transaction_id"), "order"),
        ),
        items=event.items,
        **identifiers,
    )
    parsed = keep(con, "events_parsed", parsed)
    table = keep(con, "events_items", _by_item(con, parsed, config, name))
    (unread,) = rows(con, table.filter(~table.bad).aggregate(n=table.price_unread.sum()))
    if unread["n"]:
        raw.notes["event_price_not_read"] = int(unread["n"])
    return Typed(table.drop("price_unread"), fields)


def _moment(event: ir.StructValue) -> ir.TimestampValue:
    """Return the event's time, UTC; null where it is unreadable or out of range."""
    # A float is exact to the microsecond until far beyond LAST_YEAR.
    approximate = event.event_timestamp.try_cast("float64")
    first, end = (datetime(year, 1, 1, tzinfo=UTC) for year in (FIRST_YEAR, LAST_YEAR))
    in_range = (approximate >= first.timestamp() * 1e6) & (approximate < end.timestamp() * 1e6)
    exact = event.event_timestamp.try_cast("int64").fill_null(approximate.try_cast("int64"))
    micro = ibis.ifelse(in_range, exact, ibis.null("int64"))
    stamp = (micro // 1_000_000).as_timestamp("s") + (micro % 1_000_000).as_interval("us")
    clock, offset = read_time(event.occurred_at)
    in_range = (clock.year() >= FIRST_YEAR) & (clock.year() < LAST_YEAR)
    clock = ibis.ifelse(in_range, clock, ibis.null("timestamp(6)"))
    stated = clock - offset.fill_null(0).as_interval("s")
    return cast(ir.TimestampValue, ibis.coalesce(stamp.cast("timestamp(6)"), stated))


def _hidden(line: ir.StringValue, paths: list[str]) -> ir.StringValue:
    """Hide personal identifiers in a line, whether or not it is valid JSON."""
    keys = "|".join(re.escape(path.split(".")[-1]) for path in [*paths, "session_id"])
    value = r'"(?:[^"\\]|\\.)*"?|[^,}\]\s]*'
    return line.re_replace(rf'("(?:{keys})"\s*:\s*)(?:{value})', r'\1"(hidden)"')


def _by_item(con: Backend, parsed: ir.Table, config: Config, name: str) -> ir.Table:
    """Spread the items over rows; an event whose items have no id keeps one row without an item."""
    assumed = config.sources[name].currency or config.workspace.currency
    listed = cast(ir.ArrayValue, parsed["items"])
    no_ids = _texts_of_items(con, listed, "item_id", lambda text: _id(text).isnull())
    with_items = parsed.mutate(
        items=listed.filter(
            lambda item: (
                _id(item.item_id).notnull()
                if no_ids is None
                else item.item_id.notnull() & ~item.item_id.isin(no_ids)
            )
        )
    )
    identified = cast(ir.ArrayValue, with_items["items"])
    no_item = ibis.array([ibis.null(listed.type().value_type)])
    items = cast(ir.ArrayValue, ibis.ifelse(identified.length() > 0, identified, no_item))
    spread = with_items.mutate(item=items.unnest()).drop("items")
    item = cast(ir.StructValue, spread["item"])
    spread = spread.mutate(
        item_id=_id(item.item_id),
        _quantity=item.quantity.try_cast("float64"),
        _price=item.price.try_cast(DECIMAL),
        _no_price=item.price.isnull() | item.price.strip().lower().isin(EMPTY),
        currency=ibis.coalesce(_code(item.currency), spread.currency, assumed),
    )
    price, quantity = spread["_price"], spread["_quantity"]
    read = price >= 0
    other_units = [(spread.currency == code, units) for code, units in unusual_units().items()]
    factor = ibis.cases(*other_units, else_=100)
    minor = (price.cast("float64") * factor).round()
    credible = (quantity > 0) & (quantity < _MOST)
    return spread.mutate(
        quantity=ibis.ifelse(credible, quantity, 1.0).fill_null(1.0),
        price_minor=ibis.ifelse(read, minor.cast("int64"), ibis.null("int64")),
        price_unread=~spread["_no_price"] & ~read.fill_null(False),
    ).drop("item", "_quantity", "_price", "_no_price")


def _id(text: ir.Value, kind: IdKind = "item") -> ir.StringValue:
    """Return an id; null where it is a placeholder."""
    stripped = cast(ir.StringValue, text).strip().nullif("")
    none = no_id_expression(stripped, kind)
    return cast(ir.StringValue, ibis.ifelse(none, ibis.null("string"), stripped))


def _code(text: ir.Value) -> ir.StringValue:
    """Return a currency code in capitals; null where it is a placeholder."""
    return _id(cast(ir.StringValue, text).upper())


def _first_unknown(con: Backend, items: ir.ArrayValue) -> list[ir.StringValue]:
    """Return the first unknown currency among an event's items, or null; nothing if all are known.

    A list of one column, or an empty one.
    """
    known = sorted(currency_codes())
    unknown = _texts_of_items(con, items, "currency", lambda text: ~_code(text).isin(known))
    if unknown is None:
        codes = items.map(lambda item: _code(item.currency))
        return [cast(ir.StringValue, codes.filter(lambda code: ~code.isin(known))[0])]
    if not unknown:
        return []
    return [_code(items.filter(lambda item: item.currency.isin(unknown))[0].currency)]


def _texts_of_items(
    con: Backend,
    items: ir.ArrayValue,
    name: str,
    condition: Callable[[ir.StringValue], ir.BooleanValue],
) -> list[str] | None:
    """List the distinct texts of one field of all items that meet a condition; None if too many.

    Within a list, the engine takes long for a costly condition, but not for a list of texts.
    """
    item = cast(ir.StructValue, items.unnest())
    texts = items.as_table().select(item=item).select(text=ibis._["item"][name]).distinct()
    found = texts.filter(texts.text.notnull(), condition(texts.text).fill_null(False))
    listed = [row["text"] for row in rows(con, found.limit(_MOST_TEXTS + 1))]
    return sorted(listed) if len(listed) <= _MOST_TEXTS else None


def _param(event: ir.StructValue, key: str) -> ir.StringValue:
    """Return the value of one of GA4's event parameters."""
    matches = cast(ir.ArrayValue, event.event_params).filter(lambda p: p.key == key)
    value = matches[0].value
    return cast(
        ir.StringValue,
        ibis.coalesce(value.string_value, value.int_value, value.float_value, value.double_value),
    )


def _mapped(config: Config, name: str) -> dict[str, str]:
    return {k: v for k, v in config.sources[name].identifiers.items() if isinstance(v, str)}
