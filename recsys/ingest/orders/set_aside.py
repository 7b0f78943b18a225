"""Sets suspicious unconfirmed orders and events aside, so that no model learns from them.

A live order without a customer that no export contains is set aside if its currency is not used in
the workspace, if other sources do not know one of its products, or if such orders arrive in bulk.
Web pages report events with public keys. Their products are checked against other sources, and
their purchases count once another source confirms the order. Orders set aside stay in the ledger;
an export of the same order adds it to the history. Called by ``live_orders`` and ``unify``.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from statistics import median
from typing import Final, NamedTuple

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend

from recsys.ingest.staged import LIVE
from recsys.query_engine import keep, rows, value
from recsys.schema import SALE

#: Reasons.
CURRENCY: Final = "currency"
PRODUCT: Final = "product"
BULK: Final = "bulk"
#: Minimum days of orders to compute a usual day.
_LEAST_DAYS: Final = 28
#: Preceding days that determine a day's usual number of orders without a customer.
_BEFORE_DAYS: Final = 56
#: Up to this many orders without a customer in a day are always accepted.
_FEW: Final = 50

_COLUMNS: Final = pa.schema([("order_id", pa.string()), ("reason", pa.string())])


class Trusted(NamedTuple):
    """Reference values for unconfirmed orders."""

    items: ir.Table
    """``item_id`` of products known from exports and the back office."""
    currencies: Collection[str]
    """Currencies from the settings."""
    most: float
    """Maximum orders without a customer in a day, as a multiple of a usual day's orders."""


def odd(con: Backend, name: str, orders: ir.Table, others: ir.Table, trusted: Trusted) -> ir.Table:
    """Find the orders to set aside among those without a customer.

    Parameters
    ----------
    con : ibis backend
        The engine; stores the result.
    name : str
        Name of the stored table.
    orders : ibis table
        Lines of live orders that no export contains.
    others : ibis table
        Lines of exports.
    trusted : Trusted

    Returns
    -------
    ibis table
        ``order_id, reason``.
    """
    nobody = orders.customer_id.isnull()
    if not value(con, orders.filter(nobody).count()):
        return ibis.memtable(_COLUMNS.empty_table())
    columns = ("order_id", "item_id", "currency", "occurred_at", "kind")
    vouched = ibis.union(others.select(columns), orders.filter(~nobody).select(columns))
    known = ibis.union(trusted.items.select("item_id"), vouched.select("item_id")).distinct()
    known = keep(con, f"{name}_known", known.filter(known.item_id.notnull()).mutate(_known=True))
    currencies = {row["currency"] for row in rows(con, others.select("currency").distinct())}
    currencies = {found for found in currencies if found} | set(trusted.currencies)
    unknown = ibis.literal(bool(value(con, known.count())))
    lines = orders.filter(nobody).left_join(known, "item_id")
    lines = lines.mutate(
        _unknown=unknown & lines.item_id.notnull() & lines["_known"].isnull(),
        _foreign=~lines.currency.isin(sorted(currencies)),
    )
    found = lines.group_by("order_id").aggregate(
        foreign=lines["_foreign"].any(),
        unknown=lines["_unknown"].any(),
        day=lines.occurred_at.min().date(),
    )
    found = keep(con, f"{name}_judged", found)
    reason = ibis.cases(
        (found.foreign, CURRENCY), (found.unknown, PRODUCT), else_=ibis.null("string")
    )
    found = found.mutate(reason=reason)
    ordinary = found.filter(found.reason.isnull())
    by_day = ordinary.group_by("day").aggregate(n=ordinary.count())
    orders_by_day = {row["day"]: int(row["n"]) for row in rows(con, by_day)}
    bulk = in_bulk(orders_by_day, _usual(con, vouched), trusted.most)
    if bulk:
        much = found.reason.isnull() & found.day.isin(sorted(bulk))
        found = found.mutate(reason=ibis.ifelse(much, BULK, found.reason))
    return keep(con, name, found.filter(found.reason.notnull()).select("order_id", "reason"))


