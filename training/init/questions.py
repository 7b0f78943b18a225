"""What ``init`` asks, or takes from flags.

Each question has a default and a check; where nobody can answer (a script, ``--yes``), the default
is taken and a wrong flag is a usage error. Called by the command.
"""

import re
from pathlib import Path
from zoneinfo import available_timezones

import click
from click import UsageError

from recsys.config import Column
from recsys.errors import RecsysError
from recsys.schema import CHANNELS
from training.init import exports, mapping
from training.init.preview import show
from training.init.template import Answers, NewSource

#: Zones whose people write the month first, by prefix.
_MONTH_FIRST = ("America/", "US/")


def answer(question: str, given: str | None, default: str, asking: bool) -> str:
    """Return what a flag gave, else the answer to a question, else the default."""
    if given is not None or not asking:
        return given or default
    return str(click.prompt(question, default=default, err=True))


def currency(given: str | None, asking: bool) -> str:
    """Return an ISO 4217 code.

    Raises
    ------
    UsageError
        When the flag holds none.
    """
    while True:
        code = answer("Currency of the amounts", given, "EUR", asking).upper()
        if re.fullmatch("[A-Z]{3}", code):
            return code
        problem = f"{code!r} is no ISO 4217 code such as EUR."
        if given is not None or not asking:
            raise UsageError(f"--currency: {problem}")
        click.echo(problem, err=True)


def time_zone(given: str | None, asking: bool) -> str:
    """Return the name of an IANA time zone.

    Raises
    ------
    UsageError
        When the flag holds none.
    """
    while True:
        zone = answer("Time zone of local times", given, _own_zone(), asking)
        if zone in available_timezones():
            return zone
        problem = f"{zone!r} is no IANA time zone such as Europe/Paris."
        if given is not None or not asking:
            raise UsageError(f"--time-zone: {problem}")
        click.echo(problem, err=True)


def _own_zone() -> str:
    """Zone of this machine where it says one, else UTC."""
    zone = Path("/etc/localtime").resolve().as_posix().partition("zoneinfo/")[2]
    return zone if zone in available_timezones() and not zone.startswith("Etc/") else "UTC"


def add_sources(
    answers: Answers, given: tuple[str, ...], workspace: Path, *, asking: bool, quiet: bool
) -> None:
    """Look at each export that was given or answered, and add it to ``answers``.

    Raises
    ------
    UsageError
        When an export's kind is unknown, or its columns do not tell it.
    DataError
        When an export that was given by a flag cannot be read.
    """
    day_first = not answers.time_zone.startswith(_MONTH_FIRST)
    for text in given:
        kind, path = _kind_and_path(text)
        source = _look(path, kind, workspace, answers, day_first=day_first, asking=asking)
        answers.sources.append(source)
        if not quiet:
            show(source)
    while asking:
        what = "Another export" if answers.sources else "An export"
        path = click.prompt(
            f"{what}: a file, a folder or a glob (empty: done)", default="", show_default=False,
            err=True,
        )  # fmt: skip
        if not path:
            return
        try:
            source = _look(path, None, workspace, answers, day_first=day_first, asking=True)
        except RecsysError as error:
            click.echo(str(error), err=True)
            continue
        answers.sources.append(source)
        show(source)


def _kind_and_path(text: str) -> tuple[str | None, str]:
    kind, equals, path = text.partition("=")
    if not equals or not re.fullmatch("[a-z0-9_]+", kind):
        return None, text
    if kind == "database":
        raise UsageError("--source: write a database by hand; the new file shows how.")
    if kind not in mapping.KINDS:
        raise UsageError(f"--source: unknown kind `{kind}`. Known: {', '.join(mapping.KINDS)}.")
    return kind, path


def _look(
    given: str,
    kind: str | None,
    workspace: Path,
    answers: Answers,
    *,
    day_first: bool,
    asking: bool,
) -> NewSource:
    path = Path(given).expanduser()
    export = exports.look(path)
    kind = kind or _kind(export, given, asking)
    proposal = mapping.propose(export, kind, day_first=day_first)
    if asking:
        _ask_values(proposal)
    name = _source_name(path, kind, {source.name for source in answers.sources})
    return NewSource(name, _written(path, workspace), export, proposal)


def _kind(export: exports.Export, given: str, asking: bool) -> str:
    kind = mapping.kind_of(export)
    if asking:
        question = "What is it"
        choice = click.Choice(mapping.KINDS)
        return str(click.prompt(question, type=choice, default=kind, err=True))
    if kind is None:
        raise UsageError(
            f"{given}: its columns ({', '.join(export.columns)}) do not say what it is. Say it: "
            f"--source KIND={given}, where KIND is one of {', '.join(mapping.KINDS)}."
        )
    return kind


def _ask_values(proposal: mapping.Proposal) -> None:
    """Ask what an export's words for channels mean."""
    if "channel" not in proposal.values:
        return
    column, values = proposal.values["channel"]
    if not click.confirm(f"Does `{column}` name the channel of an order", default=True, err=True):
        return
    del proposal.values["channel"]
    meaning = {
        value: str(click.prompt(f"  {value} is", type=click.Choice(CHANNELS), err=True))
        for value in values
    }
    proposal.columns["channel"] = Column(column=column, map=meaning)
    proposal.settings.pop("channel", None)
    proposal.checks[:] = [check for check in proposal.checks if f"`{column}`" not in check]


def _source_name(path: Path, kind: str, taken: set[str]) -> str:
    stem = re.sub(r"[^a-z0-9]+", "_", path.name.split(".")[0].lower()).strip("_")[:50]
    base = name = stem or kind
    number = 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    return name


def _written(path: Path, workspace: Path) -> str:
    """Path as the file will have it: relative to the workspace where it lies inside."""
    absolute, folder = Path.cwd() / path, workspace.resolve()
    if absolute.is_relative_to(folder):
        return absolute.relative_to(folder).as_posix()
    return absolute.as_posix()
