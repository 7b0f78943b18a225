"""Selects the lines that enter the history from the staged lines of many exports.

In: all staged order lines. Out: the same lines with ``left_out``: null, or the rule that excludes
the line from the history. Called by ``unify``.

The rules, in order of application:

==================  ===========================================================================
``cancelled``       its order was cancelled
``void``            it was voided at the till, or voids an earlier line
``zero_quantity``   its quantity is zero
``non_product``     postage, a fee, a gift card: ``[rules]`` names ids, titles and categories
``free``            its shelf price is zero: a sample, a gift, a stock correction
==================  ===========================================================================
"""

import re
from collections.abc import Callable, Sequence
from functools import reduce

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.config import RuleSettings
from recsys.ingest.files.export_files import ROW
from recsys.query_engine import keep, rows, value
from recsys.schema import CORRECTION

#: Rule of lines whose order was cancelled.
CANCELLED = "cancelled"
#: Wildcards in the patterns of the rules.
_SIGNS = {"*": ".*", "?": "."}


def latest(
    con: Backend, lines: ir.Table, orders: ir.Table, split: Sequence[str]
) -> tuple[ir.Table, ir.Table, int]:
    """Keep the last export of every order.

    Parameters
    ----------
    con : ibis backend
        The engine; stores the orders that were exported twice.
    lines : ibis table
        Staged lines with ``sequence``: later exports have higher ones.
    orders : ibis table
        ``order_id, sequence, source`` and the number of ``lines``, per order and export.
    split : sequence of str
        Sources whose orders may span several files; there the last export of a line counts.

    Returns
    -------
    lines : ibis table
    older : ibis table
        ``order_id, sequence, source, lines, newest``: the replaced exports of orders, and the
        sequence that replaced them.
    alien : int
        Number of orders replaced by one without a product in common.
    """
    last = orders.sequence.max().over(ibis.window(group_by="order_id"))
    older = orders.mutate(newest=last).filter(lambda t: t.sequence < t.newest)
    names = ("order_id", "sequence", "source", "lines", "newest")
    whole = older.filter(~older.source.isin(split)) if split else older
    whole = keep(con, "orders_older", whole.select(*names))
    alien = 0
    if _any(con, whole):
        old = lines.semi_join(whole, ["order_id", "sequence"]).select("order_id", "item_id")
        lines = lines.anti_join(whole, ["order_id", "sequence"])
        common = old.semi_join(lines, ["order_id", "item_id"]).select("order_id").distinct()
        left = whole.select("order_id").distinct().anti_join(common, "order_id")
        alien = int(value(con, left.count()))
    if split:
        newest = lines.sequence.max().over(ibis.window(group_by=["order_id", "line_no"]))
        marked = lines.mutate(_newest=newest)
        stale = marked.source.isin(split) & (marked.sequence < marked._newest)
        gone = marked.filter(stale & ~marked.added)
        gone = gone.group_by("order_id", "sequence", "source", newest="_newest").aggregate(
            lines=gone.count()
        )
        whole = keep(con, "orders_replaced", ibis.union(whole, gone.select(*names)))
        lines = marked.filter(~stale).drop("_newest")
    return lines, whole, alien


def non_products(lines: ir.Table, products: ir.Table, rules: RuleSettings) -> ir.Table | None:
    """List the items that the rules exclude as non-products; None if there are no such rules."""
    titles = lines.group_by("item_id").aggregate(title=lines.title.max())
    items = titles.left_join(products, "item_id")
    conditions: list[ir.BooleanValue] = []
    if rules.non_product_ids:
        conditions.append(titles.item_id.re_search(_pattern(rules.non_product_ids, fold=False)))
    if rules.non_product_titles:
        pattern = _pattern(rules.non_product_titles)
        conditions += [items.title.re_search(pattern), items.title_right.re_search(pattern)]
    if rules.non_product_categories:
        pattern = _pattern(rules.non_product_categories)
        conditions += [items.department.re_search(pattern), items.category.re_search(pattern)]
    if not conditions:
        return None
    return items.filter(
        reduce(lambda a, b: a | b, (condition.fill_null(False) for condition in conditions))
    ).select("item_id")


