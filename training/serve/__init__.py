"""``omnibasket serve``: the HTTP service of a workspace, until it is told to stop.

Checks what would keep workers from starting, starts them, says what to open, and ends with them.
The workers are ``serving.worker``; nothing of it is imported here.
"""

import http.client
import ipaddress
import json
import os
import secrets
import socket
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any, Final

import click

from recsys.config import Config, load_config
from recsys.errors import ConfigError, LedgerAwayError
from recsys.identity import KeyedHash
from recsys.ledger import KeptKeys, Ledger, Timeouts, api_keys
from training.console import emit_json, json_option, messages, output, workspace_option
from training.serve import supervisor

_START_SECONDS: Final = 120.0
#: Connections that wait to be taken; the system may allow fewer.
_BACKLOG: Final = 1024


@click.command(epilog="Ctrl-C stops it; requests that are under way are answered first.")
@workspace_option
@click.option(
    "--host", help="Address to listen on; without keys loopback only. [serve] host by default."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 takes a free one. [serve] port by default.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    help="Processes that answer. [serve] workers by default.",
)
@json_option
def command(
    workspace: Path, host: str | None, port: int | None, workers: int | None, as_json: bool
) -> None:
    """Answer over HTTP: recommendations, events, bundles.

    Uses the current artefact and takes up a new one as soon as `omnibasket train` has published
    it, without a pause. Before the first one, it starts all the same and says what is missing
    under /readyz.

    With --json, prints the address as JSON as soon as it answers.
    """
    config = load_config(workspace)
    host = host if host is not None else config.serve.host
    port = port if port is not None else config.serve.port
    keys = _has_keys(config)
    address = _address(host, keys)
    listening = _listen(address, port)
    KeyedHash.load(config, create=True)
    port = int(listening.getsockname()[1])
    # A secret with which this command may read /readyz in full; others need a key for that.
    starter = secrets.token_urlsafe(32)
    os.environ["OMNIBASKET_SERVE_STARTER"] = starter
    arguments = (address, port, starter, keys, config.serve.example_shop, as_json)
    threading.Thread(target=_announce, args=arguments, daemon=True).start()
    if keys:
        os.environ["OMNIBASKET_SERVE_KEYS"] = "needed"  # also if the ledger were another one
    os.environ["OMNIBASKET_WORKSPACE"] = str(config.folder.resolve())
    os.environ["OMNIBASKET_SERVE_PID"] = str(os.getpid())  # workers end when this process does
    with listening:
        supervisor.run(listening, workers or config.serve.workers, messages().print)
    if not as_json:
        messages().print("Stopped.")


def _has_keys(config: Config) -> bool:
    """Whether calls need a key; as last known, if the ledger does not answer.

    Raises
    ------
    LedgerError
        When the ledger can never be opened.
    """
    timeouts = Timeouts(config.ledger.read_seconds, config.ledger.write_seconds)
    ledger = Ledger.open(config.ledger_url, currency=config.workspace.currency, timeouts=timeouts)
    try:
        return bool(ledger.keys.all())
    except LedgerAwayError as error:
        messages().print(f"{error} The service starts without it.", markup=False)
        kept = KeptKeys(config.state / api_keys.KEPT_FILE).read()
        return kept is not None and bool(kept.keys)
    finally:
        ledger.close()


def _address(host: str, keys: bool) -> str:
    """Return the address behind a host name; without keys it must be this machine's own.

    Raises
    ------
    ConfigError
        When others could reach it and no key keeps them out, or it is no address.
    """
    text = "127.0.0.1" if host == "localhost" else host.strip("[]")
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        address = None
    if not keys and (address is None or not address.is_loopback):
        raise ConfigError(
            f"cannot listen on {host}: no keys are configured, and without keys the service "
            "answers on this machine only. Make one with `omnibasket keys create`, or use "
            "127.0.0.1, localhost or ::1."
        )
    if address is None:
        raise ConfigError(
            f"cannot listen on {host}: write an address of this machine, such as 127.0.0.1, or "
            "0.0.0.0 for all of them."
        )
    return text


def _listen(address: str, port: int) -> socket.socket:
    """Listen; whoever holds the socket takes connections.

    Raises
    ------
    ConfigError
        When the port is taken or may not be used.
    """
    listening = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise ConfigError(
            f"cannot listen on {address} port {port}: {error.strerror}. Stop what listens "
            "there, or choose another port with --port."
        ) from None
    return listening


def _announce(address: str, port: int, starter: str, keys: bool, shop: bool, as_json: bool) -> None:
    """Say what to open, once the service answers."""
    given = ipaddress.ip_address(address)
    near = ("::1" if given.version == 6 else "127.0.0.1") if given.is_unspecified else address
    ready = _wait(near, port, starter)
    if ready is None:
        return
    url = f"http://{f'[{near}]' if ':' in near else near}:{port}"
    if as_json:
        emit_json({"url": url, "pid": os.getpid(), **ready})
    else:
        say = partial(output().print, markup=False)
        who = "calls under /v1 need a key" if keys else "on this machine only: there are no keys"
        say(f"Omnibasket answers at {url} ({who}).")
        if near != address:
            say(f"  It listens on every address of this machine ({address}).")
        pages = [
            ("/dashboard", "what sells together, for marketers to decide about"),
            *([("/shop", "an example shop")] if shop else []),
            ("/docs", "every call, to read and to try"),
            ("/readyz", "is it ready?"),
        ]
        for path, what in pages:
            say(f"  {url}{path:<11} {what}")
        wrong = [f"{name}: {what}" for name, what in ready["checks"].items() if what != "ok"]
        if ready["model_version"] is not None:
            say(f"Model {ready['model_version']}.")
        for line in wrong:
            say(f"Not as it should be: {line}")
        say("Ctrl-C stops it.")
    sys.stdout.flush()


def _wait(address: str, port: int, starter: str) -> dict[str, Any] | None:
    """Ask until the service answers how it is; None where it does not in time."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection(address, port, timeout=5)
        try:
            connection.request("GET", "/readyz", headers={"Authorization": f"Bearer {starter}"})
            ready: dict[str, Any] = json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError):
            time.sleep(0.1)
        else:
            return ready
        finally:
            connection.close()
    return None
