"""GA4-style e-commerce events become staged events, one row an item.

One opened NDJSON file comes in, in the shape of GA4's export (``event_name``,
``event_timestamp`` in microseconds, ``user_pseudo_id``, ``user_id``, ``event_params``, ``items``)
or of the service's own ``POST /v1/events`` (``event_id``, ``event``, ``occurred_at``,
``session_id``). Called by ``staging``.

A session is the device's ``ga_session_id``; who logged in during it owns it. An event without an
``event_id`` is known by the digest of its line, so the same line exported twice counts once.
"""

import re
from typing import cast

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.config import Config
from recsys.data.columns import Fields, Typed
from recsys.data.engine import is_json, keep
from recsys.data.files import LINE, RawTable
from recsys.data.keyed_hash import KeyedHash, normalise_expression
from recsys.data.numbers import DECIMAL
from recsys.data.orders import RAW_IDENTIFIER, Money
from recsys.data.times import read_time
from recsys.data.zones import FIRST_YEAR, LAST_YEAR
from recsys.schema import CHANNELS

#: Events that say something about products; others only help to know who is who.
COMMERCE = (
    "view_item", "view_item_list", "select_item", "add_to_cart", "remove_from_cart", "view_cart",
    "begin_checkout", "purchase", "refund", "view_promotion", "select_promotion",
    "add_to_wishlist",
)  # fmt: skip
_VALUE = "struct<string_value: string, int_value: string, double_value: string>"
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
    '{"string_value":"VARCHAR","int_value":"VARCHAR","double_value":"VARCHAR"}}],'
    '"ecommerce":{"transaction_id":"VARCHAR"},"items":[{"item_id":"VARCHAR","quantity":"VARCHAR",'
    '"price":"VARCHAR","currency":"VARCHAR"}]}'
)
IDENTIFIERS = {"account": "user_id", "device": "user_pseudo_id"}


@ibis.udf.scalar.builtin(name="json_transform", signature=((dt.string, dt.string), _EVENT))
def _read(text, shape):  # type: ignore[no-untyped-def]
    """Read a JSON object by a shape; what does not fit is null."""


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
        The engine; holds the events while their items are spread over rows.
    raw : RawTable
        The opened file, one column of lines.
    config : Config
    name : str
        The source's name.
    keyed : KeyedHash
        Hashes session ids, which hold the device's.

    Returns
    -------
    Typed
        ``_row``, ``bad`` and the staged columns, one row an item of an event.
    """
    source = config.sources[name]
    line = cast(ir.StringValue, raw.table[LINE])
    valid = is_json(line)
    safe = ibis.ifelse(valid, line, "{}")
    table = raw.table.mutate(_valid=valid, _safe=safe, _event=_read(safe, _SHAPE))
    table = keep(con, "events_raw", table)
    event = cast(ir.StructValue, table._event)
    paths = {kind: f"$.{path}" for kind, path in {**IDENTIFIERS, **_mapped(config, name)}.items()}
    fields = Fields(table, [LINE], config, name, raw.file.name)
    fields.shown[LINE] = shown_line = _hidden(cast(ir.StringValue, table[LINE]), [*paths.values()])
    fields.reject("not_json", LINE, ~table._valid, shown_line.left(80))
    kind = ibis.coalesce(event.event_name, event.event)
    fields.reject("missing_event", "event", kind.isnull(), ibis.literal(""))
    micro = event.event_timestamp.try_cast("int64")
    stamp = (micro / 1_000_000).floor().cast("int64").as_timestamp("s") + (
        micro % 1_000_000
    ).as_interval("us")
    clock, offset = read_time(event.occurred_at)
    stated = clock - offset.fill_null(0).as_interval("s")
    at = ibis.coalesce(stamp.cast("timestamp(6)"), stated)
    bad = at.isnull() | (at.year() < FIRST_YEAR) | (at.year() >= LAST_YEAR)
    shown = ibis.coalesce(event.event_timestamp, event.occurred_at)
    fields.reject("bad_time", "event_timestamp", bad, shown)
    platform = event.platform.upper()
    default = ibis.ifelse(platform.isin(["ANDROID", "IOS"]), "app", source.channel or "web")
    channel = ibis.coalesce(event.channel, default)
    fields.reject("unknown_value", "channel", ~channel.isin(CHANNELS), channel)
    ga_session = _param(event, "ga_session_id")
    device = event.user_pseudo_id.fill_null("")
    session = ibis.coalesce(event.session_id, device + "." + ga_session)
    identifiers = {
        RAW_IDENTIFIER + kind: normalise_expression(kind, _at(table._safe, path)).nullif("")
        for kind, path in paths.items()
    }
    parsed = fields.parsed(
        event_id=ibis.coalesce(event.event_id, table[LINE].hexdigest("md5")),
        event=kind,
        occurred_at=at,
        session_id=keyed.expression("session", session),
        channel=channel,
        location_id=ibis.coalesce(
            event.location_id, _param(event, "location_id"), ibis.literal(source.location_id)
        ).cast("string"),
        currency=ibis.coalesce(event.currency, _param(event, "currency")),
        transaction_id=ibis.coalesce(
            event.transaction_id, event.ecommerce.transaction_id, _param(event, "transaction_id")
        ),
        items=event.items,
        **identifiers,
    )
    parsed = keep(con, "events_parsed", parsed)
    return Typed(_by_item(parsed, config, name), fields)


def _hidden(line: ir.StringValue, paths: list[str]) -> ir.StringValue:
    """Hide the values that name people in a line, whether it is JSON or not."""
    keys = "|".join(re.escape(path.split(".")[-1]) for path in [*paths, "session_id"])
    value = r'"(?:[^"\\]|\\.)*"?|[^,}\]\s]*'
    return line.re_replace(rf'("(?:{keys})"\s*:\s*)(?:{value})', r'\1"(hidden)"')


def _by_item(parsed: ir.Table, config: Config, name: str) -> ir.Table:
    listed = cast(ir.ArrayValue, parsed["items"])
    nothing = ibis.array([ibis.null(listed.type().value_type)])
    several = cast(ir.ArrayValue, ibis.ifelse(listed.length() > 0, listed, nothing))
    spread = parsed.mutate(item=several.unnest()).drop("items")
    item = cast(ir.StructValue, spread["item"])
    own = Fields(spread, [], config, name, "")
    money = Money(own)
    return spread.mutate(
        item_id=item.item_id.strip().nullif(""),
        quantity=item.quantity.try_cast("float64").fill_null(1.0),
        price_minor=money.minor(item.price.try_cast(DECIMAL)),
        currency=ibis.coalesce(item.currency, spread.currency, money.currency),
    ).drop("item")


def _param(event: ir.StructValue, key: str) -> ir.StringValue:
    """Return the value of one of GA4's event parameters."""
    found = cast(ir.ArrayValue, event.event_params).filter(lambda p: p.key == key)
    value = found[0].value
    return cast(
        ir.StringValue, ibis.coalesce(value.string_value, value.int_value, value.double_value)
    )


def _mapped(config: Config, name: str) -> dict[str, str]:
    return {k: v for k, v in config.sources[name].identifiers.items() if isinstance(v, str)}