def leave_out(
    con: Backend, lines: ir.Table, excluded: ir.Table | None, rules: RuleSettings
) -> tuple[ir.Table, dict[str, int]]:
    """Mark the lines that are not part of the history.

    Parameters
    ----------
    con : ibis backend
        The engine; stores small temporary tables.
    lines : ibis table
        Staged lines without copies of orders.
    excluded : ibis table, optional
        ``item_id`` of non-products.
    rules : RuleSettings

    Returns
    -------
    lines : ibis table
        With ``left_out``.
    notes : dict
        ``void_without_a_line``: number of voids without a matching line.
    """
    struck = lines.line_type.isin(["void", "voided"])
    (marked,) = rows(con, lines.aggregate(cancelled=lines.cancelled.any(), voids=struck.any()))
    if excluded is not None:
        excluded = keep(con, "items_excluded", excluded)
    table, unmatched = lines, dict[str, int]()
    rules_in_order: list[tuple[str, Callable[[ir.Table], ir.Value]]] = []
    if marked["cancelled"]:
        cancelled = lines.filter(lines.cancelled).select("order_id").distinct()
        cancelled = keep(con, "orders_cancelled", cancelled)
        table = table.left_join(cancelled.mutate(_cancelled=True), "order_id")
        rules_in_order.append((CANCELLED, lambda t: t._cancelled.notnull()))
    if marked["voids"]:
        voids, unmatched = _voided(con, lines)
        table = table.left_join(voids.mutate(_void=True), [ROW, "sequence"])
        rules_in_order.append(("void", lambda t: t._void.notnull()))
    rules_in_order.append(
        ("zero_quantity", lambda t: (t.quantity == 0) & (t.line_type.fill_null("") != CORRECTION))
    )
    if excluded is not None and _any(con, excluded):
        table = table.left_join(excluded.mutate(_excluded=True), "item_id")
        rules_in_order.append(("non_product", lambda t: t._excluded.notnull()))
    if rules.free_lines == "leave_out":
        rules_in_order.append(("free", lambda t: (t.unit_price_minor == 0).fill_null(False)))
    marks = ibis.cases(*((condition(table), reason) for reason, condition in rules_in_order))
    return table.select(*lines.columns, left_out=marks), unmatched


def _voided(con: Backend, lines: ir.Table) -> tuple[ir.Table, dict[str, int]]:
    """Find voided lines: the k-th void of an item cancels its k-th last sale of that quantity."""
    struck = lines.filter(lines.line_type == "voided").select(ROW, "sequence")
    voids = lines.filter(lines.line_type == "void")
    tickets = lines.semi_join(voids.select("order_id").distinct(), "order_id")
    tickets = tickets.mutate(
        _void=tickets.line_type == "void",
        _size=tickets.quantity.abs(),
    ).filter(lambda t: (t.line_type.fill_null("sale") == "sale") | t._void)
    key = ["order_id", "item_id", "_size", "_void"]
    by_row = ibis.row_number().over(ibis.window(group_by=key, order_by=ibis.desc(ROW)))
    ranked = keep(con, "voids", tickets.mutate(_nth=by_row))
    void, sale = ranked.filter(ranked._void), ranked.filter(~ranked._void)
    pair = ["order_id", "item_id", "_size", "_nth"]
    cancelled = sale.semi_join(void, pair).select(ROW, "sequence")
    unmatched = value(con, void.anti_join(sale, pair).count())
    voided = ibis.union(struck, void.select(ROW, "sequence"), cancelled, distinct=True)
    voided = keep(con, "voided", voided)
    return voided, {"void_without_a_line": int(unmatched)} if unmatched else {}


def _any(con: Backend, table: ir.Table) -> bool:
    return bool(value(con, table.count()))


def _pattern(patterns: Sequence[str], *, fold: bool = True) -> str:
    """Turn ``*`` and ``?`` patterns into one regular expression."""
    texts = ("".join(_SIGNS.get(sign, re.escape(sign)) for sign in p.strip()) for p in patterns)
    return f"{'(?i)' if fold else ''}^(?:{'|'.join(texts)})$"
