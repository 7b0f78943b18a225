"""Orders that share a number are told apart: ticket 1 of every morning is another order.

Order lines that were grouped by number come in; out come the same lines, with an ``order_id`` of
its own for each order. ``within_file`` looks at the lines of one file, ``across_files`` at the
orders of all files. Called by ``staging`` and ``unify``.

Two rows are one order as long as what is known of them agrees:

- **place**: at tills, another location is another ticket. Elsewhere locations tell orders apart
  only where their times differ too, since one order may be sent from several places.
- **customer**: where both name somebody, one identifier has to agree. Cards that paid and devices
  do not count: one order may be paid with two cards.
- **time**: lines of one ticket lie at most ``TICKET_GAP`` apart. Elsewhere an order without a
  customer lies within ``ORDER_GAP`` or on neighbouring rows, a customer's within ``MOVED``. Of two
  files, the same order has the same time, give or take ``FILE_GAP``, or the same customer.
- **content**: files without times of day that name nobody have to share a product.

The earliest order of a number keeps it as its id; every other one gets its time behind it, as in
``tills:17~20240502T080500``.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, cast

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.data.engine import keep
from recsys.data.files import ROW
from recsys.data.links import ANCHORS

#: Lines of one ticket lie at most so far apart, one after the other.
TICKET_GAP: Final = timedelta(hours=3)
#: Lines of another order that names nobody.
ORDER_GAP: Final = timedelta(hours=36)
#: What two files say of one order's time.
FILE_GAP: Final = timedelta(hours=1)
#: Another time in a later file, where the customer is the same.
MOVED: Final = timedelta(days=31)
#: Stands between a number and the time that tells its orders apart.
SIGN: Final = "~"
_NOT_PEOPLE: Final = ("payment_token", "device")


def people(kinds: Sequence[str]) -> list[str]:
    """Return the identifier types that name one person each, strongest first."""
    named = [kind for kind in kinds if kind not in _NOT_PEOPLE]
    return sorted(named, key=lambda kind: (ANCHORS.index(kind) if kind in ANCHORS else 99, kind))


def within_file(
    con: Backend, lines: ir.Table, found: ir.Table, identifiers: dict[str, str]
) -> tuple[ir.Table, dict[str, int]]:
    """Give orders of one number in one file ids of their own.

    Parameters
    ----------
    con : ibis backend
        The engine; keeps what it looks at meanwhile.
    lines : ibis table
        Typed lines.
    found : ibis table
        One row an ``order_id``, with the columns of ``facts``.
    identifiers : dict
        Identifier type → column of ``lines``.

    Returns
    -------
    lines : ibis table
        With ``number`` where any order was told apart: the id as it was.
    counts : dict
        ``orders_over_several_days``: orders of nobody that were taken for one because their rows
        stand together.
    """
    kinds = people([*identifiers])
    span = found["last"] - found["first"]
    pos = found.channel == "pos"
    far = ibis.ifelse(pos, span > _interval(TICKET_GAP), span > _interval(ORDER_GAP))
    elsewhere = (found.place_min != found.place_max).fill_null(False)
    suspects = found.filter(
        far.fill_null(False) | elsewhere | _disagree({k: _ends(found, k) for k in kinds})
    )
    nobody = ~ibis.or_(ibis.literal(value=False), *(_ends(suspects, k)[0].notnull() for k in kinds))
    long = (suspects["last"] - suspects["first"] > _interval(ORDER_GAP)) & (
        suspects.channel != "pos"
    )
    suspects = keep(con, "numbers_suspect", suspects.mutate(_long=(long & nobody).fill_null(False)))
    if not con.to_pyarrow(suspects.count()).as_py():
        return lines, {}
    some = lines.semi_join(suspects, "order_id").join(
        suspects.select("order_id", *(_end(k, side) for k in kinds for side in ("min", "max"))),
        "order_id",
    )
    some = _with_place(some)
    some = keep(con, "numbers_lines", _with_who(some, identifiers, kinds))
    clusters = keep(con, "numbers_clusters", _clusters(some))
    shared = clusters.group_by("order_id").aggregate(n=clusters.cluster.nunique())
    shared = keep(con, "numbers_shared", shared.filter(shared.n > 1))
    doubtful = suspects.filter("_long").anti_join(shared, "order_id")
    counts = {"orders_over_several_days": int(con.to_pyarrow(doubtful.count()).as_py())}
    if not con.to_pyarrow(shared.count()).as_py():
        return lines, counts
    clusters = clusters.semi_join(shared, "order_id")
    nth = ibis.dense_rank().over(
        ibis.window(group_by="order_id", order_by=["cluster_at", "cluster"])
    )
    renamed = clusters.mutate(_nth=nth).filter(lambda t: t["_nth"] > 0)
    suffix = ibis.literal(SIGN) + (renamed["_nth"] + 1).cast("string")
    renamed = renamed.select(_row=renamed[ROW], _new=renamed.order_id + suffix)
    renamed = keep(con, "numbers_renamed", renamed)
    joined = lines.left_join(renamed, lines[ROW] == renamed["_row"])
    plain = [name for name in lines.columns if name != "order_id"]
    return (
        joined.select(
            *plain, order_id=ibis.coalesce(joined["_new"], joined.order_id), number=joined.order_id
        ),
        counts,
    )


def facts(lines: ir.Table, identifiers: dict[str, str]) -> dict[str, ir.Value]:
    """Return what ``within_file`` wants to know of each order, for one aggregation."""
    found: dict[str, ir.Value] = {
        "first": lines.occurred_at.min(),
        "last": lines.occurred_at.max(),
        "channel": lines.channel.min(),
        "place_min": lines.location_id.min(),
        "place_max": lines.location_id.max(),
    }
    for kind in people([*identifiers]):
        column = lines[identifiers[kind]]
        found |= {_end(kind, "min"): column.min(), _end(kind, "max"): column.max()}
    return found


def _end(kind: str, side: str) -> str:
    return f"{kind} {side}"


def _ends(table: ir.Table, kind: str) -> tuple[ir.Value, ir.Value]:
    return table[_end(kind, "min")], table[_end(kind, "max")]


def _disagree(ends: dict[str, tuple[ir.Value, ir.Value]]) -> ir.BooleanValue:
    """Tell whether customers differ: some are known, and no type has one value only."""
    if not ends:
        return cast(ir.BooleanValue, ibis.literal(value=False))
    known = [low.notnull() for low, _ in ends.values()]
    agree = [(low.notnull() & (low == high)).fill_null(False) for low, high in ends.values()]
    return cast(ir.BooleanValue, ibis.or_(*known) & ~ibis.or_(*agree))


def _with_place(lines: ir.Table) -> ir.Table:
    """Add ``_place``: the location where it tells orders apart, else nothing."""
    known = lines.location_id.fill_null("")
    here = ibis.window(group_by=["order_id", "location_id"])
    table = lines.mutate(_known=known, _since=lines.occurred_at.min().over(here))
    whole = ibis.window(group_by="order_id")
    moved = table["_since"].min().over(whole) != table["_since"].max().over(whole)
    usual = table["_known"].max().over(whole)
    place = ibis.ifelse(
        (table.channel == "pos") | moved,
        ibis.ifelse(table["_known"] == "", usual, table["_known"]),
        ibis.literal(""),
    )
    return table.mutate(_place=place).drop("_known", "_since")


def _with_who(lines: ir.Table, identifiers: dict[str, str], kinds: list[str]) -> ir.Table:
    """Add ``_who``: the customer where customers of the number differ; and ``_named``."""
    named = ibis.or_(ibis.literal(value=False), *(lines[identifiers[k]].notnull() for k in kinds))
    differ = _disagree({k: _ends(lines, k) for k in kinds})
    known = [(lines[_end(k, "min")].notnull(), lines[identifiers[k]]) for k in kinds]
    who = ibis.cases(*known) if known else ibis.null("string")
    who = ibis.ifelse(differ, who, ibis.null("string"))
    table = lines.mutate(_who=who, _named=named, _differ=differ)
    beside = ibis.window(group_by=["order_id", "_place", "occurred_at"])
    filled = ibis.coalesce(table["_who"], table["_who"].min().over(beside), "")
    return table.mutate(_who=filled)


def _clusters(lines: ir.Table) -> ir.Table:
    """Cut the lines of each number, place and customer where time jumps."""
    key = ["order_id", "_place", "_who"]
    by_time = ibis.window(group_by=key, order_by=["occurred_at", ROW])
    gap = lines.occurred_at - lines.occurred_at.lag().over(by_time)
    apart = lines[ROW] != lines[ROW].lag().over(by_time) + 1
    whole = ibis.window(group_by=key)
    someone = lines["_named"].max().over(whole) & ~lines["_differ"] | (lines["_who"] != "")
    back = (lines.line_type == "return").fill_null(False) | (lines.quantity < 0)
    pos = lines.channel == "pos"
    jump = (apart & ~someone & (gap > _interval(ORDER_GAP))) | (gap > _interval(MOVED))
    cut = ibis.ifelse(pos, gap > _interval(TICKET_GAP), ~back & jump)
    table = lines.mutate(_cut=cut.fill_null(False).cast("int64"))
    upto = ibis.window(group_by=key, order_by=["occurred_at", ROW], preceding=None, following=0)
    table = table.mutate(_run=table["_cut"].sum().over(upto))
    cluster = table["_place"] + "\t" + table["_who"] + "\t" + table["_run"].cast("string")
    table = table.mutate(cluster=cluster)
    inside = ibis.window(group_by=["order_id", "cluster"])
    return table.select(ROW, "order_id", "cluster", cluster_at=table.occurred_at.min().over(inside))


def across_files(con: Backend, orders: ir.Table, lines: ir.Table, seen: ir.Table) -> ir.Table:
    """Tell which orders of several files are one, and name those that are not.

    Parameters
    ----------
    con : ibis backend
        The engine; keeps what it looks at meanwhile.
    orders : ibis table
        One row an order of a file, of the numbers that several have: ``order_id, sequence``, its
        ``number`` (the id before orders of the file were told apart), ``first`` (its earliest
        time), ``channel``, ``place`` (its location) and ``dates_only`` (whether the file has no
        times of day).
    lines : ibis table
        ``order_id, sequence, item_id, quantity``.
    seen : ibis table
        ``group_id, sequence, type, value``: who the orders of a file name.

    Returns
    -------
    ibis table
        ``order_id, sequence, number, final``: every order of a number whose orders are not one.
    """
    units, kinds = _with_people(con, orders, seen)
    doubted = keep(con, "numbers_doubted", _doubted(units))
    units = keep(con, "numbers_units", units.semi_join(doubted, "number"))
    if not con.to_pyarrow(units.count()).as_py():
        return keep(con, "numbers_final", units.select(
            "order_id", "sequence", "number", final="number"))  # fmt: skip
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
    """Find the orders that returns mean whose ``return_of`` is a number that several orders share.

    Parameters
    ----------
    con : ibis backend
        The engine; keeps the answer.
    lines : ibis table
        Lines of returns: ``_row, sequence, occurred_at, location_id, return_of``.
    orders : ibis table
        ``number, order_id, first, place`` of the orders that share a number.

    Returns
    -------
    ibis table
        ``_row, sequence, meant``: the latest such order before the return, of its location if
        there is one.
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


