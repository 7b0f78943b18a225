"""``omnibasket runs``: what every training did, with what, and how it ended.

Reads the records that ``train`` leaves; changes nothing.
"""

from pathlib import Path
from typing import Any, Final

import click
import msgspec

from recsys.artefacts import Record, runs, versions
from recsys.config import load_config
from recsys.messages import counted
from training.console import emit_json, json_option, output, table, workspace_option

_SHOWN: Final = 20


@click.group(invoke_without_command=True)
@workspace_option
@json_option
@click.option("--limit", type=click.IntRange(min=1), help=f"So many; {_SHOWN} by default.")
@click.pass_context
def command(context: click.Context, workspace: Path, as_json: bool, limit: int | None) -> None:
    """List the trainings, the latest last; show one, compare two.

    A RUN is its id, a beginning of it that only one has, or `last`.
    """
    if context.invoked_subcommand is not None:
        return
    config = load_config(workspace)
    found = runs.read_all(config)
    if as_json:
        emit_json({"runs": [_brief(record) for record in found[-(limit or 0) :]]})
        return
    briefs = [_brief(record) for record in found[-(limit or _SHOWN) :]]
    metrics = [m for m in config.publish.guard if any(m in brief["main"] for brief in briefs)]
    rows = [
        (
            b["run"],
            b["outcome"],
            *(_figure(b["main"].get(metric)) for metric in metrics),
            b["seconds"],
            " ".join(b["overrides"]),
        )
        for b in briefs
    ]
    headings = ("run", "ended", *metrics, "seconds", "set")
    output().print(table(headings, rows, f"{len(briefs):,} of {counted(len(found), 'run')}"))


@command.command()
@workspace_option
@json_option
@click.argument("run", default=runs.LAST)
def show(workspace: Path, as_json: bool, run: str) -> None:
    """Show a RUN: how it ended, settings, checks, figures, seconds, memory."""
    config = load_config(workspace)
    record = runs.find(config, run)
    report = runs.report_of(config, record.id)
    if as_json:
        emit_json({**msgspec.to_builtins(record), "report": None if report is None else report})
        return
    say = output().print
    facts = [
        ("run", record.id),
        ("ended", record.outcome),
        *((name, getattr(record, name)) for name in ("error", "reason") if getattr(record, name)),
        *(("refused", refusal) for refusal in record.refusals),
        ("version", record.version),
        ("history", record.history),
        ("by", f"{record.by}, omnibasket {record.package}"),
        *(("set", override) for override in record.overrides),
        ("peak memory", None if record.peak_mb is None else f"{record.peak_mb:,} MB"),
        ("folder", runs.folder(config) / record.id),
        *((("report", report),) if report else ()),
    ]
    say(table(("", ""), facts))
    checks = [(check["name"], check["level"], check["message"]) for check in record.checks]
    say(table(("check", "", "found"), checks))
    figures = [
        (row["segment"], row["method"], row["metric"], _figure(row["value"]), row["n"])
        for row in record.metrics.get("figures", [])
    ]
    say(table(("segment", "method", "metric", "value", "customers"), figures))
    say(table(("step", "seconds"), list(record.seconds.items())))
    settings = [(name, str(value)) for name, value, _ in versions.differing(record.settings, {})]
    say(table(("setting", "value"), settings))


@command.command()
@workspace_option
@json_option
@click.argument("run")
@click.argument("other", default=runs.LAST)
def compare(workspace: Path, as_json: bool, run: str, other: str) -> None:
    """Put RUN beside OTHER, the last one by default: settings that differ, figures, seconds."""
    config = load_config(workspace)
    records = [runs.find(config, name) for name in (run, other)]
    one, two = records
    if one.id == two.id:
        before = [r.id for r in runs.read_all(config) if r.id != one.id]
        hint = f", such as {before[-1]}" if before else "; there is none yet"
        raise click.UsageError(f"{one.id} would be put beside itself: name another run{hint}.")
    settings = versions.differing(one.settings, two.settings)
    figures = _beside(*(_figures(record) for record in records))
    seconds = _beside(one.seconds, two.seconds)
    same = one.history == two.history and one.details.get("test") == two.details.get("test")
    if as_json:
        emit_json(
            {
                "run": one.id,
                "other": two.id,
                "same_window": same,
                "settings": [{"setting": s, "run": a, "other": b} for s, a, b in settings],
                "metrics": [{"metric": m, "run": a, "other": b} for m, a, b in figures],
                "seconds": [{"step": s, "run": a, "other": b} for s, a, b in seconds],
            }
        )
        return
    say = output().print
    rows = [(name, _text(a), _text(b)) for name, a, b in settings]
    say(table(("setting", one.id, two.id), rows, "Settings that differ"))
    measured = [
        (name, _figure(a), _figure(b), None if a is None or b is None else f"{b - a:+.4f}")
        for name, a, b in figures
    ]
    title = "Both measured on the same orders" if same else "Measured on different orders"
    say(table(("metric", one.id, two.id, "change"), measured, title))
    say(table(("seconds", one.id, two.id), seconds))


def _brief(record: Record) -> dict[str, Any]:
    return {
        "run": record.id,
        "started": record.started,
        "outcome": record.outcome,
        "version": record.version,
        "history": record.history,
        "main": versions.main_figures(record.metrics),
        "seconds": record.seconds.get("total"),
        "peak_mb": record.peak_mb,
        "overrides": record.overrides,
        "error": record.error,
    }


def _figures(record: Record) -> dict[str, float]:
    return {
        f"{row['metric']} ({row['segment']}, {row['method']})": row["value"]
        for row in record.metrics.get("figures", [])
        if row["value"] is not None
    }


def _beside(one: dict[str, float], other: dict[str, float]) -> list[tuple[str, Any, Any]]:
    return [(name, one.get(name), other.get(name)) for name in dict.fromkeys([*one, *other])]


def _figure(value: float | None) -> str | None:
    return None if value is None else f"{value:.4f}"


def _text(value: object) -> str:
    return "" if value is None else str(value)
