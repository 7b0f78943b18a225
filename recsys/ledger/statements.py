"""Statements shared by all writers of the ledger: insert, and read with a lock.

Used by other modules of ``recsys.ledger`` only.
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert(connection: Connection, table: Table) -> Any:
    """Begin an ``INSERT … ON CONFLICT`` in the connection's dialect."""
    return (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)


def lock(
    connection: Connection, table: Table, keys: Iterable[str], **blank: Any
) -> dict[str, sa.Row[Any]]:
    """Read rows and lock them until the transaction ends.

    Missing rows are first inserted with the values of ``blank``, so that two writers of the same
    new row wait for each other too.
    """
    sorted_keys = sorted(keys)
    if not sorted_keys:
        return {}
    (column,) = table.primary_key.columns
    new = [{column.name: key, **blank} for key in sorted_keys]
    connection.execute(insert(connection, table).on_conflict_do_nothing(), new)
    query = sa.select(table).where(column.in_(sorted_keys)).order_by(column).with_for_update()
    return {getattr(row, column.name): row for row in connection.execute(query)}
