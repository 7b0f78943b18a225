"""Upgrades an older ledger to the current schema.

Called by ``Database`` in one transaction, which then creates missing tables.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from recsys.bundles import OfferItem
from recsys.ledger.connections import version_of
from recsys.ledger.offers.codes import hashed
from recsys.ledger.schema import META, METADATA, OFFER_ORDERS, OFFERS, REDEMPTIONS, SCHEMA_VERSION

_AT_ONCE: Final = 1_000
#: Columns of offers with their codes.
_OF_CODES: Final = ("code_hash", "kept_code")


def _index_customers(connection: Connection) -> None:
    """Index offers by the current customer."""
    connection.exec_driver_sql(
        "CREATE INDEX IF NOT EXISTS ix_identifiers_customer_id ON identifiers (customer_id)"
    )


def _name_pieces(connection: Connection) -> None:
    """Store pieces and discounts of redemptions, and returns of orders.

    Before, each offer claimed one piece of each product regardless of the order, and returns
    belonged to the offer instead of the order.
    """
    inspector = sa.inspect(connection)
    if not inspector.has_table("redemptions"):
        return
    if "back" not in {column["name"] for column in inspector.get_columns("redemptions")}:
        return
    connection.exec_driver_sql("DROP INDEX IF EXISTS ux_redemptions_offer")
    connection.exec_driver_sql("ALTER TABLE redemptions RENAME TO redemptions_before")
    METADATA.create_all(connection, tables=[REDEMPTIONS, OFFER_ORDERS])
    orders: dict[tuple[str, str], dict[str, float]] = {}
    stood = _stand_ins(connection)
    for page in _pages(connection):
        rows = []
        for row in page:
            key = (row.transaction_id, row.scope)
            members = [item.item_id for item in _items(row.offered)]
            instead = stood.get((*key, row.offer_id), {})
            sold = {member: instead.get(member, member) for member in members}
            back = members if row.returned_ts is not None else _names(row.back)
            quantities = orders.setdefault(key, {})
            for member in back:
                if member in sold:
                    quantities[sold[member]] = quantities.get(sold[member], 0.0) + 1.0
            pieces = [{"member": member, "item_id": item_id} for member, item_id in sold.items()]
            rows.append(
                {
                    "transaction_id": row.transaction_id,
                    "scope": row.scope,
                    "offer_id": row.offer_id,
                    "channel": row.channel,
                    "location_id": row.location_id,
                    "redeemed_ts": row.redeemed_ts,
                    "discount_minor": row.discount_minor,
                    "pieces": msgspec.json.encode(pieces),
                    "returned_ts": row.returned_ts,
                }
            )
        connection.execute(REDEMPTIONS.insert(), rows)
    if orders:
        connection.execute(
            OFFER_ORDERS.insert(),
            [
                {
                    "transaction_id": number,
                    "scope": scope,
                    "state": msgspec.json.encode({"told_back": back} if back else {}),
                }
                for (number, scope), back in orders.items()
            ],
        )
    connection.exec_driver_sql("DROP TABLE redemptions_before")
    connection.exec_driver_sql("DROP TABLE IF EXISTS stand_ins")


def _mark_visits(connection: Connection) -> None:
    """Mark new offers of visits; existing valid ones simply expire."""
    inspector = sa.inspect(connection)
    if not inspector.has_table("offers"):
        return
    if "visit" not in {column["name"] for column in inspector.get_columns("offers")}:
        connection.exec_driver_sql(
            "ALTER TABLE offers ADD COLUMN visit BOOLEAN DEFAULT FALSE NOT NULL"
        )
    for index in OFFERS.indexes:
        index.create(connection, checkfirst=True)


def _hash_codes(connection: Connection) -> None:
    """Store hashes of codes; codes of offers that may still be used stay readable too.

    Those codes were random, and must still be shown to their owners.
    """
    inspector = sa.inspect(connection)
    if not inspector.has_table("offers"):
        return
    if "code" not in {column["name"] for column in inspector.get_columns("offers")}:
        return
    connection.exec_driver_sql("ALTER TABLE offers RENAME TO offers_before")
    for index in OFFERS.indexes:
        connection.exec_driver_sql(f"DROP INDEX IF EXISTS {index.name}")
    OFFERS.create(connection)
    names = [column.name for column in OFFERS.columns if column.name not in _OF_CODES]
    before = sa.table("offers_before", *map(sa.column, [*names, "code"]))
    query = sa.select(before).order_by(before.c.offer_id).limit(_AT_ONCE)
    last = ""
    while page := connection.execute(query.where(before.c.offer_id > last)).mappings().all():
        connection.execute(OFFERS.insert(), [_with_hash(dict(row)) for row in page])
        last = page[-1]["offer_id"]
    connection.exec_driver_sql("DROP TABLE offers_before")


def _with_hash(row: dict[str, Any]) -> dict[str, Any]:
    code = row.pop("code")
    usable = row["state"] in ("standing", "redeemed")
    return {**row, "code_hash": hashed(code), "kept_code": code if usable else None}


def _tell_pages(connection: Connection) -> None:
    """Mark events reported by pages from now on; for earlier ones it is unknown."""
    inspector = sa.inspect(connection)
    if not inspector.has_table("events"):
        return
    if "page" not in {column["name"] for column in inspector.get_columns("events")}:
        connection.exec_driver_sql(
            "ALTER TABLE events ADD COLUMN page BOOLEAN DEFAULT FALSE NOT NULL"
        )


def _keep_decisions(connection: Connection) -> None:
    """Keep what was decided with each exposure from now on."""
    inspector = sa.inspect(connection)
    if not inspector.has_table("exposures"):
        return
    if "decision" not in {column["name"] for column in inspector.get_columns("exposures")}:
        binary = "BLOB" if connection.dialect.name == "sqlite" else "BYTEA"
        connection.exec_driver_sql(f"ALTER TABLE exposures ADD COLUMN decision {binary}")


def _keep_reserved(connection: Connection) -> None:
    """Keep what is reserved with the stock from now on; for earlier updates it is unknown."""
    inspector = sa.inspect(connection)
    if not inspector.has_table("live_stock"):
        return
    if "reserved" not in {column["name"] for column in inspector.get_columns("live_stock")}:
        connection.exec_driver_sql("ALTER TABLE live_stock ADD COLUMN reserved DOUBLE PRECISION")


def _keep_tills(connection: Connection) -> None:
    """Keep which till redeemed from now on; earlier redemptions cannot be undone any more."""
    inspector = sa.inspect(connection)
    if not inspector.has_table("redemptions"):
        return
    if "till" not in {column["name"] for column in inspector.get_columns("redemptions")}:
        connection.exec_driver_sql("ALTER TABLE redemptions ADD COLUMN till TEXT")


def _index_people(connection: Connection) -> None:
    """Index exposures and visits by customer."""
    has_table = sa.inspect(connection).has_table
    if connection.dialect.name == "postgresql":
        # A service limits its statements; indexing many exposures takes minutes.
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    if has_table("exposures"):
        connection.exec_driver_sql(
            "CREATE INDEX IF NOT EXISTS ix_exposures_customer_id "
            "ON exposures (customer_id, shown_ts)"
        )
    if has_table("sessions"):
        connection.exec_driver_sql(
            "CREATE INDEX IF NOT EXISTS ix_sessions_own_id ON sessions (own_id)"
        )


def _pages(connection: Connection) -> Iterator[list[sa.Row[Any]]]:
    """Read earlier redemptions, with the items of their offers."""
    names = (
        "transaction_id",
        "scope",
        "offer_id",
        "channel",
        "location_id",
        "redeemed_ts",
        "back",
        "returned_ts",
    )
    before = sa.table("redemptions_before", *map(sa.column, names))
    key = (before.c.transaction_id, before.c.scope, before.c.offer_id)
    query: sa.Select[Any] = (
        sa.select(*before.c, OFFERS.c["items"].label("offered"), OFFERS.c.discount_minor)
        .join_from(before, OFFERS, OFFERS.c.offer_id == before.c.offer_id)
        .order_by(*key)
        .limit(_AT_ONCE)
    )
    last: tuple[str, ...] = ("", "", "")
    while True:
        after = sa.tuple_(*key) > sa.tuple_(*(sa.literal(part) for part in last))
        page = list(connection.execute(query.where(after)).all())
        if not page:
            return
        yield page
        last = (page[-1].transaction_id, page[-1].scope, page[-1].offer_id)


def _stand_ins(connection: Connection) -> dict[tuple[str, str, str], dict[str, str]]:
    """Return the products that replaced bundle members in orders, where recorded."""
    if not sa.inspect(connection).has_table("stand_ins"):
        return {}
    names = ("transaction_id", "scope", "offer_id", "member", "item_id")
    stand_ins: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in connection.execute(sa.select(sa.table("stand_ins", *map(sa.column, names)))):
        key = (row.transaction_id, row.scope, row.offer_id)
        stand_ins.setdefault(key, {})[row.member] = row.item_id
    return stand_ins


_items: Final = msgspec.json.Decoder(tuple[OfferItem, ...]).decode
_names: Final = msgspec.json.Decoder(tuple[str, ...]).decode

#: Schema version → migration to the next; new tables need no migration.
UPGRADES: Final[dict[int, tuple[Callable[[Connection], None], ...]]] = {
    1: (),  # keys
    2: (),  # products, locations and stock
    3: (_index_customers,),  # decisions and offers
    4: (),  # stand-ins
    5: (_name_pieces,),
    6: (_mark_visits,),
    7: (_hash_codes,),
    8: (_tell_pages,),
    9: (_keep_decisions,),  # and contacts
    10: (),  # new tables
    11: (_keep_reserved,),
    12: (_keep_tills,),
    13: (_index_people,),  # and consent changes, looks, screens
}


def bring_up_to_date(connection: Connection) -> int | None:
    """Create the ledger's tables, or upgrade those of an older schema; return the schema.

    Another process may do the same at the same time, or already have done so.
    """
    METADATA.create_all(connection, [META])
    version = version_of(connection)
    if version is None:
        version = SCHEMA_VERSION
        connection.execute(META.insert(), {"key": "schema_version", "value": str(version)})
    while version in UPGRADES:
        for change in UPGRADES[version]:
            change(connection)
        version += 1
    METADATA.create_all(connection)
    row = {"value": str(version)}
    connection.execute(META.update().where(META.c.key == "schema_version"), row)
    return version
