"""Sends requests over kept connections and measures how long each answer takes.

``closed`` sends the next request as soon as an answer is there: the top rate. ``paced`` sends at
a fixed rate whether answers are there or not, and counts waiting as part of the time. Used by
``serving.py``, in a process of its own.
"""

import selectors
import socket
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle

_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


@dataclass
class Measured:
    """What a run showed."""

    seconds: float
    latencies: list[float]
    """Seconds of each answer, sorted."""
    failures: int

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def quantile_ms(self, share: float) -> float:
        """Time within which ``share`` of the answers came, in milliseconds."""
        return 1000 * self.latencies[min(int(share * len(self.latencies)), len(self.latencies) - 1)]


class _Connection:
    """One kept connection with at most one request under way."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = 0.0
        self._received = b""

    def send(self, request: bytes, due: float) -> None:
        self.due, self._received = due, b""
        self.socket.sendall(request)

    def answered(self) -> int | None:
        """Read what is there; the status once the answer is whole, 0 where the server left."""
        part = self.socket.recv(65_536)
        if not part:
            return 0
        self._received += part
        head, end, body = self._received.partition(_END)
        if not end:
            return None
        at = head.lower().index(_LENGTH) + len(_LENGTH)
        length = int(head[at:].split(b"\r\n", 1)[0])
        return int(head[9:12]) if len(body) >= length else None


def get(path: str, port: int) -> bytes:
    """Write a GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()


def closed(port: int, requests: list[bytes], seconds: float, connections: int) -> Measured:
    """Keep every connection busy for a while."""
    return _run(port, requests, seconds, connections, rate=None)


def paced(
    port: int, requests: list[bytes], seconds: float, connections: int, rate: float
) -> Measured:
    """Send ``rate`` requests a second for a while."""
    return _run(port, requests, seconds, connections, rate=rate)


def _run(
    port: int, requests: list[bytes], seconds: float, connections: int, rate: float | None
) -> Measured:
    source = cycle(requests)
    idle = deque(_Connection("127.0.0.1", port) for _ in range(connections))
    everyone = list(idle)
    selector = selectors.DefaultSelector()
    for connection in everyone:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    latencies: list[float] = []
    failures = 0
    begin = time.perf_counter()
    dues = _dues(begin, seconds, rate)
    due = next(dues)
    while due is not None or len(idle) < connections:
        now = time.perf_counter()
        while idle and due is not None and due <= now:
            idle.popleft().send(next(source), due if rate else now)
            due = next(dues, None)
        wait = None if due is None or not idle else max(0.0, due - now)
        for key, _ in selector.select(wait):
            status = key.data.answered()
            if status is None:
                continue
            latencies.append(time.perf_counter() - key.data.due)
            failures += status != 200
            idle.append(key.data)
    taken = time.perf_counter() - begin
    for connection in everyone:
        connection.socket.close()
    return Measured(taken, sorted(latencies), failures)


def _dues(begin: float, seconds: float, rate: float | None) -> Iterator[float | None]:
    """When to send each request; without a rate, at once, until the time is up."""
    if rate is not None:
        yield from (begin + n / rate for n in range(int(seconds * rate)))
        return
    while time.perf_counter() < begin + seconds:
        yield begin
