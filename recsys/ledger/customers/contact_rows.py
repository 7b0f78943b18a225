"""Reads contact states with a lock, and writes them back, in a writer's transaction.

Used by other modules of ``recsys.ledger`` only.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from recsys.decisions import ContactState, contact_state
from recsys.ledger.schema import CONTACTS
from recsys.ledger.statements import lock
from recsys.units import DAY

_BLANK: Final = contact_state.encode(ContactState())


def locked(connection: Connection, own_ids: Iterable[str]) -> dict[str, ContactState]:
    """Return the states of some ids, locked until the transaction ends; new ones are blank."""
    rows = lock(connection, CONTACTS, set(own_ids), state=_BLANK)
    return {own_id: contact_state.decode(row.state) for own_id, row in rows.items()}


def forgotten_from(state: ContactState, *, is_visit: bool = False) -> int | None:
    """Return from when a state ages, UTC epoch seconds; None where it stays.

    The end of the day of what happened last, so that the index changes once a day only.
    """
    return None if state.has_said and not is_visit else -(-state.last_ts // DAY) * DAY


def write(
    connection: Connection, states: Mapping[str, ContactState], visits: Iterable[str] = ()
) -> None:
    """Write states; those of ``visits`` are forgotten after a while whatever they hold."""
    of_visits = set(visits)
    rows = [
        {
            "key": own_id,
            "packed": contact_state.encode(state),
            "at": forgotten_from(state, is_visit=own_id in of_visits),
        }
        for own_id, state in sorted(states.items())
    ]
    if rows:
        update = CONTACTS.update().where(CONTACTS.c.own_id == sa.bindparam("key"))
        values: dict[str, Any] = {"state": sa.bindparam("packed"), "shown_ts": sa.bindparam("at")}
        connection.execute(update.values(values), rows)
