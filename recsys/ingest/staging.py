"""Stages exports: every file is read once, and later ingests read only new files.

The files of a source come in; *parts* go out, folders of Parquet under ``staged/``, one per file
and content, and a manifest that lists them in the order in which later ones win. A part holds the
typed lines of its file, the hashed identifiers of its orders, and its rejects. ``unify`` makes the
history from all parts. Called by ``training.ingest``.
"""

import hashlib
import shutil
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from queue import SimpleQueue

import duckdb
import ibis
import ibis.expr.types as ir
import msgspec
from ibis.backends.duckdb import Backend

from recsys.config import ORDER_KINDS, Config, Source
from recsys.identity import PHONE, KeyedHash, store_identifiers
from recsys.ingest.columns.fields import Typed
from recsys.ingest.columns.time_zones import midnights
from recsys.ingest.consents import of_identifiers, read_words
from recsys.ingest.files.database_query import fetch
from recsys.ingest.files.export_files import (
    ROW,
    RawTable,
    SourceFile,
    explain,
    find,
    open_lines,
    open_parquet,
    open_text,
)
from recsys.ingest.orders.file_orders import file_orders
from recsys.ingest.parts import CONSENTS, FOLDER, FORMAT, ROWS, SEEN, Manifest, Part
from recsys.ingest.recency import dated_ts
from recsys.ingest.rejects import check_rejects, count_rejects
from recsys.ingest.sources import catalogue, events, order_lines, shopify, woocommerce
from recsys.ingest.sources.blank_rows import listed
from recsys.ingest.sources.fill_down import fill_down
from recsys.query_engine import another, constants, keep, scratch, write
from recsys.values import country_of

#: ``report(description, done, total)``: called as the work goes on.
Report = Callable[[str, float, float], None]
#: A file to read: its source, the file, the digest of the settings, the part's place among others.
Job = tuple[str, SourceFile, str, int]


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
        Parts of earlier ingests.
    report : callable
        Called before each file.

    Returns
    -------
    Manifest
        Old and new parts; nothing on disk changes for the old ones.

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
    sequences = {(part.source, part.content): part.sequence for part in parts}
    jobs: dict[tuple[str, str], Job] = {}
    for name, file, settings in new:
        content = name, file.digest
        if content not in sequences:
            sequences[content] = following
            following += 1
        jobs[content] = name, file, settings, sequences[content]  # of two copies the last counts
    parts = [part for part in parts if (part.source, part.content) not in jobs]
    parts += _read_parts(con, config, keyed, list(jobs.values()), report)
    report("Reading done", len(new), len(new))
    return Manifest(parts=sorted(parts, key=lambda part: part.sequence))


#: Memory that the engine wants for a file. MiB.
_FILE_MB = 256


