"""``omnibasket init``: writes a commented ``omnibasket.toml`` for your own exports.

Asks questions or takes flags. Reads the beginning of each export, proposes what its columns mean
from their names and values, previews the first rows, and writes a file that always loads. If a
wrong guess would change money or people, the command asks or refuses.
"""

import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import msgspec

from recsys.config import FILE_NAME, Column, load_config, parse_config
from recsys.errors import ConfigError
from training import console
from training.init import mapping, overrides, questions
from training.init.ids import align
from training.init.template import Answers, NewSource, render

_EXAMPLES = """\b
Examples:
  omnibasket init
  omnibasket init -w shop --currency GBP --source online_retail.csv
  omnibasket init --yes --source till_tickets=exports/tills --source orders.csv
"""


@click.command(epilog=_EXAMPLES)
@console.workspace_option
@click.option("--name", help="Name of the workspace; its folder's name by default.")
@click.option("--currency", help="ISO 4217 code of amounts without a currency.")
@click.option("--time-zone", help="IANA zone of times without an offset, such as Europe/Paris.")
@click.option(
    "--source",
    "sources",
    multiple=True,
    metavar="[KIND=]PATH",
    help="An export: a file, a folder or a glob. Without a kind, its columns determine the kind. "
    f"Kinds: {', '.join(mapping.KINDS)}. May be repeated.",
)
@click.option(
    "--set",
    "said",
    multiple=True,
    metavar="SOURCE.SETTING=VALUE",
    help="Overrides a proposed setting of a source, such as "
    'orders.columns.amount="Net Sales" or orders.decimal=,; an empty value removes it. '
    "May be repeated.",
)
@click.option(
    "--yes",
    "-y",
    is_flag=True,
    help="Accept every proposal. Fails if a wrong guess would change money or people.",
)
@click.option("--force", is_flag=True, help="Replace an existing omnibasket.toml.")
@console.json_option
def command(
    workspace: Path,
    name: str | None,
    currency: str | None,
    time_zone: str | None,
    sources: tuple[str, ...],
    said: tuple[str, ...],
    yes: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Write a commented omnibasket.toml for your own exports.

    Without flags it asks for your exports one by one. It reads the first rows of each, proposes
    what the columns mean from their names and values, and adds a comment where you should check.
    It asks whenever a wrong guess would change money or people; with --yes it fails instead, names
    the --set that answers the question, and writes nothing. It reads only the beginning of each
    file, changes none, and shows nothing that identifies a customer.
    """
    path = workspace / FILE_NAME
    if path.exists() and not force:
        raise ConfigError(f"{path} already exists. Edit it, or replace it with --force.")
    asking = sys.stdin.isatty() and not yes and not as_json
    answers = Answers(
        name=questions.answer(
            "Name of the workspace", name, workspace.resolve().name or "workspace", asking
        ),
        currency=questions.currency(currency, asking),
        time_zone=questions.time_zone(time_zone, asking),
    )
    answered = overrides.parse(said)
    questions.add_sources(answers, sources, workspace, answered, asking=asking, quiet=as_json)
    notes = align(answers.sources)
    questions.refuse_open(answers, asking=asking)
    content = render(answers)
    parse_config(tomllib.loads(content), path)
    workspace.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    load_config(workspace)
    if as_json:
        console.emit_json({"path": path, "sources": [_summary(s) for s in answers.sources]})
        return
    for note in notes:
        click.echo(f"Please check: {note}.")
    _say_next(path, workspace, answers)


def _summary(source: NewSource) -> dict[str, Any]:
    proposal = source.proposal
    return {
        "name": source.name,
        "kind": proposal.kind,
        "path": source.path,
        "columns": {name: _spec(spec) for name, spec in proposal.columns.items()},
        "identifiers": {name: _spec(spec) for name, spec in proposal.identifiers.items()},
        "settings": proposal.settings,
        "needed": proposal.needed,
        "unused": proposal.unused,
        "non_products": proposal.fees,
        "checks": proposal.checks,
        "questions": [
            {
                "question": question.text,
                "answers": [f"--set {source.name}.{setting}=…" for setting in question.settings],
                "changes_money_or_people": question.serious,
            }
            for question in proposal.questions
        ],
    }


def _spec(spec: str | Column) -> object:
    if isinstance(spec, str):
        return spec
    plain = msgspec.to_builtins(Column())
    return {k: v for k, v in msgspec.to_builtins(spec).items() if v != plain[k]}


def _say_next(path: Path, workspace: Path, answers: Answers) -> None:
    where = "" if workspace == Path() else f" --workspace {workspace}"
    click.echo(f"Wrote {path}.")
    questions = [q for source in answers.sources for q in source.proposal.questions]
    if not answers.sources:
        click.echo("It has no sources yet: add your exports as its comments show.")
    elif questions:
        click.echo(
            f"{len(questions)} open question{'s' * (len(questions) > 1)}: look for `Please check`."
        )
    click.echo(f"Review it, then run:\n  omnibasket ingest{where}")
