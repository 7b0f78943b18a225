"""Writes down what answers show, and takes out what reached a cap since they were made.

In: showings, on a writer's connection. Out: what of them may be shown. Called by ``contacts``.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from recsys.decisions import (
    MAX_DAYS,
    ContactState,
    Outgoing,
    Reservation,
    offers_over_cap,
    over_cap,
    room_for,
    united,
)
from recsys.ledger.customers.contact_rows import locked, write
from recsys.ledger.customers.showings import CapRules, KeptAnswer, Showing, Shown
from recsys.ledger.schema import CONTACTS, IDENTIFIERS, KEPT_ANSWERS, RESERVATIONS, SESSIONS
from recsys.ledger.statements import insert

_OWN_IDS: Final = sa.select(IDENTIFIERS.c.own_id).where(
    IDENTIFIERS.c.customer_id == sa.bindparam("customer_id")
)


def of_customer(column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Compare a column of ids with a customer's: the parameters ``customer_id``, ``visit_id``."""
    return sa.or_(
        column.in_(_OWN_IDS),
        column == sa.bindparam("customer_id"),
        column == sa.bindparam("visit_id"),
    )


_ROWS: Final = sa.select(CONTACTS.c.own_id).where(of_customer(CONTACTS.c.own_id))
_KEPT: Final = (
    sa.select(KEPT_ANSWERS)
    .where(KEPT_ANSWERS.c.slot == sa.bindparam("slot"), of_customer(KEPT_ANSWERS.c.own_id))
    .order_by(KEPT_ANSWERS.c.decided_ts)
)


def write_showings(
    connection: Connection, showings: Sequence[Showing], rules: CapRules
) -> list[Shown]:
    """Write down what is shown, as ``Contacts.show`` does."""
    owners = _own_ids(connection, showings)
    rows = [  # of other identifiers caps alone read
        _rows_of(connection, one, own_id) if rules.caps else [own_id]
        for one, own_id in zip(showings, owners, strict=True)
    ]
    states = locked(connection, {own_id for of_one in rows for own_id in of_one})
    shown: list[Shown] = []
    for one, own_id, own_ids in zip(showings, owners, rows, strict=True):
        kept = (
            kept_answer(connection, _names(one, own_id) | {"slot": one.slot}) if one.slot else None
        )
        if kept is not None:
            shown.append(Shown([], [], kept=kept))
            continue
        states[own_id] = states[own_id].with_arms(one.arms)
        whole = united([states[each] for each in own_ids])
        found = allowed(states, own_ids, whole, one, rules)
        shown.append(found)
        if found.cap is not None:
            continue
        states[own_id] = with_showing(states[own_id], found, one, rules)
        if one.reservation is not None:
            _note_reservation(connection, one.reservation, own_id)
        if one.slot and one.written is not None:
            _keep(connection, one, own_id, one.written(found.item_ids, found.offer_ids))
    visits = {one.visit_id for one in showings if one.session_id}
    write(connection, states, visits)
    return shown


def with_showing(state: ContactState, found: Shown, one: Showing, rules: CapRules) -> ContactState:
    """Return a state after what is left of a showing was shown, or reserved."""
    if one.reservation is not None:
        reserved = msgspec.structs.replace(
            one.reservation, item_ids=tuple(found.item_ids), offer_ids=tuple(found.offer_ids)
        )
        return state.with_reservation(reserved)
    counted_days = 1 + max((cap.days for cap in rules.caps.values()), default=0)
    keep_days = min(MAX_DAYS, max(rules.keep_days, counted_days))
    state = state.with_shown(found.item_ids, one.channel, one.at_ts, keep_days)
    return state.with_offers_shown(found.offer_ids, one.channel, one.at_ts, keep_days)


def allowed(
    states: dict[str, ContactState],
    own_ids: Iterable[str],
    whole: ContactState,
    one: Showing,
    rules: CapRules,
    *,
    within_caps: bool = False,
) -> Shown:
    """Return what caps leave of a showing; messages that give way do so in ``states``.

    ``within_caps``: whether its products are known to be within the caps of ``whole``.
    """
    reservation = one.reservation
    displaced: tuple[str, ...] = ()
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
        displaced = room.displaced
        for own_id in own_ids if displaced else ():
            states[own_id] = states[own_id].displacing(displaced)
    item_ids = [*one.item_ids] if within_caps else _within_caps(whole, one, rules)
    bundles = offers_over_cap(whole, rules.caps, one.channel, one.at_ts, rules.zone)
    offer_ids = [each for each in one.offer_ids if each not in bundles]
    return Shown(item_ids, offer_ids, displaced=displaced)


def _within_caps(whole: ContactState, one: Showing, rules: CapRules) -> list[str]:
    """Return the products of a showing that caps allow, or do not apply to."""
    capped = over_cap(
        whole, one.item_ids, rules.caps, one.channel, one.at_ts, rules.zone, rules.choices_of
    )
    uncapped = frozenset(rules.choices_of(one.uncapped)) if capped else frozenset()
    choices = rules.choices_of(one.item_ids)
    return [
        item_id
        for item_id, choice in zip(one.item_ids, choices, strict=True)
        if item_id not in capped or choice in uncapped
    ]


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


def kept_answer(connection: Connection, given: Mapping[str, str]) -> KeptAnswer | None:
    """Return the answer of a slot; None where there is none."""
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
