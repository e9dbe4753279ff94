"""Reads and writes share sockets, which are opened ahead, reused and replaced without anybody noticing."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.errors import AnswerLost, InventoryError, Unreachable
from reconciler.model.problem import Problem
from reconciler.model.request import Request
from reconciler.novita.http import httpx_transport, sockets
from reconciler.novita.http.client import CallInfo, Client
from tests.scripted_server import SocketServer, serving
from tests.tls_relay import make_certificate, tls_relay

from .support import CREATE, GET, LIST, UPDATE, ManualTime, secret

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
Step = Callable[[socket.socket], None]


def answers(connection: socket.socket) -> None:
    connection.sendall(ANSWER)


def closes(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


@dataclass
class KeepAliveServer(SocketServer):
    """Serves several requests of each connection: the next step of the script each time, then answers.

    `requests`: the number of the connection, from 0, and the first word of each request.
    """

    script: list[Step] = field(default_factory=list)
    requests: list[tuple[int, str]] = field(default_factory=list)
    connections: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def accepted(self, connection: socket.socket) -> None:
        with self.changed:
            self.connections += 1
            self.changed.notify_all()
        threading.Thread(
            target=self.handle_numbered, args=(connection, self.connections - 1), daemon=True
        ).start()

    def handle_numbered(self, connection: socket.socket, number: int) -> None:
        with connection, connection.makefile("rb") as received, contextlib.suppress(OSError):
            while first := received.readline():
                headers = dict(line.lower().split(b": ") for line in iter(received.readline, b"\r\n"))
                received.read(int(headers.get(b"content-length", 0)))
                with self.changed:
                    self.requests.append((number, first.split()[0].decode()))
                    step = self.script.pop(0) if self.script else answers
                step(connection)

    def wait_for_connections(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.connections >= count, 20)


@pytest.fixture
def server() -> Iterator[KeepAliveServer]:
    found = KeepAliveServer()
    with serving(found.serve, found.listener, found.over):
        yield found


def client_of(
    server: KeepAliveServer, calls: list[CallInfo] | None = None, *, read_only: bool = False
) -> Client:
    return Client(
        server.url,
        secret(),
        read_timeout=5.0,
        timing=ManualTime().timing(),
        on_call=None if calls is None else calls.append,
        read_only=read_only,
    )


def test_reads_and_writes_take_turns_on_one_socket(server: KeepAliveServer) -> None:
    with client_of(server) as client:
        for request in (GET, UPDATE, GET, GET, CREATE, UPDATE, LIST):
            assert client.send(request) == {}
    assert server.connections == 1
    assert [method for _, method in server.requests] == ["GET", "POST", "GET", "GET", "POST", "POST", "GET"]


@pytest.mark.parametrize("request_", [GET, UPDATE, CREATE], ids=["read", "update", "create"])
@pytest.mark.parametrize("first", [GET, UPDATE], ids=["after a read", "after a write"])
def test_a_socket_that_was_closed_while_idle_is_replaced(
    server: KeepAliveServer, first: Request, request_: Request
) -> None:
    """Its end is seen before anything is sent, so also a create is sent once, on another socket."""
    closed = threading.Event()

    def answers_and_closes(connection: socket.socket) -> None:
        answers(connection)
        closes(connection)
        closed.set()

    server.script = [answers_and_closes]
    calls: list[CallInfo] = []
    with client_of(server, calls) as client:
        client.send(first)
        assert closed.wait(60)
        time.sleep(0.05)  # the end of the connection is on its way
        client.send(request_)
    assert [number for number, _ in server.requests] == [0, 1]
    assert [(call.attempt, call.status) for call in calls] == [(1, 200), (1, 200)]


def test_a_read_that_meets_the_end_of_an_old_socket_is_sent_on_a_new_one(server: KeepAliveServer) -> None:
    """The server closes it just when the request comes. That is no failure of the call."""
    server.script = [answers, closes]
    calls: list[CallInfo] = []
    with client_of(server, calls) as client:
        client.send(GET)
        assert client.send(GET) == {}
    assert [number for number, _ in server.requests] == [0, 0, 1]
    assert [(call.attempt, call.status) for call in calls] == [(1, 200), (1, 200)]


def test_a_read_that_fails_on_a_new_socket_is_a_failed_attempt(server: KeepAliveServer) -> None:
    server.script = [answers, closes, closes]
    with client_of(server) as client:
        client.send(GET)
        with pytest.raises(AnswerLost, match="closed the connection"):
            client.send(GET, retries=False)
    assert [number for number, _ in server.requests] == [0, 0, 1]


def test_a_read_with_half_an_answer_is_a_failed_attempt(server: KeepAliveServer) -> None:
    def half(connection: socket.socket) -> None:
        connection.sendall(ANSWER[:20])
        closes(connection)

    server.script = [answers, half]
    with client_of(server) as client:
        client.send(GET)
        with pytest.raises(AnswerLost):
            client.send(GET, retries=False)
    assert len(server.requests) == 2


def test_a_create_that_meets_the_end_of_an_old_socket_is_sent_once(server: KeepAliveServer) -> None:
    server.script = [answers, closes]
    with client_of(server) as client:
        client.send(GET)
        with pytest.raises(AnswerLost):
            client.send(CREATE)
    assert [method for _, method in server.requests] == ["GET", "POST"]


@pytest.mark.parametrize("request_", [GET, UPDATE], ids=["read", "write"])
def test_an_old_socket_is_not_used_again(
    server: KeepAliveServer, monkeypatch: pytest.MonkeyPatch, request_: Request
) -> None:
    """A router between may have forgotten it without a word."""
    monkeypatch.setattr(sockets, "MAX_IDLE_TIME", -1.0)
    with client_of(server) as client:
        client.send(GET)
        client.send(request_)
    assert [number for number, _ in server.requests] == [0, 1]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        ANSWER + b"more than was announced",
    ],
    ids=["said", "HTTP/1.0", "too long"],
)
def test_an_answer_that_ends_the_connection(server: KeepAliveServer, answer: bytes) -> None:
    server.script = [lambda connection: connection.sendall(answer)]
    with client_of(server) as client:
        client.send(GET)
        client.send(GET)
    assert [number for number, _ in server.requests] == [0, 1]


# Several clients.


def test_a_client_for_writes_shares_everything(server: KeepAliveServer) -> None:
    with client_of(server, read_only=True) as reader:
        reader.send(GET)
        with reader.for_writes(lambda: None) as writer:
            assert writer.send(UPDATE) == {}
        with pytest.raises(RuntimeError, match="closed"):
            writer.send(UPDATE)
        with pytest.raises(AssertionError):
            reader.send(UPDATE)
        reader.send(GET)
    assert server.connections == 1
    assert writer.concurrency_limit == reader.concurrency_limit


def test_a_write_is_sent_only_after_its_check(server: KeepAliveServer) -> None:
    """A run that has lost its lock may still read."""

    def refuse() -> None:
        raise InventoryError(Problem(code="lock-lost", summary="the lock was lost"))

    with client_of(server, read_only=True) as reader, reader.for_writes(refuse) as writer:
        writer.send(GET)
        with pytest.raises(InventoryError, match="lock was lost"):
            writer.send(UPDATE)
    assert len(server.requests) == 1


def test_the_last_client_closes_the_connections(server: KeepAliveServer) -> None:
    reader = client_of(server, read_only=True)
    writer = reader.for_writes(lambda: None)
    reader.send(GET)
    reader.close()
    reader.close()  # once more is nothing
    with pytest.raises(RuntimeError, match="closed"):
        reader.send(GET)
    writer.send(UPDATE)
    assert server.connections == 1
    writer.close()
    with pytest.raises(RuntimeError, match="closed"):
        writer.send(UPDATE)
    assert len(server.requests) == 2


# Sockets that are opened ahead.


def join_connecting_threads() -> None:
    for thread in threading.enumerate():
        if thread.name == "connect":
            thread.join(60)


def test_warm_sockets_are_used(server: KeepAliveServer) -> None:
    barrier = threading.Barrier(4, timeout=10)

    def together(connection: socket.socket) -> None:
        barrier.wait()
        answers(connection)

    with client_of(server) as client, ThreadPoolExecutor(4) as pool:
        client.warm(4)
        server.wait_for_connections(4)
        client.warm(4)
        server.script = [together] * 4
        requests = (GET, UPDATE, LIST, CREATE)
        assert list(pool.map(client.send, requests)) == [{}] * 4
    assert server.connections == 4
    assert sorted(number for number, _ in server.requests) == [0, 1, 2, 3]


def test_a_call_waits_for_a_socket_that_is_being_opened(
    server: KeepAliveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not open a second one."""
    begun, go_on = threading.Event(), threading.Event()
    connect = socket.create_connection

    def slowly(*args: object, **more: object) -> socket.socket:
        begun.set()
        assert go_on.wait(60)
        return connect(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "create_connection", slowly)
    with client_of(server) as client, ThreadPoolExecutor(1) as pool:
        client.warm(1)
        assert begun.wait(60)
        sent = pool.submit(client.send, GET)
        go_on.set()
        assert sent.result(60) == {}
    assert server.connections == 1


