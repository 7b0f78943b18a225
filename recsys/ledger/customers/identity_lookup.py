"""Resolves identifiers, earlier customer ids and visits to customers.

Every identifier has an ``own_id``, the customer id it would have alone; the ingest assigns its
current customer. Every id ever issued is the ``own_id`` of some identifier, so it leads to the
current customer even if links change. Used by other modules of ``recsys.ledger`` only.
"""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy import Connection

from recsys.identity import customer_id_of
from recsys.ledger.events.event_types import Identifier
from recsys.ledger.schema import HISTORIES, IDENTIFIERS

#: Identifier type of visits, which the history does not have.
SESSION = "session"

Key = tuple[str, str]


def session_own_id(session_id: str) -> str:
    """Return the customer id of a visit before a login.

    Parameters
    ----------
    session_id : str
        Sealed by ``seal_session``.

    Returns
    -------
    str
        An id in the form of a customer id.
    """
    return customer_id_of(SESSION, session_id)


def find_identifiers(
    connection: Connection, identifiers: Iterable[Identifier]
) -> dict[Key, tuple[str, str | None]]:
    """Look up stored identifiers.

    Returns
    -------
    dict
        (type, value) → (own_id, customer_id) for known identifiers; ``customer_id`` is None for
        blocked ones.
    """
    keys = sorted({(known.type, known.value) for known in identifiers})
    if not keys:
        return {}
    table = IDENTIFIERS.c
    query = sa.select(table.type, table.value, table.own_id, table.customer_id).where(
        sa.tuple_(table.type, table.value).in_(keys)
    )
    return {
        (row.type, row.value): (row.own_id, row.customer_id) for row in connection.execute(query)
    }


def resolve_ids(connection: Connection, ids: Iterable[str]) -> dict[str, str | None]:
    """Resolve ids issued at any time to the current customers.

    Returns
    -------
    dict
        Id → current customer, or None if it has none any more. Unknown ids are left out.
    """
    sorted_ids = sorted(set(ids))
    if not sorted_ids:
        return {}
    table = IDENTIFIERS.c
    query = sa.select(table.own_id, table.customer_id).where(table.own_id.in_(sorted_ids))
    resolved: dict[str, str | None] = dict(connection.execute(query).all())
    rest = [customer_id for customer_id in sorted_ids if customer_id not in resolved]
    if rest:
        column = HISTORIES.c.customer_id
        alone = connection.execute(sa.select(column).where(column.in_(rest))).scalars()
        resolved |= {customer_id: customer_id for customer_id in alone}
    return resolved
