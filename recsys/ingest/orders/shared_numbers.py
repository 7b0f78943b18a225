"""Separates orders that share a number: ticket 1 of every morning is a different order.

In: order lines grouped by number. Out: the same lines with a distinct ``order_id`` for each order.
``within_file`` handles the lines of one file, ``numbers_across_files`` the orders of all files.
Called by ``file_orders``.

Two rows belong to one order if their known attributes agree:

- **place**: at tills, each location has its own tickets. Elsewhere, locations separate orders only
  if the times differ too, because one order may ship from several places.
- **customer**: if both rows have identifiers, one must agree. Payment cards and devices do not
  count: one order may be paid with two cards.
- **time**: lines of one ticket are at most ``ticket_gap`` apart. Elsewhere an order without a
  customer lies within ``ORDER_GAP`` or on adjacent rows, an order of a customer within ``MOVED``.
  Two files give the same order the same time, within ``MOMENT``. The times of orders with equal
  items may differ by ``FILE_GAP``, as zones do, or by ``MOVED`` if the customer is the same.
- **content**: orders of files without times of day and without customers must share a product.

The earliest order keeps the number as its id; the others get their time appended, as in
``tills:17~20240502T080500``.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, cast

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.config import IdentitySettings
from recsys.identity import blocked_expression, links
from recsys.ingest.files.export_files import ROW
from recsys.ingest.orders.ticket_counters import ticket_gap
from recsys.query_engine import keep, rows, value

#: Largest time span of an order without a customer.
ORDER_GAP: Final = timedelta(hours=36)
#: Largest difference between two files' times of one order, regardless of items.
MOMENT: Final = timedelta(minutes=2)
#: The same for orders with equal items.
FILE_GAP: Final = timedelta(hours=1)
#: The same if one file used a wrong zone: the largest distance between zones.
ZONES: Final = timedelta(hours=14)
#: The same if one file has no times of day.
DAY: Final = timedelta(days=1)
#: Largest change of an order's time in a later file, for the same customer.
MOVED: Final = timedelta(days=31)
#: Separates a number from the time that distinguishes its orders.
SIGN: Final = "~"
NOT_CUSTOMERS: Final = ("payment_token", "device")


def kinds_of_customers(kinds: Sequence[str]) -> list[str]:
    """Return the identifier types that identify one customer, strongest first."""
    customer_kinds = [kind for kind in kinds if kind not in NOT_CUSTOMERS]
    return sorted(
        customer_kinds,
        key=lambda kind: (links.ANCHORS.index(kind) if kind in links.ANCHORS else 99, kind),
    )


def within_file(
    con: Backend,
    lines: ir.Table,
    found: ir.Table,
    identifiers: dict[str, str],
    settings: IdentitySettings,
) -> tuple[ir.Table, dict[str, tuple[int, str | None]]]:
    """Give orders that share a number within one file distinct ids.

    Parameters
    ----------
    con : ibis backend
        The engine; stores temporary tables.
    lines : ibis table
        Typed lines.
    found : ibis table
        One row per ``order_id``, with the columns of ``facts``.
    identifiers : dict
        Identifier type → column of ``lines``.
    settings : IdentitySettings
        Its blocked identifiers do not identify a customer.

    Returns
    -------
    lines : ibis table
        With ``number``, the original id, if any orders were separated.
    notes : dict
        Count and first case of ``orders_over_several_days``, rows without a customer merged into
        one order because they are adjacent, and of ``tickets_with_others_between``, tickets
        interrupted by other tickets, minutes or hours apart.
    """
    kinds = kinds_of_customers([*identifiers])
    found = _without_blocked(found, kinds, settings)
    span = found["last"] - found["first"]
    pos = found.channel == "pos"
    gap, doubtful = ticket_gap(con, lines, found)
    notes = {"tickets_with_others_between": doubtful}
    far = ibis.ifelse(pos, span > interval(gap), span > interval(ORDER_GAP))
    elsewhere = (found.place_min != found.place_max).fill_null(False)
    suspects = found.filter(
        far.fill_null(False) | elsewhere | disagree({k: _ends(found, k) for k in kinds})
    )
    nobody = ~ibis.or_(ibis.literal(value=False), *(_ends(suspects, k)[0].notnull() for k in kinds))
    long = (suspects["last"] - suspects["first"] > interval(ORDER_GAP)) & (
        suspects.channel != "pos"
    )
    suspects = keep(con, "numbers_suspect", suspects.mutate(_long=(long & nobody).fill_null(False)))
    if not value(con, suspects.count()):
        return lines, notes
    named = {
        column: _unless_blocked(kind, lines[column], settings)
        for kind, column in identifiers.items()
    }
    some = (
        lines.mutate(**named)
        .semi_join(suspects, "order_id")
        .join(
            suspects.select("order_id", *(_end(k, side) for k in kinds for side in ("min", "max"))),
            "order_id",
        )
    )
    some = _with_place(some)
    some = keep(con, "numbers_lines", _with_who(some, identifiers, kinds))
    clusters = keep(con, "numbers_clusters", _clusters(some, gap))
    shared = clusters.group_by("order_id").aggregate(n=clusters.cluster.nunique())
    shared = keep(con, "numbers_shared", shared.filter(shared.n > 1))
    kept = suspects.filter("_long").anti_join(shared, "order_id")
    (seen,) = rows(con, kept.aggregate(n=kept.count(), first=kept.order_id.min()))
    notes["orders_over_several_days"] = (int(seen["n"]), seen["first"])
    if not value(con, shared.count()):
        return lines, notes
    clusters = clusters.semi_join(shared, "order_id")
    nth = ibis.dense_rank().over(
        ibis.window(group_by="order_id", order_by=["cluster_at", "cluster"])
    )
    renamed = clusters.mutate(_nth=nth).filter(lambda t: t["_nth"] > 0)
    suffix = ibis.literal(SIGN) + (renamed["_nth"] + 1).cast("string")
    renamed = renamed.select(_row=renamed[ROW], _new=renamed.order_id + suffix)
    renamed = keep(con, "numbers_renamed", renamed)
    joined = lines.left_join(renamed, lines[ROW] == renamed["_row"])
    plain = [name for name in lines.columns if name != "order_id"]
    return (
        joined.select(
            *plain, order_id=ibis.coalesce(joined["_new"], joined.order_id), number=joined.order_id
        ),
        notes,
    )


def facts(lines: ir.Table, identifiers: dict[str, str]) -> dict[str, ir.Value]:
    """Return the aggregates that ``within_file`` needs per order."""
    aggregates: dict[str, ir.Value] = {
        "first": lines.occurred_at.min(),
        "last": lines.occurred_at.max(),
        "channel": lines.channel.min(),
        "place_min": lines.location_id.min(),
        "place_max": lines.location_id.max(),
    }
    for kind in kinds_of_customers([*identifiers]):
        column = lines[identifiers[kind]]
        aggregates |= {_end(kind, "min"): column.min(), _end(kind, "max"): column.max()}
    return aggregates


def _without_blocked(orders: ir.Table, kinds: list[str], settings: IdentitySettings) -> ir.Table:
    """Drop identifiers that do not identify a customer, such as a guest's account 0."""
    if not kinds:
        return orders
    ends = {
        _end(kind, side): _unless_blocked(kind, orders[_end(kind, side)], settings)
        for kind in kinds
        for side in ("min", "max")
    }
    return orders.mutate(**ends)


