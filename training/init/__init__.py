"""``omnibasket init``: a commented ``omnibasket.toml`` for one's own exports.

Asks, or takes flags. Looks at the beginning of each export, proposes what its columns mean by their
names and values, shows the first rows as they were understood, and writes a file that always loads.
What nobody but a person can tell, and would change money or people, is asked or refused.
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
@click.option("--currency", help="ISO 4217 code of amounts that do not say theirs.")
@click.option("--time-zone", help="IANA zone of times without an offset, such as Europe/Paris.")
@click.option(
    "--source",
    "sources",
    multiple=True,
    metavar="[KIND=]PATH",
    help="An export: a file, a folder or a glob. Its kind is told from its columns where it is "
    f"not given. Kinds: {', '.join(mapping.KINDS)}. May be given many times.",
)
@click.option(
    "--set",
    "said",
    multiple=True,
    metavar="SOURCE.SETTING=VALUE",
    help="What a setting of a source is to be, whatever was proposed, such as "
    'orders.columns.amount="Net Sales" or orders.decimal=,; nothing after the = leaves it out. '
    "May be given many times.",
)
@click.option(
    "--yes",
    "-y",
    is_flag=True,
    help="Take every proposal; ask nothing. Ends with an error where a wrong guess would change "
    "money or people.",
)
@click.option("--force", is_flag=True, help="Replace an omnibasket.toml that is already there.")
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

    Without flags it asks for your exports one by one. It looks at the first rows of each, proposes
    what the columns mean by their names and by what stands in them, and leaves a comment wherever
    you should look. What would change money or people and cannot be told is asked; with --yes it is
    an error that names the --set that answers it, and nothing is written. Only the beginning of
    the files is read, none is changed, and nothing that names a customer is shown.
    """
    path = workspace / FILE_NAME
    if path.exists() and not force:
        raise ConfigError(f"{path} is already there. Edit it, or replace it with --force.")
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
    asked = [q for source in answers.sources for q in source.proposal.questions]
    if not answers.sources:
        click.echo("It has no sources yet: add your exports to it as its comments show.")
    elif asked:
        click.echo(f"{len(asked)} open question{'s' * (len(asked) > 1)}: look for `Please check`.")
    click.echo(f"Look it over, then run:\n  omnibasket ingest{where}")
