"""``omnibasket erase``: removes everything about one customer, for good.

Reads and changes the ledger, and marks what may not come back. Without ``--yes`` it only says what
would go.
"""

import time
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
import msgspec

from recsys.config import Config, load_config
from recsys.errors import DataError
from recsys.identity import KeyedHash, customer_id_of
from recsys.ledger import Ledger, MarkFile
from recsys.ledger.events import Identifier, seal_identifier
from training.console import at, emit_json, json_option, output, table, workspace_option

_FATES: Final = {
    "identifiers": "removed and marked",
    "histories": "removed",
    "contacts": "removed",
    "visits": "removed",
    "exposures": "removed",
    "events": "kept without the person",
    "offers": "kept without an owner",
}


class Named(NamedTuple):
    """Whom the command names, and every id of theirs."""

    text: str
    own_ids: list[str]


@click.command(
    epilog="""\b
For example:
  omnibasket erase email=ada@shop.test
  omnibasket erase email=ada@shop.test --yes
  omnibasket erase email=ada@shop.test --lift --yes"""
)
@workspace_option
@click.argument("identifier", metavar="[TYPE=VALUE]", required=False)
@click.option("--customer-id", metavar="ID", help="Any id of the customer, in place of TYPE=VALUE.")
@click.option("--lift", is_flag=True, help="Let somebody who came back be stored again.")
@click.option("--yes", is_flag=True, help="Do it; otherwise only say what would be done.")
@json_option
def command(
    workspace: Path,
    identifier: str | None,
    customer_id: str | None,
    lift: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Erase a customer.

    Removes everything about the customer behind TYPE=VALUE, under all identifiers that are linked
    with it, from the ledger. Orders, events and offers stay for products and money, without the
    person. Every identifier is marked, so that neither an export, nor an event, nor an older
    backup of the ledger brings them back.

    --lift takes back the mark of one identifier. What was removed stays removed, also what exports
    hold of the time before.
    """
    config = load_config(workspace)
    ledger = Ledger.open(config.ledger_url, create=False, currency=config.workspace.currency)
    try:
        file = MarkFile.of(config)
        ledger.erasures.merge(file)
        if lift:
            found = _lift(ledger, _own(config, identifier, customer_id), file, yes=yes)
        else:
            found = _erase(ledger, _named(config, ledger, identifier, customer_id), file, yes=yes)
    finally:
        ledger.close()
    if as_json:
        emit_json(found)
    elif lift:
        _show_lifted(found)
    else:
        _show(found, config)


def _named(config: Config, ledger: Ledger, text: str | None, customer_id: str | None) -> Named:
    who = _identifier(config, text, customer_id)
    own_ids = ledger.erasures.ids_of(identifier=who, customer_id=customer_id)
    if who is not None and not own_ids:
        raise DataError(
            f"`{text}` names nobody: many share it. Give an identifier of the customer alone."
        )
    if not own_ids and not ledger.erasures.is_erased(customer_id=customer_id):
        raise DataError(f"nobody has the id `{customer_id}`. Give any id of the customer.")
    return Named(text or customer_id or "", own_ids or [customer_id or ""])


def _own(config: Config, text: str | None, customer_id: str | None) -> Named:
    """Return the one id that is named; of those who are erased, no others are known."""
    who = _identifier(config, text, customer_id)
    own_id = customer_id or ""
    if who is not None:
        own_id = customer_id_of(who.type, who.value)
    return Named(text or own_id, [own_id])


def _identifier(config: Config, text: str | None, customer_id: str | None) -> Identifier | None:
    """Read TYPE=VALUE as channels report it."""
    if (text is None) == (customer_id is None):
        raise click.UsageError("Give TYPE=VALUE or --customer-id ID.")
    if text is None:
        return None
    kind, _, value = text.partition("=")
    if not (kind and value):
        raise click.BadParameter("write TYPE=VALUE, as in email=ada@shop.test.")
    raw = Identifier(type=kind, value=value)
    sealed = seal_identifier(raw, KeyedHash.load(config), config.identity)
    if sealed is None:
        raise DataError(f"`{text}` names nobody: a rule blocks it.")
    return sealed


def _erase(ledger: Ledger, named: Named, file: MarkFile, *, yes: bool) -> dict[str, Any]:
    known = any(not ledger.erasures.is_erased(customer_id=each) for each in named.own_ids)
    if yes:
        rows = ledger.erasures.erase(named.own_ids, int(time.time()), file)
    else:
        rows = ledger.erasures.preview(named.own_ids)
    return {
        "customer": named.text,
        "erased": yes,
        "erased_before": not known,
        "ids": named.own_ids,
        "rows": msgspec.structs.asdict(rows),
        "marks": str(file.path),
    }


def _lift(ledger: Ledger, named: Named, file: MarkFile, *, yes: bool) -> dict[str, Any]:
    (own_id,) = named.own_ids
    if not ledger.erasures.is_erased(customer_id=own_id):
        raise DataError(f"`{named.text}` was not erased. Nothing was changed.")
    if yes:
        ledger.erasures.lift(named.own_ids, int(time.time()), file)
    return {"identifier": named.text, "lifted": yes}


def _show(found: dict[str, Any], config: Config) -> None:
    say = partial(output().print, markup=False, soft_wrap=True)
    if found["erased_before"]:
        say(f"{found['customer']} was erased before.")
    rows = [(name, found["rows"][name], fate) for name, fate in _FATES.items()]
    output().print(table(("in the ledger", "rows", "what becomes of them"), rows))
    if not any(found["rows"].values()) and not found["erased_before"]:
        say("The ledger holds nothing of them; the mark keeps them out.")
    if not found["erased"]:
        say("Nothing was changed. Add --yes to erase; it cannot be taken back.")
        return
    say(f"Erased, and marked in {found['marks']}: keep that file apart from backups.")
    say(
        "The history's files are without them after the next `omnibasket ingest`; the version "
        "before goes with the ingest after that. Exports are yours to clean."
    )
    say(f"Next: omnibasket ingest{at(config.folder)}")


def _show_lifted(found: dict[str, Any]) -> None:
    say = partial(output().print, markup=False, soft_wrap=True)
    if found["lifted"]:
        say(f"{found['identifier']} may be stored again, with what happens from now on.")
    else:
        say(f"{found['identifier']} was erased. Add --yes to let it be stored again.")
