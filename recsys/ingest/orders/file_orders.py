"""Groups the typed lines of one file into its orders.

In: accepted and rejected lines. Out: the lines that count in this file: without copies, with a
distinct id for each order, net of order discounts. Called by ``staging``.
"""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.config import IdentitySettings
from recsys.ingest.orders import allocation, shared_numbers
from recsys.ingest.orders.duplicates import mark_repeats, runs
from recsys.ingest.parts import Part
from recsys.ingest.sources import order_lines
from recsys.ingest.sources.line_refunds import with_refunds
from recsys.query_engine import keep, rows, value


def file_orders(
    con: Backend,
    good: ir.Table,
    rejected: ir.Table,
    part: Part,
    midnights: Sequence[int],
    settings: IdentitySettings,
) -> ir.Table:
    """Separate orders with the same number, drop copies, and apply order discounts.

    Parameters
    ----------
    con : ibis backend
        The engine; stores tables that are used more than once.
    good, rejected : ibis table
        Typed lines.
    part : Part
        Receives counts, notes and properties of the file's times.
    midnights : sequence of int
        Seconds after midnight UTC at which days begin in the source's zone.
    settings : IdentitySettings
        Its blocked identifiers do not identify a customer.
    """
    identifiers = {
        name.removeprefix(order_lines.RAW_IDENTIFIER): name
        for name in good.columns
        if name.startswith(order_lines.RAW_IDENTIFIER)
    }
    if "repeated" not in good.columns:
        file_runs = keep(con, "orders_seen", runs(good, shared_numbers.facts(good, identifiers)))
        apart, notes = shared_numbers.within_file(con, good, file_runs, identifiers, settings)
        if apart is not good:
            good = keep(con, "lines_apart", apart)
            file_runs = keep(con, "orders_seen", runs(good, {}))
        good, notes["orders_changed_in_a_file"] = mark_repeats(con, good, file_runs)
        _note(part, {name: count for name, (count, _) in notes.items()})
        part.examples |= {name: f"{part.file}: {x}" for name, (n, x) in notes.items() if n}
    (counts,) = rows(
        con,
        good.aggregate(
            repeated=(good.repeated & ~_added(good)).sum().fill_null(0),
            added=(_added(good) & ~good.repeated).sum().fill_null(0),
            twice=(good.twice & ~good.repeated).sum().fill_null(0),
            # The engine's seconds have fractions despite their type.
            newest=good.occurred_at.truncate("s").epoch_seconds().max(where=~_added(good)),
            dates_only=(good.occurred_at.epoch_seconds() % 86400).isin(midnights).all(),
        ),
    )
    part.repeated, part.added = int(counts["repeated"]), int(counts["added"])
    part.newest_ts = int(counts["newest"] or 0)
    part.dates_only = bool(counts["dates_only"])
    _note(part, {"local_hour_came_twice_taken_as_first": int(counts["twice"])})
    good = good.filter(~good.repeated)
    if "refund_open" in good.columns:
        matched = good.filter(good.added).select("order_id").distinct()
        open_ = good.filter(good.refund_open).anti_join(matched, "order_id")
        count = value(con, open_.order_id.nunique())
        _note(part, {"refund_not_matched_to_a_line": int(count)})
        good = good.drop("refund_open")
    good = good.drop("repeated", "twice")
    if allocation.DISCOUNT in good.columns:
        good = allocation.take_off(con, good, rejected, part.notes)
    if allocation.TOTAL in good.columns or allocation.STATED in good.columns:
        count, example = allocation.compare(con, good, rejected)
        _note(part, {"order_total_differs_from_its_lines": count})
        if example:
            part.examples["order_total_differs_from_its_lines"] = f"{part.file}: {example}"
    if order_lines.REFUNDED in good.columns:
        good = keep(con, "lines_with_refunds", with_refunds(con, good, part.notes))
        part.added = int(value(con, good.added.sum().fill_null(0)))
    used = (*order_lines.OF_ORDER.values(), allocation.STATED, allocation.EXPECTED)
    return good.drop(*(name for name in used if name in good.columns))


def _note(part: Part, counts: dict[str, int]) -> None:
    for name, count in counts.items():
        if count:
            part.notes[name] = part.notes.get(name, 0) + count


def _added(table: ir.Table) -> ir.BooleanValue:
    added: ir.BooleanValue = table.added if "added" in table.columns else ibis.literal(value=False)
    return added
