"""Requests on a connection: in order, whole, and as HTTP/1 says, however their bytes arrive."""

import contextlib
import json
import os
import socket
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.http.connection_balance import ABSENT, ConnectionBalance
from tests.serving.conftest import known
from tests.serving.http.conftest import Served, plain


def parts(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
    """Send three parts, without saying their length."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return iter((b"one ", b"", b"two ", environ["REQUEST_METHOD"].encode()))


def broken(_: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Make a header with a line break."""
    start_response("200 OK", [("X-Split", "a\r\nSet-Cookie: b"), ("Content-Length", "2")])
    return [b"{}"]


def read(sock: socket.socket, until: Callable[[bytes], bool], seconds: float = 5) -> bytes:
    """Read until something holds, or the connection ends."""
    came, end = b"", time.monotonic() + seconds
    sock.settimeout(seconds)
    while not until(came) and time.monotonic() < end:
        more = sock.recv(65536)
        if not more:
            break
        came += more
    return came


def never(_: bytes) -> bool:
    return False


def bodies(came: bytes) -> list[bytes]:
    """Cut answers with a Content-Length apart; return their bodies."""
    found = []
    while came:
        head, _, rest = came.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        assert lines[0].startswith(b"http/1.1 200"), head
        (length,) = (int(line[15:]) for line in lines if line.startswith(b"content-length:"))
        found.append(rest[:length])
        came = rest[length:]
    return found


def echo(body: bytes) -> bytes:
    head = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body


def chunked(body: bytes, size: int) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    head = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + framed


@pytest.fixture(scope="module")
def echoing() -> Iterator[Served]:
    with contextlib.closing(Served(plain)) as served:
        yield served


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_answers_come_in_order_however_requests_arrive(
    echoing: Served, data: st.DataObject
) -> None:
    sent = data.draw(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=8))
    stream = b"".join(
        chunked(body, data.draw(st.integers(1, 99))) if data.draw(st.booleans()) else echo(body)
        for body in sent
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    with contextlib.closing(echoing.connect()) as client:
        for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            client.sendall(stream[start:stop])
        client.sendall(echo(b"the last").replace(b"Host: x", b"Host: x\r\nConnection: close"))
        assert bodies(read(client, never)) == [*sent, b"the last"]


@pytest.mark.parametrize(
    ("asked", "stays", "said"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", True, b""),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", False, b"Connection: close"),
        (b"GET / HTTP/1.0\r\n\r\n", False, b""),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True, b"Connection: keep-alive"),
        (
            b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            False,
            b"Connection: close",
        ),
    ],
)
def test_a_connection_stays_as_its_client_wishes(
    over: Callable[..., Served], asked: bytes, stays: bool, said: bytes
) -> None:
    with contextlib.closing(over(plain).connect(asked)) as client:
        came = read(client, lambda came: came.endswith(b"{}"))
        assert came.startswith(b"HTTP/1.1 200 OK\r\n")
        assert said in came
        if stays:
            client.sendall(asked)
            assert read(client, lambda came: came.endswith(b"{}")).startswith(b"HTTP/1.1 200")
        else:
            assert client.recv(1) == b""


