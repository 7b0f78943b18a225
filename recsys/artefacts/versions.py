"""Summarises versions for lists and comparisons.

In: a workspace. Out: plain values, ready for JSON. Called by the command line.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from recsys.artefacts import registry, runs
from recsys.artefacts.artefact_format import Manifest, read_manifest
from recsys.artefacts.gate import OURS
from recsys.artefacts.promotion_log import Promotion
from recsys.config import Config
from recsys.errors import ArtefactError

#: Segment of the main figures.
ALL: Final = "all"


def summaries(config: Config) -> list[dict[str, Any]]:
    """Summarise every version, oldest first; for a damaged one only the damage."""
    now, log = registry.current_name(config), registry.log(config)
    back = registry.rollback_target(config)
    return [
        _summary(registry.folder(config) / name, now, back, log)
        for name in registry.versions(config)
    ]


def describe(config: Config, version: str) -> dict[str, Any]:
    """Return all known facts about a version.

    Raises
    ------
    ArtefactError
        When there is none, or its manifest is damaged.
    """
    path = registry.find(config, version)
    manifest = read_manifest(path)
    log = registry.log(config)
    back = registry.rollback_target(config)
    summary = _summary(path, registry.current_name(config), back, log)
    run = runs.of_version(config, path.name)
    report = None if run is None else runs.report_of(config, run.id)
    return {
        **summary,
        "path": str(path),
        "run": None if run is None else run.id,
        "report": None if report is None else str(report),
        "settings": manifest.settings,
        "metrics": manifest.metrics,
        "details": manifest.details,
        "libraries": manifest.libraries,
        "files": {name: msgspec.to_builtins(file) for name, file in manifest.files.items()},
        "promotions": [msgspec.to_builtins(p) for p in log if path.name in (p.version, p.before)],
    }


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """List the settings that differ, by dotted name; None where missing."""
    flat, other_flat = dict(_flat(one)), dict(_flat(other))
    return [
        (name, flat.get(name), other_flat.get(name))
        for name in dict.fromkeys([*flat, *other_flat])
        if flat.get(name) != other_flat.get(name)
    ]


def main_figures(metrics: Mapping[str, Any]) -> dict[str, float | None]:
    """Return Omnibasket's own figures for all customers, by metric."""
    return {
        row["metric"]: row["value"]
        for row in metrics.get("figures", [])
        if row["segment"] == ALL and row["method"] == OURS
    }


def _summary(
    path: Path, current: str | None, back: str | None, log: list[Promotion]
) -> dict[str, Any]:
    became = [p for p in log if p.version == path.name]
    summary: dict[str, Any] = {
        "version": path.name,
        "current": path.name == current,
        "rollback_target": path.name == back,
        "became_current": msgspec.to_builtins(became[-1]) if became else None,
    }
    try:
        manifest = read_manifest(path)
    except ArtefactError as error:
        return {**summary, "damaged": str(error)}
    return {**summary, "damaged": None, **_facts(manifest)}


def _facts(manifest: Manifest) -> dict[str, Any]:
    return {
        "created": manifest.created.isoformat(),
        "as_of": manifest.as_of.isoformat(),
        "history": manifest.fingerprint,
        "digest": manifest.digest,
        "test": manifest.details.get("test"),
        "main": main_figures(manifest.metrics),
        "checks": manifest.details.get("checks", []),
        "bytes": sum(file.bytes for file in manifest.files.values()),
    }


def _flat(settings: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value
