"""``omnibasket demo``: a workspace from real baskets, written as a retailer's own exports.

``build`` creates the workspace; ``command`` calls it from the command line. docs/demo.md documents
how channels, identifiers and traps are assigned.
"""

from pathlib import Path
from typing import Any

import click

from training.console import at, emit_json, follow, json_option, output, progress, table
from training.demo.build import FEWEST_HOUSEHOLDS, Demo, build

__all__ = ["Demo", "build", "command"]


@click.command("demo")
@click.option(
    "--workspace",
    "-w",
    type=click.Path(path_type=Path),
    default=Path("demo"),
    show_default=True,
    envvar="OMNIBASKET_WORKSPACE",
    show_envvar=True,
    help="Folder to build it in.",
)
@click.option(
    "--households",
    type=click.IntRange(min=FEWEST_HOUSEHOLDS),
    help="Number of households in a smaller demo; all 2,469 by default.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Same seed, same bytes.")
@click.option("--force", is_flag=True, help="Write into a folder with other content.")
@json_option
def command(workspace: Path, households: int | None, seed: int, force: bool, as_json: bool) -> None:
    """Build the demo workspace from a real grocer's baskets.

    The Complete Journey's households, prices, discounts, stores and products, written as till
    tickets, Shopify orders, GA4 events, a catalogue and stock, with the traps of real exports:
    orders exported twice, returns, shared cards and tablets, broken rows. truth.csv and truth.json
    in the folder hold the correct results.
    """
    with progress("Reading The Complete Journey", total=1) as bar:
        demo = build(workspace, seed=seed, households=households, force=force, report=follow(bar))
    if as_json:
        emit_json({"workspace": demo.folder, **demo.truth})
        return
    console = output()
    console.print(table(("", "orders", "lines", "amount"), _channels(demo.truth), "Demo workspace"))
    console.print(table(("traps", "count"), _traps(demo.truth)))
    console.print(f"Workspace: {demo.folder}", markup=False)
    console.print(f"Next: omnibasket ingest{at(demo.folder)}", markup=False)


def _channels(truth: dict[str, Any]) -> list[tuple[str, int, int, str]]:
    rows = []
    for channel, name in (("pos", "stores"), ("web", "web shop")):
        of_channel = truth[channel]
        rows.append(
            (
                name,
                of_channel["orders"],
                of_channel["sale_lines"],
                f"{of_channel['sale_minor'] / 100:,.2f}",
            )
        )
        back = f"{of_channel['return_minor'] / 100:,.2f}"
        rows.append((f"{name}, returned", 0, of_channel["return_lines"], back))
    return rows


def _traps(truth: dict[str, Any]) -> list[tuple[str, int]]:
    rows = [(name.replace("_", " "), count) for name, count in truth["traps"].items()]
    return [*rows, ("broken rows", len(truth["broken"]))]