def in_bulk(by_day: Mapping[date, int], usual: float | None, most: float) -> set[date]:
    """Return the days with too many orders without a customer.

    Parameters
    ----------
    by_day : mapping
        Day → reported orders without a customer.
    usual : float or None
        Orders of a usual day that are exported or have a customer; None if too few days are known,
        which disables the check.
    most : float
        Limit as a multiple of ``usual``, or of the median of ``by_day`` over the preceding eight
        weeks, whichever is larger.
    """
    if usual is None:
        return set()
    bulk_days = set()
    for day, count in by_day.items():
        before = [by_day.get(day - timedelta(days=n), 0) for n in range(1, _BEFORE_DAYS + 1)]
        if count > max(_FEW, most * max(usual, median(before))):
            bulk_days.add(day)
    return bulk_days


def _usual(con: Backend, vouched: ir.Table) -> float | None:
    """Return the orders of a usual day; None if there are too few days."""
    sold = vouched.filter(vouched.kind == SALE)
    (totals,) = rows(
        con,
        sold.aggregate(
            orders=sold.order_id.nunique(),
            first=sold.occurred_at.min().date(),
            last=sold.occurred_at.max().date(),
        ),
    )
    if totals["first"] is None:
        return None
    days = (totals["last"] - totals["first"]).days + 1
    return int(totals["orders"]) / days if days >= _LEAST_DAYS else None


def confirmed(
    con: Backend, reported: ir.Table, of_pages: ir.Table, candidates: ir.Table, lines: ir.Table
) -> ir.Table:
    """Return ``order_id`` of orders that pages reported and another source confirms.

    Parameters
    ----------
    con : ibis backend
        The engine; stores the numbers of orders.
    reported, of_pages : ibis table
        Numbers of the orders that channels and pages reported, from ``live_orders.numbers``.
    candidates : ibis table
        Possible ids of the pages' orders in exports.
    lines : ibis table
        Lines with the ``order_id`` of all exported orders.
    """
    of_pages = keep(con, "page_orders", of_pages)
    reported = keep(con, "told_orders", reported.select("order_id"))
    exported = keep(con, "page_candidates", candidates)
    exported = exported.semi_join(lines, [("exported", "order_id")])
    both = ibis.union(
        of_pages.semi_join(reported, "order_id"), of_pages.semi_join(exported, "number")
    )
    return keep(con, "page_orders_confirmed", both.select("order_id").distinct())


class OfPages(NamedTuple):
    """Outcomes of the events of pages."""

    gone: ir.Table
    """``event_id`` of events that do not count."""
    counts: Counter[str]
    """``confirmed``, ``unconfirmed``, ``product`` (set aside), and ``exported``:
    events of any source that an export also contains."""


def of_pages(
    con: Backend, pages: ir.Table, events: ir.Table, items: ir.Table, confirmed: ir.Table
) -> OfPages:
    """Find the events of pages that do not count.

    Parameters
    ----------
    con : ibis backend
        The engine; stores the few events of pages.
    pages : ibis table
        As ``recsys.ingest.staged.PAGES``.
    events : ibis table
        Staged events with their ``source``.
    items : ibis table
        ``item_id`` of products that other sources know.
    confirmed : ibis table
        ``order_id`` of orders that another source confirms.
    """
    exported = events.filter(events.source != LIVE).select("event_id").distinct()
    bought = pages.filter(pages.purchase)
    unconfirmed = bought.anti_join(confirmed, "order_id")
    views = pages.filter(~pages.purchase)
    again = views.semi_join(exported, [("told_id", "event_id")])
    rest = views.anti_join(exported, [("told_id", "event_id")])
    with_product = events.filter((events.source == LIVE) & events.item_id.notnull())
    unknown = with_product.anti_join(items, "item_id").select("event_id").distinct()
    odd_ones = rest.semi_join(unknown, "event_id")
    gone = ibis.union(
        *(
            table.select("event_id", what=ibis.literal(what))
            for table, what in (
                (unconfirmed, "unconfirmed"),
                (again, "exported"),
                (odd_ones, PRODUCT),
            )
        )
    )
    gone = keep(con, "events_of_pages", gone)
    counted = gone.group_by("what").aggregate(n=gone.count())
    counts = Counter({row["what"]: int(row["n"]) for row in rows(con, counted)})
    (all_,) = rows(con, bought.aggregate(n=bought.count()))
    counts["confirmed"] = int(all_["n"]) - counts["unconfirmed"]
    of_channels = events.filter((events.source == LIVE) & (events.event != "purchase"))
    of_channels = of_channels.anti_join(pages, "event_id").semi_join(exported, "event_id")
    counts["exported"] += int(value(con, of_channels.event_id.nunique()))
    return OfPages(gone.select("event_id"), counts)
