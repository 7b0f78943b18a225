"""Parts become the history: each order once, each line a product, each line a customer.

The parts that ``staging`` put aside come in, with what the service learned live; out comes a
complete version of the history, written beside the current one. Called by ``training.ingest``.
Everything relational is an Ibis expression; only identifiers and returns pass through Python.
"""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend

from recsys.config import Config
from recsys.data import returns, tables
from recsys.data.corrections import latest, leave_out, non_products
from recsys.data.engine import keep, rows, scratch, write
from recsys.data.history import FOLDER
from recsys.data.identity import customers_of_groups, resolve, undone
from recsys.data.live import numbers, seen_once, without_exported
from recsys.data.staged import LIVE, Live, Staged
from recsys.data.staging import Manifest, Report
from recsys.schema import (
    CUSTOMERS,
    EVENTS,
    IDENTIFIERS,
    LINES,
    LINKS,
    LOCATIONS,
    PRODUCTS,
    RETURN,
    SALE,
    STOCK,
)
from recsys.settings import ORDER_KINDS

#: What the back office told, by kind.
Told = Mapping[str, pa.Table]


def unify(
    con: Backend,
    config: Config,
    manifest: Manifest,
    version: str,
    report: Report,
    live: Live | None = None,
    told: Told | None = None,
) -> tuple[Path, dict[str, Any]]:
    """Write a version of the history.

    Parameters
    ----------
    con : ibis backend
        The engine.
    config : Config
    manifest : Manifest
        The parts.
    version : str
        Name of the version.
    report : callable
        Told which table is made.
    live : Live, optional
        Loses against an export of the same order.
    told : mapping of str to pa.Table, optional
        ``products`` and ``locations`` that the back office told of after their last export, with
        the columns of ``staged``; what is null in them was not told.

    Returns
    -------
    folder : Path
        The version, complete but not yet current.
    counts : dict
        What became of the staged lines: ``kept``, ``superseded``, ``left_out`` by rule,
        ``returns``, ``returns_matched``, ``notes``; ``standing`` names the parts that still count.
    """
    folder = config.state / FOLDER / version
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    unifier = _Unifier(con, config, Staged(con, config, manifest, live), folder, told or {})
    steps: tuple[tuple[str, Callable[[], None]], ...] = (
        ("Unifying orders", unifier.unify_orders),
        ("Joining customers", unifier.join_customers),
        ("Matching returns", unifier.match_returns),
        ("Writing lines", unifier.write_lines),
        ("Writing events", unifier.write_events),
        ("Writing products, stock and customers", unifier.write_rest),
    )
    try:
        with scratch(con):
            for done, (name, step) in enumerate(steps):
                report(name, done, len(steps))
                step()
            report("Done", len(steps), len(steps))
    except BaseException:
        shutil.rmtree(folder)
        raise
    return folder, unifier.counts


