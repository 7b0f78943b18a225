"""Live orders meet the exports: what an export brought meanwhile counts once, the export's way.

Named lines of exports and of the service come in, the lines that count come out. Called by
``unify`` where the service was told anything.

A live order is an exported one where the number is the same, and the customer or the channel.
Of such an order the export counts. A live refund of it stays while the export holds no return of
the order; where the refund named no items, it takes back every line.
"""

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.data.engine import keep
from recsys.data.staged import LIVE


def without_exported(con: Backend, lines: ir.Table) -> ir.Table:
    """Let exports win over what was told live.

    Parameters
    ----------
    con : ibis backend
        The engine; keeps the few live lines meanwhile.
    lines : ibis table
        Named lines; live ones have the source ``live`` and an order ``live:<scope>:<number>``.

    Returns
    -------
    ibis table
        The same columns.
    """
    theirs = lines.filter(lines.source != LIVE)
    ours = lines.filter(lines.source == LIVE)
    ours = keep(con, "live", ours.mutate(_of=ibis.coalesce(ours.return_of, ours.order_id)))
    number = ours["_of"].re_extract(r"^live:[^:]*:(.*)$", 1)
    orders = theirs.mutate(_number=theirs.order_id.re_extract(r"^[^:]*:(.*)$", 1))
    wanted = ours.mutate(_number=number)
    orders = orders.semi_join(wanted.select("_number").distinct(), "_number")
    same = wanted.join(orders, "_number").filter(
        lambda t: (
            (t.customer_id == t.customer_id_right).fill_null(False) | (t.channel == t.channel_right)
        )
    )
    same = keep(con, "live_orders", same.select("_of", exported=same.order_id_right).distinct())
    matched = ours.left_join(same, "_of").drop("_of_right")
    matched = keep(con, "live_matched", matched)
    bought = matched.filter((matched.kind == "sale") & matched.exported.isnull())
    stated = theirs.filter(theirs.kind == "return").select(exported=theirs.return_of).distinct()
    back = matched.filter(matched.kind == "return").anti_join(stated, "exported")
    back = back.mutate(return_of=ibis.coalesce(back.exported, back["_of"]))
    named = back.filter(back.item_id.notnull())
    everything = _whole(back.filter(back.item_id.isnull()), ibis.union(
        theirs, bought.select(*lines.columns)))  # fmt: skip
    return ibis.union(
        theirs,
        bought.select(*lines.columns),
        named.select(*lines.columns),
        everything.select(*lines.columns),
    )


def _whole(refunds: ir.Table, lines: ir.Table) -> ir.Table:
    """Return what takes back every sold line of the orders that were refunded as a whole."""
    sold = lines.filter(lines.kind == "sale").select(
        "item_id",
        "unit_price_minor",
        "discount_minor",
        "amount_minor",
        "quantity",
        return_of=lines.order_id,
    )
    kept = refunds.drop(*(c for c in sold.columns if c != "return_of"))
    joined = kept.join(sold, "return_of")
    place = ibis.row_number().over(ibis.window(group_by="order_id", order_by="item_id")) + 1
    return joined.mutate(
        line_no=place.cast("int32"),
        quantity=-joined.quantity,
        amount_minor=-joined.amount_minor,
    )
