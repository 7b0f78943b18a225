"""``omnibasket models``: which versions there are, which one is current, and how to change that.

Reads manifests and the log of promotions; only ``promote``, ``rollback`` and ``prune`` change
anything.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from recsys.artefacts import (
    Comparison,
    check_gate,
    compare_versions,
    comparison_in_words,
    read_manifest,
    registry,
    versions,
)
from recsys.config import Config, load_config
from recsys.errors import GateError
from recsys.messages import counted
from training.console import (
    at,
    emit_json,
    json_option,
    messages,
    operator,
    output,
    table,
    workspace_option,
)
from training.train.publication import make_current

_MB: Final = 1e6
_WORDS: Final = {"published": "by training", "promoted": "by hand", "rolled_back": "by rollback"}
#: Entries of the log that a person sees.
_SHOWN: Final = 20


@click.group()
def command() -> None:
    """List, compare, promote and roll back versions of the models.

    A VERSION is its whole name, a beginning of it that only one has, or `current`.
    """


@command.command(name="list")
@workspace_option
@json_option
def list_command(workspace: Path, as_json: bool) -> None:
    """List the versions, oldest first: when made, from what, how good, and which is current."""
    config = load_config(workspace)
    summaries = versions.summaries(config)
    if as_json:
        emit_json(
            {
                "current": registry.current_name(config),
                "rollback_target": registry.rollback_target(config),
                "versions": summaries,
            }
        )
        return
    metrics = [
        metric
        for metric in config.publish.guard
        if any(metric in row.get("main", {}) for row in summaries)
    ]
    rows = [
        [_mark(row), row["version"], *[None] * (len(metrics) + 3), "damaged"]
        if row["damaged"]
        else [
            _mark(row),
            row["version"],
            row["as_of"][:10],
            row["history"].rpartition("-")[2],
            *(_figure(row["main"].get(metric)) for metric in metrics),
            f"{row['bytes'] / _MB:.1f}",
            _became(row),
        ]
        for row in summaries
    ]
    headings = ["", "version", "as of", "history", *metrics, "MB", "became current"]
    output().print(table(headings, rows, counted(len(summaries), "version")))
    for row in summaries:
        if row["damaged"]:
            messages().print(row["damaged"], markup=False, soft_wrap=True)
    if any(row["rollback_target"] for row in summaries):
        output().print("* is current; < is what `omnibasket models rollback` goes back to.")


@command.command()
@workspace_option
@json_option
@click.argument("version", default="current")
def show(workspace: Path, as_json: bool, version: str) -> None:
    """Show a VERSION: settings, figures, checks, files, where its report is."""
    described = versions.describe(load_config(workspace), version)
    if as_json:
        emit_json(described)
        return
    say = output().print
    facts = [
        ("version", described["version"] + (" (current)" if described["current"] else "")),
        *((name.replace("_", " "), described[name]) for name in ("created", "as_of", "history")),
        ("became current", _became(described)),
        (
            "size",
            f"{described['bytes'] / _MB:.1f} MB in {counted(len(described['files']), 'file')}",
        ),
        *(
            (name, described[name])
            for name in ("digest", "path", "run", "report")
            if described[name]
        ),
        *(
            (check["level"], f"{check['name']}: {check['message']}")
            for check in described["checks"]
        ),
    ]
    say(table(("", ""), facts))
    figures = [
        [row["segment"], row["method"], row["metric"], _figure(row["value"]), row["n"]]
        for row in described["metrics"].get("figures", [])
    ]
    say(table(("segment", "method", "metric", "value", "customers"), figures, _window(described)))
    settings = [
        (name, str(value)) for name, value, _ in versions.differing(described["settings"], {})
    ]
    say(table(("setting", "value"), settings, "Learned with"))
    files = [
        (name, file["dtype"], "×".join(map(str, file["shape"])), file["bytes"])
        for name, file in described["files"].items()
    ]
    say(table(("file", "type", "shape", "bytes"), files, "Files"))


@command.command(name="compare")
@workspace_option
@json_option
@click.argument("version")
@click.argument("other", default="current")
def compare_command(workspace: Path, as_json: bool, version: str, other: str) -> None:
    """Put VERSION beside OTHER, the current one by default.

    Figures with the change that VERSION would bring and what guards them, settings that differ,
    sizes, and what the gate says.
    """
    config = load_config(workspace)
    folders = [registry.find(config, name) for name in (version, other)]
    if folders[0] == folders[1]:
        raise click.UsageError(_itself(config, folders[0].name, other, workspace))
    new, old = (read_manifest(folder) for folder in folders)
    verdict = check_gate(new, old, config.publish)
    compared = compare_versions(new, old, config.publish)
    settings = versions.differing(new.settings, old.settings)
    sizes = [sum(file.bytes for file in manifest.files.values()) for manifest in (new, old)]
    names = [folder.name for folder in folders]
    if as_json:
        emit_json(
            {
                "version": names[0],
                "other": names[1],
                "how": comparison_in_words(new, old),
                "same_arrays": bool(new.digest) and new.digest == old.digest,
                "metrics": [{**vars(c), "worse": c.worse} for c in compared],
                "settings": [{"setting": s, "version": a, "other": b} for s, a, b in settings],
                "bytes": {"version": sizes[0], "other": sizes[1]},
                "refusals": verdict.refusals,
            }
        )
        return
    say = output().print
    rows = [
        [
            c.segment,
            c.metric,
            _figure(c.new),
            _figure(c.old),
            _change(c),
            _allowed(c),
            "worse" if c.worse else "",
        ]
        for c in compared
    ]
    headings = ("segment", "metric", names[0], names[1], "change", "may fall by", "")
    say(table(headings, rows, comparison_in_words(new, old)))
    if settings:
        rows = [[name, _text(a), _text(b)] for name, a, b in settings]
        say(table(("setting", names[0], names[1]), rows, "Settings that differ"))
    else:
        say("The settings are the same.")
    same = new.digest and new.digest == old.digest
    say(
        "Their arrays are the same, byte by byte."
        if same
        else f"{sizes[0] / _MB:.1f} MB and {sizes[1] / _MB:.1f} MB."
    )
    verdict_text = ["The gate would let it pass.", "The gate would refuse it:"][
        bool(verdict.refusals)
    ]
    say("\n  ".join([verdict_text, *verdict.refusals]), markup=False)


@command.command()
@workspace_option
@json_option
@click.option("--force", is_flag=True, help="Whatever the gate says; needs --reason.")
@click.option("--reason", default="", metavar="TEXT", help="Why; kept in the log.")
@click.argument("version")
def promote(workspace: Path, as_json: bool, force: bool, reason: str, version: str) -> None:
    """Make VERSION current, if it is no worse than the one that is.

    Refused, with exit code 7, is what is worse by more than [publish] guard allows, or whose data
    check failed. A running service takes it up within a second.
    """
    if force and not reason.strip():
        raise click.UsageError('--force needs --reason "…", which is kept in the log.')
    config = load_config(workspace)
    name = registry.find(config, version).name
    before = registry.current_name(config)
    done, verdict = make_current(
        config, name, at=datetime.now(UTC), by=operator(), reason=reason, force=force
    )
    if as_json:
        emit_json(
            {
                "version": name,
                "before": before,
                "current": done,
                "changed": done and name != before,
                "how": verdict.how,
                "forced": force,
                "refusals": verdict.refusals,
            }
        )
    if not done:
        refusals = "\n".join(f"  {refusal}" for refusal in verdict.refusals)
        raise GateError(
            f"{name} is not made current:\n{refusals}\n{verdict.how}\n{before} stays current. To "
            'make it current all the same, add --force --reason "…".'
        )
    if not as_json:
        if verdict.refusals:
            messages().print("\n  ".join(["Forced, although:", *verdict.refusals]), markup=False)
        _moved(before, name)


@command.command()
@workspace_option
@json_option
@click.option("--reason", default="", metavar="TEXT", help="Why; kept in the log.")
def rollback(workspace: Path, as_json: bool, reason: str) -> None:
    """Go back to the version that was current before; again, and it goes further back.

    Asks no gate. To go forth again, promote the version that was left.
    """
    config = load_config(workspace)
    before = registry.current_name(config)
    name = registry.rollback(config, at=datetime.now(UTC), by=operator(), reason=reason).name
    following = registry.rollback_target(config)
    if as_json:
        emit_json({"version": name, "before": before, "rollback_target": following})
        return
    _moved(before, name)
    further = f"Another rollback goes back to {following}." if following else "It is the first."
    output().print(further)


@command.command()
@workspace_option
@json_option
@click.option("--limit", type=click.IntRange(min=1), help=f"So many; {_SHOWN} by default.")
def log(workspace: Path, as_json: bool, limit: int | None) -> None:
    """Show who made which version current, when and why; the latest last."""
    promotions = registry.log(load_config(workspace))
    if as_json:
        emit_json({"promotions": msgspec.to_builtins(promotions[-(limit or 0) :])})
        return
    rows = [
        (
            f"{p.at:%Y-%m-%d %H:%M}",
            p.by,
            _WORDS[p.action] + (", forced" if p.forced else ""),
            p.before,
            p.version,
            p.reason,
        )
        for p in promotions[-(limit or _SHOWN) :]
    ]
    output().print(table(("when (UTC)", "who", "how", "from", "to", "why"), rows))


@command.command()
@workspace_option
@json_option
@click.option("--keep", type=click.IntRange(min=0), help="So many; [train] keep by default.")
def prune(workspace: Path, as_json: bool, keep: int | None) -> None:
    """Remove old versions, as a training does.

    The current one stays, and so does the one that a rollback would go back to.
    """
    config = load_config(workspace)
    days = config.train.keep_days
    young = datetime.now(UTC) - timedelta(days=days) if days else None
    removed = registry.prune(config, config.train.keep if keep is None else keep, young)
    if as_json:
        emit_json({"removed": removed, "kept": registry.versions(config)})
        return
    what = "1 version was" if len(removed) == 1 else f"{len(removed)} versions were"
    output().print("\n  ".join([f"{what} removed.", *removed]))


def _moved(before: str | None, name: str) -> None:
    if before == name:
        output().print(f"{name} is current already; nothing was changed.")
    else:
        output().print(f"{name} is current; before it was {before or 'none'}.")


def _itself(config: Config, name: str, other: str, workspace: Path) -> str:
    """Say that a version was put beside itself, and beside which one it may be put."""
    is_current = other == "current" or name == registry.current_name(config)
    problem = f"{name} is the current version" if is_current else f"both are {name}"
    rest = [one for one in registry.versions(config) if one != name]
    if not rest:
        return f"{problem}, and there is no other to put beside it."
    return (
        f"{problem}: name another one to put beside it, as in\n"
        f"  omnibasket models compare {rest[-1]} {name}{at(workspace)}"
    )


def _mark(row: dict[str, Any]) -> str:
    return "*" if row["current"] else "<" if row["rollback_target"] else ""


def _became(row: dict[str, Any]) -> str:
    became = row["became_current"]
    if became is None:
        return "" if row["current"] else "never"
    forced = f", forced: {became['reason']}" if became["forced"] else ""
    return f"{_WORDS[became['action']]}{forced}"


def _figure(value: float | None) -> str | None:
    return None if value is None else f"{value:.4f}"


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _change(compared: Comparison) -> str:
    if compared.change is None:
        return "not comparable"
    return f"{compared.change:+.1%}" + (f" beside {compared.beside}" if compared.beside else "")


def _allowed(compared: Comparison) -> str:
    if compared.margin is None:
        return ""
    return f"{compared.margin:.1%}" + (f" + {compared.sway:.1%}" if compared.sway else "")


def _window(described: dict[str, Any]) -> str:
    test = described["test"]
    return f"Judged on {test['start'][:10]} until {test['end'][:10]}" if test else "Not judged"