class _Unifier:
    """What one step leaves for the next: temporary tables of the engine, and counts."""

    def __init__(
        self, con: Backend, config: Config, staged: Staged, folder: Path, told: Told
    ) -> None:
        self.con = con
        self.told = told
        self.config = config
        self.staged = staged
        self.folder = folder
        self.counts: dict[str, Any] = {"kept": 0, "left_out": {}, "notes": {}}
        products = tables.products(staged.rows("products"))
        products = self._with_told(products, "products", "item_id")
        self.products = keep(self.con, "products_listed", products)
        self.marked: ir.Table
        self.identifiers: ir.Table
        self.groups: ir.Table
        self.lines: ir.Table
        self.matches: ir.Table

    def unify_orders(self) -> None:
        """Keep each order once, and mark what the rules leave out."""
        split = [name for name, s in self.config.sources.items() if s.orders == "split"]
        lines, notes = latest(self.con, self.staged.lines(), split)
        self.counts["superseded"] = notes.pop("superseded")
        excluded = non_products(lines, self.products, self.config.rules)
        marked, more = leave_out(self.con, lines, excluded, self.config.rules)
        self.marked = keep(self.con, "lines_marked", marked)
        read = self.marked.filter(~self.marked.added & (self.marked.source != LIVE))
        for row in rows(self.con, read.group_by("left_out").aggregate(lines=read.count())):
            if row["left_out"] is None:
                self.counts["kept"] = row["lines"]
            else:
                self.counts["left_out"][row["left_out"]] = row["lines"]
        standing = self.marked.select("sequence").distinct()
        self.counts["standing"] = [row["sequence"] for row in rows(self.con, standing)]
        self._note(notes | more)

    def join_customers(self) -> None:
        """Join identifiers into customers, and name the customer of each line."""
        observed = self.staged.observations(self.marked)
        if self.staged.live is not None:
            observed = seen_once(observed, *self._numbers(self.staged.live))
        seen = keep(self.con, "observations", observed)
        found = resolve(seen, self.config.identity, self.con, undone(self.config))
        self.identifiers = keep(self.con, "identifiers", found.identifiers)
        links = keep(self.con, "links", found.links)
        write(self.con, self.identifiers, self.folder / "identifiers.parquet", IDENTIFIERS)
        write(self.con, links, self.folder / "links.parquet", LINKS)
        self.groups = keep(self.con, "groups", customers_of_groups(seen, self.identifiers))
        self.lines = self._unified_lines()

    def _unified_lines(self) -> ir.Table:
        """Lines that count, with their customer, kind and signs; not yet computed."""
        kept = self.marked.filter(self.marked.left_out.isnull())
        back = (kept.line_type == "return").fill_null(False) | (kept.quantity < 0)
        named = self._named(kept, kept.order_id)
        sign = ibis.ifelse(back, -1, 1)
        lines = named.select(
            "order_id",
            "line_no",
            "occurred_at",
            "customer_id",
            "channel",
            "location_id",
            "item_id",
            "unit_price_minor",
            "discount_minor",
            "currency",
            "return_of",
            "source",
            quantity=kept.quantity.abs() * sign,
            amount_minor=kept.amount_minor.abs() * sign,
            kind=ibis.ifelse(back, RETURN, SALE),
        )
        if self.staged.live is None:
            return lines
        told, candidates = self._numbers(self.staged.live)
        theirs = self.marked.filter(self.marked.source != LIVE)
        exported = theirs.join(candidates, theirs.order_id == candidates.exported)
        exported = self._named(exported, exported.order_id)
        exported = exported.select("order_id", "number", "customer_id", "channel", "location_id")
        lines = without_exported(
            self.con, keep(self.con, "named", lines), keep(self.con, "exported", exported), told
        )
        return keep(self.con, "lines", lines)

    def _numbers(self, live: Live) -> tuple[ir.Table, ir.Table]:
        """What live orders are called, and what exports may call them."""
        sources = self.config.sources.items()
        systems = {s.system or name for name, s in sources if s.kind in ORDER_KINDS}
        return numbers(self.con.read_parquet(live.lines), systems)

    def match_returns(self) -> None:
        """Find the orders of returns."""
        self.matches, counts = returns.match(
            self.con, self.lines, self.config.ingest.return_window_days
        )
        self.counts["returns"] = counts.pop("returns")
        self.counts["returns_matched"] = counts.pop("returns_matched")
        self._note(counts)

    def write_lines(self) -> None:
        """Write the order lines in time order."""
        lines = self.lines
        if self.counts["returns"]:
            found = self.matches.mutate(_looked=ibis.literal(value=True))
            joined = lines.left_join(found, ["order_id", "line_no"])
            lines = joined.select(
                *(c for c in lines.columns if c != "return_of"),
                return_of=ibis.ifelse(joined._looked.notnull(), joined.found, joined.return_of),
            )
        lines = lines.order_by("occurred_at", "order_id", "line_no")
        write(self.con, lines, self.folder / "lines.parquet", LINES)

    def write_events(self) -> None:
        """Write the events in time order, with the customer of their session."""
        events, ignored = tables.events(self.con, self.staged.rows("ga4_events"))
        events = self._named(events, ibis.coalesce(events.session_id, events.event_id))
        if ignored:
            self.counts["left_out_events"] = {"not_a_commerce_event": ignored}
        events = events.order_by("occurred_at", "event_id", "item_id")
        write(self.con, events, self.folder / "events.parquet", EVENTS)

    def write_rest(self) -> None:
        """Write products, locations, stock and customers."""
        lines = self.con.read_parquet(self.folder / "lines.parquet", table_name="lines")
        titles = self.marked.filter(self.marked.left_out.isnull())
        if self.staged.live is not None:  # exports have replaced some, and some name no product
            titles = titles.semi_join(lines, "item_id")
        products = tables.with_sold(self.products, titles)
        write(self.con, products.order_by("item_id"), self.folder / "products.parquet", PRODUCTS)
        listed = tables.listed_locations(self.staged.rows("locations"))
        listed = self._with_told(listed, "locations", "location_id")
        locations = tables.locations(listed, lines)
        write(
            self.con,
            locations.order_by("location_id"),
            self.folder / "locations.parquet",
            LOCATIONS,
        )
        stock = tables.stock(self.staged.rows("stock"))
        write(
            self.con, stock.order_by("location_id", "item_id"), self.folder / "stock.parquet", STOCK
        )
        customers = tables.customers(lines, self.identifiers)
        write(
            self.con,
            customers.order_by("customer_id"),
            self.folder / "customers.parquet",
            CUSTOMERS,
        )

    def _with_told(self, listed: ir.Table, kind: str, key: str) -> ir.Table:
        """Add what the back office told to what was exported."""
        if kind not in self.told:
            return listed
        # Kept as tables, since Ibis does not take a join of a join of the same rows.
        listed = keep(self.con, f"{kind}_exported", listed)
        return keep(
            self.con, f"{kind}_told", tables.with_told(listed, ibis.memtable(self.told[kind]), key)
        )

    def _named(self, rows: ir.Table, group: ir.Value) -> ir.Table:
        """Add the customer of each row's group; of live rows, else who the service took it for."""
        groups = self.groups.select(_group=self.groups.group_id, _found=self.groups.customer_id)
        joined = rows.left_join(groups, group == groups["_group"])
        if self.staged.live is None:
            return joined.rename(customer_id="_found")
        own = self.identifiers.select(
            _own=self.identifiers.own_id, _told=self.identifiers.customer_id
        )
        both = joined.left_join(own, joined.own_id == own["_own"])
        return both.mutate(customer_id=ibis.coalesce(both["_found"], both["_told"]))

    def _note(self, counts: dict[str, int]) -> None:
        notes = self.counts["notes"]
        for name, count in counts.items():
            if count:
                notes[name] = notes.get(name, 0) + count
