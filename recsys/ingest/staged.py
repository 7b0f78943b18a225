"""Staged rows as tables: all parts of a kind together, newer ones with a higher sequence.

A manifest of parts comes in, with what the service was told live; out come the tables that
``unify`` works on. Only parts of sources that the configuration still names are read.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend

from recsys.config import ORDER_KINDS, Column, Config
from recsys.identity import links
from recsys.ingest.parts import CONSENTS, FOLDER, ROWS, SEEN, Manifest, Part
from recsys.ingest.recency import in_order
from recsys.query_engine import empty, rows, temporary_name

#: Name of the source that live orders and events have in the history.
LIVE = "live"

NAIVE = pa.timestamp("us")
LINES = pa.schema(
    [
        ("_row", pa.int64()),
        ("order_id", pa.string()),
        ("number", pa.string()),  # the id before orders of one file were told apart; null: the same
        ("ticket", pa.string()),  # what an id of several columns ends with; null: one column
        ("line_no", pa.int32()),
        ("occurred_at", NAIVE),
        ("channel", pa.string()),
        ("location_id", pa.string()),
        ("item_id", pa.string()),
        ("title", pa.string()),
        ("quantity", pa.float64()),
        ("line_type", pa.string()),
        ("return_of", pa.string()),
        ("cancelled", pa.bool_()),
        ("unit_price_minor", pa.int64()),
        ("discount_minor", pa.int64()),
        ("amount_minor", pa.int64()),
        ("currency", pa.string()),
        ("added", pa.bool_()),
        ("own_id", pa.string()),  # of a live line: whom the service took it for
    ]
)
#: Lines that were reported to the service, with the number of their order and its scope.
LIVE_LINES = pa.schema(
    [*LINES, pa.field("transaction_id", pa.string()), pa.field("scope", pa.string())]
)
#: What pages reported, with keys that anybody can read.
PAGES = pa.schema(
    [
        ("event_id", pa.string()),  # as in EVENTS
        ("told_id", pa.string()),  # as the page has it
        ("purchase", pa.bool_()),
        # Of a purchase, as in LIVE_LINES.
        ("order_id", pa.string()),
        ("transaction_id", pa.string()),
        ("scope", pa.string()),
    ]
)
EVENTS = pa.schema(
    [
        ("_row", pa.int64()),
        ("event_id", pa.string()),
        ("event", pa.string()),
        ("occurred_at", NAIVE),
        ("session_id", pa.string()),
        ("channel", pa.string()),
        ("location_id", pa.string()),
        ("item_id", pa.string()),
        ("quantity", pa.float64()),
        ("price_minor", pa.int64()),
        ("currency", pa.string()),
        ("transaction_id", pa.string()),
        ("own_id", pa.string()),
    ]
)
PRODUCTS = pa.schema(
    [
        ("_row", pa.int64()),
        *(
            (name, pa.string())
            for name in ("item_id", "title", "parent_id", "department", "category", "brand")
        ),
        ("price_minor", pa.int64()),
        ("cost_minor", pa.int64()),
        ("currency", pa.string()),
        ("active", pa.bool_()),
        ("attributes", pa.string()),
        ("refused", pa.bool_()),  # its row cannot be read: only the id and that it is not active
    ]
)
LOCATIONS = pa.schema(
    [
        ("_row", pa.int64()),
        *((name, pa.string()) for name in ("location_id", "name", "kind", "region", "time_zone")),
        ("latitude", pa.float64()),
        ("longitude", pa.float64()),
        ("ships", pa.bool_()),
        ("delivery_days", pa.int32()),
    ]
)
STOCK = pa.schema(
    [
        ("_row", pa.int64()),
        ("location_id", pa.string()),
        ("item_id", pa.string()),
        ("on_hand", pa.float64()),
        ("reserved", pa.float64()),
        ("cost_minor", pa.int64()),
    ]
)
_IDENTIFIERS = pa.schema(
    [
        ("group_id", pa.string()),
        ("type", pa.string()),
        ("value", pa.string()),
        ("at", NAIVE),
        ("blocked", pa.string()),
    ]
)
_CONSENTS = pa.schema(
    [
        *((name, pa.string()) for name in ("type", "value", "purpose", "channel")),
        ("at", NAIVE),
        ("given", pa.bool_()),
    ]
)
_SCHEMAS = {
    "ga4_events": EVENTS,
    "products": PRODUCTS,
    "locations": LOCATIONS,
    "stock": STOCK,
    **dict.fromkeys(ORDER_KINDS, LINES),
}
_EVIDENCE = {"ga4_events": links.LOGIN, "customer_links": links.REGISTRATION}


@dataclass(frozen=True)
class Live:
    """What the service was told and no export may hold yet.

    Attributes
    ----------
    lines : Path
        Parquet as ``LIVE_LINES``: purchases and refunds; ``order_id`` is ``live:<scope>:<number>``.
    observations : Path
        Parquet as ``recsys.identity.links.OBSERVATIONS``.
    events : Path
        Parquet as ``EVENTS``.
    pages : Path
        Parquet as ``PAGES``: which of the events pages told of.
    counts : Counter
        Events ``read``, and of those that a history can hold: ``orders`` (purchases and refunds),
        ``of_pages`` (purchases that are not confirmed yet), ``repeated`` (purchases whose order
        another event told of), ``logins`` and ``others``.
    rejected : Counter
        The others, by reason.
    rejects : list of dict
        The first of them, as ``recsys.schema.REJECTS``.
    """

    lines: Path
    observations: Path
    events: Path
    pages: Path
    counts: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    rejects: list[dict[str, Any]] = field(default_factory=list)


class Staged:
    """The parts of a manifest as tables of the engine.

    Parameters
    ----------
    con : ibis backend
    config : Config
    manifest : Manifest
    live : Live, optional
        Comes before everything exported.

    Attributes
    ----------
    parts : list of Part
        The latest last; the ``sequence`` of the tables is a part's place in it, from 1.
    """

    def __init__(self, con: Backend, config: Config, manifest: Manifest, live: Live | None) -> None:
        self.con = con
        self.config = config
        self.live = live
        self.parts = in_order(
            [p for p in manifest.parts if p.source in config.sources], config.sources
        )
        self._ranks = {part.folder: rank for rank, part in enumerate(self.parts, 1)}

    def lines(self) -> ir.Table:
        """All staged order lines with ``sequence`` and ``source``."""
        lines = self._of(ORDER_KINDS, LINES)
        return lines if self.live is None else self._with_live(lines, self.live.lines)

    def rows(self, kind: str) -> ir.Table:
        """All staged rows of another kind with ``sequence`` and ``source``."""
        table = self._of((kind,), _SCHEMAS[kind])
        if kind == "ga4_events" and self.live is not None:
            return self._with_live(table, self.live.events)
        return table

    def written(self) -> ir.Table:
        """When the file of each part was written: ``sequence, reported_at``; null if unknown."""
        parts = [(self._ranks[p.folder], p.written_ts or None) for p in self.parts]
        numbers, times = zip(*parts, strict=True) if parts else ((), ())
        columns = {
            "sequence": pa.array(numbers, pa.int64()),
            "reported_at": pa.array(times, pa.int64()).cast(pa.timestamp("s", "UTC")),
        }
        return ibis.memtable(pa.table(columns))

    def has(self, kind: str) -> bool:
        """Tell whether any source or the service gave rows of another kind than order lines."""
        has_live = kind == "ga4_events" and self.live is not None
        return has_live or any(part.kind == kind and not part.rows_dropped for part in self.parts)

    def several(self) -> bool:
        """Tell whether orders come from several exports, or from one and the service."""
        exports = [part for part in self.parts if part.kind in ORDER_KINDS]
        return self.live is not None or len(exports) > 1

    def has_tickets(self) -> bool:
        """Tell whether any source names its orders by several columns."""
        specs = [self.config.sources[part.source].columns.get("order_id") for part in self.parts]
        return any(isinstance(spec, Column) and len(spec.columns) > 1 for spec in specs)

    def standing(self, lines: ir.Table, older: ir.Table | None) -> list[int]:
        """Name the parts that still count, or would if another source were no longer named.

        Parameters
        ----------
        lines : ibis table
            Of the orders that stand.
        older : ibis table, optional
            Orders that a later export replaced, with the ``sequence`` of both.
        """
        if older is None:
            return [part.sequence for part in self.parts]
        found = rows(self.con, lines.select("sequence").distinct())
        ranks = {row["sequence"] for row in found if row["sequence"]}
        for row in rows(self.con, older.select("sequence", "newest").distinct()):
            rank, by = row["sequence"], row["newest"]
            if rank and self.parts[by - 1].source != self.parts[rank - 1].source:
                ranks.add(rank)
        return sorted(self.parts[rank - 1].sequence for rank in ranks)

    def seen(self) -> ir.Table:
        """Who each order, session and registration names: ``group_id, sequence, type, value``."""
        parts = [part for part in self.parts if self._path(part, SEEN).exists()]
        return self._files(parts, SEEN, _IDENTIFIERS)

    def has_consents(self) -> bool:
        """Tell whether any source says what customers consent to."""
        return any(self._path(part, CONSENTS).exists() for part in self.parts)

    def consents(self) -> ir.Table:
        """What each identifier said: ``type, value, purpose, channel, at, given, source``."""
        parts = [part for part in self.parts if self._path(part, CONSENTS).exists()]
        return self._files(parts, CONSENTS, _CONSENTS).drop("sequence")

    def observations(self, lines: ir.Table, renamed: ir.Table | None) -> ir.Table:
        """Which identifiers were seen together, as ``recsys.identity.links.OBSERVATIONS``.

        Parameters
        ----------
        lines : ibis table
            Of the orders that stand: what a superseded export of an order showed counts no more.
        renamed : ibis table, optional
            As ``numbers_across.across_files`` returns it.
        """
        seen = self.seen()
        if renamed is not None:
            names = renamed.select("order_id", "sequence", "final")
            seen = seen.left_join(
                names, [seen.group_id == names.order_id, seen.sequence == names.sequence]
            ).drop("order_id", "sequence_right")
            seen = seen.mutate(group_id=ibis.coalesce(seen.final, seen.group_id)).drop("final")
        kinds = {
            name: _EVIDENCE.get(s.kind, links.SAME_ORDER) for name, s in self.config.sources.items()
        }
        orders = lines.select("order_id", "sequence").distinct()
        evidence = seen.source.cases(*kinds.items()) if kinds else ibis.literal(links.SAME_ORDER)
        seen = seen.mutate(evidence=evidence)
        others = seen.filter(seen.evidence != links.SAME_ORDER)
        ours = seen.filter(seen.evidence == links.SAME_ORDER).semi_join(
            orders, [("group_id", "order_id"), "sequence"]
        )
        names = [name for name in links.OBSERVATIONS.names if name != "at"]
        table = ibis.union(ours, others)
        table = table.select(*names, at=table["at"].cast("timestamp('UTC', 6)"))
        if self.live is not None:
            live = self._read(self.live.observations)
            table = ibis.union(table, live.select(*table.columns))
        return table

    def _of(self, kinds: tuple[str, ...], schema: pa.Schema) -> ir.Table:
        parts = [part for part in self.parts if part.kind in kinds and not part.rows_dropped]
        return self._files(parts, ROWS, schema)

    def _with_live(self, table: ir.Table, path: Path) -> ir.Table:
        live = self._read(path)
        live = live.mutate(sequence=ibis.literal(0, "int64"), source=ibis.literal(LIVE))
        return ibis.union(table, live.select(*table.columns))

    def _files(self, parts: list[Part], file: str, schema: pa.Schema) -> ir.Table:
        """Read one file of each part as one table; missing columns are null."""
        columns = ibis.Schema.from_pyarrow(schema)
        if not parts:
            nothing = empty(self.con, "nothing", columns)
            return nothing.mutate(sequence=ibis.literal(0, "int64"), source=ibis.literal(""))
        paths = [str(self._path(part, file)) for part in parts]
        if len(parts) == 1:
            table = self._read(paths)
            rank, source = self._ranks[parts[0].folder], parts[0].source
            joined = table.mutate(sequence=ibis.literal(rank, "int64"), source=ibis.literal(source))
            return _conformed(joined, table.columns, columns)
        table = self._read(paths, union_by_name=True, filename=True)
        sources = ibis.memtable(
            pa.table(
                {
                    "_path": paths,
                    "sequence": pa.array([self._ranks[p.folder] for p in parts], pa.int64()),
                    "source": [part.source for part in parts],
                }
            )
        )
        joined = table.join(sources, table.filename == sources["_path"])
        return _conformed(joined, table.columns, columns)

    def _read(self, paths: Path | list[str], **options: bool) -> ir.Table:
        """Read Parquet under a name of its own; the same in each process, see ``query_engine``."""
        name = temporary_name(self.con, "staged")
        return self.con.read_parquet(paths, table_name=name, **options)

    def _path(self, part: Part, file: str) -> Path:
        # Whole and without links, as the engine tells the file of a row.
        return (self.config.state / FOLDER / part.folder / file).resolve()


def _conformed(table: ir.Table, there: Sequence[str], columns: ibis.Schema) -> ir.Table:
    """Select the columns of a schema, missing ones as null, with ``sequence`` and ``source``."""
    found = {
        name: table[name].cast(kind) if name in there else ibis.null(kind)
        for name, kind in columns.items()
    }
    if "added" in found:
        found["added"] = found["added"].fill_null(False)
    return table.select(**found, sequence=table.sequence, source=table.source)
