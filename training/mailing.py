"""``omnibasket mailing``: whom a mailing would reach, and why it would not reach the others.

Asks the service's own code for every customer of the ledger; nothing is sent, promised or written.
"""

import csv
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import click

from recsys.config import Config, load_config
from recsys.decisions import HELD_TEXTS, MESSAGES
from recsys.errors import ConfigError
from recsys.ledger import Ledger
from recsys.recommender import find_placement
from serving.in_process import InProcess
from training.console import emit_json, json_option, output, progress, table, workspace_option

_BATCH: Final = 250
_OTHER_TEXTS: Final = {
    "empty": "Nothing that may be shown is left.",
    "no_address": "No identifier of the type that the mailing needs is known.",
}


@click.group()
def command() -> None:
    """Say whom a mailing would reach, before anything is sent."""


@command.command(
    epilog="""\b
For example:
  omnibasket mailing check email_weekly
  omnibasket mailing check email_cart --send-at 2026-03-01T09:00:00+01:00 --csv held.csv"""
)
@click.argument("placement")
@workspace_option
@click.option("--send-at", help="When it is to go out, ISO 8601 with an offset; now by default.")
@click.option("--mailing-id", help="Of the mailing, where a part of it has been decided already.")
@click.option(
    "--identifier-type",
    default="email",
    show_default=True,
    help="Only customers with such an identifier can get it.",
)
@click.option(
    "--csv",
    "csv_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write each customer and what would become of their message to this file.",
)
@json_option
def check(
    placement: str,
    workspace: Path,
    send_at: str | None,
    mailing_id: str | None,
    identifier_type: str,
    csv_path: Path | None,
    as_json: bool,
) -> None:
    """Count whom a mailing on PLACEMENT would reach now, and why not the others.

    Every customer of the ledger is asked for, with ranking, consents, caps, quiet hours and
    holdouts, exactly as the service would; nothing is written. Messages of this mailing that would
    use up each other's caps concern different customers, so their order does not matter.
    """
    config = load_config(workspace)
    settings = find_placement(config, placement)
    if settings.channel not in MESSAGES:
        channels = ", ".join(MESSAGES)
        raise ConfigError(f"`{placement}` is on {settings.channel}; messages go by {channels}.")
    begun = time.monotonic()
    everybody, reachable = _customers(config, identifier_type)
    fields = {"send_at": send_at, "mailing_id": mailing_id}
    given = {name: value for name, value in fields.items() if value is not None}
    outcomes: dict[str, str] = {}
    left_out: Counter[str] = Counter()
    shown = 0
    with InProcess(config) as service, progress("asking", len(reachable)) as bar:
        for customer_id, line in _lines(service, placement, reachable, given):
            outcomes[customer_id] = _outcome(line)
            if outcomes[customer_id] == "sent":
                shown += len(line["items"])
                left_out.update(line["left_out"])
            bar.update(done=len(outcomes))
        version = service.state.loaded().version
    outcomes |= dict.fromkeys(everybody - outcomes.keys(), "no_address")
    counts = Counter(outcomes.values())
    if csv_path is not None:
        _write(csv_path, outcomes)
    found = {
        "placement": placement,
        "model_version": version,
        "customers": len(outcomes),
        "would_get_it": counts.pop("sent", 0),
        "would_not": dict(counts.most_common()),
        "products": shown,
        "left_out": {rule: n for rule, n in left_out.most_common() if n},
        "seconds": round(time.monotonic() - begun, 1),
    }
    if as_json:
        emit_json(found)
    else:
        _show(found, csv_path)


def _customers(config: Config, identifier_type: str) -> tuple[set[str], list[str]]:
    ledger = Ledger.open(config.ledger_url, create=False, currency=config.workspace.currency)
    try:
        return set(ledger.records.customer_ids()), ledger.records.customer_ids(identifier_type)
    finally:
        ledger.close()


def _lines(
    service: InProcess, placement: str, customer_ids: list[str], given: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for start in range(0, len(customer_ids), _BATCH):
        part = customer_ids[start : start + _BATCH]
        yield from zip(part, service.batch(placement, part, **given), strict=True)


def _outcome(line: dict[str, Any]) -> str:
    """Name what would become of a message: ``sent``, or why not."""
    if "items" in line:
        return "sent" if line["items"] else "empty"
    return str(line.get("code") or line["type"].removeprefix("/problems#"))


def _write(path: Path, outcomes: dict[str, str]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("customer_id", "outcome"))
        writer.writerows(sorted(outcomes.items()))


def _show(found: dict[str, Any], csv_path: Path | None) -> None:
    say = partial(output().print, markup=False)
    n = found["customers"] or 1
    say(
        f"{found['placement']}, model {found['model_version']}: {found['would_get_it']:,} of "
        f"{found['customers']:,} customers would get it ({found['would_get_it'] / n:.0%}), with "
        f"{found['products']:,} products."
    )
    if found["would_not"]:
        rows = [
            (code, count, f"{count / n:.1%}", HELD_TEXTS.get(code) or _OTHER_TEXTS.get(code, ""))
            for code, count in found["would_not"].items()
        ]
        output().print(table(("held back", "customers", "share", "why"), rows))
    if found["left_out"]:
        output().print(table(("candidates left out by", "times"), found["left_out"].items()))
    if csv_path is not None:
        say(f"Each customer: {csv_path}")
    say(f"Nothing was sent or written. {found['seconds']} s.")
