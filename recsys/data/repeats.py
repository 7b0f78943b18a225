"""Orders that stand twice in one file are found, so that they count once.

Typed lines of one file come in; out come the same lines with ``repeated`` set on the copies.
Called by ``staging`` for exports whose shape does not say where an order begins.

Where lines have numbers, the last line of a number counts. Where they have none, an order's lines
are taken in runs of neighbouring rows: a run that holds exactly what an earlier run of the same
order held is a copy of it. This is done only in files that are sorted by order (nineteen of twenty
orders in one run); elsewhere two equal lines are two lines, as when a till scans milk twice.
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.data.engine import keep
from recsys.data.files import ROW

_SORTED_SHARE = 0.95


def runs(lines: ir.Table, facts: Mapping[str, ir.Value]) -> ir.Table:
    """Return where each order's rows lie in the file, and ``facts`` of it.

    Parameters
    ----------
    lines : ibis table
        Typed lines with ``_row``, ``order_id``, ``line_no``.
    facts : mapping of str to ibis aggregate
        What else is wanted of an order.
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


def mark_repeats(con: Backend, lines: ir.Table, found: ir.Table) -> ir.Table:
    """Set ``repeated`` on lines that an order's second copy in the file made superfluous.

    Lines without a number get their place in the order.

    Parameters
    ----------
    con : ibis backend
        The engine; keeps the copies meanwhile.
    lines : ibis table
        Typed lines with ``_row``, ``order_id``, ``line_no``.
    found : ibis table
        As ``runs`` returns it, computed.
    """
    in_one_run = found.spread == found.lines
    plain = in_one_run & (~found.numbered | (found.numbers == found.lines))
    total, sorted_, doubtful = con.to_pyarrow(
        found.aggregate(
            total=found.count(), sorted=in_one_run.sum().fill_null(0), doubtful=(~plain).sum()
        )
    ).to_pylist()[0].values()  # fmt: skip
    starts = found.select("order_id", "first_row")
    placed = lines.join(starts, "order_id")
    place = (placed[ROW] - placed.first_row + 1).cast("int32")
    placed = placed.mutate(line_no=ibis.coalesce(placed.line_no, place)).drop("first_row")
    if not doubtful:
        return placed.mutate(repeated=ibis.literal(value=False))
    suspects = found.filter(~plain)
    some = lines.semi_join(suspects.filter(suspects.numbered), "order_id")
    last = ibis.window(group_by=["order_id", "line_no"], order_by=ibis.desc(ROW))
    copies = some.mutate(_nth=ibis.row_number().over(last))
    copies = copies.filter(copies._nth > 0).select(ROW)
    if sorted_ >= _SORTED_SHARE * total:
        without = suspects.filter(~suspects.numbered)
        copies = copies.union(_copied_runs(lines.semi_join(without, "order_id")))
    copies = keep(con, "orders_copies", copies)
    marked = placed.left_join(copies.mutate(_copy=ibis.literal(value=True)), ROW)
    return marked.select(*lines.columns, repeated=marked["_copy"].fill_null(False))


def _copied_runs(lines: ir.Table) -> ir.Table:
    """Return the rows of runs that repeat an earlier run of the same order."""
    by_row = ibis.window(group_by="order_id", order_by=ROW)
    upto = ibis.window(group_by="order_id", order_by=ROW, preceding=None, following=0)
    table = lines.mutate(
        _break=(lines[ROW] != lines[ROW].lag().over(by_row) + 1).fill_null(True).cast("int64")
    )
    table = table.mutate(_run=table._break.sum().over(upto))
    content = (
        table.item_id + "\t" + table.quantity.cast("string") + "\t"
        + table.amount_minor.cast("string").fill_null("")
    )  # fmt: skip
    table = table.mutate(_content=content)
    runs = table.group_by("order_id", "_run").aggregate(
        held=table._content.group_concat("\n", order_by=table._content), first=table[ROW].min()
    )
    nth = ibis.row_number().over(ibis.window(group_by=["order_id", "held"], order_by="first"))
    runs = runs.mutate(_nth=nth)
    copied = runs.filter(runs._nth > 0)
    return table.semi_join(copied, ["order_id", "_run"]).select(ROW)
