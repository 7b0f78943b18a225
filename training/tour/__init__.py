"""``omnibasket tour``: starts the service and asks it what each channel would ask.

A workspace with a history and an artefact comes in; its answers are printed, and judged with
``--check``. The last step of ``make demo``.
"""

import signal
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from recsys.config import load_config
from recsys.history import History
from training import console
from training.tour import checks, output
from training.tour.api_key import VARIABLE, check_key
from training.tour.check import CheckError, judge
from training.tour.conversation import question_time, run_conversation
from training.tour.customer import Customer, choose_customer
from training.tour.service import Service, ServiceError, running
from training.tour.store_walk import checks_of, walk_store

__all__ = ["CheckError", "command", "judge"]

_LOG = "serve.log"


@click.command()
@console.workspace_option
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Where the service listens; 0: any free port. The workspace's setting by default.",
)
@click.option(
    "--key",
    envvar=VARIABLE,
    show_envvar=True,
    help="Key to ask with, where the service needs one.",
)
@click.option("--check", is_flag=True, help="Check the answers and end; fails when one is wrong.")
@console.json_option
def command(workspace: Path, port: int | None, key: str | None, check: bool, as_json: bool) -> None:
    """Start the service, ask it one question per channel, and show the answers.

    Asks for a customer who buys online and in stores: this week's e-mail, the home page, a
    product's page, a cart, the screen in their store; and for a stranger. Then they buy something,
    and the home page is asked again. Then they walk from the web shop through the store: screen,
    aisle, associate's tablet, till and the view of whoever supports them. In the demo it also says
    how well identifiers were linked into customers.

    Serves on until Ctrl-C. With --check it checks what was answered and ends; with --json it ends
    too.
    """
    config = load_config(workspace)
    history = History.open(config)
    customer = choose_customer(config, history)
    at = question_time(history, datetime.now(UTC))
    check_key(config, key, replays=at is not None)
    port = config.serve.port if port is None else port
    signal.signal(signal.SIGTERM, _stop)
    with ExitStack() as stack:
        with console.progress("Starting the service"):
            service = stack.enter_context(running(workspace, port, config.state / _LOG, key))
        conversation = run_conversation(service, customer, at)
        stops = walk_store(service, customer)
        quality = checks.identity(config, history)
        found = checks.of_answers(conversation, customer, config, history)
        found += checks_of(stops)
        found += checks.of_history(config, history, quality)
        if as_json:
            console.emit_json({"checks": found, "identity": quality})
        else:
            output.answers(conversation, customer, at)
            output.walk(stops)
            output.linking(quality)
            if check:
                output.checks(found)
        if check:
            judge(found)
        if not (check or as_json):
            _serve_on(workspace, service, customer, at, config.serve.example_shop)


def _serve_on(
    workspace: Path, service: Service, customer: Customer, at: datetime | None, shop: bool
) -> None:
    """Say what to open, and wait until the person, or the service itself, ends it."""
    try:
        output.what_to_open(workspace, service, customer, at, shop)
        service.process.wait()
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)
        return
    raise ServiceError(f"The service ended by itself; {service.log} says why.")


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
