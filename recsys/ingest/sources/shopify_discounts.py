"""Spreads the discount of a whole Shopify order over its lines.

In: typed lines with the amounts of their order. Out: the same lines, reduced by their share of the
order's discount. Called by ``shopify``.

The discount is the sum of the lines minus ``Subtotal``, with three exceptions:

- Prices include tax and the subtotal does not: the difference is at most ``Taxes``, and ``Total``
  adds them. The discount is then ``Discount Amount``.
- A line of the order is missing or cannot be read, so the sum is unknown. Each remaining line is
  reduced by ``Discount Amount`` ÷ (``Subtotal`` + ``Discount Amount``).
- There is no subtotal. The discount is ``Discount Amount`` minus the discounts of the lines.

A rejected line keeps its share. The shares of the remaining lines add up to the cent.
"""

import ibis
import ibis.expr.types as ir

from recsys.ingest.files.export_files import ROW

_STATED = ("_subtotal", "_total", "_order_discount", "_order_shipping", "_order_tax")


def spread(lines: ir.Table) -> ir.Table:
    """Reduce each line by its share of its order's discount.

    Parameters
    ----------
    lines : ibis table
        ``_row, order_id, repeated, bad, amount_minor, discount_minor`` and, repeated on each line
        of an order, ``_subtotal, _total, _order_discount, _order_shipping, _order_tax`` in minor
        units.

    Returns
    -------
    lines : ibis table
        Without the repeated columns; with ``order_total_minor`` and ``order_expected_minor``.
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
    """Return the discount of each row's order, and the sum of lines that it applies to."""
    subtotal, stated = table._subtotal, table._order_discount.abs().fill_null(0)
    tax, near = table._order_tax.fill_null(0), table._lines
    gap = table._sum - subtotal
    on_top = subtotal + table._order_shipping.fill_null(0) + tax
    taxed_apart = ((table._total - on_top).abs() <= near).fill_null(True)
    phantom = (gap - stated > 0) & (gap - stated <= tax + near) & (tax > 0) & taxed_apart
    # If only the subtotal includes tax, the lines are lower by the tax and no line is missing.
    short = gap + near < 0
    untaxed = short & (subtotal + stated - table._sum <= tax + near) & ~(taxed_apart & (tax > 0))
    missing = table._unread | (short & ~untaxed)
    order_only = ibis.greatest(stated - table._reduced, 0)
    discount = ibis.cases(
        (subtotal.isnull(), order_only),
        (missing | phantom | untaxed, stated),
        else_=ibis.greatest(gap, 0),
    )
    base = ibis.ifelse(missing & subtotal.notnull(), subtotal + stated, table._sum)
    return discount, base


def _expected(table: ir.Table) -> ir.IntegerValue:
    """Compute an order's expected total, with tax added or included, whichever is nearer."""
    tax_included = table._sum - table._discount + table._order_shipping.fill_null(0)
    tax_added = tax_included + table._order_tax.fill_null(0)
    nearer = (table._total - tax_added).abs() < (table._total - tax_included).abs()
    total = ibis.ifelse(nearer, tax_added, tax_included).cast("int64")
    known = ~table._unread & table._total.notnull()
    expected: ir.IntegerValue = ibis.ifelse(known, total, ibis.null("int64"))
    return expected
