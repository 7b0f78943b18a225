"""``omnibasket identity``: look into customers, and undo a link that is wrong.

Reads the links and identifiers of the current history. What is undone is kept in the state
folder; the next ingest splits the customer.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from recsys.config import Config, load_config
from recsys.errors import DataError
from recsys.history import History
from recsys.identity import KeyedHash, inspection, overrides
from recsys.messages import counted
from training.console import emit_json, json_option, output, table, workspace_option

_SHOWN = 50
#: Digits of a hash that tell identifiers apart on a screen.
_DIGITS = 8

limit_option = click.option(
    "--limit",
    type=click.IntRange(min=1),
    help=f"Show at most so many; {_SHOWN} by default, and all of them with --json.",
)


@click.group()
def command() -> None:
    """Look into customers, undo a link.

    Identifiers that were seen together (an e-mail and a payment token in one order, a card and an
    e-mail in a registration, a device and a login in a session) are linked into customers. Each
    link keeps its evidence; what was refused says why.
    """


@command.command()
@workspace_option
@json_option
@click.option("--refused", is_flag=True, help="Only links that were refused.")
@click.option("--customer", metavar="ID", help="Only links of this customer, by any id of theirs.")
@click.option(
    "--identifier",
    metavar="TYPE=VALUE",
    help="Only links of this identifier, as in email=ada@shop.test; a stored value is found too.",
)
@limit_option
def links(
    workspace: Path,
    as_json: bool,
    refused: bool,
    customer: str | None,
    identifier: str | None,
    limit: int | None,
) -> None:
    """List the links, the latest first.

    Each line names the two identifiers, what they were seen together in, how often, and whether
    the link joined them or why not. Personal identifiers are shown as the beginning of their
    hash; --json has them whole.
    """
    config = load_config(workspace)
    history = History.open(config)
    count, rows = inspection.find_links(
        history,
        accepted=False if refused else None,
        customer_id=customer,
        identifiers=None if identifier is None else _stored(config, identifier),
        limit=limit or (None if as_json else _SHOWN),
    )
    if as_json:
        emit_json({"history": history.version, "count": count, "links": rows})
        return
    shown = [
        (
            row["link_id"],
            _end(row, "a"),
            _end(row, "b"),
            row["evidence"],
            row["seen"],
            row["refused"] or "joined",
        )
        for row in rows
    ]
    headings = ("link", "identifier", "identifier", "seen in", "times", "verdict")
    output().print(table(headings, shown, f"{len(rows):,} of {counted(count, 'link')}"))


@command.command()
@workspace_option
@json_option
@limit_option
def blocked(workspace: Path, as_json: bool, limit: int | None) -> None:
    """List identifiers that name nobody, and why.

    `rule` are values that look like nobody's: a till's default card, test@…, and what
    [identity.blocked] lists. `degree` are values that too many strangers share.
    """
    history = History.open(load_config(workspace))
    count, rows = inspection.find_blocked(history, limit=limit or (None if as_json else _SHOWN))
    if as_json:
        emit_json({"history": history.version, "count": count, "identifiers": rows})
        return
    shown = [
        (
            _name(row["type"], row["value"]),
            row["orders"],
            _day(row["first_at"]),
            _day(row["last_at"]),
            row["blocked"],
        )
        for row in rows
    ]
    headings = ("identifier", "orders", "first", "last", "why it names nobody")
    output().print(table(headings, shown, f"{len(rows):,} of {count:,} blocked identifiers"))


@command.command(name="undo")
@workspace_option
@json_option
@click.option("--reason", default="", help="Why; kept beside the link.")
@click.argument("link_id")
def undo_command(workspace: Path, as_json: bool, reason: str, link_id: str) -> None:
    """Undo the link LINK_ID, so that it never joins.

    The next `omnibasket ingest` splits the customer; `redo` takes it back. Says beforehand who
    the link's customers will be.
    """
    config = load_config(workspace)
    before = overrides.undone_links(config)
    change = inspection.change_of(
        History.open(config), config.identity, link_id, before, {*before, link_id}
    )
    new = link_id not in before and overrides.undo(config, link_id, datetime.now(UTC), reason)
    _report(config, change, new, as_json, "undone")


@command.command(name="redo")
@workspace_option
@json_option
@click.argument("link_id")
def redo_command(workspace: Path, as_json: bool, link_id: str) -> None:
    """Let the link LINK_ID join again, after `undo`."""
    config = load_config(workspace)
    if link_id in config.identity.undone:
        raise DataError(
            f"link `{link_id}` is undone by [identity] undone in omnibasket.toml. Remove it there."
        )
    before = overrides.undone_links(config)
    change = inspection.change_of(
        History.open(config), config.identity, link_id, before, {*before} - {link_id}
    )
    _report(config, change, overrides.redo(config, link_id), as_json, "redone")


def _report(config: Config, change: inspection.Change, new: bool, as_json: bool, verb: str) -> None:
    if as_json:
        emit_json(
            {
                "changed": new,
                "link": change.link,
                "before": change.before,
                "after": change.after,
                "file": overrides.path_of(config),
            }
        )
        return
    say = output().print
    link = change.link
    times = "once" if link["seen"] == 1 else f"{link['seen']:,} times"
    say(
        f"Link {link['link_id']}: {_end(link, 'a')} and {_end(link, 'b')}, {link['evidence']}, "
        f"seen {times}.",
        markup=False,
    )
    if not new:
        say(
            f"It is {verb} already; nothing was changed."
            if verb == "undone"
            else "It was not undone; nothing was changed."
        )
        return
    say(f"Now {verb}: {overrides.path_of(config)}", markup=False, soft_wrap=True)
    if change.nothing:
        say("Its customers stay as they are: other links join them, or this one was refused.")
    else:
        rows = [*_rows("now", change.before), *_rows("then", change.after)]
        say(table(("", "customer", "identifiers", "which"), rows))
    say("The next `omnibasket ingest` applies it.", markup=False)


def _rows(when: str, customers: list[inspection.Customer]) -> Iterable[tuple[Any, ...]]:
    for customer in customers:
        names = [_name(*identifier) for identifier in customer.identifiers]
        more = f" and {len(names) - 4} more" if len(names) > 4 else ""
        yield (when, customer.customer_id or "nobody", len(names), ", ".join(names[:4]) + more)


def _stored(config: Config, text: str) -> list[tuple[str, str]]:
    """Read TYPE=VALUE, a raw value or one as it is stored."""
    kind, found, value = text.partition("=")
    if not (found and kind and value):
        raise click.BadParameter(
            "write TYPE=VALUE, as in email=ada@shop.test.",
            param_hint="--identifier",
        )
    hashed = KeyedHash.load(config).identifier(kind, value)
    return [(kind, stored) for stored in dict.fromkeys((hashed, value)) if stored]


def _end(link: dict[str, Any], side: str) -> str:
    return _name(link[f"type_{side}"], link[f"value_{side}"])


def _name(kind: str, value: str) -> str:
    return f"{kind}={value if len(value) <= _DIGITS + 1 else value[:_DIGITS] + '…'}"


def _day(at: datetime | None) -> str | None:
    return None if at is None else f"{at:%Y-%m-%d}"