def test_no_more_sockets_are_opened_than_calls_may_be_active(server: KeepAliveServer) -> None:
    with Client(server.url, secret(), parallelism=2) as client:
        client.warm(9)
        server.wait_for_connections(2)
        client.send(GET)
    assert server.connections == 2


def test_warm_sockets_that_are_too_old_are_opened_again(
    server: KeepAliveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with client_of(server) as client:
        client.warm(2)
        join_connecting_threads()
        monkeypatch.setattr(sockets, "MAX_IDLE_TIME", 0.0)
        client.warm(2)
        server.wait_for_connections(4)
    assert server.requests == []


def test_the_failure_of_a_warm_socket_is_that_of_the_call() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with Client(f"http://127.0.0.1:{port}", secret()) as client:
        client.warm(3)
        with pytest.raises(Unreachable, match="cannot reach"):
            client.send(CREATE, retries=False)


def test_a_warm_connection_has_its_httpx_client_before_the_first_write(
    server: KeepAliveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    class Noted(httpx_transport.HttpxConnection):
        def __init__(self, *given: Any, **more: Any) -> None:
            made.append(threading.current_thread().name)
            super().__init__(*given, **more)

    join_connecting_threads()  # those of earlier tests make connections of their own
    monkeypatch.setattr(httpx_transport, "HttpxConnection", Noted)
    with client_of(server) as client:
        client.warm(1)
        join_connecting_threads()
        assert made == ["connect"]
        assert client.send(CREATE) == {}
    assert made == ["connect"]
    assert server.connections == 1


def test_a_closed_client_opens_nothing(server: KeepAliveServer) -> None:
    client = client_of(server)
    client.close()
    client.warm(3)
    assert server.connections == 0


# Imports.

MODULES = """
import sys, time
from reconciler.model.request import Request
from reconciler.model.secrets import Secret
from reconciler.novita.http.client import Client
from reconciler.novita.http.retry import Timing
with Client(sys.argv[1], Secret(value="k", source="t"), timing=Timing(is_own_process=True)) as client:
    client.send(Request(method="GET", path="/gpu-instance/openapi/v1/endpoints"))
    print(sorted({"httpx", "httpcore", "h11", "http.client", "email", "ssl"} & set(sys.modules)))
    client.prepare_writes()
    deadline = time.monotonic() + 60
    while "httpx" not in sys.modules and time.monotonic() < deadline:
        time.sleep(0.01)
    print("httpx" in sys.modules)
    client.send(Request(method="POST", path="/x", body={}))
    print(sorted({"httpx", "h11", "rich", "click"} & set(sys.modules)))
"""


def imported(url: str) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-c", MODULES, url], capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stderr == ""
    return ran.stdout.splitlines()


def test_a_read_imports_no_client_of_http(server: KeepAliveServer) -> None:
    """httpx is imported in the background or for the first write, and its own command line never."""
    assert imported(server.url) == ["[]", "True", "['h11', 'httpx']"]


def test_a_read_over_tls_imports_no_client_of_http(
    server: KeepAliveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with tls_relay(server.url, certificate, key) as relay:
        assert imported(relay.url) == ["['ssl']", "True", "['h11', 'httpx']"]
        assert (relay.connections, relay.handshakes) == (1, 1)
