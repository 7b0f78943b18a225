"""Stores the contact with each customer: what was shown, what became of it, and what they said.

In: what an answer shows, or what channels report. Out: contact states, what may not be shown
because a cap was reached meanwhile, and the kept answers of mailings and slots. Called by
``Ledger``, and by ``recording`` for events.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from recsys.config import Purpose
from recsys.decisions import (
    MAX_DAYS,
    Consent,
    ContactState,
    Outgoing,
    Reservation,
    contact_state,
    offers_over_cap,
    over_cap,
    room_for,
    united,
)
from recsys.ledger.customers.contact_rows import forgotten_from, locked, write
from recsys.ledger.customers.erasing import erased_among
from recsys.ledger.customers.showings import (
    CapRules,
    KeptAnswer,
    Showing,
    Shown,
    StoredContact,
)
from recsys.ledger.database import Database
from recsys.ledger.schema import CONTACTS, IDENTIFIERS, KEPT_ANSWERS, RESERVATIONS, SESSIONS
from recsys.ledger.statements import insert

_EMPTY: Final = ContactState()
_OWN_IDS: Final = sa.select(IDENTIFIERS.c.own_id).where(
    IDENTIFIERS.c.customer_id == sa.bindparam("customer_id")
)


def _of_customer(column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    return sa.or_(
        column.in_(_OWN_IDS),
        column == sa.bindparam("customer_id"),
        column == sa.bindparam("visit_id"),
    )


# Constants, because ``Database.rows`` compiles each statement once.
_STATES: Final = sa.select(CONTACTS.c.own_id, CONTACTS.c.state).where(
    _of_customer(CONTACTS.c.own_id)
)
_ROWS: Final = sa.select(CONTACTS.c.own_id).where(_of_customer(CONTACTS.c.own_id))
_KEPT: Final = (
    sa.select(KEPT_ANSWERS)
    .where(KEPT_ANSWERS.c.slot == sa.bindparam("slot"), _of_customer(KEPT_ANSWERS.c.own_id))
    .order_by(KEPT_ANSWERS.c.decided_ts)
)
_REPLACE: Final = (
    CONTACTS.update()
    .where(CONTACTS.c.own_id == sa.bindparam("key"), CONTACTS.c.state == sa.bindparam("seen"))
    .values(state=sa.bindparam("packed"), shown_ts=sa.bindparam("at"))
)

#: Of who said anything; see ``contact_rows.write``.
_SAID: Final = (
    sa.select(CONTACTS.c.own_id, IDENTIFIERS.c.customer_id, CONTACTS.c.state)
    .join_from(CONTACTS, IDENTIFIERS, CONTACTS.c.own_id == IDENTIFIERS.c.own_id, isouter=True)
    .where(CONTACTS.c.shown_ts.is_(None))
)


class Said(NamedTuple):
    """What was said about a purpose through one identifier."""

    own_id: str
    customer_id: str | None
    """The current customer; None where the identifier names nobody, or is not known."""
    consents: tuple[Consent, ...]


class Contacts:
    """The ledger's contact states.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def state(self, customer_id: str, visit_id: str = "") -> ContactState:
        """Read the contact with a customer, without how it is stored.

        Parameters
        ----------
        customer_id, visit_id : str
            As of ``read``.
        """
        return self.read(customer_id, visit_id).state

    def read(self, customer_id: str, visit_id: str = "") -> StoredContact:
        """Read the contact with a customer, through all identifiers; one short statement.

        Parameters
        ----------
        customer_id : str
            A current customer, or empty.
        visit_id : str
            A visit in the form of a customer id (``session_own_id``), or empty.
        """
        rows = self._database.rows(_STATES, customer_id=customer_id, visit_id=visit_id)
        states = {own_id: contact_state.decode(packed) for own_id, packed in rows}
        whole = united([*states.values()])
        return StoredContact(whole, states.get(customer_id), dict(rows).get(customer_id, b""))

    def kept(self, slot: str, customer_id: str, visit_id: str = "") -> KeptAnswer | None:
        """Return the answer that was given in a slot; None where none was, or it is forgotten.

        Parameters
        ----------
        slot : str
            As ``slot_key`` gives it.
        customer_id, visit_id : str
            As of ``state``.
        """
        given = {"slot": slot, "customer_id": customer_id, "visit_id": visit_id}
        with self._database.reading() as connection:
            return _kept(connection, given)

    def show(self, showings: Sequence[Showing], rules: CapRules) -> list[Shown]:
        """Write down what is shown, unless a cap was reached meanwhile; all of it or nothing.

        Of answers at the same time, in whatever process, no more show a product than its caps
        allow, and one slot gets one answer. A power failure may lose the last showings of pages;
        messages and what is kept of slots are durable.

        Parameters
        ----------
        showings : sequence of Showing
        rules : CapRules

        Returns
        -------
        list of Shown
            One per showing, in the same order.

        Raises
        ------
        LedgerError
            When it cannot be written; then nothing counts as shown.
        """
        if len(showings) == 1 and (found := self._show_unchanged(showings[0], rules)):
            return [found]
        durable = any(one.slot or one.reservation for one in showings)
        with self._database.writing(durable=durable) as connection:
            return _show(connection, showings, rules)

    def _show_unchanged(self, one: Showing, rules: CapRules) -> Shown | None:
        """Write down what a page shows a known customer, in one statement.

        Returns None, and writes nothing, where their state is not as it was when the answer was
        made: every other showing for them would have changed it.
        """
        seen = one.seen
        if seen is None or seen.own is None or one.slot or one.reservation is not None:
            return None
        found = _allowed({}, (), seen.state, one, rules)
        after = _with_shown(seen.own.with_arms(one.arms), found, one, rules)
        written = self._database.change(
            _REPLACE,
            key=one.customer_id,
            seen=seen.packed,
            packed=contact_state.encode(after),
            at=forgotten_from(after),
        )
        return found if written else None

    def consent(
        self, own_ids: Sequence[str], said: Sequence[Consent], time_zone: str | None = None
    ) -> None:
        """Write down what a customer consents to, and where they live, durably.

        Parameters
        ----------
        own_ids : sequence of str
            Every id of the customer, so that it holds whichever identifier asks.
        said : sequence of Consent
        time_zone : str, optional
            IANA time zone of the customer; unchanged by default.

        Raises
        ------
        LedgerError
            When it cannot be written.
        """
        with self._database.writing() as connection:
            states = locked(connection, own_ids)
            for own_id, state in states.items():
                after = state.with_consents(said)
                if time_zone is not None:
                    after = msgspec.structs.replace(after, time_zone=time_zone)
                states[own_id] = after
            write(connection, states)

    def bring_in(self, said: Mapping[str, Sequence[Consent]]) -> int:
        """Write down consents of exports where they are newer than what is known, durably.

        Parameters
        ----------
        said : mapping
            ``own_id`` → what it said, of a few hundred identifiers. Who was erased is left out.

        Returns
        -------
        int
            Number of identifiers of which something changed.

        Raises
        ------
        LedgerError
            When it cannot be written.
        """
        of = CONTACTS.c
        query = sa.select(of.own_id, of.state).where(of.own_id.in_(sorted(said)))
        with self._database.reading() as connection:
            packed: dict[str, bytes] = dict(connection.execute(query).all())
        known = {own_id: contact_state.decode(state) for own_id, state in packed.items()}
        new = {
            own_id
            for own_id, words in said.items()
            if (known.get(own_id) or _EMPTY) != (known.get(own_id) or _EMPTY).with_consents(words)
        }
        if not new:
            return 0
        with self._database.writing() as connection:
            states = locked(connection, new - erased_among(connection, new))
            write(connection, {key: each.with_consents(said[key]) for key, each in states.items()})
        return len(states)

    def said_about(self, purpose: Purpose) -> Iterator[Said]:
        """Read what was said about a purpose through each identifier.

        Parameters
        ----------
        purpose : str

        Yields
        ------
        Said
            Of each id through which anything was said.

        Raises
        ------
        LedgerError
            When it cannot be read.
        """
        with self._database.reading() as connection:
            for own_id, customer_id, packed in connection.execute(_SAID):
                consents = contact_state.decode(packed).consents
                about = tuple(one for one in consents if one.purpose == purpose)
                if about:
                    yield Said(own_id, customer_id, about)

    def thin(self, before_ts: int, answers_before_ts: int, most: int = 2_000) -> int:
        """Delete some states of before a time that hold nothing a customer said, and answers.

        Parameters
        ----------
        before_ts : int
            Of states and reservations, UTC epoch seconds.
        answers_before_ts : int
            Of kept answers, UTC epoch seconds.
        most : int
            Maximum number of each to delete, oldest first; keep it small so that writers do not
            wait.

        Returns
        -------
        int
            How many were deleted.
        """
        old = (
            (CONTACTS, CONTACTS.c.shown_ts, before_ts),
            (RESERVATIONS, RESERVATIONS.c.decided_ts, before_ts),
            (KEPT_ANSWERS, KEPT_ANSWERS.c.decided_ts, answers_before_ts),
        )
        gone = 0
        for table, column, before in old:
            keys = list(table.primary_key.columns)
            chosen = sa.select(*keys).where(column < before).order_by(column).limit(most)
            delete = table.delete().where(sa.tuple_(*keys).in_(chosen), column < before)
            with self._database.writing(durable=False) as connection:
                gone += connection.execute(delete).rowcount
        return gone


