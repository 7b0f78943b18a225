"""Decides which orders of several exports are the same order, and which export counts.

In: all staged lines. Out: the same lines with the order ids of the history, and notes. Called by
``unify``.
"""

from dataclasses import dataclass, field

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend

from recsys.ingest.files.export_files import ROW
from recsys.ingest.orders import numbers_across_files
from recsys.ingest.staged import LIVE, Staged
from recsys.query_engine import keep, rows, value

#: A note's name, its count, and a description of its first case.
Note = tuple[str, int, str]
_SHARED = "orders_sharing_a_number"


@dataclass
class Exported:
    """Orders with their final ids.

    Attributes
    ----------
    lines : ibis table
        Staged lines.
    orders : ibis table
        ``order_id, sequence, source, number, first, channel, place`` and the number of ``lines``,
        per order and export.
    renamed : ibis table or None
        The result of ``numbers_across_files.across_files``: orders whose id has changed.
    notes : list of Note
    """

    lines: ir.Table
    orders: ir.Table
    renamed: ir.Table | None = None
    notes: list[Note] = field(default_factory=list)


def tell_apart(con: Backend, staged: Staged, lines: ir.Table) -> Exported:
    """Give orders that share a number distinct ids.

    Parameters
    ----------
    con : ibis backend
        The engine; stores the orders.
    staged : Staged
    lines : ibis table
        All staged order lines.
    """
    orders = lines.group_by("order_id", "sequence", "source").aggregate(
        lines=(~lines.added).sum(),
        number=lines.number.min(),
        first=lines.occurred_at.min(where=~lines.added),
        channel=lines.channel.min(),
        place=lines.location_id.min(),
    )
    number = ibis.coalesce(orders.number, orders.order_id)
    exported = Exported(lines, keep(con, "orders", orders.mutate(number=number)))
    exported.notes += _tickets(con, staged, lines)
    units = exported.orders.filter(exported.orders.source != LIVE)
    several = units.group_by("number").aggregate(n=units.count())
    units = units.semi_join(several.filter(several.n > 1), "number")
    units = keep(con, "orders_of_a_number", units)
    if not value(con, units.count()):
        return exported
    dates = [rank for rank, part in enumerate(staged.parts, 1) if part.dates_only]
    units = units.mutate(dates_only=units.sequence.isin(dates))
    numbered = numbers_across_files.across_files(con, units, lines, staged.seen())
    shared = numbered.group_by("number").aggregate(n=numbered.final.nunique())
    shared = keep(con, "numbers_of_several", shared.filter(shared.n > 1))
    (count,) = rows(con, shared.aggregate(n=shared.n.sum().fill_null(0), first=shared.number.min()))
    if count["n"]:
        example = _times(con, exported.orders, count["first"])
        exported.notes.append((_SHARED, int(count["n"]), example))
    renamed = keep(con, "renamed", numbered.filter(numbered.final != numbered.order_id))
    if not value(con, renamed.count()):
        return exported
    exported.renamed = renamed
    exported.orders = keep(con, "orders", _with_final(exported.orders, renamed))
    exported.lines = _with_meant(con, _with_final(lines, renamed), exported.orders, shared)
    return exported


def read_later(con: Backend, staged: Staged, older: ir.Table) -> list[Note]:
    """Note orders whose counting export was read before the one it replaces.

    Parameters
    ----------
    con : ibis backend
    staged : Staged
    older : ibis table
        From ``corrections.latest``.
    """
    read = [part.sequence for part in staged.parts]
    if read == sorted(read):
        return []
    ranks = pa.array(range(1, len(read) + 1), pa.int64())
    replaced = ibis.memtable(pa.table({"_rank": ranks, "_read": pa.array(read, pa.int64())}))
    counting = ibis.memtable(pa.table({"_newest": ranks, "_before": pa.array(read, pa.int64())}))
    both = older.join(replaced, older.sequence == replaced["_rank"])
    both = both.join(counting, both.newest == counting["_newest"])
    stale = both.filter(both["_read"] > both["_before"])
    (totals,) = rows(
        con,
        stale.aggregate(
            n=stale.order_id.nunique(), first=stale.order_id.min(), rank=stale.sequence.min()
        ),
    )
    if not totals["n"]:
        return []
    example = f"{totals['first']}, not as {staged.parts[totals['rank'] - 1].file} has it"
    return [("orders_of_an_older_export_read_later", int(totals["n"]), example)]


def _tickets(con: Backend, staged: Staged, lines: ir.Table) -> list[Note]:
    """Count orders with a composite id that ends like another order's."""
    if not staged.has_tickets():
        return []
    numbered = lines.filter(lines.ticket.notnull())
    tickets = numbered.group_by("source", "ticket").aggregate(n=numbered.order_id.nunique())
    tickets = tickets.filter(tickets.n > 1)
    (totals,) = rows(
        con, tickets.aggregate(n=tickets.n.sum().fill_null(0), first=tickets.ticket.min())
    )
    if not totals["n"]:
        return []
    return [(_SHARED, int(totals["n"]), f"{totals['first']}, distinguished by the rest of the id")]


def _times(con: Backend, orders: ir.Table, number: str) -> str:
    """Describe the orders of one number by their times."""
    of = orders.filter(orders.number == number)
    times = rows(con, of.select("first").distinct().order_by("first").limit(3))
    return f"{number} at " + ", ".join(f"{row['first']:%Y-%m-%d %H:%M}" for row in times) + " UTC"


def _with_meant(con: Backend, lines: ir.Table, orders: ir.Table, shared: ir.Table) -> ir.Table:
    """Resolve returns that refer to a shared number to one of its orders."""
    pointing = lines.filter(lines.return_of.notnull())
    pointing = pointing.semi_join(shared, pointing.return_of == shared.number)
    orders = orders.semi_join(shared, "number")
    orders = orders.select("number", "order_id", "first", "place").distinct()
    columns = (ROW, "sequence", "occurred_at", "location_id", "return_of")
    meant = numbers_across_files.meant(con, pointing.select(*columns), orders)
    if not value(con, meant.count()):
        return lines
    joined = lines.left_join(meant, [ROW, "sequence"])
    rest = [name for name in lines.columns if name != "return_of"]
    return joined.select(*rest, return_of=ibis.coalesce(joined.meant, joined.return_of))


def _with_final(table: ir.Table, renamed: ir.Table) -> ir.Table:
    """Replace the order ids of the files by the final ids."""
    names = renamed.select(_id="order_id", _at="sequence", _final="final")
    joined = table.left_join(
        names, [table.order_id == names["_id"], table.sequence == names["_at"]]
    )
    final = ibis.coalesce(joined["_final"], joined.order_id)
    return joined.mutate(order_id=final).select(*table.columns)
