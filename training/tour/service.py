"""Starts the service of a workspace as a channel would find it: a process that answers HTTP.

A workspace and a port come in, a ``Service`` that is ready goes out; when the block ends the
process has ended too. Called by the tour and its tests.
"""

import contextlib
import http.client
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from recsys.errors import RecsysError

HOST = "127.0.0.1"
_READY_SECONDS = 120.0
_STOP_SECONDS = 20.0
_ANSWER_SECONDS = 30.0
_PAUSE_SECONDS = 0.05
_LOG_LINES = 20


class ServiceError(RecsysError):
    """The service did not start, or stopped answering."""


@dataclass(frozen=True)
class Reply:
    """What the service answered."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    text: str

    @property
    def body(self) -> Any:
        """The answer as JSON; None where it is none."""
        try:
            return json.loads(self.text)
        except json.JSONDecodeError:
            return None


@dataclass(frozen=True)
class Service:
    """A running service."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path
    key: str | None = None
    """What opens it, where it needs a key."""

    @property
    def url(self) -> str:
        """Address without a path."""
        return f"http://{HOST}:{self.port}"

    def get(self, path: str, accept: str = "application/json") -> Reply:
        """Ask with GET."""
        return self._ask("GET", path, None, {"Accept": accept})

    def post(self, path: str, body: object) -> Reply:
        """Ask with POST and a JSON body."""
        return self._ask("POST", path, json.dumps(body), {"Content-Type": "application/json"})

    def patch(self, path: str, body: object, if_match: str) -> Reply:
        """Ask with PATCH, a JSON body, and the mark of what it was made from."""
        headers = {"Content-Type": "application/json", "If-Match": if_match}
        return self._ask("PATCH", path, json.dumps(body), headers)

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Reply:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=_ANSWER_SECONDS)
        if self.key is not None:
            headers["Authorization"] = f"Bearer {self.key}"
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            received = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, received, answer.read().decode())
        except (OSError, http.client.HTTPException) as error:
            raise ServiceError(
                f"{method} {self.url}{path}: no answer ({error}).{_tail(self.log)}"
            ) from None
        finally:
            connection.close()


@contextlib.contextmanager
def running(workspace: Path, port: int, log: Path, key: str | None = None) -> Iterator[Service]:
    """Run a workspace's service until the block ends.

    Parameters
    ----------
    workspace : Path
    port : int
        0: any free one.
    log : Path
        File for what the service prints.
    key : str, optional
        Sent with every question.

    Yields
    ------
    Service
        Ready: its model is loaded and its ledger answers.

    Raises
    ------
    ServiceError
        When it ends or is not ready in two minutes; with the last lines that it printed.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "training.cli", "serve", "--workspace", str(workspace)]
    command += ["--host", HOST, "--port", str(port), "--json"]
    with log.open("wb") as complaints, tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 - this interpreter and our own arguments
            command, stdout=said, stderr=complaints, start_new_session=True
        )
        try:
            yield replace(_wait(process, said, log), key=key)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], said: IO[bytes], log: Path) -> Service:
    """Wait until the service has said where it listens, and is ready there."""
    begin = time.monotonic()
    service = None
    while time.monotonic() - begin < _READY_SECONDS:
        if process.poll() is not None:
            raise ServiceError(
                f"`omnibasket serve` ended with code {process.returncode}.{_tail(log)}"
            )
        service = service or _announced(process, said, log)
        if service is not None and service.get("/readyz").status == 200:
            return service
        time.sleep(_PAUSE_SECONDS)
    raise ServiceError(f"`omnibasket serve` is not ready in time.{_tail(log)}")


def _announced(process: subprocess.Popen[bytes], said: IO[bytes], log: Path) -> Service | None:
    said.seek(0)
    try:
        url = json.loads(said.read())["url"]
    except json.JSONDecodeError:
        return None  # it has not said it yet
    return Service(int(url.rpartition(":")[2]), process, log)


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-_LOG_LINES:] if log.exists() else []
    return "".join(f"\n  {line}" for line in lines)
