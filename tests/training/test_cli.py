"""The command line: help, exit codes, output streams."""

import errno
import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

from recsys.errors import (
    ArtefactError,
    ConfigError,
    DataError,
    LedgerError,
    NotFittedError,
    RecsysError,
)
from training import console
from training.cli import COMMANDS, Commands, main


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def test_help_lists_every_command_without_loading_them() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from training.cli import main\n"
        "print(CliRunner().invoke(main, ['--help']).output)\n"
        "heavy = {'numpy', 'ibis', 'rich', 'implicit'}\n"
        "print([m for m in sys.modules if m in heavy])"
    )
    result = python("-c", code)
    assert result.returncode == 0, result.stderr
    *shown, loaded = result.stdout.strip().splitlines()
    assert loaded == "[]"
    listed = [line.split()[0] for line in shown if line.startswith("  ") and line.split()]
    assert [name for name in COMMANDS if name in listed] == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_a_person_can_follow(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"Usage: main {name}")
    for line in result.output.splitlines():
        assert len(line) <= 100
    command = main.get_command(click.Context(main), name)
    assert command is not None
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.opts[0]} has no help"


def test_version() -> None:
    assert CliRunner().invoke(main, ["--version"]).output == "omnibasket, version 0.1.0\n"


def test_an_unknown_command_is_a_usage_error_with_the_nearest_name() -> None:
    result = CliRunner().invoke(main, ["ingst"])
    assert result.exit_code == 2
    assert "Did you mean 'ingest'?" in result.output


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("wrong"), 3),
        (DataError("wrong"), 4),
        (ArtefactError("wrong"), 5),
        (NotFittedError("wrong"), 5),
        (LedgerError("wrong"), 6),
        (RecsysError("wrong"), 1),
        (ValueError("wrong"), 1),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (click.UsageError("wrong"), 2),
    ],
)
def test_errors_end_with_a_message_and_a_code(error: BaseException, code: int) -> None:
    result = CliRunner().invoke(_group(error), ["fail"])
    assert result.exit_code == code
    assert "Traceback" not in result.stderr
    assert not result.stdout
    assert "wrong" in result.stderr or "Interrupted" in result.stderr


def test_debug_shows_where() -> None:
    result = CliRunner().invoke(_group(DataError("wrong")), ["--debug", "fail"])
    assert "Traceback" in result.stderr
    assert result.stderr.endswith("Error: wrong\n")
    assert result.exit_code == 4


def _group(error: BaseException) -> click.Group:
    """Build the command line around a command that fails."""

    @click.command()
    def fail() -> None:
        raise error

    class Failing(Commands):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
            return fail

    return Failing("main", params=main.params, callback=lambda debug: None)


@dataclass
class Row:
    path: Path
    at: datetime


def test_json_takes_what_results_are_made_of() -> None:
    @click.command()
    @console.json_option
    def show(as_json: bool) -> None:
        with console.progress("counting", 3) as bar:
            bar.advance()
        rows = [Row(Path("a"), datetime(2017, 1, 1, tzinfo=UTC))]
        console.emit_json({"n": np.int64(3), "share": np.float32(0.5), "rows": rows, 1: "one"})

    result = CliRunner().invoke(show, ["--json"])
    assert json.loads(result.stdout) == {
        "n": 3,
        "share": 0.5,
        "rows": [{"path": "a", "at": "2017-01-01T00:00:00+00:00"}],
        "1": "one",
    }
    assert not result.stderr


def test_tables_set_numbers_to_the_right_and_print_markup_as_text() -> None:
    @click.command()
    def show() -> None:
        rows = [["web [bold]", 1234567, 0.5, None], ["pos", 8, 1234.5, True]]
        console.output().print(console.table(["channel", "lines", "share", "new"], rows, "Sums"))

    lines = CliRunner().invoke(show).output.splitlines()
    assert any("web [bold]" in line and "1,234,567" in line for line in lines)
    assert any(line.rstrip().endswith("1,234   yes") for line in lines)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["train", "--nope"], None),
        (["train", "--forse"], "--force"),
        (["models", "compare", "--jsn", "x"], "--json"),
        (["--debg"], "--debug"),
    ],
)
def test_an_unknown_option_gets_a_name_only_where_one_is_near(
    words: list[str], hint: str | None
) -> None:
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert ("Did you mean" in result.stderr) == (hint is not None)
    assert hint is None or f"Did you mean '{hint}'?" in result.stderr


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device", "x/a.npy"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        RuntimeError('IO Error: Could not write file "x": No space left on device'),
    ],
)
def test_a_full_disk_is_called_one(error: Exception) -> None:
    result = CliRunner().invoke(_group(error), ["fail"])
    assert result.exit_code == 1
    assert "the disk is full" in result.stderr
    assert "unexpected" not in result.stderr
