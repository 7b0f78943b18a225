"""Unifies staged parts into a history: every order once, every line with product and customer.

The parts of ``staging`` and the live events of the service come in; a complete version of the
history goes out, written beside the current one. Called by ``training.ingest``.
Everything relational is an Ibis expression; only identifiers and returns pass through Python.
"""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend

from recsys.config import Config
from recsys.history import versions
from recsys.identity import customers_of_groups, overrides, resolve
from recsys.ingest import accounting, tables
from recsys.ingest.erased import Marks, without_erased
from recsys.ingest.files.export_files import ROW
from recsys.ingest.orders import live_orders, returns
from recsys.ingest.orders.corrections import CANCELLED, latest, leave_out, non_products
from recsys.ingest.orders.exported_orders import read_later, tell_apart
from recsys.ingest.orders.set_aside import Trusted, confirmed, of_pages
from recsys.ingest.parts import Manifest
from recsys.ingest.sources import signs
from recsys.ingest.staged import LIVE, Live, Staged
from recsys.ingest.staging import Report
from recsys.query_engine import keep, rows, scratch, value, write
from recsys.schema import (
    CORRECTION,
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

_CORRECTIONS = "corrections_of_an_order"
#: Table → rows that the back office changed.
Updates = Mapping[str, pa.Table]


def unify(
    con: Backend,
    config: Config,
    manifest: Manifest,
    version: str,
    report: Report,
    live: Live | None = None,
    updates: Updates | None = None,
    half: Callable[[Path], None] | None = None,
    erased: Marks | None = None,
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
        Called before each step, as ``report(description, done, total)``.
    live : Live, optional
        Loses against an export of the same order.
    updates : mapping of str to pa.Table, optional
        ``products`` and ``locations`` that the back office changed after their last export, with
        the columns of ``staged``; a field that is null did not change.
    half : callable, optional
        Called with the folder as soon as lines and events are in it.
    erased : mapping of str to int or None, optional
        Identifiers of erased customers, as ``recsys.ingest.erased.Marks``.

    Returns
    -------
    folder : Path
        The version, complete but not yet current.
    counts : dict
        What became of the staged lines: ``sources`` (by source: ``kept``, ``superseded``, and the
        rules that left lines out), ``returns``, ``returns_matched``, ``notes`` and the first case
        of some of them as ``examples``; ``standing`` names the parts whose rows are still needed;
        ``erased`` counts what names erased customers, as ``recsys.ingest.erased.Remaining``;
        ``live``, where there are live events, as ``accounting.of_live`` returns it.
    """
    folder = config.state / versions.FOLDER / version
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    staged = Staged(con, config, manifest, live)
    unifier = _Unifier(con, config, staged, folder, updates or {}, erased or {})
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
                if half and step == unifier.write_events:
                    half(folder)
            report("Done", len(steps), len(steps))
    except BaseException:
        shutil.rmtree(folder)
        raise
    return folder, unifier.counts


class _Unifier:
    """What one step leaves for the next: temporary tables of the engine, and counts."""

    def __init__(
        self,
        con: Backend,
        config: Config,
        staged: Staged,
        folder: Path,
        updates: Updates,
        erased: Marks,
    ) -> None:
        self.con = con
        self.erased = erased
        self.updates = updates
        self.config = config
        self.staged = staged
        self.folder = folder
        self.counts: dict[str, Any] = {"notes": {}, "examples": {}, "sources": {}}
        exported = staged.rows("products") if staged.has("products") else None
        listed = tables.no_products() if exported is None else tables.products(exported)
        products = self._with_updates(listed, "products", "item_id")
        self.products = keep(self.con, "products_listed", products)
        self.renamed: ir.Table | None = None
        self.marked: ir.Table
        self.identifiers: ir.Table
        self.met: ir.Table
        self.groups: ir.Table
        self.lines: ir.Table
        self.matches: ir.Table
        self.fates: live_orders.Fates

    def unify_orders(self) -> None:
        """Keep each order once, and mark what the rules leave out."""
        split = [name for name, s in self.config.sources.items() if s.orders == "split"]
        found = tell_apart(self.con, self.staged, self.staged.lines())
        self.renamed = found.renamed
        lines, older, alien = found.lines, None, 0
        if self.staged.several():
            lines, older, alien = latest(self.con, lines, found.orders, split)
            for row in rows(self.con, older.group_by("source").aggregate(n=older.lines.sum())):
                self._account(row["source"], "superseded", row["n"])
            found.notes += read_later(self.con, self.staged, older)
        for name, count, example in found.notes:
            self._note({name: count})
            self.counts["examples"].setdefault(name, example)
        excluded = non_products(lines, self.products, self.config.rules)
        marked, more = leave_out(self.con, lines, excluded, self.config.rules)
        self.marked = keep(self.con, "lines_marked", marked)
        read = self.marked.filter(~self.marked.added & (self.marked.source != LIVE))
        for row in rows(self.con, read.group_by("source", "left_out").aggregate(n=read.count())):
            self._account(row["source"], row["left_out"] or "kept", row["n"])
        self.counts["standing"] = self.staged.standing(self.marked, older)
        self._note({"orders_replaced_without_a_common_item": alien} | more)

    def join_customers(self) -> None:
        """Join identifiers into customers, and name the customer of each line."""
        observed = self.staged.observations(self.marked, self.renamed)
        if self.staged.live is not None:
            observed = live_orders.seen_once(observed, *self._numbers(self.staged.live))
        seen = keep(self.con, "observations", observed)
        seen, self.counts["erased"] = without_erased(self.con, seen, self.erased)
        self.met = self._met(seen)
        found = resolve(seen, self.config.identity, self.con, overrides.undone_links(self.config))
        self.identifiers = keep(self.con, "identifiers", found.identifiers)
        links = keep(self.con, "links", found.links)
        write(self.con, self.identifiers, self.folder / "identifiers.parquet", IDENTIFIERS)
        write(self.con, links, self.folder / "links.parquet", LINKS)
        self.groups = keep(self.con, "groups", customers_of_groups(seen, self.identifiers))
        self.lines = self._unified_lines()

    def _met(self, seen: ir.Table) -> ir.Table:
        """Identifiers that were seen in anything but cancelled orders."""
        gone = self.marked.filter(self.marked.left_out == CANCELLED).select("order_id").distinct()
        elsewhere = seen.anti_join(gone, seen.group_id == gone.order_id)
        return keep(self.con, "identifiers_met", elsewhere.select("type", "value").distinct())

    def _unified_lines(self) -> ir.Table:
        """Lines that count, with their customer, kind and signs; not yet computed."""
        kept = self._signed(self.marked.filter(self.marked.left_out.isnull()))
        back, correction = kept.line_type == "return", kept.line_type == CORRECTION
        with_customers = self._with_customers(kept, kept.order_id)
        amount = ibis.ifelse(back, -kept.amount_minor.abs(), kept.amount_minor)
        lines = with_customers.select(
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
            quantity=ibis.cases(
                (back, -kept.quantity.abs()), (correction, 0.0), else_=kept.quantity
            ),
            amount_minor=amount,
            kind=ibis.cases((back, RETURN), (correction, CORRECTION), else_=SALE),
        )
        if self.staged.live is None:
            return lines
        live_numbers, candidates = self._numbers(self.staged.live)
        of_exports = self.marked.filter(self.marked.source != LIVE).drop("number")
        exported = of_exports.join(candidates, of_exports.order_id == candidates.exported)
        exported = self._with_customers(exported, exported.order_id)
        columns = ("order_id", "number", "occurred_at", "customer_id", "channel", "location_id")
        exported = exported.select(*columns)
        sources = self.config.sources.values()
        trusted = Trusted(
            self.products,
            {self.config.workspace.currency, *(s.currency for s in sources if s.currency)},
            self.config.ingest.anonymous_orders,
        )
        lines, exported = keep(self.con, "named", lines), keep(self.con, "exported", exported)
        lines, self.fates = live_orders.without_exported(
            self.con, lines, exported, live_numbers, trusted
        )
        return keep(self.con, "lines", lines)

    def _signed(self, kept: ir.Table) -> ir.Table:
        """Say of each line whether it is a sale, a return or a correction.

        Money off a positive quantity is a return of what is listed or sold, else a correction.
        """
        given = kept.line_type.fill_null(SALE)
        minus = kept.filter(kept.line_type == signs.MINUS)
        (count,) = rows(
            self.con,
            kept.aggregate(
                minus=(given == signs.MINUS).sum().fill_null(0),
                corrections=(given == CORRECTION).sum().fill_null(0),
            ),
        )
        self._note({_CORRECTIONS: int(count["corrections"])})
        if not count["minus"]:
            kind = ibis.ifelse((kept.quantity < 0) & (given != CORRECTION), "return", given)
            return kept.mutate(line_type=kind)
        sold = kept.filter((given == SALE) & (kept.amount_minor > 0)).select("item_id")
        goods = ibis.union(sold, self.products.select("item_id")).distinct()
        goods = keep(self.con, "items_sold", goods.semi_join(minus, "item_id"))
        joined = kept.left_join(goods.mutate(_sold=True), "item_id")
        kind = ibis.cases(
            ((given == signs.MINUS) & joined["_sold"].notnull(), "return"),
            (given == signs.MINUS, CORRECTION),
            ((kept.quantity < 0) & (given != CORRECTION), "return"),
            else_=given,
        )
        found = keep(self.con, "lines_signed", joined.mutate(line_type=kind).select(*kept.columns))
        corrections = found.semi_join(minus, [ROW, "sequence"])
        corrections = corrections.filter(corrections.line_type == CORRECTION)
        self._note({_CORRECTIONS: int(value(self.con, corrections.count()))})
        return found

    def _account(self, source: str, what: str, lines: int) -> None:
        """Count what became of a source's lines."""
        of = self.counts["sources"].setdefault(source, {})
        of[what] = of.get(what, 0) + int(lines)

    def _numbers(self, live: Live, *, of_pages: bool = False) -> tuple[ir.Table, ir.Table]:
        """Return the numbers of live orders, and the ids that exports may give them."""
        reported = self.con.read_parquet(live.pages if of_pages else live.lines)
        reported = reported.filter(reported.purchase) if of_pages else reported
        live_numbers, candidates = live_orders.numbers(reported, self.config.order_systems)
        if self.renamed is not None:  # several orders have the number
            others = candidates.join(self.renamed, candidates.exported == self.renamed.number)
            others = others.select("number", exported="final").distinct()
            candidates = ibis.union(candidates, others)
        return live_numbers, candidates

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
        if not self.staged.has("ga4_events"):
            self._write_nothing("events", EVENTS)
            return
        staged = self.staged.rows("ga4_events")
        if self.staged.live is not None:
            staged = self._without_unconfirmed(staged, self.staged.live)
        events, ignored = tables.events(self.con, staged)
        events = self._with_customers(events, ibis.coalesce(events.session_id, events.event_id))
        if ignored:
            self.counts["left_out_events"] = {"not_a_commerce_event": ignored}
        events = events.order_by("occurred_at", "event_id", "item_id")
        write(self.con, events, self.folder / "events.parquet", EVENTS)

    def _without_unconfirmed(self, events: ir.Table, live: Live) -> ir.Table:
        """Drop unconfirmed events of pages, and count what became of live events."""
        reported, of_page = self._numbers(live)[0], self._numbers(live, of_pages=True)
        orders = confirmed(self.con, reported, *of_page, self.marked)
        items = ibis.union(self.products.select("item_id"), self.lines.select("item_id"))
        pages = self.con.read_parquet(live.pages)
        found = of_pages(self.con, pages, events, items.distinct(), orders)
        left_out = live_orders.orders_left_out(self.con, self.marked)
        self.counts["live"] = accounting.of_live(live, self.fates, left_out, found.counts)
        return events.anti_join(found.gone, "event_id")

    def write_rest(self) -> None:
        """Write products, locations, stock and customers."""
        lines = self.con.read_parquet(self.folder / "lines.parquet", table_name="lines")
        titles = self.marked.filter(self.marked.left_out.isnull())
        if self.staged.live is not None or self.counts["notes"].get(_CORRECTIONS):
            # Exports have replaced some, some name no product, and a voucher is none.
            titles = titles.semi_join(lines.filter(lines.kind != CORRECTION), "item_id")
        products = tables.with_sold(self.products, titles)
        write(self.con, products.order_by("item_id"), self.folder / "products.parquet", PRODUCTS)
        listed = tables.listed_locations(self.staged.rows("locations"))
        listed = self._with_updates(listed, "locations", "location_id")
        locations = tables.locations(listed, lines).order_by("location_id")
        write(self.con, locations, self.folder / "locations.parquet", LOCATIONS)
        if self.staged.has("stock"):
            stock = tables.stock(self.staged.rows("stock"), self.staged.written())
            stock = stock.order_by("location_id", "item_id")
            write(self.con, stock, self.folder / "stock.parquet", STOCK)
        else:
            self._write_nothing("stock", STOCK)
        customers = tables.customers(lines, self.identifiers, self.met).order_by("customer_id")
        write(self.con, customers, self.folder / "customers.parquet", CUSTOMERS)

    def _write_nothing(self, name: str, schema: pa.Schema) -> None:
        pq.write_table(schema.empty_table(), self.folder / f"{name}.parquet")

    def _with_updates(
        self, listed: ir.Table | pa.Table, kind: str, key: str
    ) -> ir.Table | pa.Table:
        """Apply the updates of the back office to exported rows."""
        if kind not in self.updates:
            return listed
        # Kept as tables, since Ibis does not take a join of a join of the same rows.
        listed = keep(self.con, f"{kind}_exported", listed)
        both = tables.with_updates(listed, ibis.memtable(self.updates[kind]), key)
        return keep(self.con, f"{kind}_with_customer", both)

    def _with_customers(self, rows: ir.Table, group: ir.Value) -> ir.Table:
        """Add the customer of each row's group; live rows without one keep that of the service."""
        groups = self.groups.select(_group=self.groups.group_id, _found=self.groups.customer_id)
        joined = rows.left_join(groups, group == groups["_group"])
        if self.staged.live is None:
            return joined.rename(customer_id="_found")
        own = self.identifiers.select(
            _own=self.identifiers.own_id, _by_row=self.identifiers.customer_id
        )
        both = joined.left_join(own, joined.own_id == own["_own"])
        return both.mutate(customer_id=ibis.coalesce(both["_found"], both["_by_row"]))

    def _note(self, counts: dict[str, int]) -> None:
        notes = self.counts["notes"]
        for name, count in counts.items():
            if count:
                notes[name] = notes.get(name, 0) + count
