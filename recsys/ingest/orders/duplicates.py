"""Finds orders that a file repeats, so that they count once.

In: typed lines of one file. Out: the same lines with ``repeated`` set on the copies. Called by
``staging`` for exports without a mark where an order begins.

If lines have numbers, the last line of each number counts. Otherwise the lines of an order form
runs of adjacent rows:

- A run that equals an earlier run of the same order is a copy of it.
- A run of sales at the same time that is part of the run before it is a truncated copy. A run with
  half of its products in common is a changed copy, and the later run counts. Both are noted.

This applies only to files sorted by order: nineteen of twenty orders in one run, or in several
equal runs, as in a file appended to itself. In other files two equal lines are two lines, as when
a till scans milk twice.
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.ingest.files.export_files import ROW
from recsys.query_engine import keep, rows, value

_SORTED_SHARE = 0.95


def runs(lines: ir.Table, facts: Mapping[str, ir.Value]) -> ir.Table:
    """Return the position of each order's rows in the file, and ``facts`` about the order.

    Parameters
    ----------
    lines : ibis table
        Typed lines with ``_row``, ``order_id``, ``line_no``.
    facts : mapping of str to ibis aggregate
        Further aggregates per order.
    """
    numbered = lines.line_no.notnull()
    return lines.group_by("order_id").aggregate(
        lines=lines.count(),
        first_row=lines[ROW].min(),
        spread=lines[ROW].max() - lines[ROW].min() + 1,
        numbers=lines.line_no.max() - lines.line_no.min() + 1,
        numbered=numbered.all(),
        **facts,
    )


def mark_repeats(
    con: Backend, lines: ir.Table, file_runs: ir.Table
) -> tuple[ir.Table, tuple[int, str | None]]:
    """Set ``repeated`` on lines of an order that a later copy in the file replaces.

    Lines without a number are numbered by their position in the order.

    Parameters
    ----------
    con : ibis backend
        The engine; stores the copies.
    lines : ibis table
        Typed lines with ``_row``, ``order_id``, ``line_no``.
    file_runs : ibis table
        The computed result of ``runs``.

    Returns
    -------
    lines : ibis table
    changed : tuple of int and str
        Number of orders with differing copies, and the first of them.
    """
    in_one_run = file_runs.spread == file_runs.lines
    plain = in_one_run & (~file_runs.numbered | (file_runs.numbers == file_runs.lines))
    (counts,) = rows(
        con,
        file_runs.aggregate(
            total=file_runs.count(),
            sorted=in_one_run.sum().fill_null(0),
            doubtful=(~plain).sum(),
            unnumbered=(~file_runs.numbered).sum(),
        ),
    )
    total, sorted_ = int(counts["total"]), int(counts["sorted"])
    placed = lines
    if counts["unnumbered"]:
        placed = lines.join(file_runs.select("order_id", "first_row"), "order_id")
        place = (placed[ROW] - placed.first_row + 1).cast("int32")
        placed = placed.mutate(line_no=ibis.coalesce(placed.line_no, place)).drop("first_row")
    if not counts["doubtful"]:
        return placed.mutate(repeated=ibis.literal(value=False)), (0, None)
    suspects = file_runs.filter(~plain)
    some = lines.semi_join(suspects.filter(suspects.numbered), "order_id")
    last = ibis.window(group_by=["order_id", "line_no"], order_by=ibis.desc(ROW))
    copies = some.mutate(_nth=ibis.row_number().over(last))
    copies = copies.filter(copies._nth > 0).select(ROW)
    without = lines.semi_join(suspects.filter(~suspects.numbered), "order_id")
    more, changed = _copied_runs(con, without, sorted_, total)
    if more is not None:
        copies = copies.union(more)
    copies = keep(con, "orders_copies", copies)
    if not value(con, copies.count()):
        return placed.mutate(repeated=ibis.literal(value=False)), changed
    marked = placed.left_join(copies.mutate(_copy=ibis.literal(value=True)), ROW)
    marked = marked.select(*lines.columns, repeated=marked["_copy"].fill_null(False))
    return marked, changed


def _copied_runs(
    con: Backend, lines: ir.Table, sorted_: int, total: int
) -> tuple[ir.Table | None, tuple[int, str | None]]:
    """Return the rows of copied runs; None if the file is not sorted by order."""
    nothing = (None, (0, None))
    content = ibis.literal("\t").join(
        [
            lines.item_id,
            lines.quantity.cast("string"),
            lines.amount_minor.cast("string").fill_null(""),
            lines.occurred_at.cast("string"),
        ]
    )
    if sorted_ < _SORTED_SHARE * total:  # check only if many rows repeat
        (seen,) = rows(
            con,
            lines.aggregate(n=lines.count(), distinct=(lines.order_id + content).hash().nunique()),
        )
        if seen["distinct"] > _SORTED_SHARE * seen["n"]:
            return nothing
    by_row = ibis.window(group_by="order_id", order_by=ROW)
    upto = ibis.window(group_by="order_id", order_by=ROW, preceding=None, following=0)
    table = lines.mutate(
        _break=(lines[ROW] != lines[ROW].lag().over(by_row) + 1).fill_null(True).cast("int64"),
        _content=content,
        _back=(lines.quantity < 0) | lines.line_type.notin(["", "sale"]).fill_null(False),
    )
    table = keep(
        con,
        "repeats_lines",
        table.mutate(_run=table._break.sum().over(upto)).select(
            ROW, "order_id", "_run", "_content", "_back", "item_id", "occurred_at"
        ),
    )
    order_runs = table.group_by("order_id", "_run").aggregate(
        held=table._content.group_concat("\n", order_by=table._content),
        contents=table._content.collect(distinct=True),
        items=table.item_id.collect(distinct=True),
        first=table[ROW].min(),
        n=table.count(),
        at=table.occurred_at.min(),
        back=table._back.any(),
    )
    nth = ibis.row_number().over(ibis.window(group_by=["order_id", "held"], order_by="first"))
    order_runs = keep(con, "repeats_runs", order_runs.mutate(again=nth > 0))
    if sorted_ < _SORTED_SHARE * total and not _tidy(con, order_runs, sorted_):
        return nothing
    before = ibis.window(group_by="order_id", order_by="first")
    once = order_runs.filter(~order_runs.again)
    once = once.mutate(
        earlier=once["first"].lag().over(before),
        same=(once["at"] == once["at"].lag().over(before))
        & ~once.back
        & ~once.back.lag().over(before),
        common=once["items"].intersect(once["items"].lag().over(before)).length(),
        within=once.contents.intersect(once.contents.lag().over(before)).length(),
        most=ibis.greatest(once["items"].length(), once["items"].lag().over(before).length()),
    )
    once = once.filter(once.same.fill_null(False) & (once.common * 2 >= once.most))
    cut = once.within == once.contents.length()
    superfluous = once.select("order_id", first=ibis.ifelse(cut, once["first"], once.earlier))
    superfluous = keep(con, "repeats_changed", superfluous)
    (changed,) = rows(
        con,
        superfluous.aggregate(n=superfluous.order_id.nunique(), first=superfluous.order_id.min()),
    )
    copied = ibis.union(
        order_runs.filter(order_runs.again).select("order_id", "first"), superfluous
    )
    copied = order_runs.semi_join(copied, ["order_id", "first"])
    copies = table.semi_join(copied, ["order_id", "_run"]).select(ROW)
    return copies, (int(changed["n"]), changed["first"])


def _tidy(con: Backend, file_runs: ir.Table, sorted_: int) -> bool:
    """Return whether nearly all orders form one run, or several equal ones.

    A single repeated line is weak evidence, unless all lines repeat.
    """
    orders = file_runs.group_by("order_id").aggregate(
        same=file_runs.held.nunique() == 1, long=file_runs.n.min() > 1
    )
    (counted,) = rows(
        con,
        orders.aggregate(
            same=orders.same.sum().fill_null(0),
            long=(orders.same & orders.long).sum().fill_null(0),
            differ=(~orders.same).sum().fill_null(0),
        ),
    )
    same, long, differ = counted["same"], counted["long"], counted["differ"]
    if not sorted_ and same >= _SORTED_SHARE * (same + differ):
        return True
    return bool(sorted_ + long >= _SORTED_SHARE * (sorted_ + long + differ) and long)
