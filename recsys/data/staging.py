"""Every export is read once: typed rows are put aside, and the next ingest reads only what is new.

A source's files come in; out come *parts*, folders of Parquet under ``staged/``, one a file and
content, and a manifest that lists them in the order in which later ones win. A part holds the
file's typed lines, what identifiers its orders showed (hashed), and its rejects. ``unify`` makes
the history from all parts. Called by ``training.ingest``.
"""

import hashlib
import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend

from recsys.config import Config, Source
from recsys.data import catalogue, events, orders, shopify, woocommerce
from recsys.data.blocking import reason_expression
from recsys.data.columns import Fields, Typed
from recsys.data.database import fetch
from recsys.data.engine import keep, scratch, write
from recsys.data.engine import rows as fetch_rows
from recsys.data.files import (
    ROW,
    RawTable,
    SourceFile,
    explain,
    find,
    open_lines,
    open_parquet,
    open_text,
)
from recsys.data.keyed_hash import KeyedHash
from recsys.data.repeats import mark_repeats
from recsys.errors import DataError
from recsys.schema import REJECTS
from recsys.settings import ORDER_KINDS

#: Raised when what a part holds changes, so that older parts are read again.
FORMAT = 1
FOLDER = "staged"
MANIFEST = "manifest.json"
#: Files of a part: its typed rows, the identifiers they showed, its rejects.
ROWS, SEEN, REJECTED = "rows.parquet", "identifiers.parquet", "rejects.parquet"
_FEW_REJECTS = 20
#: Kinds that say nothing of people: of others, a row that cannot be split is not kept.
_IMPERSONAL = ("products", "locations", "stock")

#: ``report(description, done, total)``: what is being done, and how much of it.
Report = Callable[[str, float, float], None]


class Part(msgspec.Struct, kw_only=True):
    """One file of one source, read."""

    source: str
    kind: str
    file: str
    content: str
    settings: str
    sequence: int
    folder: str
    rows: int = 0
    """Records in the file, whatever became of them."""
    added: int = 0
    """Return lines made from refunds, beyond the file's records."""
    rejected: dict[str, int] = msgspec.field(default_factory=dict)
    """Records that could not be read, by reason."""
    repeated: int = 0
    """Lines of orders that stand in the file a second time."""
    rows_gone: int = 0
    """Lines of a part that was removed because later exports replaced every order of it."""
    notes: dict[str, int] = msgspec.field(default_factory=dict)
    """What was taken in spite of a doubt, by kind."""
    written_ts: int = 0
    """When the file was written, UTC epoch seconds."""


class Manifest(msgspec.Struct):
    """All parts that the history is made of."""

    format: int = FORMAT
    parts: list[Part] = msgspec.field(default_factory=list)

    @classmethod
    def load(cls, config: Config) -> "Manifest":
        """Read the manifest; an empty one where there is none or of another format."""
        path = config.state / FOLDER / MANIFEST
        if not path.exists():
            return cls()
        manifest = msgspec.json.decode(path.read_bytes(), type=cls)
        return manifest if manifest.format == FORMAT else cls()

    def save(self, config: Config) -> None:
        """Write the manifest in one atomic replace, and remove parts it no longer names."""
        folder = config.state / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        beside = folder / f".{MANIFEST}"
        beside.write_bytes(msgspec.json.format(msgspec.json.encode(self)))
        beside.replace(folder / MANIFEST)
        kept = {part.folder for part in self.parts}
        for found in folder.iterdir():
            if found.is_dir() and found.name not in kept:
                shutil.rmtree(found)


def drop_replaced(manifest: Manifest, standing: Collection[int]) -> None:
    """Forget the rows of order exports of which later ones replaced every order.

    The parts stay listed, so that their files are not taken for new ones.
    """
    for part in manifest.parts:
        if part.kind in ORDER_KINDS and part.folder and part.sequence not in standing:
            part.rows_gone = part.rows - part.repeated - sum(part.rejected.values())
            part.folder = ""


def stage(
    con: Backend, config: Config, keyed: KeyedHash, manifest: Manifest, report: Report
) -> Manifest:
    """Read what is new in every source.

    Parameters
    ----------
    con : ibis backend
        The engine.
    config : Config
    keyed : KeyedHash
        Hashes identifiers before they are written.
    manifest : Manifest
        What was read before.
    report : callable
        Told which file is read.

    Returns
    -------
    Manifest
        With the new parts; nothing of the old one is changed on disk.

    Raises
    ------
    DataError
        When a file is missing or unreadable, or too many of its rows are rejected.
    ConfigError
        When a mapping is impossible.
    """
    known = {(p.source, p.content, p.settings): p for p in manifest.parts}
    parts = list(manifest.parts)
    following = 1 + max((part.sequence for part in parts), default=0)
    scratch_folder = config.state / "tmp"
    new: list[tuple[str, SourceFile, str]] = []
    for name, source in config.sources.items():
        settings = _settings_digest(config, source, keyed)
        if source.kind == "database":
            report(f"Asking the database of {name}", 0, 1)
            files = [fetch(name, source, scratch_folder)]
        else:
            files = find(config, name, source)
        new += [(name, f, settings) for f in files if (name, f.digest, settings) not in known]
    for done, (name, file, settings) in enumerate(new):
        report(f"Reading {file.name}", done, len(new))
        older = next((p for p in parts if p.source == name and p.content == file.digest), None)
        sequence = older.sequence if older else following
        following += older is None
        part = _read_part(con, config, keyed, name, file, settings, sequence)
        if older:
            parts.remove(older)
        parts.append(part)
    report("Reading done", len(new), len(new))
    return Manifest(parts=sorted(parts, key=lambda part: part.sequence))


