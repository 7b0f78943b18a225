"""Merges live orders and exported orders: if both contain an order, the export counts.

In: lines of exports and of the service, with their customers. Out: the lines that count, and the
outcomes of the live orders. Called by ``unify`` if there are live events.

A live purchase and an exported order of the same number are one order if their times differ by at
most ``NEAR`` and they have the same customer or channel. Orders of different stores are never the
same; online orders of the same customer always are. For such an order the export counts, even if it
is cancelled there. If the export has no customer, the order keeps the customer of the live
purchase.

A live refund belongs to the order of its number, preferably one of the same customer, then one of
the same channel or store, else the only order of that number. It returns the listed products, or
everything, as far as not yet returned. Returns in exports count first. A refund of an unknown order
counts if it lists its products.

Suspicious unconfirmed orders do not count (``set_aside``), nor do their refunds.

``ledger.events.purchases`` applies the same events to one customer's row when they arrive, and
knows an order by its number alone; here the times, places and customers of all orders decide.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend

from recsys.ingest.orders.set_aside import Trusted, odd
from recsys.ingest.staged import LIVE
from recsys.query_engine import keep, rows, value
from recsys.schema import RETURN, SALE
from recsys.units import LEAST_QUANTITY

#: Scope of order numbers that belong to no store.
ONLINE = "online"
_ORDER = ("order_id", "number", "scope")
#: Largest difference between the times of one order in a channel and in its export.
NEAR = timedelta(hours=12)


@dataclass
class Fates:
    """Outcomes of live orders and refunds.

    Attributes
    ----------
    kept : int
    exported : int
        Orders that an export contains.
    nothing_back : int
        Refunds of goods that were already returned, or of unknown goods.
    set_aside : Counter
        Number of orders by reason.
    """

    kept: int = 0
    exported: int = 0
    nothing_back: int = 0
    set_aside: Counter[str] = field(default_factory=Counter)


def numbers(reported: ir.Table, systems: Collection[str]) -> tuple[ir.Table, ir.Table]:
    """Return the numbers of live orders, and their possible ids in exports.

    Parameters
    ----------
    reported : ibis table
        As ``recsys.ingest.staged.LIVE_LINES``.
    systems : collection of str
        Systems whose orders are exported, with ids of the form ``<system>:<number>``.

    Returns
    -------
    numbers : ibis table
        ``order_id, number, scope`` of each live purchase or refund.
    candidates : ibis table
        ``number, exported``: possible ids of an order in exports.
    """
    live_numbers = reported.select("order_id", "scope", number=reported.transaction_id).distinct()
    names = ibis.memtable(pa.table({"system": pa.array(sorted(systems), pa.string())}))
    crossed = live_numbers.select("number").distinct().cross_join(names)
    return live_numbers, crossed.select("number", exported=crossed.system + ":" + crossed.number)


def seen_once(seen: ir.Table, live_numbers: ir.Table, candidates: ir.Table) -> ir.Table:
    """Drop live observations of an order that its export repeats.

    Parameters
    ----------
    seen : ibis table
        As ``recsys.identity.links.OBSERVATIONS``.
    live_numbers, candidates : ibis table
        From ``numbers``.
    """
    reported = seen.filter(seen.source == LIVE)
    reported = reported.join(live_numbers, reported.group_id == live_numbers.order_id).join(
        candidates, "number"
    )
    key = ("group_id", "type", "value")
    exported = seen.filter(seen.source != LIVE).select(*key)
    both = reported.semi_join(exported, [("exported", "group_id"), "type", "value"])
    again = both.select(*key, source=ibis.literal(LIVE)).distinct()
    return seen.anti_join(again, [*key, "source"])


def without_exported(
    con: Backend, lines: ir.Table, exported: ir.Table, live_numbers: ir.Table, trusted: Trusted
) -> tuple[ir.Table, Fates]:
    """Drop live orders that exports contain, and match live refunds to their orders.

    Parameters
    ----------
    con : ibis backend
        The engine; stores the few live lines.
    lines : ibis table
        Lines with customers; live ones have the source ``live``.
    exported : ibis table
        ``order_id, number, occurred_at, customer_id, channel, location_id`` of exported lines
        whose order has the number of a live one, including lines that are left out.
    live_numbers : ibis table
        From ``numbers``.
    trusted : Trusted
        Reference for orders without a customer.

    Returns
    -------
    lines : ibis table
        The same columns.
    fates : Fates
    """
    others = lines.filter(lines.source != LIVE)
    live = keep(con, "live", lines.filter(lines.source == LIVE).join(live_numbers, "order_id"))
    bought, back = (
        live.filter(live.kind == SALE),
        live.filter(live.kind == RETURN),
    )
    same = keep(con, "live_exported", _same_orders(_orders(bought, *_ORDER), exported))
    fates = Fates(exported=_count(con, same))
    not_exported = keep(con, "live_standing", bought.anti_join(same, "order_id"))
    aside = odd(con, "live_odd", not_exported, others, trusted)
    fates.set_aside.update(_reasons(con, aside))
    standing = not_exported.anti_join(aside, "order_id")
    fates.kept = _count(con, standing)
    known = (
        same.filter(same.customer_id.notnull())
        .group_by("exported")
        .aggregate(_live_customer=same.customer_id.min())
    )
    known = keep(con, "live_customers", known)
    if value(con, known.count()):
        others = _filled(others, known).select(*lines.columns)
    sold = ibis.union(others, standing.select(*lines.columns))
    if not value(con, back.count()):
        return sold, fates
    orders = ibis.union(
        _orders(_filled(exported, known), "order_id", "number"),
        _orders(not_exported, "order_id", "number"),
    )
    of = keep(con, "live_refunded", _refunded(_orders(back, *_ORDER, "return_of"), orders))
    live = keep(con, "live_returned", back.join(of, "order_id"))
    n_back = _count(con, live)
    gone = of.join(aside.select(of="order_id", reason="reason"), "of").select("order_id", "reason")
    alone = odd(con, "live_odd_back", live.filter(live.of.isnull()), others, trusted)
    aside = keep(con, "live_back_aside", ibis.union(gone, alone))
    fates.set_aside.update(_reasons(con, aside))
    returns = _returns(con, live.anti_join(aside, "order_id"), sold).select(*lines.columns)
    returns = keep(con, "live_returns", returns)
    kept = _count(con, returns)
    fates.kept += kept
    fates.nothing_back = n_back - kept - _count(con, aside)
    return ibis.union(sold, returns), fates


def orders_left_out(con: Backend, marked: ir.Table) -> dict[str, int]:
    """Count live orders without any remaining line, by the rule that excludes them.

    Parameters
    ----------
    con : ibis backend
    marked : ibis table
        Lines with ``left_out``, from ``corrections.leave_out``.
    """
    live = marked.filter(marked.source == LIVE)
    orders = live.group_by("order_id").aggregate(
        gone=live.left_out.notnull().all(), rule=live.left_out.min()
    )
    gone = orders.filter(orders.gone)
    by_rule = gone.group_by("rule").aggregate(n=gone.count())
    return {row["rule"]: int(row["n"]) for row in rows(con, by_rule)}


def _count(con: Backend, lines: ir.Table) -> int:
    """Count orders."""
    return int(value(con, lines.order_id.nunique()))


def _reasons(con: Backend, aside: ir.Table) -> dict[str, int]:
    counts = aside.group_by("reason").aggregate(n=aside.count())
    return {row["reason"]: int(row["n"]) for row in rows(con, counts)}


def _orders(lines: ir.Table, *key: str) -> ir.Table:
    """Return one row per order, with the columns that distinguish orders of one number."""
    return lines.group_by(list(key)).aggregate(
        customer_id=lines.customer_id.min(),
        channel=lines.channel.min(),
        location_id=lines.location_id.min(),
        at=lines.occurred_at.min(),
    )


def _filled(exported: ir.Table, known: ir.Table) -> ir.Table:
    """Fill in missing customers of exported orders."""
    joined = exported.left_join(known, exported.order_id == known.exported)
    return joined.mutate(customer_id=ibis.coalesce(joined.customer_id, joined["_live_customer"]))


def _same_orders(live: ir.Table, exported: ir.Table) -> ir.Table:
    """Return ``order_id``, the id of the same ``exported`` order, and its ``customer_id``."""
    pairs = live.join(_orders(exported, "order_id", "number"), "number", rname="{name}_theirs")
    whose = _equal(pairs, "customer_id")
    soon = _apart(pairs) <= NEAR.total_seconds()
    known = (pairs.scope == ONLINE) & whose
    pairs = pairs.filter(_near(pairs) & (known | (soon & (whose | _equal(pairs, "channel")))))
    first = [ibis.desc(_equal(pairs, "customer_id")), _apart(pairs), pairs.order_id_theirs]
    nth = ibis.row_number().over(ibis.window(group_by="order_id", order_by=first))
    pairs = pairs.mutate(_nth=nth)
    return pairs.filter(pairs["_nth"] == 0).select(
        "order_id", "customer_id", exported="order_id_theirs"
    )


def _refunded(refunds: ir.Table, orders: ir.Table) -> ir.Table:
    """Return ``order_id`` of each refund, and its order as ``of``; null if unknown."""
    pairs = refunds.join(orders, "number", rname="{name}_theirs")
    here = (pairs.order_id_theirs == pairs.return_of) | (_near(pairs) & _equal(pairs, "channel"))
    rank = ibis.ifelse(_equal(pairs, "customer_id"), 0, 2) + ibis.ifelse(here, 0, 1)
    alone = ibis.window(group_by="order_id")
    pairs = pairs.mutate(_rank=rank, _only=pairs.count().over(alone) == 1)
    pairs = pairs.filter((pairs["_rank"] < 3) | pairs["_only"])
    first = ibis.window(group_by="order_id", order_by=["_rank", "order_id_theirs"])
    pairs = pairs.mutate(_nth=ibis.row_number().over(first))
    matched = pairs.filter(pairs["_nth"] == 0).select(_refund="order_id", of="order_id_theirs")
    joined = refunds.left_join(matched, refunds.order_id == matched["_refund"])
    return joined.select("order_id", "of")


def _near(pairs: ir.Table) -> ir.BooleanValue:
    """Return whether two orders may belong to one store; online orders have none."""
    other_location = pairs.location_id_theirs
    return (pairs.scope == ONLINE) | other_location.isnull() | other_location.isin([pairs.scope])


def _apart(pairs: ir.Table) -> ir.IntegerValue:
    """Return the difference between the times of two orders, in seconds."""
    between = pairs["at"].epoch_seconds() - pairs.at_theirs.epoch_seconds()
    return cast(ir.IntegerValue, between.abs())


def _equal(pairs: ir.Table, column: str) -> ir.BooleanValue:
    return (pairs[column] == pairs[f"{column}_theirs"]).fill_null(False)


def _returns(con: Backend, back: ir.Table, sold: ir.Table) -> ir.Table:
    """Return the lines of refunds, with products and prices of their orders if known."""
    back = keep(con, "live_back", back)
    concerned = back.filter(back.of.notnull()).select("of").distinct()
    lines = keep(
        con,
        "live_concerned",
        sold.mutate(_of=ibis.coalesce(sold.return_of, sold.order_id)).semi_join(
            concerned, [("_of", "of")]
        ),
    )
    held = lines.group_by(of=lines["_of"], item_id=lines.item_id).aggregate(
        _sold=lines.quantity.sum(where=lines.kind == SALE),
        _stated=-lines.quantity.sum(where=lines.kind == RETURN).fill_null(0.0),
        _price=lines.unit_price_minor.max(where=lines.kind == SALE),
        _paid=lines.amount_minor.sum(where=lines.kind == SALE),
        _reduced=lines.discount_minor.sum(where=lines.kind == SALE),
        _currency=lines.currency.max(where=lines.kind == SALE),
        _whose=lines.customer_id.min(where=lines.kind == SALE),
    )
    held = held.filter(held["_sold"] > 0)
    by_product = back.filter(back.item_id.notnull()).join(held, ["of", "item_id"])
    whole = back.filter(back.item_id.isnull()).drop("item_id").join(held, "of")
    requested = ibis.union(
        by_product.mutate(_asked=by_product.quantity.abs()),
        whole.mutate(_asked=whole["_sold"]).select(*by_product.columns, "_asked"),
    )
    upto = ibis.window(
        group_by=["of", "item_id"],
        order_by=["occurred_at", "order_id", "line_no"],
        preceding=None,
        following=0,
    )
    requested = requested.mutate(_upto=requested["_asked"].sum().over(upto))
    low, high = requested["_stated"], ibis.greatest(requested["_sold"], requested["_stated"])
    taken = requested["_upto"].clip(low, high) - (requested["_upto"] - requested["_asked"]).clip(
        low, high
    )
    requested = requested.mutate(_share=taken / requested["_sold"], quantity=-taken)
    place = ibis.row_number().over(
        ibis.window(group_by="order_id", order_by=["line_no", "item_id"])
    )
    made = requested.filter(-requested.quantity > LEAST_QUANTITY)
    made = made.mutate(
        line_no=(place + 1).cast("int32"),
        return_of=made.of,
        customer_id=ibis.coalesce(made.customer_id, made["_whose"]),
        unit_price_minor=made["_price"],
        discount_minor=(made["_reduced"] * made["_share"]).round().cast("int64"),
        amount_minor=-(made["_paid"] * made["_share"]).round().cast("int64"),
        currency=made["_currency"],
    )
    believed = back.filter(back.of.isnull() & back.item_id.notnull())
    return ibis.union(made.select(*sold.columns), believed.select(*sold.columns))