def _with_people(con: Backend, orders: ir.Table, seen: ir.Table) -> tuple[ir.Table, list[str]]:
    """Add a column for each type of identifier: what an order names."""
    theirs = seen.semi_join(orders, [("group_id", "order_id"), "sequence"])
    theirs = keep(con, "numbers_people", theirs.filter(~theirs.type.isin(_NOT_PEOPLE)))
    kinds = people(con.to_pyarrow(theirs.select("type").distinct())["type"].to_pylist())
    if not kinds:
        return orders, kinds
    values = theirs.group_by(_unit=theirs.group_id, _sequence=theirs.sequence).aggregate(
        **{_value(kind): theirs.value.min(where=theirs.type == kind) for kind in kinds}
    )
    joined = orders.left_join(
        values, [orders.order_id == values["_unit"], orders.sequence == values["_sequence"]]
    )
    return keep(con, "numbers_named", joined.drop("_unit", "_sequence")), kinds


def _doubted(units: ir.Table) -> ir.Table:
    """Numbers whose orders differ in anything that is known of them."""
    kinds = [name for name in units.columns if name.startswith(_VALUE)]
    at_tills = units.channel == "pos"
    found = units.group_by("number").aggregate(
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
    differ = _disagree({kind: (found[f"{kind} min"], found[f"{kind} max"]) for kind in kinds})
    doubted = (
        (found.span > _interval(FILE_GAP))
        | found.places.fill_null(False)
        | (found.dates_only & ~found.named)
        | found.split
        | differ
    )
    return found.filter(doubted.fill_null(False)).select("number", "split")


def _with_items(units: ir.Table, lines: ir.Table) -> ir.Table:
    """Add a digest of what each order holds, and the first file that has any of it."""
    bought = lines.semi_join(units, ["order_id", "sequence"]).select(
        "order_id", "sequence", "item_id", held=lines.item_id + "\t" + lines.quantity.cast("string")
    )
    digest = bought.group_by("order_id", "sequence").aggregate(
        digest=bought.held.group_concat("\n", order_by=bought.held).hexdigest("md5")
    )
    items = bought.select("order_id", "sequence", "item_id").distinct()
    items = items.join(units.select("order_id", "sequence", "number"), ["order_id", "sequence"])
    before = ibis.window(group_by=["number", "item_id"])
    items = items.mutate(_since=items.sequence.min().over(before))
    since = items.group_by("order_id", "sequence").aggregate(since=items["_since"].min())
    return units.join(digest, ["order_id", "sequence"]).join(since, ["order_id", "sequence"])


def _with_keys(units: ir.Table, kinds: list[str]) -> ir.Table:
    """Add ``_place``, ``_who`` and ``_goods``: what tells a number's orders apart at any time."""
    whole = ibis.window(group_by="number")
    split = (units.order_id != units.number).any().over(whole)
    place = units.place.fill_null("")
    usual = units.place.max().over(whole).fill_null("")
    place = ibis.ifelse(place == "", usual, place)
    named = ibis.or_(units.number.isnull(), *(units[_value(k)].notnull() for k in kinds))
    goods_only = units.dates_only.any().over(whole) & ~named.any().over(whole)
    units = units.mutate(
        _place=ibis.ifelse((units.channel == "pos") | split, place, ""),
        _goods=ibis.ifelse(goods_only, units.since, 0),
    )
    columns = {kind: units[_value(kind)] for kind in kinds}
    differ = _disagree({k: (c.min().over(whole), c.max().over(whole)) for k, c in columns.items()})
    # The same goods at the same moment under another name: a customer was corrected.
    corrected = (
        (units.digest.min().over(whole) == units.digest.max().over(whole))
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
    """Cut the orders of each number, place and customer where they cannot be one."""
    key = ["number", "_place", "_who", "_goods"]
    order = ["first", "sequence", "order_id"]
    by_time = ibis.window(group_by=key, order_by=order)
    gap = units["first"] - units["first"].lag().over(by_time)
    columns = [units[_value(kind)] for kind in kinds]
    no = ibis.literal(value=False)
    same = ibis.or_(no, *((c == c.lag().over(by_time)).fill_null(False) for c in columns))
    moved = (units.channel != "pos") & same & (gap <= _interval(MOVED))
    cut = (gap > _interval(FILE_GAP)) & ~moved
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


#: Prefix of the columns that hold who an order names, by type.
_VALUE: Final = "value "


def _value(kind: str) -> str:
    return f"{_VALUE}{kind}"


def _interval(span: timedelta) -> ir.IntervalScalar:
    return cast(ir.IntervalScalar, ibis.interval(seconds=int(span.total_seconds())))
