"""How long one live answer takes, and how many a second there are.

Asks a workspace's service for known customers: history read, candidates, ranking, rules, answer,
exposure written. Beside it, the same server with the same number of workers sends 2 KB of JSON
that lie ready, by itself and through Flask: what the server and the framework cost. Times are
those at 70% of each one's top rate. Client and server share the machine.

Without a workspace it ends with 77 and says how to make one.
"""

import contextlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import _load
from benchmarks._report import NO_DATA, OURS, Report, parser
from recsys.config import Config, load_config
from recsys.errors import RecsysError
from recsys.history import History

ROOT = Path(__file__).resolve().parents[1]
PLACEMENTS = ("web_home", "web_cart", "email_weekly")


def main() -> int:
    """Measure, print, write."""
    arguments = parser(__doc__)
    arguments.add_argument("--workspace", type=Path, default=ROOT / "demo")
    arguments.add_argument("--seconds", type=float, default=4.0, help="length of each run")
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--connections", type=int, default=8)
    given = arguments.parse_args()
    try:
        config = load_config(given.workspace)
        paths = questions(config, given.seed)
    except RecsysError as error:
        print(f"{error}\nBuild the demo first: make demo CHECK=1")
        return NO_DATA
    report = Report("One live answer", ("flask", "httptools", "sqlalchemy"))
    task = config.workspace.name
    in_process(config, paths, report, task)
    rates = {}
    for method, running in (
        (OURS, ours(given.workspace, given.workers)),
        ("stored JSON", stored("app", given.workers)),
        ("stored JSON, Flask", stored("flask_app", given.workers)),
    ):
        with running as port:
            requests = [_load.get(path, port) for path in paths]
            _load.closed(port, requests, 1.0, given.connections)  # warm up
            top = _load.closed(port, requests, given.seconds, given.connections)
            calm = _load.paced(
                port, requests, given.seconds, 4 * given.connections, 0.7 * top.per_second
            )
        if top.failures or calm.failures:
            raise SystemExit(f"{method}: {top.failures + calm.failures} answers were errors.")
        rates[method] = top.per_second
        report.add(task, method, "per_second", top.per_second, n=len(top.latencies))
        report.add(task, method, "p50_ms", calm.quantile_ms(0.5), n=len(calm.latencies))
        report.add(task, method, "p99_ms", calm.quantile_ms(0.99), n=len(calm.latencies))
    report.add(task, OURS, "share_of_stored", rates[OURS] / rates["stored JSON"])
    report.finish(given.json)
    return 0


def questions(config: Config, seed: int, n: int = 500) -> list[str]:
    """Paths that ask for known customers on every placement."""
    history = History.open(config)
    customer_ids = history.table("customers")["customer_id"].to_pylist()
    items = history.table("products")["item_id"].to_pylist()
    chosen = random.Random(seed)
    paths = []
    for ix in range(n):
        placement = PLACEMENTS[ix % len(PLACEMENTS)]
        path = (
            f"/v1/recommendations?placement={placement}&customer_id={chosen.choice(customer_ids)}"
        )
        if placement == "web_cart":
            path += "".join(f"&cart={item}" for item in chosen.sample(items, 2))
        paths.append(path)
    return paths


def in_process(config: Config, paths: list[str], report: Report, task: str) -> None:
    """Measure answers without a network or a server: what our own code takes."""
    from serving.app import create_app

    app = create_app(config, background=False)
    state = app.extensions["omnibasket"]
    times = []
    for round_ in range(3):
        for path in paths:
            begin = time.perf_counter()
            status, body = _call(app, path)
            if round_:  # the first round warms up
                times.append(time.perf_counter() - begin)
            if status != "200 OK":
                raise SystemExit(f"{path}: {status}: {body.decode()}")
    state.close()
    times.sort()
    report.add(task, f"{OURS}, in-process", "p50_ms", 1000 * times[len(times) // 2], n=len(times))
    at = int(0.99 * len(times))
    report.add(task, f"{OURS}, in-process", "p99_ms", 1000 * times[at], n=len(times))


def _call(app: Any, path: str) -> tuple[str, bytes]:
    """Ask a WSGI application as a server does."""
    route, _, query = path.partition("?")
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": route,
        "QUERY_STRING": query,
        "SCRIPT_NAME": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "HTTP_HOST": "127.0.0.1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": None,
        "wsgi.errors": sys.stderr,
        "wsgi.version": (1, 0),
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    got: list[str] = []
    chunks = app(environ, lambda status, *_: got.append(status))
    body = b"".join(chunks)
    chunks.close()
    return got[0], body


@contextlib.contextmanager
def ours(workspace: Path, workers: int) -> Iterator[int]:
    """Run the service; gives its port."""
    command = [
        sys.executable,
        "-m",
        "training.cli",
        "serve",
        "--workspace",
        str(workspace),
        "--port",
        "0",
        "--workers",
        str(workers),
        "--json",
    ]
    with _running(command) as process:
        assert process.stdout is not None
        text, ready = "", None
        while ready is None and (line := process.stdout.readline()):
            text += line
            with contextlib.suppress(json.JSONDecodeError):
                ready = json.loads(text)
        if ready is None:
            raise SystemExit("the service did not start.")
        if ready["status"] == "not_ready":
            raise SystemExit(f"the service is not ready: {ready['checks']}")
        yield int(ready["url"].rpartition(":")[2])


@contextlib.contextmanager
def stored(name: str, workers: int) -> Iterator[int]:
    """Run the same server over an application of ``_stored``; gives its port."""
    port = _free_port()
    server = "benchmarks._stored_server"
    command = [sys.executable, "-m", server, name, str(port), str(workers)]
    with _running(command):
        for _ in range(200):
            with contextlib.suppress(OSError):
                _load.closed(port, [_load.get("/v1/items/x", port)], 0.05, 1)
                break
            time.sleep(0.1)
        yield port


@contextlib.contextmanager
def _running(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    quiet = {"stderr": subprocess.DEVNULL, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, env=os.environ, **quiet) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=40)


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