def _show(connection: Connection, showings: Sequence[Showing], rules: CapRules) -> list[Shown]:
    owners = _own_ids(connection, showings)
    rows = [  # of other identifiers caps alone read
        _rows_of(connection, one, own_id) if rules.caps else [own_id]
        for one, own_id in zip(showings, owners, strict=True)
    ]
    states = locked(connection, {own_id for of_one in rows for own_id in of_one})
    shown: list[Shown] = []
    for one, own_id, own_ids in zip(showings, owners, rows, strict=True):
        kept = _kept(connection, _names(one, own_id) | {"slot": one.slot}) if one.slot else None
        if kept is not None:
            shown.append(Shown([], [], kept=kept))
            continue
        states[own_id] = states[own_id].with_arms(one.arms)
        whole = united([states[each] for each in own_ids])
        found = _allowed(states, own_ids, whole, one, rules)
        shown.append(found)
        if found.cap is not None:
            continue
        if one.reservation is not None:
            reserved = msgspec.structs.replace(
                one.reservation, item_ids=tuple(found.item_ids), offer_ids=tuple(found.offer_ids)
            )
            states[own_id] = states[own_id].with_reservation(reserved)
            _note_reservation(connection, reserved, own_id)
        else:
            states[own_id] = _with_shown(states[own_id], found, one, rules)
        if one.slot and one.written is not None:
            _keep(connection, one, own_id, one.written(found.item_ids, found.offer_ids))
    visits = {one.visit_id for one in showings if one.session_id}
    write(connection, states, visits)
    return shown


