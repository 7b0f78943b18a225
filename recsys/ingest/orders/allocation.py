"""Allocates amounts of whole orders to their lines, and compares them with the lines.

In: typed lines of one file, with the discount and the total of their order. Out: lines with
amounts net of the discount, to the cent, and the number of orders whose total differs from the sum
of their lines. Called by ``staging`` and ``shopify``.

A rejected line keeps its share of the discount; the other lines are not reduced further.
"""

from typing import Final, cast

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.ingest.files.export_files import ROW
from recsys.ingest.sources.order_lines import OF_ORDER
from recsys.query_engine import keep, rows, value

#: Columns of lines with the amounts of their order, in minor units.
DISCOUNT, TOTAL, SHIPPING, TAX = OF_ORDER.values()
#: The order's stated and expected total, from adapters that compute it; else null.
STATED, EXPECTED = "order_total_minor", "order_expected_minor"
#: Largest rounding error per line. Minor units.
_ROUNDING: Final = 1
_STRUCK = ("void", "voided")


def allocate(lines: ir.Table, orders: ir.Table) -> ir.Table:
    """Spread a discount over the lines of its order, exact to the cent.

    Parameters
    ----------
    lines : ibis table
        ``_row, order_id, amount_minor, discount_minor``; only positive amounts get a share.
    orders : ibis table
        ``order_id``, ``reduced`` (the discount, >= 0) and ``gross`` (the sum of the order's lines
        before the discount, including rejected lines), both in minor units.

    Returns
    -------
    ibis table
        The same columns. Cumulative shares are rounded, so the shares add up to the discount.
    """
    joined = lines.left_join(orders, "order_id")
    net = ibis.ifelse(joined.amount_minor > 0, joined.amount_minor, 0).fill_null(0)
    table = joined.mutate(_net=net)
    upto = ibis.window(group_by="order_id", order_by=ROW, preceding=None, following=0)
    table = table.mutate(_upto=table["_net"].sum().over(upto))
    rate = ibis.least(table.reduced, table.gross) / table.gross.nullif(0)
    end, start = (
        (rate * place).round().cast("int64").fill_null(0)
        for place in (table["_upto"], table["_upto"] - table["_net"])
    )
    share = end - start
    return table.select(
        *(name for name in lines.columns if name not in ("amount_minor", "discount_minor")),
        amount_minor=table.amount_minor - share,
        discount_minor=table.discount_minor + share,
    )


def take_off(con: Backend, lines: ir.Table, rejected: ir.Table, notes: dict[str, int]) -> ir.Table:
    """Deduct order discounts from the lines.

    Parameters
    ----------
    con : ibis backend
        The engine; stores small temporary tables.
    lines : ibis table
        Typed lines without copies of orders, with ``DISCOUNT``.
    rejected : ibis table
        Rejected lines; ``amount_minor`` is null where unreadable.
    notes : dict
        Receives ``order_discount_beyond_its_lines`` and ``order_discounts_that_differ``.
    """
    counted = _counted(lines)
    good = counted.group_by("order_id").aggregate(
        reduced=counted[DISCOUNT].abs().max(),
        least=counted[DISCOUNT].abs().min(),
        gross=_positive(counted.amount_minor),
        **({"total": counted[TOTAL].max()} if TOTAL in counted.columns else {}),
    )
    good = keep(con, "orders_reduced", good.filter(good.reduced > 0))
    lost = _lost(rejected)
    orders = good.left_join(lost, "order_id")
    gross = orders.gross + orders.lost.fill_null(0)
    if TOTAL in lines.columns:  # derive the unreadable price from the stated total
        stated = ibis.greatest(orders.total + orders.reduced, gross)
        gross = ibis.ifelse(orders.unread.fill_null(False), stated.fill_null(gross), gross)
    orders = orders.mutate(gross=gross)
    orders = keep(con, "orders_discount", orders.select("order_id", "reduced", "least", "gross"))
    (counts,) = rows(
        con,
        orders.aggregate(
            beyond=(orders.reduced > orders.gross).sum().fill_null(0),
            differ=(orders.reduced != orders.least).sum().fill_null(0),
        ),
    )
    _note(notes, "order_discount_beyond_its_lines", counts["beyond"])
    _note(notes, "order_discounts_that_differ", counts["differ"])
    return keep(
        con, "lines_reduced", allocate(lines, orders.select("order_id", "reduced", "gross"))
    )


