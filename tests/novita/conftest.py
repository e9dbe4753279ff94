"""Fixtures of the HTTP package: a socket server that misbehaves below HTTP."""

import contextlib
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from tests.scripted_server import SocketServer, serving

Behaviour = Callable[[socket.socket], None]


@dataclass
class RawServer(SocketServer):
    """Each request meets the next behaviour, the last one for ever; the connection closes after it."""

    behaviours: list[Behaviour] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)

    def accepted(self, connection: socket.socket) -> None:
        """Handle one connection after the other, so that the order of the requests is known."""
        connection.settimeout(None)
        self.handle(connection)

    def handle(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self.requests.append(_read_request(connection))
            number = min(len(self.requests), len(self.behaviours)) - 1
            self.behaviours[number](connection)

    def hang(self, _connection: socket.socket) -> None:
        self.over.wait(10)


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def says(raw: bytes) -> Behaviour:
    return lambda connection: connection.sendall(raw)


def resets(connection: socket.socket) -> None:
    """Closes with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def answers(body: bytes, *, length: int | None = None) -> Behaviour:
    size = len(body) if length is None else length
    return says(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (size, body))


@pytest.fixture
def raw_server() -> Iterator[RawServer]:
    server = RawServer()
    with serving(server.serve, server.listener, server.over):
        yield server