def _read_parts(
    con: Backend,
    config: Config,
    keyed: KeyedHash,
    jobs: list[Job],
    report: Report,
) -> list[Part]:
    """Read files into parts, as many at once as the engine has threads.

    The engine reads one file of a few megabytes on one thread, and half of the time it waits for
    the next query. If a file cannot be read, the first such file in the order of ``jobs`` is
    reported.
    """
    width = max(1, min(config.ingest.threads, len(jobs), config.ingest.memory_mb // _FILE_MB))
    connections: SimpleQueue[Backend] = SimpleQueue()
    opened = [another(con) for _ in range(width)]
    for one in opened:
        connections.put(one)

    def read(job: Job) -> Part:
        own = connections.get()
        try:
            return _read_part(own, config, keyed, *job)
        finally:
            connections.put(own)

    pool = ThreadPoolExecutor(width, "reading")
    futures = [pool.submit(read, job) for job in jobs]
    waiting = set(futures)
    try:
        while waiting:
            oldest = next(at for at, future in enumerate(futures) if future in waiting)
            report(f"Reading {jobs[oldest][1].name}", len(jobs) - len(waiting), len(jobs))
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            if any(future.exception() for future in done):
                break  # files that wait are left alone; those before the first failure end
        return [future.result() for future in futures]
    except BaseException:
        for one in opened:
            one.con.interrupt()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        for one in opened:
            one.disconnect()


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
        source=name,
        kind=source.kind,
        file=file.name,
        content=file.digest,
        settings=settings,
        sequence=sequence,
        folder=label,
        written_ts=_written_ts(file),
    )
    try:
        with scratch(con):
            raw = _open(con, file, source, config.state / "tmp" / label)
            raw = fill_down(con, raw, source)
            typed = _typed(con, raw, config, name, keyed)
            table = keep(con, "staging", typed.table)
            count_rejects(con, raw, table, typed.fields, part, folder)
            part.notes.update(raw.notes)
            check_rejects(config, part, folder)
            good = table.filter(~table.bad).drop("bad")
            if "left_out" in table.columns:
                good, part.left_out = listed(con, table)
            if source.kind in ORDER_KINDS:
                zone = source.time_zone or config.workspace.time_zone
                good = file_orders(
                    con, good, table.filter(table.bad), part, midnights(zone), config.identity
                )
            said = read_words(con, raw, config, name, good, part)
            _identifiers(con, config, keyed, good, source, folder, said)
            all_null = {
                name for name, constant in constants(good).items() if constant.op().value is None
            }
            columns = [c for c in good.columns if not c.startswith(order_lines.RAW_IDENTIFIER)]
            write(con, good.select(*(c for c in columns if c not in all_null)), folder / ROWS)
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
        return catalogue.staged_locations(con, raw, config, name)
    if kind == "stock":
        return catalogue.staged_stock(con, raw, config, name)
    if kind == "customer_links":
        return catalogue.staged_links(raw, config, name)
    return order_lines.staged_lines(con, raw, config, name, keyed)


def _written_ts(file: SourceFile) -> int:
    """Return when a file was written, at most the end of the day in its name."""
    written = int(file.path.stat().st_mtime)
    return min(written, dated_ts(file.name) or written)


def _identifiers(
    con: Backend,
    config: Config,
    keyed: KeyedHash,
    good: ir.Table,
    source: Source,
    folder: Path,
    said: ir.Table | None,
) -> None:
    """Write the hashed identifiers of each order, session or registration, and what they said."""
    kinds = [c for c in good.columns if c.startswith(order_lines.RAW_IDENTIFIER)]
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
    tables, words = [], []
    for column in kinds:
        kind = column.removeprefix(order_lines.RAW_IDENTIFIER)
        seen = good.filter(good[column].notnull()).select(
            group_id=group, value=good[column], at=good.occurred_at
        )
        seen = seen.group_by("group_id", "value").aggregate(at=seen["at"].min())
        distinct = seen.select("value").distinct()
        values = store_identifiers(
            con,
            distinct,
            kind,
            keyed=keyed,
            settings=config.identity,
            country=country_of(config, source),
        )
        if said is not None:
            own = good.select(ROW, value=good[column]).join(said, ROW)
            own = own.join(values.filter(values.blocked.isnull()), "value")
            own = own.select("purpose", "channel", "at", "given", value=own.hashed)
            words.append(own.mutate(type=ibis.literal(kind)))
        hashed = seen.join(values, "value")
        if kind == PHONE:  # an order may show one number in two forms
            hashed = hashed.group_by("group_id", "hashed", "blocked").aggregate(
                at=hashed["at"].min()
            )
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
    if words:
        write(con, of_identifiers(words), folder / CONSENTS)


def _settings_digest(config: Config, source: Source, keyed: KeyedHash) -> str:
    relevant = msgspec.to_builtins(msgspec.structs.replace(source, path=None))
    if not source.consents:  # so that what was read before there were any is not read again
        del relevant["consents"]
    text = msgspec.json.encode(
        [
            FORMAT,
            relevant,
            config.workspace.currency,
            config.workspace.time_zone,
            country_of(config, source),
            config.identity.blocked,
            sorted(keyed.plain),
            keyed.identifier("key", "fingerprint"),
        ],
        order="sorted",
    )
    return hashlib.sha256(text).hexdigest()
