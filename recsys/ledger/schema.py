"""The ledger's tables, the same in SQLite and in PostgreSQL.

Keys are compared byte by byte in both, so that sorted input can be merged with sorted tables.
Used by other modules of ``recsys.ledger`` only.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    sql,
)
from sqlalchemy.types import TypeEngine

#: Raised when a table comes or changes; ``migrations`` bring older ledgers up to it, and newer ones
#: are left alone.
SCHEMA_VERSION: Final = 9

METADATA: Final = MetaData()

_SERIAL = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up INTEGER keys only


def _key() -> TypeEngine[str]:
    """Text whose order is that of its bytes whatever the database's language is."""
    return Text(collation="C").with_variant(Text(), "sqlite")


#: What the ledger knows of itself: schema_version, history_version, systems, contained.
META: Final = Table(
    "meta",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

#: One packed row a customer. The row comes last, so that scans of the rest skip it.
HISTORIES: Final = Table(
    "histories",
    METADATA,
    Column("customer_id", _key(), primary_key=True),
    Column("digest", LargeBinary),  # of the row as ingest wrote it; null once an event added to it
    Column("row", LargeBinary, nullable=False),
)

#: Who is who, as ingest found it, and identifiers first met in live events.
IDENTIFIERS: Final = Table(
    "identifiers",
    METADATA,
    Column("type", _key(), primary_key=True),
    Column("value", _key(), primary_key=True),
    Column("own_id", _key(), nullable=False, index=True),
    Column("customer_id", _key(), index=True),  # null: blocked, names nobody
)

#: What happened in a visit so far.
SESSIONS: Final = Table(
    "sessions",
    METADATA,
    Column("session_id", _key(), primary_key=True),
    Column("own_id", _key()),  # of who logged in; null: nobody yet
    Column("seen_ts", BigInteger, nullable=False),  # of its latest event
    Column("state", LargeBinary, nullable=False),  # recsys.ledger.events.visit_state.State as JSON
)

#: Everything a caller was told is accepted. Never changed but for ``counted``.
EVENTS: Final = Table(
    "events",
    METADATA,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("event_id", _key(), nullable=False, unique=True),  # as event_types.stored_id
    Column("digest", LargeBinary, nullable=False),  # tells a repeat from another event
    Column("event", Text, nullable=False),
    Column("occurred_ts", BigInteger, nullable=False),
    Column("received_ts", BigInteger, nullable=False),
    Column("own_id", _key()),  # whom it was counted for; null: nobody
    # False: its transaction came in another event, or is one that a page told of.
    Column("counted", Boolean, nullable=False),
    Column("body", LargeBinary, nullable=False),
    # Told with the key of a page, which anybody can read.
    Column("page", Boolean, nullable=False, server_default=sql.false()),
    sqlite_autoincrement=True,
)

#: Orders that live purchases told of, each once; those of pages are not among them.
TRANSACTIONS: Final = Table(
    "transactions",
    METADATA,
    Column("transaction_id", _key(), primary_key=True),
    Column("scope", _key(), primary_key=True),
    Column("event_id", _key(), nullable=False),
    Column("named", Boolean, nullable=False),  # whether its event named a customer
)

#: What was shown to whom; labels for training.
EXPOSURES: Final = Table(
    "exposures",
    METADATA,
    Column("recommendation_id", _key(), primary_key=True),
    Column("shown_ts", BigInteger, nullable=False, index=True),
    Column("placement", Text, nullable=False),
    Column("customer_id", _key()),
    Column("session_id", _key()),
    Column("location_id", Text),
    Column("model_version", Text, nullable=False),
    Column("items", LargeBinary, nullable=False),  # JSON array of item ids in the order shown
)

#: Who may ask the service, and for what. Revoked keys stay, so that it is known there were any.
KEYS: Final = Table(
    "keys",
    METADATA,
    Column("key_id", _key(), primary_key=True),
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of the whole key
    Column("created_ts", BigInteger, nullable=False),
    Column("revoked_ts", BigInteger),  # null: not revoked
    Column("grant", LargeBinary, nullable=False),  # recsys.ledger.api_keys.Grant as JSON
)

#: What the back office told of each product and location, by its id.
LIVE_ITEMS, LIVE_LOCATIONS = (
    Table(
        name,
        METADATA,
        Column("id", _key(), primary_key=True),
        Column("seq", BigInteger, nullable=False, index=True),  # of the telling that changed it
        Column("told_ts", BigInteger, nullable=False),
        Column("body", LargeBinary, nullable=False),  # a record of catalogue_updates as JSON
    )
    for name in ("live_items", "live_locations")
)

#: How many there are of a product at a location, as the back office told.
LIVE_STOCK: Final = Table(
    "live_stock",
    METADATA,
    Column("location_id", _key(), primary_key=True),
    Column("item_id", _key(), primary_key=True),
    Column("seq", BigInteger, nullable=False, index=True),
    Column("told_ts", BigInteger, nullable=False),
    Column("on_hand", Double, nullable=False),
)

#: Sessions that people signed out of, until their cookies would have ended by themselves.
ENDED_SESSIONS: Final = Table(
    "ended_sessions",
    METADATA,
    Column("session_id", _key(), primary_key=True),
    Column("ends_ts", BigInteger, nullable=False),
)

#: What was decided about a bundle, and what its offers add up to. Whoever changes an offer holds
#: the row of its bundle.
DECISIONS: Final = Table(
    "decisions",
    METADATA,
    Column("bundle_id", _key(), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("item_ids", LargeBinary, nullable=False),  # JSON array
    Column("terms", LargeBinary, nullable=False),  # recsys.bundles.terms.Terms as JSON
    Column("revision", BigInteger, nullable=False),
    Column("changed_ts", BigInteger, nullable=False),
    Column("changed_by", Text, nullable=False),
    *(
        Column(name, BigInteger, nullable=False)
        for name in ("issued", "standing", "redeemed", "returned", "reserved_minor", "spent_minor")
    ),
)

#: Who changed which decision, and how. Never changed.
DECISION_CHANGES: Final = Table(
    "decision_changes",
    METADATA,
    Column("bundle_id", _key(), primary_key=True),
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("changed_ts", BigInteger, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("before", LargeBinary, nullable=False),
    Column("after", LargeBinary, nullable=False),
)

#: What was promised to whom. The only table that says whose an offer is.
OFFERS: Final = Table(
    "offers",
    METADATA,
    Column("offer_id", _key(), primary_key=True),
    Column("code_hash", _key(), nullable=False, unique=True),
    Column("kept_code", Text),  # while one stands that was made before codes were hashed
    Column("bundle_id", _key(), nullable=False),
    Column("owner", _key(), nullable=False),
    Column("items", LargeBinary, nullable=False),  # recsys.bundles.terms.OfferItem as JSON
    Column("price_minor", BigInteger, nullable=False),
    Column("discount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("issued_ts", BigInteger, nullable=False),
    Column("promised_ts", BigInteger, nullable=False),  # until when it would stand by itself
    Column("expires_ts", BigInteger, nullable=False),  # or until its bundle ends, if that is sooner
    Column("state", Text, nullable=False),
    Column("visit", Boolean, nullable=False, server_default=sql.false()),  # of nobody's visit
    Index("ix_offers_owner", "owner", "state"),
    # Answers by itself how many were made when, and what those that expired add up to.
    Index(
        "ix_offers_bundle",
        "bundle_id",
        "state",
        "expires_ts",
        "issued_ts",
        "discount_minor",
    ),
)

#: What stands for visits of nobody; few, so that it is quickly added up.
OF_VISITS: Final = sql.and_(
    OFFERS.c.state == sql.literal_column("'standing'"), OFFERS.c.visit.is_(sql.true())
)
Index(
    "ix_offers_visits",
    OFFERS.c.bundle_id,
    OFFERS.c.expires_ts,
    OFFERS.c.discount_minor,
    sqlite_where=OF_VISITS,
    postgresql_where=OF_VISITS,
)

#: Offers that visits of nobody got from one address lately. Held before rows of bundles.
OFFER_ADDRESSES: Final = Table(
    "offer_addresses",
    METADATA,
    Column("address", _key(), primary_key=True),  # keyed hash
    Column("since_ts", BigInteger, nullable=False, index=True),  # beginning of its hour
    Column("issued", BigInteger, nullable=False),  # since then
)

#: Orders that used an offer. Whoever changes what uses one holds the row of its order.
OFFER_ORDERS: Final = Table(
    "offer_orders",
    METADATA,
    Column("transaction_id", _key(), primary_key=True),
    Column("scope", _key(), primary_key=True),
    Column("state", LargeBinary, nullable=False),  # recsys.ledger.offers.orders.OrderState as JSON
)

#: Orders in which an offer was used. One that was returned stays, and does not use it again.
REDEMPTIONS: Final = Table(
    "redemptions",
    METADATA,
    Column("transaction_id", _key(), primary_key=True),
    Column("scope", _key(), primary_key=True),
    Column("offer_id", _key(), primary_key=True),
    Column("channel", Text, nullable=False),
    Column("location_id", Text),
    Column("redeemed_ts", BigInteger, nullable=False),
    Column("discount_minor", BigInteger, nullable=False),  # what it took off
    Column("pieces", LargeBinary, nullable=False),  # recsys.ledger.offers.pieces.Piece as JSON
    Column("returned_ts", BigInteger),  # null: it uses the offer
)
# Whatever else goes wrong, no offer is used by two orders.
Index(
    "ux_redemptions_offer",
    REDEMPTIONS.c.offer_id,
    unique=True,
    sqlite_where=REDEMPTIONS.c.returned_ts.is_(None),
    postgresql_where=REDEMPTIONS.c.returned_ts.is_(None),
)

#: Beside ``HISTORIES`` and ``IDENTIFIERS`` while they are replaced: what will change. Private
#: to the connection that replaces, in the order of the tables' keys, so that they need none.
STAGED: Final = MetaData()

STAGED_HISTORIES: Final = Table(
    "staged_histories",
    STAGED,
    Column("customer_id", _key()),
    Column("digest", LargeBinary),
    Column("row", LargeBinary),  # null: the customer is gone
    prefixes=["TEMPORARY"],
)

STAGED_IDENTIFIERS: Final = Table(
    "staged_identifiers",
    STAGED,
    Column("type", _key()),
    Column("value", _key()),
    Column("own_id", _key()),  # null: the identifier is gone
    Column("customer_id", _key()),
    prefixes=["TEMPORARY"],
)
