"""``omnibasket ingest``: exports become one clean history, and the ledger learns it.

Settings come in; a new version of the history is written, made current and handed to the ledger.
Nothing changes when anything fails. Run again it adds nothing twice.
"""

import fcntl
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

import click

from recsys.config import Config, load_config
from recsys.errors import DataError
from recsys.history import REJECTS, History, current_version, publish_version, versions
from recsys.identity import KeyedHash
from recsys.ingest import (
    Manifest,
    Report,
    drop_replaced,
    exports_read,
    history_fingerprint,
    imported_consents,
    stage,
    summarise_ingest,
    unify,
    write_rejects,
)
from recsys.ledger import Ledger, MarkFile
from recsys.ledger.exchange import (
    bring_in_consents,
    give_back,
    packed,
    read_live,
    read_updates,
    replace_customers,
)
from recsys.query_engine import connect
from training.console import (
    at,
    emit_json,
    follow,
    json_option,
    output,
    progress,
    table,
    workspace_option,
)


@click.command()
@workspace_option
@json_option
def command(workspace: Path, as_json: bool) -> None:
    """Turn the exports into one clean history.

    Reads every source of omnibasket.toml that is new or has changed, links identifiers into
    customers, and writes orders, events, products and customers as Parquet under
    .omnibasket/history. Run it as often as you like: the same export is never counted twice, and
    a later export of an order replaces the earlier one. When anything fails, the previous history
    stays as it is.

    Rows that cannot be read are counted and kept in rejects.csv, with file and line.
    """
    config = load_config(workspace)
    started = time.perf_counter()
    with progress("Reading exports", 1) as bar:
        summary = ingest(config, datetime.now(UTC), follow(bar))
    summary["seconds"] = round(time.perf_counter() - started, 2)
    if as_json:
        emit_json(summary)
    else:
        _show(summary, config)


def ingest(config: Config, at: datetime, report: Report) -> dict[str, Any]:
    """Bring the history up to date.

    Parameters
    ----------
    config : Config
    at : datetime
        The time of the ingest; names the version.
    report : callable
        Told what is being done: ``report(description, done, total)``.

    Returns
    -------
    dict
        The summary, as in ``summary.json``, with ``changed``, ``consents_noted`` and
        ``offers_given_back``.

    Raises
    ------
    ConfigError, DataError, LedgerError
        Saying what to mend; the previous history is still current.
    """
    if not config.sources:
        raise DataError(
            f"{config.folder / 'omnibasket.toml'}: names no sources. Add a [sources.NAME] section "
            "for each export, or run `omnibasket init`."
        )
    with _alone(config):
        keyed = KeyedHash.load(config, create=True)
        ledger = Ledger.open(config.ledger_url, currency=config.workspace.currency)
        scratch = config.state / "tmp"
        # Arrow looks for it at the first column that it is given; meanwhile files are read.
        Thread(target=import_module, args=("pandas",)).start()
        con = connect(
            memory_mb=config.ingest.memory_mb, threads=config.ingest.threads, spill=scratch
        )
        try:
            ledger.erasures.merge(MarkFile.of(config))
            erased = {
                mark.own_id: None if mark.erased else mark.marked_ts
                for mark in ledger.erasures.marks()
            }
            mark = ledger.mark()
            manifest = Manifest.load(config)
            before = len(manifest.parts)
            manifest = stage(con, config, keyed, manifest, report)
            digest = history_fingerprint(config, manifest, (mark, ledger.backoffice.mark()), erased)
            now_ts, noted = int(at.timestamp()), 0

            def bring(history: History, rows: Iterator[tuple[str, bytes]] | None = None) -> int:
                report("Bringing the histories to the ledger", 0, 1)
                said = imported_consents(con, config, manifest, history.folder, erased, now_ts)
                noted = bring_in_consents(ledger, said)
                replace_customers(history, ledger, config, contained=mark, rows=rows)
                return noted

            current = _current(config)
            if current is not None and current.summary["fingerprint"] == digest:
                if ledger.meta().get("history_version") != current.version:
                    noted = bring(current)
                manifest.save(config)  # an ingest may have ended between publishing and here
                found: dict[str, Any] = {**current.summary, "changed": False}
                given_back = give_back(current, ledger, config, now_ts)
                return {**found, "consents_noted": noted, "offers_given_back": given_back}
            live = read_live(ledger, mark, scratch, config.workspace.currency)
            stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%S")
            version = f"{stamp}-{digest[:8]}"
            updates = read_updates(ledger, exports_read(config, manifest))
            rows: list[Iterator[tuple[str, bytes]]] = []

            def begin(folder: Path) -> None:
                rows.append(packed(History.of(config, folder)))

            folder, counts = unify(
                con, config, manifest, version, report, live, updates, begin, erased
            )
            summary = summarise_ingest(
                con,
                config,
                manifest,
                folder,
                counts,
                version=version,
                created=at.astimezone(UTC).isoformat(),
                fingerprint=digest,
                new_files=len(manifest.parts) - before,
            )
            write_rejects(config, manifest, folder, live.rejects if live is not None else ())
            history = publish_version(config, folder)
            drop_replaced(manifest, counts["standing"], config.sources)
            manifest.save(config)
            noted = bring(history, rows[0])
            given_back = give_back(history, ledger, config, now_ts)
        finally:
            con.disconnect()
            ledger.close()
            shutil.rmtree(scratch, ignore_errors=True)
    return {**summary, "changed": True, "consents_noted": noted, "offers_given_back": given_back}


