"""Stores what was shown to each customer and what they refused.

In: what an answer showed, or refusals that channels report. Out: contact states, and what may not
be shown because a cap was reached meanwhile. Called by ``Ledger``, and by ``recording`` for events.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

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
from recsys.ledger.customers.identity_lookup import session_own_id
from recsys.ledger.database import Database
from recsys.ledger.schema import CONTACTS, IDENTIFIERS, SESSIONS
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
    session_id: str | None = None
    """The visit, sealed."""
    channel: str
    at_ts: int
    item_ids: tuple[str, ...]
    uncapped: tuple[str, ...] = ()
    """Products to which caps do not apply now, with the others of their choices."""

    @property
    def visit_id(self) -> str:
        """The visit in the form of a customer id; empty without one."""
        return "" if self.session_id is None else session_own_id(self.session_id)


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
        keep_days: int = 0,
    ) -> list[list[str]]:
        """Write down what is shown, unless a cap was reached meanwhile, in one transaction.

        Of answers at the same time, in whatever process, no more show a product than its caps
        allow. A power failure may lose the last showings.

        Parameters
        ----------
        showings : sequence of Showing
        caps, zone, choices_of
            As of ``recsys.decisions.suppress``.
        keep_days : int
            For so long showings are remembered at least, whatever caps count; up to ``MAX_DAYS``.

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
            return _show(connection, showings, caps, zone, choices_of, keep_days)

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
            states = _locked(connection, own_ids)
            _write(connection, {key: each.with_consents(said) for key, each in states.items()})

    def thin(self, before_ts: int, most: int = 2_000) -> int:
        """Delete some states that showed nothing since a time and hold nothing that was said.

        Parameters
        ----------
        before_ts : int
            UTC epoch seconds.
        most : int
            Maximum number to delete, oldest first; keep it small so that writers do not wait.

        Returns
        -------
        int
            How many were deleted.
        """
        of = CONTACTS.c
        old = sa.select(of.own_id).where(of.shown_ts < before_ts).order_by(of.shown_ts).limit(most)
        with self._database.writing(durable=False) as connection:
            gone = connection.execute(
                CONTACTS.delete().where(of.own_id.in_(old), of.shown_ts < before_ts)
            )
        return gone.rowcount


def _show(
    connection: Connection,
    showings: Sequence[Showing],
    caps: Mapping[str, CapSettings],
    zone: str,
    choices_of: ChoicesOf,
    keep_days: int,
) -> list[list[str]]:
    own_ids = _own_ids(connection, showings)
    states = _locked(connection, own_ids)
    counted_days = 1 + max((cap.days for cap in caps.values()), default=0)
    keep_days = min(contact_state.MAX_DAYS, max(keep_days, counted_days))
    shown: list[list[str]] = []
    for own_id, each in zip(own_ids, showings, strict=True):
        whole = united([states[own_id], *_others(connection, each, own_id, states)])
        capped = over_cap(whole, caps, each.channel, each.at_ts, zone, choices_of)
        choices = choices_of(each.item_ids)
        capped -= frozenset(choices_of(each.uncapped))
        kept = [
            item_id
            for item_id, choice in zip(each.item_ids, choices, strict=True)
            if choice not in capped
        ]
        states[own_id] = states[own_id].with_shown(kept, each.channel, each.at_ts, keep_days)
        shown.append(kept)
    _write(connection, states)
    return shown


def _own_ids(connection: Connection, showings: Sequence[Showing]) -> list[str]:
    """Return under which id each showing is stored: a visit's who logged in to it meanwhile.

    Visits are locked before contacts, as by ``recording``.
    """
    visits = {each.session_id for each in showings if not each.customer_id and each.session_id}
    bound: dict[str, str] = {}
    if visits:
        of = SESSIONS.c
        query = sa.select(of.session_id, of.own_id).where(of.session_id.in_(sorted(visits)))
        query = query.where(of.own_id.is_not(None)).order_by(of.session_id).with_for_update()
        bound = {row.session_id: row.own_id for row in connection.execute(query)}
    return [
        each.customer_id or bound.get(each.session_id or "", each.visit_id) for each in showings
    ]


def _others(
    connection: Connection, showing: Showing, own_id: str, locked: Mapping[str, ContactState]
) -> list[ContactState]:
    """Read the states of the customer's other identifiers, and of the visit."""
    query = sa.select(CONTACTS.c.own_id, CONTACTS.c.state).where(_OF_CUSTOMER)
    given = {"customer_id": showing.customer_id or own_id, "visit_id": showing.visit_id}
    return [
        locked.get(other) or contact_state.decode(state)
        for other, state in connection.execute(query, given)
        if other != own_id
    ]


def note_events(
    connection: Connection,
    logins: Sequence[tuple[str, str]],
    refusals: Sequence[tuple[str, Refusal]],
) -> None:
    """Write what events say of contacts, in a writer's transaction.

    Parameters
    ----------
    connection : Connection
    logins : sequence of (str, str)
        ``session_own_id`` of each visit, and the ``own_id`` of who logged in to it, to whom what
        the visit was shown and refused goes.
    refusals : sequence of (own_id, Refusal)

    Notes
    -----
    All rows are locked at once, so that two batches of events never wait for each other.
    """
    visits = [visit for visit, _ in logins]
    query = sa.select(CONTACTS.c.own_id).where(CONTACTS.c.own_id.in_(visits))
    present = set(connection.execute(query).scalars()) if visits else set()
    present |= {own_id for own_id, _ in refusals}
    logins = [(visit, own_id) for visit, own_id in logins if visit in present]
    keys = {key for pair in logins for key in pair} | {own_id for own_id, _ in refusals}
    states = _locked(connection, keys)
    for own_id, refusal in refusals:
        states[own_id] = states[own_id].with_refusal(refusal)
    for visit, own_id in logins:
        states[own_id] = united([states[own_id], states[visit]])
        states[visit] = ContactState()
    _write(connection, states)


def _locked(connection: Connection, own_ids: Iterable[str]) -> dict[str, ContactState]:
    locked = lock(connection, CONTACTS, set(own_ids), state=_BLANK)
    return {own_id: contact_state.decode(row.state) for own_id, row in locked.items()}


def _write(connection: Connection, states: Mapping[str, ContactState]) -> None:
    rows = [
        {"key": own_id, "packed": contact_state.encode(state), "at": _shown_ts(state)}
        for own_id, state in sorted(states.items())
    ]
    if rows:
        update = CONTACTS.update().where(CONTACTS.c.own_id == sa.bindparam("key"))
        values: dict[str, Any] = {"state": sa.bindparam("packed"), "shown_ts": sa.bindparam("at")}
        connection.execute(update.values(values), rows)


def _shown_ts(state: ContactState) -> int | None:
    if state.refusals or state.consents:
        return None
    return max((times[-1] for of in state.shown.values() for times in of.values()), default=0)
