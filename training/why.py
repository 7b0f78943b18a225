"""``omnibasket why``: what an answer showed and left out, and why, as of then.

Reads the decision from the ledger, as ``GET /v1/decisions`` does.
"""

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from recsys.config import load_config
from recsys.decisions import described
from recsys.errors import DataError
from recsys.ledger import Exposure, Ledger
from training.console import emit_json, json_option, output, table, workspace_option


@click.command(
    epilog="""\b
For example:
  omnibasket why 5f0c9a1b2c3d4e5f6a7b8c9d"""
)
@workspace_option
@click.argument("recommendation_id")
@json_option
def command(workspace: Path, recommendation_id: str, as_json: bool) -> None:
    """Say what was decided for an answer.

    RECOMMENDATION_ID is in the answer. Decisions are kept as long as [ledger] exposure_days says;
    a dry run, `omnibasket recommend` and `placements try` decide nothing.
    """
    config = load_config(workspace)
    zone = config.workspace.time_zone
    ledger = Ledger.open(config.ledger_url, create=False, currency=config.workspace.currency)
    try:
        shown = ledger.exposures.find(recommendation_id)
    finally:
        ledger.close()
    if shown is None:
        raise DataError(
            f"no decision `{recommendation_id}` is kept. Copy the recommendation_id of an answer "
            "that was shown, and wait a second after it."
        )
    found = described(shown.decision, config.caps, zone)
    if as_json:
        emit_json({**_facts(shown, zone), "items": shown.items, **found})
    else:
        _show(shown, found, zone)


def _facts(shown: Exposure, zone: str) -> dict[str, Any]:
    return {
        "recommendation_id": shown.recommendation_id,
        "decided_at": datetime.fromtimestamp(shown.shown_ts, ZoneInfo(zone)).isoformat(),
        "placement": shown.placement,
        "channel": None if shown.decision is None else shown.decision.channel,
        "model_version": shown.model_version,
        "customer_id": shown.customer_id,
        "location_id": shown.location_id,
    }


def _show(shown: Exposure, found: dict[str, Any], zone: str) -> None:
    say = partial(output().print, markup=False)
    facts = _facts(shown, zone)
    whom = f"customer {shown.customer_id}" if shown.customer_id else "nobody who is known"
    say(f"{shown.placement} for {whom} at {facts['decided_at']}, model {shown.model_version}")
    if found["reasons"]:
        reasons = zip(shown.items, found["reasons"], strict=True)
        output().print(table(("shown", "because"), [*reasons]))
    else:
        say(f"Shown: {', '.join(shown.items) or 'nothing'}")
    if found["fallback"]:
        say(f"No personal answer could be given; this was `{found['fallback']}`.")
    if found["held"]:
        say(f"Held back: {found['held']['text']}")
    for sentence in found["text"][bool(found["held"]) :]:
        say(f"Left out: {sentence}")
    for rule in found["rules"]:
        say(rule["text"])
    for one in found["random"]:
        say(f"Drawn at random: {one['item_id']}, with a chance of {one['propensity']:.3g}.")
    if found["withheld"]:
        say("Not to be shown to this customer then:")
        rows = [(one["item_id"], one["code"], one["text"]) for one in found["withheld"]]
        output().print(table(("item", "code", "why"), rows))
    if found["more_withheld"]:
        say(f"And {found['more_withheld']:,} more.")
    if shown.decision is None:
        say("What was left out was not kept by the version of then.")
