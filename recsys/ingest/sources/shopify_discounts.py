"""Discounts of whole Shopify orders are spread over their lines.

Typed lines with what their order says of itself come in; out come the same lines with their share
of the order's discount. Called by ``shopify``.

The discount is what ``Subtotal`` is below the sum of the lines. Three cases are not so:

- Prices include a tax that the subtotal does not: what is missing is at most ``Taxes``, and
  ``Total`` has them on top. Then the discount is ``Discount Amount`` alone.
- A line of the order cannot be read, or is not there: the sum says nothing, and each line that
  stands is reduced by ``Discount Amount`` ÷ (``Subtotal`` + ``Discount Amount``).
- There is no subtotal: what ``Discount Amount`` is above the discounts of the lines counts.

A rejected line takes its share with it. Of what falls to the lines that stand, no cent is lost.
"""

import ibis
import ibis.expr.types as ir

from recsys.ingest.files.export_files import ROW

_STATED = ("_subtotal", "_total", "_order_discount", "_order_shipping", "_order_tax")


def spread(lines: ir.Table) -> ir.Table:
    """Reduce each line by its share of what its order was reduced by.

    Parameters
    ----------
    lines : ibis table
        ``_row, order_id, repeated, bad, amount_minor, discount_minor`` and, repeated on each line
        of an order, ``_subtotal, _total, _order_discount, _order_shipping, _order_tax`` in minor
        units.

    Returns
    -------
    lines : ibis table
        Without what was repeated; with ``order_total_minor`` and ``order_expected_minor``.
    """
    order = ["order_id", "repeated"]
    whole = ibis.window(group_by=order)
    upto = ibis.window(group_by=order, order_by=ROW, preceding=None, following=0)
    stands = ~lines.bad & lines.amount_minor.notnull()
    table = lines.mutate(_net=lines.amount_minor, _own=ibis.ifelse(stands, lines.amount_minor, 0))
    table = table.mutate(
        _sum=table._net.sum().over(whole).fill_null(0),
        _standing=table._own.sum().over(whole),
        _upto=table._own.sum().over(upto),
        _reduced=table.discount_minor.sum().over(whole).fill_null(0),
        _unread=table._net.isnull().any().over(whole),
        _lines=table.count().over(whole),
    )
    discount, base = _discount(table)
    table = table.mutate(_discount=discount, _base=base)
    rate = (table._discount / table._base.nullif(0)).clip(0.0, 1.0).fill_null(0.0)
    table = table.mutate(_rate=rate)
    share = (table._upto * table._rate).round().cast("int64")
    earlier = ((table._upto - table._own) * table._rate).round().cast("int64")
    part = share - earlier
    return table.select(
        *(c for c in lines.columns if c not in (*_STATED, "discount_minor", "amount_minor")),
        discount_minor=table.discount_minor + part,
        amount_minor=table.amount_minor - part,
        order_total_minor=table._total,
        order_expected_minor=_expected(table),
    )


def _discount(table: ir.Table) -> tuple[ir.Value, ir.Value]:
    """Return the discount of each row's order, and the sum of lines that it lies on."""
    subtotal, stated = table._subtotal, table._order_discount.abs().fill_null(0)
    tax, near = table._order_tax.fill_null(0), table._lines
    gap = table._sum - subtotal
    on_top = subtotal + table._order_shipping.fill_null(0) + tax
    taxed_apart = ((table._total - on_top).abs() <= near).fill_null(True)
    phantom = (gap - stated > 0) & (gap - stated <= tax + near) & (tax > 0) & taxed_apart
    # Prices without tax beside a subtotal with it fall short by the tax, and nothing is missing.
    short = gap + near < 0
    untaxed = short & (subtotal + stated - table._sum <= tax + near) & ~(taxed_apart & (tax > 0))
    missing = table._unread | (short & ~untaxed)
    unsaid = ibis.greatest(stated - table._reduced, 0)
    discount = ibis.cases(
        (subtotal.isnull(), unsaid),
        (missing | phantom | untaxed, stated),
        else_=ibis.greatest(gap, 0),
    )
    base = ibis.ifelse(missing & subtotal.notnull(), subtotal + stated, table._sum)
    return discount, base


def _expected(table: ir.Table) -> ir.IntegerValue:
    """Sum up what an order should cost: with its taxes on top or within, as is nearer."""
    within = table._sum - table._discount + table._order_shipping.fill_null(0)
    on_top = within + table._order_tax.fill_null(0)
    nearer = (table._total - on_top).abs() < (table._total - within).abs()
    whole = ibis.ifelse(nearer, on_top, within).cast("int64")
    known = ~table._unread & table._total.notnull()
    found: ir.IntegerValue = ibis.ifelse(known, whole, ibis.null("int64"))
    return found