def _read_part(
    con: Backend,
    config: Config,
    keyed: KeyedHash,
    name: str,
    file: SourceFile,
    settings: str,
    sequence: int,
) -> Part:
    source = config.sources[name]
    label = f"{name}-{file.digest[:16]}-{settings[:8]}"
    folder = config.state / FOLDER / label
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    part = Part(
        source=name, kind=source.kind, file=file.name, content=file.digest, settings=settings,
        sequence=sequence, folder=label, written_ts=int(file.path.stat().st_mtime),
    )  # fmt: skip
    try:
        with scratch(con):
            raw = _open(con, file, source, config.state / "tmp")
            typed = _typed(con, raw, config, name, keyed)
            table = keep(con, "staging", typed.table)
            _count_rejects(con, raw, table, typed.fields, part, folder)
            part.notes.update(raw.notes)
            _check_rejects(config, part, folder)
            good = table.filter(~table.bad).drop("bad")
            if source.kind in ORDER_KINDS:
                good = _orders(con, good, part)
            _identifiers(con, config, keyed, good, source, folder)
            columns = [c for c in good.columns if not c.startswith(orders.RAW_IDENTIFIER)]
            write(con, good.select(*columns), folder / ROWS)
    except duckdb.Error as error:
        shutil.rmtree(folder)
        raise explain(error, file) from error
    except BaseException:
        shutil.rmtree(folder)
        raise
    return part


def _open(con: Backend, file: SourceFile, source: Source, folder: Path) -> RawTable:
    folder.mkdir(parents=True, exist_ok=True)
    if source.kind == "ga4_events":
        return open_lines(con, file, source, folder)
    if file.path.suffix == ".parquet":
        return open_parquet(con, file)
    return open_text(con, file, source, folder)


def _typed(con: Backend, raw: RawTable, config: Config, name: str, keyed: KeyedHash) -> Typed:
    kind = config.sources[name].kind
    if kind == "shopify_orders":
        return shopify.staged_lines(con, raw, config, name)
    if kind == "woocommerce_orders":
        return woocommerce.staged_lines(con, raw, config, name)
    if kind == "ga4_events":
        return events.staged_events(con, raw, config, name, keyed)
    if kind == "products":
        return catalogue.staged_products(con, raw, config, name)
    if kind == "locations":
        return catalogue.staged_locations(raw, config, name)
    if kind == "stock":
        return catalogue.staged_stock(con, raw, config, name)
    if kind == "customer_links":
        return catalogue.staged_links(raw, config, name)
    return orders.staged_lines(con, raw, config, name, keyed)


def _orders(con: Backend, good: ir.Table, part: Part) -> ir.Table:
    """Drop an order's second copy in the file, and note doubts."""
    if "repeated" not in good.columns:
        good = mark_repeats(con, good)
    counts = fetch_rows(
        con,
        good.aggregate(
            repeated=(good.repeated & ~_added(good)).sum().fill_null(0),
            added=(_added(good) & ~good.repeated).sum().fill_null(0),
            twice=(good.twice & ~good.repeated).sum().fill_null(0),
        ),
    )[0]
    part.repeated, part.added = int(counts["repeated"]), int(counts["added"])
    if counts["twice"]:
        part.notes["local_hour_came_twice_taken_as_first"] = int(counts["twice"])
    good = good.filter(~good.repeated)
    if "refund_open" in good.columns:
        matched = good.filter(good.added).select("order_id").distinct()
        open_ = good.filter(good.refund_open).anti_join(matched, "order_id")
        count = con.to_pyarrow(open_.order_id.nunique()).as_py()
        if count:
            part.notes["refund_not_matched_to_a_line"] = int(count)
        good = good.drop("refund_open")
    return good.drop("repeated", "twice")


def _added(table: ir.Table) -> ir.BooleanValue:
    added: ir.BooleanValue = table.added if "added" in table.columns else ibis.literal(value=False)
    return added


