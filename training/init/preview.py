"""Shows the first rows of an export as they were understood.

Called by the command after each proposal. Identifiers are shown by their first letters only: a
screen may be looked at by others.
"""

import click

from training import console
from training.init import times
from training.init.mapping import columns_of, value_of
from training.init.template import NewSource

_ROWS = 4
_SHOWN = 28


def show(source: NewSource) -> None:
    """Print what a source was taken for, its first rows, and what to check."""
    proposal, export = source.proposal, source.export
    click.echo(f"\n{source.name}: {export.path} was taken for {proposal.kind}.")
    fields = [*proposal.columns.items(), *proposal.identifiers.items()]
    if fields:
        private = {c for spec in proposal.identifiers.values() for c in columns_of(spec)}
        pattern = proposal.settings.get("time_format")
        rows = []
        for name, spec in fields:
            cells = [value_of(row, spec) for row in export.rows[:_ROWS]]
            if name == "occurred_at":
                cells = [times.readable(cell, pattern) for cell in cells]
            if private & set(columns_of(spec)):
                cells = [_masked(cell) for cell in cells]
            rows.append([name, *(_cut(cell) for cell in cells)])
        width = max(len(row) for row in rows)
        headings = ["field", *(f"row {ix}" for ix in range(1, width))]
        console.output().print(console.table(headings, rows))
    for name in proposal.needed:
        click.echo(f"  Needed, and not found: {name}")
    for check in proposal.checks:
        click.echo(f"  Please check: {check}.")


def _masked(text: str) -> str:
    return text[:2] + "…" if text else ""


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
