"""The real server on real sockets, in this process."""

import asyncio
import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from serving.http.connection_balance import ConnectionBalance
from serving.http.queues import RequestQueues
from serving.http.server import Server


class Served:
    """A server of an application in this process, with a loop of its own."""

    def __init__(
        self,
        app: Callable[..., Any],
        most_connections: int = 500,
        balance: ConnectionBalance | None = None,
    ) -> None:
        self._app, self._most, self._balance = app, most_connections, balance
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self._listening.getsockname()[1]
        self._begun, self._thread = threading.Event(), threading.Thread(target=self._run)
        self._thread.start()
        assert self._begun.wait(10)

    def _run(self) -> None:
        async def serve() -> None:
            self.queues = RequestQueues()
            self.server = Server(self._app, self.queues, self._most, self._balance)
            self._loop, self._logged = asyncio.get_running_loop(), asyncio.Event()
            self.server.listen(self._listening)
            self._begun.set()
            await self._logged.wait()
            await self.server.stop(5)
            self.queues.stop()

        asyncio.run(serve())

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._logged.set)
        self._thread.join(20)

    def ask(
        self, method: str, path: str, body: Any = None, seconds: float = 20
    ) -> tuple[int, Any, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        with contextlib.closing(connection):
            content = body if body is None or isinstance(body, bytes) else json.dumps(body)
            headers = {"Content-Type": "application/json"} if body is not None else {}
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null"), dict(answer.headers)

    def alive(self) -> bool:
        return self.ask("GET", "/livez", seconds=2)[0] == 200

    def connect(self, sent: bytes = b"", receive_bytes: int | None = None) -> socket.socket:
        made = socket.socket()
        if receive_bytes is not None:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        made.settimeout(10)
        made.connect(("127.0.0.1", self.port))
        made.sendall(sent)
        return made


@pytest.fixture
def over() -> Iterator[Callable[..., Served]]:
    made: list[Served] = []

    def make(app: Callable[..., Any], **more: Any) -> Served:
        made.append(Served(app, **more))
        return made[-1]

    yield make
    for served in made:
        served.close()


def plain(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Echo a body; ``/v1/items/slow`` takes a twentieth of a second, ``/big`` is long."""
    body = environ["wsgi.input"].read()
    if environ["PATH_INFO"].startswith("/v1/items"):
        time.sleep(0.05)
    body = b'"' + b"x" * 8_000_000 + b'"' if environ["PATH_INFO"] == "/big" else body or b"{}"
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
