"""``omnibasket replay``: an earlier question, answered again as of then, beside what was shown.

By the model that answered, if it is kept, and with the customer's history and contacts of then.
"""

from functools import partial
from pathlib import Path
from typing import Any

import click

from recsys.artefacts import registry
from recsys.config import Config, load_config
from recsys.errors import ArtefactError, DataError
from recsys.ledger import Exposure, Ledger
from recsys.recommender import Engine
from serving.in_process import InProcess
from training.console import emit_json, json_option, output, table, workspace_option


@click.command(
    epilog="""\b
For example:
  omnibasket replay 5f0c9a1b2c3d4e5f6a7b8c9d"""
)
@workspace_option
@click.argument("recommendation_id")
@json_option
def command(workspace: Path, recommendation_id: str, as_json: bool) -> None:
    """Answer an earlier question again, as of then, and compare.

    RECOMMENDATION_ID is in the answer. What the ledger learned since about the time before, such as
    a till's ticket that came late, or a word that a later one replaced, makes a difference; so do
    changed settings, stock and products. Nothing is recorded.
    """
    config = load_config(workspace)
    shown = _find(config, recommendation_id)
    engine, note = _engine_of(config, shown.model_version)
    with InProcess(config) as service:
        replayed = service.replay(shown, engine)
    items = [item["item_id"] for item in replayed.answer["items"]]
    found = {
        "recommendation_id": recommendation_id,
        "placement": shown.placement,
        "same": items == shown.items,
        "shown": shown.items,
        "replayed": items,
        "model_version": replayed.model_version,
        "note": note,
    }
    if as_json:
        emit_json(found)
    else:
        _show(found, replayed.answer)


def _find(config: Config, recommendation_id: str) -> Exposure:
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
    if shown.decision is not None and shown.decision.held is not None:
        raise DataError(
            f"`{recommendation_id}` is a message that was held back. Ask `omnibasket why` about it."
        )
    return shown


def _engine_of(config: Config, version: str) -> tuple[Engine | None, str | None]:
    """Load the model that answered; None, with a note, where it is kept no more."""
    if version == registry.current_name(config):
        return None, None
    try:
        return Engine.load(registry.find(config, version)), None
    except ArtefactError:
        return None, f"The model {version}, which answered then, is not kept; this is the current."


def _show(found: dict[str, Any], answer: dict[str, Any]) -> None:
    say = partial(output().print, markup=False)
    titles = {item["item_id"]: item.get("title") for item in answer["items"]}
    verdict = "the same answer" if found["same"] else "another answer"
    say(f"{found['placement']}, model {found['model_version']}: {verdict}.")
    if found["note"]:
        say(found["note"])
    length = max(len(found["shown"]), len(found["replayed"]))
    rows = []
    for at in range(length):
        then = found["shown"][at] if at < len(found["shown"]) else None
        now = found["replayed"][at] if at < len(found["replayed"]) else None
        rows.append((at + 1, then, now, titles.get(now or "")))
    output().print(table(("rank", "shown then", "replayed", "title"), rows))