def _identifiers(
    con: Backend, config: Config, keyed: KeyedHash, good: ir.Table, source: Source, folder: Path
) -> None:
    """Write which identifiers each order, session or registration showed, hashed."""
    kinds = [c for c in good.columns if c.startswith(orders.RAW_IDENTIFIER)]
    if not kinds:
        return
    if source.kind == "customer_links":
        parts = [good[c].fill_null("") for c in kinds]
        joined = parts[0]
        for more in parts[1:]:
            joined = joined + "\t" + more
        group = keyed.expression("registration", joined)
    elif source.kind == "ga4_events":
        group = ibis.coalesce(good.session_id, good.event_id)
    else:
        group = good.order_id
    tables = []
    for column in kinds:
        kind = column.removeprefix(orders.RAW_IDENTIFIER)
        seen = good.filter(good[column].notnull()).select(
            group_id=group, value=good[column], at=good.occurred_at
        )
        seen = seen.group_by("group_id", "value").aggregate(at=seen["at"].min())
        distinct = seen.select("value").distinct()
        values = keep(
            con,
            f"values_{kind}",
            distinct.mutate(
                hashed=keyed.expression(kind, distinct.value),
                blocked=reason_expression(kind, distinct.value, config.identity),
            ),
        )
        hashed = seen.join(values, "value")
        tables.append(
            hashed.select(
                "group_id",
                type=ibis.literal(kind),
                value=hashed.hashed,
                at=hashed["at"].cast("timestamp(6)"),
                blocked=hashed.blocked.cast("string"),
            )
        )
    table = tables[0] if len(tables) == 1 else ibis.union(*tables)
    write(con, table, folder / SEEN)


def _count_rejects(
    con: Backend, raw: RawTable, table: ir.Table, fields: Fields, part: Part, folder: Path
) -> None:
    """Write the part's rejects with their lines, and count them and all rows."""
    lines = table[ROW].count()
    if "added" in table.columns:
        lines = lines - table.added.sum().fill_null(0)
    # Several rows may stem from one record: of events it counts, of orders their lines do.
    several = part.kind in ("ga4_events", "woocommerce_orders")
    records = table[ROW].nunique() if several else lines
    counts = con.to_pyarrow(table.aggregate(records=records, lines=lines)).to_pylist()[0]
    accepted = int(counts["records"])
    rows = int(counts["lines"]) if part.kind == "woocommerce_orders" else accepted
    broken = raw.broken(con)
    found = _rejected(con, table, fields)
    wanted = sorted({row[ROW] for row in found})
    numbers = raw.line_numbers(wanted, [b["line"] for b in broken], accepted)
    line_of = dict(zip(wanted, numbers, strict=True))
    rejects = [
        {"line": line_of[r[ROW]], "reason": r["reason"], "detail": r["detail"], "row": r["raw"]}
        for r in found
    ] + [{**b, "row": b["row"] if part.kind in _IMPERSONAL else "(hidden)"} for b in broken]
    for reject in rejects:
        part.rejected[reject["reason"]] = part.rejected.get(reject["reason"], 0) + 1
    part.rows = rows + len(broken)
    if rejects:
        rejects.sort(key=lambda reject: reject["line"])
        named = [{"source": part.source, "file": part.file, **reject} for reject in rejects]
        pq.write_table(pa.Table.from_pylist(named, schema=REJECTS), folder / REJECTED)


def _rejected(con: Backend, table: ir.Table, fields: Fields) -> list[dict[str, Any]]:
    bad = table.filter(table.bad).select(ROW).distinct()
    if not con.to_pyarrow(bad.count()).as_py():
        return []
    return fetch_rows(con, fields.rejected(keep(con, "bad", bad)).order_by(ROW))


def _check_rejects(config: Config, part: Part, folder: Path) -> None:
    rejected = sum(part.rejected.values())
    share = rejected / max(part.rows, 1)
    if share <= config.ingest.max_reject_share or rejected < _FEW_REJECTS:
        return
    counts = sorted(part.rejected.items(), key=lambda item: -item[1])
    first = pq.read_table(folder / REJECTED).slice(0, 1).to_pylist()[0]
    raise DataError(
        f"{part.file}: {rejected:,} of {part.rows:,} rows cannot be read "
        f"({', '.join(f'{reason} {count:,}' for reason, count in counts)}); the first on line "
        f"{first['line']}: {first['reason']}, {first['detail']}. Correct [sources.{part.source}] "
        "(columns, decimal, time_format, encoding), or raise `max_reject_share` under [ingest]. "
        "Nothing was changed."
    )


def _settings_digest(config: Config, source: Source, keyed: KeyedHash) -> str:
    relevant = msgspec.structs.replace(source, path=None)
    text = msgspec.json.encode(
        [
            FORMAT,
            relevant,
            config.workspace.currency,
            config.workspace.time_zone,
            config.identity.blocked,
            sorted(keyed.plain),
            keyed.identifier("key", "fingerprint"),
        ],
        order="sorted",
    )
    return hashlib.sha256(text).hexdigest()
