"""Compares the counts of an ingest of a demo with its truth.

In: ``truth.json`` and the ingest's summary. Out: one row per figure. Called by the demo's
self-check, the tests and ``benchmarks/identity.py``.
"""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.errors import DataError
from training.demo.truth import COUNTS


@dataclass(frozen=True)
class Figure:
    """One figure of the history."""

    what: str
    expected: int
    found: int

    @property
    def right(self) -> bool:
        """Whether the ingest's count is correct."""
        return self.expected == self.found


def read_counts(workspace: Path) -> dict[str, Any]:
    """Read ``truth.json``.

    Raises
    ------
    DataError
        When the workspace is not a demo.
    """
    path = workspace / COUNTS
    try:
        counts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not a demo's truth: {error}. Run `omnibasket demo`.") from None
    return counts


def figures(truth: dict[str, Any], summary: dict[str, Any]) -> list[Figure]:
    """Compare the truth with an ingest's summary.

    Parameters
    ----------
    truth : dict
        Content of ``truth.json``.
    summary : dict
        ``summary.json`` of a history ingested from this demo only.

    Returns
    -------
    list of Figure
        Orders, lines, returns and amounts by channel; rows left out, counted once and rejected, by
        reason.
    """
    result: list[Figure] = []
    channels = {channel["channel"]: channel for channel in summary["channels"]}
    for name in ("pos", "web"):
        expected, got = truth[name], channels.get(name, {})
        # At a till, a return is an order of its own; in the web shop, a line of its order.
        orders = expected["orders"] + (expected["return_lines"] if name == "pos" else 0)
        lines = expected["sale_lines"] + expected["return_lines"]
        amount = expected["sale_minor"] + expected["return_minor"]
        result += [
            Figure(f"{name}: orders", orders, got.get("orders", 0)),
            Figure(f"{name}: lines", lines, got.get("lines", 0)),
            Figure(f"{name}: returns", expected["return_lines"], got.get("returns", 0)),
            Figure(f"{name}: amount, minor units", amount, got.get("amount_minor", 0)),
        ]
    rows = summary["rows"]
    for reason, count in truth["left_out"].items():
        result.append(Figure(f"left out: {reason}", count, rows["left_out"].get(reason, 0)))
    once = truth["counted_once"]
    result.append(Figure("counted once: twice in a file", once["in_one_file"], rows["repeated"]))
    result.append(
        Figure("counted once: again in a later file", once["in_a_later_file"], rows["superseded"])
    )
    expected = Counter(row["reason"] for row in truth["broken"])
    rejected = Counter(rows["rejected"]) + Counter(summary["other_rows"]["rejected"])
    for reason in sorted(expected | rejected):
        result.append(Figure(f"rejected: {reason}", expected[reason], rejected[reason]))
    result.append(Figure("events by item", truth["events"]["item_rows"], summary["events"]))
    return result
