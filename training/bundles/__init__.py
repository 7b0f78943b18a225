"""``omnibasket bundles``: what sells together, what it would earn, and what was decided about it.

The same artefact and the same ledger as the service's, without the service. Nothing is changed:
bundles are decided about over HTTP or on the page, where who decided is known.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

import click

from recsys.artefacts import registry
from recsys.bundles import BUNDLE_KINDS, STATUSES, Counts
from recsys.config import load_config
from recsys.ledger import Ledger, Overlay
from recsys.recommender import Engine, shift_seconds, unknown_names
from recsys.recommender.bundles import (
    ListRequest,
    Show,
    Sort,
    Suggestions,
    matching_bundles,
    spreadsheet,
)
from recsys.recommender.bundles import documents as words
from training.bundles.output import show_list, show_one
from training.console import emit_json, json_option, workspace_option

#: Of the table, unless it is said how many.
_ROWS: Final = 20


@dataclass(frozen=True)
class _Opened:
    """What the command reads."""

    suggestions: Suggestions
    ledger: Ledger
    now_ts: int
    currency: str | None


@click.group()
def command() -> None:
    """Look through what sells together, what it would earn, and what was decided about it."""


@command.command(
    "list",
    epilog="""\b
For example:
  omnibasket bundles list --status suggested
  omnibasket bundles list --status approved --json
  omnibasket bundles list --category "Vegetables - shelf stable" --csv > vegetables.csv""",
)
@workspace_option
@click.option("--status", type=click.Choice(STATUSES), help="Only those that are decided so.")
@click.option(
    "--kind", type=click.Choice(BUNDLE_KINDS), help="In one basket, or one after the other."
)
@click.option("--item", metavar="ITEM", help="Only those with this product.")
@click.option("--title", metavar="TEXT", help="Only those with this text in a title.")
@click.option("--category", help="Only those with a product of this category.")
@click.option("--department", help="Only those with a product of this department.")
@click.option("--location", help="Only those that are bought at this location.")
@click.option(
    "--segment", metavar="NAME", help="Only those that hold there, as channel:web or season:winter."
)
@click.option("--min-lift", type=click.FloatRange(min=0), default=0.0, help="Least lift.")
@click.option("--min-support", type=click.IntRange(min=0), default=0, help="Least support.")
@click.option("--min-margin", type=float, help="Least expected margin a month, minor units.")
@click.option(
    "--pays/--pays-not", default=None, help="Whether the suggested price pays for itself."
)
@click.option("--all", "everything", is_flag=True, help="Also what is hardly worth a decision.")
@click.option(
    "--sort",
    type=click.Choice(get_args(Sort)),
    default="margin",
    help="Highest first; by default what earns most.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), help="Rows; 20, but all of them as CSV or JSON."
)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, for spreadsheets.")
@click.option("--short", is_flag=True, help="With --csv: what people read, in major units.")
@json_option
def list_command(
    workspace: Path,
    item: str | None,
    title: str | None,
    location: str | None,
    limit: int | None,
    as_csv: bool,
    short: bool,
    as_json: bool,
    everything: bool,
    **filters: Any,
) -> None:
    """List bundles that are worth a decision, and those that were decided about.

    Shows what `GET /v1/bundles` answers: a table, or with --csv and --json everything that is
    known of each bundle. Says how many others there are, and why they are left out.
    """
    if as_csv and as_json:
        raise click.UsageError("choose --csv or --json.")
    with _opened(workspace) as opened:
        suggestions = opened.suggestions
        show: Show = "all" if everything else "worth"
        wanted = ListRequest(item_id=item, q=title, location_id=location, show=show, **filters)
        _check(suggestions.engine, wanted)
        names, left_out = matching_bundles(suggestions, wanted)
        shown = names[: limit or (len(names) if as_csv or as_json else _ROWS)]
        counts = opened.ledger.offers.counts(now_ts=opened.now_ts)
        rows = [words.row(suggestions, name, counts.get(name, Counts())) for name in shown]
        left = words.left_out_counts(suggestions, left_out, opened.currency)
    if as_csv:
        click.echo(spreadsheet.short(rows) if short else spreadsheet.spreadsheet(rows), nl=False)
    elif as_json:
        emit_json({"total": len(names), "left_out": left, "bundles": rows})
    else:
        show_list(rows, len(names), left)


@command.command()
@click.argument("bundle_id")
@workspace_option
@json_option
def show(bundle_id: str, workspace: Path, as_json: bool) -> None:
    """Show one bundle: its evidence, what prices would earn, and who decided what.

    With --json, everything that `GET /v1/bundles/{bundle_id}` answers.
    """
    with _opened(workspace) as opened:
        if not opened.suggestions.known(bundle_id):
            raise click.BadParameter(
                f"there is no bundle `{bundle_id}`. `omnibasket bundles list` names them.",
                param_hint="BUNDLE_ID",
            )
        offers, decisions = opened.ledger.offers, opened.ledger.decisions
        found = words.full(
            opened.suggestions,
            bundle_id,
            offers.counts([bundle_id], now_ts=opened.now_ts).get(bundle_id, Counts()),
            decisions.changes(bundle_id),
            offers.by_day(bundle_id),
            opened.now_ts,
        )
    if as_json:
        emit_json(found)
    else:
        show_one(found)


@contextmanager
def _opened(workspace: Path) -> Iterator[_Opened]:
    """Open the current artefact with what the ledger knows besides."""
    config = load_config(workspace)
    engine = Engine.load(registry.current(config), stock=config.stock)
    ledger = Ledger.open(config.ledger_url, create=False, currency=config.workspace.currency)
    try:
        overlay = Overlay(ledger.backoffice)
        overlay.renew()
        updates = overlay.updates_since(engine.manifest.details.get("exported", {}))
        if updates:
            engine = engine.with_updates(updates)
        decided = {decision.bundle_id: decision for decision in ledger.decisions.all()}
        now_ts = int(time.time()) + shift_seconds(config, engine.manifest)
        suggestions = Suggestions(engine, decided, config.bundles)
        yield _Opened(suggestions, ledger, now_ts, config.workspace.currency)
    finally:
        ledger.close()


def _check(engine: Engine, wanted: ListRequest) -> None:
    """Refuse names that the catalogue does not hold, rather than find nothing."""
    if wanted.item_id is not None and engine.index.ix_of([wanted.item_id])[0] < 0:
        raise click.BadParameter(
            f"`{wanted.item_id}` is not in the model's catalogue.", param_hint="--item"
        )
    for field, text in unknown_names(engine, wanted):
        raise click.BadParameter(text, param_hint=f"--{field}")
    if wanted.location_id is not None and not engine.has_location(wanted.location_id):
        raise click.BadParameter(
            f"`{wanted.location_id}` is not in the catalogue.", param_hint="--location"
        )