def test_parts_are_framed_for_who_can_read_frames(over: Callable[..., Served]) -> None:
    served = over(parts)
    with contextlib.closing(served.connect(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")) as client:
        came = read(client, lambda came: came.endswith(b"0\r\n\r\n"))
        assert came.endswith(b"\r\n\r\n4\r\none \r\n4\r\ntwo \r\n3\r\nGET\r\n0\r\n\r\n")
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read(client, lambda came: came.endswith(b"0\r\n\r\n")) != b""
    with contextlib.closing(served.connect(b"GET / HTTP/1.0\r\n\r\n")) as client:
        came = read(client, never)
        assert came.partition(b"\r\n\r\n")[2] == b"one two GET"
        assert b"chunked" not in came


def test_a_head_has_no_body_and_the_next_answer_follows(over: Callable[..., Served]) -> None:
    for app in (plain, parts):
        with contextlib.closing(over(app).connect(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")) as client:
            came = read(client, lambda came: came.endswith(b"\r\n\r\n"))
            assert came.startswith(b"HTTP/1.1 200")
            client.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert json.loads(read(client, never).partition(b"\r\n\r\n")[2]) == {"status": "alive"}


def test_who_waits_to_be_told_to_go_on_is_told(over: Callable[..., Served]) -> None:
    head, _, body = echo(b"tea").partition(b"\r\n\r\n")
    with contextlib.closing(
        over(plain).connect(head + b"\r\nExpect: 100-continue\r\n\r\n")
    ) as client:
        assert read(client, lambda came: b"\r\n\r\n" in came).startswith(b"HTTP/1.1 100 Continue")
        client.sendall(body)
        assert read(client, lambda came: came.endswith(b"tea")).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "sent",
    [
        b"hello\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        # Two proxies would see two different requests in these.
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, x\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    ],
)
def test_what_is_no_request_is_answered_and_closed(
    over: Callable[..., Served], sent: bytes
) -> None:
    served = over(plain)
    with contextlib.closing(served.connect(sent)) as client:
        came = read(client, never)
    assert came.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert json.loads(came.partition(b"\r\n\r\n")[2])["type"] == "/problems#bad-request"
    assert served.alive()


def test_an_address_that_is_none_is_answered(over: Callable[..., Served]) -> None:
    served = over(plain)
    bad = b"GET http://[a/ HTTP/1.1\r\nHost: a\r\n\r\n"
    slow = b"GET /v1/items/slow HTTP/1.1\r\nHost: x\r\n\r\n"
    for before in (b"", slow):
        with contextlib.closing(served.connect(before + bad)) as client:
            came = read(client, lambda came: b"400 Bad Request" in came)
            assert came.count(b"HTTP/1.1 ") == 1 + bool(before)
    assert served.alive()


def test_hundreds_of_requests_sent_ahead_are_all_answered(over: Callable[..., Served]) -> None:
    asked = b"GET /v1/items/slow HTTP/1.1\r\nHost: x\r\n\r\n"
    asked += b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" * 400
    last = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with contextlib.closing(over(plain).connect(asked + last)) as client:
        assert len(bodies(read(client, never))) == 402


def test_trailers_are_no_headers(over: Callable[..., Served]) -> None:
    seen: list[dict[str, Any]] = []

    def look(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        seen.append(environ)
        return plain(environ, start_response)

    served = over(look)
    asked = chunked(b"tea", 2)[:-2] + b"X-Forwarded-For: 6.6.6.6\r\nAuthorization: x\r\n\r\n"
    with contextlib.closing(served.connect(asked)) as client:
        assert read(client, lambda came: came.endswith(b"tea")).startswith(b"HTTP/1.1 200")
    assert not {"HTTP_X_FORWARDED_FOR", "HTTP_AUTHORIZATION"} & set(seen[0])


@pytest.mark.parametrize(("cut", "endless"), [(2, b"X-Long: "), (5, b"1;a=")])
def test_nothing_without_an_end_is_held(
    over: Callable[..., Served], cut: int, endless: bytes
) -> None:
    """A trailer, and what stands behind the length of a chunk."""
    served = over(plain)
    with contextlib.closing(served.connect(chunked(b"tea", 2)[:-cut] + endless)) as client:
        for _ in range(10):
            with contextlib.suppress(OSError):
                client.sendall(b"x" * 8_192)
            time.sleep(0.01)
        assert read(client, never).startswith(b"HTTP/1.1 400")
    assert served.alive()


def test_an_upgrade_sent_ahead_is_answered_in_its_turn(over: Callable[..., Served]) -> None:
    upgrade = b"GET /2 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    asked = b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n" + upgrade
    with contextlib.closing(over(plain).connect(asked)) as client:
        came = read(client, never)
    assert len(bodies(came)) == 2
    assert came.count(b"Connection: close") == 1


def test_a_body_that_arrives_is_not_closed_to_make_room(over: Callable[..., Served]) -> None:
    served = over(plain, most_connections=3)
    whole = echo(b"tea" * 10)
    with contextlib.closing(served.connect(echo(b"one"))) as client:
        read(client, lambda came: came.endswith(b"one"))
        idle = [served.connect() for _ in range(2)]
        time.sleep(0.1)
        client.sendall(whole[:-5])
        time.sleep(0.1)
        idle += [served.connect() for _ in range(2)]
        time.sleep(0.1)
        client.sendall(whole[-5:])
        assert read(client, lambda came: came.endswith(b"teatea")).startswith(b"HTTP/1.1 200")
        for each in idle:
            each.close()


def test_bad_bytes_after_a_request_wait_for_its_answer(over: Callable[..., Served]) -> None:
    with contextlib.closing(over(plain).connect(echo(b"tea") + b"nonsense\r\n\r\n")) as client:
        first, second = read(client, never).split(b"HTTP/1.1 ")[1:]
    assert first.startswith(b"200")
    assert first.endswith(b"tea")
    assert second.startswith(b"400")


def test_headers_without_an_end_are_refused(over: Callable[..., Served]) -> None:
    served = over(plain)
    with contextlib.closing(served.connect(b"GET / HTTP/1.1\r\nX-Long: ")) as client:
        for _ in range(10):
            with contextlib.suppress(OSError):
                client.sendall(b"x" * 8_192)
            time.sleep(0.01)
        assert read(client, never).startswith(b"HTTP/1.1 431")
    assert not served.server.body_bytes


def test_an_answer_that_would_split_is_an_error(over: Callable[..., Served]) -> None:
    served = over(broken)
    status, said, headers = served.ask("GET", "/")
    assert (status, said["type"]) == (500, "/problems#internal-error")
    assert "Set-Cookie" not in headers
    assert served.alive()


def test_names_with_an_underscore_do_not_pass_for_others(over: Callable[..., Served]) -> None:
    seen: list[dict[str, Any]] = []

    def look(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        seen.append(environ)
        return plain(environ, start_response)

    asked = (
        b"GET / HTTP/1.1\r\nHost: x\r\nX_Real_Ip: 1\r\n"
        b"Cookie: a=1\r\ncookie: b=2\r\nX-A: 1\r\nX-A: 2\r\n"
    )
    with contextlib.closing(over(look).connect(asked + b"\r\n")) as client:
        read(client, lambda came: came.endswith(b"{}"))
    assert "HTTP_X_REAL_IP" not in seen[0]
    assert (seen[0]["HTTP_COOKIE"], seen[0]["HTTP_X_A"]) == ("a=1; b=2", "1,2")


def test_what_a_client_sends_ahead_is_bounded(over: Callable[..., Served]) -> None:
    served = over(plain)
    slow = b"GET /v1/items/slow HTTP/1.1\r\nHost: x\r\n\r\n"
    with contextlib.closing(served.connect(slow)) as client:
        client.setblocking(False)
        sent, until = 0, time.monotonic() + 1
        while time.monotonic() < until:
            with contextlib.suppress(BlockingIOError):
                sent += client.send(echo(b"x" * 60_000))
            for connection in served.server._connections:
                assert connection._held_bytes <= 4 * 64 * 1024 + 256 * 1024
        client.setblocking(True)
    assert sent
    assert served.alive()


def test_a_batch_comes_line_by_line(over: Callable[..., Served], app: Flask) -> None:
    served = over(app)
    asked = {"placement": "email_weekly", "customers": [known(0), known(0)]}
    body = json.dumps(asked).encode()
    head = (
        b"POST /v1/recommendations/batch HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    )
    with contextlib.closing(served.connect(head + body)) as client:
        came = read(client, never, 20)
    assert came.startswith(b"HTTP/1.1 200")
    assert b"Transfer-Encoding: chunked" in came
    assert came.endswith(b"\r\n0\r\n\r\n")
    assert came.count(b'"recommendation_id"') == 2


def test_a_worker_that_was_replaced_gets_some_of_the_kept_connections(
    over: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.http.server._MOVE_SECONDS", 0)
    asked = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
    with tempfile.TemporaryFile() as counts:
        counts.write(struct.pack("2q", ABSENT, ABSENT))
        counts.flush()

        def found() -> tuple[int, int]:
            ours, others = struct.unpack("2q", os.pread(counts.fileno(), 16, 0))
            return ours, others

        served = over(plain, balance=ConnectionBalance(counts.fileno(), 0))
        with contextlib.ExitStack() as kept:
            clients = [kept.enter_context(contextlib.closing(served.connect())) for _ in range(8)]
            for client in clients:
                client.sendall(asked)
                assert b"Connection: close" not in read(client, lambda came: b"alive" in came)
            assert found()[0] == 8
            ConnectionBalance(counts.fileno(), 1).publish(0)
            ended = 0
            for client in clients:
                client.sendall(asked)
                came = read(client, lambda came: b"alive" in came)
                assert came.startswith(b"HTTP/1.1 200")
                if b"Connection: close" in came:  # the client's next one goes to the other worker
                    assert client.recv(1) == b""
                    ended += 1
                    ConnectionBalance(counts.fileno(), 1).publish(ended)
            assert found() == (5, 3)
