"""Decides which orders of several files that share a number are one order.

In: one row per order and file. Out: the order ids of the history. The rules are those of
``shared_numbers``. Called by ``exported_orders``.
"""

from typing import Any, Final, cast

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.ingest.files.export_files import ROW
from recsys.ingest.orders.shared_numbers import (
    DAY,
    FILE_GAP,
    MOMENT,
    MOVED,
    NOT_CUSTOMERS,
    SIGN,
    ZONES,
    disagree,
    interval,
    kinds_of_customers,
)
from recsys.query_engine import fetch, keep, value

#: Prefix of the columns with an order's identifiers, by type.
_VALUE: Final = "value "


def _value(kind: str) -> str:
    return f"{_VALUE}{kind}"


def across_files(con: Backend, orders: ir.Table, lines: ir.Table, seen: ir.Table) -> ir.Table:
    """Match orders of several files, and give distinct ids to orders that differ.

    Parameters
    ----------
    con : ibis backend
        The engine; stores temporary tables.
    orders : ibis table
        One row per order and file, for numbers with several orders: ``order_id, sequence``,
        ``number`` (the id before ``within_file`` changed it), ``first`` (earliest time),
        ``channel``, ``place`` (location) and ``dates_only`` (the file has no times of day).
    lines : ibis table
        ``order_id, sequence, item_id, quantity``.
    seen : ibis table
        ``group_id, sequence, type, value, blocked``: identifiers of the orders of a file.

    Returns
    -------
    ibis table
        ``order_id, sequence, number, final``: the orders of every number that has several.
    """
    units, kinds = _with_identifiers(con, orders, seen)
    doubted = keep(con, "numbers_doubted", _doubted(units))
    units = keep(con, "numbers_units", units.semi_join(doubted, "number"))
    if not value(con, units.count()):
        return keep(
            con, "numbers_final", units.select("order_id", "sequence", "number", final="number")
        )
    units = keep(con, "numbers_bought", _with_items(units, lines))
    clusters = keep(con, "numbers_apart", _apart(_with_keys(units, kinds), kinds))
    nth = ibis.dense_rank().over(ibis.window(group_by="number", order_by=["cluster_at", "cluster"]))
    clusters = clusters.mutate(_nth=nth)
    same = ibis.window(group_by=["number", "cluster_at"])
    tie = clusters["_nth"] - clusters["_nth"].min().over(same)
    stamp = clusters.cluster_at.strftime("%Y%m%dT%H%M%S")
    more = ibis.ifelse(tie > 0, ibis.literal(SIGN) + (tie + 1).cast("string"), "")
    final = ibis.ifelse(
        clusters["_nth"] == 0, clusters.number, clusters.number + SIGN + stamp + more
    )
    return keep(
        con, "numbers_final", clusters.select("order_id", "sequence", "number", final=final)
    )


def meant(con: Backend, lines: ir.Table, orders: ir.Table) -> ir.Table:
    """Find the order of each return whose ``return_of`` is a shared number.

    Parameters
    ----------
    con : ibis backend
        The engine; stores the result.
    lines : ibis table
        Lines of returns: ``_row, sequence, occurred_at, location_id, return_of``.
    orders : ibis table
        ``number, order_id, first, place`` of the orders that share a number.

    Returns
    -------
    ibis table
        ``_row, sequence, meant``: the latest such order before the return, preferably at the same
        location.
    """
    pairs = lines.join(orders, lines.return_of == orders.number)
    pairs = pairs.filter(pairs["first"] <= pairs.occurred_at)
    here = (pairs.place == pairs.location_id).fill_null(False)
    latest = ibis.window(
        group_by=[ROW, "sequence"], order_by=[ibis.desc(here), ibis.desc("first"), "order_id"]
    )
    ranked = pairs.mutate(_nth=ibis.row_number().over(latest))
    found = ranked.filter(ranked["_nth"] == 0)
    return keep(con, "returns_meant", found.select(ROW, "sequence", meant="order_id"))


def _with_identifiers(con: Backend, orders: ir.Table, seen: ir.Table) -> tuple[ir.Table, list[str]]:
    """Add a column per identifier type with the order's identifier."""
    identifiers = seen.semi_join(orders, [("group_id", "order_id"), "sequence"])
    identifiers = identifiers.filter(
        ~identifiers.type.isin(NOT_CUSTOMERS) & identifiers.blocked.isnull()
    )
    identifiers = keep(con, "numbers_people", identifiers)
    kinds = kinds_of_customers(
        fetch(con, identifiers.select("type").distinct())["type"].to_pylist()
    )
    if not kinds:
        return orders, kinds
    values = identifiers.group_by(
        _unit=identifiers.group_id, _sequence=identifiers.sequence
    ).aggregate(
        **{_value(kind): identifiers.value.min(where=identifiers.type == kind) for kind in kinds}
    )
    joined = orders.left_join(
        values, [orders.order_id == values["_unit"], orders.sequence == values["_sequence"]]
    )
    return keep(con, "numbers_named", joined.drop("_unit", "_sequence")), kinds


def _doubted(units: ir.Table) -> ir.Table:
    """Select numbers whose orders differ in any known attribute."""
    kinds = [name for name in units.columns if name.startswith(_VALUE)]
    at_tills = units.channel == "pos"
    differing = units.group_by("number").aggregate(
        span=units["first"].max() - units["first"].min(),
        places=(units.place.min(where=at_tills) != units.place.max(where=at_tills)),
        dates_only=units.dates_only.any(),
        named=ibis.or_(units.number.isnull(), *(units[kind].notnull() for kind in kinds)).all(),
        split=(units.order_id != units.number).any(),
        **{
            f"{kind} {side}": getattr(units[kind], side)()
            for kind in kinds
            for side in ("min", "max")
        },
    )
    differ = disagree(
        {kind: (differing[f"{kind} min"], differing[f"{kind} max"]) for kind in kinds}
    )
    doubted = (
        (differing.span > interval(MOMENT))
        | differing.places.fill_null(False)
        | (differing.dates_only & ~differing.named)
        | differing.split
        | differ
    )
    return differing.filter(doubted.fill_null(False)).select("number", "split")


