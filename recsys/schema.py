"""The canonical tables: column names and types that every stage agrees on.

What comes out of ingest is one folder of Parquet files with exactly these columns. A schema is
an Arrow schema, so that a table can be checked, written and read without guessing types.
Times are UTC, money is integer minor units of ``currency``, personal identifiers are keyed hashes.
"""

from typing import Final

import pyarrow as pa

UTC: Final = pa.timestamp("us", tz="UTC")

#: Where a customer is met. ``pos`` is a till; its tickets are the store's orders.
CHANNELS: Final = ("pos", "web", "app", "email", "store_screen", "associate", "marketplace")

#: Kinds of an order line.
SALE: Final = "sale"
RETURN: Final = "return"
#: Changes what an order cost and hands nothing over: a voucher, a discount as a line of its own.
CORRECTION: Final = "correction"

LINES: Final = pa.schema(
    [
        ("order_id", pa.string()),  # unique within the history: "<system>:<id in that system>"
        ("line_no", pa.int32()),  # position in the order, from 1
        ("occurred_at", UTC),
        ("customer_id", pa.string()),  # null: nobody could be named
        ("channel", pa.string()),
        ("location_id", pa.string()),  # null: unknown
        ("item_id", pa.string()),
        ("quantity", pa.float64()),  # negative for a return, 0 for a correction; may be a weight
        ("unit_price_minor", pa.int64()),  # shelf price of one, before discount
        ("discount_minor", pa.int64()),  # what the whole line was reduced by, >= 0 for a sale
        ("amount_minor", pa.int64()),  # what was paid for the whole line, negative for a return
        ("currency", pa.string()),
        ("kind", pa.string()),  # "sale" | "return" | "correction"
        ("return_of", pa.string()),  # the order a return belongs to; null: none was found
        ("source", pa.string()),  # the source in omnibasket.toml that it came from
    ]
)

EVENTS: Final = pa.schema(
    [
        ("event_id", pa.string()),
        ("event", pa.string()),  # GA4 names: view_item, add_to_cart, ...
        ("occurred_at", UTC),
        ("customer_id", pa.string()),
        ("session_id", pa.string()),
        ("channel", pa.string()),
        ("location_id", pa.string()),
        ("item_id", pa.string()),  # one row an item; null for an event without items
        ("quantity", pa.float64()),
        ("price_minor", pa.int64()),
        ("currency", pa.string()),
        ("transaction_id", pa.string()),
        ("source", pa.string()),
    ]
)

PRODUCTS: Final = pa.schema(
    [
        ("item_id", pa.string()),
        ("title", pa.string()),
        ("parent_id", pa.string()),  # the product this is a variant of
        ("department", pa.string()),
        ("category", pa.string()),
        ("brand", pa.string()),
        ("price_minor", pa.int64()),
        ("cost_minor", pa.int64()),
        ("currency", pa.string()),
        ("active", pa.bool_()),
        ("attributes", pa.string()),  # a JSON object of everything else that was mapped
        ("in_catalogue", pa.bool_()),  # false: seen in orders only
    ]
)

LOCATIONS: Final = pa.schema(
    [
        ("location_id", pa.string()),
        ("name", pa.string()),
        ("kind", pa.string()),  # "store" | "online"
        ("region", pa.string()),
        ("time_zone", pa.string()),
        ("latitude", pa.float64()),  # decimal degrees; null without longitude
        ("longitude", pa.float64()),
        ("ships", pa.bool_()),  # whether it delivers; null: not said
        ("delivery_days", pa.int32()),  # from an order to its delivery from there
    ]
)

STOCK: Final = pa.schema(
    [
        ("location_id", pa.string()),
        ("item_id", pa.string()),
        ("on_hand", pa.float64()),
        ("reserved", pa.float64()),  # of these, put aside for others; null: not said
        ("cost_minor", pa.int64()),
        ("reported_at", UTC),  # when the list was written
    ]
)

IDENTIFIERS: Final = pa.schema(
    [
        ("type", pa.string()),
        ("value", pa.string()),  # keyed hash for personal types
        ("own_id", pa.string()),  # the customer_id this identifier would have alone
        ("customer_id", pa.string()),  # null: blocked, names nobody
        ("orders", pa.int64()),
        ("first_at", UTC),
        ("last_at", UTC),
        ("blocked", pa.string()),  # null, or why it names nobody
    ]
)

LINKS: Final = pa.schema(
    [
        ("link_id", pa.string()),
        ("type_a", pa.string()),
        ("value_a", pa.string()),
        ("type_b", pa.string()),
        ("value_b", pa.string()),
        ("evidence", pa.string()),  # "same_order" | "registration" | "login"
        ("source", pa.string()),
        ("seen", pa.int64()),  # how often
        ("first_at", UTC),
        ("last_at", UTC),
        ("accepted", pa.bool_()),
        ("refused", pa.string()),  # null, or why it was refused
    ]
)

CUSTOMERS: Final = pa.schema(
    [
        ("customer_id", pa.string()),
        ("identifiers", pa.int64()),
        ("orders", pa.int64()),
        ("lines", pa.int64()),
        ("channels", pa.string()),  # sorted, comma separated
        ("first_at", UTC),
        ("last_at", UTC),
    ]
)

REJECTS: Final = pa.schema(
    [
        ("source", pa.string()),
        ("file", pa.string()),
        ("line", pa.int64()),  # line in the file, from 1; row number in Parquet and queries
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("row", pa.string()),  # the row as JSON, personal identifiers blanked
    ]
)

#: Every table of a history, by the name of its file.
TABLES: Final = {
    "lines": LINES,
    "events": EVENTS,
    "products": PRODUCTS,
    "locations": LOCATIONS,
    "stock": STOCK,
    "identifiers": IDENTIFIERS,
    "links": LINKS,
    "customers": CUSTOMERS,
}
