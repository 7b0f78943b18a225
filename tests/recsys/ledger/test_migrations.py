"""A ledger of the version before knows its orders, pieces and returns after the upgrade."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from recsys.errors import OfferError
from recsys.ledger.events.event_types import Event
from recsys.ledger.ledger import Ledger
from recsys.ledger.offers.orders import pieces_of
from recsys.ledger.offers.pieces import Piece
from recsys.ledger.offers.returns import ReturnedOrder
from recsys.ledger.offers.undoing import Undo
from recsys.ledger.schema import METADATA, OFFERS, REDEMPTIONS, SCHEMA_VERSION
from recsys.recommender.catalogue_updates import LiveStock

from .conftest import NOW
from .offers.deals import CODES, DISCOUNT, check_books, decide, promise, redeem

#: As schema 5 had them.
BEFORE = (
    """CREATE TABLE redemptions (
        transaction_id {key} NOT NULL, scope {key} NOT NULL, offer_id {key} NOT NULL,
        channel TEXT NOT NULL, location_id TEXT, redeemed_ts BIGINT NOT NULL,
        back {bytes} NOT NULL, returned_ts BIGINT, PRIMARY KEY (transaction_id, scope, offer_id)
    )""",
    """CREATE UNIQUE INDEX ux_redemptions_offer ON redemptions (offer_id)
        WHERE returned_ts IS NULL""",
    """CREATE TABLE stand_ins (
        transaction_id {key} NOT NULL, scope {key} NOT NULL, offer_id {key} NOT NULL,
        member {key} NOT NULL, item_id TEXT NOT NULL,
        PRIMARY KEY (transaction_id, scope, offer_id, member)
    )""",
)


def make_older(
    ledger: Ledger,
    codes: dict[str, str],
    backs: dict[str, str],
    stood: dict[str, tuple[str, str]],
) -> None:
    """Write the offers and redemptions as schema 5 did.

    Names the codes of offers, the members that came back, and stand-ins.
    """
    types = (
        {"key": "TEXT", "bytes": "BLOB"}
        if ledger._database.is_sqlite
        else {"key": 'TEXT COLLATE "C"', "bytes": "BYTEA"}
    )
    with ledger._database.writing() as connection:
        rows = connection.execute(sa.select(REDEMPTIONS)).mappings().all()
        for name in ("redemptions", "offer_orders"):
            METADATA.tables[name].drop(connection)
        for statement in BEFORE:
            connection.exec_driver_sql(statement.format(**types))
        old = sa.table(
            "redemptions",
            *map(
                sa.column,
                (
                    "transaction_id",
                    "scope",
                    "offer_id",
                    "channel",
                    "location_id",
                    "redeemed_ts",
                    "returned_ts",
                    "back",
                ),
            ),
        )
        key = ("transaction_id", "scope", "offer_id")
        for row in rows:
            kept = {c.name: row[c.name] for c in old.columns if c.name != "back"}
            back = backs.get(row["transaction_id"], "[]").encode()
            connection.execute(sa.insert(old).values(**kept, back=back))
            if row["transaction_id"] in stood:
                member, item_id = stood[row["transaction_id"]]
                columns = map(sa.column, (*key, "member", "item_id"))
                connection.execute(
                    sa.insert(sa.table("stand_ins", *columns)).values(
                        **{name: row[name] for name in key}, member=member, item_id=item_id
                    )
                )
        connection.exec_driver_sql("DROP INDEX ix_offers_visits")
        connection.exec_driver_sql("ALTER TABLE offers RENAME COLUMN code_hash TO code")
        connection.exec_driver_sql("ALTER TABLE offers DROP COLUMN kept_code")
        for offer_id, code in codes.items():
            written = sa.text("UPDATE offers SET code = :code WHERE offer_id = :offer_id")
            connection.execute(written, {"code": code.replace("-", ""), "offer_id": offer_id})
        for table in ("ended_sessions",):
            METADATA.tables[table].drop(connection)
        connection.exec_driver_sql("ALTER TABLE offers DROP COLUMN visit")
        METADATA.tables["offer_addresses"].drop(connection)
        connection.exec_driver_sql("UPDATE meta SET value = '5' WHERE key = 'schema_version'")


def test_a_ledger_of_the_version_before(ledger_url: str) -> None:
    ledger = Ledger.open(ledger_url)
    decide(ledger, budget_minor=99 * DISCOUNT)
    offers = {n: promise(ledger, f"c{n}") for n in ("T1", "T2", "T3", "T4")}
    for number, offer in offers.items():
        redeem(ledger, CODES.of(offer), number)
    ledger.offers.give_back([ReturnedOrder("T4", "S1")], NOW)
    codes = {offer.offer_id: CODES.new().code for offer in offers.values()}  # by chance
    make_older(ledger, codes, {"T2": '["tea"]', "T4": '["milk","tea"]'}, {"T3": ("tea", "green")})
    ledger.close()

    ledger = Ledger.open(ledger_url)
    assert ledger.meta()["schema_version"] == str(SCHEMA_VERSION)
    check_books(ledger)
    # Whoever holds a code finds it shown as before; what is stored of it opens nothing.
    for name, offer in offers.items():
        found = ledger.offers.find(codes[offer.offer_id])
        assert found is not None
        assert found.offer_id == offer.offer_id
        assert CODES.of(found) == codes[offer.offer_id]
        offers[name] = found
    with ledger._database.reading() as connection:
        hashes = connection.execute(sa.select(OFFERS.c.code_hash)).scalars().all()
    assert not [stored for stored in hashes if ledger.offers.find(stored) is not None]
    with ledger._database.reading() as connection:
        rows = connection.execute(sa.select(REDEMPTIONS)).all()
        inspector = sa.inspect(connection)
        assert not inspector.has_table("stand_ins")
        indexes = {index["name"] for index in inspector.get_indexes("offers")}
    assert {"ix_offers_owner", "ix_offers_bundle", "ix_offers_visits"} <= indexes
    pieces = {row.transaction_id: pieces_of(row.pieces) for row in rows}
    assert pieces["T1"] == (Piece("tea", "tea"), Piece("milk", "milk"))
    assert pieces["T3"] == (Piece("tea", "green"), Piece("milk", "milk"))
    assert {row.discount_minor for row in rows} == {DISCOUNT}
    # The order that told of it may ask again; the one that was returned may not.
    assert not redeem(ledger, CODES.of(offers["T1"]), "T1").first
    with pytest.raises(OfferError, match="was returned"):
        redeem(ledger, CODES.of(offers["T4"]), "T4")
    assert redeem(ledger, CODES.of(offers["T4"]), "T5").first
    # What came back in part comes back with the rest.
    assert ledger.offers.give_back([ReturnedOrder("T1", "S1", {"milk": 1.0})], NOW) == 0
    assert ledger.offers.give_back([ReturnedOrder("T2", "S1", {"milk": 1.0})], NOW) == 1
    assert (
        ledger.offers.give_back([ReturnedOrder("T3", "S1", {"milk": 1.0, "green": 1.0})], NOW) == 1
    )
    check_books(ledger)
    ledger.close()


def test_what_was_redeemed_before_is_final(ledger_url: str) -> None:
    ledger = Ledger.open(ledger_url)
    decide(ledger)
    code = CODES.of(promise(ledger, "c1"))
    redeem(ledger, code, "T1")
    with ledger._database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE redemptions DROP COLUMN till")
        connection.exec_driver_sql("UPDATE meta SET value = '12' WHERE key = 'schema_version'")
    ledger.close()

    ledger = Ledger.open(ledger_url)
    assert ledger.meta()["schema_version"] == str(SCHEMA_VERSION)
    with pytest.raises(OfferError, match="only the till"):
        ledger.offers.undo(code, Undo("T1", "S1", "", NOW))
    assert not redeem(ledger, code, "T1").first
    ledger.close()


def test_events_of_before_were_told_by_servers(ledger_url: str) -> None:
    ledger = Ledger.open(ledger_url)
    told = Event(event_id="e1", event="view_item", occurred_at=datetime.fromtimestamp(NOW, UTC))
    ledger.add_events([told], NOW)
    with ledger._database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE events DROP COLUMN page")
        connection.exec_driver_sql("UPDATE meta SET value = '8' WHERE key = 'schema_version'")
    ledger.close()

    ledger = Ledger.open(ledger_url)
    assert ledger.meta()["schema_version"] == str(SCHEMA_VERSION)
    ledger.add_events([told], NOW, page=True)
    assert [(found.event, found.page) for found in ledger.live_events()] == [
        (told, False),
        (told, True),
    ]
    ledger.close()


def test_of_earlier_stock_nobody_knows_what_is_put_aside(ledger_url: str) -> None:
    ledger = Ledger.open(ledger_url)
    ledger.backoffice.put_stock([LiveStock(location_id="S1", item_id="tea", on_hand=3)], NOW)
    with ledger._database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE live_stock DROP COLUMN reserved")
        connection.exec_driver_sql("UPDATE meta SET value = '11' WHERE key = 'schema_version'")
    ledger.close()

    ledger = Ledger.open(ledger_url)
    assert ledger.meta()["schema_version"] == str(SCHEMA_VERSION)
    told = LiveStock(location_id="S1", item_id="tea", on_hand=3, told_ts=NOW)
    assert [row for row, _ in ledger.backoffice.since(0).stock] == [told]
    newer = LiveStock(location_id="S1", item_id="tea", on_hand=3, reserved=1)
    assert ledger.backoffice.put_stock([newer], NOW).changed == 1
    ledger.close()
