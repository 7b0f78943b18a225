"""Tables into which a replacement of the histories first goes.

Used by ``recsys.ledger.customers.replacement`` only.
"""

from typing import Final

from sqlalchemy import Column, LargeBinary, MetaData, Table

from recsys.ledger.schema import key_type

#: Staged changes of ``HISTORIES`` and ``IDENTIFIERS`` during a replacement. Private to the
#: connection, and sorted by the tables' keys, so that they need no keys.
STAGED: Final = MetaData()

STAGED_HISTORIES: Final = Table(
    "staged_histories",
    STAGED,
    Column("customer_id", key_type()),
    Column("digest", LargeBinary),
    Column("row", LargeBinary),  # null: the customer is removed
    prefixes=["TEMPORARY"],
)

STAGED_IDENTIFIERS: Final = Table(
    "staged_identifiers",
    STAGED,
    Column("type", key_type()),
    Column("value", key_type()),
    Column("own_id", key_type()),  # null: the identifier is removed
    Column("customer_id", key_type()),
    prefixes=["TEMPORARY"],
)
