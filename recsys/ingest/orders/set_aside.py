"""What nobody vouches for and is odd is set aside: it teaches nothing, and stops no training.

An order that channels told of, that names no customer and that no export knows, is odd where its
currency is none of the workspace's, where nobody else knows one of its products, or where such
orders come in bulk. Of what pages told of, with keys that anybody can read, the products are held
against what others know, and a purchase counts once somebody else told of its order. What is set
aside stays in the ledger; an export of the same order brings it in. Called by ``live`` and
``unify``.
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
#: So many days of orders say what a usual day is; fewer say nothing.
_LEAST_DAYS: Final = 28
#: What came before a day within so many days says what is usual of orders of nobody.
_BEFORE_DAYS: Final = 56
#: So many orders of nobody are no bulk on any day.
_FEW: Final = 50


_COLUMNS: Final = pa.schema([("order_id", pa.string()), ("reason", pa.string())])


class Trusted(NamedTuple):
    """What is held against."""

    items: ir.Table
    """``item_id`` of products that exports and the back office name."""
    currencies: Collection[str]
    """Of the settings."""
    most: float
    """Orders of nobody in a day, as a multiple of a usual day's."""


def odd(con: Backend, name: str, orders: ir.Table, others: ir.Table, trusted: Trusted) -> ir.Table:
    """Find the orders that nobody vouches for and that are odd.

    Parameters
    ----------
    con : ibis backend
        The engine; keeps what is found.
    name : str
        Under which it keeps that.
    orders : ibis table
        Lines of live orders that no export knows.
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
    told = {row["day"]: int(row["n"]) for row in rows(con, by_day)}
    bulk = in_bulk(told, _usual(con, vouched), trusted.most)
    if bulk:
        much = found.reason.isnull() & found.day.isin(sorted(bulk))
        found = found.mutate(reason=ibis.ifelse(much, BULK, found.reason))
    return keep(con, name, found.filter(found.reason.notnull()).select("order_id", "reason"))


def in_bulk(by_day: Mapping[date, int], usual: float | None, most: float) -> set[date]:
    """Return the days on which too many orders of nobody were told of.

    Parameters
    ----------
    by_day : mapping
        Day → orders of nobody that channels told of.
    usual : float or None
        Orders of a usual day that exports know or that name somebody; None where too few days are
        known, and nothing is too many.
    most : float
        So many times a usual day, or a usual one of theirs over the eight weeks before, if that is
        more, are not too many.
    """
    if usual is None:
        return set()
    found = set()
    for day, count in by_day.items():
        before = [by_day.get(day - timedelta(days=n), 0) for n in range(1, _BEFORE_DAYS + 1)]
        if count > max(_FEW, most * max(usual, median(before))):
            found.add(day)
    return found


def _usual(con: Backend, vouched: ir.Table) -> float | None:
    """Return the orders of a usual day; None where there are too few days to say."""
    sold = vouched.filter(vouched.kind == SALE)
    (found,) = rows(
        con,
        sold.aggregate(
            orders=sold.order_id.nunique(),
            first=sold.occurred_at.min().date(),
            last=sold.occurred_at.max().date(),
        ),
    )
    if found["first"] is None:
        return None
    days = (found["last"] - found["first"]).days + 1
    return int(found["orders"]) / days if days >= _LEAST_DAYS else None


def confirmed(
    con: Backend, told: ir.Table, of_pages: ir.Table, candidates: ir.Table, lines: ir.Table
) -> ir.Table:
    """Return ``order_id`` of orders of pages that somebody else told of.

    Parameters
    ----------
    con : ibis backend
        The engine; keeps what orders are called.
    told, of_pages : ibis table
        What orders are called that channels and pages told of, as ``live.numbers`` returns it.
    candidates : ibis table
        What exports may call those of pages.
    lines : ibis table
        With the ``order_id`` of everything that was exported.
    """
    of_pages = keep(con, "page_orders", of_pages)
    told = keep(con, "told_orders", told.select("order_id"))
    exported = keep(con, "page_candidates", candidates)
    exported = exported.semi_join(lines, [("exported", "order_id")])
    both = ibis.union(of_pages.semi_join(told, "order_id"), of_pages.semi_join(exported, "number"))
    return keep(con, "page_orders_confirmed", both.select("order_id").distinct())


class OfPages(NamedTuple):
    """What became of what pages told of."""

    gone: ir.Table
    """``event_id`` of events that count nothing."""
    counts: Counter[str]
    """``confirmed``, ``unconfirmed``, ``product`` (set aside), and ``exported``: whoever told of
    them, events that an export holds."""


def of_pages(
    con: Backend, pages: ir.Table, events: ir.Table, items: ir.Table, confirmed: ir.Table
) -> OfPages:
    """Find what pages told of that counts nothing.

    Parameters
    ----------
    con : ibis backend
        The engine; keeps the few events of pages.
    pages : ibis table
        As ``recsys.ingest.staged.PAGES``.
    events : ibis table
        Staged events with their ``source``.
    items : ibis table
        ``item_id`` of products that anybody else knows.
    confirmed : ibis table
        ``order_id`` of orders that somebody else told of.
    """
    exported = events.filter(events.source != LIVE).select("event_id").distinct()
    bought = pages.filter(pages.purchase)
    unconfirmed = bought.anti_join(confirmed, "order_id")
    looked = pages.filter(~pages.purchase)
    again = looked.semi_join(exported, [("told_id", "event_id")])
    rest = looked.anti_join(exported, [("told_id", "event_id")])
    named = events.filter((events.source == LIVE) & events.item_id.notnull())
    strange = named.anti_join(items, "item_id").select("event_id").distinct()
    odd_ones = rest.semi_join(strange, "event_id")
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
    told = events.filter((events.source == LIVE) & (events.event != "purchase"))
    told = told.anti_join(pages, "event_id").semi_join(exported, "event_id")
    counts["exported"] += int(value(con, told.event_id.nunique()))
    return OfPages(gone.select("event_id"), counts)
