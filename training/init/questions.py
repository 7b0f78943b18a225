"""Asks the questions of ``init``, or takes the answers from flags.

Each question has a default and a check. If nobody can answer (a script, ``--yes``), the default is
used and a wrong flag is a usage error. Called by the command.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import available_timezones

import click
from click import UsageError

from recsys.config import Column
from recsys.errors import ConfigError, RecsysError
from recsys.schema import CHANNELS
from training.init import exports, mapping, overrides, samples
from training.init.overrides import Override
from training.init.preview import show
from training.init.proposal import Proposal, Question, listed, shown
from training.init.template import Answers, NewSource

#: Prefixes of zones where dates have the month first.
_MONTH_FIRST = ("America/", "US/")


def answer(question: str, given: str | None, default: str, asking: bool) -> str:
    """Return the flag's value, else the answer to a question, else the default."""
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
        problem = f"{code!r} is not an ISO 4217 code such as EUR."
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
        problem = f"{zone!r} is not an IANA time zone such as Europe/Paris."
        if given is not None or not asking:
            raise UsageError(f"--time-zone: {problem}")
        click.echo(problem, err=True)


def _own_zone() -> str:
    """Return the time zone of this machine if set, else UTC."""
    zone = Path("/etc/localtime").resolve().as_posix().partition("zoneinfo/")[2]
    return zone if zone in available_timezones() and not zone.startswith("Etc/") else "UTC"


def add_sources(
    answers: Answers,
    given: tuple[str, ...],
    workspace: Path,
    said: Sequence[Override],
    *,
    asking: bool,
    quiet: bool,
) -> None:
    """Read each export from flags or answers, and add it to ``answers``.

    Raises
    ------
    UsageError
        When an export's kind is unknown or not clear from its columns, or ``--set`` names an
        unknown source.
    DataError
        When an export from a flag cannot be read.
    """
    for text in given:
        kind, path = _kind_and_path(text)
        source = _look(path, kind, workspace, answers, said, asking=asking)
        answers.sources.append(source)
        if not quiet:
            show(source)
    while asking:
        what = "Another export" if answers.sources else "An export"
        path = click.prompt(
            f"{what}: a file, a folder or a glob (empty: done)",
            default="",
            show_default=False,
            err=True,
        )
        if not path:
            break
        try:
            source = _look(path, None, workspace, answers, said, asking=True)
        except RecsysError as error:
            click.echo(str(error), err=True)
            continue
        answers.sources.append(source)
        show(source)
    names = [source.name for source in answers.sources]
    for override in said:
        if override.source not in names:
            raise UsageError(
                f"--set {override.given}: there is no source `{override.source}`. "
                f"Sources: {', '.join(names) or 'none'}."
            )


def _kind_and_path(text: str) -> tuple[str | None, str]:
    kind, equals, path = text.partition("=")
    if not equals or not re.fullmatch("[a-z0-9_]+", kind):
        return None, text
    if kind == "database":
        raise UsageError("--source: add a database by hand; the new file shows how.")
    if kind not in mapping.KINDS:
        raise UsageError(f"--source: unknown kind `{kind}`. Known: {', '.join(mapping.KINDS)}.")
    return kind, path


def _look(
    given: str,
    kind: str | None,
    workspace: Path,
    answers: Answers,
    said: Sequence[Override],
    *,
    asking: bool,
) -> NewSource:
    path = Path(given).expanduser()
    export = samples.look(path)
    kind = kind or _kind(export, given, asking)
    name = _source_name(path, kind, {source.name for source in answers.sources})
    own = [override for override in said if override.source == name]
    proposal = _propose(export, kind, answers, own)
    if asking:
        while proposal.needed:  # the order id affects money columns, so propose again
            own.append(_ask_needed(export, proposal.needed[0], name))
            proposal = _propose(export, kind, answers, own)
        _ask_values(proposal)
        _ask_questions(proposal, name)
    return NewSource(name, _written(path, workspace), export, proposal)


def _propose(
    export: exports.Export, kind: str, answers: Answers, own: Sequence[Override]
) -> Proposal:
    proposal = mapping.propose(
        export,
        kind,
        day_first=not answers.time_zone.startswith(_MONTH_FIRST),
        currency_code=answers.currency,
        said=own,
    )
    overrides.apply(proposal, own)
    return proposal


