"""Shows the first rows of an export as the proposal reads them.

Called by the command after each proposal. Customer identifiers are hidden, because others may see
the screen.
"""

import click

from training import console
from training.init import times
from training.init.proposal import columns_of, shown, value_of
from training.init.template import NewSource

_ROWS = 4
_SHOWN = 28
HIDDEN = "(hidden)"


def show(source: NewSource) -> None:
    """Print a source's kind, its first rows, and what to check."""
    proposal, export = source.proposal, source.export
    click.echo(f"\n{source.name}: {export.path} is read as {proposal.kind}.")
    fields = [*proposal.columns.items(), *proposal.identifiers.items()]
    if fields:
        private = {c for spec in proposal.identifiers.values() for c in columns_of(spec)}
        rows = []
        for name, spec in fields:
            cells = [value_of(row, spec) for row in export.rows[:_ROWS]]
            if name == "occurred_at":
                cells = [times.readable(c, proposal.settings.get("time_format")) for c in cells]
            elif private & set(columns_of(spec)) or name in proposal.identifiers:
                cells = [HIDDEN if cell else "" for cell in cells]
            else:
                cells = [_cell(cell) for cell in cells]
            rows.append([name, *(_cut(cell) for cell in cells)])
        width = max(len(row) for row in rows)
        headings = ["field", *(f"row {ix}" for ix in range(1, width))]
        console.output().print(console.table(headings, rows))
    for name in proposal.needed:
        click.echo(f"  Required, but not found: {name}")
    for check in proposal.checks:
        click.echo(f"  Please check: {check}.")


def _cell(text: str) -> str:
    """Hide e-mail addresses; long numbers here are ids of products and orders."""
    return shown(text) if "@" in text else text


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
