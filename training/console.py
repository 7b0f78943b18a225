"""Output, progress and exit codes of every command.

Results go to standard output, readable by default and as one JSON document with ``--json``;
progress and errors go to standard error. Called by the commands of this package only.
"""

import getpass
import os
import shlex
import socket
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recsys.errors import (
    ArtefactError,
    ConfigError,
    DataError,
    GateError,
    LedgerError,
    NotFittedError,
    RecsysError,
)

if TYPE_CHECKING:
    # Rich takes a tenth of a second to load, which `omnibasket --help` does not need.
    from rich.console import Console
    from rich.progress import Progress, TaskID
    from rich.table import Table

UNEXPECTED = 1
REFUSED = 7
INTERRUPTED = 130

#: Exit code of each error; the first class that fits counts.
EXIT_CODES: tuple[tuple[type[RecsysError], int], ...] = (
    (ConfigError, 3),
    (DataError, 4),
    (ArtefactError, 5),
    (NotFittedError, 5),
    (LedgerError, 6),
    (GateError, REFUSED),
)

#: Width of output that goes to a file; the default would cut lines at 80 columns.
_WIDTH_IN_FILES = 120
_JSON = "omnibasket.json"

#: ``--workspace``, given to the command as ``workspace: Path``.
workspace_option = click.option(
    "--workspace",
    "-w",
    type=click.Path(path_type=Path),
    default=Path(),
    envvar="OMNIBASKET_WORKSPACE",
    show_envvar=True,
    help="Folder of omnibasket.toml; the present folder by default.",
)


def _remember_json(context: click.Context, _: click.Parameter, value: bool) -> bool:
    context.meta[_JSON] = value
    return value


#: ``--json``, given to the command as ``as_json: bool``. It also silences ``progress``.
json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    callback=_remember_json,
    help="Print the result as JSON, for scripts; nothing else goes to standard output.",
)


def at(workspace: Path) -> str:
    """Return `` -w FOLDER`` for a command to run next; nothing for the current folder."""
    present = workspace.resolve() == Path().resolve()
    return "" if present else f" -w {shlex.quote(str(workspace))}"


def exit_code(error: RecsysError) -> int:
    """Return the exit code for an error."""
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), UNEXPECTED)


def operator() -> str:
    """Return who runs the command, as ``user@machine``, for logs that are kept."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        name = f"uid-{os.getuid()}"
    return f"{name}@{socket.gethostname()}"


def output() -> "Console":
    """Return a console on standard output, for tables and other results."""
    return _console(stderr=False)


def messages() -> "Console":
    """Return a console on standard error, for everything that is not part of the result."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> "Console":
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(
        stderr=stderr,
        width=None if stream.isatty() else _WIDTH_IN_FILES,
        highlight=False,
        soft_wrap=False,
    )


def emit_json(value: object) -> None:
    """Print one JSON document on standard output.

    Parameters
    ----------
    value : object
        Anything made of plain values, dates, dataclasses, msgspec structs, numpy scalars and
        arrays, and paths.
    """
    import orjson

    options = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    click.echo(orjson.dumps(value, default=_plain, option=options).decode())


def _plain(value: object) -> Any:
    import msgspec

    if isinstance(value, Path):
        return str(value)
    return msgspec.to_builtins(value)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> "Table":
    """Lay out rows for ``output().print``.

    Parameters
    ----------
    columns : sequence of str
        Headings.
    rows : iterable of sequences
        One value a column. Numbers are set to the right with thousands separators; None is empty.
    title : str
        Printed above the table.
    """
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    cells = [list(row) for row in rows]
    laid_out = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD)
    for ix, heading in enumerate(columns):
        numeric = any(_is_number(row[ix]) for row in cells)
        laid_out.add_column(escape(heading), justify="right" if numeric else "left")
    for row in cells:
        laid_out.add_row(*(escape(_cell(value)) for value in row))
    return laid_out


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return str(value)


def money(amount: Mapping[str, Any] | None) -> str | None:
    """Format an amount in English, with the sign of its currency.

    Parameters
    ----------
    amount : mapping or None
        ``amount_minor`` and ``currency``; None stays None.
    """
    if amount is None:
        return None
    from recsys.values import write_amount  # babel takes time to load

    return write_amount(amount["amount_minor"], amount["currency"])


class Bar:
    """A progress bar; its calls do nothing if no bar is shown."""

    def __init__(self, progress: "Progress | None" = None, task: "TaskID | None" = None) -> None:
        self._progress = progress
        self._task = task

    @property
    def shown(self) -> bool:
        """Whether the bar is shown."""
        return self._progress is not None

    def advance(self, amount: float = 1) -> None:
        """Count ``amount`` more as done."""
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task, amount)

    def update(
        self,
        description: str | None = None,
        done: float | None = None,
        total: float | None = None,
        left_seconds: float | None = None,
    ) -> None:
        """Change what the bar shows; None leaves a value as it is."""
        if self._progress is None or self._task is None:
            return
        self._progress.update(self._task, description=description, completed=done, total=total)
        if left_seconds is not None:
            self._progress.update(self._task, left=f"about {_duration(left_seconds)} left")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@contextmanager
def progress(description: str, total: float | None = None) -> Iterator[Bar]:
    """Show a progress bar on standard error while the block runs.

    Shows nothing if standard error is not a terminal, or with ``--json``.

    Parameters
    ----------
    description : str
        What the block does.
    total : float or None
        Amount of work; None: unknown, shown as a moving bar.

    Yields
    ------
    Bar
    """
    context = click.get_current_context(silent=True)
    wants_json = context is not None and context.meta.get(_JSON, False)
    if wants_json or not sys.stderr.isatty():
        yield Bar()
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    shown = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%" if total else ""),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        console=messages(),
        transient=True,
    )
    with shown:
        yield Bar(shown, shown.add_task(description, total=total, left=""))


def follow(bar: Bar) -> Callable[[str, float, float], None]:
    """Return the callback ``report(description, done, total)`` that updates a bar."""

    def report(description: str, done: float, total: float) -> None:
        bar.update(description, done, total)

    return report