def compare(con: Backend, lines: ir.Table, rejected: ir.Table) -> tuple[int, str | None]:
    """Count the orders whose total differs from the sum of their lines.

    Parameters
    ----------
    con : ibis backend
    lines : ibis table
        Typed lines without copies, net of all discounts, with ``TOTAL``, or with ``STATED`` and
        ``EXPECTED``.
    rejected : ibis table
        Rejected lines.

    Returns
    -------
    n_orders : int
        Orders whose total matches neither with nor without shipping and tax. Cancelled orders, and
        orders with a rejected line of unreadable amount, are not checked.
    example : str or None
        A description of the first such order.
    """
    counted = _counted(lines)
    if STATED in lines.columns:
        sums = counted.group_by("order_id").aggregate(
            total=counted[STATED].max(),
            made=counted[EXPECTED].max(),
            n=counted.count(),
            cancelled=counted.cancelled.any(),
            row=counted[ROW].min(),
        )
        far = (sums.made - sums.total).abs() > _ROUNDING * sums.n
        return _first(con, sums.filter(~sums.cancelled & far.fill_null(False)))
    nothing = ibis.literal(0, "int64")
    extra = {
        name: counted[column].max().fill_null(0) if column in counted.columns else nothing
        for name, column in (("shipping", SHIPPING), ("tax", TAX))
    }
    made = counted.group_by("order_id").aggregate(
        total=counted[TOTAL].max(),
        made=counted.amount_minor.sum(),
        n=counted.count(),
        unknown=counted.amount_minor.isnull().any(),
        cancelled=counted.cancelled.any(),
        row=counted[ROW].min(),
        **extra,
    )
    orders = made.left_join(_lost(rejected), "order_id")
    lines_make = orders.made + orders.lost.fill_null(0)
    fits = [
        (lines_make + more - orders.total).abs() <= _ROUNDING * orders.n
        for more in (nothing, orders.shipping, orders.tax, orders.shipping + orders.tax)
    ]
    looked = ~orders.unknown & ~orders.cancelled & ~orders.unread.fill_null(False)
    odd = orders.filter(looked & orders.total.notnull() & ~ibis.or_(*fits))
    return _first(con, odd.mutate(made=lines_make))


def _first(con: Backend, odd: ir.Table) -> tuple[int, str | None]:
    """Count orders whose sum differs from their total, and describe the first."""
    odd = keep(con, "totals_odd", odd.select("order_id", "total", "made", "row"))
    count = int(value(con, odd.count()))
    first = rows(con, odd.order_by("row").limit(1))
    if not first:
        return 0, None
    one = first[0]
    return (
        count,
        f"{one['order_id']}: {one['total']} stated, {one['made']} in its lines (minor units)",
    )


def _counted(lines: ir.Table) -> ir.Table:
    """Select the lines that count towards an order's total."""
    return lines.filter(~lines.line_type.isin(_STRUCK).fill_null(False))


def _lost(rejected: ir.Table) -> ir.Table:
    """Sum the rejected lines of each order, and flag unreadable amounts."""
    return (
        rejected.filter(rejected.order_id.notnull())
        .group_by("order_id")
        .aggregate(
            lost=_positive(rejected.amount_minor), unread=rejected.amount_minor.isnull().any()
        )
    )


def _positive(amount: ir.IntegerColumn) -> ir.IntegerScalar:
    return cast(ir.IntegerScalar, amount.sum(where=amount > 0).fill_null(0))


def _note(notes: dict[str, int], name: str, count: int) -> None:
    if count:
        notes[name] = notes.get(name, 0) + int(count)
