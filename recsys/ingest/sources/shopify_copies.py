"""Finds the rows of a Shopify export that form one order, and the copies of an order.

In: rows of one opened file. Out: the same rows with the order's values on each of them, and
``repeated`` on the rows of copies. Called by ``shopify``.

Shopify writes the values of an order on its first row only, so a row with these values begins a
*piece*, which extends to the next such row. Spreadsheets and other tools fill the values down; then
each row is a piece. Several pieces of one order are either its lines or copies of it. The order's
``Subtotal``, the sum of its lines minus discounts, decides:

1. If an order's values change from one piece to the next, the later pieces replace the earlier.
2. If all pieces together add up to the subtotal, they are one order.
3. If only the distinct pieces add up to it, the others are copies; the last of each is kept.
4. If the last piece alone adds up to it, only that piece is kept.
5. If no sum matches, distinct pieces of one row are one order; of longer pieces the last is kept.
"""

from functools import reduce

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.ingest.columns.fields import Fields
from recsys.ingest.files.export_files import ROW
from recsys.query_engine import keep, rows, value

#: Filled on an order's first row only; any of them marks where an order begins.
_BEGIN = ("status", "total", "subtotal")
#: Fields that may differ between two copies of an order.
_STATE = ("status", "total", "subtotal", "refunded", "cancelled", "order_discount")
_MONEY = ("quantity", "unit_price", "discount", "subtotal", "order_discount", "order_tax")
_LINE = ("item_id", "title", "quantity", "unit_price", "discount")
#: Allowed difference from the subtotal, for rounded weights. Major units per line.
_TOLERANCE = 0.01


def fill(con: Backend, shape: Fields, of_line: list[str], of_order: list[str]) -> ir.Table:
    """Copy values from an order's first row to its other rows, and mark copies.

    Parameters
    ----------
    con : ibis backend
        The engine; stores the rows.
    shape : Fields
        The file. Its numbers are read only if they are needed to find copies.
    of_line, of_order : list of str
        Columns of the table that describe a line, and those that describe the order.

    Returns
    -------
    table : ibis table
        ``_row``, the columns, ``repeated``, and ``_again``, which distinguishes the order from an
        earlier one of the same number; empty for the first.
    """
    stated = [shape.text(field).notnull() for field in _BEGIN if shape.has(field)]
    begins = reduce(lambda a, b: a | b, stated, ibis.literal(value=False))
    table = shape.table.mutate(
        _order=shape.text("order_id"),
        _head=ibis.ifelse(begins, shape.table[ROW], ibis.null("int64")),
        _again=ibis.literal(""),
    )
    table = _told_apart(con, shape, table)
    before = ibis.window(group_by=["_order", "_again"], order_by=ROW, preceding=None, following=0)
    table = keep(con, "shopify_pieces", table.mutate(_piece=table._head.max().over(before)))
    several = table.group_by("_order", "_again").aggregate(heads=table._head.count())
    several = several.filter(several.heads > 1)
    marked = table.mutate(_first=table._piece, repeated=ibis.literal(value=False))
    if value(con, several.count()):
        decided = keep(con, "shopify_decided", _decide(con, shape, table, several))
        joined = table.left_join(decided, table._piece == decided.piece)
        marked = joined.mutate(
            _first=ibis.coalesce(joined["first"], joined._piece),
            repeated=joined.copy.fill_null(False),
        )
    heads = table.filter(table._head.notnull()).select(
        _begin=table[ROW], **{f"order {column}": table[column] for column in of_order}
    )
    filled = marked.left_join(heads, marked._first == heads._begin)
    return filled.select(
        ROW,
        *of_line,
        "repeated",
        "_again",
        **{c: ibis.coalesce(filled[f"order {c}"], filled[c]) for c in of_order},
    )


def _told_apart(con: Backend, shape: Fields, table: ir.Table) -> ir.Table:
    """Separate orders with the same number by creation time: two shops may share numbers."""
    if not shape.has("occurred_at"):
        return table
    created = table.select("_order", _created=shape.text("occurred_at"), _at=table[ROW])
    created = created.filter(created._created.notnull())
    created = created.group_by("_order", "_created").aggregate(first=created._at.min())
    by_row = ibis.window(group_by="_order", order_by="first")
    later = created.mutate(_nth=ibis.row_number().over(by_row))
    later = keep(con, "shopify_numbers_again", later.filter(later._nth > 0))
    if not value(con, later.count()):
        return table
    # A row without a time belongs to the order above it.
    above = ibis.window(group_by="_order", order_by=ROW, preceding=None, following=0)
    own = table.mutate(_own=shape.text("occurred_at"))
    own = own.mutate(_own=own._own.last().over(above))
    keys = later.select(_number=later._order, _time=later._created)
    joined = own.left_join(keys, [own._order == keys._number, own._own == keys._time])
    return joined.select(
        *(c for c in table.columns if c != "_again"), _again=joined._time.fill_null("")
    )