def _unless_blocked(kind: str, value: ir.Value, settings: IdentitySettings) -> ir.Value:
    blocked = blocked_expression(kind, cast(ir.StringValue, value), settings)
    return ibis.ifelse(blocked, ibis.null("string"), value)


def _end(kind: str, side: str) -> str:
    return f"{kind} {side}"


def _ends(table: ir.Table, kind: str) -> tuple[ir.Value, ir.Value]:
    return table[_end(kind, "min")], table[_end(kind, "max")]


def disagree(ends: dict[str, tuple[ir.Value, ir.Value]]) -> ir.BooleanValue:
    """Return whether customers differ: some are known, and no type has a single value."""
    if not ends:
        return cast(ir.BooleanValue, ibis.literal(value=False))
    known = [low.notnull() for low, _ in ends.values()]
    agree = [(low.notnull() & (low == high)).fill_null(False) for low, high in ends.values()]
    return cast(ir.BooleanValue, ibis.or_(*known) & ~ibis.or_(*agree))


def _with_place(lines: ir.Table) -> ir.Table:
    """Add ``_place``: the location where it separates orders, else empty."""
    known = lines.location_id.fill_null("")
    here = ibis.window(group_by=["order_id", "location_id"])
    table = lines.mutate(_known=known, _since=lines.occurred_at.min().over(here))
    whole = ibis.window(group_by="order_id")
    moved = table["_since"].min().over(whole) != table["_since"].max().over(whole)
    usual = table["_known"].max().over(whole)
    place = ibis.ifelse(
        (table.channel == "pos") | moved,
        ibis.ifelse(table["_known"] == "", usual, table["_known"]),
        ibis.literal(""),
    )
    return table.mutate(_place=place).drop("_known", "_since")


