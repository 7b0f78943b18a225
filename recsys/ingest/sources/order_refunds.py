"""Turns the refunds of an order into return lines.

In: typed lines of one file, with the refund of each line or of the whole order. Out: the same
lines, and a return line marked ``added`` for each returned line. Called by ``shopify`` and
``woocommerce``.

1. If the whole order is refunded, every line is returned.
2. Otherwise, if lines state their own refunds, these are returned.
3. Otherwise the order states only an amount. The first line with exactly this amount is returned,
   or as many units of one line as add up to it. If nothing matches, no line is returned and
   ``refund_open`` is set.
"""

import ibis
import ibis.expr.types as ir

from recsys.ingest.files.export_files import ROW

_USED = ("_refunded", "_all_refunded", "_refund_at", "_own_quantity", "_own_amount")


def with_refunds(lines: ir.Table) -> ir.Table:
    """Add a return line for every line that was refunded, in whole or in part.

    Parameters
    ----------
    lines : ibis table
        Typed lines with ``line_no``, ``repeated`` and

        - ``_refunded``: the refund of the order, repeated on each of its lines, minor units;
        - ``_all_refunded``: whether the whole order was refunded;
        - ``_refund_at``: time of the refund;
        - ``_own_quantity``, ``_own_amount`` (optional): what was refunded of the line: units, and
          minor units of money.

    Returns
    -------
    lines : ibis table
        Without these columns, with ``added`` and ``refund_open``.
    """
    if "_own_quantity" not in lines.columns:
        nulls = {"_own_quantity": ibis.null("float64"), "_own_amount": ibis.null("int64")}
        lines = lines.mutate(**nulls)
    whole = ibis.window(group_by="order_id")
    own = (lines._own_quantity.fill_null(0) > 0) | (lines._own_amount.fill_null(0) > 0)
    lines = lines.mutate(_own=own, _size=lines.line_no.max().over(whole))
    lines = lines.mutate(_line_refunds=lines._own.any().over(whole))
    unit = (lines.amount_minor / lines.quantity.nullif(0)).round().cast("int64")
    paid_back = ibis.ifelse(lines._line_refunds, 0, lines._refunded)
    kept = ~lines.bad & (lines.quantity > 0) & ~lines.cancelled & ~lines.repeated
    exact = lines.amount_minor == paid_back
    units = (paid_back / unit.nullif(0)).floor()
    some = (unit > 0) & (units * unit == paid_back) & (units < lines.quantity)
    match = ibis.cases((exact, 1), (some, 2), else_=3)
    share = ibis.cases((exact, lines.quantity), else_=units) / lines.quantity
    refunded = lines.filter(kept & (lines._all_refunded | lines._own | (paid_back > 0))).mutate(
        _match=match, _share=share
    )
    first = ibis.window(group_by="order_id", order_by=["_match", "line_no", ROW])
    ranked = refunded.mutate(_rank=ibis.row_number().over(first))
    matched = ~ranked._line_refunds & (ranked._rank == 0) & (ranked._match < 3)
    chosen = ranked.filter(ranked._all_refunded | ranked._own | matched)
    of_amount = chosen._own_amount / chosen.amount_minor.nullif(0)
    of_quantity = chosen._own_quantity.nullif(0) / chosen.quantity
    own_share = ibis.least(ibis.coalesce(of_quantity, of_amount, 1.0), 1.0)
    share = ibis.cases((chosen._all_refunded, 1.0), (chosen._own, own_share), else_=chosen._share)
    amount = (chosen.amount_minor * share).round().cast("int64")
    stated = chosen._own_amount.nullif(0)
    amount = ibis.ifelse(chosen._own & ~chosen._all_refunded, stated.fill_null(amount), amount)
    returns = chosen.mutate(
        line_no=(chosen.line_no + chosen["_size"]).cast("int32"),
        line_type=ibis.literal("return"),
        quantity=-(chosen.quantity * share),
        amount_minor=-amount,
        discount_minor=(chosen.discount_minor * share).round().cast("int64"),
        occurred_at=chosen._refund_at,
        return_of=chosen.order_id,
    )
    names = [c for c in lines.columns if c not in (*_USED, "_own", "_line_refunds", "_size")]
    unmatched = lines.order_id.notnull() & (paid_back > 0) & ~lines._all_refunded
    return ibis.union(
        lines.select(*names, added=ibis.literal(value=False), refund_open=unmatched),
        returns.select(*names, added=ibis.literal(value=True), refund_open=ibis.literal(False)),
    )