def _with_items(units: ir.Table, lines: ir.Table) -> ir.Table:
    """Add each order's items, their digest, and the first file with any of them."""
    bought = lines.semi_join(units, ["order_id", "sequence"]).select(
        "order_id", "sequence", "item_id", held=lines.item_id + "\t" + lines.quantity.cast("string")
    )
    digest = bought.group_by("order_id", "sequence").aggregate(
        digest=bought.held.group_concat("\n", order_by=bought.held).hexdigest("md5"),
        goods=bought.item_id.collect(distinct=True).sort(),
    )
    items = bought.select("order_id", "sequence", "item_id").distinct()
    items = items.join(units.select("order_id", "sequence", "number"), ["order_id", "sequence"])
    before = ibis.window(group_by=["number", "item_id"])
    items = items.mutate(_since=items.sequence.min().over(before))
    since = items.group_by("order_id", "sequence").aggregate(since=items["_since"].min())
    return units.join(digest, ["order_id", "sequence"]).join(since, ["order_id", "sequence"])


def _with_keys(units: ir.Table, kinds: list[str]) -> ir.Table:
    """Add ``_place``, ``_who`` and ``_goods``, which separate orders regardless of time."""
    whole = ibis.window(group_by="number")
    split = (units.order_id != units.number).any().over(whole)
    place = units.place.fill_null("")
    usual = units.place.max().over(whole).fill_null("")
    place = ibis.ifelse(place == "", usual, place)
    has_customer = ibis.or_(units.number.isnull(), *(units[_value(k)].notnull() for k in kinds))
    goods_only = units.dates_only.any().over(whole) & ~has_customer.any().over(whole)
    units = units.mutate(
        _place=ibis.ifelse((units.channel == "pos") | split, place, ""),
        _goods=ibis.ifelse(goods_only, units.since, 0),
    )
    columns = {kind: units[_value(kind)] for kind in kinds}
    differ = disagree({k: (c.min().over(whole), c.max().over(whole)) for k, c in columns.items()})
    # The same goods at the same time with another customer: the customer was corrected.
    corrected = (
        (units.goods.min().over(whole) == units.goods.max().over(whole))
        & (units["first"].min().over(whole) == units["first"].max().over(whole))
        & ~units.dates_only.any().over(whole)
        & ~split
    )
    known = [(c.min().over(whole).notnull(), c) for c in columns.values()]
    who = ibis.cases(*known) if known else ibis.null("string")
    units = units.mutate(_who=ibis.ifelse(differ & ~corrected, who, ibis.null("string")))
    beside = ibis.window(group_by=["number", "_place", "first"])
    return units.mutate(_who=ibis.coalesce(units["_who"], units["_who"].min().over(beside), ""))


def _apart(units: ir.Table, kinds: list[str]) -> ir.Table:
    """Split the orders of each number, place and customer that cannot be one order."""
    key = ["number", "_place", "_who", "_goods"]
    order = ["first", "sequence", "order_id"]
    by_time = ibis.window(group_by=key, order_by=order)
    gap = units["first"] - units["first"].lag().over(by_time)
    columns = [units[_value(kind)] for kind in kinds]
    no = ibis.literal(value=False)
    same = ibis.or_(no, *((c == c.lag().over(by_time)).fill_null(False) for c in columns))
    common = units.goods.intersect(units.goods.lag().over(by_time)).length()
    most = ibis.greatest(units.goods.length(), units.goods.lag().over(by_time).length())
    units = units.mutate(_common=common, _alike=common * 2 > most)
    within = (gap <= interval(FILE_GAP)) | ((gap <= interval(MOVED)) & units["_alike"])
    moved = (units.channel != "pos") & same & within
    cut = (gap > interval(MOMENT)) & ~moved & ~_told_otherwise(units, by_time, gap)
    table = units.mutate(_cut=cut.fill_null(False).cast("int64"))
    upto = ibis.window(group_by=key, order_by=order, preceding=None, following=0)
    table = table.mutate(_run=table["_cut"].sum().over(upto))
    parts = (table["_who"], table["_goods"].cast("string"), table["_run"].cast("string"))
    cluster = table["_place"]
    for part in parts:
        cluster = cluster + "\t" + part
    table = table.mutate(cluster=cluster)
    inside = ibis.window(group_by=["number", "cluster"])
    return table.mutate(cluster_at=table["first"].min().over(inside))


def _told_otherwise(units: ir.Table, by_time: Any, gap: ir.Value) -> ir.BooleanValue:
    """Return whether two exports have one order with equal items at different times.

    The times may differ by less than an hour, by hours if one export used a wrong zone, or by the
    time of day if one export has none.
    """
    equal = units.digest == units.digest.lag().over(by_time)
    seconds = units["first"].epoch_seconds() - units["first"].lag().over(by_time).epoch_seconds()
    zones = (seconds % 1800 == 0) & (gap <= interval(ZONES))
    dates = (units.dates_only | units.dates_only.lag().over(by_time)) & (gap < interval(DAY))
    differs = (
        ((gap <= interval(FILE_GAP)) & units["_alike"])
        | (zones & equal & ~dates)
        | (dates & (units["_common"] > 0))
    )
    return cast(ir.BooleanValue, differs.fill_null(False))
