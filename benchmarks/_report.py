"""Gathers the figures of a benchmark, prints them side by side, and writes them as JSON.

Every script of this folder adds rows while it measures and calls ``finish`` at its end, so that
all of them print the same kind of table and write the same JSON.
"""

import argparse
import importlib.metadata
import json
import math
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

#: The method name of our own rows.
OURS = "omnibasket"
#: What a benchmark ends with whose data is not there; ``make bench`` leaves it out then.
NO_DATA = 77

_LIBRARIES = (
    "duckdb",
    "ibis-framework",
    "implicit",
    "numpy",
    "pyarrow",
    "scikit-learn",
    "scipy",
)
_WIDTH_IN_FILES = 120


class Report:
    """Rows of a benchmark.

    Parameters
    ----------
    title : str
        Printed above the table.
    libraries : sequence of str
        Distributions whose versions matter besides the usual ones.
    """

    def __init__(self, title: str, libraries: tuple[str, ...] = ()) -> None:
        self.title = title
        self.libraries = _LIBRARIES + libraries
        self.rows: list[dict[str, Any]] = []

    def add(
        self,
        task: str,
        method: str,
        metric: str,
        value: float,
        *,
        low: float | None = None,
        high: float | None = None,
        n: int | None = None,
        seed: int | None = None,
    ) -> None:
        """Keep one figure.

        Parameters
        ----------
        task : str
            The data it was measured on.
        method : str
            Who did it; ``OURS`` for our own row.
        metric : str
            Lower case: ``ndcg@12``, ``seconds``, ``peak_mb``.
        value : float
            The figure.
        low, high : float, optional
            Ends of its 95% interval.
        n : int, optional
            How many things it is the mean of.
        seed : int, optional
            Seed of everything random behind it.
        """
        self.rows.append(
            {
                "task": task,
                "method": method,
                "metric": metric,
                "value": value,
                "low": low,
                "high": high,
                "n": n,
                "seed": seed,
            }
        )

    def table(self) -> Table:
        """Lay the rows out: one line a task and method, one column a metric."""
        metrics = list(dict.fromkeys(row["metric"] for row in self.rows))
        table = Table(title=self.title, title_justify="left", box=box.SIMPLE_HEAD)
        for heading in ("task", "method"):
            table.add_column(heading)
        for metric in metrics:
            table.add_column(metric, justify="right")
        lines: dict[tuple[str, str], dict[str, str]] = {}
        for row in self.rows:
            line = lines.setdefault((row["task"], row["method"]), {})
            line[row["metric"]] = _figure(row)
        for (task, method), line in lines.items():
            table.add_row(task, method, *(line.get(metric, "") for metric in metrics))
        return table

    def across(self) -> list[Table]:
        """Lay the rows out where metrics are many: a table a task, one column a method."""
        tables = []
        for task in dict.fromkeys(row["task"] for row in self.rows):
            rows = [row for row in self.rows if row["task"] == task]
            methods = list(dict.fromkeys(row["method"] for row in rows))
            table = Table(title=f"{self.title}: {task}", title_justify="left", box=box.SIMPLE_HEAD)
            table.add_column("metric")
            for method in methods:
                table.add_column(method, justify="right")
            held = {(row["metric"], row["method"]): _figure(row) for row in rows}
            for metric in dict.fromkeys(row["metric"] for row in rows):
                table.add_row(metric, *(held.get((metric, method), "") for method in methods))
            tables.append(table)
        return tables

    def finish(self, json_path: Path | None = None, *, across: bool = False) -> None:
        """Print the table, or those of ``across``, and write the JSON where a file was named."""
        console = Console()
        if not console.is_terminal:
            console = Console(width=_WIDTH_IN_FILES)
        for table in self.across() if across else [self.table()]:
            console.print(table)
        where = machine(self.libraries)
        console.print(
            f"{where['cores']} cores, {where['memory_gb']} GB, Python {where['python']}",
            highlight=False,
        )
        if json_path is not None:
            self.write(json_path)

    def write(self, json_path: Path) -> None:
        """Write machine and rows as JSON."""
        document = {"machine": machine(self.libraries), "rows": self.rows}
        json_path.parent.mkdir(parents=True, exist_ok=True)
        json_path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def machine(libraries: tuple[str, ...] = _LIBRARIES) -> dict[str, Any]:
    """Describe where the figures come from: cores, memory, versions, date and commit."""
    pages, page_bytes = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(pages * page_bytes / 2**30),
        "python": platform.python_version(),
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {name: _version(name) for name in ("omnibasket", *libraries)},
        "commit": _commit(),
    }


def parser(description: str | None) -> argparse.ArgumentParser:
    """Make a parser with what every benchmark takes: ``--json FILE`` and ``--seed N``."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    made.add_argument("--seed", type=int, default=0, help="seed of everything random")
    return made


def _figure(row: dict[str, Any]) -> str:
    text = _number(row["value"])
    if row["low"] is not None and row["high"] is not None:
        text += f" [{_number(row['low'])}, {_number(row['high'])}]"
    return text


def _number(value: float) -> str:
    if not math.isfinite(value):
        return str(value)
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.4g}"


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    asked = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip() or None