def _with_shown(state: ContactState, found: Shown, one: Showing, rules: CapRules) -> ContactState:
    """Return a state after what is left of a showing was shown at once."""
    counted_days = 1 + max((cap.days for cap in rules.caps.values()), default=0)
    keep_days = min(MAX_DAYS, max(rules.keep_days, counted_days))
    state = state.with_shown(found.item_ids, one.channel, one.at_ts, keep_days)
    return state.with_offers_shown(found.offer_ids, one.channel, one.at_ts, keep_days)


def _allowed(
    states: dict[str, ContactState],
    own_ids: Iterable[str],
    whole: ContactState,
    one: Showing,
    rules: CapRules,
) -> Shown:
    """Return what caps leave of a showing; messages that give way do so in ``states``."""
    reservation = one.reservation
    if reservation is not None and reservation.message:
        message = Outgoing(
            reservation.recommendation_id,
            reservation.placement,
            reservation.channel,
            reservation.priority,
            reservation.send_ts,
            one.at_ts,
        )
        room = room_for(whole, message, rules.caps, rules.zone)
        if room.cap is not None:
            return Shown([], [], cap=room.cap)
        if room.displaced:
            for own_id in own_ids:
                states[own_id] = states[own_id].displacing(room.displaced)
    capped = over_cap(whole, rules.caps, one.channel, one.at_ts, rules.zone, rules.choices_of)
    capped -= frozenset(rules.choices_of(one.uncapped))
    choices = rules.choices_of(one.item_ids)
    item_ids = [
        item_id
        for item_id, choice in zip(one.item_ids, choices, strict=True)
        if choice not in capped
    ]
    bundles = offers_over_cap(whole, rules.caps, one.channel, one.at_ts, rules.zone)
    return Shown(item_ids, [each for each in one.offer_ids if each not in bundles])


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


def _names(showing: Showing, own_id: str) -> dict[str, str]:
    return {"customer_id": showing.customer_id or own_id, "visit_id": showing.visit_id}


def _rows_of(connection: Connection, showing: Showing, own_id: str) -> list[str]:
    """Return the ids of all states of a customer, that of the showing first."""
    found = connection.execute(_ROWS, _names(showing, own_id)).scalars()
    return [own_id, *(other for other in found if other != own_id)]


def _kept(connection: Connection, given: Mapping[str, str]) -> KeptAnswer | None:
    row = connection.execute(_KEPT, given).first()
    if row is None:
        return None
    return KeptAnswer(row.recommendation_id, row.decided_ts, zlib.decompress(row.answer))


def _keep(connection: Connection, showing: Showing, own_id: str, answer: bytes) -> None:
    values = {
        "own_id": own_id,
        "slot": showing.slot,
        "recommendation_id": showing.recommendation_id,
        "decided_ts": showing.at_ts,
        "answer": zlib.compress(answer, 1),
    }
    connection.execute(KEPT_ANSWERS.insert(), values)


def _note_reservation(connection: Connection, reservation: Reservation, own_id: str) -> None:
    values = {
        "recommendation_id": reservation.recommendation_id,
        "own_id": own_id,
        "decided_ts": reservation.decided_ts,
    }
    connection.execute(insert(connection, RESERVATIONS).on_conflict_do_nothing(), values)
