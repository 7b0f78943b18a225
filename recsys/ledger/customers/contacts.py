"""Stores what was shown to each customer and what they refused.

In: what an answer showed, or refusals that channels report. Out: contact states, and what may not
be shown because a cap was reached meanwhile. Called by ``Ledger``, and by ``recording`` for events.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from recsys.config import CapSettings
from recsys.decisions import (
    ChoicesOf,
    Consent,
    ContactState,
    Refusal,
    contact_state,
    over_cap,
    united,
)
from recsys.ledger.database import Database
from recsys.ledger.schema import CONTACTS, IDENTIFIERS
from recsys.ledger.statements import lock

_BLANK: Final = contact_state.encode(ContactState())
_OWN_IDS: Final = sa.select(IDENTIFIERS.c.own_id).where(
    IDENTIFIERS.c.customer_id == sa.bindparam("customer_id")
)
_OF_CUSTOMER: Final = sa.or_(
    CONTACTS.c.own_id.in_(_OWN_IDS),
    CONTACTS.c.own_id == sa.bindparam("customer_id"),
    CONTACTS.c.own_id == sa.bindparam("visit_id"),
)
# A constant, because ``Database.rows`` compiles each statement once.
_STATES: Final = sa.select(CONTACTS.c.state).where(_OF_CUSTOMER)


class Showing(msgspec.Struct, frozen=True, kw_only=True):
    """Products that an answer shows to one customer."""

    customer_id: str = ""
    """A current customer; empty for a visit before a login."""
    visit_id: str = ""
    """A visit in the form of a customer id (``session_own_id``); empty without one."""
    channel: str
    at_ts: int
    item_ids: tuple[str, ...]

    @property
    def own_id(self) -> str:
        """Under which it is stored."""
        return self.customer_id or self.visit_id


class Contacts:
    """The ledger's contact states.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def state(self, customer_id: str, visit_id: str = "") -> ContactState:
        """Read the contact with a customer, through all identifiers; one short statement.

        Parameters
        ----------
        customer_id : str
            A current customer, or empty.
        visit_id : str
            A visit in the form of a customer id (``session_own_id``), or empty.
        """
        rows = self._database.rows(_STATES, customer_id=customer_id, visit_id=visit_id)
        return united([contact_state.decode(row[0]) for row in rows])

    def show(
        self,
        showings: Sequence[Showing],
        caps: Mapping[str, CapSettings],
        zone: str,
        choices_of: ChoicesOf = list,
    ) -> list[list[str]]:
        """Write down what is shown, unless a cap was reached meanwhile, in one transaction.

        Of answers at the same time, in whatever process, no more show a product than its caps
        allow. A power failure may lose the last showings.

        Parameters
        ----------
        showings : sequence of Showing
        caps, zone, choices_of
            As of ``recsys.decisions.suppress``.

        Returns
        -------
        list of list of str
            For each showing the products that may be shown.

        Raises
        ------
        LedgerError
            When it cannot be written; then nothing counts as shown.
        """
        with self._database.writing(durable=False) as connection:
            return _show(connection, showings, caps, zone, choices_of)

    def consent(self, own_ids: Sequence[str], said: Sequence[Consent]) -> None:
        """Write down what a customer consents to, durably.

        Parameters
        ----------
        own_ids : sequence of str
            Every id of the customer, so that it holds whichever identifier asks.
        said : sequence of Consent

        Raises
        ------
        LedgerError
            When it cannot be written.
        """
        with self._database.writing() as connection:
            locked = lock(connection, CONTACTS, own_ids, state=_BLANK)
            states = {own_id: contact_state.decode(row.state) for own_id, row in locked.items()}
            _write(connection, {key: each.with_consents(said) for key, each in states.items()})


def _show(
    connection: Connection,
    showings: Sequence[Showing],
    caps: Mapping[str, CapSettings],
    zone: str,
    choices_of: ChoicesOf,
) -> list[list[str]]:
    locked = lock(connection, CONTACTS, {each.own_id for each in showings}, state=_BLANK)
    states = {own_id: contact_state.decode(row.state) for own_id, row in locked.items()}
    shown: list[list[str]] = []
    for each in showings:
        whole = united([states[each.own_id], *_others(connection, each, states)])
        capped = over_cap(whole, caps, each.channel, each.at_ts, zone, choices_of)
        choices = choices_of(each.item_ids)
        kept = [
            item_id
            for item_id, choice in zip(each.item_ids, choices, strict=True)
            if choice not in capped
        ]
        states[each.own_id] = states[each.own_id].with_shown(kept, each.channel, each.at_ts)
        shown.append(kept)
    _write(connection, states)
    return shown


def _others(
    connection: Connection, showing: Showing, locked: Mapping[str, ContactState]
) -> list[ContactState]:
    """Read the states of the customer's other identifiers, and of the visit."""
    query = sa.select(CONTACTS.c.own_id, CONTACTS.c.state).where(_OF_CUSTOMER)
    given = {"customer_id": showing.customer_id, "visit_id": showing.visit_id}
    return [
        locked.get(own_id) or contact_state.decode(state)
        for own_id, state in connection.execute(query, given)
        if own_id != showing.own_id
    ]


def refuse(connection: Connection, refusals: Iterable[tuple[str, Refusal]]) -> None:
    """Write refusals of customers, in a writer's transaction.

    Parameters
    ----------
    connection : Connection
    refusals : iterable of (own_id, Refusal)
    """
    of = list(refusals)
    if not of:
        return
    locked = lock(connection, CONTACTS, {own_id for own_id, _ in of}, state=_BLANK)
    states = {own_id: contact_state.decode(row.state) for own_id, row in locked.items()}
    for own_id, refusal in of:
        states[own_id] = states[own_id].with_refusal(refusal)
    _write(connection, states)


def take_over(connection: Connection, logins: Iterable[tuple[str, str]]) -> None:
    """Give the contact of visits to the customers who logged in to them.

    Parameters
    ----------
    connection : Connection
        In a writer's transaction.
    logins : iterable of (str, str)
        ``session_own_id`` of each visit, and the ``own_id`` of its customer.
    """
    of = sorted(logins)
    if not of:
        return
    query = sa.select(CONTACTS.c.own_id).where(CONTACTS.c.own_id.in_([visit for visit, _ in of]))
    present = set(connection.execute(query).scalars())
    of = [(visit, own_id) for visit, own_id in of if visit in present]
    keys = {key for pair in of for key in pair}
    locked = lock(connection, CONTACTS, keys, state=_BLANK)
    states = {own_id: contact_state.decode(row.state) for own_id, row in locked.items()}
    for visit, own_id in of:
        states[own_id] = united([states[own_id], states[visit]])
        states[visit] = ContactState()
    _write(connection, states)


def _write(connection: Connection, states: Mapping[str, ContactState]) -> None:
    rows = [
        {"key": own_id, "packed": contact_state.encode(state)}
        for own_id, state in sorted(states.items())
    ]
    if rows:
        update = CONTACTS.update().where(CONTACTS.c.own_id == sa.bindparam("key"))
        connection.execute(update.values(state=sa.bindparam("packed")), rows)
