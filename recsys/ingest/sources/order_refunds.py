"""Refunds that an order states become return lines.

Typed lines of one file come in, with what was paid back of each line or of the whole order; out
come the same lines and a return line, marked ``added``, for each that came back. Called by
``shopify`` and ``woocommerce``.

1. Of an order that is refunded, every line comes back.
2. Else what a line says of itself came back comes back.
3. Else, of an order that states an amount only, the first line whose amount it is comes back, or
   as many units of a line as make it. If nothing fits, nothing comes back, and ``refund_open`` says
   so.
"""

import ibis
import ibis.expr.types as ir

from recsys.ingest.files.export_files import ROW

_USED = ("_refunded", "_all_refunded", "_refund_at", "_own_quantity", "_own_amount")


def with_refunds(lines: ir.Table) -> ir.Table:
    """Add a return line for every line, or part of one, that was paid back.

    Parameters
    ----------
    lines : ibis table
        Typed lines with ``line_no``, ``repeated`` and

        - ``_refunded``: what was paid back of the order, minor units, on each of its lines;
        - ``_all_refunded``: whether that is all of it;
        - ``_refund_at``: when;
        - ``_own_quantity``, ``_own_amount`` (optional): what came back of the line, minor units.

    Returns
    -------
    lines : ibis table
        Without these, with ``added`` and ``refund_open``.
    """
    if "_own_quantity" not in lines.columns:
        nothing = {"_own_quantity": ibis.null("float64"), "_own_amount": ibis.null("int64")}
        lines = lines.mutate(**nothing)
    whole = ibis.window(group_by="order_id")
    own = (lines._own_quantity.fill_null(0) > 0) | (lines._own_amount.fill_null(0) > 0)
    lines = lines.mutate(_own=own, _size=lines.line_no.max().over(whole))
    lines = lines.mutate(_told=lines._own.any().over(whole))
    unit = (lines.amount_minor / lines.quantity.nullif(0)).round().cast("int64")
    paid_back = ibis.ifelse(lines._told, 0, lines._refunded)
    kept = ~lines.bad & (lines.quantity > 0) & ~lines.cancelled & ~lines.repeated
    exact = lines.amount_minor == paid_back
    units = (paid_back / unit.nullif(0)).floor()
    some = (unit > 0) & (units * unit == paid_back) & (units < lines.quantity)
    match = ibis.cases((exact, 1), (some, 2), else_=3)
    share = ibis.cases((exact, lines.quantity), else_=units) / lines.quantity
    open_ = lines.filter(kept & (lines._all_refunded | lines._own | (paid_back > 0))).mutate(
        _match=match, _share=share
    )
    first = ibis.window(group_by="order_id", order_by=["_match", "line_no", ROW])
    ranked = open_.mutate(_rank=ibis.row_number().over(first))
    matched = ~ranked._told & (ranked._rank == 0) & (ranked._match < 3)
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
    names = [c for c in lines.columns if c not in (*_USED, "_own", "_told", "_size")]
    unmatched = lines.order_id.notnull() & (paid_back > 0) & ~lines._all_refunded
    return ibis.union(
        lines.select(*names, added=ibis.literal(value=False), refund_open=unmatched),
        returns.select(*names, added=ibis.literal(value=True), refund_open=ibis.literal(False)),
    )
