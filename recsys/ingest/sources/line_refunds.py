"""Adds a return line for each refund that an order line states in its own row.

In: typed lines with ``REFUNDED_QUANTITY`` and ``REFUNDED``. Out: the same lines and the added
ones. Called by ``staging``. Such exports do not state the time of the return, so the return lines
have the time of the order.
"""

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.ingest.sources.order_lines import REFUNDED, REFUNDED_QUANTITY
from recsys.query_engine import keep, rows
from recsys.schema import CORRECTION


def with_refunds(con: Backend, lines: ir.Table, notes: dict[str, int]) -> ir.Table:
    """Add a return line for every line that was refunded, in whole or in part.

    Parameters
    ----------
    con : ibis backend
        The engine; stores the refunded lines.
    lines : ibis table
        Numbered lines of one file, without copies of orders.
    notes : dict
        Receives ``refund_beyond_its_line`` and ``refund_of_money_alone``, numbers of lines.

    Returns
    -------
    ibis table
        Without the two columns, with ``added``. A refund that matches no whole unit becomes a
        correction.
    """
    units = lines[REFUNDED_QUANTITY].fill_null(0)
    money = lines[REFUNDED].fill_null(0)
    sold = (lines.quantity > 0) & (lines.amount_minor >= 0).fill_null(True)
    refunded = lines.filter(sold & ((units > 0) | (money > 0)))
    units, money = refunded[REFUNDED_QUANTITY].fill_null(0), refunded[REFUNDED].fill_null(0)
    paid = refunded.amount_minor.fill_null(0)
    unit = (paid / refunded.quantity).round().cast("int64")
    whole_units = ((unit > 0) & (money % unit.nullif(0) == 0)).fill_null(False)
    quantity = ibis.cases(
        (units > 0, ibis.least(units, refunded.quantity)),
        (money >= paid, refunded.quantity),
        (whole_units, (money / unit.nullif(0)).cast("float64")),
        else_=0.0,
    )
    refunded = refunded.mutate(_back=quantity, _asked=units, _money=money)
    share = refunded["_back"] / refunded.quantity
    derived = (refunded.amount_minor * share).round().cast("int64")
    stated = ibis.ifelse(refunded["_money"] > 0, refunded["_money"], derived)
    returned = refunded.mutate(_paid=ibis.least(stated, refunded.amount_minor), _share=share)
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