def _with_who(lines: ir.Table, identifiers: dict[str, str], kinds: list[str]) -> ir.Table:
    """Add ``_who``, the customer where customers of the number differ, and ``_named``."""
    has_customer = ibis.or_(
        ibis.literal(value=False), *(lines[identifiers[k]].notnull() for k in kinds)
    )
    differ = disagree({k: _ends(lines, k) for k in kinds})
    known = [(lines[_end(k, "min")].notnull(), lines[identifiers[k]]) for k in kinds]
    who = ibis.cases(*known) if known else ibis.null("string")
    who = ibis.ifelse(differ, who, ibis.null("string"))
    table = lines.mutate(_who=who, _named=has_customer, _differ=differ)
    beside = ibis.window(group_by=["order_id", "_place", "occurred_at"])
    filled = ibis.coalesce(table["_who"], table["_who"].min().over(beside), "")
    return table.mutate(_who=filled)


def _clusters(lines: ir.Table, ticket: timedelta) -> ir.Table:
    """Split the lines of each number, place and customer at gaps in time."""
    key = ["order_id", "_place", "_who"]
    by_time = ibis.window(group_by=key, order_by=["occurred_at", ROW])
    gap = lines.occurred_at - lines.occurred_at.lag().over(by_time)
    apart = lines[ROW] != lines[ROW].lag().over(by_time) + 1
    whole = ibis.window(group_by=key)
    someone = lines["_named"].max().over(whole) & ~lines["_differ"] | (lines["_who"] != "")
    back = (lines.line_type == "return").fill_null(False) | (lines.quantity < 0)
    pos = lines.channel == "pos"
    jump = (apart & ~someone & (gap > interval(ORDER_GAP))) | (gap > interval(MOVED))
    cut = ibis.ifelse(pos, gap > interval(ticket), ~back & jump)
    table = lines.mutate(_cut=cut.fill_null(False).cast("int64"))
    upto = ibis.window(group_by=key, order_by=["occurred_at", ROW], preceding=None, following=0)
    table = table.mutate(_run=table["_cut"].sum().over(upto))
    cluster = table["_place"] + "\t" + table["_who"] + "\t" + table["_run"].cast("string")
    table = table.mutate(cluster=cluster)
    inside = ibis.window(group_by=["order_id", "cluster"])
    return table.select(ROW, "order_id", "cluster", cluster_at=table.occurred_at.min().over(inside))


def interval(span: timedelta) -> ir.IntervalScalar:
    """Return a span in the type that the engine compares."""
    return cast(ir.IntervalScalar, ibis.interval(seconds=int(span.total_seconds())))
