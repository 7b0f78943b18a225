"""Lays the report out and writes it.

What ``train`` found comes in, and the history it learned from; one HTML file comes out, with its
style and pictures inside. Called by ``train``.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from recsys.evaluation import ALL_CUSTOMERS, OURS, recall_by_source
from recsys.history import History
from training.train.report import curves, discovery, names, sales
from training.train.report.bars import bars, pairs
from training.train.report.words import Found, summary, verdict_of

#: Metrics of the tiles at the top, and of the table.
_TILES: Final = ("ndcg", "hr", "new_ndcg", "repeat_ndcg")
_TABLE: Final = tuple(names.METRICS)
#: Steps that are drawn; the shortest are left out.
_STEPS: Final = 12
#: Features that are named, the weightiest.
_FEATURES: Final = 14


@dataclass(frozen=True)
class Drawn:
    """A picture with its words.

    Attributes
    ----------
    title, caption : str
    svg : Markup
    wide : bool
        Whether it takes the whole width.
    """

    title: str
    caption: str
    svg: Markup
    wide: bool = False


#: Blends, as the record names them, and what a reader calls them.
_WEIGHTS: Final = {
    "plain_bought_before": "Weights for what was bought before",
    "plain_new": "Weights for what is new",
    "plain_stranger": "Weights for strangers",
    "cart_bought_before": "Weights beside a cart, for what was bought before",
    "cart_new": "Weights beside a cart, for what is new",
    "cart_stranger": "Weights beside a stranger's cart",
}


def write(path: Path, result: dict[str, Any], history: History, name: str) -> None:
    """Write the report of a training.

    Parameters
    ----------
    path : Path
        The file, replaced where it is there.
    result : dict
        As ``train --json`` prints it; ``figures`` must be there.
    history : History
        Whose orders are drawn.
    name : str
        The workspace's.
    """
    path.write_text(render(result, sales.read(history), name), encoding="utf-8")


def render(result: dict[str, Any], sold: sales.Sold, name: str) -> str:
    """Return the page; see ``write``."""
    found = Found(result)
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
        tiles=_tiles(found),
        tables=[_table(found, segment) for segment in found.segments],
        comparisons=_comparisons(found),
        kinds=_kinds(found),
        trust=_trust(result),
        peers=_peers(result),
        data=_data(result, sold),
        times=_times(result),
        discovery=discovery.rows(result["discovery"]),
        discovery_heads=discovery.HEADS,
        metrics=[(title, meaning.format(k=found.k)) for title, meaning in names.METRICS.values()],
        k=found.k,
    )


def _safe(svg: str) -> Markup:
    return Markup(svg)  # noqa: S704 - drawn by this package, which escapes its texts


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
    return facts


def _tiles(found: Found) -> list[dict[str, str]]:
    tiles = []
    for metric in _TILES:
        ours, lead = found.value(metric), found.lead(metric)
        if ours is None:
            continue
        title, meaning = names.METRICS[metric]
        tile = {
            "title": f"{title} @{found.k}",
            "value": names.figure(metric, ours),
            "meaning": meaning.format(k=found.k),
            "verdict": "note",
            "beside": "nothing measured beside",
        }
        if lead is not None:
            theirs = found.value(metric, lead["other"])
            tile["verdict"] = verdict_of(lead)
            tile["beside"] = f"{names.method(lead['other'])}: {names.figure(metric, theirs)}"
        tiles.append(tile)
    return tiles


def _table(found: Found, segment: str) -> dict[str, Any]:
    """One row a method; of each metric the best value is marked, where more is better."""
    metrics = [metric for metric in _TABLE if found.row(metric, OURS, segment) is not None]
    rows = []
    for method in found.methods:
        cells = []
        for metric in metrics:
            row = found.row(metric, method, segment)
            cell = {"value": "–", "interval": "", "best": False}
            if row is not None:
                cell["value"] = names.figure(metric, row["value"])
                if row["low"] is not None:
                    ends = [names.figure(metric, row[end]) for end in ("low", "high")]
                    cell["interval"] = " to ".join(ends)
                lead = found.lead(metric, segment)
                if lead is not None:
                    others = [found.value(metric, m, segment) for m in found.methods]
                    cell["best"] = row["value"] == max(v for v in others if v is not None)
            cells.append(cell)
        if any(cell["value"] != "–" for cell in cells):
            rows.append({"name": names.method(method), "ours": method == OURS, "cells": cells})
    leads = [("Our lead", [_lead(found.lead(metric, segment)) for metric in metrics])]
    if any(found.over_single(metric, segment) for metric in metrics):
        beyond = [_lead(found.over_single(metric, segment)) for metric in metrics]
        leads.append(("Our lead over the best single model", beyond))
    return {
        "segment": names.segment(segment),
        "customers": found.customers(segment),
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


def _beside(found: Found, metric: str, segment: str, name: str, title: str, caption: str) -> Drawn:
    """One bar a method that has the figure."""
    rows = [
        (method, row)
        for method in found.methods
        if (row := found.row(metric, method, segment)) is not None
    ]
    svg = bars(
        name,
        f"{title}: {', '.join(names.method(method) for method, _ in rows)}",
        [names.method(method) for method, _ in rows],
        [row["value"] for _, row in rows],
        written=[names.figure(metric, row["value"]) for _, row in rows],
        intervals=[None if row["low"] is None else (row["low"], row["high"]) for _, row in rows],
        ours=next((at for at, (method, _) in enumerate(rows) if method == OURS), None),
    )
    return Drawn(title, caption, _safe(svg))


def _comparisons(found: Found) -> list[Drawn]:
    return [
        _beside(
            found,
            "ndcg",
            segment,
            f"ndcg-{number}",
            f"NDCG@{found.k}, bought {names.segment(segment)}",
            found.customers(segment),
        )
        for number, segment in enumerate(found.segments)
    ]


def _kinds(found: Found) -> list[Drawn]:
    told = (
        ("new_ndcg", "New products", "What a customer had never bought, ranked among its like"),
        (
            "repeat_ndcg",
            "Bought before",
            "What a customer had bought before, ranked among its like",
        ),
        ("coverage", "Coverage", "Share of the catalogue that somebody is shown"),
        ("popularity", "Popularity", "Customers who had bought what is shown, on average"),
        ("novelty", "Novelty", "Bits; one more whenever half as many customers know it"),
        ("repeat_share", "Shown again", "Share of what is shown that its customer had bought"),
    )
    return [
        _beside(
            found,
            metric,
            ALL_CUSTOMERS,
            f"kind-{metric}",
            f"{title}: NDCG@{found.k}" if metric.endswith("ndcg") else title,
            caption,
        )
        for metric, title, caption in told
        if found.row(metric) is not None
    ]


def _trust(result: dict[str, Any]) -> list[Drawn]:
    drawn = []
    found = result["reliability"]
    if found["bins"]:
        caption = (
            f"Chances of what is shown first, and how much of it was bought. Expected calibration "
            f"error: {100 * found['error']:.2f} percentage points"
        )
        drawn_chances = _safe(curves.chances(found))
        drawn.append(Drawn("Chance of purchase", caption, drawn_chances))
    drawn += [*_candidates(result["origins"]), *_importance(result["importance"])]
    for blend, title in _WEIGHTS.items():
        weights = {name: weight for name, weight in result["weights"][blend].items() if weight}
        svg = bars(
            f"weights-{blend}",
            title,
            [name.replace("_", " ") for name in weights],
            list(weights.values()),
            written=[f"{value:.2f}" for value in weights.values()],
            ours=None,
        )
        caption = "What each model's evidence counts, as learned on the validation windows"
        drawn.append(Drawn(title, caption, _safe(svg)))
    return drawn


def _candidates(origins: list[dict[str, Any]]) -> list[Drawn]:
    """Who names what is then bought, what of it each adds, and what is left for trees."""
    if not origins:
        return []
    models = [
        one
        for one in origins
        if one["source"] not in (recall_by_source.ALL_MODELS, recall_by_source.SEEN_BY_TREES)
    ]
    many = ", ".join(
        f"{one['candidates']:.0f} {one['source']}" for one in origins if one not in models
    )
    legend = ("of all that was bought", "of what was new")
    told = (
        (
            "origins",
            "Who names it",
            origins,
            ("recall", "new_recall"),
            "Share of what was bought that each model names among its candidates: what none of "
            f"them names cannot be shown. Candidates of one customer, on average: {many}",
        ),
        (
            "added",
            "What it adds",
            models,
            ("alone", "new_alone"),
            "Share of what was bought that this model names and no other",
        ),
    )
    return [
        Drawn(
            title,
            caption,
            _safe(
                pairs(
                    name,
                    f"{title}: {', '.join(one['source'] for one in rows)}",
                    [one["source"].replace("_", " ") for one in rows],
                    *([one[share] or 0.0 for one in rows] for share in shares),
                    legend=legend,
                    axis="%",
                )
            ),
        )
        for name, title, rows, shares, caption in told
    ]


def _importance(weights: list[dict[str, Any]]) -> list[Drawn]:
    """What trees look at, by group and the weightiest features by name."""
    groups: dict[str, float] = {}
    for one in weights:
        groups[one["group"]] = groups.get(one["group"], 0.0) + one["share"]
    by_group = sorted(groups.items(), key=lambda pair: -pair[1])
    single = [(one["name"], one["share"]) for one in weights[:_FEATURES]]
    told = (
        (
            "groups",
            "What trees look at",
            by_group,
            "How far trees move candidates apart, by what their features are about: shares of all",
        ),
        ("features", "Features that weigh most", single, "The same of single features"),
    )
    return [
        Drawn(
            title,
            caption,
            _safe(
                bars(
                    name,
                    title,
                    [label.replace("_", " ") for label, _ in rows],
                    [100 * share for _, share in rows],
                    written=[f"{100 * share:.1f}%" for _, share in rows],
                    ours=None,
                    axis="%",
                )
            ),
        )
        for name, title, rows, caption in told
        if rows
    ]


def _peers(result: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": names.method(name),
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


def _data(result: dict[str, Any], sold: sales.Sold) -> list[Drawn]:
    starts, orders = sold
    if not len(starts):
        return []
    svg = curves.timeline(starts.tolist(), orders, result["windows"])
    caption = (
        "Learned is only from what lies before a window. Weights and peers' settings are chosen on "
        "the first, and judged on the second, which nothing has seen before"
    )
    return [Drawn("Orders a day", caption, _safe(svg), wide=True)]


def _times(result: dict[str, Any]) -> list[Drawn]:
    steps = {name: taken for name, taken in result["seconds"].items() if name != "total"}
    longest = sorted(steps, key=lambda name: -steps[name])[:_STEPS]
    shown = [name for name in steps if name in longest]
    svg = bars(
        "seconds",
        "Seconds of each step",
        [name.replace("_", " ") for name in shown],
        [steps[name] for name in shown],
        written=[f"{steps[name]:.1f} s" for name in shown],
        ours=None,
    )
    total = sum(steps.values())
    caption = f"{total:.0f} seconds together, {result['peak_mb']:,} MiB of memory at most"
    return [Drawn("Seconds", caption, _safe(svg))]
