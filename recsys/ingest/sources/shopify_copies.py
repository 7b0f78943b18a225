"""Finds the rows of a Shopify export that form one order, and the copies of an order.

Rows of one opened file come in; out come the same rows with the order's values on each of them,
and ``repeated`` on rows of an order that the file holds a second time. Called by ``shopify``.

Shopify writes what concerns an order on its first row only, so a row that states it begins an
order: rows from there on are a *piece*. Spreadsheets and other tools fill those values down, and
then each row is a piece. Whether several pieces of one order are its lines or copies of it is told
by the order's own ``Subtotal``: it is the sum of the lines, less discounts.

1. Where an order's values changed from one piece to the next, the later ones count.
2. Pieces whose lines together make the subtotal are one order.
3. Pieces of which only the different ones make it hold copies, and the last of each counts.
4. If the last piece alone makes it, it alone counts.
5. Where money does not tell: of pieces of one row the different ones are one order, and of longer
   ones the last counts.
"""

from functools import reduce

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.ingest.columns.fields import Fields
from recsys.ingest.files.export_files import ROW
from recsys.query_engine import keep, rows, value

#: Filled on an order's first row only; one of them tells where an order begins.
_BEGIN = ("status", "total", "subtotal")
#: What changes when an order changes between two copies of it.
_STATE = ("status", "total", "subtotal", "refunded", "cancelled", "order_discount")
_MONEY = ("quantity", "unit_price", "discount", "subtotal", "order_discount", "order_tax")
_LINE = ("item_id", "title", "quantity", "unit_price", "discount")
#: How far sums may be from the subtotal: roundings of weighed lines. Major units, by line.
_TOLERANCE = 0.01


def fill(con: Backend, shape: Fields, of_line: list[str], of_order: list[str]) -> ir.Table:
    """Copy what stands on an order's first row to its other rows, and mark copies.

    Parameters
    ----------
    con : ibis backend
        The engine; keeps the rows meanwhile.
    shape : Fields
        The file. Its numbers are read only where money has to tell what is a copy.
    of_line, of_order : list of str
        Columns of the table that concern a line, and those that concern the order.

    Returns
    -------
    table : ibis table
        ``_row``, the columns, ``repeated``, and ``_again``: empty, or what tells the order from an
        earlier one of the same number.
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
    """Tell orders of one number apart by when they were created: two shops may count alike."""
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
    # A row that does not say when belongs to what stands above it.
    above = ibis.window(group_by="_order", order_by=ROW, preceding=None, following=0)
    own = table.mutate(_own=shape.text("occurred_at"))
    own = own.mutate(_own=own._own.last().over(above))
    keys = later.select(_number=later._order, _time=later._created)
    joined = own.left_join(keys, [own._order == keys._number, own._own == keys._time])
    return joined.select(
        *(c for c in table.columns if c != "_again"), _again=joined._time.fill_null("")
    )


def _decide(con: Backend, shape: Fields, table: ir.Table, several: ir.Table) -> ir.Table:
    """Return ``piece, first, copy``: where the piece's order begins, and whether it is a copy."""
    shape.read_numbers(con, *_MONEY)
    some = shape.table
    line = [shape.text(field).fill_null("") for field in _LINE if shape.has(field)]
    content = reduce(lambda a, b: a + "\t" + b, line, ibis.literal(""))
    money = {f: _number(shape, f) for f in ("quantity", "unit_price", "discount")}
    said = {f"_{f}": shape.text(f) for f in _STATE if shape.has(f)}
    sums = {f"n_{f}": _number(shape, f) for f in ("subtotal", "order_discount", "order_tax")}
    discount = money["discount"].fill_null(0).abs()
    facts = some.select(
        _at=some[ROW],
        _content=content,
        _net=money["quantity"] * money["unit_price"] - discount,
        **said,
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
        **{name: lines[name].max() for name in (*said, *sums)},
    )
    order = ["_order", "_again"]
    step = ibis.window(group_by=order, order_by="piece")
    changed = reduce(
        lambda a, b: a | b,
        ((pieces[c] != pieces[c].lag().over(step)).fill_null(False) for c in said),
        ibis.literal(value=False),
    )
    upto = ibis.window(group_by=order, order_by="piece", preceding=None, following=0)
    followed = pieces.piece.lead().over(step) == pieces["last"] + 1
    pieces = pieces.mutate(_changed=changed.cast("int64"), _followed=followed.fill_null(False))
    pieces = pieces.mutate(version=pieces._changed.sum().over(upto))
    return _judged(con, keep(con, "shopify_versions", pieces), order)


def _judged(con: Backend, pieces: ir.Table, order: list[str]) -> ir.Table:
    """Apply the rules to pieces of which it is known what they hold."""
    one = [*order, "version"]
    alike = ibis.window(group_by=[*one, "content"], order_by=ibis.desc("piece"))
    from_end = ibis.window(group_by=one, order_by=ibis.desc("piece"))
    pieces = pieces.mutate(
        again=ibis.row_number().over(alike) > 0, is_last=ibis.row_number().over(from_end) == 0
    )
    whole = ibis.window(group_by=one)

    def total(value: ir.Value) -> ir.Value:
        return value.sum().over(whole)

    def explained(lines_sum: ir.Value) -> ir.BooleanValue:
        subtotal = pieces.n_subtotal.max().over(whole)
        tax = pieces.n_order_tax.max().over(whole).fill_null(0)
        discount = pieces.n_order_discount.max().over(whole).fill_null(0).abs()
        near = _TOLERANCE * total(pieces.n) + tax
        known = ~pieces.unread.any().over(whole)
        fits = (lines_sum >= subtotal - near) & (lines_sum <= subtotal + discount + near)
        found: ir.BooleanValue = (known & fits).fill_null(False)
        return found

    pieces = pieces.mutate(
        all_fit=explained(total(pieces.net)),
        different_fit=explained(total(ibis.ifelse(pieces.again, 0, pieces.net))),
        last_fits=explained(total(ibis.ifelse(pieces.is_last, pieces.net, 0))),
        single=(pieces.n == 1).all().over(whole),
        newest=pieces.version == pieces.version.max().over(ibis.window(group_by=order)),
    )
    seen = rows(
        con,
        pieces.aggregate(
            filled=(pieces.single & ~pieces.again).sum().fill_null(0),
            unfilled=(~pieces.single).sum().fill_null(0),
        ),
    )[0]
    # In a file whose orders are all filled down, equal rows side by side are two lines.
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
    return pieces.mutate(first=kept.min().over(whole)).select("piece", "first", "copy")


def _number(shape: Fields, field: str) -> ir.Value:
    return shape.number(field).cast("float64")