def _decide(con: Backend, shape: Fields, table: ir.Table, several: ir.Table) -> ir.Table:
    """Return ``piece, first, copy``: its order's first row, and whether it is a copy."""
    shape.read_numbers(con, *_MONEY)
    values = shape.table
    line = [shape.text(field).fill_null("") for field in _LINE if shape.has(field)]
    content = reduce(lambda a, b: a + "\t" + b, line, ibis.literal(""))
    money = {f: _number(shape, f) for f in ("quantity", "unit_price", "discount")}
    states = {f"_{f}": shape.text(f) for f in _STATE if shape.has(f)}
    sums = {f"n_{f}": _number(shape, f) for f in ("subtotal", "order_discount", "order_tax")}
    discount = money["discount"].fill_null(0).abs()
    facts = values.select(
        _at=values[ROW],
        _content=content,
        _net=money["quantity"] * money["unit_price"] - discount,
        **states,
        **sums,
    )
    lines = table.semi_join(several, ["_order", "_again"])
    lines = lines.filter(lines._piece.notnull()).select("_order", "_again", "_piece", ROW)
    lines = lines.inner_join(facts, lines[ROW] == facts._at)
    pieces = lines.group_by("_order", "_again", piece="_piece").aggregate(
        last=lines[ROW].max(),
        n=lines.count(),
        net=lines._net.sum(),
        unread=lines._net.isnull().any(),
        content=lines._content.group_concat("\n", order_by=lines[ROW]),
        **{name: lines[name].max() for name in (*states, *sums)},
    )
    order = ["_order", "_again"]
    step = ibis.window(group_by=order, order_by="piece")
    changed = reduce(
        lambda a, b: a | b,
        ((pieces[c] != pieces[c].lag().over(step)).fill_null(False) for c in states),
        ibis.literal(value=False),
    )
    upto = ibis.window(group_by=order, order_by="piece", preceding=None, following=0)
    followed = pieces.piece.lead().over(step) == pieces["last"] + 1
    pieces = pieces.mutate(_changed=changed.cast("int64"), _followed=followed.fill_null(False))
    pieces = pieces.mutate(version=pieces._changed.sum().over(upto))
    return _judged(con, keep(con, "shopify_versions", pieces), order)


def _judged(con: Backend, pieces: ir.Table, order: list[str]) -> ir.Table:
    """Apply the rules to aggregated pieces."""
    version_key = [*order, "version"]
    alike = ibis.window(group_by=[*version_key, "content"], order_by=ibis.desc("piece"))
    from_end = ibis.window(group_by=version_key, order_by=ibis.desc("piece"))
    pieces = pieces.mutate(
        again=ibis.row_number().over(alike) > 0, is_last=ibis.row_number().over(from_end) == 0
    )
    of_version = ibis.window(group_by=version_key)

    def total(value: ir.Value) -> ir.Value:
        return value.sum().over(of_version)

    def explained(lines_sum: ir.Value) -> ir.BooleanValue:
        subtotal = pieces.n_subtotal.max().over(of_version)
        tax = pieces.n_order_tax.max().over(of_version).fill_null(0)
        discount = pieces.n_order_discount.max().over(of_version).fill_null(0).abs()
        tolerance = _TOLERANCE * total(pieces.n) + tax
        readable = ~pieces.unread.any().over(of_version)
        fits = (lines_sum >= subtotal - tolerance) & (lines_sum <= subtotal + discount + tolerance)
        matches: ir.BooleanValue = (readable & fits).fill_null(False)
        return matches

    pieces = pieces.mutate(
        all_fit=explained(total(pieces.net)),
        different_fit=explained(total(ibis.ifelse(pieces.again, 0, pieces.net))),
        last_fits=explained(total(ibis.ifelse(pieces.is_last, pieces.net, 0))),
        single=(pieces.n == 1).all().over(of_version),
        newest=pieces.version == pieces.version.max().over(ibis.window(group_by=order)),
    )
    seen = rows(
        con,
        pieces.aggregate(
            filled=(pieces.single & ~pieces.again).sum().fill_null(0),
            unfilled=(~pieces.single).sum().fill_null(0),
        ),
    )[0]
    # If every order of the file is filled down, adjacent equal rows are two lines.
    beside = pieces._followed & ibis.literal(seen["unfilled"] == 0 and seen["filled"] > 0)
    doubtful = ibis.ifelse(pieces.single, pieces.again & ~beside, ~pieces.is_last)
    copy = ibis.cases(
        (~pieces.newest, True),
        (pieces.all_fit, False),
        (pieces.different_fit, pieces.again),
        (pieces.last_fits, ~pieces.is_last),
        else_=doubtful,
    )
    pieces = pieces.mutate(copy=copy)
    kept = ibis.ifelse(pieces.copy, ibis.null("int64"), pieces.piece)
    return pieces.mutate(first=kept.min().over(of_version)).select("piece", "first", "copy")


def _number(shape: Fields, field: str) -> ir.Value:
    return shape.number(field).cast("float64")
