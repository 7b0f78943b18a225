"""Summarises an ingest in counts: for the table at its end, for scripts, and for the next ingest.

A written version of the history and the manifest come in; ``summary.json`` and ``rejects.csv``
are written into the version. Called by ``training.ingest``.

Nothing is lost without being counted: ``accounting`` holds the rows of each source against what
became of them.
"""

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend

from recsys.config import ORDER_KINDS, Config
from recsys.history import REJECTS, versions
from recsys.identity import overrides
from recsys.ingest.accounting import accounts, total
from recsys.ingest.erased import Marks
from recsys.ingest.parts import FOLDER, FORMAT, REJECTED, Manifest, Part
from recsys.query_engine import rows
from recsys.schema import REJECTS as REJECT_COLUMNS

#: What the back office may tell of between two exports.
TOLD_KINDS = ("products", "locations", "stock")


def exports_read(config: Config, manifest: Manifest) -> dict[str, int]:
    """Say when the newest export of products, locations and stock was written.

    Parameters
    ----------
    config : Config
        Parts of sources that it does not name do not count.
    manifest : Manifest
        The parts that were read.

    Returns
    -------
    dict
        Kind → UTC epoch seconds; kinds without an export are not in it.
    """
    newest: dict[str, int] = {}
    for part in _used(config, manifest):
        if part.kind in TOLD_KINDS:
            newest[part.kind] = max(newest.get(part.kind, 0), part.written_ts)
    return newest


def history_fingerprint(
    config: Config, manifest: Manifest, live_events: Sequence[int], erased: Marks | None = None
) -> str:
    """Digest everything a history is made of, to know whether one is up to date.

    Parameters
    ----------
    config : Config
    manifest : Manifest
    live_events : sequence of int
        Numbers of the last event that the service accepted, and of the last update from the back
        office.
    erased : mapping of str to int or None, optional
        As of ``unify``.
    """
    parts = [(p.source, p.content, p.settings, p.sequence) for p in _used(config, manifest)]
    text = msgspec.json.encode(
        [
            FORMAT,
            parts,
            config.rules,
            config.identity,
            overrides.undone_links(config),
            config.ingest.return_window_days,
            config.ingest.anonymous_orders,
            list(live_events),
            *([sorted(erased.items())] if erased else []),
        ],
        order="sorted",
    )
    return hashlib.sha256(text).hexdigest()


def write_rejects(
    config: Config, manifest: Manifest, folder: Path, live: Sequence[Mapping[str, Any]] = ()
) -> Path:
    """Write every rejected row with its file and line, as a CSV that opens in a spreadsheet.

    Live events come last; their lines are their numbers.

    Parameters
    ----------
    config : Config
        Parts of sources that it does not name are left out.
    manifest : Manifest
        The parts that were read.
    folder : Path
        Of the version.
    live : sequence of mappings
        Rejected live events, with the columns of ``schema.REJECTS``; none by default.

    Returns
    -------
    Path
        The file, which only its owner may read.
    """
    path = folder / REJECTS
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, REJECT_COLUMNS.names)
        writer.writeheader()
        for part in _used(config, manifest):
            found = config.state / FOLDER / part.folder / REJECTED
            if found.exists():
                writer.writerows(pq.read_table(found).to_pylist())
        writer.writerows(live)
    path.chmod(0o600)
    return path


def summarise_ingest(
    con: Backend,
    config: Config,
    manifest: Manifest,
    folder: Path,
    counts: dict[str, Any],
    **stated: Any,
) -> dict[str, Any]:
    """Count a written history, and write ``summary.json``.

    Parameters
    ----------
    con : ibis backend
    config : Config
    manifest : Manifest
    folder : Path
        The version.
    counts : dict
        As ``unify`` returns them.
    **stated
        What only the caller knows: version, time, fingerprint, files read.
    """
    parts = _used(config, manifest)
    orders = [part for part in parts if part.kind in ORDER_KINDS]
    others = [part for part in parts if part.kind not in ORDER_KINDS]
    summary: dict[str, Any] = dict(stated)
    summary["files"] = len(parts)
    summary["exported"] = exports_read(config, manifest)
    found = accounts(orders, counts["sources"])
    summary["rows"] = total(found.values())
    summary["sources"] = found
    summary["other_rows"] = {
        "read": sum(part.rows for part in others),
        "rejected": _total(others),
        "left_out": counts.get("left_out_events", {}) | _left_out(others),
    }
    summary["live"] = counts.get("live")
    summary["erased"] = counts["erased"]
    summary["refund_lines_added"] = sum(part.added for part in orders)
    summary |= _tables(con, folder)
    for name in ("returns", "returns_matched"):
        summary[name] = counts[name]
    notes = Counter(counts["notes"])
    examples: dict[str, str] = {}
    for part in parts:
        notes.update(part.notes)
        examples = {**part.examples, **examples}
    summary["notes"] = dict(sorted(notes.items()))
    summary["examples"] = dict(sorted({**examples, **counts["examples"]}.items()))
    summary["rejects_file"] = REJECTS
    text = json.dumps(summary, indent=2, default=str)
    (folder / versions.SUMMARY).write_text(text + "\n", encoding="utf-8")
    written: dict[str, Any] = json.loads(text)
    return written


def _tables(con: Backend, folder: Path) -> dict[str, Any]:
    lines = con.read_parquet(folder / "lines.parquet", table_name="summary_lines")
    whole, by_channel = (
        rows(
            con,
            grouped.aggregate(
                orders=lines.order_id.nunique(),
                lines=lines.count(),
                customers=lines.customer_id.nunique(),
                anonymous_lines=lines.customer_id.isnull().sum().fill_null(0),
                returns=(lines.kind == "return").sum().fill_null(0),
                amount_minor=lines.amount_minor.sum().fill_null(0),
                first_at=lines.occurred_at.min().cast("string"),
                last_at=lines.occurred_at.max().cast("string"),
            ),
        )
        for grouped in (lines, lines.group_by("channel"))
    )
    channels = _column(folder, "customers", "channels")
    found = dict(whole[0])
    found.pop("returns")
    found["channels"] = sorted(by_channel, key=lambda row: str(row["channel"]))
    found["customers_known"] = _count(folder, "customers")
    found["customers_in_several_channels"] = _sum(pc.match_substring(channels, ","))
    found["currencies"] = sorted(
        row["currency"] for row in rows(con, lines.select("currency").distinct()) if row["currency"]
    )
    for table in ("products", "locations", "stock", "events", "identifiers"):
        found[table] = _count(folder, table)
    accepted = _column(folder, "links", "accepted")
    found["links"] = {"accepted": _sum(accepted), "refused": _sum(pc.invert(accepted))}
    found["identifiers_blocked"] = _sum(pc.is_valid(_column(folder, "identifiers", "blocked")))
    return found


def _column(folder: Path, table: str, name: str) -> pa.ChunkedArray:
    return pq.read_table(folder / f"{table}.parquet", columns=[name])[name]


def _sum(which: pa.ChunkedArray) -> int:
    return pc.sum(which).as_py() or 0


def _count(folder: Path, table: str) -> int:
    return int(pq.read_metadata(folder / f"{table}.parquet").num_rows)


def _left_out(parts: list[Part]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part.left_out)
    return dict(sorted(total.items()))


def _total(parts: list[Part]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part.rejected)
    return dict(sorted(total.items()))


def _used(config: Config, manifest: Manifest) -> list[Part]:
    return [part for part in manifest.parts if part.source in config.sources]
