"""Stores the contact with each customer: what was shown, what became of it, and what they said.

In: what an answer shows, or what channels report. Out: contact states, what may not be shown
because a cap was reached meanwhile, and the kept answers of mailings and slots. Called by
``Ledger``, and by ``recording`` for events.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
import sqlalchemy as sa

from recsys.config import Purpose
from recsys.decisions import (
    Consent,
    ContactState,
    contact_state,
    united,
)
from recsys.ledger.customers import consent_changes
from recsys.ledger.customers.consent_changes import ConsentChange
from recsys.ledger.customers.contact_rows import forgotten_from, locked, write
from recsys.ledger.customers.erasing import erased_among
from recsys.ledger.customers.showing_rows import (
    allowed,
    kept_answer,
    of_customer,
    with_showing,
    write_showings,
)
from recsys.ledger.customers.showings import (
    CapRules,
    KeptAnswer,
    Showing,
    Shown,
    StoredContact,
)
from recsys.ledger.database import Database
from recsys.ledger.schema import CONTACTS, IDENTIFIERS, KEPT_ANSWERS, RESERVATIONS

_EMPTY: Final = ContactState()
# Constants, because ``Database.rows`` compiles each statement once.
_STATES: Final = sa.select(CONTACTS.c.own_id, CONTACTS.c.state, CONTACTS.c.shown_ts).where(
    of_customer(CONTACTS.c.own_id)
)
_REPLACE: Final = (
    CONTACTS.update()
    .where(CONTACTS.c.own_id == sa.bindparam("key"), CONTACTS.c.state == sa.bindparam("seen"))
    .values(state=sa.bindparam("packed"), shown_ts=sa.bindparam("at"))
)
#: Of a state that ages from the same time as before.
_REPLACE_STATE: Final = (
    CONTACTS.update()
    .where(CONTACTS.c.own_id == sa.bindparam("key"), CONTACTS.c.state == sa.bindparam("seen"))
    .values(state=sa.bindparam("packed"))
)
#: Only beside the contact, so that nothing is left of whoever is erased meanwhile. If the contact
#: changes after it, nothing refers to the row, and it is forgotten in time.
_RESERVE: Final = RESERVATIONS.insert().from_select(
    ["recommendation_id", "own_id", "decided_ts"],
    sa.select(
        sa.bindparam("recommendation_id", type_=sa.String),
        CONTACTS.c.own_id,
        sa.bindparam("at", type_=sa.BigInteger),
    ).where(
        CONTACTS.c.own_id == sa.bindparam("key"),
        CONTACTS.c.state == sa.bindparam("seen"),
        ~sa.exists().where(RESERVATIONS.c.recommendation_id == sa.bindparam("recommendation_id")),
    ),
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
        states = {own_id: contact_state.decode(packed) for own_id, packed, _ in rows}
        whole = united([*states.values()])
        for own_id, packed, forgotten_ts in rows:
            if own_id == customer_id:
                return StoredContact(whole, states[own_id], packed, forgotten_ts)
        return StoredContact(whole)

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
            return kept_answer(connection, given)

    def show(self, showings: Sequence[Showing], rules: CapRules) -> list[Shown]:
        """Write down what is shown, unless a cap was reached meanwhile; all of it or nothing.

        Of answers at the same time, in whatever process, no more show a product than its caps
        allow, and one slot gets one answer. Answers that are kept for their slots are durable; a
        power failure may lose the last of the other showings and reservations.

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
        with self._database.writing(durable=any(one.slot for one in showings)) as connection:
            return write_showings(connection, showings, rules)

    def _show_unchanged(self, one: Showing, rules: CapRules) -> Shown | None:
        """Write down what a known customer is shown, without a transaction.

        Returns None, and counts nothing, where their state is not as it was when the answer was
        made: every other showing for them would have changed it.
        """
        seen = one.seen
        if seen is None or seen.own is None or one.slot:
            return None
        states = {one.customer_id: seen.own.with_arms(one.arms)}
        within_caps = one.within_caps and seen.state.last_ts <= one.at_ts
        found = allowed(states, (), seen.state, one, rules, within_caps=within_caps)
        if found.cap is not None or found.displaced:
            return None  # other identifiers' states count, or change, too
        after = with_showing(states[one.customer_id], found, one, rules)
        known: dict[str, str | bytes] = {"key": one.customer_id, "seen": seen.packed}
        change = self._database.change
        if one.reservation is not None:
            noted = {"recommendation_id": one.recommendation_id, "at": one.reservation.decided_ts}
            if not change(_RESERVE, **known, **noted):
                return None
        known["packed"], at = contact_state.encode(after), forgotten_from(after)
        if at == seen.forgotten_ts:
            written = change(_REPLACE_STATE, **known)
        else:
            written = change(_REPLACE, **known, at=at)
        return found if written else None

    def consent(
        self,
        own_ids: Sequence[str],
        said: Sequence[Consent],
        time_zone: str | None = None,
        *,
        noted_by: str = "",
        noted_ts: int | None = None,
    ) -> None:
        """Write down what a customer consents to, and where they live, durably.

        Parameters
        ----------
        own_ids : sequence of str
            Every id of the customer, so that it holds whichever identifier asks.
        said : sequence of Consent
        time_zone : str, optional
            IANA time zone of the customer; unchanged by default.
        noted_by : str
            Who writes it down, for the history of consents.
        noted_ts : int, optional
            Now, UTC epoch seconds; by default when each word was said.

        Raises
        ------
        LedgerError
            When it cannot be written.
        """
        with self._database.writing() as connection:
            states = locked(connection, own_ids)
            words = dict.fromkeys(states, said)
            consent_changes.note(connection, states, words, noted_by, noted_ts)
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
            consent_changes.note(connection, states, {key: said[key] for key in states})
            write(connection, {key: each.with_consents(said[key]) for key, each in states.items()})
        return len(states)

    def consent_changes(self, own_ids: Sequence[str]) -> list[ConsentChange]:
        """Return the history of a customer's consents, the latest first.

        Parameters
        ----------
        own_ids : sequence of str
            Every id of the customer.
        """
        with self._database.reading() as connection:
            return consent_changes.read(connection, own_ids)

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
