"""``omnibasket week``: one customer's week over all channels, and what each step changes in each.

A workspace with a history, an artefact and a ledger comes in; its answers are printed, judged with
``--check`` and drawn with ``--chart``. ``make demo`` names it, and runs it with ``CHECK=1``.
"""

from functools import partial
from pathlib import Path
from typing import Any

import click

from recsys.config import load_config
from training import console
from training.tour import output
from training.tour.check import judge
from training.week import checks, tables
from training.week.answers import Step, Week
from training.week.script import play

__all__ = ["command", "play"]

_ROWS, _LETTERS = 6, 36


@click.command(
    epilog="""\b
For example:
  omnibasket week -w demo
  omnibasket week -w demo --chart week.png"""
)
@console.workspace_option
@click.option(
    "--chart",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw the week into this file: .png, .svg or .pdf.",
)
@click.option("--check", is_flag=True, help="Check what each step changes; fails when it is wrong.")
@console.json_option
def command(workspace: Path, chart: Path | None, check: bool, as_json: bool) -> None:
    """Play one customer's week, and show what every channel says after each step.

    An e-mail, a click in it, a cart that is left, a purchase in the store, its return, and an
    opt-out: after each, all channels are asked what they would show, and why. It is the week after
    the last purchase of the history, and a customer who bought online and in stores and may be
    written to.

    The service's own code answers, on a copy of the ledger: nothing of the workspace changes. Caps,
    holdouts, quiet hours and rotation are off, so that lists change only by what happens.
    """
    config = load_config(workspace)
    with console.progress("Playing the week"):
        week = play(config)
    found = checks.of_week(week)
    if chart is not None:
        _draw(week, chart)
    if as_json:
        console.emit_json({**_facts(week), "checks": found})
    else:
        _show(week)
        if check:
            output.checks(found)
    if check:
        judge(found)


def _draw(week: Week, path: Path) -> None:
    from training.week.chart import draw  # matplotlib takes a while to load

    try:
        draw(week).savefig(path)
    except ValueError as error:  # what its name ends in is no format of pictures
        raise click.BadParameter(str(error), param_hint="--chart") from None


def _facts(week: Week) -> dict[str, Any]:
    return {
        "customer_id": week.customer.customer_id,
        "clicked": week.clicked,
        "other": week.other,
        "steps": [
            {
                "step": step.name,
                "happened": step.happened,
                "at": step.at.isoformat(),
                "channels": [
                    {
                        "channel": channel,
                        "status": answer.status,
                        "items": answer.items,
                        "clicked": answer.clicked,
                        "left_cart": answer.left_cart,
                        "held": answer.held,
                        "why": answer.why(),
                    }
                    for channel, answer in step.answers.items()
                ],
            }
            for step in week.steps
        ],
    }


def _show(week: Week) -> None:
    say = partial(console.output().print, markup=False)
    who = week.customer.email or week.customer.customer_id
    say(f"\nCustomer {who}: {week.customer.lines:,} order lines in their history.")
    for step in week.steps:
        say(f"\n{step.at:%A %H:%M}  {step.happened}")
        _show_step(week, step)
    marks = (
        (tables.LEADS, "leads, as it was clicked elsewhere"),
        (tables.SHOWN, "one of the two products of this week"),
        (tables.IN_CART, "left in a cart"),
        (tables.KEPT_OUT, "kept out: just bought"),
    )
    say("\n" + "; ".join(f"{mark} {meaning}" for mark, meaning in marks))


def _show_step(week: Week, step: Step) -> None:
    out = console.output()
    lists = tables.lists(week, step.name, _ROWS)
    rows = [[_short(cell) for cell in row] for row in zip(*lists.values(), strict=True)]
    out.print(console.table(tuple(lists), rows))
    for channel, answer in step.answers.items():
        facts = [] if channel in lists else [f"{len(answer.items)} products."]
        facts = [f"Held ({answer.held})."] if answer.held else facts
        if said := " ".join((*facts, *answer.why())):
            out.print(f"  {channel}: {said}", markup=False)


def _short(cell: str) -> str:
    return cell if len(cell) <= _LETTERS else f"{cell[: _LETTERS - 1].rstrip()}…"
