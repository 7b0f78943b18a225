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

#: Incremented when a table is added or changed; ``migrations`` upgrade older ledgers, and newer
#: ones are refused.
SCHEMA_VERSION: Final = 14

METADATA: Final = MetaData()

_SERIAL = BigInteger().with_variant(Integer, "sqlite")  # SQLite autoincrements INTEGER keys only


def key_type() -> TypeEngine[str]:
    """Return a text column with byte order, whatever the database's locale."""
    return Text(collation="C").with_variant(Text(), "sqlite")


#: Metadata of the ledger: schema_version, history_version, systems, contained.
META: Final = Table(
    "meta",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

#: One packed row per customer. The row comes last, so that scans of the rest skip it.
HISTORIES: Final = Table(
    "histories",
    METADATA,
    Column("customer_id", key_type(), primary_key=True),
    Column("digest", LargeBinary),  # of the row as ingested; null after an event changed it
    Column("row", LargeBinary, nullable=False),
)

#: Customers of identifiers, from the ingest and from live events.
IDENTIFIERS: Final = Table(
    "identifiers",
    METADATA,
    Column("type", key_type(), primary_key=True),
    Column("value", key_type(), primary_key=True),
    Column("own_id", key_type(), nullable=False, index=True),
    Column("customer_id", key_type(), index=True),  # null: blocked
)

#: Contact with each customer: what was shown and refused. By ``own_id``, so that a link that is
#: undone leaves each identifier what is its own.
CONTACTS: Final = Table(
    "contacts",
    METADATA,
    Column("own_id", key_type(), primary_key=True),
    Column("state", LargeBinary, nullable=False),  # recsys.decisions.ContactState as msgpack
    # When anything last happened; null while it holds what a customer said, which stays.
    Column("shown_ts", BigInteger, index=True),
)

#: Whose contact state has the reservation of an answer, so that reports find it.
RESERVATIONS: Final = Table(
    "reservations",
    METADATA,
    Column("recommendation_id", key_type(), primary_key=True),
    Column("own_id", key_type(), nullable=False, index=True),
    Column("decided_ts", BigInteger, nullable=False, index=True),
)

#: Answers of mailings and slots, so that a retry gets the same. Written with what they show.
KEPT_ANSWERS: Final = Table(
    "kept_answers",
    METADATA,
    Column("own_id", key_type(), primary_key=True),
    Column("slot", key_type(), primary_key=True),  # of recsys.ledger.customers.showings.slot_key
    Column("recommendation_id", key_type(), nullable=False),
    Column("decided_ts", BigInteger, nullable=False, index=True),
    Column("answer", LargeBinary, nullable=False),  # JSON, compressed
)

#: Codes that hand a visit over to another device, once.
HANDOVERS: Final = Table(
    "handovers",
    METADATA,
    Column("code_hash", key_type(), primary_key=True),
    Column("own_id", key_type()),  # null: of a visit without a login
    Column("visit", LargeBinary, nullable=False),  # recsys.ledger.events.visit_state.State as JSON
    Column("expires_ts", BigInteger, nullable=False, index=True),
)

#: Marks of what was erased, so that no export, event or older backup brings it back.
ERASURES: Final = Table(
    "erasures",
    METADATA,
    Column("own_id", key_type(), primary_key=True),  # of an identifier
    Column("marked_ts", BigInteger, nullable=False),
    Column("erased", Boolean, nullable=False),  # False: lifted again
)

#: State of each visit.
SESSIONS: Final = Table(
    "sessions",
    METADATA,
    Column("session_id", key_type(), primary_key=True),
    Column("own_id", key_type(), index=True),  # of whoever logged in; null before a login
    Column("seen_ts", BigInteger, nullable=False),  # time of its latest event
    Column("state", LargeBinary, nullable=False),  # recsys.ledger.events.visit_state.State as JSON
)

#: All accepted events. Only ``counted`` ever changes.
EVENTS: Final = Table(
    "events",
    METADATA,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("event_id", key_type(), nullable=False, unique=True),  # as event_types.stored_id
    Column("digest", LargeBinary, nullable=False),  # distinguishes a repeat from another event
    Column("event", Text, nullable=False),
    Column("occurred_ts", BigInteger, nullable=False),
    Column("received_ts", BigInteger, nullable=False),
    Column("own_id", key_type()),  # the customer; null if none
    # False if another event has the same transaction, or only a page reported it.
    Column("counted", Boolean, nullable=False),
    Column("body", LargeBinary, nullable=False),
    # Reported with the public key of a page.
    Column("page", Boolean, nullable=False, server_default=sql.false()),
    sqlite_autoincrement=True,
)

#: Orders of live purchases, each once, without those of pages.
TRANSACTIONS: Final = Table(
    "transactions",
    METADATA,
    Column("transaction_id", key_type(), primary_key=True),
    Column("scope", key_type(), primary_key=True),
    Column("event_id", key_type(), nullable=False),
    Column("named", Boolean, nullable=False),  # whether its event identified a customer
)

#: Answers shown to customers; labels for training.
EXPOSURES: Final = Table(
    "exposures",
    METADATA,
    Column("recommendation_id", key_type(), primary_key=True),
    Column("shown_ts", BigInteger, nullable=False, index=True),
    Column("placement", Text, nullable=False),
    Column("customer_id", key_type()),
    Column("session_id", key_type()),
    Column("location_id", Text),
    Column("model_version", Text, nullable=False),
    Column("items", LargeBinary, nullable=False),  # JSON array of item ids in the order shown
    Column("decision", LargeBinary),  # recsys.decisions.Decision as JSON; null before schema 10
    Index("ix_exposures_customer_id", "customer_id", "shown_ts"),
)

#: What customers said about consents, append-only; ``CONTACTS`` has the latest word.
CONSENT_CHANGES: Final = Table(
    "consent_changes",
    METADATA,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("own_id", key_type(), nullable=False, index=True),
    Column("noted_ts", BigInteger, nullable=False),
    Column("noted_by", Text, nullable=False),  # name of a key, or of an export
    Column("consent", LargeBinary, nullable=False),  # recsys.decisions.Consent as JSON
    sqlite_autoincrement=True,
)

#: Who looked at whom, append-only.
LOOKS: Final = Table(
    "looks",
    METADATA,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("looked_ts", BigInteger, nullable=False, index=True),
    Column("looked_by", Text, nullable=False),  # name of the key
    Column("key_id", Text),  # null: no key was needed
    Column("page", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("own_id", key_type(), index=True),  # whom; null after they were erased
    sqlite_autoincrement=True,
)

#: API keys and their grants. Revoked keys stay for the record.
KEYS: Final = Table(
    "keys",
    METADATA,
    Column("key_id", key_type(), primary_key=True),
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of the whole key
    Column("created_ts", BigInteger, nullable=False),
    Column("revoked_ts", BigInteger),  # null: not revoked
    Column("grant", LargeBinary, nullable=False),  # recsys.ledger.api_keys.Grant as JSON
)

#: Paired screens. Revoking a screen's key ends it; its row stays for the record.
SCREENS: Final = Table(
    "screens",
    METADATA,
    Column("key_id", key_type(), primary_key=True),
    Column("location_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("card_type", Text),  # of a kiosk, as Grant.card_type
    Column("paired_ts", BigInteger, nullable=False),
    Column("paired_by", Text, nullable=False),
    Column("seen_ts", BigInteger),  # when it last asked; null: never
    Column("shown", LargeBinary),  # JSON array of item ids; null: nothing yet
)

#: Codes that screens show until somebody types them.
PAIRINGS: Final = Table(
    "pairings",
    METADATA,
    Column("code_hash", key_type(), primary_key=True),
    Column("secret_hash", key_type(), nullable=False, unique=True),
    Column("location_id", Text, nullable=False),
    Column("expires_ts", BigInteger, nullable=False, index=True),
    Column("approval", LargeBinary),  # recsys.ledger.screens.Approval as JSON; null: waits
    Column("key_id", key_type()),  # null until the screen fetched its key
)

#: Back office updates of products and locations, by id.
LIVE_ITEMS, LIVE_LOCATIONS = (
    Table(
        name,
        METADATA,
        Column("id", key_type(), primary_key=True),
        Column("seq", BigInteger, nullable=False, index=True),  # number of the update
        Column("told_ts", BigInteger, nullable=False),
        Column("body", LargeBinary, nullable=False),  # a record of catalogue_updates as JSON
    )
    for name in ("live_items", "live_locations")
)

#: Stock of products at locations, from the back office.
LIVE_STOCK: Final = Table(
    "live_stock",
    METADATA,
    Column("location_id", key_type(), primary_key=True),
    Column("item_id", key_type(), primary_key=True),
    Column("seq", BigInteger, nullable=False, index=True),
    Column("told_ts", BigInteger, nullable=False),
    Column("on_hand", Double, nullable=False),
    Column("reserved", Double),  # null: not reported
)

#: Ended sessions, until their cookies expire.
ENDED_SESSIONS: Final = Table(
    "ended_sessions",
    METADATA,
    Column("session_id", key_type(), primary_key=True),
    Column("ends_ts", BigInteger, nullable=False),
)

#: Decisions about bundles, and totals of their offers. Every change of an offer locks the row of
#: its bundle.
DECISIONS: Final = Table(
    "decisions",
    METADATA,
    Column("bundle_id", key_type(), primary_key=True),
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

#: Changes of decisions, append-only.
DECISION_CHANGES: Final = Table(
    "decision_changes",
    METADATA,
    Column("bundle_id", key_type(), primary_key=True),
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("changed_ts", BigInteger, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("before", LargeBinary, nullable=False),
    Column("after", LargeBinary, nullable=False),
)

#: Offers and their owners. No other table has the owner of an offer.
OFFERS: Final = Table(
    "offers",
    METADATA,
    Column("offer_id", key_type(), primary_key=True),
    Column("code_hash", key_type(), nullable=False, unique=True),
    Column("kept_code", Text),  # of valid offers made before codes were hashed
    Column("bundle_id", key_type(), nullable=False),
    Column("owner", key_type(), nullable=False),
    Column("items", LargeBinary, nullable=False),  # recsys.bundles.terms.OfferItem as JSON
    Column("price_minor", BigInteger, nullable=False),
    Column("discount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("issued_ts", BigInteger, nullable=False),
    Column("promised_ts", BigInteger, nullable=False),  # its own expiry
    Column("expires_ts", BigInteger, nullable=False),  # or its bundle's end, if earlier
    Column("state", Text, nullable=False),
    Column("visit", Boolean, nullable=False, server_default=sql.false()),  # of an anonymous visit
    Index("ix_offers_owner", "owner", "state"),
    # Covers the counts of offers by day, and the sums of expired offers.
    Index(
        "ix_offers_bundle",
        "bundle_id",
        "state",
        "expires_ts",
        "issued_ts",
        "discount_minor",
    ),
)

#: Valid offers of anonymous visits; few, so that sums are fast.
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

#: Recent offers of anonymous visits by address. Locked before rows of bundles.
OFFER_ADDRESSES: Final = Table(
    "offer_addresses",
    METADATA,
    Column("address", key_type(), primary_key=True),  # keyed hash
    Column("since_ts", BigInteger, nullable=False, index=True),  # start of its hour
    Column("issued", BigInteger, nullable=False),  # number since then
)

#: Orders that used offers. Every change of a redemption locks the row of its order.
OFFER_ORDERS: Final = Table(
    "offer_orders",
    METADATA,
    Column("transaction_id", key_type(), primary_key=True),
    Column("scope", key_type(), primary_key=True),
    Column("state", LargeBinary, nullable=False),  # recsys.ledger.offers.orders.OrderState as JSON
)

#: Redemptions. Those of returned orders stay, but are no longer in use.
REDEMPTIONS: Final = Table(
    "redemptions",
    METADATA,
    Column("transaction_id", key_type(), primary_key=True),
    Column("scope", key_type(), primary_key=True),
    Column("offer_id", key_type(), primary_key=True),
    Column("channel", Text, nullable=False),
    Column("location_id", Text),
    Column("redeemed_ts", BigInteger, nullable=False),
    Column("discount_minor", BigInteger, nullable=False),  # its discount
    Column("pieces", LargeBinary, nullable=False),  # recsys.ledger.offers.pieces.Piece as JSON
    Column("returned_ts", BigInteger),  # null while in use
    Column("till", Text),  # which may undo it; see OfferUse.till
)
# Guarantees that no two orders use one offer.
Index(
    "ux_redemptions_offer",
    REDEMPTIONS.c.offer_id,
    unique=True,
    sqlite_where=REDEMPTIONS.c.returned_ts.is_(None),
    postgresql_where=REDEMPTIONS.c.returned_ts.is_(None),
)
