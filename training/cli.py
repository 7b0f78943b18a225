"""The command ``omnibasket``: finds a subcommand, loads only that one, and sets the exit code.

Each subcommand is a click command named ``command`` in its own module. Modules are imported when
their command is called, so that ``--help`` is instant and the service's command never loads what
only training needs.
"""

import difflib
import errno
import importlib
import os
import sys
import traceback
from typing import Any

import click

from recsys import __version__
from recsys.errors import RecsysError
from recsys.messages import failure
from training.console import INTERRUPTED, UNEXPECTED, exit_code

#: Name → what its line in ``omnibasket --help`` says; the module is ``training.<name>``.
COMMANDS = {
    "init": "Write a commented omnibasket.toml for your own exports.",
    "demo": "Build the demo workspace from a real grocer's baskets.",
    "ingest": "Turn the exports into one clean history.",
    "train": "Learn models from the history, measure them, and publish an artefact.",
    "tune": "Look for better settings of the models and the ranker.",
    "models": "List, compare, promote and roll back versions.",
    "runs": "Show what every training did.",
    "serve": "Answer over HTTP.",
    "keys": "Say who may ask the service, and for what.",
    "placements": "Look at placements, check them, try them out.",
    "labels": "Write shelf labels with a code of each product's page, to print.",
    "mcp": "Let a chat assistant ask the running service.",
    "mailing": "Say whom a mailing would reach, before anything is sent.",
    "recommend": "Answer one question in the terminal.",
    "why": "Say why an answer showed what it did, and not something else.",
    "replay": "Answer an earlier question again, as of then, and compare.",
    "bundles": "Look through what sells together, and what was decided about it.",
    "identity": "Look into customers, undo a link.",
    "erase": "Remove everything about one customer, for good.",
    "week": "Play one customer's week, and show what each step changes on every channel.",
    "tour": "Start the service, ask it one question per channel, and show the answers.",
}

#: How similar two options' names must be for one to be suggested for the other.
_NEAR = 0.65
_FULL = "No space left on device"

_EPILOG = """\b
Begin with `omnibasket demo`, or with `omnibasket init` for your own exports;
then `ingest`, `train`, `serve`.

\b
Exit codes: 0 done, 1 unexpected error, 2 wrong usage, 3 configuration,
4 data, 5 no or bad artefact, 6 ledger, 7 version refused, 130 interrupted."""


class Commands(click.Group):
    """Loads subcommands when they are called, and turns errors into exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the order in which they are used."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a subcommand; for an unknown name, suggest the nearest one."""
        if cmd_name not in COMMANDS:
            near = difflib.get_close_matches(cmd_name, COMMANDS, 1)
            if near:
                ctx.fail(f"No such command '{cmd_name}'. Did you mean '{near[0]}'?")
            return None
        command = importlib.import_module(f"training.{cmd_name}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"training.{cmd_name}.command is no click command")
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options before a subcommand."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise _with_near_names(error) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand; errors become one clear message and an exit code."""
        try:
            return super().invoke(ctx)
        except RecsysError as error:
            _print_error(ctx, str(error))
            ctx.exit(exit_code(error))
        except (KeyboardInterrupt, click.Abort):
            click.echo("Interrupted.", err=True)
            ctx.exit(INTERRUPTED)
        except click.NoSuchOption as error:
            raise _with_near_names(error) from None
        except (click.ClickException, click.exceptions.Exit, BrokenPipeError):
            raise
        except OSError as error:
            _print_error(ctx, failure(error))
            ctx.exit(UNEXPECTED)
        except MemoryError:
            _print_error(
                ctx, "there is not enough memory. Free some, or run it on a larger machine."
            )
            ctx.exit(UNEXPECTED)
        except Exception as error:
            if _FULL in str(error):  # in a library's own message
                _print_error(ctx, failure(OSError(errno.ENOSPC, _FULL)))
                ctx.exit(UNEXPECTED)
            kind = type(error).__name__
            _print_error(ctx, f"unexpected {kind}: {error}\nRun with --debug to see where.")
            ctx.exit(UNEXPECTED)


def _with_near_names(error: click.NoSuchOption) -> click.NoSuchOption:
    """Keep only those of click's suggestions that the user may have meant.

    Click finds ``--nope`` similar to ``--force``, because both begin with dashes.
    """
    name = error.option_name.lstrip("-")
    near = [
        option
        for option in error.possibilities or ()
        if difflib.SequenceMatcher(None, name, option.lstrip("-")).ratio() >= _NEAR
    ]
    return click.NoSuchOption(error.option_name, error.message, near, error.ctx)


def _print_error(ctx: click.Context, message: str) -> None:
    if ctx.params.get("debug"):
        traceback.print_exc(file=sys.stderr)
    click.echo(f"Error: {message}", err=True)


@click.group(
    cls=Commands,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="omnibasket")
@click.option("--debug", is_flag=True, envvar="OMNIBASKET_DEBUG", help="Show where errors happen.")
def main(debug: bool) -> None:
    """Tell every channel of a retailer what to show one customer next."""
    if debug:
        os.environ["OMNIBASKET_DEBUG"] = "1"  # for processes that a command starts


if __name__ == "__main__":
    main()
