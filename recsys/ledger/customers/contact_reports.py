"""Writes what events say of contacts: changes of states, logins, and what became of answers.

In: changes and reports. Out: the states in the ledger. Called by ``recording``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from recsys.decisions import Click, ContactState, Report, united
from recsys.ledger.customers.contact_rows import locked, write
from recsys.ledger.schema import CONTACTS, RESERVATIONS

#: One change of a customer's contact state, by a function that returns the next state.
Change = tuple[str, Callable[[ContactState], ContactState]]


class Reported(NamedTuple):
    """What a channel reported of an answer."""

    recommendation_id: str
    report: Report
    at_ts: int
    item_ids: tuple[str, ...] = ()
    """Products that it is about; empty: all."""
    visit_id: str | None = None
    """Of a page's report, which counts for answers to its own visit only."""
    clicks: tuple[Click, ...] = ()
    """Of a report that names nobody: what whoever got the answer clicked on."""


def note_events(
    connection: Connection,
    logins: Sequence[tuple[str, str]],
    changes: Sequence[Change],
    reports: Sequence[Reported] = (),
    visits: Iterable[str] = (),
) -> None:
    """Write what events say of contacts, in a writer's transaction.

    Parameters
    ----------
    connection : Connection
    logins : sequence of (str, str)
        ``session_own_id`` of each visit, and the ``own_id`` of who logged in to it, to whom what
        the visit was shown and refused goes.
    changes : sequence of (own_id, function)
        Applied in this order.
    reports : sequence of Reported
        What became of answers.
    visits : iterable of str
        Those of these ids that are visits, whose states are forgotten after a while.

    Notes
    -----
    All rows are locked at once, so that two batches of events never wait for each other.
    """
    owners = _owners_of(connection, reports)
    reports = [one for one in reports if _is_theirs(one, owners)]
    ids = [visit for visit, _ in logins]
    query = sa.select(CONTACTS.c.own_id).where(CONTACTS.c.own_id.in_(ids))
    present = set(connection.execute(query).scalars()) if ids else set()
    changed = {own_id for own_id, _ in changes} | {owners[one.recommendation_id] for one in reports}
    logins = [(visit, own_id) for visit, own_id in logins if visit in present | changed]
    states = locked(connection, {key for pair in logins for key in pair} | changed)
    for own_id, change in changes:
        states[own_id] = change(states[own_id])
    for one in reports:
        own_id = owners[one.recommendation_id]
        after = states[own_id].with_report(
            one.recommendation_id, one.report, one.at_ts, one.item_ids
        )
        states[own_id] = after.with_clicks(one.clicks) if one.clicks else after
    for visit, own_id in logins:
        states[own_id] = united([states[own_id], states[visit]])
        states[visit] = ContactState()
        moved = RESERVATIONS.update().where(RESERVATIONS.c.own_id == visit)
        connection.execute(moved.values(own_id=own_id))
    write(connection, states, visits)


def _owners_of(connection: Connection, reports: Sequence[Reported]) -> dict[str, str]:
    wanted = sorted({one.recommendation_id for one in reports})
    if not wanted:
        return {}
    of = RESERVATIONS.c
    query = sa.select(of.recommendation_id, of.own_id).where(of.recommendation_id.in_(wanted))
    owners: dict[str, str] = dict(connection.execute(query).all())
    return owners


def _is_theirs(one: Reported, owners: Mapping[str, str]) -> bool:
    owner = owners.get(one.recommendation_id)
    return owner is not None and one.visit_id in (None, owner)
