"""Who somebody is: identifiers, ids given out earlier, and visits become one customer.

Every identifier has the id it would have alone, its ``own_id``; ingest says which customer it
belongs to now. An id that was ever given out is the ``own_id`` of some identifier, so it leads
to the present customer however links come and go. Used by other modules of ``recsys.ledger`` only.
"""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy import Connection

from recsys.identity import customer_id_of
from recsys.ledger.events.event_types import Identifier
from recsys.ledger.schema import HISTORIES, IDENTIFIERS

#: Identifier type of visits; they are no identifiers of the history.
SESSION = "session"

Key = tuple[str, str]


def session_own_id(session_id: str) -> str:
    """Return the id of whoever is in a visit while nobody has logged in.

    Parameters
    ----------
    session_id : str
        Sealed, as ``seal_session`` gives it.

    Returns
    -------
    str
        Has the form of a customer id.
    """
    return customer_id_of(SESSION, session_id)


def find_identifiers(
    connection: Connection, identifiers: Iterable[Identifier]
) -> dict[Key, tuple[str, str | None]]:
    """Look up stored identifiers.

    Returns
    -------
    dict
        (type, value) → (own_id, customer_id), for those there are; ``customer_id`` is None
        where ingest has found that the identifier names nobody.
    """
    wanted = sorted({(known.type, known.value) for known in identifiers})
    if not wanted:
        return {}
    table = IDENTIFIERS.c
    query = sa.select(table.type, table.value, table.own_id, table.customer_id).where(
        sa.tuple_(table.type, table.value).in_(wanted)
    )
    return {
        (row.type, row.value): (row.own_id, row.customer_id) for row in connection.execute(query)
    }


def resolve_ids(connection: Connection, ids: Iterable[str]) -> dict[str, str | None]:
    """Lead ids that were given out at any time to the present customers.

    Returns
    -------
    dict
        Id → present customer, None where it names nobody any more. Ids that nothing is known of
        are left out.
    """
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    table = IDENTIFIERS.c
    query = sa.select(table.own_id, table.customer_id).where(table.own_id.in_(wanted))
    found: dict[str, str | None] = dict(connection.execute(query).all())
    rest = [customer_id for customer_id in wanted if customer_id not in found]
    if rest:
        column = HISTORIES.c.customer_id
        alone = connection.execute(sa.select(column).where(column.in_(rest))).scalars()
        found |= {customer_id: customer_id for customer_id in alone}
    return found
