"""Staged rows become the smaller tables of the history.

Each function takes expressions and returns one; where a key was exported several times, the last
row counts. Called by ``unify``.
"""

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend

from recsys.ingest.files.export_files import ROW
from recsys.ingest.sources.events import COMMERCE
from recsys.ingest.staged import PRODUCTS
from recsys.query_engine import keep, merge_json, value


def no_products() -> pa.Table:
    """Return what ``products`` does where no product was exported."""
    return pa.schema([f for f in PRODUCTS if f.name not in (ROW, "refused")]).empty_table()


def last_of(table: ir.Table, *key: str) -> ir.Table:
    """Keep the last row of each key."""
    newest = ibis.window(group_by=list(key), order_by=[ibis.desc("sequence"), ibis.desc(ROW)])
    ranked = table.mutate(_nth=ibis.row_number().over(newest))
    return ranked.filter(ranked._nth == 0).drop("_nth")


def products(staged: ir.Table) -> ir.Table:
    """Return the exported products, each once.

    Where the last row of a product cannot be read, what an earlier one said of it stays, but for
    ``active``: whether it may be shown is not known then, so it may not.
    """
    by_item = {"group_by": "item_id", "order_by": [ibis.desc("sequence"), ibis.desc(ROW)]}
    refused = staged.refused.fill_null(False)
    latest = (staged.active & ~refused).first().over(ibis.window(**by_item))
    marked = staged.mutate(refused=refused, active=latest)
    by_item["order_by"] = [marked.refused, *by_item["order_by"]]
    ranked = marked.mutate(_nth=ibis.row_number().over(ibis.window(**by_item)))
    once = ranked.filter(ranked["_nth"] == 0)
    return once.drop("_nth", "refused", ROW, "sequence", "source")


def with_sold(listed: ir.Table, lines: ir.Table) -> ir.Table:
    """Add what was sold but is in no product export, with what its lines say of it."""
    sold = lines.group_by("item_id").aggregate(
        line_title=lines.title.max(),
        line_currency=lines.currency.max(),
        line_price=lines.unit_price_minor.median().cast("int64"),
    )
    joined = listed.mutate(_listed=True).outer_join(sold, "item_id")
    in_catalogue = joined._listed.fill_null(False)
    names = ("parent_id", "department", "category", "brand", "cost_minor", "attributes")
    return joined.select(
        *names,
        item_id=ibis.coalesce(joined.item_id, joined.item_id_right),
        title=ibis.coalesce(joined.title, joined.line_title),
        price_minor=ibis.coalesce(joined.price_minor, joined.line_price),
        currency=ibis.coalesce(joined.currency, joined.line_currency),
        active=joined.active.fill_null(True),
        in_catalogue=in_catalogue,
    )


def with_updates(listed: ir.Table, updates: ir.Table, key: str) -> ir.Table:
    """Apply updates of single fields to exported rows; a field that is null did not change."""
    newer = updates.rename({f"told_{name}": name for name in updates.columns})
    joined = listed.outer_join(newer, listed[key] == newer[f"told_{key}"])
    found = {
        name: ibis.coalesce(joined[f"told_{name}"], joined[name])
        if name in updates.columns
        else joined[name]
        for name in listed.columns
    }
    if "attributes" in updates.columns:  # updated one by one, as fields of an object
        merged = merge_json(joined.attributes, joined.told_attributes.fill_null("{}"))
        found["attributes"] = merged.nullif("{}")
    return joined.select(**found)


def listed_locations(staged: ir.Table) -> ir.Table:
    """Return the exported locations, each once."""
    return last_of(staged, "location_id").drop(ROW, "sequence", "source")


def locations(listed: ir.Table, lines: ir.Table) -> ir.Table:
    """Add the locations that only orders name."""
    sold = lines.filter(lines.location_id.notnull())
    seen = sold.group_by("location_id").aggregate(online=(sold.channel != "pos").all())
    joined = listed.outer_join(seen, "location_id")
    return joined.select(
        "region",
        "time_zone",
        "latitude",
        "longitude",
        "ships",
        "delivery_days",
        location_id=ibis.coalesce(joined.location_id, joined.location_id_right),
        name=joined.name,
        kind=ibis.coalesce(joined.kind, ibis.ifelse(joined.online, "online", "store")),
    )


def stock(staged: ir.Table, written: ir.Table) -> ir.Table:
    """Return what each location has on hand: the last list that names the location counts.

    Parameters
    ----------
    staged : ibis table
        Of stock lists.
    written : ibis table
        ``sequence, reported_at``: when the file of each part was written.
    """
    staged = staged.left_join(written, "sequence").drop("sequence_right")
    newest = staged.sequence.max().over(ibis.window(group_by="location_id"))
    marked = staged.mutate(_newest=newest)
    return last_of(marked.filter(marked.sequence == marked._newest), "location_id", "item_id")


def customers(lines: ir.Table, identifiers: ir.Table, seen: ir.Table) -> ir.Table:
    """Return one row a customer: how many identifiers and orders, in which channels, since when.

    Parameters
    ----------
    lines : ibis table
        Of the history.
    identifiers : ibis table
        As ``recsys.schema.IDENTIFIERS``.
    seen : ibis table
        ``type, value`` of identifiers that were seen in anything but cancelled orders: whoever is
        known from those alone is no customer.
    """
    of_customers = lines.filter(lines.customer_id.notnull())
    bought = of_customers.group_by("customer_id").aggregate(
        orders=of_customers.order_id.nunique(),
        lines=of_customers.count(),
        channels=of_customers.channel.collect(distinct=True).sort().join(","),
        first_at=of_customers.occurred_at.min(),
        last_at=of_customers.occurred_at.max(),
    )
    known = identifiers.filter(identifiers.customer_id.notnull())
    there = known.semi_join(seen, ["type", "value"]).select("customer_id").distinct()
    known = known.semi_join(there, "customer_id")
    known = known.group_by("customer_id").aggregate(identifiers=known.count())
    joined = known.left_join(bought, "customer_id")
    return joined.select(
        "customer_id",
        "identifiers",
        "first_at",
        "last_at",
        orders=joined.orders.fill_null(0),
        lines=joined.lines.fill_null(0),
        channels=joined.channels.fill_null(""),
    )


def events(con: Backend, staged: ir.Table) -> tuple[ir.Table, int]:
    """Return commerce events, each once, and how many others there were.

    Parameters
    ----------
    con : ibis backend
        The engine; keeps the events meanwhile.
    staged : ibis table
        One row an item of an event.
    """
    newest = ibis.window(group_by="event_id")
    table = staged.mutate(_newest=staged.sequence.max().over(newest))
    table = table.filter(table.sequence == table._newest)
    table = table.mutate(_first=table[ROW].min().over(newest))
    table = table.filter(table[ROW] == table._first)
    table = keep(con, "events_once", table)
    commerce = table.event.isin(COMMERCE)
    ignored = value(con, table.filter(~commerce).event_id.nunique())
    return table.filter(commerce), int(ignored)
