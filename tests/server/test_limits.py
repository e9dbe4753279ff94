"""Limits on bodies, heads, time and connections."""

from __future__ import annotations

import socket
from contextlib import ExitStack, suppress

import pytest

from reconciler.model.durations import HEADER_TIMEOUT
from reconciler.server import process
from reconciler.server.settings import MAX_BODY_SIZE, MAX_HEADER_SIZE

from .conftest import WRITER, Client, Start, wait_until

ALL = "/api/v1/endpoints"


def test_a_large_body_is_refused(shared: Client) -> None:
    answer = shared.ask("POST", ALL, b" " * (MAX_BODY_SIZE + 1), token=WRITER)
    assert (answer.status, answer.json["hint"]) == (413, "send less")
    answer = shared.ask("POST", ALL, b" " * MAX_BODY_SIZE, token=WRITER)
    assert answer.status == 400


def test_a_large_head_is_refused(shared: Client) -> None:
    assert shared.get(ALL, headers={"X-Large": "x" * MAX_HEADER_SIZE}).status == 431
    with suppress(OSError):  # the connection is closed before all of it is sent
        assert shared.get(ALL, headers={"X-Large": "x" * 20 * MAX_HEADER_SIZE}).status == 400
    assert shared.get("/health").status == 200


def test_a_head_that_does_not_arrive_in_time_ends_the_connection(shared: Client) -> None:
    """The time of the whole head counts, so that sending a byte now and then does not help."""
    starts = (b"", b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: ", b"GET /health HTTP/1.1\r\n")
    with ExitStack() as stack:
        slow = [
            stack.enter_context(
                socket.create_connection(("127.0.0.1", shared.port), timeout=HEADER_TIMEOUT + 20)
            )
            for _ in starts
        ]
        for connection, start in zip(slow, starts, strict=True):
            connection.sendall(start)
        for connection in slow:
            assert connection.recv(1000) == b""


@pytest.mark.parametrize(
    "text", [b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01"]
)
def test_what_is_not_http_is_refused_and_not_logged(shared: Client, text: bytes) -> None:
    with socket.create_connection(("127.0.0.1", shared.port), timeout=30) as client:
        client.sendall(text + b"\r\n\r\n")
        client.recv(1000)
    assert shared.get("/health").status == 200
    assert "nonsense" not in shared.log.read_text()


def test_an_upgrade_to_a_websocket_is_no_way_in(shared: Client) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "x" * 24,
               "Sec-WebSocket-Version": "13"}  # fmt: skip
    assert shared.get(f"{ALL}/x/workers/exec", headers=upgrade).status == 503


def test_more_connections_than_allowed_are_told_to_come_back(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client beyond the limit gets a 503 at once; one that leaves makes room."""
    monkeypatch.setattr(process, "MAX_CONNECTIONS", 4)
    server = start()
    with ExitStack() as stack:
        for _ in range(4):
            idle = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30))
            idle.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert idle.recv(1000).startswith(b"HTTP/1.1 200")
        answer = server.get("/health")
        assert (answer.status, answer.text) == (503, "Service Unavailable")
    wait_until(lambda: server.get("/health").status == 200)
