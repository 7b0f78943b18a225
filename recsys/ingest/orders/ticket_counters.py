"""Detects ticket numbers that restart within hours: after 99, or at each shift.

In: till lines of one file. Out: the largest time gap between lines of one ticket. Called by
``shared_numbers``.

A number may recur after other tickets within the duration of a ticket. It is then either a ticket
that stayed open, as in a restaurant, or the next round of a counter. In a counter's next round most
numbers directly follow the next smaller number.
"""

from datetime import timedelta
from typing import Final

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.query_engine import rows, value

#: Largest gap between consecutive lines of one ticket.
TICKET_GAP: Final = timedelta(hours=3)
#: The same if numbers restart within hours.
ROUND: Final = timedelta(minutes=10)
_STEP = 3
_FOLLOWING_SHARE = 0.6
_FEW = 5


def ticket_gap(
    con: Backend, lines: ir.Table, found: ir.Table
) -> tuple[timedelta, tuple[int, str | None]]:
    """Return the largest gap between lines of one ticket.

    Parameters
    ----------
    con : ibis backend
    lines : ibis table
        Typed lines with ``order_id, location_id, channel, occurred_at``.
    found : ibis table
        One row per order, with ``first``, ``last`` and ``channel``.

    Returns
    -------
    gap : timedelta
    doubtful : tuple of int and str
        Number of tickets kept as one despite other tickets between their lines, and the first of
        them.
    """
    seconds = found["last"].epoch_seconds() - found["first"].epoch_seconds()
    long = found.filter((found.channel == "pos") & (seconds > ROUND.total_seconds()))
    if not value(con, long.count()):
        return TICKET_GAP, (0, None)
    place = lines.location_id.fill_null("")
    tickets = lines.filter(lines.channel == "pos").select(
        "order_id", place=place, at=lines.occurred_at.epoch_seconds()
    )
    tickets = tickets.distinct()
    tickets = tickets.mutate(no=tickets.order_id.re_extract(r"(\d{1,15})\D*$", 1).try_cast("int64"))
    by_time = ibis.window(group_by="place", order_by=["at", "no", "order_id"])
    of_ticket = ibis.window(group_by=["place", "order_id"], order_by="at")
    tickets = tickets.mutate(
        since=tickets["at"] - tickets["at"].lag().over(of_ticket),
        step=tickets.no - tickets.no.lag().over(by_time),
        other=tickets.order_id != tickets.order_id.lag().over(by_time),
    )
    again = tickets.filter(
        tickets.other
        & (tickets.since > ROUND.total_seconds())
        & (tickets.since <= TICKET_GAP.total_seconds())
    )
    (seen,) = rows(
        con,
        again.aggregate(
            n=again.count(),
            following=again.step.between(1, _STEP).sum().fill_null(0),
            orders=again.order_id.nunique(),
            first=again.order_id.min(),
        ),
    )
    if seen["n"] >= _FEW and seen["following"] > _FOLLOWING_SHARE * seen["n"]:
        return ROUND, (0, None)
    return TICKET_GAP, (int(seen["orders"]), seen["first"])