def _kind(export: exports.Export, given: str, asking: bool) -> str:
    kind = mapping.kind_of(export)
    if asking:
        question = "What is it"
        choice = click.Choice(mapping.KINDS)
        return str(click.prompt(question, type=choice, default=kind, err=True))
    if kind is None:
        raise UsageError(
            f"{given}: its columns ({listed(export.columns)}) do not show its kind. State it: "
            f"--source KIND={given}, where KIND is one of {', '.join(mapping.KINDS)}."
        )
    return kind


def _ask_values(proposal: Proposal) -> None:
    """Ask which channels an export's words mean."""
    if "channel" not in proposal.values:
        return
    column, values = proposal.values["channel"]
    if not click.confirm(f"Does `{column}` have the channel of an order", default=True, err=True):
        proposal.questions = [q for q in proposal.questions if "columns.channel" not in q.settings]
        return
    del proposal.values["channel"]
    meaning = {
        value: str(
            click.prompt(
                f"  {shown(value)} is", type=click.Choice(CHANNELS), default=ours, err=True
            )
        )
        for value, ours in values.items()
    }
    proposal.columns["channel"] = Column(column=column, map=meaning)
    proposal.settings.pop("channel", None)
    proposal.questions = [q for q in proposal.questions if "columns.channel" not in q.settings]


def _ask_questions(proposal: Proposal, name: str) -> None:
    """Ask the open questions; an answer works like ``--set``."""
    for question in list(proposal.questions):
        if question not in proposal.questions:
            continue  # answered by another answer
        click.echo(f"{question.text[:1].upper()}{question.text[1:]}.", err=True)
        for setting in question.settings:
            click.echo(f"  may be answered by {setting}", err=True)
        while question in proposal.questions:
            setting = str(
                click.prompt(
                    "  Setting (empty: leave it as a comment)",
                    default="",
                    show_default=False,
                    err=True,
                )
            )
            if not setting:
                break
            value = (
                setting.partition("=")[2]
                if "=" in setting
                else str(click.prompt("  Value", default="", show_default=False, err=True))
            )
            _say(proposal, f"{name}.{setting.partition('=')[0].strip()}={value}")


def _ask_needed(export: exports.Export, field: str, name: str) -> Override:
    """Ask for the column of a required field."""
    while True:
        column = str(click.prompt(f"Which column is `{field}`", err=True)).strip()
        if column in export.columns:
            return overrides.parse([f"{name}.columns.{field}={column}"])[0]
        click.echo(f"There is no such column: {listed(export.columns)}.", err=True)


def _say(proposal: Proposal, text: str) -> None:
    try:
        overrides.apply(proposal, overrides.parse([text]))
    except UsageError as error:
        click.echo(error.format_message(), err=True)


def refuse_open(answers: Answers, *, asking: bool) -> None:
    """Refuse to write the file while serious questions are open.

    In a terminal, questions left open become comments, and required fields are asked for until
    answered.

    Raises
    ------
    ConfigError
        Names every open question with the flag that answers it.
    """
    open_questions = [
        _open(source.name, question)
        for source in answers.sources
        for question in source.proposal.questions
        if question.serious and not asking
    ]
    missing = [
        f"  {source.name}: no column was found for the required field `{field}`.\n"
        f"    --set {source.name}.columns.{field}=COLUMN   "
        f"(columns: {listed(source.export.columns)})"
        for source in answers.sources
        for field in source.proposal.needed
    ]
    if not open_questions and not missing:
        return
    raise ConfigError(
        "Nothing was written. The first rows leave these questions open, and a wrong guess would "
        "change money or people. Answer them, or run init in a terminal:\n"
        + "\n".join([*open_questions, *missing])
    )


def _open(name: str, question: Question) -> str:
    setting = question.settings[0]
    value = f"'{question.example}'" if re.search(r"[ {]", question.example) else question.example
    others = "".join(f"\n    or --set {name}.{other}=…" for other in question.settings[1:])
    end = "" if question.text.endswith("?") else "."
    return f"  {name}: {question.text}{end}\n    --set {name}.{setting}={value}{others}"


def _source_name(path: Path, kind: str, taken: set[str]) -> str:
    stem = re.sub(r"[^a-z0-9]+", "_", path.name.split(".")[0].lower()).strip("_")[:50]
    base = name = stem or kind
    number = 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    return name


def _written(path: Path, workspace: Path) -> str:
    """Return the path for the file: relative to the workspace if inside it."""
    absolute, folder = Path.cwd() / path, workspace.resolve()
    if absolute.is_relative_to(folder):
        return absolute.relative_to(folder).as_posix()
    return absolute.as_posix()
