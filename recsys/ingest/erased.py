"""Leaves out who was erased: their orders stay, and name nobody.

Observations of identifiers and the marks of the ledger come in; out come the observations of all
others, with counts. Called by ``unification``.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend

from recsys.identity import links
from recsys.query_engine import keep, rows
from recsys.schema import UTC as UTC_TIME

#: ``own_id`` of each identifier that was erased → until when what names it is left out, UTC epoch
#: seconds; None: for good.
Marks = Mapping[str, int | None]

_MARKS: Final = pa.schema([("_marked", pa.string()), ("_until", UTC_TIME)])
#: Evidence → what a group of it is called in the summary.
_CALLED: Final = {
    links.SAME_ORDER: "orders",
    links.REGISTRATION: "registrations",
    links.LOGIN: "visits",
}


class Remaining(NamedTuple):
    """What is left of observations."""

    observations: ir.Table
    counts: dict[str, int]
    """``orders``, ``registrations`` and ``visits`` that name somebody who was erased."""


def without_erased(con: Backend, seen: ir.Table, marks: Marks) -> Remaining:
    """Leave out the observations of erased customers.

    Parameters
    ----------
    con : ibis backend
        The engine; keeps the result.
    seen : ibis table
        As ``recsys.identity.links.OBSERVATIONS``.
    marks : mapping

    Returns
    -------
    Remaining
        Where an erased identifier is the strongest of its order, registration or visit
        (``links.ANCHORS``), that was theirs: nothing of it names anybody, or the person would come
        back under an identifier beside it. Where another one is stronger, it keeps that.
    """
    if not marks:
        return Remaining(seen, {})
    marked = seen.mutate(_own_id=links.own_id(seen.type, seen.value))
    marked = marked.left_join(until_of(con, marks), [("_own_id", "_marked")])
    gone = marked["_marked"].notnull() & (
        marked["_until"].isnull() | marked["at"].isnull() | (marked["at"] < marked["_until"])
    )
    marked = marked.mutate(_gone=gone, _rank=links.anchor_rank(marked.type))
    marked = keep(con, "observations_marked", marked.select(*seen.columns, "_gone", "_rank"))
    names = marked.blocked.isnull()
    groups = marked.group_by("group_id", "evidence").agg(
        theirs=marked["_rank"].min(where=names & marked["_gone"]),
        others=marked["_rank"].min(where=names & ~marked["_gone"]),
        named=marked["_gone"].any(),
    )
    groups = keep(con, "groups_erased", groups.filter(groups.named))
    whole = groups.theirs.notnull() & (groups.others.isnull() | (groups.theirs < groups.others))
    whole_groups = groups.filter(whole).select("group_id", "evidence")
    left = marked.filter(~marked["_gone"]).anti_join(whole_groups, ["group_id", "evidence"])
    counted = groups.group_by("evidence").agg(n=groups.count())
    counts = {_CALLED[row["evidence"]]: int(row["n"]) for row in rows(con, counted)}
    return Remaining(keep(con, "observations_left", left.select(*seen.columns)), counts)


def until_of(con: Backend, marks: Marks) -> ir.Table:
    """Return marks as a table of the engine.

    Parameters
    ----------
    con : ibis backend
        Keeps the table.
    marks : mapping

    Returns
    -------
    ibis table
        ``_marked``, an ``own_id``, and ``_until``, null: for good.
    """
    given = {
        "_marked": list(marks),
        "_until": [
            None if until is None else datetime.fromtimestamp(until, UTC)
            for until in marks.values()
        ],
    }
    return keep(con, "marks", ibis.memtable(pa.table(given, _MARKS)))
