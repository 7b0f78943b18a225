"""Renders the report of a training as one HTML page.

In: the result of a training and its history. Out: one HTML file, with its style and pictures
inside. Called by ``train``.
"""

from datetime import datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from recsys.evaluation import ALL_CUSTOMERS, OURS
from recsys.history import History
from recsys.messages import counted
from training.train.report import discovery, names, pictures, sales
from training.train.report.words import Results, summary, verdict_of

#: Metrics of the tiles at the top, and of the table.
_TILES: Final = ("ndcg", "hr", "new_ndcg", "repeat_ndcg")
_TABLE: Final = tuple(names.METRICS)


def write(path: Path, result: dict[str, Any], history: History, name: str) -> None:
    """Write the report of a training.

    Parameters
    ----------
    path : Path
        The file to write; replaced if it exists.
    result : dict
        As ``train --json`` prints it; must have ``figures``.
    history : History
        The history whose orders are drawn.
    name : str
        Name of the workspace.
    """
    path.write_text(render(result, sales.read(history), name), encoding="utf-8")


def render(result: dict[str, Any], sold: sales.Sold, name: str) -> str:
    """Return the page; see ``write``."""
    results = Results(result)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        name=name,
        run=result["run"],
        version=result.get("version"),
        facts=_facts(result),
        sentences=summary(result),
        tiles=_tiles(results),
        tables=[_table(results, segment) for segment in results.segments],
        comparisons=pictures.comparisons(results),
        kinds=pictures.more_metrics(results),
        trust=pictures.learned_parts(result),
        peers=_baselines(result),
        data=pictures.timeline(result, sold),
        times=pictures.step_times(result),
        discovery=discovery.rows(result["discovery"]),
        discovery_heads=discovery.HEADS,
        metrics=[(title, meaning.format(k=results.k)) for title, meaning in names.METRICS.values()],
        k=results.k,
    )


def _facts(result: dict[str, Any]) -> list[tuple[str, str]]:
    tests = result["windows"]["test"]
    first, last = (
        datetime.fromisoformat(tests[0]["start"]),
        datetime.fromisoformat(tests[-1]["end"]),
    )
    facts = [
        ("Judged on", f"{first:%Y-%m-%d} until {last:%Y-%m-%d}"),
        ("Run", result["run"]),
        ("History", result["history"]),
    ]
    if "version" in result:
        facts += [
            ("Version", f"{result['version']} ({result['outcome']})"),
            ("Products", f"{result['items']:,}"),
            ("Orders", f"{result['orders']:,}"),
            ("Customers", f"{result['customers']:,}"),
        ]
    if result["not_profiled"]:
        facts.append(
            ("Customers without consent to profiling", f"{result['not_profiled']:,}, left out")
        )
    return facts


def _tiles(results: Results) -> list[dict[str, str]]:
    tiles = []
    for metric in _TILES:
        ours, lead = results.value(metric), results.lead(metric)
        if ours is None:
            continue
        title, meaning = names.METRICS[metric]
        tile = {
            "title": f"{title} @{results.k}",
            "value": names.figure(metric, ours),
            "meaning": meaning.format(k=results.k),
            "verdict": "note",
            "beside": "nothing measured beside",
        }
        if lead is not None:
            theirs = results.value(metric, lead["other"])
            tile["verdict"] = verdict_of(lead)
            tile["beside"] = f"{names.method(lead['other'])}: {names.figure(metric, theirs)}"
        tiles.append(tile)
    return tiles


def _table(results: Results, segment: str) -> dict[str, Any]:
    """One row a method; of each metric the best value is marked, where more is better."""
    metrics = [metric for metric in _TABLE if results.row(metric, OURS, segment) is not None]
    rows = []
    for method in results.methods:
        cells = []
        for metric in metrics:
            row = results.row(metric, method, segment)
            cell = {"value": "–", "interval": "", "best": False}
            if row is not None:
                cell["value"] = names.figure(metric, row["value"])
                if row["low"] is not None:
                    ends = [names.figure(metric, row[end]) for end in ("low", "high")]
                    cell["interval"] = " to ".join(ends)
                lead = results.lead(metric, segment)
                if lead is not None:
                    others = [results.value(metric, m, segment) for m in results.methods]
                    cell["best"] = row["value"] == max(v for v in others if v is not None)
            cells.append(cell)
        if any(cell["value"] != "–" for cell in cells):
            rows.append({"name": names.method(method), "ours": method == OURS, "cells": cells})
    leads = [("Our lead", [_lead(results.lead(metric, segment)) for metric in metrics])]
    if any(results.over_single(metric, segment) for metric in metrics):
        beyond = [_lead(results.over_single(metric, segment)) for metric in metrics]
        leads.append(("Our lead over the best single model", beyond))
    return {
        "segment": names.segment(segment),
        "customers": results.customers(segment),
        "heads": [names.METRICS[metric][0] for metric in metrics],
        "rows": rows,
        "leads": leads,
        "open": segment == ALL_CUSTOMERS,
    }


def _lead(lead: dict[str, Any] | None) -> dict[str, str]:
    if lead is None:
        return {"text": "", "verdict": "note", "interval": ""}
    verdict = verdict_of(lead)
    level = " level" if verdict == "level" else ""
    return {
        "text": f"{lead['value']:+.4f}{level}",
        "verdict": verdict,
        "interval": f"{lead['low']:+.4f} to {lead['high']:+.4f}",
    }


def _baselines(result: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": names.method(name),
            "when": _tuned_when(peer["trainings_ago"]),
            "tried": [
                {
                    "settings": names.settings(settings),
                    "reached": f"{reached:.4f}",
                    "chosen": settings == peer["settings"],
                }
                for settings, reached in peer["tried"]
            ],
        }
        for name, peer in result["peers"].items()
    ]


def _tuned_when(trainings_ago: int) -> str:
    if not trainings_ago:
        return "Tuned in this training."
    return f"Tuned {counted(trainings_ago, 'training')} ago; the settings were kept."