def _current(config: Config) -> History | None:
    if current_version(config) is None:
        return None
    try:
        return History.open(config)
    except DataError:
        return None  # damaged: written again from the parts


@contextmanager
def _alone(config: Config) -> Iterator[None]:
    """Hold the workspace, so that two ingests do not write at once."""
    config.state.mkdir(parents=True, exist_ok=True)
    with (config.state / "ingest.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(f"{config.state}: another ingest is running. Wait for it.") from None
        yield


def _live_outcomes(live: dict[str, Any]) -> list[tuple[str, str, int]]:
    """Say what became of live events, one row for each fate and reason that there is."""
    found = []
    for name, count in live.items():
        parts = count.items() if isinstance(count, dict) else [("", count)]
        found += [(name.replace("_", " "), str(why), n) for why, n in parts if n or name == "read"]
    return found


def _show(summary: dict[str, Any], config: Config) -> None:
    say = output().print
    rows, others = summary["rows"], summary["other_rows"]
    say(
        f"History {summary['version']}: {summary['first_at'] or '-'} to {summary['last_at'] or '-'}"
        f", {summary['products']:,} products, {summary['locations']:,} locations, "
        f"{summary['events']:,} event rows."
        if summary["changed"]
        else f"Nothing new: history {summary['version']} is up to date."
    )
    names = ("channel", "orders", "lines", "customers", "anonymous_lines", "returns")
    channels = [[channel[name] for name in names] for channel in summary["channels"]]
    total = {**summary, "channel": "all"}
    channels.append([total[name] for name in names])
    headings = [name.replace("_", " ") for name in names]
    say(table(headings, channels, "What the history holds"))
    accounted: list[tuple[str, str, int]] = [
        ("read from order exports", "", rows["read"]),
        ("kept", "", rows["kept"]),
        *(("left out by rule", name, count) for name, count in rows["left_out"].items()),
        ("counted once", "again in one file", rows["repeated"]),
        ("counted once", "replaced by a later export", rows["superseded"]),
        *(("rejected", name, count) for name, count in rows["rejected"].items()),
        *(("rejected in other exports", name, count) for name, count in others["rejected"].items()),
        *(("left out of the events", name, count) for name, count in others["left_out"].items()),
    ]
    shown = [row for row in accounted if row[2] or not row[1]]
    say(table(("what became of the rows", "", "rows"), shown))
    if summary["live"] is not None:
        say(table(("what became of live events", "", "events"), _live_outcomes(summary["live"])))
    facts = [
        ("customers with orders in several channels", summary["customers_in_several_channels"]),
        ("returns matched to their order", summary["returns_matched"]),
        ("offers given back by returns", summary["offers_given_back"]),
        *((("consents noted", noted),) if (noted := summary["consents_noted"]) else ()),
        ("identifiers", summary["identifiers"]),
        ("identifiers that name nobody", summary["identifiers_blocked"]),
        ("links accepted", summary["links"]["accepted"]),
        ("links refused", summary["links"]["refused"]),
        *((f"{name} of erased customers", n) for name, n in summary.get("erased", {}).items()),
        *((name.replace("_", " "), count) for name, count in summary["notes"].items()),
    ]
    say(table(("also", "count"), facts))
    for name, text in summary["examples"].items():
        say(f"{name.replace('_', ' ')}, the first: {text}")
    if rows["rejected"] or others["rejected"] or (summary["live"] or {}).get("rejected"):
        path = config.state / versions.FOLDER / summary["version"] / REJECTS
        say(f"Rejected rows with file and line: {path}")
    say(f"{summary['seconds']:.1f} s. Next: omnibasket train{at(config.folder)}")
