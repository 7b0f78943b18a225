"""Adds a return line for what came back of a line, as its own row states.

Typed lines with ``REFUNDED_QUANTITY`` and ``REFUNDED`` come in; out come the same lines and the
added ones. Called by ``staging``. Such exports do not say when the goods came back, so the time of
the order is taken.
"""

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.ingest.sources.order_lines import REFUNDED, REFUNDED_QUANTITY
from recsys.query_engine import keep, rows
from recsys.schema import CORRECTION


def with_refunds(con: Backend, lines: ir.Table, notes: dict[str, int]) -> ir.Table:
    """Add a return line for every line, or part of one, that was paid back.

    Parameters
    ----------
    con : ibis backend
        The engine; keeps the refunded lines meanwhile.
    lines : ibis table
        Lines of one file, each order once, numbered.
    notes : dict
        Given ``refund_beyond_its_line`` and ``refund_of_money_alone``, lines.

    Returns
    -------
    ibis table
        Without the two columns, with ``added``. Money that was paid back for no whole piece is a
        correction.
    """
    pieces = lines[REFUNDED_QUANTITY].fill_null(0)
    money = lines[REFUNDED].fill_null(0)
    sold = (lines.quantity > 0) & (lines.amount_minor >= 0).fill_null(True)
    back = lines.filter(sold & ((pieces > 0) | (money > 0)))
    pieces, money = back[REFUNDED_QUANTITY].fill_null(0), back[REFUNDED].fill_null(0)
    paid = back.amount_minor.fill_null(0)
    unit = (paid / back.quantity).round().cast("int64")
    whole = ((unit > 0) & (money % unit.nullif(0) == 0)).fill_null(False)
    quantity = ibis.cases(
        (pieces > 0, ibis.least(pieces, back.quantity)),
        (money >= paid, back.quantity),
        (whole, (money / unit.nullif(0)).cast("float64")),
        else_=0.0,
    )
    back = back.mutate(_back=quantity, _asked=pieces, _money=money)
    share = back["_back"] / back.quantity
    derived = (back.amount_minor * share).round().cast("int64")
    stated = ibis.ifelse(back["_money"] > 0, back["_money"], derived)
    returned = back.mutate(_paid=ibis.least(stated, back.amount_minor), _share=share)
    returned = keep(con, "lines_refunded", returned)
    (counts,) = rows(
        con,
        returned.aggregate(
            beyond=(
                (returned["_asked"] > returned.quantity)
                | (returned["_money"] > returned.amount_minor)
            )
            .sum()
            .fill_null(0),
            alone=(returned["_back"] == 0).sum().fill_null(0),
        ),
    )
    for name, count in (
        ("refund_beyond_its_line", counts["beyond"]),
        ("refund_of_money_alone", counts["alone"]),
    ):
        if count:
            notes[name] = notes.get(name, 0) + int(count)
    last = lines.group_by("order_id").aggregate(_last=lines.line_no.max())
    returned = returned.join(last, "order_id")
    goods = returned["_back"] > 0
    added = returned.mutate(
        line_no=(returned.line_no + returned["_last"]).cast("int32"),
        line_type=ibis.ifelse(goods, "return", CORRECTION),
        quantity=-returned["_back"],
        amount_minor=-returned["_paid"],
        discount_minor=(returned.discount_minor * returned["_share"]).round().cast("int64"),
        return_of=returned.order_id,
    )
    names = [name for name in lines.columns if name not in (REFUNDED_QUANTITY, REFUNDED, "added")]
    return ibis.union(
        lines.select(*names, added=ibis.literal(value=False)),
        added.select(*names, added=ibis.literal(value=True)),
    )
